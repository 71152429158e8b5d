"""HTTP for every source: the key, the rate budget, retries, bounds, and what a refusal means."""

import json
import logging
import random
import re
import socket
import ssl
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from math import isfinite
from time import monotonic
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar
from urllib.parse import urlsplit

import httpcore
import httpx

from sources.errors import ForeseenError, NotJson, NotWhole
from sources.network import Transport, causes, certificates, is_loopback, proxy_for
from sources.rate_budget import LONGEST_PAUSE_SECONDS, PausedForLong, RateBudget

RETRIED_STATUSES = {408, 409, 429, *range(500, 600)}
ATTEMPTS = 7
FIRST_STEP_SECONDS = 1.0
LONGEST_STEP_SECONDS = 30.0
UNREACHABLE_SECONDS = 60
SOON_SECONDS = 5
"""A wait that may become longer is said after this time."""
CONNECT_SECONDS = 5
SILENCE_SECONDS = 120
MEGABYTE = 1_000_000
MOST_ERROR_BYTES = 1 * MEGABYTE
LONGEST_WORDS = 500

_FAILURES = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)
Response = httpx.Response
Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


class ApiError(ForeseenError):
    """The API did not give what was asked for, and asking again does not help.

    Attributes:
        status: Of the answer that says so; 0 where none does.
    """

    status = 0


class Unreachable(ApiError):
    """No answer from the host, and so none to any other question of this source."""


class Untrusted(Unreachable):
    """Its certificate, or ours, is refused."""


class NotNow(Unreachable):
    """The API asks for a pause that is longer than a run waits."""


class Refused(ApiError):
    """This key or organisation may not read this; asked again, the answer is the same."""


class KeyRefused(Refused):
    """The API does not accept the key at all."""


class NotTheApi(ApiError):
    """Web pages instead of JSON: something else answers at this address."""


class Expired(ApiError):
    """The cursor's data was refreshed since its first page: the pages begin anew."""


