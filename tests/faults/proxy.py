"""A server in front of the sandbox that hands its answers on, some of them spoilt."""

import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

Params = tuple[tuple[str, str], ...]

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@dataclass(frozen=True)
class Asked:
    """A request: method, path, query, and the body of a POST."""

    method: str
    path: str
    params: Params
    body: bytes = b""

    def param(self, name: str) -> str | None:
        return dict(self.params).get(name)


@dataclass(frozen=True)
class Answer:
    """What goes back.

    Attributes:
        sends: Bytes of the body that go out; None is all. The connection then ends, though the
            length that was announced is another.
        hangs_up: Before the first byte.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    sends: int | None = None
    hangs_up: bool = False
    is_chunked: bool = False

    def with_body(self, body: bytes) -> "Answer":
        return replace(self, body=body)

    def with_headers(self, **headers: str) -> "Answer":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in named)
        return replace(self, headers=(*kept, *named.items()))


Change = Callable[[Asked, Answer], Answer]


@dataclass
class Spoiling:
    """How some answers are spoilt.

    Attributes:
        aims: Whether a request may be the victim.
        times: How often the victim is answered so; None is always.
        spares: Requests that match and are answered well before the victim is chosen.
        any_of_them: Every request that matches is a victim, not the first one alone.
        hits: How often it was.
        victims: The requests that were.
    """

    aims: Callable[[Asked], bool]
    change: Change
    times: int | None = None
    spares: int = 0
    any_of_them: bool = False
    hits: int = 0
    victims: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, asked: Asked) -> Change | None:
        with self.lock:
            if not self.aims(asked):
                return None
            if asked not in self.victims:
                if self.spares:
                    self.spares -= 1
                    return None
                if self.victims and not self.any_of_them:
                    return None
                self.victims.append(asked)
            if self.times is not None and self.hits >= self.times:
                return None
            self.hits += 1
            return self.change


class Proxy:
    """Serves while used as a context manager; what is forwarded has pages of `page_size` rows."""

    def __init__(self, upstream: str, *, page_size: int = 3) -> None:
        self._upstream = urlsplit(upstream).netloc
        self.page_size = page_size
        self.spoilings: list[Spoiling] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                proxy._serve(self)

            def do_POST(self) -> None:
                proxy._serve(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # A client that was killed, or hung up on.

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        length = int(handler.headers.get("content-length") or 0)
        asked = Asked(
            handler.command,
            url.path,
            tuple(parse_qsl(url.query, keep_blank_values=True)),
            handler.rfile.read(length),
        )
        changes = [change for each in self.spoilings if (change := each.of(asked))]
        answer = self._true_answer(asked, handler.headers.items())
        for change in changes:
            answer = change(asked, answer)
        self._send(handler, answer)

    def _true_answer(self, asked: Asked, headers: Iterable[tuple[str, str]]) -> Answer:
        params = [
            (name, str(self.page_size) if name == "limit" and int(value) >= 100 else value)
            for name, value in asked.params
        ]
        upstream = HTTPConnection(self._upstream)
        try:
            sent = {name: value for name, value in headers if name.lower() not in HOP_BY_HOP}
            sent["accept-encoding"] = "identity"
            query = f"?{urlencode(params)}" if params else ""
            upstream.request(asked.method, asked.path + query, asked.body or None, sent)
            response = upstream.getresponse()
            kept = [pair for pair in response.getheaders() if pair[0].lower() not in HOP_BY_HOP]
            return Answer(response.status, tuple(kept), response.read())
        finally:
            upstream.close()

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        ends = answer.hangs_up or answer.sends is not None
        if ends:
            handler.close_connection = True
            # Not an orderly end: what was not sent is lost as on a broken line.
            linger = struct.pack("ii", 1, 0) if answer.hangs_up else struct.pack("ii", 0, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if answer.hangs_up:
            handler.connection.close()
            return
        handler.send_response_only(answer.status)
        for name, value in answer.headers:
            handler.send_header(name, value)
        sent = answer.body if answer.sends is None else answer.body[: answer.sends]
        if answer.is_chunked:
            handler.send_header("transfer-encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(f"{len(answer.body):x}\r\n".encode() + sent)
            if not ends:
                handler.wfile.write(b"\r\n0\r\n\r\n")
            return
        handler.send_header("content-length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(sent)
