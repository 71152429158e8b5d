"""Security: who left and still has access, and what the audit feed shows that is unusual."""

from dataclasses import dataclass

from pipelines.reading import wording
from pipelines.report.context import Context, definitions, needs
from pipelines.report.parts import Absent, Definition, Part, Statement, Table

WANTED = "has_seat or residual_active_days > 0"
"""SQL, of a row of offboarding_check: something is left to do."""


def leavers(context: Context) -> list[Part]:
    """Who left and still has a seat, or used one afterwards."""
    served, mart = context.served, "offboarding_check"
    absent = needs(
        served, "People who left", mart, "user_id", "has_seat", "residual_active_days", "finding"
    )
    if absent:
        return absent
    row = served.row(
        f"""
        select
            count(*) as people,
            count(*) filter (where {WANTED}) as wanted,
            count(*) filter (where has_seat is null) as unknown
        from {context.of(mart)}
        """
    )
    assert row
    parts: list[Part] = []
    if row["people"] and row["unknown"] == row["people"]:
        parts.append(
            Absent(
                "Seats of people who left: whether they still have one is not known without a "
                "member roster."
            )
        )
        if not row["wanted"]:
            return parts
    found = served.rows(
        f"""
        select coalesce(finding, 'nothing left to do') as finding, count(*) as people
        from {context.of(mart)}
        group by finding
        order by people desc, finding
        """
    )
    who = wording.plural(row["wanted"], "person who left", "people who left")
    title = f"{who} kept a seat or used one afterwards"
    if not row["wanted"]:
        title = "Nobody who left has kept a seat or used one afterwards"
    parts.append(
        Statement(
            title=title,
            text=""
            if context.with_people or not row["wanted"]
            else "Who they are is in the mart, and in a report made with --with-people.",
            table=Table(
                caption="People who left, by what is left to do",
                columns=["What", "People"],
                rows=[[wording.label(each["finding"]), each["people"]] for each in found],
            )
            if found
            else None,
            definitions=definitions(served, mart, {"finding": "What is left to do"}),
        )
    )
    if context.with_people and row["wanted"]:
        parts.append(_named(context))
    return parts


def _named(context: Context) -> Statement:
    columns = {
        "name": "Name",
        "email": "E-mail",
        "department": "Department",
        "employment_end_date": "Last day",
        "last_active_date": "Last active",
        "finding": "What is left to do",
    }
    shown = [column for column in columns if context.served.has("offboarding_check", column)]
    has_activity = "last_active_date" in shown
    order = ", ".join([*(["last_active_date desc nulls last"] if has_activity else []), "user_id"])
    rows = context.served.rows(
        f"""
        select {", ".join(shown)} from {context.of("offboarding_check")}
        where {WANTED}
        order by {order}
        """
    )
    return Statement(
        title="Who they are, last active first",
        names_people=True,
        table=Table(
            caption="People who left and kept access",
            columns=[columns[column] for column in shown],
            rows=[[row[column] for column in shown] for row in rows],
        ),
    )


@dataclass(frozen=True)
class Audited:
    """One line of the audit's table: what is counted, in which mart, on which condition.

    `moment` is the column of its day or time; None: it is counted as it stands now.
    """

    what: str
    mart: str
    condition: str
    columns: tuple[str, ...]
    moment: str | None = None


AUDITED = (
    Audited("Unusual sign-ins", "login_anomalies", "true", (), "event_date"),
    Audited("Days of unusual file activity", "file_activity_outliers", "true", (), "event_date"),
    Audited(
        "Privileges granted",
        "privilege_changes",
        "privilege_change = 'granted'",
        ("privilege_change",),
        "event_date",
    ),
    Audited(
        "Privileges that people gave themselves",
        "privilege_changes",
        "privilege_change = 'granted' and is_own_change",
        ("privilege_change", "is_own_change"),
        "event_date",
    ),
    Audited(
        "Settings changed",
        "setting_changes",
        "event_id is not null",
        ("event_id",),
        "valid_from_at",
    ),
    Audited(
        "Keys whose owner left",
        "api_key_hygiene",
        "has_owner_left and deleted_at is null",
        ("has_owner_left", "deleted_at"),
    ),
    Audited(
        "Keys that never end",
        "api_key_hygiene",
        "has_no_expiry and deleted_at is null",
        ("has_no_expiry", "deleted_at"),
    ),
    Audited(
        "Keys that were never used",
        "api_key_hygiene",
        "is_never_used and deleted_at is null",
        ("is_never_used", "deleted_at"),
    ),
)
AUDIT_DAYS = 30


def audit(context: Context) -> list[Part]:
    """What the audit feed shows of the last 30 days, one count for each question."""
    served = context.served
    if not served.has("security_events", "event_at"):
        return needs(served, "Audit", "security_events", "event_at")
    newest = served.row("select cast(max(event_at) as date) as day from security_events")
    if not newest or not newest["day"]:
        return [
            Absent(
                "Audit: the activity feed is not read. It takes a key with the scope "
                "read:compliance_activities: [sources.claude_compliance]."
            )
        ]
    rows: list[list[object]] = []
    meanings: list[Definition] = []
    unusual: int | None = None
    for each in AUDITED:
        columns = (*each.columns, *([each.moment] if each.moment else []))
        if not served.has(each.mart, *columns):
            continue
        within = f"{each.moment} > cast($newest as date) - {AUDIT_DAYS}" if each.moment else "true"
        given = {"newest": newest["day"]} if each.moment else {}
        row = served.row(
            f"select count(*) as found from {each.mart} where ({each.condition}) and {within}",
            **given,
        )
        assert row
        when = f"in {AUDIT_DAYS} days" if each.moment else "now"
        rows.append([each.what, row["found"], when])
        if each.mart == "login_anomalies":
            unusual = row["found"]
        meaning = next(iter(columns), "")
        meanings.append(
            Definition(each.what, served.definition(each.mart, meaning), f"{each.mart}.{meaning}")
        )
    if not rows:
        return []
    title = f"The audit feed up to {wording.day(newest['day'])}"
    if unusual is not None:
        sign_ins = (
            wording.plural(unusual, "sign-in was", "sign-ins were") if unusual else "No sign-in was"
        )
        title = f"{sign_ins} unusual in the {AUDIT_DAYS} days to {wording.day(newest['day'])}"
    return [
        Statement(
            title=title,
            text="Counts of events, not verdicts: the marts have the evidence.",
            table=Table(
                caption="What the audit feed shows",
                columns=["What", "How many", "When"],
                rows=rows,
            ),
            definitions=meanings,
        )
    ]
