"""The few numbers that people ask for first, each with the change on the period before."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.reading import wording
from pipelines.reading.asked_once import asked_once
from pipelines.reading.contradictions import contradictions
from pipelines.reading.wording import Number, Unit
from pipelines.warehouse.base import Reading

WEEK, MONTH = 7, 30


@dataclass(frozen=True, kw_only=True)
class Headline:
    """One number: what it is, what it was, and where it comes from.

    Attributes:
        as_of: Day or month that the number belongs to, in words.
        than: What `before` was measured in: `the week before`.
        note: What a reader has to know besides, for example that a month is not final.
        at: The day, or the month's first one, that `as_of` says in words.
    """

    name: str
    label: str
    unit: Unit
    mart: str
    column: str
    definition: str
    value: Number
    before: Number | None
    as_of: str
    than: str
    note: str = ""
    at: date | None = None

    @property
    def text(self) -> str:
        return wording.number(self.value, self.unit, short=True)

    @property
    def change(self) -> str | None:
        return wording.change(self.value, self.before, self.unit, self.than)

    @property
    def arrow(self) -> str:
        return wording.arrow(self.value, self.before) if self.change else ""


@dataclass(frozen=True, kw_only=True)
class Daily:
    """A number that a mart has for each day.

    Attributes:
        value: Expression of the number; `window` is the mart, ordered by day, as a window.
        columns: Columns that it needs; the first one is its definition.
        days_before: How far back the change is measured, wherever the number is told.
        meaning: What the number is of the one that the mart describes.
    """

    name: str
    label: str
    unit: Unit
    mart: str
    columns: tuple[str, ...]
    value: str
    days_before: int
    meaning: str = ""


DAILY = (
    Daily(
        name="monthly_active",
        label="people active in 30 days",
        unit=Unit.COUNT,
        mart="active_users_daily",
        columns=("reported_monthly_active_users", "computed_monthly_active_users"),
        value="coalesce(reported_monthly_active_users, computed_monthly_active_users)",
        days_before=MONTH,
    ),
    Daily(
        name="weekly_active",
        label="people active in 7 days",
        unit=Unit.COUNT,
        mart="active_users_daily",
        columns=("reported_weekly_active_users", "computed_weekly_active_users"),
        value="coalesce(reported_weekly_active_users, computed_weekly_active_users)",
        days_before=WEEK,
    ),
    Daily(
        name="utilization",
        label="of seats used in 30 days",
        unit=Unit.RATE,
        mart="seat_utilization_daily",
        columns=("monthly_utilization_rate",),
        value="monthly_utilization_rate",
        days_before=MONTH,
    ),
    Daily(
        name="stickiness",
        label="of monthly users, weekly mean",
        unit=Unit.RATE,
        mart="active_users_daily",
        columns=("stickiness_rate",),
        value="""
            case
                when count(stickiness_rate) over last_7_days = 7
                    then avg(stickiness_rate) over last_7_days
            end
        """,
        days_before=WEEK,
        meaning="The mean of the 7 days that end then. Of a day:",
    ),
)

DAILY_QUERY = """
    with

    days as (
        select activity_date, {value} as value
        from {mart}
        window last_7_days as (
            order by activity_date
            range between interval '6 days' preceding and current row
        )
    ),

    newest as (
        select * from days where value is not null order by activity_date desc limit 1
    )

    select newest.value, earlier.value as before, newest.activity_date as as_of
    from newest
    left join days as earlier
        on earlier.activity_date = newest.activity_date - cast($days_before as integer)
"""

THAN = {WEEK: "the week before", MONTH: "30 days before"}
"""Days -> what a change over them is measured in."""

BILL_QUERY = """
    with

    months as (
        select
            month,
            cast(sum(billed_usd) as decimal(38, 8)) as value,
            min(covered_days) as covered_days,
            bool_and(is_settled) as is_settled,
            -- A month without a line of seats, beside others with one: no seat of it is known.
            bool_or(billed_usd is null) or (
                count(*) filter (where cost_pool = 'seats') = 0
                and exists (
                    select 1 from chargeback_reconciliation_monthly where cost_pool = 'seats'
                )
            ) as is_partly_unknown,
            cast(
                extract(day from month + interval '1 month' - interval '1 day') as bigint
            ) as days_in_month
        from chargeback_reconciliation_monthly
        group by month
        having count(billed_usd) > 0
    ),

    newest as (
        select * from months
        order by covered_days >= days_in_month desc, month desc
        limit 1
    )

    select
        newest.*,
        earlier.month as month_before,
        case
            when newest.covered_days >= newest.days_in_month
                and earlier.covered_days >= earlier.days_in_month
                and not newest.is_partly_unknown
                and not earlier.is_partly_unknown
                then earlier.value
        end as before
    from newest
    left join months as earlier on earlier.month = newest.month - interval '1 month'
