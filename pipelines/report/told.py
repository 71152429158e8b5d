"""What earlier reports said: kept in the data folder, so that the next one says what changed."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.data_dir import write_private
from pipelines.reading.headlines import headlines
from pipelines.warehouse.base import Reading

MOST_KEPT = 400
"""A report every night for more than a year."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one report said; no person is in it.

    Attributes:
        made_at: When it was written, in UTC.
        newest_day: Newest UTC day in it; there is one report kept for each.
        people: People active in the 30 days to `newest_day`.
        spend_month: Month whose use `spend_usd` is, up to `spend_day`.
    """

    made_at: datetime
    newest_day: date
    people: int
    spend_month: date | None = None
    spend_day: date | None = None
    spend_usd: Decimal | None = None


def told(served: Reading) -> Told | None:
    """What a report of these marts says; None while nobody's activity is known."""
    active = headlines(served).get("monthly_active")
    if not active or not active.at:
        return None
    spend = spent_so_far(served)
    return Told(
        made_at=datetime.now(UTC).replace(microsecond=0, tzinfo=None),
        newest_day=active.at,
        people=int(active.value),
        **spend,
    )


def spent_so_far(served: Reading) -> dict[str, Any]:
    """The month of the newest day with spend, that day, and what its use cost up to it."""
    if not served.has("spend_daily", "activity_date", "spend_usd"):
        return {}
    newest = served.row("select max(activity_date) as spend_day from spend_daily")
    if not newest or newest["spend_day"] is None:
        return {}
    month = newest["spend_day"].replace(day=1)
    spent = served.row(
        """
        select cast(sum(spend_usd) as decimal(38, 8)) as spend_usd from spend_daily
        where activity_date >= cast($month as date)
        """,
        month=month,
    )
    if not spent or spent["spend_usd"] is None:
        return {}
    return {"spend_month": month, **newest, **spent}


def earlier(file: Path, newest_day: date, since: date | None = None) -> Told | None:
    """The newest report whose data ended before this one's, or on `since` or before it."""
    found = [
        each
        for each in _kept(file)
        if each.newest_day < newest_day and (since is None or each.made_at.date() <= since)
    ]
    return max(found, key=lambda each: each.newest_day, default=None)


def keep(file: Path, now: Told) -> None:
    """Keep what a report said in place of an earlier one of the same newest day.

    A folder that cannot be written keeps nothing: the report itself may stand elsewhere.
    """
    kept = [each for each in _kept(file) if each.newest_day != now.newest_day]
    kept = sorted([*kept, now], key=lambda each: each.newest_day)[-MOST_KEPT:]
    with suppress(OSError):
        write_private(file, json.dumps([asdict(each) for each in kept], default=str))


def _kept(file: Path) -> Iterable[Told]:
    """What is kept; nothing where the file is not there or damaged."""
    try:
        return [_read(each) for each in json.loads(file.read_text("utf-8"))]
    except (OSError, ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        return []


def _read(found: dict[str, Any]) -> Told:
    def day(name: str) -> date | None:
        return date.fromisoformat(found[name]) if found[name] else None

    newest = day("newest_day")
    if newest is None:
        raise ValueError
    return Told(
        made_at=datetime.fromisoformat(found["made_at"]),
        newest_day=newest,
        people=int(found["people"]),
        spend_month=day("spend_month"),
        spend_day=day("spend_day"),
        spend_usd=Decimal(found["spend_usd"]) if found["spend_usd"] is not None else None,
    )
