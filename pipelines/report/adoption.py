"""Adoption: who uses Claude, how often, and with which product."""

from collections.abc import Sequence

from pipelines.reading import wording
from pipelines.reading.wording import Unit
from pipelines.report import ChartName, charts
from pipelines.report.context import (
    MOST_BARS,
    REBUILD,
    Context,
    begins,
    calendar,
    day_fields,
    definitions,
    months,
    needs,
    rate_text,
    trimmed,
)
from pipelines.report.parts import Absent, Amount, Figure, Part, Statement, Table
from pipelines.warehouse.base import Row


def _largest_difference(rows: Sequence[Row], one: str, other: str) -> int | None:
    found = [
        abs(row[one] - row[other])
        for row in rows
        if row[one] is not None and row[other] is not None
    ]
    return max(found, default=None)


def active_people(context: Context) -> list[Part]:
    """Daily, weekly and monthly active people, reported beside computed."""
    served, mart = context.served, "active_users_daily"
    windows = {"daily": "on the day", "weekly": "in 7 days", "monthly": "in 30 days"}
    columns = [
        f"{by}_{window}_active_users" for by in ("reported", "computed") for window in windows
    ]
    absent = needs(served, "Active people", mart, "activity_date", *columns)
    if absent:
        return absent
    rows = trimmed(calendar(served, mart, columns), columns)
    if not rows:
        return [Absent("Active people: no day is known yet. Run claude-warehouse sync.")]
    has_reported = any(row["reported_monthly_active_users"] is not None for row in rows)
    main, beside = ("reported", "computed") if has_reported else ("computed", "reported")
    values = [
        {
            **day_fields(row["activity_date"]),
            **{window: row[f"{main}_{window}_active_users"] for window in windows},
            **{f"{window}_beside": row[f"{beside}_{window}_active_users"] for window in windows},
            **{
                f"{window}_text": _beside_text(
                    row[f"reported_{window}_active_users"], row[f"computed_{window}_active_users"]
                )
                for window in windows
            },
        }
        for row in rows
    ]

    def newest(window: str) -> str:
        known = [value[window] for value in values if value[window] is not None]
        return wording.number(known[-1]) if known else ""

    title = "Active people"
    weekdays = sorted(
        value["daily"]
        for row, value in zip(rows[-28:], values[-28:], strict=True)
        if row["activity_date"].weekday() < 5 and value["daily"] is not None
    )
    if weekdays:
        usual = wording.plural(weekdays[len(weekdays) // 2], "person comes", "people come")
        title = (
            f"{usual} on a usual weekday, {newest('weekly')} in a week, "
            f"{newest('monthly')} in 30 days"
        )
    difference = _largest_difference(
        rows, "reported_monthly_active_users", "computed_monthly_active_users"
    )
    compared = ""
    if difference is not None:
        compared = " Dashed: the same, computed from the loaded user rows; " + (
            "both agree on every day."
            if difference == 0
            else "over 30 days they differ by at most "
            f"{wording.plural(difference, 'person', 'people')}."
        )
    source = "as the API reports them" if has_reported else "computed from the loaded user rows"
    return [
        Figure(
            name=ChartName.ACTIVE_PEOPLE,
            title=title,
            caption=(
                f"People active in 30 days and in 7 days, {source}; bars: on the day itself."
                f"{compared} Days that are not known are left out, not drawn as zero."
            ),
            chart=charts.lines(
                values,
                {
                    "monthly": ("in 30 days", charts.C1, newest("monthly")),
                    "weekly": ("in 7 days", charts.C3, newest("weekly")),
                },
                bars=("daily", charts.SOFT),
                dashed={"monthly_beside": charts.C1, "weekly_beside": charts.C3}
                if has_reported
                else {},
                tooltip={
                    "title": "title",
                    "daily_text": "On the day",
                    "weekly_text": "In 7 days",
                    "monthly_text": "In 30 days",
                },
            ),
            table=Table(
                caption="Active people by day, newest first",
                columns=[
                    "Day",
                    *(
                        f"{by} {text}"
                        for text in windows.values()
                        for by in ("Reported", "Computed")
                    ),
                ],
                rows=[
                    [
                        row["activity_date"],
                        *(
                            row[f"{by}_{window}_active_users"]
                            for window in windows
                            for by in ("reported", "computed")
                        ),
                    ]
                    for row in reversed(rows)
                ],
            ),
            definitions=definitions(
                served,
                mart,
                {
                    f"{by}_{window}_active_users": f"{by.capitalize()}, {text}"
                    for window, text in windows.items()
                    for by in ("reported", "computed")
                },
            ),
        )
    ]


def _beside_text(reported: int | None, computed: int | None) -> str:
    if reported is None and computed is None:
        return "not known"
    if reported is None:
        return f"{wording.number(computed)} computed"
    if computed is None:
        return f"{wording.number(reported)} reported"
    if reported == computed:
        return wording.number(reported)
    return f"{wording.number(reported)} reported, {wording.number(computed)} computed"


def stickiness(context: Context) -> list[Part]:
    """How much of the monthly users an average day brings."""
    served, mart = context.served, "active_users_daily"
    headline = context.headlines.get("stickiness")
    if not headline:
        return []  # The part above says what is missing, or less than a week is loaded.
    rows = calendar(served, mart, ["stickiness_rate"])
    for place, row in enumerate(rows):
        week = [each["stickiness_rate"] for each in rows[max(place - 6, 0) : place + 1]]
        is_whole = len(week) == 7 and None not in week
        row["rate"] = sum(week) / 7 if is_whole else None
    rows = trimmed(rows, ["rate"])
    start = charts.start_of(rows, ["rate"])
    values = [
        {
            **day_fields(row["activity_date"]),
            "rate": row["rate"],
            "text": rate_text(row["rate"]),
            "on_the_day": rate_text(row["stickiness_rate"]),
        }
        for row in rows
    ]
    moved = f": {headline.change}" if headline.change else ""
    return [
        Figure(
            name=ChartName.STICKINESS,
            title=f"A mean day of the week brings {headline.text} of the monthly users{moved}",
            caption=(
                "Stickiness: people active on a day ÷ in 30 days, the mean of the 7 days that end "
                f"on each day, weekends included.{begins(start)}"
            ),
            chart=charts.lines(
                values,
                {"rate": ("", charts.C1, headline.text)},
                start=start,
                number_format="%",
                height=150,
                tooltip={"title": "title", "text": "Mean of 7 days", "on_the_day": "On the day"},
            ),
            table=Table(
                caption="Stickiness by day, newest first",
                columns=["Day", "Mean of 7 days", "On the day"],
                rows=[
                    [
                        row["activity_date"],
                        Amount(row["rate"], Unit.RATE),
                        Amount(row["stickiness_rate"], Unit.RATE),
                    ]
                    for row in reversed(rows)
                ],
            ),
            definitions=definitions(served, mart, {"stickiness_rate": "Stickiness of a day"}),
        )
    ]


def products(context: Context) -> list[Part]:
    """How many people each product reaches."""
    served, mart = context.served, "product_active_users_daily"
    windows = ("daily", "weekly", "monthly")
    columns = [
        f"{by}_{window}_active_users" for by in ("reported", "computed") for window in windows
    ]
    absent = needs(
        served, "Products", mart, "activity_date", "product", "monthly_window_days", *columns
    )
    if absent:
        return absent
    rows = served.rows(
        f"""
        with

        known as (
            select
                *,
                coalesce(reported_monthly_active_users, computed_monthly_active_users) as people
            from {mart}
        )

        select * from known
        where activity_date = (select max(activity_date) from known where people > 0)
            and people is not null
        order by people desc, product
        """
    )
    if not rows:
        return [Absent("Products: no product has a known number of active people yet.")]
    everyone = context.headlines.get("monthly_active")
    whole = int(everyone.value) if everyone and everyone.value else None

    def share(people: int) -> str:
        return f" ({wording.number(people / whole, Unit.RATE)})" if whole else ""

    values = [
        {
            "title": wording.label(row["product"]),
            "name": wording.label(row["product"]),
            "value": row["people"],
            "tick": row["computed_monthly_active_users"],
            "text": f"{wording.number(row['people'])}{share(row['people'])}",
            "monthly": _beside_text(
                row["reported_monthly_active_users"], row["computed_monthly_active_users"]
            ),
            "weekly": _beside_text(
                row["reported_weekly_active_users"], row["computed_weekly_active_users"]
            ),
            "window": f"{row['monthly_window_days']} days",
        }
        for row in rows
    ]
    first, *others = rows
    title = f"{wording.label(first['product'])} reaches {wording.number(first['people'])} people"
    if whole:
        title = (
            f"{wording.label(first['product'])} reaches "
            f"{wording.number(first['people'] / whole, Unit.RATE)} of the active people"
        )
        if others:
            title += (
                f", {wording.label(others[0]['product'])} "
                f"{wording.number(others[0]['people'] / whole, Unit.RATE)}"
            )
    shorter = [wording.label(row["product"]) for row in rows if row["monthly_window_days"] != 30]
    note = f" {wording.listed(shorter)}: 28 days." if shorter else ""
    return [
        Figure(
            name=ChartName.PRODUCTS,
            title=title,
            caption=(
                f"People active in 30 days by product on {wording.day(rows[0]['activity_date'])}, "
                "as the API reports them; the mark is the number computed from the user rows. Most "
                f"people use several products, so the bars do not add up.{note}"
            ),
            chart=charts.bars(
                values,
                tick=True,
                tooltip={
                    "title": "title",
                    "monthly": "People in the window",
                    "weekly": "People in 7 days",
                    "window": "Window",
                },
            ),
            table=Table(
                caption="Active people by product",
                columns=[
                    "Product",
                    "Days",
                    *(
                        f"{by} {text}"
                        for text in ("in the window", "in 7 days")
                        for by in ("Reported", "Computed")
                    ),
                ],
                rows=[
                    [
                        wording.label(row["product"]),
                        row["monthly_window_days"],
                        row["reported_monthly_active_users"],
                        row["computed_monthly_active_users"],
                        row["reported_weekly_active_users"],
                        row["computed_weekly_active_users"],
                    ]
                    for row in rows
                ],
            ),
            definitions=definitions(
                served,
                mart,
                {
                    "product": "Product",
                    "reported_monthly_active_users": "Reported people",
                    "computed_monthly_active_users": "Computed people",
                },
            ),
        )
    ]


NO_DEPARTMENT = ("Unmapped", "Other")
"""What stands in the place of a department, and so leads no ranking of them."""
GROWTH = {
    "retained_users": ("Stayed", charts.SOFT, 1),
    "resurrected_users": ("Came back", charts.C3, 2),
    "new_users": ("New", charts.C1, 3),
    "churned_users": ("Stopped", charts.C2, 4),
}


def growth(context: Context) -> list[Part]:
    """Who is new, who stayed, who came back and who stopped."""
    served, mart = context.served, "growth_monthly"
    absent = needs(served, "Growth", mart, "month", "active_users", *GROWTH)
    if absent:
        return absent
    months = served.rows(
        f"select * from {mart} where active_users is not null order by month desc limit 12"
    )[::-1]
    if not any(row["new_users"] is not None for row in months):
        return [
            Absent(
                "Growth: who is new and who came back is known from the second month on "
                "that is loaded whole."
            )
        ]
    values = [
        {
            "title": wording.month(row["month"]),
            "month": f"{row['month']:%b %y}",
            "kind": name,
            "value": -row[column] if column == "churned_users" else row[column],
            "text": wording.plural(row[column], "person", "people"),
            "order": order,
        }
        for row in months
        for column, (name, _, order) in GROWTH.items()
        if row[column] is not None
    ]
    newest = months[-1]
    month = wording.month(newest["month"])
    active = wording.plural(newest["active_users"], "person was", "people were")
    title = f"In {month} {active} active"
    if newest["new_users"] is not None and newest["churned_users"] is not None:
        started = wording.plural(newest["new_users"], "person", "people")
        stopped = wording.number(newest["churned_users"])
        title = f"In {month} {started} started with Claude and {stopped} stopped"
    compared = sum(row["new_users"] is not None for row in months)
    if compared < 2:
        text = "A chart follows with the second month that can be compared with the one before."
        return [Statement(title=title, text=text)]
    return [
        Figure(
            name=ChartName.GROWTH,
            title=title,
            caption=(
                "Above zero: who was active in the month. Below: who was active in the month "
                "before and not in this one. Months that are not loaded whole are left out."
            ),
            chart=charts.growth(
                values,
                colours={name: colour for name, colour, _ in GROWTH.values()},
                tooltip={"title": "title", "kind": "Who", "text": "How many"},
            ),
            table=Table(
                caption="Growth by month, newest first",
                columns=["Month", "Active", *(name for name, _, _ in GROWTH.values())],
                rows=[
                    [wording.month(row["month"]), row["active_users"], *(row[c] for c in GROWTH)]
                    for row in reversed(months)
                ],
            ),
            definitions=definitions(
                served, mart, {column: name for column, (name, _, _) in GROWTH.items()}
            ),
        )
    ]


def teams(context: Context) -> list[Part]:
    """Adoption by department; small departments are one row in the mart already."""
    served, mart = context.served, "team_adoption_monthly"
    absent = needs(served, "Adoption by department", mart, "month", "department")
    if absent:
        return absent
    rate = served.first_column(mart, "adoption_rate", "active_rate")
    people = served.first_column(mart, "active_users", "active_user_count")
    if not rate or not people:
        return [Absent(f"Adoption by department: the mart {mart} has no rate yet. {REBUILD}")]
    rows = served.rows(
        f"""
        select department, month, {rate} as rate, {people} as people
        from {mart}
        where month = (select max(month) from {mart} where {rate} is not null)
            and {rate} is not null
        order by rate desc, department
        """
    )
    if not rows:
        return [
            Absent(
                "Adoption by department: known from the first month on that is loaded whole, with "
                "its member roster; it needs an org chart too."
            )
        ]
    values = [
        {
            "title": row["department"],
            "name": row["department"],
            "value": row["rate"],
            "text": wording.number(row["rate"], Unit.RATE),
            "people": wording.number(row["people"]),
        }
        for row in rows[: 2 * MOST_BARS]
    ]
    month = wording.month(rows[0]["month"])
    named = [row for row in rows if row["department"] not in NO_DEPARTMENT] or rows
    title = f"{named[0]['department']} used Claude most in {month}"
    if len(named) > 1:
        title = (
            f"{named[0]['department']} leads with {wording.number(named[0]['rate'], Unit.RATE)} of "
            f"its people in {month}; {named[-1]['department']} has "
            f"{wording.number(named[-1]['rate'], Unit.RATE)}"
        )
    return [
        Figure(
            name=ChartName.TEAMS,
            title=title,
            caption=f"Share of each department's people who were active in {month}.",
            chart=charts.bars(
                values, tooltip={"title": "title", "text": "Adoption", "people": "Active people"}
            ),
            table=Table(
                caption=f"Adoption by department in {month}",
                columns=["Department", "Adoption", "Active people"],
                rows=[
                    [row["department"], Amount(row["rate"], Unit.RATE), row["people"]]
                    for row in rows
                ],
            ),
            definitions=definitions(served, mart, {rate: "Adoption", people: "Active people"}),
        )
    ]


def governance(context: Context) -> list[Part]:
    """The board's page of numbers."""
    return months(
        context, "adoption_governance_monthly", "Governance", "The board's numbers, month by month"
    )
