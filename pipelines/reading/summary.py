"""A short text for a chat: how many use Claude, what it costs, what needs attention."""

from collections.abc import Sequence
from typing import Any

from pipelines.exit_codes import FAILED, REJECTED, meaning
from pipelines.reading import wording
from pipelines.reading.findings import findings
from pipelines.reading.headlines import Headline, headlines
from pipelines.reading.wording import Unit
from pipelines.warehouse.base import Reading

MOST_CHARACTERS = 1_500
SHOWN = ("monthly_active", "weekly_active", "utilization", "bill", "cost_per_active_user")


def summary(served: Reading, last_run: dict[str, Any] | None) -> str:
    """The text: plain, without a person's name, shorter than `MOST_CHARACTERS`."""
    numbers = headlines(served)
    newest = numbers.get("monthly_active") or numbers.get("completeness")
    lines = [f"Claude usage, data to {newest.as_of}" if newest else "Claude usage"]
    lines += [_line(numbers[name]) for name in SHOWN if name in numbers]
    lines += _spend_so_far(served)
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