class _Retry(Exception):
    """An attempt failed in a way that may pass.

    Attributes:
        attempts: How many such failures end the request.
        wait_seconds: The pause before the next attempt; None: the step of the backoff.
    """

    attempts: ClassVar[int] = ATTEMPTS

    def __init__(self, reason: str, *, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds


class _NoConnection(_Retry):
    pass


class _NoSuchName(_NoConnection):
    attempts = 3  # About 3 s: a name that does not exist will not appear.


class _TooMany(_Retry):
    """The API allows no more requests for now."""


class _Html(_Retry):
    attempts = 3


class _NotWhole(_Retry):
    attempts = 3


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
        most_megabytes: A longer answer is refused.
        what_it_takes: What the organisation or key needs for a path not to be answered with 404.
        if_forbidden: What to do about a 403 that names no scope.
        if_not_taken: What to do about a 400.
        if_not_whole: What becomes of what was read of an answer, or of pages, without their end.
        not_for_this_organisation: Error codes that say so, whatever their status.
    """

    name: str
    section: str
    reads: str
    base_url: str
    key_header: tuple[str, str] | None
    key_advice: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    most_megabytes: int
    what_it_takes: str
    if_forbidden: str = ""
    if_not_taken: str = ""
    if_not_whole: str
    not_for_this_organisation: frozenset[str] = frozenset()

    @property
    def key_variable(self) -> str:
        return f"SOURCES__{self.section.upper()}__API_KEY"


@dataclass(frozen=True)
class Connection:
    """How an API is reached, beside its address and key.

    Attributes:
        request_timeout_seconds: Within which a request has to be answered, all attempts together.
        allow_http: Whether its address may be http:// on another machine.
        client_certificate: PEM file with a certificate and its key, where the server asks for one.
    """

    request_timeout_seconds: float = 600
    allow_http: bool = False
    client_certificate: str | None = None


@dataclass(frozen=True)
class Refusal:
    """An answer other than 200: its status, the API's own words, and our message; another one where
    it is a page cursor that was refused."""

    status: int
    message: str
    error_code: str
    text: str
    text_of_cursor: str


@dataclass
class _Request:
    """A request and how it fares: failures by kind, seconds of attempts and between them."""

    http: httpx.Request
    what: str
    count_as: str
    failures: Counter[type[_Retry]] = field(default_factory=Counter)
    seconds: float = 0.0
    waited: float = 0.0

    @property
    def step(self) -> float:
        """The pause that the backoff has before the next attempt."""
        return _step(self.failures.total() + 1)


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
        connection: Connection | None = None,
    ) -> None:
        """`clock`: the run's clock where it was set by hand; a sandbox then answers as of it.

        Raises:
            ForeseenError: No usable key or address, or the environment's proxy or certificates
                cannot be used.
        """
        self.api = api
        self._connection = connection or Connection()
        self.base_url = _checked_base_url(api, base_url, self._connection.allow_http)
        url = httpx.URL(self.base_url)
        sent = {"accept-encoding": "gzip", **api.headers}
        self._api_key = ""
        if api.key_header:
            header, prefix = api.key_header
            self._api_key = _checked_key(api, api_key or "")
            sent[header] = prefix + self._api_key
        if clock and is_loopback(url.host):
            sent["date"] = format_datetime(clock, usegmt=True)
        self._budget = budget
        self.requests_by: Counter[str] = Counter()
        self.server_now: datetime | None = None
        self._counting = threading.Lock()
        self._probing = threading.Lock()
        self._bursts_refused = self._refused_in_a_row = 0
        self._is_told = False
        self._proxy = proxy_for(self.base_url)
        is_secured = url.scheme == "https" or (self._proxy and self._proxy.scheme == "https")
        self._transport = Transport(
            self._proxy,
            certificates(self._connection.client_certificate, api.section) if is_secured else None,
        )
        self._pool = Pool(self._transport.pool)
        self._http = httpx.Client(
            base_url=self.base_url,
            headers=sent,
            timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
            transport=self._pool,
            trust_env=False,
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
        """What `read` makes of the answer to a GET; it may raise NotJson or NotWhole, and is then
        asked again.

        `what` names the request in messages, `count_as` in `requests_by`. `refusal` may turn an
        answer other than 200 into an error of its own.

        Raises:
            ApiError: No answer, a refusal, or one that makes no sense.
        """
        request = self._http.build_request("GET", path, params=params, headers=headers)
        return self._send(_Request(request, what, count_as or what), read, refusal)

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
        return self._send(_Request(request, what, count_as or what), read, refusal)

    def _send(
        self,
        request: _Request,
        read: Callable[[Response], Answer],
        refusal: Callable[[Refusal], ApiError | None],
    ) -> Answer:
        while True:
            try:
                response = self._answer(request)
                return self._read(request, response, read, refusal)
            except PausedForLong as pause:
                raise self._not_now(pause.seconds) from None
            except _Retry as failure:
                log.info("%s: %s", request.what, failure)
                step = request.step if failure.wait_seconds is None else failure.wait_seconds
                request.failures[type(failure)] += 1
                seconds = request.seconds + request.waited
                if self._is_given_up(request, failure, seconds):
                    raise self._error_of(request, failure, seconds) from None
                if isinstance(failure, _NoConnection) and seconds + step >= SOON_SECONDS:
                    self._tell(
                        f"{self._way} cannot be reached yet ({failure}); "
                        f"trying for {UNREACHABLE_SECONDS - seconds:.0f} s more."
                    )
                self._budget.sleep(step)
                request.waited += step

    def _answer(self, request: _Request) -> Response:
        """The answer to one attempt, read to its end."""
        with self._turn(), self._budget.slot():
            burst = self._bursts_refused
            with self._counting:
                self.requests_by[request.count_as] += 1
            began = monotonic()
            self._transport.end_in(self._connection.request_timeout_seconds - request.seconds)
            try:
                response = self._received(request)
            except _FAILURES as error:
                if self._transport.is_over:
                    raise self._too_slow(request) from None
                raise self._failure(error) from None
            except httpcore.ProxyError as error:
                raise self._proxy_failure(str(error)) from None
            finally:
                request.seconds += monotonic() - began
        request_id = response.headers.get("request-id", "no request id")
        log.info("%s: answered %d (%s)", request.what, response.status_code, request_id)
        _DOWN.pop(self.base_url, None)
        self.server_now = _moment(response.headers.get("date", "")) or self.server_now
        if response.status_code == 429:
            self._hold_back(request, response, burst)
        self._refused_in_a_row = 0
        return response

    def _received(self, request: _Request) -> Response:
        # Past httpx's own sending, which reads what redirects and cookies say.
        answer = self._pool.handle_request(request.http)
        try:
            most = self.api.most_megabytes * MEGABYTE
            is_error = answer.status_code != 200
            content = _content(answer, MOST_ERROR_BYTES if is_error else most, cut=is_error)
        except _TooLong as found:
            raise ApiError(
                f"{request.what}: the answer is longer than {self.api.most_megabytes} MB"
                f"{found}, and none of {self.api.name} is so long.\n"
                f"It was not read any further. {self.api.if_not_whole}\n"
                f"Check that {self.base_url} is {self.api.name}; if it is, please report it."
            ) from None
        finally:
            answer.close()
        headers = [
            (name, value)
            for name, value in answer.headers.multi_items()
            if name not in ("content-encoding", "content-length", "transfer-encoding")
        ]
        return Response(answer.status_code, headers=headers, content=content)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """While the API refuses for their number, one request at a time sees if it still does."""
        with self._probing if self._refused_in_a_row else nullcontext():
            if self._refused_in_a_row:
                yield
                return
        yield

    def _hold_back(self, request: _Request, response: Response, burst: int) -> None:
        """Let every thread wait: the longer of what the API asks for and the backoff's step.

        Requests that were on their way together are refused together; they count once.
        """
        with self._counting:
            if burst == self._bursts_refused:
                self._bursts_refused += 1
                self._refused_in_a_row += 1
            step = _step(self._refused_in_a_row)
        self._pause(max(_retry_after_seconds(response) or 0.0, step), response.status_code)
        if response.headers.get("x-should-retry") == "false":
            return
        raise _TooMany(self._says(response), wait_seconds=0.0)

    def _read(
        self,
        request: _Request,
        response: Response,
        read: Callable[[Response], Answer],
        refusal: Callable[[Refusal], ApiError | None],
    ) -> Answer:
        status = response.status_code
        if status in RETRIED_STATUSES:
            asked = _retry_after_seconds(response)
            wait = None if asked is None else max(asked, request.step)
            if wait is not None and status != 429:
                self._pause(wait, status)
            if response.headers.get("x-should-retry") == "false":
                raise ApiError(self._refusal(request.what, response).text)
            # The budget pauses every thread; this one then waits there, not twice.
            raise _Retry(self._says(response), wait_seconds=None if wait is None else 0.0)
        if 300 <= status < 400:
            raise self._redirected(request, response)
        if status == 407 and self._proxy:
            raise self._proxy_failure("407")
        if status != 200:
            refused = self._refusal(request.what, response)
            error = refusal(refused) or _error_of(self.api, refused)
            error.status = status
            raise error
        try:
            answer = read(response)
        except NotWhole as contradiction:
            raise _NotWhole(str(contradiction)) from None
        except ApiError as error:
            # It may quote what the API sent.
            error.args = tuple(self._without_key(str(text)) for text in error.args)
            raise
        except (NotJson, RecursionError):
            if response.content.lstrip()[:1] == b"<":
                raise _Html("the answer is a web page, not JSON") from None
            raise _Retry("the answer is not complete JSON") from None
        return answer

    def _pause(self, seconds: float, status: int) -> None:
        self._budget.pause(seconds)
        if seconds > LONGEST_PAUSE_SECONDS:
            raise PausedForLong(seconds)
        if seconds > SOON_SECONDS:
            self._tell(f"{_opening(self.api.name)} asks for a pause of {seconds:.0f} s ({status}).")

    def _tell(self, text: str) -> None:
        """Say once why nothing seems to happen."""
        with self._counting:
            is_told, self._is_told = self._is_told, True
        log.log(logging.INFO if is_told else logging.WARNING, "%s", text)

    def _is_given_up(self, request: _Request, failure: _Retry, seconds: float) -> bool:
        if isinstance(failure, _NoConnection):
            if monotonic() - _DOWN.get(self.base_url, float("-inf")) < UNREACHABLE_SECONDS:
                return True
            _DOWN.pop(self.base_url, None)
            if seconds >= UNREACHABLE_SECONDS:
                return True
        return (
            request.failures[type(failure)] >= failure.attempts
            or request.failures.total() >= ATTEMPTS
            or (isinstance(failure, _TooMany) and self._refused_in_a_row >= ATTEMPTS)
        )

    @property
    def _way(self) -> str:
        return f"The proxy {self._proxy}" if self._proxy else self.base_url

    def _failure(self, error: Exception) -> Exception:
        """What a connection that failed means: another attempt, or an error that is final."""
        for cause in causes(error):
            if isinstance(cause, ssl.SSLError) and (final := self._distrust(cause)):
                return final
            if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
                return _NoSuchName(cause.strerror or str(cause))
        if isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout):
            return _NoConnection(str(error) or type(error).__name__)
        return _Retry(f"the connection was lost ({type(error).__name__})")

    def _distrust(self, error: ssl.SSLError) -> Untrusted | None:
        """The final error of a certificate or protocol that stays as it is."""
        section = f"[sources.{self.api.section}]"
        reason = str(error.reason or "").upper()
        code = getattr(error, "verify_code", None)
        if code is not None:
            why, advice = _CERTIFICATES.get(code, _UNKNOWN_AUTHORITY)
            said = str(getattr(error, "verify_message", "") or "no reason given")
            text = (
                f"{self.base_url} shows a certificate {why} ({said}).\n"
                f"{advice.format(section=section)}"
            )
        elif "CERTIFICATE" in reason or "HANDSHAKE_FAILURE" in reason:
            text = (
                f"{self.base_url} refuses the connection: it asks for a certificate of ours, or "
                f"does not take the one it was shown ({reason.replace('_', ' ').lower()}).\n"
                "Some companies let only known machines through.\n"
                f"Set {section} client_certificate to a PEM file with the certificate and its key."
            )
        elif reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"):
            text = (
                f"{self.base_url} does not answer with TLS ({reason.replace('_', ' ').lower()}).\n"
                "Its port serves plain http, or something that is no web server.\n"
                f"Check {section} base_url and its port."
            )
        else:
            return None
        return Untrusted(text)

    def _proxy_failure(self, said: str) -> Exception:
        """What it means that the proxy does not let the request through."""
        assert self._proxy
        way, target = f"The proxy {self._proxy}", urlsplit(self.base_url).hostname
        variable, status = self._proxy.variable, said[:3]
        if status == "407" or "auth" in said.lower():
            return Unreachable(
                f"{way} wants a name and a password, or does not take those it was given "
                f"({said}).\nWrite them in {variable} as http://name:password@host:port, with %40 "
                f"for an @.\nOr name {target} in NO_PROXY to go there without it."
            )
        if status.isdecimal() and status < "500" and status not in ("408", "429"):
            return Unreachable(
                f"{way} refuses to connect to {target} ({said}).\n"
                "Requests go through it because the environment says so.\n"
                f"Let its owner allow {target}, or name {target} in NO_PROXY."
            )
        return _NoConnection(f"it answers {said}")

    def _too_slow(self, request: _Request) -> ApiError:
        return ApiError(
            f"{request.what}: no complete answer within "
            f"{self._connection.request_timeout_seconds:.0f} s.\n"
            f"The connection is very slow, or something holds answers back. "
            f"{self.api.if_not_whole}\n"
            "Run again later; a longer time can be set in "
            f"[sources.{self.api.section}] request_timeout_seconds."
        )

    def _not_now(self, seconds: float) -> NotNow:
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        return NotNow(
            f"{_opening(self.api.name)} asks not to be called again before "
            f"{until:%Y-%m-%d %H:%M} UTC (in {_length(seconds)}).\n"
            "No run waits that long, so nothing more of it was read; what was loaded stays.\n"
            f"Run again then. If the API did not mean it: the time is kept in {self._budget.file}, "
            "which may be removed."
        )

    def _redirected(self, request: _Request, response: Response) -> NotTheApi:
        location = response.headers.get("location", "")
        try:
            target = urlsplit(location).hostname
        except ValueError:
            target = None
        where = _printable(target) if target else "another path of the same host"
        return NotTheApi(
            f"{request.what}: {self.base_url} sends on to {where} ({response.status_code}), which "
            "is not followed: the key belongs to the configured host alone.\n"
            "A sign-in page or a proxy stands before the API, or base_url is not its address.\n"
            f"Check [sources.{self.api.section}] base_url and the network, then run again."
        )

    def _error_of(self, request: _Request, failure: _Retry, seconds: float) -> ApiError:
        """The error of a request that is given up, after its last failure."""
        api, section = self.api, f"[sources.{self.api.section}]"
        match failure:
            case _Html():
                return NotTheApi(
                    f"{request.what}: {self.base_url} answers with a web page, not JSON.\n"
                    "A proxy or a sign-in page stands before the API, or base_url is wrong.\n"
                    f"Check {section} base_url and the network, then run again."
                )
            case _NotWhole():
                return ApiError(
                    f"{request.what}: {failure}, {failure.attempts} times in a row.\n"
                    "Nobody can tell from that whether everything is there. "
                    f"{api.if_not_whole}\n"
                    f"Run again later. If it stays: {self.base_url} may not be {api.name}, or has "
                    "a fault that its support should know."
                )
            case _NoConnection():
                if self.base_url in _DOWN:
                    return Unreachable(
                        f"{self._way} still cannot be reached ({failure}), so {api.name} was not "
                        "tried for long.\n"
                        f"Its settings are in {section}; what was loaded stays."
                    )
                _DOWN[self.base_url] = monotonic()
                through = f", on the way to {self.base_url}," if self._proxy else ""
                check = self._proxy.variable if self._proxy else f"{section} base_url"
                return Unreachable(
                    f"{self._way} cannot be reached{through} ({failure}), tried for "
                    f"{seconds:.0f} s.\n"
                    "The name may be wrong, or the network, a proxy or the service is down.\n"
                    f"Check {check} and the network, then run again; what was loaded stays."
                )
        return ApiError(
            f"{request.what}: {failure}, {ATTEMPTS} times in a row at most.\n"
            f"The service at {self.base_url} has a fault, or it is not {api.name},\n"
            f"or it allows fewer requests than {section} says.\n"
            "Run again later; what is missing stays planned until it is loaded."
        )

    def _says(self, response: Response) -> str:
        own_words, _ = _own_words(response)
        said = f' ("{self._shown(own_words)}")' if own_words else ""
        return f"the API answers {response.status_code}{said}"

    def _shown(self, text: str) -> str:
        """The API's own words without the key, and without what would upset a terminal."""
        return _printable(self._without_key(text))

    def _without_key(self, text: str) -> str:
        return text.replace(self._api_key, "[key]") if self._api_key else text

    def _refusal(self, what: str, response: Response) -> Refusal:
        """What happened, why, and what to do; with the API's own words, without the key."""
        status = response.status_code
        own_words, error_code = _own_words(response)
        message = self._shown(own_words)
        where = f"({status} for {what})"
        api = self.api
        says = f'It says "{message}".\n' if message else ""
        of_cursor = (
            "The data was refreshed while its pages were read, so they do not belong together.\n"
            f"{api.if_not_whole} Run again later."
        )
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
                400: api.if_not_taken,
                402: "An account or billing problem of the organisation; its owner can mend it.",
                403: api.if_forbidden,
                410: of_cursor,
                404: f"{api.what_it_takes},\nor {self.base_url} is not the API.\n"
                f"Check [sources.{api.section}] base_url, the plan and the key.",
            }.get(status, f"Check [sources.{api.section}] base_url ({self.base_url}).")
            text = f"The API refuses the request {where}.\n{says}{advice}"
        text_of_cursor = f"The API refuses the request {where}.\n{says}{of_cursor}"
        return Refusal(status, message, error_code, text, text_of_cursor)


