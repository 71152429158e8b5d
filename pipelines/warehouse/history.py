"""What a publication would take away from readers: the marts they have beside the marts to come."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.warehouse.base import MARTS_SCHEMA, Reading, identifier
from pipelines.warehouse.dbt import PROJECT

CALENDARS = (
    "activity_date",
    "event_date",
    "month",
    "ChargePeriodStart",
    "event_at",
)
"""Columns that say which day or month a row is of; a mart's calendar is the first that it has."""

FINDINGS = frozenset(
    {
        "dormant_accounts",
        "file_activity_outliers",
        "login_anomalies",
        "offboarding_check",
        "privilege_changes",
        "reference_file_matches",
        "seat_recommendations",
        "spend_forecast_monthly",
    }
)
"""Marts of what somebody should look at, or of what is not over: their rows come and go, and are
found again in others."""

BY_DEPARTMENT = frozenset({"chargeback_monthly", "team_adoption_monthly"})
"""Marts with as many rows a month as the reference files name departments, which may be put
together overnight."""

BILLS = frozenset(
    {"chargeback_monthly", "chargeback_reconciliation_monthly", "focus_cost_and_usage"}
)
"""Marts of what a close freezes, and of what is charged after it because of the close."""

MOST_LOST = 0.1
"""Share of a mart's days or months that may be gone, where an answer was revised."""
FEWEST_LEFT = 0.5
"""Share of a mart's rows that has to be left of the days which it still has."""
FEWEST_DAYS = 14
"""Of a mart by day; in a shorter one a revised answer may well move the beginning."""
FEWEST_COMPARED = 20
"""Rows; of fewer, half may well be gone overnight."""
MOST_NAMED = 8

Day = date | None


@dataclass(frozen=True, kw_only=True)
class History:
    """What marts hold.

    Attributes:
        rows: Mart -> day (or first day of the month) -> rows; without a calendar the day is None.
        known: Endpoint and day of what was fetched, empty or not.
        empty: Days that an endpoint answered with nothing.
        closed: Months that are closed.
    """

    rows: Mapping[str, Mapping[Day, int]]
    known: Collection[tuple[str, date]]
    empty: Collection[date]
    closed: Collection[date]


NOTHING = History(rows={}, known=(), empty=(), closed=())


def history(reading: Reading) -> History:
    """What the marts hold that can be read."""

    def asked(mart: str, needed: Sequence[str], query: str) -> list[tuple[object, ...]]:
        if not reading.has(mart, *needed):
            return []
        return reading.query(query.format(mart=_place(mart))).fetchall()  # type: ignore[no-any-return]

    rows: dict[str, Mapping[Day, int]] = {}
    for mart, names in reading.columns.items():
        calendar = next((name for name in CALENDARS if name in names), None)
        day = f"cast({identifier(calendar)} as date)" if calendar else "cast(null as date)"
        counts = reading.query(f"select {day}, count(*) from {_place(mart)} group by 1")
        rows[mart] = dict(counts.fetchall())
    coverage = asked(
        "data_coverage_daily",
        ("endpoint", "activity_date", "status"),
        "select endpoint, activity_date, status from {mart} where status in ('loaded', 'empty')",
    )
    closed = asked(
        "chargeback_reconciliation_monthly",
        ("month", "is_closed"),
        "select distinct month from {mart} where is_closed",
    )
    return History(
        rows=rows,
        known={(endpoint, day) for endpoint, day, _ in coverage},  # type: ignore[misc]
        empty={day for _, day, status in coverage if status == "empty"},  # type: ignore[misc]
        closed={month for (month,) in closed},  # type: ignore[misc]
    )


def _place(mart: str) -> str:
    return f"{MARTS_SCHEMA}.{identifier(mart)}"


def losses(before: History, now: History, opened: Collection[date] = ()) -> list[str]:
    """A line for everything that readers have and would have no more; `opened` are months whose
    close was undone."""
    found = []
    # What is later was perhaps read by a clock that was ahead; it is no history yet.
    newest: dict[str, date] = {}
    for endpoint, day in now.known:
        newest[endpoint] = max(day, newest.get(endpoint, day))
    unknown = sorted(
        day
        for endpoint, day in set(before.known) - set(now.known)
        if endpoint in newest and day < newest[endpoint]
    )
    if unknown:
        found.append(
            f"{len(unknown):,} days that endpoints were asked for are not known any more, "
            f"from {unknown[0]} to {unknown[-1]}"
        )
    if reopened := sorted(set(before.closed) - set(now.closed) - set(opened)):
        months = ", ".join(f"{month:%Y-%m}" for month in reopened)
        found.append(f"closed months that would be open: {months}")
    project = project_marts()
    # Where a close is undone, what was charged after the month because of it goes with it.
    reopened_from = min(set(before.closed) & set(opened) - set(now.closed), default=date.max)
    for mart, all_rows in sorted(before.rows.items()):
        rows = all_rows
        if mart in BILLS:
            rows = {day: count for day, count in rows.items() if day and day < reopened_from}
        if mart not in now.rows:
            # One that this version does not have was renamed or dropped on purpose.
            if mart in project:
                found.append(f"{mart} is gone")
        elif mart not in FINDINGS:
            left = now.rows[mart]
            loss = _lost_days(rows, left, before, now)
            if not loss and mart not in BY_DEPARTMENT:
                loss = _lost_rows(rows, left, before, now)
            if loss:
                found.append(f"{mart} {loss}")
    if len(found) > MOST_NAMED:
        found[MOST_NAMED - 1 :] = [f"and {len(found) - MOST_NAMED + 1} more"]
    return found


def _compared(rows: Mapping[Day, int], before: History, now: History) -> set[date]:
    """The days of a mart, without those which an endpoint answered with nothing since."""
    revised = set(now.empty) - set(before.empty)
    revised |= {day.replace(day=1) for day in revised}
    return {day for day in rows if day is not None} - revised


def _lost_days(
    rows: Mapping[Day, int], left: Mapping[Day, int], before: History, now: History
) -> str | None:
    days = _compared(rows, before, now)
    gone = days - left.keys()
    is_by_month = all(day.day == 1 for day in days)
    if gone and (is_by_month or len(days) >= FEWEST_DAYS):
        first = min((day for day in left if day is not None), default=None)
        earlier = not first or min(gone) < first
        if earlier or len(gone) > MOST_LOST * len(days):
            how = "has gaps"
            if earlier:
                how = f"begins {first} and not {min(days)}" if first else "is empty"
            what = "months" if is_by_month else "days"
            return f"{how}: {len(gone):,} of {len(days):,} {what} are gone"
    return None


def _lost_rows(
    rows: Mapping[Day, int], left: Mapping[Day, int], before: History, now: History
) -> str | None:
    compared: Collection[Day] = _compared(rows, before, now) or [None]
    had = sum(rows.get(day, 0) for day in compared)
    has = sum(left.get(day, 0) for day in compared)
    if had >= FEWEST_COMPARED and has < FEWEST_LEFT * had:
        return f"has {has:,} rows where it had {had:,}"
    return None


def has_data(marts: Reading) -> bool:
    """Whether any day is loaded in them."""
    if marts.has("data_coverage_daily", "status"):
        loaded = "select 1 from data_coverage_daily where status in ('loaded', 'empty') limit 1"
        return marts.row(loaded) is not None
    return any(marts.row(f"select 1 from {mart} limit 1") for mart in marts.columns)


def project_marts() -> set[str]:
    """The marts that this version builds."""
    return {file.stem for file in Path(PROJECT, "models", "marts").rglob("*.sql")}
