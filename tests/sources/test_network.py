"""Bounds of a request, and what the environment says of proxies and certificates."""

import gzip
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sources.claude_analytics.client import Client
from sources.claude_analytics.endpoints import ENDPOINTS
from sources.errors import ApiError, ForeseenError, NotNow, Unreachable, Untrusted
from sources.http.api import Connection
from sources.network import is_loopback, proxy_for
from sources.rate_budget import RateBudget
from sources.sandbox import Sandbox
from tests.sources.rude import answered, self_signed, serving

SKILLS = next(endpoint for endpoint in ENDPOINTS if endpoint.table == "skills")
DAY = date(2026, 6, 10)
VARIABLES = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)
JUNE = "Wed, 10 Jun 2026"
EMPTY = b'{"data": [], "next_page": null}'

Connect = Callable[..., Client]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """Makes clients of an address."""
    with ExitStack() as clients:

        def connect(base_url: str, budget: RateBudget | None = None, **options: Any) -> Client:
            return clients.enter_context(
                Client(
                    base_url=base_url,
                    api_key="sk-key",
                    budget=budget or RateBudget(tmp_path / "budget.db", 100_000),
                    connection=Connection(**options),
                )
            )

        yield connect


def read(client: Client) -> int:
    return sum(len(page.rows) for page in client.pages(SKILLS, DAY, DAY))


def empty_day(connection: socket.socket, _: bytes) -> None:
    connection.sendall(answered("200 OK", EMPTY))


def error_of(client: Client) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read(client)
    return caught.value


# One request is bounded.


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nx-a: ", b"HTTP/1.1 200 OK\r\n\r\n{"])
def test_an_answer_that_drips_ends_at_the_deadline(connect: Connect, head: bytes) -> None:
    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        connection.settimeout(0.02)
        for _each in range(2_000):
            connection.sendall(b"a")
            with suppress(TimeoutError):
                connection.recv(1)
                return  # Whoever was asked has hung up.

    with serving(drip) as host:
        error = error_of(connect(f"http://{host}", request_timeout_seconds=0.2))

    assert "skills, day 2026-06-10: no complete answer within" in str(error)
    assert "request_timeout_seconds" in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 500000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000,
        answered("200 OK", gzip.compress(b" " * 1_000_000), "content-encoding: gzip"),
    ],
    ids=["announced", "sent", "packed"],
)
def test_an_answer_longer_than_any_is_refused_before_it_is_read(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr("sources.http.MEGABYTE", 1)
    asked: list[bytes] = []

    def send(connection: socket.socket, request: bytes) -> None:
        asked.append(request)
        connection.sendall(answer)
        connection.recv(1)

    with serving(send) as host:
        error = error_of(connect(f"http://{host}"))

    assert "skills, day 2026-06-10: the answer is longer than 64 MB" in str(error)
    assert "Nothing of these days was stored" in str(error)
    assert len(asked) == 1


def test_an_answer_packed_several_times_is_not_unpacked(connect: Connect) -> None:
    body = gzip.compress(gzip.compress(EMPTY))

    with serving(
        lambda connection, _: connection.sendall(
            answered("200 OK", body, "content-encoding: gzip, gzip")
        )
    ) as host:
        error = error_of(connect(f"http://{host}"))

    assert "packed as gzip, gzip, which was not asked for" in str(error)


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "500 Oops", "403 Forbidden"])
@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b'{"data": ' + b"[" * 5_000])
def test_brackets_without_end_are_an_answer_that_makes_no_sense(
    connect: Connect, status: str, body: bytes
) -> None:
    with serving(lambda connection, _: connection.sendall(answered(status, body))) as host:
        assert "skills, day 2026-06-10" in str(error_of(connect(f"http://{host}")))


# Pauses that the API asks for.


