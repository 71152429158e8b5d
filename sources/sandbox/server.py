"""The Analytics API of an invented organisation, served on this machine."""

import asyncio
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sources.errors import ForeseenError
from sources.sandbox import reference_files
from sources.sandbox.calls import Api, Call, clock_of, params_of
from sources.sandbox.claude_code import ClaudeCode
from sources.sandbox.compliance import ActivityFeed
from sources.sandbox.console_reports import ConsoleReports
from sources.sandbox.engagement import Engagement
from sources.sandbox.langdock import LangdockExports
from sources.sandbox.limits import Limits, RateWindow, Refusal, check_key, error_body
from sources.sandbox.money import REFRESH_LAG, Money
from sources.sandbox.organisation import Organisation
from sources.sandbox.published import MONEY_FAMILIES, Row
from sources.sandbox.roster import CONSOLE, ENTERPRISE, ORGANIZATION, Roster
from sources.sandbox.truth import Facts, truth

API_KEY = "sk-ant-api01-sandbox"
INPUTS = (*reference_files.FILES.values(), "langdock")
"""Files and folders that its people keep, by name."""
SCOPES = (
    "read:analytics",
    "read:members",
    "read:rbac_groups",
    "read:spend_limits",
    "read:compliance_activities",
    "org:admin",
    "read:plugins",
    "read:claude_code_managed_settings",
)
JSON = {"content-type": "application/json"}
OPTIONAL_PARTS = {"unified": "chat_cowork_unified", "claude_tag": "claude_tag"}
"""What an organisation may lack -> how the names of its fields start."""
KINDS = (ENTERPRISE, CONSOLE)
"""What else it may lack: the lists of one kind of organisation."""

REQUESTS_PER_MINUTE = {"admin": 100, "spend_limits": 60, "compliance": 600}
"""Rate limits beside that of the Analytics API (admin.md 1.3, compliance.md 1)."""

Day = date | str


@dataclass
class Received:
    """A request that arrived; `status` is 0 until it is answered, and if it never was."""

    monotonic: float
    wall: datetime
    path: str
    params: dict[str, str]
    headers: Mapping[str, str]
    status: int = 0


@dataclass(kw_only=True)
class Fault:
    """A wrong answer for the next `times` requests that match; see Sandbox.answer."""

    path_contains: str
    times: int
    status: int | None
    body: str | bytes | Mapping[str, Any] | None
    headers: Mapping[str, str]
    when: Callable[[dict[str, str]], bool]
    delay_seconds: float
    drop: bool
    truncate: bool


class Truncated(Response):
    """Half of the body that its content-length announces; the server then hangs up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


class Dropped(Response):
    """No answer at all: the connection ends."""

    def __init__(self, server: uvicorn.Server) -> None:
        super().__init__()
        self.status_code = 0
        self._connections = server.server_state.connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for connection in list(self._connections):
            if isinstance(connection, H11Protocol) and connection.client == scope["client"]:
                connection.transport.abort()


class Dated:
    """The application, with the sandbox's own time as the `date` of every answer without one."""

    def __init__(self, app: ASGIApp, today: Callable[[], date]) -> None:
        self._app = app
        self._today = today

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                now = datetime.combine(self._today(), datetime.now(UTC).time(), UTC)
                asked = Headers(scope=scope).get("date")
                headers.setdefault("date", asked or format_datetime(now, usegmt=True))
            await send(message)

        await self._app(scope, receive, dated)


