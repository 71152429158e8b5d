"""What the API refuses, and how it says so; pure rules (analytics.md 2, 3, 4 and 6)."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sources.sandbox.organisation import FIRST_DAY, Days

ONE_DAY = timedelta(days=1)

ERRORS = {
    400: ("invalid_request_error", "Invalid request"),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "There is a problem with your account's billing."),
    403: ("permission_error", "API access is disabled for this organization."),
    404: ("not_found_error", "Not found"),
    409: ("conflict_error", "Conflict"),
    410: (
        "invalid_request_error",
        "The page cursor has expired. Restart pagination from the first page.",
    ),
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
    """An answer that is an error: status, message, seconds to wait before trying again, cause."""

    def __init__(
        self, status: int, message: str = "", *, retry_after: int | None = None, code: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after
        self.code = code


def error_body(refusal: Refusal, request_id: str) -> dict[str, object]:
    """The documented envelope; an empty message becomes the status's usual one."""
    kind, usual = ERRORS.get(refusal.status, ("api_error", "Error"))
    details = {"details": {"error_code": refusal.code}} if refusal.code else {}
    return {
        "type": "error",
        "error": {"type": kind, "message": refusal.message or usual, **details},
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


BUNDLES = {"read:org_audit": {"read:members", "read:rbac_groups", "read:compliance_activities"}}
"""Scope -> the scopes that it stands for."""


def check_key(
    headers: Mapping[str, str], api_key: str, scopes: Sequence[str], needed: Sequence[str]
) -> None:
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    if api_key not in (headers.get("x-api-key"), bearer):
        raise Refusal(401)
    held = set(scopes).union(*(BUNDLES.get(scope, ()) for scope in scopes))
    if not set(needed) <= held:
        raise Refusal(403, f"Missing required scopes. Got: {list(scopes)} Needed: {list(needed)}")


def check_invented(today: date, last_day: date) -> None:
    if today > last_day:
        raise Refusal(400, f"The sandbox was invented only to {last_day}.")


def check_offered(is_offered: bool) -> None:
    """See that an endpoint is there for an organisation of this kind."""
    if not is_offered:
        raise Refusal(
            400,
            "This endpoint is not available for this type of organization.",
            code="organization_type_not_supported",
        )


def requested_days(
    params: Mapping[str, str], limits: Limits, today: date, *, is_series: bool, has_pages: bool
) -> Days:
    """The days that the parameters ask for.

    Raises:
        Refusal: They ask for something that the API, or this sandbox, does not answer.
    """
    known = {"starting_date", "ending_date"} if is_series else {"date"}
    known |= {"limit", "page"} if has_pages else set()
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
