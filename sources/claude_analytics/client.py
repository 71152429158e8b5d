"""HTTP only: key, pages, rate budget, retries, and what a refusal means."""

import logging
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from email.utils import format_datetime
from math import isfinite
from time import monotonic
from types import TracebackType
from typing import Self

import httpx
import stamina

from sources.claude_analytics.endpoints import Endpoint, Params
from sources.claude_analytics.pages import (
    ForeignCurrency,
    MissingList,
    NotJson,
    Page,
    page_of_body,
)
from sources.errors import ForeseenError
from sources.rate_budget import RateBudget

API_VERSION = "2026-10-21"
RETRIED_STATUSES = {408, 409, 429, *range(500, 600)}
ATTEMPTS = 7
UNREACHABLE_SECONDS = 60
HTML_ATTEMPTS = 3
LONGEST_PAUSE_SECONDS = 600.0

log = logging.getLogger(__name__)
stamina.instrumentation.set_on_retry_hooks([])  # We log what went wrong ourselves.


class ApiError(ForeseenError):
    """The API did not give the rows that were asked for, and asking again does not help."""


class Unreachable(ApiError):
    """No answer from the host."""


class Refused(ApiError):
    """This key or organisation may not read this endpoint."""


class KeyRefused(Refused):
    """The API does not accept the key at all."""


class NotTheApi(ApiError):
    """Web pages instead of JSON: something else answers at this address."""


class WrongCurrency(ApiError):
    """Amounts are not in US dollars."""


class NotAvailable(ApiError):
    """The API does not have some of these days: too recent, or too old.

    Attributes:
        oldest, newest: The bounds of what the API has, by its own answer; it gives one of them.
    """

    def __init__(self, message: str, *, oldest: date = date.min, newest: date = date.max) -> None:
        super().__init__(message)
        self.oldest = oldest
        self.newest = newest