class Sandbox:
    """A server that answers as Anthropic's APIs would; serves while used as a context manager.

    Attributes:
        today: The day on which requests are answered, at its start; a request's later `Date`
            header wins.
        data_refreshed_at: Up to when costs and usage are known; None is 4 hours before a request.
        scopes: What the key may do.
        organization: Whose key it is, as `/me` says.
        tells_organization: Each answer names it in a header.
        requests: Every request that arrived, oldest first.
        url: Scheme, host and port.

    Args:
        requests_per_minute: Of the Analytics API; None is no limit at all.
        cost_api: Whether the organisation has /cost and /usage, or only the older reports.
        without: Parts that the organisation does not offer, of OPTIONAL_PARTS and KINDS.
        children: Ids of its children, if it is a parent.
        port: 0 takes a free one.
        days_ahead: How far beyond `today` the organisation is invented.
    """

    def __init__(
        self,
        *,
        today: Day,
        seats: int = 20,
        seed: int = 1,
        requests_per_minute: int | None = None,
        api_key: str = API_KEY,
        scopes: Sequence[str] = SCOPES,
        lag_days: int = 3,
        window_days: int = 90,
        summaries_days: int = 31,
        cost_api: Literal["unified", "reports"] = "unified",
        without: Sequence[str] = (),
        children: Sequence[str] = (),
        port: int = 0,
        days_ahead: int = 60,
    ) -> None:
        self.today = day_of(today)
        self.api_key = api_key
        self.organization: Row = ORGANIZATION if seed == 1 else another_organization(seed)
        self.tells_organization = True
        self.scopes = tuple(scopes)
        self.requests: list[Received] = []
        self.limits = Limits(
            lag_days=lag_days, window_days=window_days, summaries_days=summaries_days
        )
        self._organisation = Organisation(
            seats=seats,
            seed=seed,
            lag_days=lag_days,
            last_day=self.today + timedelta(days=days_ahead),
            absent=tuple(OPTIONAL_PARTS[part] for part in without if part not in KINDS),
        )
        self.data_refreshed_at: datetime | None = None
        self._activity_feed = ActivityFeed(self._organisation.database)
        # One line for each API; the first that knows a path answers it.
        self._apis: tuple[Api, ...] = (
            Engagement(self._organisation, self.limits),
            Money(
                self._organisation,
                is_unified=cost_api == "unified",
                refreshed_at=lambda call: self.data_refreshed_at or call.clock - REFRESH_LAG,
                is_console=ENTERPRISE in without,
                children=children,
            ),
            Roster(self._organisation, lambda: self.organization, {*KINDS} - {*without}),
            self._activity_feed,
            ClaudeCode(self._organisation, is_console=ENTERPRISE in without),
            ConsoleReports(
                self._organisation,
                is_console=ENTERPRISE in without,
                refreshed_at=lambda call: self.data_refreshed_at or call.clock - REFRESH_LAG,
            ),
        )
        limited = requests_per_minute is not None
        self._rates = {
            "analytics": RateWindow(requests_per_minute),
            **{
                name: RateWindow(most if limited else None)
                for name, most in REQUESTS_PER_MINUTE.items()
            },
        }
        self.requests_per_minute = requests_per_minute
        self.langdock = LangdockExports(
            emails=lambda: [row["email"] for row in self.truth("org_chart")] if seats else [],
            today=lambda: self.today,
            seed=seed,
        )
        self._faults: list[Fault] = []
        self._socket = listening_socket(port)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                Dated(
                    Starlette(routes=[*self.langdock.routes, Route("/{path:path}", self._answer)]),
                    lambda: self.today,
                ),
                date_header=False,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    @classmethod
    def empty(cls, *, today: Day, **options: Any) -> "Sandbox":
        """A sandbox without invented data: only what is published is answered."""
        return cls(today=today, seats=0, **{"days_ahead": 730, **options})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self._organisation.close()

    def wait(self) -> None:
        """Block until Ctrl-C; a thread's own join() does not survive one."""
        while self._thread.is_alive():
            time.sleep(0.5)

    @property
    def today(self) -> date:
        return self._today

    @today.setter
    def today(self, today: Day) -> None:
        self._today = day_of(today)

    def publish(
        self, table: str, day: Day, rows: Row | Sequence[Row], *, fill: bool = True
    ) -> None:
        """From now on, `table` answers exactly these rows for that day.

        Documented fields that a row leaves out are filled with zeros and nulls, also inside its
        blocks; with fill=False rows go out as they are. A single row may stand without its list.
        The tables `costs` and `usage` take rows of /cost and /usage by actor, product and model,
        costs also by cost type. They go out as they are where that grouping is asked for; every
        other one, and the older reports, are their sums.
        truth() and the summaries of other days do not see published rows.
        """
        rows = [rows] if isinstance(rows, Mapping) else rows
        if table in MONEY_FAMILIES:
            self._organisation.publish_money(table, day_of(day), rows, fill=fill)
        else:
            self._organisation.publish(table, day_of(day), rows, fill=fill)

    def publish_roster(
        self, table: str, rows: Sequence[Row], *, since: Day = date.min, fill: bool = True
    ) -> None:
        """From the day `since` on, the list `table` consists of exactly these rows.

        Lists are those of ROSTER_BLANKS. Documented fields that a row leaves out are filled, except
        those that name it, its person, group, role or workspace.
        """
        self._organisation.publish_roster(table, day_of(since), rows, fill=fill)

    def publish_activities(
        self, activities: Sequence[Row], *, indexed_at: datetime | str | None = None
    ) -> None:
        """Add events to the activity feed; they can be read from `indexed_at` on, else at once."""
        self._activity_feed.publish(activities, indexed_at)

    def answer(
        self,
        path_contains: str,
        *,
        status: int | None = None,
        body: str | bytes | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        when: Callable[[dict[str, str]], bool] = lambda params: True,
        delay_seconds: float = 0,
        drop: bool = False,
        truncate: bool = False,
    ) -> None:
        """Answer the next `times` requests to such a path, `when` it says so, in another way.

        Without status and body, the real answer goes out: late, truncated, or with these headers.
        A status without a body brings the documented error of that status. A mapping goes out as
        JSON, text as HTML unless headers say otherwise. These requests count for the rate limit.
        """
        self._faults.append(
            Fault(
                path_contains=path_contains,
                times=times,
                status=status,
                body=body,
                headers=headers or {},
                when=when,
                delay_seconds=delay_seconds,
                drop=drop,
                truncate=truncate,
            )
        )

    def clear_answers(self) -> None:
        """Answer truly again."""
        self._faults.clear()

    def truth(
        self, name: str, first_day: Day | None = None, *, roster_since: Day | None = None
    ) -> list[dict[str, Any]]:
        """The rows that the mart `name` must have when everything is loaded on the sandbox's today.

        Args:
            name: A mart with a file in truth/ or in truth.COMPUTED, or an input file of it.
            first_day: The oldest day of engagement that a warehouse holds; the oldest that the API
                still answers for unless given. Costs are loaded as far back as they go.
            roster_since: The day of the first snapshot of the roster; today unless given.
        """
        first = self.limits.oldest(self.today) if first_day is None else day_of(first_day)
        facts = Facts(
            organisation=self._organisation,
            days=(first, self.limits.newest(self.today)),
            as_of=self.today,
            refreshed_at=self.data_refreshed_at or clock_of({}, self.today) - REFRESH_LAG,
            roster_since=self.today if roster_since is None else day_of(roster_since),
        )
        return truth(name, facts)

    def write_reference_files(self, folder: Path) -> Mapping[str, str]:
        """Write what its people typed; the path by reference file."""
        return reference_files.write(folder, self.truth)

    async def _answer(self, request: Request) -> Response:
        received = Received(
            monotonic=time.monotonic(),
            wall=datetime.now(UTC),
            path=request.url.path,
            params=params_of(tuple(request.query_params.multi_items())),
            headers=dict(request.headers),
        )
        self.requests.append(received)
        request_id = f"req_{len(self.requests):024d}"
        try:
            api = next((api for api in self._apis if api.knows(received.path)), None)
            needed = api.scopes(received.path) if api else ()
            check_key(request.headers, self.api_key, self.scopes, needed)
            rate = self._rates[api.budget(received.path) if api else "analytics"]
            if wait := rate.seconds_to_wait(received.monotonic):
                raise Refusal(429, retry_after=wait)
            call = Call(
                path=received.path,
                query=tuple(request.query_params.multi_items()),
                headers=received.headers,
                clock=clock_of(received.headers, self.today),
            )
            response = await self._fault_or_answer(received, api, call, request_id)
        except Refusal as refusal:
            response = error_response(refusal, request_id)
        response.headers["request-id"] = request_id
        if self.tells_organization:
            response.headers.setdefault("anthropic-organization-id", str(self.organization["id"]))
        received.status = response.status_code
        return response

    async def _fault_or_answer(
        self, received: Received, api: Api | None, call: Call, request_id: str
    ) -> Response:
        fault = self._next_fault(received)
        if fault is None:
            return await run_in_threadpool(true_answer, api, call)
        await asyncio.sleep(fault.delay_seconds)
        if fault.drop:
            return Dropped(self._server)
        if fault.body is not None:
            response = faulty_response(fault.status or 200, fault.body)
        elif fault.status is not None:
            response = error_response(Refusal(fault.status), request_id)
        else:
            response = await run_in_threadpool(true_answer, api, call)
        response.headers.update(fault.headers)
        if fault.truncate:
            return Truncated(response.body, response.status_code, response.headers)
        return response

    def _next_fault(self, received: Received) -> Fault | None:
        for fault in self._faults:
            if fault.times and fault.path_contains in received.path and fault.when(received.params):
                fault.times -= 1
                return fault
        return None


