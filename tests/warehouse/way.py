"""A way to a server that a test can cut, at the very same moment each time."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

GOODBYE = b"X\0\0\0\4"
"""With which a client closes its connection; nothing is lost with it."""


class Way:
    """Hands bytes on to a server of this machine, both ways, until it is cut.

    Attributes:
        port: Where it begins.
        passed: How often a client sent something since it was mended.
        is_cut: Whether it was cut since then.
    """

    def __init__(self, port: int) -> None:
        self._to, self._lock = port, threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.mend()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._hang_up()
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def _start(self, target: Callable[..., None], *given: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def mend(self) -> None:
        """Let everybody through, and count from 0."""
        self.passed, self._cut_at, self._stays_cut, self.is_cut = 0, 0, False, False
        self._after = self._lost = b""
        self._at_the_end: Callable[[], None] = self._hang_up

    def cut(self, at: int, *, stays: bool) -> None:
        """Hang up on everybody when something is sent for this time, and, if it stays cut, on
        whoever comes then."""
        self.mend()
        self._cut_at, self._stays_cut = at, stays

    def call(self, at: int, then: Callable[[], None]) -> None:
        """Do that when something is sent for this time."""
        self.mend()
        self._cut_at, self._at_the_end = at, then

    def lose_the_answer(self, after: bytes, to: bytes) -> None:
        """Once, hang up when the server answers what has `to` in it, of a client that has sent
        something with `after` in it."""
        self.mend()
        self._after, self._lost = after, to

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self.is_cut and self._stays_cut:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                with self._lock:
                    self._open += [near, far]
                self._start(self._carry, _Line(near, far))

    def _carry(self, line: "_Line") -> None:
        back = threading.Thread(target=self._back, args=(line,), daemon=True)
        back.start()
        self._there(line)
        back.join()
        with self._lock:
            self._open = [each for each in self._open if each not in (line.near, line.far)]
        line.near.close()
        line.far.close()

    def _there(self, line: "_Line") -> None:
        with suppress(OSError):
            while sent := line.near.recv(65_536):
                with self._lock:
                    self.passed += sent != GOODBYE
                    is_end = sent != GOODBYE and self.passed == self._cut_at
                if is_end:
                    self.is_cut = True
                    self._at_the_end()
                    break
                line.is_meant |= bool(self._after) and self._after in sent
                line.is_lost |= line.is_meant and not self.is_cut and self._lost in sent
                line.far.sendall(sent)
        line.hang_up()

    def _back(self, line: "_Line") -> None:
        with suppress(OSError):
            while answer := line.far.recv(65_536):
                if line.is_lost:
                    self._hang_up()
                    return
                line.near.sendall(answer)
        line.hang_up()

    def _hang_up(self) -> None:
        with self._lock:
            self.is_cut = True
            hung_up, self._open = self._open, []
        for each in hung_up:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class _Line:
    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near, self.far = near, far
        self.is_meant = self.is_lost = False

    def hang_up(self) -> None:
        for each in (self.near, self.far):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
