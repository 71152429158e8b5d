"""The activity feed: its pages, window by window, and what a reading of one brought."""

import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from sources.anthropic import claude_api
from sources.claude_compliance.activities import RejectedActivity, rows_of
from sources.claude_compliance.windows import MOST_PAGES, RETENTION_DAYS, Window, start_of
from sources.errors import NotJson
from sources.http import ApiError, HttpClient, Refusal, Response

COMPLIANCE_API = claude_api(
    name="the Compliance API",
    section="claude_compliance",
    reads="the activity feed",
    key_advice="Every request needs one with the scope read:compliance_activities; the primary "
    "owner switches the API on\nand creates the key in claude.ai.",
    what_it_takes="The organisation may not have the Compliance API, which its primary owner "
    "switches on,\nthe path may be another one ([sources.claude_compliance] activities_path)",
)
PAGE_SIZE = 5000


class LostCursor(ApiError):
    """A page cursor that the API gave leads nowhere."""


@dataclass(frozen=True)
class Page:
    """One answer of the feed."""

    activities: list[Any]
    has_more: bool
    first_id: str | None
    last_id: str | None
    request_id: str | None


@dataclass
class Reading:
    """What the reading of one window brought; a window counts as read only if it is complete.

    Attributes:
        activity_count: Events that arrived, repeated ones included.
        first_id, last_id: The feed's own cursors around what arrived.
        error: Why it ended early.
        is_too_long: It ended early because a shorter window is the better one.
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

    @property
    def is_complete(self) -> bool:
        return self.error is None and not self.is_too_long

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
            return bool(self._page(params, f"before {days[number]}").activities)

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
        try:
            yield from self._pages(reading)
        except LostCursor:
            # Pages that shifted under the cursor: once more from the window's beginning.
            reading.start_over()
            try:
                yield from self._pages(reading)
            except ApiError as error:
                reading.error = error
        except ApiError as error:
            reading.error = error

    def _pages(self, reading: Reading) -> Iterator[pa.Table]:
        window = reading.window
        what = f"activities, {_text(window.start)} to {_text(window.end)}"
        params = {
            "created_at.gte": _text(window.start),
            "created_at.lt": _text(window.end),
            "limit": str(PAGE_SIZE),
        }
        cursors: set[str] = set()
        while True:
            page = self._page(params, what)
            table, rejected = rows_of(page.activities)
            reading.page_count += 1
            reading.activity_count += len(page.activities)
            reading.rejected += rejected
            reading.first_id = reading.first_id or page.first_id
            reading.last_id = page.last_id or reading.last_id
            reading.request_ids += [page.request_id] if page.request_id else []
            yield table
            if not page.has_more:
                return
            if reading.page_count >= MOST_PAGES and len(window.days) > 1:
                reading.is_too_long = True
                return
            if page.last_id is None or page.last_id in cursors:
                raise LostCursor(
                    f"{what}: the API says that there is more, and gives "
                    f"{'the same page cursor twice' if page.last_id else 'no page cursor'}.\n"
                    "Its pages would never end, so this window does not count as read.\n"
                    "Run again later; if it stays, tell Anthropic's support."
                )
            cursors.add(page.last_id)
            params = {**params, "after_id": page.last_id}

    def _page(self, params: dict[str, str], what: str) -> Page:
        def refusal(refused: Refusal) -> ApiError | None:
            is_cursor = refused.status in (400, 410) and "after_id" in params
            return LostCursor(refused.text) if is_cursor else None

        return self._client.get(
            self._path,
            params,
            what=what,
            read=lambda response: page_of(response, self._client.base_url, what),
            count_as="activities",
            refusal=refusal,
        )


def page_of(response: Response, base_url: str, what: str) -> Page:
    """The page in an answer.

    Raises:
        NotJson: The body is not one complete JSON object.
        ApiError: It has no list of events, which is not an empty one.
    """
    try:
        # NaN and Infinity are no JSON; a column that holds them could not be read.
        body = json.loads(response.content, parse_constant=lambda _: None)
    except ValueError:
        raise NotJson from None
    if not isinstance(body, dict):
        raise NotJson
    activities = body.get("data")
    if not isinstance(activities, list):
        raise ApiError(
            f"{what}: the answer has no list data.\n"
            "That is not an empty feed, so nothing was stored.\n"
            f"Check that {base_url} is the Compliance API, and activities_path in "
            "[sources.claude_compliance]."
        )
    return Page(
        activities=activities,
        has_more=body.get("has_more") is True,
        first_id=_id_or_none(body.get("first_id")),
        last_id=_id_or_none(body.get("last_id")),
        request_id=response.headers.get("request-id"),
    )


def _id_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _text(moment: datetime) -> str:
    """RFC 3339 with zone; a bare date is refused (reference: Compliance API, section 2)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
