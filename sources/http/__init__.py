"""HTTP for every source: the key, the rate budget, what is asked again, and until when."""

import logging
import random
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from time import monotonic
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

import httpcore
import httpx

from sources.errors import AnotherOrganisation, ApiError, NotJson, NotWhole
from sources.http.answers import (
    MEGABYTE,
    BadlyPacked,
    Pool,
    Response,
    TooLong,
    content,
    moment,
    printable,
    retry_after_seconds,
)
from sources.http.api import Api, Connection, checked_base_url, checked_key
from sources.http.refusal import Refusal, error_of, own_words, refusal_of
from sources.http.words import Words
from sources.network import Transport, causes, certificates, is_loopback, proxy_for
from sources.rate_budget import (
    FARTHEST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    PausedForLong,
    RateBudget,
)

RETRIED_STATUSES = {408, 409, 429, *range(500, 600)}
ATTEMPTS = 7
FIRST_STEP_SECONDS = 1.0
LONGEST_STEP_SECONDS = 30.0
UNREACHABLE_SECONDS = 60
SOON_SECONDS = 5
"""A wait that may become longer is said after this time."""
CONNECT_SECONDS = 5
SILENCE_SECONDS = 120
MOST_ERROR_BYTES = 1 * MEGABYTE

_FAILURES = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)
Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


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
        organisation_id: The organisation that the answers name; None: they name none.
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
        self.base_url = checked_base_url(api, base_url, self._connection.allow_http)
        url = httpx.URL(self.base_url)
        sent = {"accept-encoding": "gzip", **api.headers}
        self._api_key = ""
        if api.key_header:
            header, prefix = api.key_header
            self._api_key = checked_key(api, api_key or "")
            sent[header] = prefix + self._api_key
        if clock and is_loopback(url.host):
            sent["date"] = format_datetime(clock, usegmt=True)
        self._budget = budget
        self.requests_by: Counter[str] = Counter()
        self.server_now: datetime | None = None
        self.organisation_id: str | None = None
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
        self._words = Words(api, self.base_url, self._proxy)
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

    def ask(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        what: str,
        read: Callable[[Response], Answer],
        headers: Mapping[str, str] | None = None,
        count_as: str = "",
        refusal: Callable[[Refusal], ApiError | None] = lambda _: None,
    ) -> Answer:
        """What `read` makes of the answer; it may raise NotJson or NotWhole, and is then asked
        again.

        A GET, or with a `body` a POST of JSON, which has to change nothing either. `what` names
        the request in messages, `count_as` in `requests_by`. `refusal` may turn an answer other
        than 200 into an error of its own.

        Raises:
            ApiError: No answer, a refusal, or one that makes no sense.
        """
        method = "GET" if body is None else "POST"
        request = self._http.build_request(method, path, params=params, json=body, headers=headers)
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
                raise self._words.not_now(pause.seconds, self._budget.file) from None
            except _Retry as failure:
                log.info("%s: %s", request.what, failure)
                step = request.step if failure.wait_seconds is None else failure.wait_seconds
                request.failures[type(failure)] += 1
                seconds = request.seconds + request.waited
                if self._is_given_up(request, failure, seconds):
                    raise self._error_of(request, failure, seconds) from None
                if isinstance(failure, _NoConnection) and seconds + step >= SOON_SECONDS:
                    self._tell(self._words.not_yet(failure, UNREACHABLE_SECONDS - seconds))
                self._budget.wait_to_retry(step)
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
                    raise self._words.too_slow(
                        request.what, self._connection.request_timeout_seconds
                    ) from None
                raise self._failure(error) from None
            except httpcore.ProxyError as error:
                raise self._proxy_failure(str(error)) from None
            finally:
                request.seconds += monotonic() - began
        request_id = response.headers.get("request-id", "no request id")
        log.info("%s: answered %d (%s)", request.what, response.status_code, request_id)
        _DOWN.pop(self.base_url, None)
        self.server_now = moment(response.headers.get("date", "")) or self.server_now
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
            body = content(answer, MOST_ERROR_BYTES if is_error else most, cut=is_error)
        except TooLong as found:
            raise self._words.too_long(request.what, found) from None
        except BadlyPacked as found:
            raise _Retry(str(found)) from None
        finally:
            answer.close()
        headers = [
            (name, value)
            for name, value in answer.headers.multi_items()
            if name not in ("content-encoding", "content-length", "transfer-encoding")
        ]
        return Response(answer.status_code, headers=headers, content=body)

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
        self._pause(max(retry_after_seconds(response) or 0.0, step), response.status_code)
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
            asked = retry_after_seconds(response)
            wait = None if asked is None else max(asked, request.step)
            if wait is not None and status != 429:
                self._pause(wait, status)
            if response.headers.get("x-should-retry") == "false":
                raise ApiError(self._refusal(request, response).text)
            # The budget pauses every thread; this one then waits there, not twice.
            raise _Retry(self._says(response), wait_seconds=None if wait is None else 0.0)
        if 300 <= status < 400:
            raise self._words.redirected(request.what, response)
        if status == 407 and self._proxy:
            raise self._proxy_failure("407")
        if status != 200:
            refused = self._refusal(request, response)
            error = refusal(refused) or error_of(self.api, refused)
            error.status = status
            raise error
        self._note_organisation(request, response)
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

    def _note_organisation(self, request: _Request, response: Response) -> None:
        """One key opens the data of one organisation; answers of two do not belong together."""
        told = response.headers.get(self.api.organisation_header, "").strip()
        with self._counting:
            first = self.organisation_id = self.organisation_id or told or None
        if told and told != first:
            raise AnotherOrganisation(
                f"{request.what}: the answer is of another organisation ({printable(told)}) than "
                f"those before it ({first}).\n"
                f"Nothing of it was stored. {self.api.if_not_whole}\n"
                f"Check [sources.{self.api.section}] base_url and the proxy: something mixes "
                "answers. If it stays, tell Anthropic's support."
            )

    def _pause(self, seconds: float, status: int) -> None:
        seconds = min(seconds, FARTHEST_PAUSE_SECONDS)
        self._budget.pause(seconds)
        if seconds > LONGEST_PAUSE_SECONDS:
            raise PausedForLong(seconds)
        if seconds > SOON_SECONDS:
            self._tell(self._words.pause(seconds, status))

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

    def _failure(self, error: Exception) -> Exception:
        """What a connection that failed means: another attempt, or an error that is final."""
        for cause in causes(error):
            if isinstance(cause, ssl.SSLError) and (final := self._words.untrusted(cause)):
                return final
            if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
                return _NoSuchName(cause.strerror or str(cause))
        if isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout):
            return _NoConnection(str(error) or type(error).__name__)
        return _Retry(f"the connection was lost ({type(error).__name__})")

    def _proxy_failure(self, said: str) -> Exception:
        """What it means that the proxy does not let the request through."""
        return self._words.refused_by_proxy(said) or _NoConnection(f"it answers {said}")

    def _error_of(self, request: _Request, failure: _Retry, seconds: float) -> ApiError:
        """The error of a request that is given up, after its last failure."""
        match failure:
            case _Html():
                return self._words.web_page(request.what)
            case _NotWhole():
                return self._words.not_whole(request.what, failure, failure.attempts)
            case _NoConnection() if self.base_url in _DOWN:
                return self._words.still_unreachable(failure)
            case _NoConnection():
                _DOWN[self.base_url] = monotonic()
                return self._words.unreachable(failure, seconds)
        return self._words.in_vain(request.what, failure, ATTEMPTS)

    def _says(self, response: Response) -> str:
        words, _ = own_words(response)
        said = f' ("{self._shown(words)}")' if words else ""
        return f"the API answers {response.status_code}{said}"

    def _refusal(self, request: _Request, response: Response) -> Refusal:
        return refusal_of(self.api, self.base_url, request.what, response, self._shown)

    def _shown(self, text: str) -> str:
        """The API's own words without the key, and without what would upset a terminal."""
        return printable(self._without_key(text))

    def _without_key(self, text: str) -> str:
        return text.replace(self._api_key, "[key]") if self._api_key else text


_DOWN: dict[str, float] = {}
"""Addresses that could not be reached, and when they were given up: for a minute, nobody else of
this process tries as long again."""


def _step(number: int) -> float:
    """The backoff's pause after this many failures; uneven, so that threads spread."""
    step = FIRST_STEP_SECONDS * 2.0 ** (min(number, 10) - 1) * random.uniform(1, 1.25)
    return min(step, LONGEST_STEP_SECONDS)
