"""The reference files as a table; edit this file to add one."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CellType:
    """How a cell, which is text, becomes a value.

    Attributes:
        value: SQL that makes the value of a cell, or null if it is not written as it should be.
        form: How it should be written, for messages.
    """

    value: Callable[[str], str]
    form: str


# Whatever people type stays text: 00420 is a cost center, and not 420.
TEXT = CellType(value=lambda cell: cell, form="text")
# One form only: 01/02/2026 is two different days in two countries.
DATE = CellType(
    value=lambda cell: (
        rf"case when regexp_full_match({cell}, '\d{{4}}-\d\d-\d\d') "
        f"then try_cast({cell} as date) end"
    ),
    form="a date written as YYYY-MM-DD",
)
USD = CellType(
    value=lambda cell: f"try_cast({cell} as decimal(38, 8))",
    form="an amount of US dollars written as 60.00",
)
PERCENTAGE = CellType(
    value=lambda cell: f"try_cast({cell} as decimal(38, 8))",
    form="a percentage written as 12.5",
)
WHOLE_NUMBER = CellType(
    value=lambda cell: (
        rf"case when regexp_full_match({cell}, '-?\d+') then try_cast({cell} as bigint) end"
    ),
    form="a whole number",
)

APPROVALS = ("approved", "banned", "unreviewed")
APPROVAL = CellType(
    value=lambda cell: f"case when lower({cell}) in {APPROVALS} then lower({cell}) end",
    form="approved, banned or unreviewed",
)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a reference file.

    Attributes:
        type: What its cells hold.
        optional: The file may come without the column, which is null then.
        filled: Every row must have a value.
        minimum: Smallest value that is allowed.
        choices: The only values that are allowed; any, if there are none.
    """

    type: CellType = TEXT
    optional: bool = False
    filled: bool = False
    minimum: int | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A column whose values add up to the same number within each group of rows."""

    column: str
    within: str
    total: int


@dataclass(frozen=True, kw_only=True)
class ReferenceFile:
    """One CSV file and the raw table that it fills.

    Attributes:
        table: Raw table, dlt resource and setting.
        grain: What one row is.
        columns: The table's columns. A file may have them in another order.
        key: Columns that identify a row, without regard to case.
        whole: What the rows together have to be.
    """

    table: str
    grain: str
    columns: dict[str, Column]
    key: tuple[str, ...]
    whole: Whole | None = None


def approvals(table: str, noun: str) -> ReferenceFile:
    """A list of what is approved and what is banned."""
    return ReferenceFile(
        table=table,
        grain=f"One row per {noun} or pattern of names (`*` stands for any text).",
        columns={
            "name": Column(filled=True),
            "approval": Column(type=APPROVAL, filled=True),
            "owner": Column(optional=True),
            "reviewed_at": Column(type=DATE, optional=True),
        },
        key=("name",),
    )


FILES = (
    ReferenceFile(
        table="org_chart",
        grain="One row per person and date from which it applies (null: always).",
        columns={
            "email": Column(filled=True),
            "department": Column(filled=True),
            "cost_center": Column(),
            "manager_email": Column(),
            "valid_from": Column(type=DATE),
            "seat_tier": Column(optional=True),
            "end_date": Column(type=DATE, optional=True),
        },
        key=("email", "valid_from"),
    ),
    ReferenceFile(
        table="seat_prices",
        grain="One row per seat tier and date from which its price applies (null: always).",
        columns={
            "seat_tier": Column(filled=True),
            "usd_per_month": Column(type=USD, filled=True, minimum=0),
            "valid_from": Column(type=DATE),
        },
        key=("seat_tier", "valid_from"),
    ),
    ReferenceFile(
        table="fixed_shares",
        grain="One row per cost pool, department and cost center that bears a fixed part of it.",
        columns={
            "cost_pool": Column(filled=True, choices=("metered", "seats", "shared")),
            "department": Column(filled=True),
            "cost_center": Column(),
            "percentage": Column(type=PERCENTAGE, filled=True, minimum=0),
        },
        key=("cost_pool", "department", "cost_center"),
        whole=Whole(column="percentage", within="cost_pool", total=100),
    ),
    ReferenceFile(
        table="cost_center_groups",
        grain="One row per group that stands for a cost center; the lowest priority wins.",
        columns={
            "rbac_group": Column(filled=True),
            "cost_center": Column(),
            "department": Column(filled=True),
            "priority": Column(type=WHOLE_NUMBER, filled=True),
        },
        key=("rbac_group",),
    ),
    approvals("approved_connectors", "connector"),
    approvals("approved_skills", "skill"),
    approvals("approved_plugins", "plugin"),
    ReferenceFile(
        table="exempt_seats",
        grain="One row per person whose seat stays, whatever its use.",
        columns={
            "email": Column(filled=True),
            "reason": Column(optional=True),
            "exempt_until": Column(type=DATE, optional=True),
        },
        key=("email",),
    ),
    ReferenceFile(
        table="access_reviews",
        grain="One row per review of a person's access, or of everybody's (no e-mail).",
        columns={
            "email": Column(),
            "reviewed_at": Column(type=DATE, filled=True),
            "reviewer": Column(optional=True),
        },
        key=("email", "reviewed_at"),
    ),
)
