"""The reference files as a table; edit this file to add one."""

from dataclasses import dataclass

from sources.reference_files.cells import (
    CODE,
    DATE,
    DEPARTMENT,
    EMAIL,
    NAME,
    PERCENTAGE,
    TEXT,
    USD,
    WHOLE_NUMBER,
    CellType,
    one_of,
)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a reference file.

    Attributes:
        type: What its cells hold.
        optional: The file may come without the column, which is null then.
        filled: Every row must have a value.
        minimum: Smallest value that is allowed.
        not_before: Column of a day before which this one's cannot be.
        names: What its cells are names of; a name has one spelling in all files, its newest.
    """

    type: CellType = TEXT
    optional: bool = False
    filled: bool = False
    minimum: int | None = None
    not_before: str | None = None
    names: str | None = None


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A column whose values add up to the same number within each group of rows."""

    column: str
    within: str
    total: int


@dataclass(frozen=True, kw_only=True)
class ReferenceFile:
    """One file and the raw table that it fills.

    Attributes:
        table: Raw table, dlt resource and setting.
        grain: What one row is.
        columns: The table's columns. A file may have them in another order.
        key: Columns that identify a row, compared by their types' keys.
        whole: What the rows together have to be.
    """

    table: str
    grain: str
    columns: dict[str, Column]
    key: tuple[str, ...]
    whole: Whole | None = None


DEPARTMENTS = Column(type=DEPARTMENT, filled=True, names="department")
COST_CENTERS = Column(type=CODE, names="cost center")


def approvals(table: str, noun: str) -> ReferenceFile:
    """A list of what is approved and what is banned."""
    return ReferenceFile(
        table=table,
        grain=f"One row per {noun} or pattern of names (`*` stands for any text).",
        columns={
            "name": Column(type=NAME, filled=True),
            "approval": Column(type=one_of("approved", "banned", "unreviewed"), filled=True),
            "owner": Column(optional=True),
            "reviewed_at": Column(type=DATE, optional=True),
        },
        key=("name",),
    )


WORDS = {"seat tier": ("default",)}
"""Names that mean something to the transforms, in the spelling that they know."""

FILES = (
    ReferenceFile(
        table="org_chart",
        grain="One row per person and date from which it applies (null: always).",
        columns={
            "email": Column(type=EMAIL, filled=True),
            "department": DEPARTMENTS,
            "cost_center": COST_CENTERS,
            "manager_email": Column(type=EMAIL),
            "valid_from": Column(type=DATE),
            "seat_tier": Column(type=CODE, optional=True, names="seat tier"),
            "end_date": Column(type=DATE, optional=True, not_before="valid_from"),
        },
        key=("email", "valid_from"),
    ),
    ReferenceFile(
        table="seat_prices",
        grain="One row per seat tier and date from which its price applies (null: always).",
        columns={
            "seat_tier": Column(type=CODE, filled=True, names="seat tier"),
            "usd_per_month": Column(type=USD, filled=True, minimum=0),
            "valid_from": Column(type=DATE),
        },
        key=("seat_tier", "valid_from"),
    ),
    ReferenceFile(
        table="fixed_shares",
        grain="One row per cost pool, department and cost center that bears a fixed part of it.",
        columns={
            "cost_pool": Column(type=one_of("metered", "seats", "shared"), filled=True),
            "department": DEPARTMENTS,
            "cost_center": COST_CENTERS,
            "percentage": Column(type=PERCENTAGE, filled=True, minimum=0),
        },
        key=("cost_pool", "department", "cost_center"),
        whole=Whole(column="percentage", within="cost_pool", total=100),
    ),
    ReferenceFile(
        table="cost_center_groups",
        grain="One row per group that stands for a cost center; the lowest priority wins.",
        columns={
            "rbac_group": Column(type=NAME, filled=True),
            "cost_center": COST_CENTERS,
            "department": DEPARTMENTS,
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
            "email": Column(type=EMAIL, filled=True),
            "reason": Column(optional=True),
            "exempt_until": Column(type=DATE, optional=True),
        },
        key=("email",),
    ),
    ReferenceFile(
        table="access_reviews",
        grain="One row per review of a person's access, or of everybody's (no e-mail).",
        columns={
            "email": Column(type=EMAIL),
            "reviewed_at": Column(type=DATE, filled=True),
            "reviewer": Column(optional=True),
        },
        key=("email", "reviewed_at"),
    ),
)

BY_TABLE = {file.table: file for file in FILES}
