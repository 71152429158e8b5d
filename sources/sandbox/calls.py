"""What one API of the sandbox is, and the request that it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request, and the moment as of which it is answered."""

    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    clock: datetime

    @property
    def params(self) -> dict[str, str]:
        return params_of(self.query)

    @property
    def today(self) -> date:
        return self.clock.date()

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of a parameter that may be repeated."""
        return tuple(value for each, value in self.query if each == name)


class Api(Protocol):
    """Some paths and their answers."""

    def knows(self, path: str) -> bool:
        """It is this API that answers the path."""

    def scopes(self, path: str) -> tuple[str, ...]:
        """What a key needs for that path."""

    def budget(self, path: str) -> str:
        """The rate limit that a request counts for, one of server.REQUESTS_PER_MINUTE."""

    def answer(self, call: Call) -> str:
        """The JSON body of the answer; raises Refusal."""


def params_of(query: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Parameters by name; the values of a repeated one are joined with commas."""
    names = dict.fromkeys(name for name, _ in query)
    return {name: ",".join(value for each, value in query if each == name) for name in names}


def clock_of(headers: Mapping[str, str], today: date) -> datetime:
    """The start of today, or what a later Date header says."""
    start = datetime(today.year, today.month, today.day, tzinfo=UTC)
    try:
        return max(start, parsedate_to_datetime(headers["date"]).astimezone(UTC))
    except (KeyError, ValueError):
        return start
