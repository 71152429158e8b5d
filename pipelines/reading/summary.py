"""A short text for a chat: how many use Claude, what it costs, what needs attention."""

from collections.abc import Sequence
from typing import Any

from pipelines.exit_codes import FAILED, REJECTED, meaning
from pipelines.reading import wording
from pipelines.reading.findings import findings
from pipelines.reading.headlines import Headline, headlines
from pipelines.reading.wording import Unit
from pipelines.warehouse.base import Reading, Row

MOST_CHARACTERS = 1_500
KINDS = {"api_key": "API key", "service_account": "service account", "federated": "identity"}
"""Type of an actor that is no person -> what it is called."""
SHOWN = ("monthly_active", "weekly_active", "utilization", "bill", "cost_per_active_user")


def summary(served: Reading, last_run: dict[str, Any] | None) -> str:
    """The text: plain, without a person's name, shorter than `MOST_CHARACTERS`."""
    numbers = headlines(served)
    newest = numbers.get("monthly_active") or numbers.get("completeness")
    lines = [f"Claude usage, data to {newest.as_of}" if newest else "Claude usage"]
    lines += [_line(numbers[name]) for name in SHOWN if name in numbers]
    lines += _spend_so_far(served)
    lines += _last_hours(served)
    attention = findings(served, last_run)
    lines += ["", "Needs attention:" if attention else "Nothing needs attention."]
    lines += [f"• {finding.text}" for finding in attention]
    return shortened(lines)


def run_text(
    command: str,
    exit_code: int,
    problems: Sequence[str],
    summary_text: str | None,
    doubts: Sequence[str] = (),
) -> str:
    """What a finished run is told with: how it ended, what it does not believe, why it failed, and
    the summary if there is one.

    Only the first line of a problem is told; the further ones may quote a file.
    """
    mark = "✗" if exit_code == FAILED or exit_code not in (0, REJECTED) else "✓"
    lines = [f"{mark} claude-warehouse {command}: {meaning(exit_code)}"]
    lines += [line for doubt in doubts for line in f"? {doubt}".splitlines()]
    lines += [
        f"• {problem.splitlines()[0]}" for problem in problems if problem not in ("", *doubts)
    ]
    if summary_text:
        lines += ["", *summary_text.splitlines()]
    return shortened(lines)


def shortened(lines: list[str]) -> str:
    """The lines as one text; those that do not fit are counted in its last line."""
    text = "\n".join(lines)
    left_out = 0
    while len(text) >= MOST_CHARACTERS:
        left_out += 1
        rest = wording.plural(left_out, "more line") + " in claude-warehouse status."
        if left_out >= len(lines):
            return f"{lines[0][: MOST_CHARACTERS - 100]} …"
        text = "\n".join([*lines[:-left_out], f"… {rest}"])
    return text


def _line(headline: Headline) -> str:
    extra = "; ".join(text for text in (headline.change, headline.note) if text)
    return f"{headline.text} {headline.label}{f': {extra}' if extra else ''}"


def _spend_so_far(served: Reading) -> list[str]:
    """Metered spend of the newest month, as far as it is loaded."""
    if not served.has("spend_daily", "activity_date", "spend_usd"):
        return []
    row = served.row(
        """
        select
            cast(sum(spend_usd) as decimal(38, 8)) as spend_usd,
            max(activity_date) as newest_date
        from spend_daily
        where date_trunc('month', activity_date) = (
            select max(date_trunc('month', activity_date)) from spend_daily
        )
        """
    )
    if not row or row["spend_usd"] is None:
        return []
    spend = wording.number(row["spend_usd"], Unit.USD, short=True)
    return [f"{spend} metered in {row['newest_date']:%B} up to {wording.day(row['newest_date'])}"]


def _last_hours(served: Reading) -> list[str]:
    """What the newest twelve complete hours cost, beside the same of the day before, and who spent
    most; people are not named."""
    mart = "spend_hourly"
    if not served.has(mart, "hour_at", "actor_type", "actor_id", "spend_usd", "is_complete"):
        return []
    row = served.row(
        f"""
        with

        newest as (
            select max(hour_at) + interval 1 hour as until_at from {mart} where is_complete
        ),

        spend as (
            select
                *,
                hour_at >= until_at - interval 12 hour and hour_at < until_at as is_now,
                hour_at >= until_at - interval 36 hour and hour_at < until_at - interval 24 hour
                    as is_before
            from {mart}
            cross join newest
        )

        select
            until_at,
            cast(sum(spend_usd) filter (where is_now) as decimal(38, 8)) as spend_usd,
            cast(sum(spend_usd) filter (where is_before) as decimal(38, 8)) as before_usd
        from spend
        where until_at >= (select max(activity_date) from spend_daily)
        group by until_at
        """
    )
    if not row or not row["spend_usd"]:
        return []
    most = served.row(
        f"""
        select
            actor_type,
            actor_id,
            product,
            cast(sum(spend_usd) as decimal(38, 8)) as spend_usd
        from {mart}
        where
            hour_at >= cast($until as timestamp) - interval 12 hour
            and hour_at < cast($until as timestamp)
        group by actor_type, actor_id, product
        order by sum(spend_usd) desc, actor_type, actor_id, product
        limit 1
        """,
        until=row["until_at"],
    )
    assert most
    before = ""
    if row["before_usd"] is not None:
        before = f", {wording.number(row['before_usd'], Unit.USD, short=True)} a day earlier"
    with_product = f" with {wording.label(most['product'])}" if most["product"] else ""
    return [
        f"{wording.number(row['spend_usd'], Unit.USD, short=True)} in the 12 hours to "
        f"{row['until_at']:%H:%M} UTC{before}: "
        f"{wording.number(most['spend_usd'], Unit.USD, short=True)} of it "
        f"{_by_whom(most)}{with_product} (spend_hourly)"
    ]


def _by_whom(row: Row) -> str:
    if row["actor_type"] == "user":
        return "by one person"
    kind = KINDS.get(row["actor_type"], row["actor_type"])
    return f"by {kind} {row['actor_id']}" if row["actor_id"] else "by nobody known"
