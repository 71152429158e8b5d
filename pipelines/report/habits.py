"""Habits: who stays, on how many days people come, and which assistants they use."""

from pipelines.reading import wording
from pipelines.reading.wording import Unit
from pipelines.report import ChartName, charts
from pipelines.report.context import Context, definitions, needs
from pipelines.report.parts import Absent, Amount, Figure, Part, Table

OFTEN_DAYS = 15
"""Active days of a month from which somebody counts as a power user: about three of four working
days."""


def retention(context: Context) -> list[Part]:
    """How many of those who began in a month are still active in later ones."""
    served, mart = context.served, "retention_monthly"
    columns = ("first_active_month", "months_since", "cohort_users", "retained_users")
    absent = needs(served, "Retention", mart, *columns, "retention_rate")
    if absent:
        return absent
    rows = served.rows(
        f"""
        select * from {mart}
        where
            retention_rate is not null
            and first_active_month
            > (select max(first_active_month) from {mart}) - interval '12 months'
        order by first_active_month, months_since
        """
    )
    later = [row for row in rows if row["months_since"] > 0]
    if not later:
        return [
            Absent(
                "Retention: who stayed is known from the month on that follows one of which the "
                "newcomers are known; that takes three months that are loaded whole."
            )
        ]
    begun = {row["first_active_month"]: row["cohort_users"] for row in rows}
    values = [
        {
            "title": f"Began in {wording.month(row['first_active_month'])}, "
            f"{wording.plural(row['months_since'], 'month')} later",
            "name": f"{row['first_active_month']:%b %Y} "
            f"({wording.plural(row['cohort_users'], 'person', 'people')})",
            "place": row["months_since"],
            "value": row["retention_rate"],
            "text": wording.number(row["retention_rate"], Unit.RATE),
            "people": f"{wording.number(row['retained_users'])} of "
            f"{wording.number(row['cohort_users'])}",
        }
        for row in rows
    ]
    newest = max(later, key=lambda row: (row["months_since"] == 1, row["first_active_month"]))
    who = wording.plural(newest["cohort_users"], "person", "people")
    return [
        Figure(
            name=ChartName.RETENTION,
            title=(
                f"Of {who} who began in {wording.month(newest['first_active_month'])}, "
                f"{wording.number(newest['retained_users'])} were active "
                f"{wording.plural(newest['months_since'], 'month')} later"
            ),
            caption=(
                "A line per month in which people were first active in our data; a cell says which "
                "share of them was active so many months later. Months that are not loaded whole "
                "are left out."
            ),
            chart=charts.heat(
                values, title="Months later", tooltip={"title": "title", "people": "Active"}
            ),
            table=Table(
                caption="Retention by first-active month, newest first",
                columns=["Began in", "People", "Months later", "Still active", "Share"],
                rows=[
                    [
                        wording.month(row["first_active_month"]),
                        begun[row["first_active_month"]],
                        row["months_since"],
                        row["retained_users"],
                        Amount(row["retention_rate"], Unit.RATE),
                    ]
                    for row in sorted(
                        rows,
                        key=lambda row: (
                            -row["first_active_month"].toordinal(),
                            row["months_since"],
                        ),
                    )
                ],
            ),
            definitions=definitions(
                served, mart, {"cohort_users": "People", "retention_rate": "Share"}
            ),
        )
    ]


