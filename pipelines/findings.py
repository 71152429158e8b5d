"""What in the published marts needs somebody's attention, most urgent first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines import wording
from pipelines.headlines import coverage, headlines
from pipelines.warehouse.base import Reading

AUDITS = {"connector_audit": "connector", "skill_audit": "skill", "plugin_audit": "plugin"}
MISSING = {
    "missing": "missing and will be asked for again",
    "lost": "missing and older than the API's window",
}
"""Status of a day -> what to say of it, most urgent first."""


@dataclass(frozen=True)
class Finding:
    """One sentence about what somebody should look at, without naming a person.

    `section` is the part of the report that says more.
    """

    text: str
    section: str


def findings(served: Reading, last_run: dict[str, Any] | None) -> list[Finding]:
    """Everything that needs attention, most urgent first."""
    return [
        *last_run_findings(last_run),
        *(finding for check in CHECKS for finding in check(served)),
    ]


def last_run_findings(last_run: dict[str, Any] | None) -> Iterator[Finding]:
    """Whether the last run failed or left rows unread; its messages may name people."""
    if not last_run:
        return
    if last_run["problems"]:
        count = wording.plural(len(last_run["problems"]), "problem")
        yield Finding(
            f"The last run ({last_run['command']}) had {count}: see claude-warehouse status.",
            "data",
        )
    elif last_run["exit_code"] is None:
        yield Finding(
            f"The last run ({last_run['command']}) has not ended: see claude-warehouse status.",
            "data",
        )
    elif last_run["exit_code"] == 4:
        yield Finding(
            "Some rows could not be read: see claude_raw.rejected_rows.",
            "data",
        )


def _missing_days(served: Reading) -> Iterator[Finding]:
    for status, what in MISSING.items():
        days = [each for each in coverage(served) if each.status == status]
        if not days:
            continue
        count = wording.plural(len(days), "endpoint day")
        names = wording.listed([wording.label(name) for name in sorted({d.endpoint for d in days})])
        first, last = min(each.day for each in days), max(each.day for each in days)
        span = wording.short_day(first)
        if last != first:
            span += f" to {wording.short_day(last)}"
        be = "is" if len(days) == 1 else "are"
        yield Finding(f"{count} {be} {what} ({names}, {span}).", "data")


def _difference(served: Reading) -> Iterator[Finding]:
    mart = "chargeback_reconciliation_monthly"
    if not served.has(mart, "month", "difference_usd"):
        return
    for row in served.rows(
        f"""
        select month, cast(sum(difference_usd) as decimal(38, 8)) as difference_usd
        from {mart}
        group by month
        having sum(abs(difference_usd)) != 0
        order by month
        """
    ):
        difference: Decimal = row["difference_usd"]
        yield Finding(
            f"In {wording.month(row['month'])} the bill and what departments were charged differ "
            f"by {wording.exact_usd(difference)}.",
            "money",
        )


def _unknown_bills(served: Reading) -> Iterator[Finding]:
    for text in unknown_bills(served):
        yield Finding(text, "money")


def unknown_bills(served: Reading) -> list[str]:
    """A sentence for each month of which a part of the bill is not known: which, and why."""
    mart = "chargeback_reconciliation_monthly"
    if not served.has(mart, "month", "cost_pool", "billed_usd", "note"):
        return []
    rows = served.rows(
        f"select month, cost_pool, note from {mart} where billed_usd is null order by month"
    )
    return [
        f"{wording.label(row['cost_pool'])} of {wording.month(row['month'])}: the cost is unknown. "
        f"{row['note']}{'' if row['note'].endswith('.') else '.'}"
        for row in rows
    ]


def _approvals(served: Reading) -> Iterator[Finding]:
    texts = {
        "banned": ("{} {} is banned and was used.", "{} {}s are banned and were used."),
        "unreviewed": ("{} {} awaits review.", "{} {}s await review."),
    }
    for approval, (one, many) in texts.items():
        for mart, noun in AUDITS.items():
            if not served.has(mart, "approval"):
                continue
            # The audits know every name that was ever used; what nobody uses can wait.
            recently = (
                "last_seen_date > as_of_date - 30"
                if served.has(mart, "last_seen_date", "as_of_date")
                else "true"
            )
            row = served.row(
                f"select count(*) as names from {mart} where approval = $approval and {recently}",
                approval=approval,
            )
            count = row["names"] if row else 0
            if count:
                text = (one if count == 1 else many).format(wording.number(count), noun)
                yield Finding(text, "usage")


def _leavers(served: Reading) -> Iterator[Finding]:
    if not served.has("offboarding_check", "has_seat", "residual_active_days"):
        return
    row = served.row(
        "select count(*) as people from offboarding_check"
        " where has_seat or residual_active_days > 0"
    )
    if row and row["people"]:
        who = wording.plural(row["people"], "person who left", "people who left")
        yield Finding(f"{who} kept a seat or used one afterwards: see offboarding_check.", "seats")


def _seats_to_reclaim(served: Reading) -> Iterator[Finding]:
    headline = headlines(served).get("reclaimable")
    if headline and headline.value:
        saving = f", {headline.note}" if headline.note else ""
        yield Finding(f"{headline.text} {headline.label}{saving}.", "seats")


def _unexplained(served: Reading) -> Iterator[Finding]:
    if not served.has("metric_reconciliation_daily", "activity_date", "difference", "reason"):
        return
    row = served.row(
        """
        select count(distinct activity_date) as days
        from metric_reconciliation_daily
        where difference != 0 and reason is null
            and activity_date > (
                select max(activity_date) - 30 from metric_reconciliation_daily
            )
        """
    )
    if row and row["days"]:
        count = wording.plural(row["days"], "of the last 30 days", "of the last 30 days")
        yield Finding(
            f"On {count}, reported and computed numbers differ without a known reason.", "data"
        )


CHECKS: tuple[Callable[[Reading], Iterator[Finding]], ...] = (
    _difference,
    _unknown_bills,
    _missing_days,
    _leavers,
    _approvals,
    _seats_to_reclaim,
    _unexplained,
)
