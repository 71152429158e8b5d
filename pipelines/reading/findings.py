"""What in the published marts needs somebody's attention, most urgent first."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.reading import wording
from pipelines.reading.contradictions import contradictions
from pipelines.reading.headlines import coverage, headlines
from pipelines.reading.wording import Unit
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
        *_leavers(served),  # Who left and still has access cannot wait for anything.
        *last_run_findings(last_run),
        *(finding for check in CHECKS for finding in check(served)),
    ]


def last_run_findings(last_run: dict[str, Any] | None) -> Iterator[Finding]:
    """Whether the last run failed or left rows unread; its messages may name people."""
    if not last_run:
        return
    for doubt in last_run["doubts"]:
        yield Finding(doubt, "data")
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


def difference(served: Reading) -> Iterator[Finding]:
    """Months whose bill is not what departments were charged."""
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
        apart: Decimal = row["difference_usd"]
        yield Finding(
            f"In {wording.month(row['month'])} the bill and what departments were charged differ "
            f"by {wording.exact_usd(apart)}.",
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


def has_approvals(served: Reading, mart: str) -> bool:
    """Whether anybody ever decided about anything in this audit; else the list is not set."""
    row = served.row(f"select count(*) as names from {mart} where approval <> 'unreviewed'")
    return bool(row and row["names"])


def _without_approvals(served: Reading) -> Iterator[Finding]:
    """One sentence for all lists that nobody set, whatever was used."""
    unset = [
        f"{noun}s"
        for mart, noun in AUDITS.items()
        if served.has(mart, "approval") and not has_approvals(served, mart)
    ]
    used = [noun for noun in unset if _is_used(served, noun.removesuffix("s"))]
    if used:
        yield Finding(
            f"No list of approved {wording.listed(used)} is set, so nobody's review of what is "
            "used is known.",
            "security",
        )


def _is_used(served: Reading, noun: str) -> bool:
    [mart] = [mart for mart, each in AUDITS.items() if each == noun]
    row = served.row(f"select count(*) as names from {mart}")
    return bool(row and row["names"])


def _approvals(served: Reading) -> Iterator[Finding]:
    texts = {
        "banned": ("{} {} is banned and was used.", "{} {}s are banned and were used."),
        "unreviewed": ("{} {} awaits review.", "{} {}s await review."),
    }
    for approval, (one, many) in texts.items():
        for mart, noun in AUDITS.items():
            if not served.has(mart, "approval") or not has_approvals(served, mart):
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
                yield Finding(text, "security")


def _leavers(served: Reading) -> Iterator[Finding]:
    if not served.has("offboarding_check", "has_seat", "residual_active_days"):
        return
    row = served.row(
        "select count(*) as people from offboarding_check"
        " where has_seat or residual_active_days > 0"
    )
    if row and row["people"]:
        who = wording.plural(row["people"], "person who left", "people who left")
        yield Finding(
            f"{who} kept a seat or used one afterwards: see offboarding_check.", "security"
        )


def _seats_to_reclaim(served: Reading) -> Iterator[Finding]:
    headline = headlines(served).get("reclaimable")
    if headline and headline.value:
        saving = f", {headline.note}" if headline.note else ""
        yield Finding(f"{headline.text} {headline.label}{saving}.", "seats")


def _retiring_models(served: Reading) -> Iterator[Finding]:
    """Spend of the newest month on models that end, which then fail or cost something else."""
    mart = "spend_on_retiring_models"
    if not served.has(mart, "month", "model", "as_of_date", "retires_date", "spend_usd"):
        return
    rows = served.rows(
        f"""
        select month, model, retires_date, spend_usd
        from {mart}
        where month = date_trunc('month', as_of_date) and spend_usd > 0
        order by retires_date, model
        """
    )
    if not rows:
        return
    spend = wording.number(sum(row["spend_usd"] for row in rows), Unit.USD)
    models = wording.listed(
        [f"{row['model']} ends on {wording.day(row['retires_date'])}" for row in rows]
    )
    yield Finding(
        f"{spend} of {rows[0]['month']:%B} went to models that retire: {models}. "
        "Requests to them fail from then on.",
        "money",
    )


def _over_budget(served: Reading) -> Iterator[Finding]:
    """Cost centers whose running month is expected to cost more than their budget."""
    mart = "spend_forecast_monthly"
    if not served.has(mart, "month", "cost_center", "expected_usd", "budget_usd"):
        return
    rows = served.rows(
        f"""
        select month, cost_center, expected_usd - budget_usd as over_usd
        from {mart}
        where month = (select max(month) from {mart}) and expected_usd > budget_usd
        order by over_usd desc, cost_center
        """
    )
    if rows:
        each = wording.listed(
            [
                f"{row['cost_center'] or 'what has none'} by "
                f"{wording.number(row['over_usd'], Unit.USD, short=True)}"
                for row in rows
            ]
        )
        yield Finding(
            f"{rows[0]['month']:%B} is expected to be over the budget of "
            f"{wording.plural(len(rows), 'cost center')}: {each}.",
            "money",
        )


def _unexplained(served: Reading) -> Iterator[Finding]:
    if not served.has("metric_reconciliation_daily", "metric", "difference", "reason"):
        return
    rows = served.rows(
        """
        select distinct activity_date, metric
        from metric_reconciliation_daily
        where difference != 0 and reason is null
            and activity_date > (
                select max(activity_date) - 30 from metric_reconciliation_daily
            )
        """
    )
    if rows:
        days = len({row["activity_date"] for row in rows})
        count = wording.plural(days, "of the last 30 days", "of the last 30 days")
        products = {re.split("_?(?:daily|weekly|monthly)_", row["metric"])[0] for row in rows}
        names = [wording.label(name) if name else "all products" for name in sorted(products)]
        yield Finding(
            f"On {count}, reported and computed numbers of {wording.listed(names)} differ "
            "without a known reason.",
            "data",
        )


def _contradictions(served: Reading) -> Iterator[Finding]:
    for each in contradictions(served):
        yield Finding(each.text, "seats")


CHECKS: tuple[Callable[[Reading], Iterator[Finding]], ...] = (
    _contradictions,
    difference,
    _unknown_bills,
    _missing_days,
    _approvals,
    _without_approvals,
    _over_budget,
    _seats_to_reclaim,
    _retiring_models,
    _unexplained,
)