class _Retry(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, reason: str, *, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds


class _NoConnection(_Retry):
    pass


class _Html(_Retry):
    pass


class Client:
    """Reads pages of the Analytics API. Safe to use from many threads."""

    def __init__(
        self, *, base_url: str, api_key: str, budget: RateBudget, clock: datetime | None = None
    ) -> None:
        """`clock`: the run's clock where it was set by hand; a sandbox then answers as of it."""
        self._base_url = _checked_base_url(base_url)
        self._api_key = _checked_key(api_key)
        self._budget = budget
        self.requests_by_table: Counter[str] = Counter()
        self._counting = threading.Lock()
        headers = {"x-api-key": self._api_key, "anthropic-version": API_VERSION}
        if clock and httpx.URL(self._base_url).host in ("127.0.0.1", "localhost"):
            headers["date"] = format_datetime(clock, usegmt=True)
        self._http = httpx.Client(
            base_url=self._base_url,
            headers=headers,
            timeout=httpx.Timeout(120, connect=10),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=4),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._budget.close()
        self._http.close()

    @property
    def request_count(self) -> int:
        """Requests sent, each attempt counted."""
        return self.requests_by_table.total()

    def pages(self, endpoint: Endpoint, first: date, last: date) -> Iterator[Page]:
        """All pages of the endpoint's rows for the UTC days from first to last.

        Raises:
            ApiError: No answer, a refusal, or one that makes no sense.
        """
        params = endpoint.params(first, last)
        seen: set[str] = set()
        while True:
            page = self._page(endpoint, params, first, last)
            yield page
            if page.next_page is None:
                return
            if page.next_page in seen:
                raise ApiError(
                    f"{_what(endpoint, first)}: the API gave the same page cursor twice,\n"
                    "so its pages would never end. Nothing of this day was stored.\n"
                    "Run again later; if it stays, tell Anthropic's support."
                )
            seen.add(page.next_page)
            params = {**params, "page": page.next_page}

    def _page(self, endpoint: Endpoint, params: Params, first: date, last: date) -> Page:
        started = monotonic()
        html_answers = 0

        def wait_before_retry(error: Exception) -> bool | float:
            nonlocal html_answers
            log.info("%s: %s", _what(endpoint, first), error)
            if isinstance(error, _NoConnection):
                return monotonic() - started < UNREACHABLE_SECONDS
            if isinstance(error, _Html):
                html_answers += 1
                return html_answers < HTML_ATTEMPTS
            if isinstance(error, _Retry) and error.wait_seconds is not None:
                # The budget pauses every thread; this one then waits there, not twice.
                return 0.0
            return isinstance(error, _Retry)

        try:
            for attempt in stamina.retry_context(
                on=wait_before_retry,
                attempts=ATTEMPTS,
                timeout=None,
                wait_initial=1.0,
                wait_max=30.0,
                wait_jitter=0.5,
            ):
                with attempt:
                    return self._attempt(endpoint, params, first, last)
        except _Html:
            raise NotTheApi(
                f"{_what(endpoint, first)}: {self._base_url} answers with a web page, not JSON.\n"
                "A proxy or a sign-in page stands before the API, or base_url is wrong.\n"
                "Check [sources.claude_analytics] base_url and the network, then run again."
            ) from None
        except _NoConnection as error:
            raise Unreachable(
                f"{self._base_url} cannot be reached ({error}), tried for "
                f"{monotonic() - started:.0f} s.\n"
                "The name may be wrong, or the network, a proxy or the service is down.\n"
                "Check [sources.claude_analytics] base_url and the network, then run again; "
                "what was loaded stays."
            ) from None
        except _Retry as error:
            raise ApiError(
                f"{_what(endpoint, first)}: {error}, {ATTEMPTS} times in a row at most.\n"
                f"The service at {self._base_url} has a fault, or it is not the Analytics API.\n"
                "Run again later; the day stays planned until it is loaded."
            ) from None
        raise AssertionError("the retry loop returns or raises")

    def _attempt(self, endpoint: Endpoint, params: Params, first: date, last: date) -> Page:
        with self._budget.slot():
            with self._counting:
                self.requests_by_table[endpoint.table] += 1
            try:
                response = self._http.get(endpoint.path, params=params)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise _NoConnection(str(error) or type(error).__name__) from None
            except httpx.RequestError as error:
                raise _Retry(f"the connection was lost ({type(error).__name__})") from None
        if response.status_code in RETRIED_STATUSES:
            wait_seconds = _retry_after_seconds(response)
            if wait_seconds is not None:
                self._budget.pause(wait_seconds)
            if response.headers.get("x-should-retry") == "false":
                raise ApiError(self._refusal_text(endpoint, first, response))
            raise _Retry(f"the API answers {response.status_code}", wait_seconds=wait_seconds)
        if response.status_code != 200:
            raise self._refusal(endpoint, first, last, response)
        try:
            page = page_of_body(endpoint, response.content, first)
        except NotJson:
            if response.content.lstrip()[:1] == b"<":
                raise _Html("the answer is a web page, not JSON") from None
            raise _Retry("the answer is not complete JSON") from None
        except ForeignCurrency as error:
            raise WrongCurrency(
                f"{_what(endpoint, first)}: amounts are in {error}, not in USD.\n"
                "Every table of ours says US dollars, so the run stops here; this day was not "
                "stored.\nPlease report it: other currencies are not supported."
            ) from None
        except MissingList:
            raise ApiError(
                f"{_what(endpoint, first)}: the answer has no list {' or '.join(endpoint.items)}.\n"
                "That is not an empty day, so nothing was stored.\n"
                f"Check that {self._base_url} is the Analytics API, then run again."
            ) from None
        log.info(
            "%s %s: %d rows (%s)",
            endpoint.path,
            first,
            len(page.rows),
            response.headers.get("request-id", "no request id"),
        )
        return page

    def _refusal(
        self, endpoint: Endpoint, first: date, last: date, response: httpx.Response
    ) -> ApiError:
        text = self._refusal_text(endpoint, first, response)
        error = _error_of(response)
        if response.status_code in (401, 402):
            return KeyRefused(text)
        if response.status_code in (403, 404):
            return Refused(text)
        if response.status_code == 400:
            if error.get("error_code") == "organization_type_not_supported":
                return Refused(text)
            bound = _bound_in(error["message"], first, last)
            if bound:
                return NotAvailable(text, **bound)
        return ApiError(text)

    def _refusal_text(self, endpoint: Endpoint, first: date, response: httpx.Response) -> str:
        """What happened, why, and what to do; with the API's own words, without the key."""
        status = response.status_code
        message = _error_of(response)["message"].replace(self._api_key, "[key]")
        where = f"({status} for {_what(endpoint, first)})"
        key_setting = "SOURCES__CLAUDE_ANALYTICS__API_KEY or api_key in .dlt/secrets.toml"
        scopes = re.search(r"Got: \[(.*?)\].*Needed: \[(.*?)\]", message)
        if status == 401:
            return (
                f"The API does not accept the key {where}.\n"
                f'It says "{message}": the key is wrong, revoked, or was cut when it was copied.\n'
                f"Check {key_setting}."
            )
        if status == 403 and scopes:
            held, needed = (text.replace("'", "") or "no scope" for text in scopes.groups())
            return (
                f"The key may not read analytics {where}.\n"
                f"It holds {held}; this API needs {needed}.\n"
                "Create a key with that scope, then set SOURCES__CLAUDE_ANALYTICS__API_KEY."
            )
        advice = {
            402: "An account or billing problem of the organisation; its owner can mend it.",
            403: "API access may be switched off for the organisation, or for this key.\n"
            "The primary owner can check it in claude.ai: organisation settings, API page.",
            404: "The key may lack access to analytics, the organisation may not have this "
            f"endpoint,\nor {self._base_url} is not the API.\n"
            "Check base_url, the plan (Claude Enterprise), and the key's scope (read:analytics).",
            400: "The API does not take this request. Days before its window are gone there; "
            "check --from,\n[sources.claude_analytics] window_days and lag_days.",
        }.get(status, f"Check [sources.claude_analytics] base_url ({self._base_url}).")
        says = f'It says "{message}".\n' if message else ""
        return f"The API refuses the request {where}.\n{says}{advice}"


def _what(endpoint: Endpoint, first: date) -> str:
    return f"{endpoint.table}, day {first}"


def _error_of(response: httpx.Response) -> dict[str, str]:
    """The message and error code of an error body; empty text where it has none."""
    try:
        error = response.json()["error"]
        details = error.get("details") or {}
        return {
            "message": str(error.get("message", "")),
            "error_code": str(details.get("error_code", "")),
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"message": "", "error_code": ""}


def _bound_in(message: str, first: date, last: date) -> dict[str, date]:
    """`oldest` or `newest`: the day that a refusal of these days says the API begins or ends with.

    The wording is not published, only that the newest day is in it (reference: section 2.2). The
    first asked day that the message names is the one that was wrong; a series may be named by the
    day after its end.
    """
    named = []
    for text in re.findall(r"\d{4}-\d{2}-\d{2}", message):
        with suppress(ValueError):
            named.append(date.fromisoformat(text))
    asked = (first, last, last + timedelta(days=1)) if first < last else (first,)
    wrong = next((day for day in named if day in asked), None)
    if wrong is None:
        return _nearer_bound(named, first, last)
    earlier = [day for day in named if day < wrong]
    if earlier:
        return {"newest": max(earlier)}
    later = [day for day in named if day > wrong]
    return {"oldest": min(later)} if later and wrong == first else {}


def _nearer_bound(named: Sequence[date], first: date, last: date) -> dict[str, date]:
    """The same for a message that names no asked day: its bound is near the end it cuts off."""
    if not named:
        return {}
    newest, oldest = max(named), min(named)
    if newest < first or (oldest <= last and last - newest <= oldest - first):
        return {"newest": newest}
    return {"oldest": oldest}


def _retry_after_seconds(response: httpx.Response) -> float | None:
    try:
        seconds = float(response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS) if isfinite(seconds) else None


def _checked_key(api_key: str) -> str:
    key = api_key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ForeseenError(
            f"There is {'no' if not key else 'no usable'} API key for the Analytics API.\n"
            "Every request needs one with the scope read:analytics; "
            "the primary owner creates it in claude.ai.\n"
            "Set SOURCES__CLAUDE_ANALYTICS__API_KEY, or api_key in .dlt/secrets.toml. "
            "To look around without a key: claude-warehouse demo."
        )
    return key


def _checked_base_url(base_url: str) -> str:
    try:
        url = httpx.URL(base_url.strip().rstrip("/"))
        usable = (
            url.scheme in ("http", "https")
            and url.host
            and url.path in ("", "/")
            and not url.query
            and not url.userinfo
            and not url.fragment
            # What no name server could be asked for: an empty or too long part of the name.
            and all(0 < len(part) < 64 for part in url.raw_host.rstrip(b".").split(b"."))
        )
    except httpx.InvalidURL:
        usable = False
    if not usable:
        raise ForeseenError(
            f"[sources.claude_analytics] base_url is {base_url!r}.\n"
            "It is scheme and host only; paths are added by each endpoint.\n"
            "Write it as https://api.anthropic.com."
        )
    return str(url)