"""


@asked_once
def headlines(served: Reading) -> dict[str, Headline]:
    """Name -> headline, for every number that the published marts know.

    Page, chat and `status` tell the same change of one, on the same period before.
    """
    found = [
        *(_daily(served, each) for each in DAILY),
        _bill(served),
        _cost_per_active_user(served),
        _reclaimable(served),
        _completeness(served),
    ]
    # Of two sentences that cannot both be true, neither is told.
    silent = {name for each in contradictions(served) for name in each.contradiction.silences}
    return {each.name: each for each in found if each and each.name not in silent}


def _daily(served: Reading, wanted: Daily) -> Headline | None:
    if not served.has(wanted.mart, "activity_date", *wanted.columns):
        return None
    row = served.row(
        DAILY_QUERY.format(value=wanted.value, mart=wanted.mart),
        days_before=wanted.days_before,
    )
    if not row:
        return None
    return Headline(
        name=wanted.name,
        label=wanted.label,
        unit=wanted.unit,
        mart=wanted.mart,
        column=wanted.columns[0],
        definition=f"{wanted.meaning} {served.definition(wanted.mart, wanted.columns[0])}".strip(),
        value=row["value"],
        before=row["before"],
        as_of=wording.day(row["as_of"]),
        than=THAN[wanted.days_before],
        at=row["as_of"],
    )


def _bill(served: Reading) -> Headline | None:
    mart = "chargeback_reconciliation_monthly"
    if not served.has(mart, "month", "cost_pool", "billed_usd", "covered_days", "is_settled"):
        return None
    row = served.row(BILL_QUERY)
    if not row:
        return None
    return Headline(
        name="bill",
        label=f"cost of {wording.month(row['month'])}",
        unit=Unit.USD,
        mart=mart,
        column="billed_usd",
        definition=served.definition(mart, "billed_usd"),
        value=row["value"],
        before=row["before"],
        as_of=wording.month(row["month"]),
        than=f"{row['month_before']:%B}" if row["month_before"] else "the month before",
        note=month_note(row),
        at=row["month"],
    )


def month_note(row: dict[str, Any]) -> str:
    """What is not final about a month of the bill."""
    if row["is_partly_unknown"]:
        return "without seat fees, which are unknown"
    if row["covered_days"] < row["days_in_month"]:
        return f"{row['covered_days']} of {row['days_in_month']} days are loaded"
    return "" if row["is_settled"] else "not final yet"


UNIT_COSTS = {
    "spend_per_active_user_usd": "metered spend",
    "seat_fees_per_active_user_usd": "seat fees",
}


def _cost_per_active_user(served: Reading) -> Headline | None:
    """Metered spend and seat fees together where both are known, else the one that is."""
    mart = "unit_economics_monthly"
    if not served.has(mart, "month", *UNIT_COSTS):
        return None
    known = served.row(f"select {', '.join(f'count({c}) as {c}' for c in UNIT_COSTS)} from {mart}")
    columns = [column for column in UNIT_COSTS if known and known[column]]
    if not columns:
        return None
    row = served.row(
        f"""
        with

        months as (
            select month, {" + ".join(columns)} as value from {mart}
        )

        select newest.month, newest.value, earlier.value as before
        from months as newest
        left join months as earlier on earlier.month = newest.month - interval '1 month'
        where newest.value is not null
        order by newest.month desc
        limit 1
        """
    )
    if not row:
        return None
    return Headline(
        name="cost_per_active_user",
        label=f"per active person in {row['month']:%B}",
        unit=Unit.USD,
        mart=mart,
        column=" + ".join(columns),
        definition=" ".join(served.definition(mart, column) for column in columns),
        value=row["value"],
        before=row["before"],
        as_of=wording.month(row["month"]),
        than="the month before",
        note="" if len(columns) > 1 else f"{UNIT_COSTS[columns[0]]} only",
    )


RECLAIMABLE = "seat_status in ('dormant', 'never_active')"


def reclaimable(served: Reading) -> tuple[str, str] | None:
    """The mart and the condition that name the seats to reclaim; null if no mart does.

    The recommendations leave out who is exempt, so they win over the plain seat status.
    """
    if served.has("seat_recommendations", "user_id", "recommendation"):
        return "seat_recommendations", "recommendation = 'reclaim'"
    if served.has("seats", "user_id", "seat_status", "seat_cost_usd_per_month"):
        return "seats", RECLAIMABLE
    return None


def saving_column(served: Reading, mart: str) -> str:
    """The column with what a seat to reclaim would save in a month, or a null."""
    names = ("monthly_saving_usd", "saving_usd_per_month", "saving_usd", "seat_cost_usd_per_month")
    return served.first_column(mart, *names) or "null"


def unknown_seats(served: Reading) -> int:
    """Seats of which nobody knows whether they stand idle, because a day is not loaded."""
    if not served.has("seats", "seat_status"):
        return 0
    row = served.row("select count(*) as seats from seats where seat_status = 'unknown'")
    return int(row["seats"]) if row else 0


def _reclaimable(served: Reading) -> Headline | None:
    source = reclaimable(served)
    if not source:
        return None
    mart, condition = source
    row = served.row(
        f"""
        select
            count(*) filter (where {condition}) as value,
            cast(sum({saving_column(served, mart)}) filter (where {condition}) as decimal(38, 8))
                as saving_usd,
            count(*) as people
        from {mart}
        """
    )
    if not row or not row["people"] or (not row["value"] and unknown_seats(served)):
        return None
    saving = row["saving_usd"]
    column = "recommendation" if mart == "seat_recommendations" else "seat_status"
    return Headline(
        name="reclaimable",
        label="seat to reclaim" if row["value"] == 1 else "seats to reclaim",
        unit=Unit.COUNT,
        mart=mart,
        column=column,
        definition=served.definition(mart, column),
        value=row["value"],
        before=None,
        as_of="now",
        than="",
        note=f"{wording.number(saving, Unit.USD, short=True)} a month" if saving else "",
    )


LOADED = ("loaded", "empty")


@dataclass(frozen=True)
class CoveredDay:
    """How a day of an endpoint stands; `unavailable`: the organisation does not have it."""

    endpoint: str
    day: date
    status: str

    @property
    def is_loaded(self) -> bool:
        return self.status in LOADED


def coverage(served: Reading) -> list[CoveredDay]:
    """Each endpoint's days in order, from the first one that is loaded; none where the mart is not
    published."""
    mart, columns = "data_coverage_daily", ("endpoint", "activity_date", "status")
    if not served.has(mart, *columns, "endpoint_outcome"):
        return []
    found: list[CoveredDay] = []
    begun: set[str] = set()
    rows = served.query(
        f"select {', '.join(columns)}, endpoint_outcome from {mart} order by 1, 2"
    ).fetchall()
    for endpoint, day, status, outcome in rows:
        if status in LOADED or outcome != "ok":
            begun.add(endpoint)
        if endpoint in begun:
            is_offered = status in LOADED or (outcome or "unavailable") != "unavailable"
            found.append(CoveredDay(endpoint, day, status if is_offered else "unavailable"))
    return found


def _completeness(served: Reading) -> Headline | None:
    mart = "data_coverage_daily"
    days = [day for day in coverage(served) if day.status != "unavailable"]
    loaded = [day for day in days if day.is_loaded]
    if not loaded:
        return None
    newest = wording.day(max(each.day for each in loaded))
    missing, value = len(days) - len(loaded), len(loaded) / len(days)
    # 99.96% must not be shown as complete.
    value = min(value, 0.99) if missing else value
    return Headline(
        name="completeness",
        label="of the days are loaded",
        unit=Unit.RATE,
        mart=mart,
        column="status",
        definition=served.definition(mart, "status"),
        value=value,
        before=None,
        as_of=newest,
        than="",
        note=wording.plural(missing, "endpoint day is missing", "endpoint days are missing")
        if missing
        else f"up to {newest}",
    )
