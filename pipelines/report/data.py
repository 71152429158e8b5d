"""Data: which days are loaded, how the last run went, whether reported and computed agree."""

from datetime import date, timedelta

from pipelines.exit_codes import meaning
from pipelines.reading import wording
from pipelines.reading.headlines import CoveredDay
from pipelines.reading.headlines import coverage as covered_days
from pipelines.reading.wording import Unit
from pipelines.report import ChartName, charts
from pipelines.report.context import Context, definitions, needs
from pipelines.report.parts import Figure, Part, Signed, Statement, Table

DAYS_OF_DAILY_CELLS = 130
"""A longer calendar has a cell per week."""

COVERAGE_KINDS = {
    "loaded": ("Loaded", charts.C1),
    "empty": ("Empty", charts.SOFT),
    "missing": ("Missing", charts.C2),
    "lost": ("Lost", charts.ALERT),
    "unavailable": ("Not offered", charts.GRID),
}
WORST_FIRST = ("lost", "missing", "unavailable", "loaded", "empty")
COVERAGE_NOTE = (
    "Empty: the API answered, with no rows. Missing: will be asked for again. Lost: older than the "
    "API's window. Not offered: your organisation or key does not have it."
)


def coverage(context: Context) -> list[Part]:
    """Which days of which endpoint are loaded."""
    served, mart = context.served, "data_coverage_daily"
    absent = needs(
        served, "Loaded days", mart, "endpoint", "activity_date", "status", "endpoint_outcome"
    )
    if absent:
        return absent
    days = covered_days(served)
    spans = served.row(f"select min(activity_date) as a, max(activity_date) as b from {mart}")
    assert spans
    is_weekly = spans["b"] - spans["a"] > timedelta(days=DAYS_OF_DAILY_CELLS)
    cells: dict[tuple[str, date], list[CoveredDay]] = {}
    for each in days:
        start = each.day - timedelta(days=each.day.weekday() if is_weekly else 0)
        cells.setdefault((each.endpoint, start), []).append(each)
    # The worst state of a week is the week's.
    worst = {
        key: min((each.status for each in found), key=WORST_FIRST.index)
        for key, found in cells.items()
    }
    values = [
        {
            "day": day.isoformat(),
            "title": f"{wording.label(endpoint)}, "
            + (f"week from {wording.weekday(day)}" if is_weekly else wording.weekday(day)),
            "name": wording.label(endpoint),
            "kind": COVERAGE_KINDS[worst[endpoint, day]][0],
            "text": f"{sum(each.is_loaded for each in found)} of {len(found)} days loaded"
            if is_weekly
            else COVERAGE_KINDS[worst[endpoint, day]][0],
        }
        for (endpoint, day), found in cells.items()
    ]
    has_revisions = served.has(mart, "revision_count", "fetched_at", "is_settled")
    extra = (
        "cast(sum(revision_count) as bigint) as revisions, "
        "count(*) filter (where status = 'loaded' and not is_settled) as unsettled, "
        "max(fetched_at) as fetched_at,"
        if has_revisions
        else ""
    )
    endpoints = served.rows(
        f"""
        select
            endpoint,
            {extra}
            count(*) filter (where status = 'loaded') as loaded,
            count(*) filter (where status = 'empty') as empty,
            count(*) filter (where status = 'missing') as missing,
            count(*) filter (where status = 'lost') as lost,
            max(activity_date) filter (where status in ('loaded', 'empty')) as newest_date
        from {mart}
        group by endpoint
        order by endpoint
        """
    )
    kinds = set(worst.values())
    known = context.headlines.get("completeness")
    title = "Loaded days"
    if known:
        title = (
            f"All days are loaded, {known.note}"
            if "missing" not in known.note
            else f"{known.note[0].upper()}{known.note[1:]}"
        )
    revised = sum(row["revisions"] or 0 for row in endpoints) if has_revisions else 0
    revisions = ""
    if has_revisions:
        count = wording.plural(revised, "fetch", "fetches") if revised else "No fetch"
        revisions = f" {count} changed a day that was loaded before."
    cell = "week, in the colour of its worst day" if is_weekly else "day"
    fetched = ["revisions", "unsettled", "fetched_at"] if has_revisions else []
    headings = {
        "revisions": "Revisions",
        "unsettled": "May still change",
        "fetched_at": "Last fetched",
    }
    return [
        Figure(
            name=ChartName.COVERAGE,
            title=title,
            caption=(f"One cell per endpoint and {cell}. {COVERAGE_NOTE}{revisions}"),
            chart=charts.calendar(
                values,
                colours={
                    name: colour for kind, (name, colour) in COVERAGE_KINDS.items() if kind in kinds
                },
                tooltip={"title": "title", "text": "State"},
                is_weekly=is_weekly,
            ),
            table=Table(
                caption="Loaded days by endpoint",
                columns=[
                    "Endpoint",
                    "Newest day",
                    "Loaded",
                    "Empty",
                    "Missing",
                    "Lost",
                    *(headings[column] for column in fetched),
                ],
                rows=[
                    [
                        wording.label(row["endpoint"]),
                        row["newest_date"],
                        row["loaded"],
                        row["empty"],
                        row["missing"],
                        row["lost"],
                        *(row[column] for column in fetched),
                    ]
                    for row in endpoints
                ],
            ),
            definitions=definitions(
                served,
                mart,
                {
                    "status": "State of a day",
                    **(
                        {"revision_count": "Revisions", "is_settled": "Settled"}
                        if has_revisions
                        else {}
                    ),
                },
            ),
        )
    ]


