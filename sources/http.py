"""HTTP for every source: the key, the rate budget, retries, and what a refusal means."""

import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from math import isfinite
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import stamina

from sources.errors import ForeseenError, NotJson
from sources.rate_budget import RateBudget

RETRIED_STATUSES = {408, 409, 429, *range(500, 600)}
ATTEMPTS = 7
UNREACHABLE_SECONDS = 60
HTML_ATTEMPTS = 3
LONGEST_PAUSE_SECONDS = 600.0

Response = httpx.Response
Answer = TypeVar("Answer")

log = logging.getLogger(__name__)
stamina.instrumentation.set_on_retry_hooks([])  # We log what went wrong ourselves.


class ApiError(ForeseenError):
    """The API did not give what was asked for, and asking again does not help.

    Attributes:
        status: Of the answer that says so; 0 where none does.
    """

    status = 0


class Unreachable(ApiError):
    """No answer from the host."""


class Refused(ApiError):
    """This key or organisation may not read this."""


class KeyRefused(Refused):
    """The API does not accept the key at all."""


class NotTheApi(ApiError):
    """Web pages instead of JSON: something else answers at this address."""


class Expired(ApiError):
    """The cursor's data was refreshed since its first page: the pages begin anew."""


class _Retry(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, reason: str, *, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds


class _NoConnection(_Retry):
    pass


class _Html(_Retry):
    pass


@dataclass(frozen=True, kw_only=True)
class Api:
    """An API as messages name it, and where its settings are.

    Attributes:
        name: As in "the Analytics API".
        section: Its settings are in `[sources.<section>]`.
        reads: What its key is for, as in "The key may not read …".
        base_url: Where it usually is.
        key_header: Header and prefix that carry the key; None: it takes none.
        key_advice: Which key it needs, and who creates it; a whole sentence.
        headers: Sent with every request.
        what_it_takes: What the organisation or key needs for a path not to be answered with 404.
        if_forbidden: What to do about a 403 that names no scope.
        if_not_taken: What to do about a 400.
        not_for_this_organisation: Error codes that say so, whatever their status.
    """

    name: str
    section: str
    reads: str
    base_url: str
    key_header: tuple[str, str] | None
    key_advice: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    what_it_takes: str
    if_forbidden: str = ""
    if_not_taken: str = ""
    not_for_this_organisation: frozenset[str] = frozenset()

    @property
    def key_variable(self) -> str:
        return f"SOURCES__{self.section.upper()}__API_KEY"


@dataclass(frozen=True)
class Refusal:
    """An answer other than 200: its status, the API's own words, and our message."""

    status: int
    message: str
    error_code: str
    text: str


class HttpClient:
    """Reads one API. Safe to use from many threads.

    Attributes:
        server_now: What the newest answer, of any status, said that the time is, in UTC.
    """

    def __init__(
        self,
        api: Api,
        *,
        base_url: str,
        api_key: str | None,
        budget: RateBudget,
        clock: datetime | None = None,
    ) -> None:
        """`clock`: the run's clock where it was set by hand; a sandbox then answers as of it.

        Raises:
            ForeseenError: No usable key or address.
        """
        self.api = api
        self.base_url = _checked_base_url(api, base_url)
        self._budget = budget
        self.requests_by: Counter[str] = Counter()
        self.server_now: datetime | None = None
        self._counting = threading.Lock()
        sent = dict(api.headers)
        self._api_key = ""
        if api.key_header:
            header, prefix = api.key_header
            self._api_key = _checked_key(api, api_key or "")
            sent[header] = prefix + self._api_key
        if clock and httpx.URL(self.base_url).host in ("127.0.0.1", "localhost"):
            sent["date"] = format_datetime(clock, usegmt=True)
        self._http = httpx.Client(
            base_url=self.base_url,
            headers=sent,
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
        return self.requests_by.total()

    def get(
        self,
        path: str,
        params: Mapping[str, Any],
        *,
        what: str,
        read: Callable[[Response], Answer],
        headers: Mapping[str, str] | None = None,
        count_as: str = "",
        refusal: Callable[[Refusal], ApiError | None] = lambda _: None,
    ) -> Answer:
        """What `read` makes of the answer to a GET; it may raise NotJson, and is then asked again.

        `what` names the request in messages, `count_as` in `requests_by`. `refusal` may turn an
        answer other than 200 into an error of its own.

        Raises:
            ApiError: No answer, a refusal, or one that makes no sense.
        """
        request = self._http.build_request("GET", path, params=params, headers=headers)
        return self._send(request, what, read, count_as or what, refusal)

    def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        what: str,
        read: Callable[[Response], Answer],
        headers: Mapping[str, str] | None = None,
        count_as: str = "",
        refusal: Callable[[Refusal], ApiError | None] = lambda _: None,
    ) -> Answer:
        """The same for a POST of JSON, where an API is asked that way; it has to change nothing.

        Raises:
            ApiError: No answer, a refusal, or one that makes no sense.
        """
        request = self._http.build_request("POST", path, json=body, headers=headers)
        return self._send(request, what, read, count_as or what, refusal)

    def _send(
        self,
        request: httpx.Request,
        what: str,
        read: Callable[[Response], Answer],
        count_as: str,
        refusal: Callable[[Refusal], ApiError | None],
    ) -> Answer:
        started = monotonic()
        html_answers = 0

        def wait_before_retry(error: Exception) -> bool | float:
            nonlocal html_answers
            log.info("%s: %s", what, error)
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
                    return self._attempt(request, what, read, count_as, refusal)
        except _Html:
            raise NotTheApi(
                f"{what}: {self.base_url} answers with a web page, not JSON.\n"
                "A proxy or a sign-in page stands before the API, or base_url is wrong.\n"
                f"Check [sources.{self.api.section}] base_url and the network, then run again."
            ) from None
        except _NoConnection as error:
            raise Unreachable(
                f"{self.base_url} cannot be reached ({error}), tried for "
                f"{monotonic() - started:.0f} s.\n"
                "The name may be wrong, or the network, a proxy or the service is down.\n"
                f"Check [sources.{self.api.section}] base_url and the network, then run again; "
                "what was loaded stays."
            ) from None
        except _Retry as error:
            raise ApiError(
                f"{what}: {error}, {ATTEMPTS} times in a row at most.\n"
                f"The service at {self.base_url} has a fault, or it is not {self.api.name},\n"
                f"or it allows fewer requests than [sources.{self.api.section}] says.\n"
                "Run again later; what is missing stays planned until it is loaded."
            ) from None
        raise AssertionError("the retry loop returns or raises")

    def _attempt(
        self,
        request: httpx.Request,
        what: str,
        read: Callable[[Response], Answer],
        count_as: str,
        refusal: Callable[[Refusal], ApiError | None],
    ) -> Answer:
        with self._budget.slot():
            with self._counting:
                self.requests_by[count_as] += 1
            try:
                response = self._http.send(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise _NoConnection(str(error) or type(error).__name__) from None
            except httpx.RequestError as error:
                raise _Retry(f"the connection was lost ({type(error).__name__})") from None
        self.server_now = _moment(response.headers.get("date", "")) or self.server_now
        if response.status_code in RETRIED_STATUSES:
            wait_seconds = _retry_after_seconds(response)
            if wait_seconds is not None:
                self._budget.pause(wait_seconds)
            if response.headers.get("x-should-retry") == "false":
                raise ApiError(self._refusal(what, response).text)
            own_words, _ = _own_words(response)
            said = f' ("{self._without_key(own_words)}")' if own_words else ""
            raise _Retry(f"the API answers {response.status_code}{said}", wait_seconds=wait_seconds)
        if response.status_code != 200:
            refused = self._refusal(what, response)
            refusal_error = refusal(refused) or _error_of(self.api, refused)
            refusal_error.status = refused.status
            raise refusal_error
        try:
            answer = read(response)
        except NotJson:
            if response.content.lstrip()[:1] == b"<":
                raise _Html("the answer is a web page, not JSON") from None
            raise _Retry("the answer is not complete JSON") from None
        log.info("%s: answered (%s)", what, response.headers.get("request-id", "no request id"))
        return answer

    def _without_key(self, text: str) -> str:
        return text.replace(self._api_key, "[key]") if self._api_key else text

    def _refusal(self, what: str, response: Response) -> Refusal:
        """What happened, why, and what to do; with the API's own words, without the key."""
        status = response.status_code
        own_words, error_code = _own_words(response)
        message = self._without_key(own_words)
        where = f"({status} for {what})"
        api = self.api
        scopes = re.search(r"Got: \[(.*?)\].*Needed: \[(.*?)\]", message)
        if status == 401:
            text = (
                f"The API does not accept the key {where}.\n"
                f'It says "{message}": the key is wrong, revoked, or was cut when it was copied.\n'
                f"Check {api.key_variable} or api_key in .dlt/secrets.toml."
            )
        elif status == 403 and scopes:
            held, needed = (text.replace("'", "") or "no scope" for text in scopes.groups())
            text = (
                f"The key may not read {api.reads} {where}.\n"
                f"It holds {held}; this API needs {needed}.\n"
                f"Create a key with that scope, then set {api.key_variable}."
            )
        else:
            advice = {
                402: "An account or billing problem of the organisation; its owner can mend it.",
                403: api.if_forbidden,
                410: "The data was refreshed while its pages were read, so they do not belong "
                "together.\nNothing of these days was stored. Run again later.",
                404: f"{api.what_it_takes},\nor {self.base_url} is not the API.\n"
                f"Check [sources.{api.section}] base_url, the plan and the key.",
                400: api.if_not_taken,
            }.get(status, f"Check [sources.{api.section}] base_url ({self.base_url}).")
            says = f'It says "{message}".\n' if message else ""
            text = f"The API refuses the request {where}.\n{says}{advice}"
        return Refusal(status, message, error_code, text)


def _error_of(api: Api, refusal: Refusal) -> ApiError:
    if refusal.status in (401, 402):
        return KeyRefused(refusal.text)
    if refusal.status in (403, 404) or refusal.error_code in api.not_for_this_organisation:
        return Refused(refusal.text)
    return Expired(refusal.text) if refusal.status == 410 else ApiError(refusal.text)


def _own_words(response: Response) -> tuple[str, str]:
    """The message and error code of an error body; empty text where it has none."""
    try:
        body = response.json()
        error = body.get("error") or ""
        if isinstance(error, str):  # as Langdock has it
            return str(body.get("message") or error), error
        details = error.get("details") or {}
        return str(error.get("message", "")), str(details.get("error_code", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""


def _moment(text: str) -> datetime | None:
    """A moment as HTTP writes it, in UTC."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _retry_after_seconds(response: Response) -> float | None:
    try:
        seconds = float(response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS) if isfinite(seconds) else None


def _checked_key(api: Api, api_key: str) -> str:
    key = api_key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ForeseenError(
            f"There is {'no' if not key else 'no usable'} API key for {api.name}.\n"
            f"{api.key_advice}\n"
            f"Set {api.key_variable}, or api_key in .dlt/secrets.toml. "
            "To look around without a key: claude-warehouse demo."
        )
    return key


def _checked_base_url(api: Api, base_url: str) -> str:
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
            f"[sources.{api.section}] base_url is {base_url!r}.\n"
            "It is scheme and host only; paths are added by each endpoint.\n"
            f"Write it as {api.base_url}."
        )
    return str(url)
