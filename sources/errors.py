"""Errors that we foresaw: the message says what happened, why, and what to do."""


class ForeseenError(Exception):
    """Shown to the user as it is, without a traceback; the command exits with 1."""


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
