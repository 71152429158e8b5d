"""What the API refuses, and how it says so; pure rules (analytics.md 2, 3, 4 and 6)."""

import base64
import hashlib
import json
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sources.claude_analytics.endpoints import Endpoint
from sources.sandbox.organisation import FIRST_DAY, Days

ONE_DAY = timedelta(days=1)
LARGEST_PAGE = 1000
DEFAULT_PAGE = 100

ERRORS = {
    400: ("invalid_request_error", "Invalid request"),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "There is a problem with your account's billing."),
    403: ("permission_error", "API access is disabled for this organization."),
    404: ("not_found_error", "Not found"),
    409: ("conflict_error", "Conflict"),
    429: (
        "rate_limit_error",
        "This request would exceed the rate limit for your organization. Retry later.",
    ),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "Request timed out"),
    529: ("overloaded_error", "Overloaded"),
}
"""Status -> documented type and a message."""


class Refusal(Exception):
    """An answer that is an error: status, message, and seconds to wait before trying again."""

    def __init__(self, status: int, message: str = "", retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


def error_body(status: int, message: str, request_id: str) -> dict[str, object]:
    """The documented envelope; an empty message becomes the status's usual one."""
    kind, usual = ERRORS.get(status, ("api_error", "Error"))
    return {
        "type": "error",
        "error": {"type": kind, "message": message or usual},
        "request_id": request_id,
    }


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Which days the API answers for, counted from its today."""

    lag_days: int
    window_days: int
    summaries_days: int

    def newest(self, today: date) -> date:
        return today - timedelta(days=self.lag_days)

    def oldest(self, today: date) -> date:
        return max(FIRST_DAY, today - timedelta(days=self.window_days))


class RateWindow:
    """Admits so many requests in any 60 seconds; refused ones do not count."""

    def __init__(self, requests_per_minute: int | None) -> None:
        self._most = requests_per_minute
        self._admitted: deque[float] = deque()

    def seconds_to_wait(self, now: float) -> int:
        """0 if a request at `now` is admitted, else whole seconds until one would be."""
        while self._admitted and self._admitted[0] <= now - 60:
            self._admitted.popleft()
        if self._most is not None and len(self._admitted) >= self._most:
            return math.ceil(self._admitted[0] + 60 - now)
        self._admitted.append(now)
        return 0


def check_key(headers: Mapping[str, str], api_key: str, scopes: tuple[str, ...]) -> None:
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    if api_key not in (headers.get("x-api-key"), bearer):
        raise Refusal(401)
    needed = ["read:analytics"]
    if not set(needed) <= set(scopes):
        raise Refusal(403, f"Missing required scopes. Got: {list(scopes)} Needed: {needed}")


def requested_days(
    endpoint: Endpoint, params: Mapping[str, str], limits: Limits, today: date
) -> Days:
    """The days that the parameters ask for.

    Raises:
        Refusal: They ask for something that the API, or this sandbox, does not answer.
    """
    is_series = endpoint.day_column is not None
    known = {"limit", "page"} | ({"starting_date", "ending_date"} if is_series else {"date"})
    if {"date", "starting_date"} <= params.keys():
        raise Refusal(400, "date: use either `date` or `starting_date`, not both.")
    for name in sorted(params.keys() - known):
        raise Refusal(400, f"{name}: not supported by the sandbox on this endpoint.")
    first = checked_day("starting_date" if is_series else "date", params, limits, today)
    if not is_series:
        return first, first
    if "ending_date" not in params:
        return first, limits.newest(today)
    end = parsed_day("ending_date", params)
    if end <= first:
        raise Refusal(400, "ending_date: must be after starting_date.")
    if (end - first).days > limits.summaries_days:
        raise Refusal(400, f"ending_date: at most {limits.summaries_days} days per request.")
    check_not_too_recent("ending_date", end - ONE_DAY, limits, today)
    return first, end - ONE_DAY


def parsed_day(name: str, params: Mapping[str, str]) -> date:
    try:
        return date.fromisoformat(params[name])
    except KeyError:
        raise Refusal(400, f"{name}: Field required") from None
    except ValueError:
        raise Refusal(400, f"{name}: must be a date in YYYY-MM-DD format.") from None


def checked_day(name: str, params: Mapping[str, str], limits: Limits, today: date) -> date:
    day = parsed_day(name, params)
    if day < FIRST_DAY:
        raise Refusal(400, f"{name}: must be on or after {FIRST_DAY}.")
    check_not_too_recent(name, day, limits, today)
    if day < limits.oldest(today):
        raise Refusal(
            400,
            f"{name}: {day} is more than {limits.window_days} days ago."
            f" The earliest available day is {limits.oldest(today)}.",
        )
    return day


def check_not_too_recent(name: str, day: date, limits: Limits, today: date) -> None:
    newest = limits.newest(today)
    if day > newest:
        raise Refusal(
            400, f"{name}: {day} is not available yet. The most recent available day is {newest}."
        )


def page_size(params: Mapping[str, str]) -> int:
    text = params.get("limit", str(DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LARGEST_PAGE):
        raise Refusal(400, f"limit: must be between 1 and {LARGEST_PAGE}.")
    return int(text)


def cursor(path: str, params: Mapping[str, str], offset: int) -> str:
    """The opaque page token that continues this query after `offset` rows."""
    query = json.dumps([path, sorted((k, v) for k, v in params.items() if k != "page")])
    token = json.dumps([hashlib.sha256(query.encode()).hexdigest()[:16], offset])
    return "page_" + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def page_offset(path: str, params: Mapping[str, str]) -> int:
    """How many rows earlier pages brought; a cursor belongs to its query."""
    page = params.get("page")
    if page is None:
        return 0
    text = page.removeprefix("page_")
    try:
        offset = int(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))[1])
    except (ValueError, TypeError, IndexError, KeyError):
        raise Refusal(400, "page: invalid cursor") from None
    if page != cursor(path, params, offset):
        raise Refusal(400, "cursor does not match current query parameters")
    return offset