REVISED_DAYS = 30


def revisions(context: Context) -> list[Part]:
    """Which days came with other rows after they were loaded, and what that moved."""
    served, mart = context.served, "day_revisions"
    columns = ("active_users_change", "message_count_change", "spend_usd_change")
    if not served.has(mart, "endpoint", "activity_date", "revised_at", "rows_changed", *columns):
        return []
    rows = served.rows(
        f"""
        select
            endpoint,
            count(*) as revisions,
            count(distinct activity_date) as days,
            cast(sum(rows_added) as bigint) as rows_added,
            cast(sum(rows_removed) as bigint) as rows_removed,
            cast(sum(rows_changed) as bigint) as rows_changed,
            cast(sum(active_users_change) as bigint) as active_users_change,
            cast(sum(message_count_change) as bigint) as message_count_change,
            cast(sum(spend_usd_change) as decimal(38, 8)) as spend_usd_change
        from {mart}
        where revised_at > (select max(revised_at) from {mart}) - interval '{REVISED_DAYS} days'
        group by endpoint
        order by days desc, endpoint
        """
    )
    if not rows:
        return []
    days = sum(row["days"] for row in rows)
    return [
        Statement(
            title=f"{wording.plural(days, 'endpoint day')} came with other rows than before",
            text=f"In the {REVISED_DAYS} days to the newest correction. The numbers above are the "
            "corrected ones; what each correction moved is in the mart.",
            table=Table(
                caption="Corrected days by endpoint",
                columns=[
                    "Endpoint",
                    "Days",
                    "Corrections",
                    "Rows added",
                    "Rows removed",
                    "Rows changed",
                    "Active people, summed over days",
                    "Messages",
                    "Cost",
                ],
                rows=[
                    [
                        wording.label(row["endpoint"]),
                        row["days"],
                        row["revisions"],
                        row["rows_added"],
                        row["rows_removed"],
                        row["rows_changed"],
                        Signed(row["active_users_change"]),
                        Signed(row["message_count_change"]),
                        Signed(row["spend_usd_change"], Unit.USD),
                    ]
                    for row in rows
                ],
            ),
            definitions=definitions(
                served,
                mart,
                {"active_users_change": "Active people", "spend_usd_change": "Cost"},
            ),
        )
    ]


def agreement(context: Context) -> list[Part]:
    """Where reported and computed numbers differ, and why."""
    served, mart = context.served, "metric_reconciliation_daily"
    absent = needs(
        served,
        "Reported against computed",
        mart,
        "metric",
        "reported",
        "computed",
        "difference",
        "reason",
    )
    if absent:
        return absent
    rows = served.rows(
        f"""
        select
            metric,
            count(difference) as days,
            count(*) filter (where difference != 0) as off_days,
            max(abs(difference)) as most,
            string_agg(distinct reason, ', ' order by reason)
                filter (where difference != 0) as reasons
        from {mart}
        group by metric
        having count(difference) > 0
        order by off_days desc, metric
        """
    )
    if not rows:
        return []
    off = [row for row in rows if row["off_days"]]
    title = (
        f"{wording.number(len(off))} of {wording.plural(len(rows), 'number')} that the API also "
        f"reports {'differs' if len(off) == 1 else 'differ'} from ours on some days"
        if off
        else "Every number that the API also reports agrees with ours"
    )
    return [
        Statement(
            title=title,
            text=f"The other {len(rows) - len(off)} agree on every day." if off else "",
            table=Table(
                caption="Reported against computed",
                columns=[
                    "Number",
                    "Days compared",
                    "Days that differ",
                    "Largest difference",
                    "Why",
                ],
                rows=[
                    [
                        wording.label(row["metric"]),
                        row["days"],
                        row["off_days"],
                        row["most"],
                        (row["reasons"] or "not known") if row["off_days"] else "",
                    ]
                    for row in off
                ],
            )
            if off
            else None,
            definitions=definitions(served, mart, {"difference": "Difference", "reason": "Why"}),
        )
    ]


def last_run(context: Context) -> list[Part]:
    """When the last run was, and how it ended; its messages stay in `status`."""
    run = context.last_run
    if not run:
        return []
    if run["exit_code"] is None:
        return [
            Statement(
                title="The last run has not ended",
                text=f"{run['command']} as of {run['run_at'][:10]} is under way, or was killed.",
            )
        ]
    problems = len(run["problems"])
    ended = run["ended_at"][:16].replace("T", " ")
    return [
        Statement(
            title=f"The last run ended as: {meaning(run['exit_code'])}",
            text=(
                f"{run['command']} as of {run['run_at'][:10]} ended {ended} UTC after "
                f"{run['seconds']:.0f} s: {wording.plural(run['days'], 'endpoint day')} with "
                f"{wording.plural(run['rows'], 'row')} in "
                f"{wording.plural(run['requests'], 'request')}."
                + (
                    f" {wording.plural(problems, 'problem')}: see claude-warehouse status."
                    if problems
                    else ""
                )
            ),
        )
    ]
