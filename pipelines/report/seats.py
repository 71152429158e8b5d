"""Seats: how many are used, in which state they are, which could be given to others."""

from pipelines.reading import wording
from pipelines.reading.headlines import reclaimable, saving_column, unknown_seats
from pipelines.reading.wording import Unit
from pipelines.report import ChartName, charts
from pipelines.report.context import (
    REBUILD,
    Context,
    begins,
    calendar,
    day_fields,
    definitions,
    needs,
    public,
    rate_text,
    trimmed,
)
from pipelines.report.parts import Absent, Amount, Figure, Part, Statement, Table


def seat_utilization(context: Context) -> list[Part]:
    """How many of the seats are used."""
    served, mart = context.served, "seat_utilization_daily"
    columns = ["monthly_utilization_rate", "weekly_utilization_rate", "assigned_seats"]
    absent = needs(served, "Use of seats", mart, "activity_date", "pending_invites", *columns)
    if absent:
        return absent
    rows = trimmed(calendar(served, mart, [*columns, "pending_invites"]), columns)
    if not rows:
        return [Absent("Use of seats: the API gave no seat counts yet.")]
    values = [
        {
            **day_fields(row["activity_date"]),
            "monthly": row["monthly_utilization_rate"],
            "weekly": row["weekly_utilization_rate"],
            "monthly_text": rate_text(row["monthly_utilization_rate"]),
            "weekly_text": rate_text(row["weekly_utilization_rate"]),
            "seats": "not known"
            if row["assigned_seats"] is None
            else wording.number(row["assigned_seats"]),
        }
        for row in rows
    ]
    start = charts.start_of(rows, columns[:2])
    seats = next((row for row in reversed(rows) if row["assigned_seats"] is not None), None)
    headline = context.headlines.get("utilization")
    title = "Use of seats"
    if headline and seats:
        title = (
            f"{headline.text} of {wording.plural(seats['assigned_seats'], 'seat')} were used "
            f"in the 30 days to {headline.as_of}"
        )
    invites = seats["pending_invites"] if seats else None

    def newest(column: str) -> str:
        known = [value[column] for value in values if value[column] is not None]
        return wording.number(known[-1], Unit.RATE) if known else ""

    return [
        Figure(
            name=ChartName.SEAT_UTILIZATION,
            title=title,
            caption=(
                "Reported active people ÷ assigned seats. People who left count in the 30 days, so "
                f"it may exceed 100%.{begins(start)}"
                + (
                    f" {wording.plural(invites, 'invitation is', 'invitations are')} open."
                    if invites
                    else ""
                )
            ),
            chart=charts.lines(
                values,
                {
                    "monthly": ("in 30 days", charts.C1, newest("monthly")),
                    "weekly": ("in 7 days", charts.C3, newest("weekly")),
                },
                start=start,
                number_format="%",
                height=180,
                tooltip={
                    "title": "title",
                    "monthly_text": "Used in 30 days",
                    "weekly_text": "Used in 7 days",
                    "seats": "Assigned seats",
                },
            ),
            table=Table(
                caption="Use of seats by day, newest first",
                columns=["Day", "Assigned seats", "Used in 30 days", "Used in 7 days"],
                rows=[
                    [
                        row["activity_date"],
                        row["assigned_seats"],
                        Amount(row["monthly_utilization_rate"], Unit.RATE),
                        Amount(row["weekly_utilization_rate"], Unit.RATE),
                    ]
                    for row in reversed(rows)
                ],
            ),
            definitions=definitions(
                served,
                mart,
                {
                    "assigned_seats": "Assigned seats",
                    "monthly_utilization_rate": "Used in 30 days",
                    "weekly_utilization_rate": "Used in 7 days",
                },
            ),
        )
    ]


SEAT_STATUSES = {
    "active": charts.C1,
    "new": charts.C3,
    "invited": charts.SOFT,
    "dormant": charts.C2,
    "never_active": charts.C2,
    "unknown": charts.SOFT,
    "removed": charts.SOFT,
}


