"""What a setting may be, in words for a message."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction


@dataclass(frozen=True)
class Rule:
    """What a value has to be, in words for a message, and whether a text is it."""

    form: str
    accepts: Callable[[str], bool] = lambda _: True


def whole(least: int, most: int = 36_500, word: str | None = None) -> Rule:
    def accepts(text: str) -> bool:
        text = text.strip()
        is_number = text.isascii() and text.isdecimal() and len(text) < 10
        return text == word or (is_number and least <= int(text) <= most)

    return Rule(
        f"a whole number from {least} to {most}" + (f', or "{word}"' if word else ""), accepts
    )


def choice(*words: str) -> Rule:
    return Rule(f"one of {', '.join(words)}", lambda text: text in words)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2026-01-31")


def _is_part(text: str) -> bool:
    try:
        return text.isascii() and 0 < Fraction(text) <= 1
    except (ValueError, ZeroDivisionError):
        return False


TEXT = Rule("a text")
PART = Rule("a part of the whole such as 1/3 or 0.25", _is_part)
PATH = Rule(
    "a path, with ~ only where there is a home folder",
    lambda text: not os.path.expanduser(text).startswith("~"),
)
DAY = Rule("a day written as 2026-01-31", _is_day)
FLAG = Rule("true or false", lambda text: text.lower() in ("true", "false"))

CONNECTION: Mapping[str, Rule] = {
    "enabled": FLAG,
    "base_url": TEXT,
    "api_key": TEXT,
    "requests_per_minute": whole(1, 1_000_000),
    "request_timeout_seconds": whole(1, 86_400),
    "allow_http": FLAG,
    "client_certificate": PATH,
}
"""Of every source over HTTP."""