def json_object(response: Response) -> dict[str, Any]:
    """The JSON object in an answer.

    Raises:
        NotJson: It is not one, or not all of it.
    """
    try:
        # NaN and Infinity are no JSON; a column that holds them could not be read.
        body = json.loads(response.content, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise NotJson from None
    if not isinstance(body, dict):
        raise NotJson
    return body


_DOWN: dict[str, float] = {}
"""Addresses that could not be reached, and when they were given up: for a minute, nobody else of
this process tries as long again."""

_UNKNOWN_AUTHORITY = (
    "that this machine does not trust",
    "A company's proxy often signs with an authority of its own; base_url may also be wrong.\n"
    "Set SSL_CERT_FILE to a PEM file with that authority's certificate, then run again.",
)
_CERTIFICATES = {
    9: (
        "that is not valid yet",
        "The clock of this machine may be wrong, or the server's certificate is.\n"
        "Check the clock. Trust in another authority is set with SSL_CERT_FILE.",
    ),
    10: (
        "that has expired",
        "The clock of this machine may be wrong, or the server's owner has to renew it.\n"
        "Check the clock. Trust in another authority is set with SSL_CERT_FILE.",
    ),
    62: (
        "of another name",
        "Something else answers there, or base_url is wrong.\n"
        "Check {section} base_url. Trust in another authority is set with SSL_CERT_FILE.",
    ),
    64: (
        "of another address",
        "Something else answers there, or base_url is wrong.\n"
        "Check {section} base_url. Trust in another authority is set with SSL_CERT_FILE.",
    ),
}
"""OpenSSL's code of a certificate that is refused -> what it is, and what to do."""


class _TooLong(Exception):
    pass


class Pool(httpx.BaseTransport):
    """Sends httpx's requests through connections whose every step we bound."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


def _content(answer: Response, most: int, *, cut: bool) -> bytes:
    """The body, unpacked; never more than `most` bytes of it are held.

    Raises:
        _TooLong: There are more, and they may not be cut off.
        _Retry: It is packed in a way that was not asked for.
    """
    packed = answer.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise _Retry(f"the answer is packed as {_printable(packed)}, which was not asked for")
    unpacking = None if packed in ("", "identity") else zlib.decompressobj(wbits=47)
    announced = answer.headers.get("content-length", "")
    if not cut and announced.isdecimal() and int(announced) > most:
        raise _TooLong(f" ({int(announced) / MEGABYTE:.0f} MB)")
    body = bytearray()
    for chunk in answer.iter_raw():
        try:
            body += unpacking.decompress(chunk, most + 1 - len(body)) if unpacking else chunk
        except zlib.error:
            raise _Retry("the answer cannot be unpacked") from None
        if len(body) > most:
            if cut:
                return bytes(body[:most])
            raise _TooLong
    if unpacking and not unpacking.eof and body:
        raise _Retry("the answer is packed, and not complete")
    return bytes(body)


def _step(number: int) -> float:
    """The backoff's pause after this many failures; uneven, so that threads spread."""
    step = FIRST_STEP_SECONDS * 2.0 ** (min(number, 10) - 1) * random.uniform(1, 1.25)
    return min(step, LONGEST_STEP_SECONDS)


def _error_of(api: Api, refusal: Refusal) -> ApiError:
    if refusal.status in (401, 402):
        return KeyRefused(refusal.text)
    if refusal.status in (403, 404) or refusal.error_code in api.not_for_this_organisation:
        return Refused(refusal.text)
    return Expired(refusal.text) if refusal.status == 410 else ApiError(refusal.text)


def _own_words(response: Response) -> tuple[str, str]:
    """The message and error code of an error body; empty text where it has none."""
    try:
        body = json_object(response)
        error = body.get("error") or ""
        if isinstance(error, str):  # as Langdock has it
            return str(body.get("message") or error), error
        details = error.get("details") or {}
        return str(error.get("message", "")), str(details.get("error_code", ""))
    except (NotJson, TypeError, AttributeError, RecursionError):
        return "", ""


def _opening(name: str) -> str:
    return name[:1].upper() + name[1:]


def _printable(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST_WORDS])
    return f"{shown}…" if len(text) > LONGEST_WORDS else shown


