"""The columns of the dataset Cost and Usage, by version; the table is columns.csv beside this."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VERSIONS = ("1.2", "1.3", "1.4")
NEWEST = VERSIONS[-1]
CUSTOM = "x_"
"""What every column begins with that is the writer's own."""

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that the specification names.

    Attributes:
        kind: text, currency, unit, decimal, price (a decimal that is never negative), moment,
            pairs (JSON of one level) or json.
        since, until: First version of ours that has it, and last one; None: it still is there.
        presence: must, should, or may: it is there where what it tells of is.
        is_of_price: Use and purchases have it, unless they correct something, and taxes do not.
        allowed: The only values it has; none: any.
    """

    name: str
    kind: str
    since: str
    until: str | None
    presence: str
    may_be_null: bool
    is_of_price: bool
    allowed: Sequence[str]

    def is_of(self, version: str) -> bool:
        return self.since <= version <= (self.until or NEWEST)


@cache
def every_column() -> tuple[Column, ...]:
    with (FOLDER / "columns.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            Column(
                name=row["column"],
                kind=row["kind"],
                since=row["since"],
                until=row["until"] or None,
                presence=row["presence"],
                may_be_null=row["may_be_null"] == "yes",
                is_of_price=row["is_of_price"] == "yes",
                allowed=tuple(filter(None, row["allowed"].split("|"))),
            )
            for row in csv.DictReader(lines)
        )


def columns_of(version: str) -> list[Column]:
    """Those of a version, by the alphabet."""
    return [column for column in every_column() if column.is_of(version)]


@cache
def subcategories() -> dict[str, str]:
    """ServiceSubcategory -> the ServiceCategory that it is part of."""
    with (FOLDER / "service_subcategories.csv").open(encoding="utf-8", newline="") as lines:
        return {row["subcategory"]: row["category"] for row in csv.DictReader(lines)}