def another_organization(seed: int) -> Row:
    """Another seed invents another organisation."""
    id = uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox {seed}")
    return {**ORGANIZATION, "id": str(id), "name": f"{ORGANIZATION['name']} {seed}"}


def true_answer(api: Api | None, call: Call) -> Response:
    if api is None:
        raise Refusal(404)
    return Response(api.answer(call), headers=JSON)


def day_of(day: Day) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day


def error_response(refusal: Refusal, request_id: str) -> Response:
    wait = {} if refusal.retry_after is None else {"retry-after": str(refusal.retry_after)}
    body = json.dumps(error_body(refusal, request_id))
    return Response(body, refusal.status, headers={**JSON, **wait})


def faulty_response(status: int, body: str | bytes | Mapping[str, Any]) -> Response:
    if isinstance(body, Mapping):
        return Response(json.dumps(body, ensure_ascii=False), status, headers=JSON)
    return Response(body, status, headers={"content-type": "text/html; charset=utf-8"})


def listening_socket(port: int) -> socket.socket:
    """A socket on which connections already queue, so that a client may come before the server."""
    # Named TCP, or asyncio leaves Nagle's algorithm on: 40 ms more for every small answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise ForeseenError(
            f"Port {port} of this machine cannot be used ({error.strerror}).\n"
            "Another program probably listens on it, perhaps another sandbox.\n"
            "End that one, or choose another port."
        ) from error
    listener.listen(128)
    return listener


