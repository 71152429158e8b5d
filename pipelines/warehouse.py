"""What every database driver gives, as this project reads it."""

from typing import Any, Protocol


class Cursor(Protocol):
    """An answered query of any database driver."""

    @property
    def description(self) -> Any: ...
    def fetchall(self) -> Any: ...


def dict_rows(answer: Cursor) -> list[dict[str, Any]]:
    """Each row of an answered query as column name -> value."""
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