def seat_status(context: Context) -> list[Part]:
    """How many seats are in which state."""
    served, mart = context.served, "seats"
    absent = needs(served, "Seats by status", mart, "seat_status", "as_of_date")
    if absent:
        return absent
    rows = served.rows(
        f"""
        select seat_status, count(*) as people, max(as_of_date) as as_of_date
        from {context.of(mart)} group by seat_status order by people desc
        """
    )
    if not rows:
        return [Absent("Seats by status: nobody is known yet. Run claude-warehouse sync.")]
    rows.sort(key=lambda row: [*SEAT_STATUSES, row["seat_status"]].index(row["seat_status"]))
    held = {row["seat_status"]: row["people"] for row in rows}
    whole = sum(people for status, people in held.items() if status not in ("removed", "invited"))
    values = [
        {
            "title": wording.label(row["seat_status"]),
            "name": wording.label(row["seat_status"]),
            "value": row["people"],
            "kind": row["seat_status"],
            "text": wording.number(row["people"]),
        }
        for row in rows
    ]
    idle = held.get("dormant", 0) + held.get("never_active", 0)
    people = wording.plural(whole, "person", "people")
    title = f"{wording.number(held.get('active', 0))} of {people} with a seat are active"
    if idle:
        title += f", {wording.number(idle)} {'is' if idle == 1 else 'are'} not"
    return [
        Figure(
            name=ChartName.SEAT_STATUS,
            title=title,
            caption=f"People by the state of their seat on {wording.day(rows[0]['as_of_date'])}.",
            chart=charts.bars(
                values,
                colours=SEAT_STATUSES,
                has_legend=False,
                tooltip={"title": "title", "text": "People"},
            ),
            table=Table(
                caption="People by seat status",
                columns=["Status", "People"],
                rows=[[wording.label(row["seat_status"]), row["people"]] for row in rows],
            ),
            definitions=definitions(served, mart, {"seat_status": "Seat status"}),
        )
    ]


def reclaim(context: Context) -> list[Part]:
    """Which seats could be given to somebody else, and what that would save."""
    served = context.served
    source = reclaimable(served)
    headline = context.headlines.get("reclaimable")
    if not source:
        return [Absent(f"Seats to reclaim: the mart seats is not published yet. {REBUILD}")]
    if not headline and (unknown := unknown_seats(served)):
        seats = wording.plural(unknown, "seat")
        return [Absent(f"Of {seats} it is not known whether they stand idle: days are missing.")]
    if not headline:
        return []
    mart, condition = source
    saving = saving_column(served, mart)
    # A recommendation's own reason has a person's dates in it.
    reason = served.first_column(mart, "seat_status")
    rows = served.rows(
        f"""
        select
            {reason or "'not used'"} as why,
            count(*) as seats,
            cast(sum({saving}) as decimal(38, 8)) as saving_usd
        from {context.of(mart)}
        where {condition}
        group by why
        order by seats desc, why
        """
    )
    has_saving = any(row["saving_usd"] is not None for row in rows)
    text = "Nothing is ever taken away by this tool; it only says where to look."
    if not has_saving and rows:
        text += " What they cost is known once seat prices are configured."
    if not context.with_people and rows:
        text += " Who holds them is in the mart, and in a report made with --with-people."
    if headline.value:
        title = f"{headline.text} {'seat' if headline.value == 1 else 'seats'} could be reclaimed"
        title += f", which would save {headline.note}" if headline.note else ""
    else:
        title = "No seat stands idle"
    parts: list[Part] = [
        Statement(
            title=title,
            text=text,
            table=Table(
                caption="Seats to reclaim by reason",
                columns=["Why", "Seats", *(["Saving a month"] if has_saving else [])],
                rows=[
                    [
                        wording.label(public(context, row["why"])),
                        row["seats"],
                        *([Amount(row["saving_usd"], Unit.USD)] if has_saving else []),
                    ]
                    for row in rows
                ],
            )
            if rows
            else None,
            definitions=definitions(
                served, mart, {headline.column: wording.label(headline.column)}
            ),
        )
    ]
    if context.with_people and rows:
        parts.append(_people_to_reclaim(context, mart, condition, saving))
    return parts