class Waits:
    """A clock that only waiting moves."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def limited(*headers: str, times: int = 1_000) -> Any:
    """Answers 429 so many times, then an empty day; and what was asked."""
    asked: list[bytes] = []

    def answer(connection: socket.socket, request: bytes) -> None:
        asked.append(request)
        is_limited = len(asked) <= times
        connection.sendall(
            answered("429 Too Many Requests", b"", *headers)
            if is_limited
            else answered("200 OK", EMPTY)
        )

    return answer, asked


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        (["retry-after: 0"], 7, 10),  # 1 + 2 + 4, a little uneven
        (["retry-after: 20"], 60, 64),
        ([f"date: {JUNE} 08:00:00 GMT", f"retry-after: {JUNE} 08:00:30 GMT"], 90, 94),
    ],
    ids=["zero", "seconds", "a moment"],
)  # fmt: skip
def test_the_longer_of_what_is_asked_and_the_own_step_is_waited(
    connect: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    headers: list[str],
    least: int,
    most: int,
) -> None:
    monkeypatch.setattr("sources.http.FIRST_STEP_SECONDS", 1.0)
    clock = Waits()
    start = clock.now
    budget = RateBudget(tmp_path / "waits.db", 100_000, clock=clock, wait=clock.wait)
    answer, asked = limited(*headers, times=3)

    with serving(answer) as host:
        assert read(connect(f"http://{host}", budget)) == 0

    assert least <= clock.now - start <= most
    assert len(asked) == 4


def test_a_limit_is_found_out_by_one_thread_and_not_by_all(connect: Connect) -> None:
    answer, asked = limited("retry-after: 0")

    with serving(answer) as host, ThreadPoolExecutor(16) as threads:
        client = connect(f"http://{host}")
        errors = list(threads.map(lambda _: error_of(client), range(16)))

    assert all("the API answers 429" in str(error) for error in errors)
    assert len(asked) <= 16 + 7 + 16  # On their way at first; while in doubt; one each at the end.


def test_a_pause_longer_than_a_run_ends_it_and_the_next_one_does_not_ask(
    connect: Connect, tmp_path: Path
) -> None:
    answer, asked = limited("retry-after: 86400")
    with serving(answer) as host:
        for _ in range(2):
            error = error_of(connect(f"http://{host}", RateBudget(tmp_path / "day.db", 10)))

            assert type(error) is NotNow
            assert "The Analytics API asks not to be called again before 20" in str(error)
            assert "(in 1 days)" in str(error) or "(in 23 h" in str(error)

    assert len(asked) == 1


# Where the key may travel.


def test_http_to_another_machine_is_refused_unless_a_setting_allows_it(connect: Connect) -> None:
    with pytest.raises(ForeseenError) as caught:
        connect("http://api.example.com")

    assert "not encrypted" in str(caught.value)
    assert "https://api.example.com" in str(caught.value)
    assert "[sources.claude_analytics] allow_http = true" in str(caught.value)
    connect("http://api.example.com", allow_http=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST.", "::1",
                                  "[::1]", "a.localhost", "::ffff:127.0.0.1"])  # fmt: skip
def test_loopback_goes_through_no_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example.com:3128")

    assert is_loopback(host)
    assert (
        proxy_for(f"http://[{host.strip('[]')}]:8000" if ":" in host else f"http://{host}") is None
    )


@pytest.mark.parametrize("exempt", ["*", "example.com", ".example.com", "api.example.com:443",
                                    "other.org, api.example.com", "https://api.example.com",
                                    "10.0.0.0/8 example.com"])  # fmt: skip
def test_a_host_may_be_exempt_from_the_proxy(exempt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org:3128")
    assert proxy_for("https://api.example.com") is not None

    monkeypatch.setenv("NO_PROXY", exempt)
    assert proxy_for("https://api.example.com") is None
    assert proxy_for("https://notexample.com") is None or exempt != "*"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "value",
    ["ftp://u:hunter2@proxy", "http://u:hunter2@", "http://[::1", "http://u:hunter2@proxy:x",
     "http://u:hunt#er2@proxy:80", "http://pro xy:80", "http://proxy:99999", "://", "socks5://proxy:1"],
)  # fmt: skip
def test_a_proxy_that_cannot_be_one_is_named_by_its_variable(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(ForeseenError) as caught:
        connect("https://api.example.com")

    assert str(caught.value).startswith(variable)
    assert "hunt" not in str(caught.value)


def through(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://us%65r:hunter2@{host}")


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("407 Proxy Authentication Required", "wants a name and a password"),
        ("403 Forbidden", "refuses to connect to api.example.com (403 Forbidden)"),
    ],
)
def test_a_proxy_that_refuses_is_asked_once_and_named(
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    status: str,
    says: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    asked: list[bytes] = []

    def refuse(connection: socket.socket, request: bytes) -> None:
        asked.append(request)
        connection.sendall(answered(status))

    with serving(refuse) as host:
        through(monkeypatch, host)
        error = error_of(connect("https://api.example.com"))

    assert isinstance(error, Unreachable)
    assert f"The proxy {host}, of HTTPS_PROXY, {says}" in str(error)
    assert "hunter2" not in f"{error}{caplog.text}" and "sk-key" not in f"{asked}"
    assert len(asked) == 1 and asked[0].startswith(b"CONNECT api.example.com:443")
    assert b"dXNlcjpodW50ZXIy" in asked[0]  # user:hunter2


def test_a_proxy_that_cannot_be_reached_is_named(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
    through(monkeypatch, host)

    error = error_of(connect("https://api.example.com"))

    assert f"The proxy {host}, of HTTPS_PROXY, cannot be reached" in str(error)
    assert "on the way to https://api.example.com" in str(error)
    assert "Check HTTPS_PROXY" in str(error)


# Certificates.


def test_a_certificate_that_nobody_knows_is_refused_at_once_until_it_is_trusted(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, file = self_signed(tmp_path)
    with serving(
        lambda connection, _: connection.sendall(answered("200 OK", EMPTY)), tls=tls
    ) as host:
        client = connect(f"https://{host}")
        error = error_of(client)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))

        assert read(connect(f"https://{host}")) == 0

    assert type(error) is Untrusted
    assert client.request_count == 1
    assert f"https://{host} shows a certificate that this machine does not trust" in str(error)
    assert "Set SSL_CERT_FILE to a PEM file" in str(error)


def test_a_server_that_wants_a_certificate_of_ours_names_the_setting(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, file = self_signed(tmp_path)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with serving(
        lambda connection, _: connection.sendall(answered("200 OK", EMPTY)), tls=tls
    ) as host:
        error = error_of(connect(f"https://{host}"))

        assert read(connect(f"https://{host}", client_certificate=str(file))) == 0

    assert "[sources.claude_analytics] client_certificate" in str(error)


def test_a_server_that_speaks_no_tls_is_told_so_at_once(connect: Connect) -> None:
    with Sandbox.empty(today="2026-06-15") as api:
        address = api.url.replace("http:", "https:")
        client = connect(address)

        assert f"{address} does not answer with TLS" in str(error_of(client))
    assert client.request_count == 1


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("kind", ["missing", "a folder or file", "no certificate"])
def test_certificates_that_cannot_be_used_are_named_by_their_variable(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, kind: str
) -> None:
    (tmp_path / "text.pem").write_text("hello")
    is_file = variable == "SSL_CERT_FILE"
    path = {
        "missing": tmp_path / "nowhere",
        "a folder or file": tmp_path if is_file else tmp_path / "text.pem",
        "no certificate": tmp_path / "text.pem" if is_file else tmp_path,
    }[kind]
    monkeypatch.setenv(variable, str(path))

    with pytest.raises(ForeseenError, match=f"^{variable} is {path}"):
        connect("https://api.example.com")


def test_a_client_certificate_that_cannot_be_used_is_named(connect: Connect) -> None:
    with pytest.raises(
        ForeseenError, match=r"\[sources.claude_analytics\] client_certificate is x"
    ):
        connect("https://api.example.com", client_certificate="x")


# The file of the rate budget.


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4_000]
)
def test_a_damaged_rate_budget_is_made_anew_with_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    file = tmp_path / "budget.db"
    file.write_bytes(content)
    clock = Waits()
    for _ in range(2):
        with RateBudget(file, 1, clock=clock, wait=clock.wait).slot():
            pass

    (said,) = [record.message for record in caplog.records]
    assert said.startswith(f"{file} was damaged (") and "made anew" in said
    assert clock.now > 1_800_000_000.0 + 59  # The second one obeys what the first one wrote.


def test_a_rate_budget_that_cannot_be_kept_is_said_and_counted_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "budget.db").mkdir()
    with RateBudget(tmp_path / "budget.db", 1).slot():
        pass

    (said,) = [record.message for record in caplog.records]
    assert "this run counts its requests alone" in said


def test_a_rate_budget_damaged_in_the_middle_of_a_run_ends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "budget.db"
    budget = RateBudget(file, 10)
    with budget.slot():
        file.write_bytes(b"\xff" * 20_000)
    with budget.slot():
        pass


def test_a_demo_behind_a_proxy_reaches_its_own_sandbox(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.invalid:3128")
    with Sandbox.empty(today="2026-06-15") as api:
        client = connect(api.url)
        with suppress(ApiError):
            read(client)

        assert client.server_now and client.server_now.date() == date(2026, 6, 15)