def active_days(context: Context) -> list[Part]:
    """On how many days of a month people come: the power users, and those who hardly do."""
    served, mart = context.served, "activity_frequency_monthly"
    absent = needs(
        served, "Power users", mart, "month", "active_days", "users", "user_rate_at_least"
    )
    if absent:
        return absent
    rows = served.rows(
        f"""
        select * from {mart}
        where month = (select max(month) from {mart} where users is not null)
        order by active_days
        """
    )
    if not rows:
        return [Absent("Power users: known from the first month on that is loaded whole.")]
    month = wording.month(rows[0]["month"])
    often = sum(row["users"] or 0 for row in rows if row["active_days"] >= OFTEN_DAYS)
    everyone = sum(row["users"] or 0 for row in rows)
    share = f" ({wording.number(often / everyone, Unit.RATE)})" if everyone else ""
    return [
        Figure(
            name=ChartName.ACTIVE_DAYS,
            title=(
                f"{wording.number(often)} of {wording.plural(everyone, 'person', 'people')}{share} "
                f"used Claude on {OFTEN_DAYS} days or more of {month}"
            ),
            caption=(
                f"Active people of {month} by the number of days on which they were active; in "
                f"colour: {OFTEN_DAYS} days or more."
            ),
            chart=charts.columns(
                [
                    {
                        "title": wording.plural(row["active_days"], "active day"),
                        "place": row["active_days"],
                        "value": row["users"],
                        "is_marked": row["active_days"] >= OFTEN_DAYS,
                        "text": wording.plural(row["users"] or 0, "person", "people"),
                        "least": wording.number(row["user_rate_at_least"], Unit.RATE),
                    }
                    for row in rows
                ],
                title="Active days in the month",
                tooltip={"title": "title", "text": "Who", "least": "So many days or more"},
            ),
            table=Table(
                caption=f"People by active days in {month}",
                columns=["Active days", "People", "Share", "Share on so many or more"],
                rows=[
                    [
                        row["active_days"],
                        row["users"],
                        Amount(row["user_rate"], Unit.RATE),
                        Amount(row["user_rate_at_least"], Unit.RATE),
                    ]
                    for row in rows
                ],
            ),
            definitions=definitions(
                served,
                mart,
                {"users": "People", "user_rate_at_least": "Share on so many or more"},
            ),
        )
    ]


def assistants(context: Context) -> list[Part]:
    """How many people each vendor's assistant has."""
    served, mart = context.served, "assistant_months"
    absent = needs(
        served, "Assistants", mart, "month", "vendor", "active_users", "message_count", "cost_usd"
    )
    if absent:
        return absent
    rows = served.rows(
        f"""
        select * from {mart}
        where month > (select max(month) from {mart}) - interval '12 months'
        order by month desc, active_users desc nulls last, vendor
        """
    )
    vendors = list(dict.fromkeys(row["vendor"] for row in rows))
    if len(vendors) < 2:
        return [
            Absent(
                "Other assistants: none is read. Langdock takes [sources.langdock], every other "
                "one the file [sources.reference_files] other_assistants."
            )
        ]
    # The newest month that all of them know, else the newest that one does.
    known = [row for row in rows if row["active_users"] is not None]
    if not known:
        return [Absent("Assistants: no month is known whole of any of them yet.")]
    counted = {
        month: sum(row["month"] == month for row in known) for month in {r["month"] for r in known}
    }
    month = max(counted, key=lambda month: (counted[month], month))
    shown = [row for row in known if row["month"] == month]
    each = wording.listed(
        [f"{wording.label(row['vendor'])} {wording.number(row['active_users'])}" for row in shown]
    )
    whole = _counted_once(context, month)
    title = f"People in {wording.month(month)}: {each}"
    if whole is not None:
        title = f"{wording.plural(whole, 'person', 'people')} used an assistant in "
        title += f"{wording.month(month)}: {each}"
    return [
        Figure(
            name=ChartName.ASSISTANTS,
            title=title,
            caption=(
                f"People active in {wording.month(month)} by assistant; who uses two is in both "
                "bars. What is not known is left out."
            ),
            chart=charts.bars(
                [
                    {
                        "title": wording.label(row["vendor"]),
                        "name": wording.label(row["vendor"]),
                        "value": row["active_users"],
                        "text": wording.number(row["active_users"]),
                        "messages": "not known"
                        if row["message_count"] is None
                        else wording.number(row["message_count"]),
                        "cost": "not known"
                        if row["cost_usd"] is None
                        else wording.number(row["cost_usd"], Unit.USD),
                    }
                    for row in shown
                ],
                tooltip={
                    "title": "title",
                    "text": "People",
                    "messages": "Messages",
                    "cost": "Cost",
                },
            ),
            table=Table(
                caption="Assistants by month, newest first",
                columns=["Month", "Assistant", "People", "Messages", "Cost"],
                rows=[
                    [
                        wording.month(row["month"]),
                        wording.label(row["vendor"]),
                        row["active_users"],
                        row["message_count"],
                        Amount(row["cost_usd"], Unit.USD),
                    ]
                    for row in rows
                ],
            ),
            definitions=definitions(
                served,
                mart,
                {"active_users": "People", "message_count": "Messages", "cost_usd": "Cost"},
            ),
        )
    ]


def _counted_once(context: Context, month: object) -> int | None:
    """People of any assistant in the month, where no vendor hides who they are."""
    mart = "assistant_active_users_monthly"
    if not context.served.has(mart, "month", "active_users"):
        return None
    row = context.served.row(
        f"select active_users from {mart} where month = cast($month as date)", month=month
    )
    return row["active_users"] if row else None
