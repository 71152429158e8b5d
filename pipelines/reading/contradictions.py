"""Sentences of ours that cannot both be true: neither is told, and that is said instead.

Each one names the facts that its two sentences rest on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.reading import wording
from pipelines.reading.asked_once import asked_once
from pipelines.warehouse.base import Reading


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """Two sentences, the facts that they rest on, and what is not told where they collide.

    Attributes:
        facts: Mart -> the columns of it that are compared.
        query: One row, `people`: of how many both are said.
        text: What is told instead, after their number.
        silences: Headlines that rest on one of them.
    """

    name: str
    facts: Mapping[str, Sequence[str]]
    query: str
    text: str
    silences: Sequence[str] = ()


CONTRADICTIONS = (
    Contradiction(
        name="more people are active than would keep a seat",
        facts={
            "seat_recommendations": ("recommendation",),
            "seats": ("seat_status", "left_date", "as_of_date"),
            "active_users_daily": ("activity_date", "reported_monthly_active_users"),
        },
        # People who left count among those who were active in 30 days.
        query="""
            with

            reported as (
                select reported_monthly_active_users as active from active_users_daily
                where reported_monthly_active_users is not null
                order by activity_date desc
                limit 1
            ),

            kept as (
                select count(*) as seats from seat_recommendations
                where recommendation <> 'reclaim'
            ),

            reclaimed as (
                select count(*) as seats from seat_recommendations
                where recommendation = 'reclaim'
            ),

            others as (
                select count(*) as people from seats where seat_status in ('removed', 'invited')
            )

            select
                case
                    when reclaimed.seats > 0
                        and reported.active > kept.seats + others.people + 2
                        then reported.active - kept.seats
                    else 0
                end as people
            from reported
            cross join kept
            cross join reclaimed
            cross join others
        """,
        text=(
            "more are reported active in 30 days than would keep a seat: days of people are "
            "missing or wrong, so nothing is said of idle seats."
        ),
        silences=("reclaimable",),
    ),
    Contradiction(
        name="idle and used",
        facts={
            "dormant_accounts": ("user_id", "as_of_date"),
            "spend_daily": ("user_id", "activity_date", "spend_usd"),
        },
        query="""
            select count(distinct dormant_accounts.user_id) as people
            from dormant_accounts
            inner join spend_daily
                on dormant_accounts.user_id = spend_daily.user_id
                    and spend_daily.activity_date > dormant_accounts.as_of_date - 30
                    and spend_daily.spend_usd > 0
            where coalesce(dormant_accounts.days_since_active, 30) >= 30
        """,
        text="spent in the last 30 days and count as idle: nothing is said of idle seats.",
        silences=("reclaimable",),
    ),
    Contradiction(
        name="idle and active",
        facts={
            "dormant_accounts": ("user_id", "as_of_date", "dormant_since_date"),
            "user_activity_daily": ("user_id", "activity_date", "is_active"),
        },
        query="""
            select count(distinct dormant_accounts.user_id) as people
            from dormant_accounts
            inner join user_activity_daily
                on dormant_accounts.user_id = user_activity_daily.user_id
                    and user_activity_daily.is_active
                    and user_activity_daily.activity_date > dormant_accounts.dormant_since_date
        """,
        text="were active since and count as idle: nothing is said of idle seats.",
        silences=("reclaimable",),
    ),
    Contradiction(
        name="left and still holding a seat that is recommended to keep",
        facts={
            "seats": ("user_id", "seat_status"),
            "seat_recommendations": ("user_id",),
        },
        query="""
            select count(distinct seats.user_id) as people
            from seats
            inner join seat_recommendations on seats.user_id = seat_recommendations.user_id
            where seats.seat_status in ('removed', 'invited')
        """,
        text="hold no seat and are in the recommendations about seats: nothing is said of them.",
        silences=("reclaimable",),
    ),
    Contradiction(
        name="removed and in a group",
        facts={
            "roster_periods": ("user_id", "valid_until_date", "rbac_group_ids"),
            "seats": ("user_id", "seat_status"),
        },
        query="""
            select count(distinct seats.user_id) as people
            from seats
            inner join roster_periods on seats.user_id = roster_periods.user_id
            where seats.seat_status = 'removed'
                and roster_periods.valid_until_date is null
                and roster_periods.rbac_group_ids is not null
        """,
        text="count as removed and are in the roster: the lists contradict each other.",
    ),
)


@dataclass(frozen=True)
class Found:
    """A contradiction of the published marts."""

    contradiction: Contradiction
    people: int

    @property
    def text(self) -> str:
        who = wording.plural(self.people, "person", "people")
        return f"Contradiction: {who}: {self.contradiction.text}"


@asked_once
def contradictions(served: Reading) -> list[Found]:
    """Those that the published marts have."""
    found = []
    for each in CONTRADICTIONS:
        if all(served.has(mart, *columns) for mart, columns in each.facts.items()):
            row = served.row(each.query)
            if row and row["people"]:
                found.append(Found(each, row["people"]))
    return found
