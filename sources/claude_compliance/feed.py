"""The activity feed: its pages, window by window, and what a reading of one brought."""

import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sources.anthropic import claude_api
from sources.claude_compliance.activities import RejectedActivity, rows_of
from sources.claude_compliance.windows import MOST_PAGES, RETENTION_DAYS, Window, start_of
from sources.errors import ApiError, Expired, NotWhole
from sources.http import HttpClient
from sources.http.answers import Response, json_object
from sources.ledger import BROKEN_OFF
from sources.paging import BY_ID, RESTARTS, Pages

COMPLIANCE_API = claude_api(
    name="the Compliance API",
    section="claude_compliance",
    reads="the activity feed",
    key_advice="Every request needs one with the scope read:compliance_activities; the primary "
    "owner switches the API on\nand creates the key in claude.ai.",
    what_it_takes="The organisation may not have the Compliance API, which its primary owner "
    "switches on,\nthe path may be another one ([sources.claude_compliance] activities_path)",
    most_megabytes=128,
    if_not_whole="Events that were read stay, but their days do not count as read.",
)
PAGE_SIZE = 5000
ROUNDING = timedelta(minutes=1)
"""How far from its window an event may be: at its ends, moments are rounded."""


@dataclass(frozen=True)
class Page:
    """One answer of the feed: its events as raw rows, and those that cannot be one."""

    rows: pa.Table
    rejected: list[RejectedActivity]
    first_id: str | None
    last_id: str | None
    request_id: str | None

    @property
    def activity_count(self) -> int:
        return len(self.rows) + len(self.rejected)


@dataclass
class Reading:
    """What the reading of one window brought; a window counts as read only if it is complete.

    Attributes:
        activity_count: Events that arrived, repeated ones included.
        first_id, last_id: The feed's own cursors around what arrived.
        error: Why it ended early.
        is_too_long: It ended early because a shorter window is the better one.
        is_doubted: It ended, and lacks much of what was read of the same days before.
    """

    window: Window
    activity_count: int = 0
    rejected: list[RejectedActivity] = field(default_factory=list)
    first_id: str | None = None
    last_id: str | None = None
    request_ids: list[str] = field(default_factory=list)
    page_count: int = 0
    error: ApiError | None = None
    is_too_long: bool = False
    is_doubted: bool = False

    @property
    def is_complete(self) -> bool:
        return self.error is None and not self.is_too_long

    @property
    def outcome(self) -> str:
        """As its ledger has it."""
        if not self.is_complete or self.is_doubted:
            return BROKEN_OFF
        return "loaded" if self.activity_count else "empty"

    def start_over(self) -> None:
        vars(self).update(vars(Reading(self.window)))


class Feed:
    """Reads the feed of one organisation (or of all that its parent links)."""

    def __init__(self, client: HttpClient, path: str) -> None:
        self._client = client
        self._path = path

    def first_day(self, today: date) -> date:
        """The UTC day of the oldest event there is; the day after today if there is none.

        A few requests: each asks whether anything happened before a day.
        """
        days = [today + timedelta(days=1 - age) for age in reversed(range(RETENTION_DAYS + 1))]

        def has_begun(number: int) -> bool:
            params = {"created_at.lt": _text(start_of(days[number])), "limit": "1"}
            return bool(self._page(params, f"before {days[number]}").activity_count)

        return days[max(bisect_left(range(len(days)), True, key=has_begun) - 1, 0)]

    def check(self) -> None:
        """Ask for one event.

        Raises:
            ApiError: The feed does not answer, or this key may not read it.
        """
        self._page({"limit": "1"}, "the newest activity")

    def read(self, reading: Reading) -> Iterator[pa.Table]:
        """The window's events as raw rows, page by page; `reading` says then how it went.

        An event may come more than once, and in any order.
        """
        for restart in range(RESTARTS):
            try:
                yield from self._pages(reading)
                return
            except Expired as error:
                if restart == RESTARTS - 1:
                    reading.error = error
                else:
                    # Pages that shifted under the cursor: from the window's beginning.
                    reading.start_over()
            except ApiError as error:
                reading.error = error
                return

    def _pages(self, reading: Reading) -> Iterator[pa.Table]:
        window = reading.window
        what = f"activities, {_text(window.start)} to {_text(window.end)}"
        params = {
            "created_at.gte": _text(window.start),
            "created_at.lt": _text(window.end),
            "limit": str(PAGE_SIZE),
        }
        pages = Pages(BY_ID)
        while not pages.is_at_end:
            if reading.page_count >= MOST_PAGES and len(window.days) > 1:
                reading.is_too_long = True
                return
            page = self._page(params, what, pages, window)
            reading.page_count += 1
            reading.activity_count += page.activity_count
            reading.rejected += page.rejected
            reading.first_id = reading.first_id or page.first_id
            reading.last_id = page.last_id or reading.last_id
            reading.request_ids += [page.request_id] if page.request_id else []
            yield page.rows

    def _page(
        self,
        params: dict[str, str],
        what: str,
        pages: Pages | None = None,
        window: Window | None = None,
    ) -> Page:
        turned = pages or Pages(BY_ID)
        return self._client.ask(
            self._path,
            {**params, **turned.params},
            what=what,
            read=lambda response: page_of(response, turned, window),
            count_as="activities",
            refusal=turned.lost,
        )


def page_of(response: Response, pages: Pages, window: Window | None = None) -> Page:
    """The page in an answer.

    Raises:
        NotJson: The body is not one complete JSON object.
        NotWhole: It has no list of events, which is not an empty one, or contradicts itself, or is
            the answer of another window: of this one, nobody could tell what is missing.
    """
    body = json_object(response)
    activities = body.get("data")
    if not isinstance(activities, list):
        raise NotWhole("the answer has no list data, which is not an empty feed")
    rows, rejected = rows_of(activities)
    if window and len(rows):
        bounds = pc.min_max(rows["created_at"]).as_py()
        if bounds["min"] < window.start - ROUNDING or bounds["max"] > window.end + ROUNDING:
            raise NotWhole(
                f"the answer has events from {bounds['min']:%Y-%m-%d %H:%M} to "
                f"{bounds['max']:%Y-%m-%d %H:%M}, which are not those that were asked for"
            )
    pages.turn(body, lambda: json.dumps(activities) if activities else "")
    return Page(
        rows=rows,
        rejected=rejected,
        first_id=_id_or_none(body.get("first_id")),
        last_id=_id_or_none(body.get("last_id")),
        request_id=response.headers.get("request-id"),
    )


def _id_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _text(moment: datetime) -> str:
    """RFC 3339 with zone; a bare date is refused (reference: Compliance API, section 2)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
