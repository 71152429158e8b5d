"""Writes a month's charges, or the billing periods, as a file of FOCUS, and metadata beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.files.export import WRITERS, months_of, no_such_month
from pipelines.files.outputs import replaced
from pipelines.files.rows import Rows
from pipelines.focus.columns import CUSTOM, NEWEST, columns_of
from pipelines.focus.metadata import METADATA, entry, with_entry
from pipelines.warehouse.base import Reading, Warehouse, identifier
from sources.errors import ForeseenError

CHARGES = "focus_cost_and_usage"
PERIODS = "focus_billing_periods"
OLDER_NAMES = {"ProviderName": "ServiceProviderName", "PublisherName": "ServiceProviderName"}
"""Column of an older version -> the column of the mart that has what it says."""
ORDER = (
    "ChargePeriodStart", "ServiceName", "ResourceId", "SkuId", "SkuPriceId", "SubAccountId",
    "ChargeDescription", "ListUnitPrice", "x_CostType", "x_TokenType",
    "BilledCost",
)  # fmt: skip
ALIKE = {
    "ContractedCost": "BilledCost",
    "EffectiveCost": "BilledCost",
    "PricingCurrencyEffectiveCost": "BilledCost",
    "PricingCurrencyContractedUnitPrice": "ContractedUnitPrice",
    "PricingCurrencyListUnitPrice": "ListUnitPrice",
    "x_ActorId": "ResourceId",
}
"""Column -> the one whose values it has where nobody prepays, and all is priced in one currency."""
SQL_TYPES = {"decimal": "decimal(38, 8)", "price": "decimal(38, 12)", "moment": "timestamp"}


@dataclass
class Written:
    """What an export wrote.

    Attributes:
        notes: Sentences about what is not in the file, or may change.
    """

    row_count: int
    notes: list[str] = field(default_factory=list)


def refuse_unknown_columns(wanted: Sequence[str], version: str) -> None:
    """See that each is a column of the version, or one of our own.

    Raises:
        ForeseenError: One is not.
    """
    known = {column.name for column in columns_of(version)}
    odd = [name for name in wanted if name not in known and not name.startswith(CUSTOM)]
    if odd:
        raise ForeseenError(
            f"FOCUS {version} has no column {', '.join(odd)}.\n"
            "--columns takes names of that version and ours that begin with x_, with commas.\n"
            f"It has: {', '.join(sorted(known))}."
        )


def export_charges(
    warehouse: Warehouse,
    month: date,
    form: str,
    file: Path,
    *,
    version: str = NEWEST,
    columns: Sequence[str] = (),
) -> Written:
    """Write the month's charges in the version's columns, or in those asked for.

    Raises:
        ForeseenError: Nothing is published, the month is not in it, nobody knows whose bill it is,
            a column is not there, or the file cannot be written.
    """
    refuse_unknown_columns(columns, version)
    with warehouse.serve(though_empty=True) as marts:
        known = months_of(marts, CHARGES, "BillingPeriodStart")
        if month not in known:
            raise no_such_month("focus", month, known, warehouse.served_place)
        _refuse_without_account(marts, month)
        there = marts.columns[CHARGES]
        names = list(columns) or [
            *(column.name for column in columns_of(version)),
            *sorted(name for name in there if name.startswith(CUSTOM)),
        ]
        if absent := [name for name in names if name.startswith(CUSTOM) and name not in there]:
            raise ForeseenError(
                f"There is no column {', '.join(absent)} in {CHARGES}.\n"
                "--columns takes names of FOCUS, and of ours that begin with x_.\n"
                f"Ours are: {', '.join(sorted(name for name in there if name[:2] == CUSTOM))}."
            )
        kinds = {column.name: column.kind for column in columns_of(version)}
        start, after = month, (month.replace(day=28) + timedelta(days=4)).replace(day=1)
        rows = Rows(
            marts,
            {name: _value(name, kinds, there) for name in names},
            f"from {CHARGES} where BillingPeriodStart >= cast($month as timestamp)"
            " and BillingPeriodStart < cast($month as timestamp) + interval '1 month'",
            order=[name for name in ORDER if name in there],
            alike=ALIKE,
            month=start,
        )
        with replaced(file, "The focus export") as part:
            schema = WRITERS[form](rows, part)
        days = _days(marts, start, after)
        written = Written(known[month], _notes(marts, month, days))
        new = entry(
            file=file,
            dataset="CostAndUsage",
            focus_version=version,
            schema=schema,
            row_count=known[month],
            month=month,
            days=days,
            PricedByAmount=_priced_by_amount(marts, month),
            Notes=written.notes,
        )
    with replaced(file.parent / METADATA, "The metadata") as part:
        part.write_text(with_entry(file.parent / METADATA, new), encoding="utf-8")
    return written


def export_periods(warehouse: Warehouse, form: str, file: Path) -> Written:
    """Write the dataset BillingPeriod: every month with charges, open or closed.

    Raises:
        ForeseenError: Nothing is published, or the file cannot be written.
    """
    with warehouse.serve(though_empty=True) as marts:
        known = months_of(marts, PERIODS, "BillingPeriodStart")
        if not known:
            raise ForeseenError(
                f"There are no billing periods in {warehouse.served_place}.\n"
                "A month is there once a day of its cost or its seats is loaded.\n"
                "Run: claude-warehouse sync"
            )
        values = {name: identifier(name) for name in marts.columns[PERIODS]}
        rows = Rows(marts, values, f"from {PERIODS}", order=["BillingPeriodStart"])
        with replaced(file, "The focus-periods export") as part:
            schema = WRITERS[form](rows, part)
        count = sum(known.values())
        new = entry(
            file=file,
            dataset="BillingPeriod",
            focus_version=NEWEST,
            schema=schema,
            row_count=count,
        )
    with replaced(file.parent / METADATA, "The metadata") as part:
        part.write_text(with_entry(file.parent / METADATA, new), encoding="utf-8")
    return Written(count)


def _value(name: str, kinds: dict[str, str], there: dict[str, Any]) -> str:
    source = name if name in there else OLDER_NAMES.get(name, name)
    if source in there:
        return identifier(source)
    return f"cast(null as {SQL_TYPES.get(kinds.get(name, 'text'), 'varchar')})"


def _refuse_without_account(marts: Reading, month: date) -> None:
    row = marts.row(
        f"select count(*) as nameless from {CHARGES} where BillingAccountId is null"
        " and cast(BillingPeriodStart as date) = $month",
        month=month,
    )
    if row and row["nameless"]:
        raise ForeseenError(
            f"The charges of {month:%Y-%m} were not written: whose bill they are is not known.\n"
            "FOCUS wants the organisation's id, as the API gives it, and no answer that is loaded "
            "has named it.\n"
            "Set SOURCES__CLAUDE_ADMIN__API_KEY (or the key of the activity feed), then run: "
            "claude-warehouse sync"
        )


def _days(marts: Reading, start: date, after: date) -> list[dict[str, Any]]:
    """Each day of the month as its cost is loaded."""
    rows = marts.rows(
        """
        select activity_date, min(status) as status, bool_and(is_settled) as is_settled
        from data_coverage_daily
        where endpoint in ('costs', 'user_cost_reports') and status in ('loaded', 'empty')
            and activity_date >= $first and activity_date < $after
        group by activity_date
        """,
        first=start,
        after=after,
    )
    known = {row["activity_date"]: row for row in rows}
    found = []
    for number in range((after - start).days):
        day = start + timedelta(days=number)
        row = known.get(day)
        found.append(
            {
                "Date": day.isoformat(),
                "Status": row["status"] if row else "missing",
                "IsSettled": bool(row and row["is_settled"]),
            }
        )
    return found


def _notes(marts: Reading, month: date, days: Sequence[dict[str, Any]]) -> list[str]:
    notes = []
    missing = [day["Date"] for day in days if day["Status"] == "missing"]
    if missing:
        notes.append(
            f"{month:%Y-%m} is not whole: cost of {len(missing)} of its {len(days)} days is not "
            f"loaded ({missing[0]} to {missing[-1]})."
        )
    unknown = marts.rows(
        "select cost_pool, note from chargeback_reconciliation_monthly"
        " where month = $month and billed_usd is null order by cost_pool",
        month=month,
    )
    for row in unknown:
        reason = f": {row['note']}" if row["note"] else ""
        notes.append(f"The cost of {row['cost_pool']} is not known and not in the file{reason}.")
    return notes


def _priced_by_amount(marts: Reading, month: date) -> int:
    """Charges of which the API says an amount, and no quantity that its price is of."""
    row = marts.row(
        f"select count(*) as found from {CHARGES} where PricingUnit = 'Dollars'"
        " and cast(BillingPeriodStart as date) = $month",
        month=month,
    )
    return int(row["found"]) if row else 0
