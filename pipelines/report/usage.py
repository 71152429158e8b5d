"""Usage: connectors, skills, plugins and projects, those that nobody reviewed first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.reading import wording
from pipelines.reading.findings import has_approvals
from pipelines.report import ChartName, charts
from pipelines.report.context import (
    MOST_BARS,
    Builder,
    Context,
    definitions,
    needs,
    or_unknown,
    public,
)
from pipelines.report.parts import Absent, Figure, Part, Table
from pipelines.warehouse.base import Row


@dataclass(frozen=True, kw_only=True)
class Used:
    """Something that people use, with a row per day and name in its mart.

    Attributes:
        label: Column of a readable name, where the name may be an opaque id.
        counts: Column -> heading of further counts, which are added up.
        audit: Mart that has `approval` per name.
        may_name_people: Whether names are freely chosen and used by few, like a project's.
    """

    chart: ChartName
    noun: str
    mart: str
    name: str
    label: str
    counts: Mapping[str, str]
    audit: str | None = None
    may_name_people: bool = False


USED = (
    Used(
        chart=ChartName.CONNECTORS,
        noun="connector",
        mart="connector_usage_daily",
        name="connector_name",
        label="connector_display_name",
        counts={"read_call_count": "Reading calls", "write_call_count": "Writing calls"},
        audit="connector_audit",
    ),
    Used(
        chart=ChartName.SKILLS,
        noun="skill",
        mart="skill_usage_daily",
        name="skill_name",
        label="skill_display_name",
        counts={"invocation_count": "Uses"},
        audit="skill_audit",
    ),
    Used(
        chart=ChartName.PLUGINS,
        noun="plugin",
        mart="plugin_usage_daily",
        name="plugin_name",
        label="plugin_display_name",
        counts={"invocation_count": "Uses"},
        audit="plugin_audit",
    ),
    Used(
        chart=ChartName.PROJECTS,
        noun="project",
        mart="project_usage_daily",
        name="project_id",
        label="project_name",
        counts={"message_count": "Messages"},
        may_name_people=True,
    ),
)
APPROVALS = {
    "banned": ("Banned", charts.ALERT),
    "unreviewed": ("Unreviewed", charts.C2),
    "approved": ("Approved", charts.C1),
}


def used(wanted: Used) -> Builder:
    """Builds the part about one kind of thing that people use."""

    def build(context: Context) -> list[Part]:
        served, mart = context.served, wanted.mart
        what = f"{wanted.noun.capitalize()}s"
        absent = needs(served, what, mart, "activity_date", wanted.name, "distinct_user_count")
        if absent:
            return absent
        counts = [column for column in wanted.counts if served.has(mart, column)]
        label = wanted.label if served.has(mart, wanted.label) else wanted.name
        has_audit = bool(wanted.audit) and served.has(wanted.audit or "", wanted.name, "approval")
        audited = has_audit and has_approvals(served, wanted.audit or "")
        approval, audit = "null", ""
        if audited:
            approval = "coalesce(audit.approval, 'unreviewed')"
            audit = f"left join {wanted.audit} as audit on used.key = audit.{wanted.name}"
        rows = served.rows(
            f"""
            with

            used as (
                select
                    {wanted.name} as key,
                    max(case when labels_since = 1 then {label} end) as label,
                    cast(sum(distinct_user_count) as bigint) as user_days,
                    max(distinct_user_count) as most_users,
                    {"".join(f"cast(sum({c}) as bigint) as {c}, " for c in counts)}
                    count(distinct activity_date) as days,
                    max(activity_date) as last_date
                from (
                    select
                        *,
                        row_number() over (
                            partition by {wanted.name}
                            order by
                                case when {label} is null then 1 else 0 end,
                                activity_date desc,
                                {label} desc
                        ) as labels_since
                    from {mart}
                    where activity_date > (select max(activity_date) from {mart}) - 30
                ) as newest_days
                group by {wanted.name}
            )

            select used.*, {approval} as approval
            from used
            {audit}
            order by user_days desc nulls last, key
            """
        )
        if not rows:
            return [Absent(f"{what}: none was used in the last 30 loaded days.")]
        if audited:
            rank = list(APPROVALS)
            rows.sort(key=lambda row: rank.index(row["approval"]) if row["approval"] in rank else 9)
        hidden = 0
        if wanted.may_name_people and not context.with_people:
            named = [row for row in rows if (row["most_users"] or 0) >= context.min_group_size]
            hidden, rows = len(rows) - len(named), named
        return [_used_figure(context, wanted, rows, counts, audited=audited, hidden=hidden)]

    return build


def _used_figure(
    context: Context,
    wanted: Used,
    rows: Sequence[Row],
    counts: Sequence[str],
    *,
    audited: bool,
    hidden: int,
) -> Part:
    served, mart, what = context.served, wanted.mart, f"{wanted.noun}s"
    if not rows:
        return Absent(
            f"{what.capitalize()}: {wording.plural(hidden, wanted.noun)} had fewer than "
            f"{context.min_group_size} people on every day; they are named with --with-people only."
        )
    newest = max(row["last_date"] for row in rows)
    names = _names(context, rows)
    values = [
        {
            "title": name,
            "name": name,
            "value": row["user_days"] or 0,
            "kind": APPROVALS.get(row["approval"], ("", ""))[0],
            "text": or_unknown(row["user_days"]),
            "most": or_unknown(row["most_users"]),
            "days": wording.number(row["days"]),
            **{column: or_unknown(row[column]) for column in counts},
        }
        for name, row in zip(names, rows, strict=True)
    ][:MOST_BARS]
    if audited:
        waiting = sum(row["approval"] == "unreviewed" for row in rows)
        banned = sum(row["approval"] == "banned" for row in rows)
        title = (
            f"{wording.number(waiting)} of {wording.plural(len(rows), wanted.noun)} in use "
            f"{'awaits' if waiting == 1 else 'await'} review"
        )
        if banned:
            title += f", {wording.number(banned)} {'is' if banned == 1 else 'are'} banned"
        if waiting == len(rows):
            title = f"{'All ' if waiting > 1 else ''}{wording.plural(waiting, wanted.noun)} in use "
            title += "awaits review" if waiting == 1 else "await review"
        if not waiting and not banned:
            title = f"All {wording.plural(len(rows), wanted.noun)} in use are approved"
    else:
        title = f"{names[0]} is the most used of {wording.plural(len(rows) + hidden, wanted.noun)}"
    caption = (
        f"User-days in the 30 days to {wording.day(newest)}: the people of each day, added up over "
        "the days; somebody who came on five days counts five times."
    )
    if len(rows) > MOST_BARS:
        caption += f" The first {MOST_BARS} of {len(rows)}."
    if wanted.audit and not served.has(wanted.audit, "approval"):
        caption += f" Who approved what is not known yet: {wanted.audit} is not published."
    elif wanted.audit and not audited:
        caption += f" No list of approved {what} is set: [sources.reference_files] approved_{what}."
    if hidden:
        caption += (
            f" {wording.plural(hidden, wanted.noun)} with fewer than {context.min_group_size} "
            "people on every day: not named here, since such a name can be a person's."
        )
    return Figure(
        name=wanted.chart,
        title=title,
        caption=caption,
        chart=charts.bars(
            values,
            colours=dict(APPROVALS.values()) if audited else None,
            tooltip={
                "title": "title",
                "text": "User-days",
                "most": "Most people on a day",
                "days": "Days",
                **{column: wanted.counts[column] for column in counts},
                **({"kind": "Approval"} if audited else {}),
            },
        ),
        table=Table(
            caption=f"{what.capitalize()} in the 30 days to {wording.day(newest)}",
            columns=[
                wanted.noun.capitalize(),
                *(["Approval"] if audited else []),
                "User-days",
                "Most people on a day",
                *(wanted.counts[column] for column in counts),
                "Last used",
            ],
            rows=[
                [
                    name,
                    *([wording.label(row["approval"])] if audited else []),
                    row["user_days"],
                    row["most_users"],
                    *(row[column] for column in counts),
                    row["last_date"],
                ]
                for name, row in zip(names, rows, strict=True)
            ],
            most=100,
        ),
        definitions=definitions(
            served,
            mart,
            {"distinct_user_count": "People on a day", **{c: wanted.counts[c] for c in counts}},
        ),
    )


def _names(context: Context, rows: Sequence[Row]) -> list[str]:
    """A readable name per row; one that stands there twice is told apart by its id's end."""
    names = [public(context, str(row["label"] or row["key"] or "without a name")) for row in rows]
    folded = [name.casefold() for name in names]
    return [
        f"{name} …{str(row['key'])[-4:]}"
        if folded.count(name.casefold()) > 1 and name != row["key"]
        else name
        for name, row in zip(names, rows, strict=True)
    ]