def downgrade(context: Context) -> list[Part]:
    """Which seats could be cheaper ones, and what that would save."""
    served, mart = context.served, "seat_recommendations"
    if not served.has(mart, "recommendation", "seat_tier", "monthly_saving_usd", "reason"):
        return []
    tiers = served.rows(
        f"""
        select
            seat_tier,
            count(*) as seats,
            count(*) filter (where recommendation = 'downgrade') as cheaper,
            cast(sum(monthly_saving_usd) filter (where recommendation = 'downgrade')
                as decimal(38, 8)) as saving_usd
        from {context.of(mart)}
        group by seat_tier
        order by cheaper desc, seats desc, seat_tier
        """
    )
    if len(tiers) < 2:
        return []  # With one tier there is no cheaper one.
    cheaper = sum(row["cheaper"] for row in tiers)
    saving = sum(row["saving_usd"] or 0 for row in tiers)
    title = "Every seat of a dearer tier is used enough for it"
    if cheaper:
        title = f"{wording.plural(cheaper, 'seat')} could be made cheaper"
        if saving:
            title += f", which would save {wording.number(saving, Unit.USD, short=True)} a month"
    parts: list[Part] = [
        Statement(
            title=title,
            text="A seat of a dearer tier whose holder comes on few days: see [seats] "
            "downgrade_active_days.",
            table=Table(
                caption="Seats by tier",
                columns=["Tier", "Seats", "Could be cheaper", "Saving a month"],
                rows=[
                    [
                        wording.label(row["seat_tier"]),
                        row["seats"],
                        row["cheaper"],
                        Amount(row["saving_usd"], Unit.USD),
                    ]
                    for row in tiers
                ],
            ),
            definitions=definitions(served, mart, {"recommendation": "Recommendation"}),
        )
    ]
    if context.with_people and cheaper:
        people = served.rows(
            f"""
            select name, email, department, seat_tier, active_days_in_28, monthly_saving_usd
            from {context.of(mart)}
            where recommendation = 'downgrade'
            order by monthly_saving_usd desc nulls last, user_id
            """
        )
        parts.append(
            Statement(
                title="Who holds a seat that could be cheaper",
                names_people=True,
                table=Table(
                    caption="Holders of seats that could be cheaper",
                    columns=[
                        "Name",
                        "E-mail",
                        "Department",
                        "Tier",
                        "Active days of 28",
                        "Saving a month",
                    ],
                    rows=[
                        [*list(row.values())[:-1], Amount(row["monthly_saving_usd"], Unit.USD)]
                        for row in people
                    ],
                    most=500,
                ),
            )
        )
    return parts


def _people_to_reclaim(context: Context, mart: str, condition: str, saving: str) -> Statement:
    served = context.served
    wanted = {
        "name": "Name",
        "email": "E-mail",
        "department": "Department",
        "last_active_date": "Last active",
        "seat_status": "Status",
    }
    columns = [column for column in wanted if served.has("seats", column)]
    why = "reason" if served.has(mart, "reason") else "null"
    people = served.rows(
        f"""
        with

        idle as (
            select user_id, {why} as reason, {saving} as saving_usd
            from {context.of(mart)} where {condition}
        )

        select {", ".join(f"seats.{column}" for column in columns)}, idle.reason, idle.saving_usd
        from idle
        inner join seats on idle.user_id = seats.user_id
        order by seats.last_active_date nulls first, seats.user_id
        """
    )
    return Statement(
        title="Who holds them, idle for longest first",
        names_people=True,
        table=Table(
            caption="Holders of the seats to reclaim",
            columns=[
                *(wanted[column] for column in columns),
                *([] if why == "null" else ["Why"]),
                "Saving a month",
            ],
            rows=[
                [
                    *(
                        wording.label(row[column]) if column == "seat_status" else row[column]
                        for column in columns
                    ),
                    *([] if why == "null" else [row["reason"]]),
                    Amount(row["saving_usd"], Unit.USD),
                ]
                for row in people
            ],
            most=500,
        ),
    )
