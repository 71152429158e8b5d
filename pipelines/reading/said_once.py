"""One reason is said once, though every endpoint that it meets says it in its own name."""

import re
from collections.abc import Iterable

NAMES = re.compile(r"(?<=\(\d{3} for )[^()]+(?=\))|^.+(?= was read before, so this refusal)", re.M)
"""Where a message names its endpoint: in `(403 for skills, day 2026-01-05)`, and in the sentence
about what was read before."""
ONE, MANY = " was read before, so this refusal is", " were read before, so this is"
MOST_NAMED = 3


def reason(message: str) -> str:
    """The message without the names of its endpoints."""
    return NAMES.sub("", message.replace(MANY, ONE))


def said_once(messages: Iterable[str]) -> list[str]:
    """The messages, each reason once, with the names of all that it met."""
    alike: dict[str, list[str]] = {}
    for message in dict.fromkeys(messages):
        alike.setdefault(reason(message), []).append(message)
    return [_together(group) if len(group) > 1 else group[0] for group in alike.values()]


def _together(messages: list[str]) -> str:
    """Messages that differ in names only, as one."""
    places = zip(*(NAMES.findall(message) for message in messages), strict=True)
    names = iter([_listed(list(dict.fromkeys(place))) for place in places])
    text = NAMES.sub(lambda _: next(names), messages[0])
    return text.replace(ONE, MANY)


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    shown = names if more < 2 else [*names[:MOST_NAMED], f"{more} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
