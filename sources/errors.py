"""Errors that we foresaw: the message says what happened, why, and what to do."""


class ForeseenError(Exception):
    """Shown to the user as it is, without a traceback; the command exits with 1."""


class ApiError(ForeseenError):
    """The API did not give what was asked for, and asking again does not help.

    Attributes:
        status: Of the answer that says so; 0 where none does.
    """

    status = 0


class Unreachable(ApiError):
    """No answer from the host, and so none to any other question of this source."""


class Untrusted(Unreachable):
    """Its certificate, or ours, is refused."""


class NotNow(Unreachable):
    """The API asks for a pause that is longer than a run waits."""


class Refused(ApiError):
    """This key or organisation may not read this; asked again, the answer is the same."""


class KeyRefused(Refused):
    """The API does not accept the key at all."""


class AnotherOrganisation(KeyRefused):
    """The key is taken, and what it opens is somebody else's."""


class NotTheApi(ApiError):
    """Web pages instead of JSON: something else answers at this address."""


class Expired(ApiError):
    """The cursor's data was refreshed since its first page: the pages begin anew."""


class NotJson(Exception):
    """A body that should be one complete JSON object is not."""


class NotWhole(Exception):
    """An answer that contradicts its own completeness; its text says how."""


def read_before_words(name: str, refused: object, instead: str = "") -> str:
    """What to say of a refusal of what was read before; `instead` is what else may be done."""
    return (
        f"{refused}\n{name} was read before, so this refusal is a failure of this run; "
        "what is stored stays,\nand the next run asks again. If it stays refused, ask the primary "
        f"owner what has changed{instead}."
    )
