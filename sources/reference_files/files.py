"""The reference files as a table; edit this file to add one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sources.reference_files.cells import (
    CODE,
    DATE,
    DEPARTMENT,
    EMAIL,
    MONTH,
    NAME,
    PERCENTAGE,
    TEXT,
    USD,
    VENDOR,
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
        instead_of: Another column; every row has a value in one of the two, and only in one.
        allowed: Another column -> what this one may be beside each of its values; nothing: blank.
    """

    type: CellType = TEXT
    optional: bool = False
    filled: bool = False
    minimum: int | None = None
    not_before: str | None = None
    names: str | None = None
    instead_of: str | None = None
    allowed: tuple[str, Mapping[str, Collection[str]]] | None = None


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
        example: Cells of a row that shows what the columns are for, in their order; it stands in
            the file that `init` writes, and is no data.
        whole: What the rows together have to be.
    """

    table: str
    grain: str
    columns: dict[str, Column]
    key: tuple[str, ...]
    example: tuple[str, ...]
    whole: Whole | None = None

    @property
    def example_name(self) -> tuple[str, str]:
        """The column and cell by which the example is known: nobody and nothing is called so."""
        cells = zip(self.columns, self.example, strict=True)
        return next((name, cell) for name, cell in cells if cell.lower().startswith("example"))


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
        example=(f"example {noun}", "approved", "IT", "2026-01-31"),
    )


SPLITS = ("proportional", "even", "fixed", "none")
POLICIES = {
    "metered": ("direct", *SPLITS),
    "seats": ("seats", "active_days", "messages", *SPLITS, "direct"),
    "shared": SPLITS,
}
"""Cost pool -> how it may be split; of seats, `direct` means `seats`."""

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
        example=(
            "example.person@example.com",
            "Example department",
            "00420",
            "example.manager@example.com",
            "2026-01-01",
            "default",
            "",
        ),
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
        example=("example tier", "60.00", "2026-01-01"),
    ),
    ReferenceFile(
        table="fixed_shares",
        grain="One row per cost pool, department and cost center that bears a fixed part of it.",
        columns={
            "cost_pool": Column(type=one_of(*POLICIES), filled=True),
            "department": DEPARTMENTS,
            "cost_center": COST_CENTERS,
            "percentage": Column(type=PERCENTAGE, filled=True, minimum=0),
        },
        key=("cost_pool", "department", "cost_center"),
        example=("shared", "Example department", "00420", "100"),
        whole=Whole(column="percentage", within="cost_pool", total=100),
    ),
    ReferenceFile(
        table="chargeback_policies",
        grain="One row per cost pool and date from which its policy applies (null: always).",
        columns={
            "cost_pool": Column(type=one_of(*POLICIES), filled=True),
            "policy": Column(
                type=one_of(*dict.fromkeys(word for words in POLICIES.values() for word in words)),
                filled=True,
                allowed=("cost_pool", POLICIES),
            ),
            "usd_per_month": Column(
                type=USD,
                optional=True,
                minimum=0,
                allowed=("cost_pool", {"metered": (), "shared": ()}),
            ),
            "valid_from": Column(type=DATE),
            "note": Column(optional=True),
        },
        key=("cost_pool", "valid_from"),
        example=("shared", "even", "", "2026-01-01", "example of a policy"),
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
        example=("example group", "00420", "Example department", "1"),
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
        example=("example.person@example.com", "on parental leave", "2026-12-31"),
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
        example=("example.person@example.com", "2026-01-31", "example.reviewer@example.com"),
    ),
    ReferenceFile(
        table="budgets",
        grain="One row per cost center and date from which its budget applies (null: always).",
        columns={
            "cost_center": Column(type=CODE, filled=True, names="cost center"),
            "usd_per_month": Column(type=USD, filled=True, minimum=0),
            "valid_from": Column(type=DATE),
        },
        key=("cost_center", "valid_from"),
        example=("example cost center", "2500.00", "2026-01-01"),
    ),
    ReferenceFile(
        table="holidays",
        grain="One row per day on which nobody is expected to work.",
        columns={
            "holiday_date": Column(type=DATE, filled=True),
            "name": Column(filled=True),
        },
        key=("holiday_date",),
        example=("2026-12-25", "example holiday"),
    ),
    ReferenceFile(
        table="other_assistants",
        grain="One row per assistant of another vendor, month or day, and account.",
        columns={
            "vendor": Column(type=VENDOR, filled=True, names="assistant"),
            "month": Column(type=MONTH, optional=True, instead_of="activity_date"),
            "activity_date": Column(type=DATE, optional=True),
            "email": Column(type=EMAIL, optional=True, instead_of="account_id"),
            "account_id": Column(optional=True),
            "message_count": Column(type=WHOLE_NUMBER, optional=True, minimum=0),
            "cost_usd": Column(type=USD, optional=True),
        },
        key=("vendor", "month", "activity_date", "email", "account_id"),
        example=("example vendor", "2026-01", "", "example.person@example.com", "", "120", "30.00"),
    ),
)

BY_TABLE = {file.table: file for file in FILES}
