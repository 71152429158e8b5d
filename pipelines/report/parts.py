"""What a page is made of: sections of figures, tables and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from pipelines.reading import wording
from pipelines.reading.wording import Unit
from pipelines.report import ChartName
from pipelines.report.vega import alt

WHOLE_ROWS = 24
"""Rows up to which a table is shown whole."""

# How a column is written and aligned, by the end of its name.
UNITS = {"_usd": Unit.USD, "_rate": Unit.RATE, "_ratio": Unit.RATIO, "_share": Unit.RATE}


@dataclass(frozen=True)
class Definition:
    """A number's name, its meaning in the mart's words, and where it stands."""

    name: str
    text: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows as text, under the columns' headings.

    `most` rows are shown; a sentence counts the rest. `by_month`: a line per number, which is shown
    whole, and on a phone as a block with the months under its name.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    most: int = 400
    by_month: bool = False

    @cached_property
    def shown(self) -> list[list[str]]:
        return [[cell(value) for value in row] for row in self.rows[: self.most]]

    @property
    def is_long(self) -> bool:
        """Whether it stands in a box that scrolls, and says so; every other one is whole."""
        return not self.by_month and len(self.shown) > WHOLE_ROWS

    @property
    def heading(self) -> str:
        if not self.is_long:
            return self.caption
        return f"{self.caption} ({wording.number(len(self.shown))} rows; the box scrolls)"

    @property
    def rest(self) -> str:
        left = len(self.rows) - self.most
        return f"{wording.number(left)} further rows are in the mart." if left > 0 else ""

    @cached_property
    def numeric(self) -> list[bool]:
        """For each column, whether it holds numbers, which stand to the right."""
        return [
            any(is_number(row[place]) for row in self.rows) for place in range(len(self.columns))
        ]


@dataclass(frozen=True)
class Amount:
    """A number with the unit in which it is written."""

    value: wording.Number | None
    unit: Unit = Unit.COUNT

    def __str__(self) -> str:
        return "" if self.value is None else wording.number(self.value, self.unit)


class Signed(Amount):
    """A change, with its sign."""

    def __str__(self) -> str:
        if self.value is None:
            return ""
        return f"{'+' if self.value > 0 else ''}{wording.number(self.value, self.unit)}"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A finding in words with the chart that shows it, its table and its definitions.

    Attributes:
        title: The finding, computed.
        caption: How to read the chart: what bars, colours and gaps are.
    """

    name: ChartName
    title: str
    caption: str
    chart: alt.Chart | alt.LayerChart | alt.FacetChart
    table: Table
    definitions: Sequence[Definition]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A finding that a sentence says better than a chart, with a table where it has rows."""

    title: str
    text: str = ""
    table: Table | None = None
    definitions: Sequence[Definition] = ()
    names_people: bool = False


@dataclass(frozen=True)
class Absent:
    """What cannot be shown, and what to do about it."""

    text: str


Part = Figure | Statement | Absent


@dataclass(frozen=True)
class Section:
    """One question of the page and its parts."""

    name: str
    title: str
    parts: Sequence[Part] = field(default_factory=list)


def is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal | Amount) and not isinstance(value, bool)


def cell(value: object) -> str:
    """A value as a reader expects it; null is an empty cell."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float() | Decimal():
            return wording.number(value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case date():
            return value.isoformat()
        case _:
            return str(value)


def amount(column: str, value: object) -> object:
    """The value of a mart's column, in the unit that the column's name ends with."""
    if not is_number(value) or isinstance(value, Amount):
        return value
    unit = next((unit for end, unit in UNITS.items() if column.endswith(end)), None)
    if unit is None:
        unit = Unit.COUNT if isinstance(value, int) else Unit.RATIO
    return Amount(value, unit)  # type: ignore[arg-type]


def heading(column: str) -> str:
    """A mart's column as a table's heading."""
    name = column
    for end in (*UNITS, "_date", "_count"):
        name = name.removesuffix(end)
    return OF_A_BOARD.get(column) or wording.label(name)


OF_A_BOARD = {
    "active_seats": "Seats in use",
    "inactive_seats": "Seats not used",
    "new_seats": "Seats given anew",
    "roster_seats": "Seats on the member list",
    "privileged_seats": "Seats with special rights",
    "active_users": "People active in the month",
    "active_user_days": "Days of work with Claude, of all people",
    "new_users": "People new to Claude",
    "retained_users": "People who stayed",
    "resurrected_users": "People who came back",
    "churned_users": "People who stopped",
    "frequent_users": "People on most working days",
    "adoption_rate": "Share of seats used in the month",
    "retention_rate": "Share of last month's people who stayed",
    "stickiness_rate": "Stickiness of the month: share of its people on a mean day of it",
    "spend_usd": "Metered spend",
    "discount_usd": "Discount on it",
    "discount_rate": "Discount as a share of the list price",
    "list_price_usd": "The same at list price",
    "spend_without_person_usd": "Metered spend of nobody known",
    "spending_users": "People with metered spend",
    "spend_per_active_user_usd": "Metered spend per active person",
    "spend_per_active_day_usd": "Metered spend per person and day",
    "seat_fees_per_active_user_usd": "Seat fees per active person",
    "seat_fees_per_active_day_usd": "Seat fees per person and day",
    "top_tenth_spend_rate": "Share of the tenth who spend most",
    "cache_read_rate": "Share of input read from cache",
}
"""Column of a monthly mart -> what a board calls it."""