def _moment(text: str) -> datetime | None:
    """A moment as HTTP writes it, in UTC."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _retry_after_seconds(response: Response) -> float | None:
    """How long the API asks to wait: seconds, or a moment, by the server's own clock."""
    text = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        until = _moment(text)
        if until is None:
            return None
        now = _moment(response.headers.get("date", "")) or datetime.now(UTC)
        seconds = (until - now).total_seconds()
    return max(seconds, 0.0) if isfinite(seconds) else None


def _length(seconds: float) -> str:
    minutes = -int(-seconds // 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "days"), (hours, "h"), (minutes, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


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


def _checked_base_url(api: Api, base_url: str, allow_http: bool) -> str:
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
            f"[sources.{api.section}] base_url is {_without_login(base_url)!r}.\n"
            "It is scheme and host only; paths are added by each endpoint.\n"
            f"Write it as {api.base_url}."
        )
    if url.scheme == "http" and not is_loopback(url.host) and not allow_http:
        raise ForeseenError(
            f"[sources.{api.section}] base_url is {str(url)!r}, which is not encrypted: everybody "
            "on the way could read the key and the data.\n"
            f"Write it as https://{url.netloc.decode()}.\n"
            f"Where that way is yours alone, set [sources.{api.section}] allow_http = true."
        )
    return str(url)


def _without_login(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//[login]@", url)
