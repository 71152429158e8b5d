"""Errors that we foresaw: the message says what happened, why, and what to do."""


class ForeseenError(Exception):
    """Shown to the user as it is, without a traceback; the command exits with 1."""


class NotJson(Exception):
    """A body that should be one complete JSON object is not."""