def serve(
    *,
    today: date,
    seats: int = 500,
    seed: int = 1,
    port: int = 8787,
    requests_per_minute: int | None = 60,
    lag_days: int = 3,
) -> None:
    """Serve until Ctrl-C, after saying where and how to use it."""
    sandbox = Sandbox(
        today=today,
        seats=seats,
        seed=seed,
        port=port,
        requests_per_minute=requests_per_minute,
        lag_days=lag_days,
    )
    oldest, newest = sandbox.limits.oldest(today), sandbox.limits.newest(today)
    exports = "\n".join(
        f"  export SOURCES__{source}__BASE_URL={sandbox.url} SOURCES__{source}__API_KEY={key}"
        for source, key in {
            "CLAUDE_ANALYTICS": sandbox.api_key,
            "CLAUDE_ADMIN": sandbox.api_key,
            "CLAUDE_COMPLIANCE": sandbox.api_key,
            "LANGDOCK": sandbox.langdock.api_key,
        }.items()
    )
    with sandbox:
        print(
            f"An invented organisation of {seats} seats; today is {today},"
            f" days {oldest} to {newest} are available.\n"
            "Load it from another terminal:\n\n"
            f"{exports}\n"
            f"  claude-warehouse sync --today {today}\n\n"
            "Ctrl-C ends it.",
            flush=True,
        )
        sandbox.wait()
