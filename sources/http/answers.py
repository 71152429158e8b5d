"""Answers as they arrive: bounded, unpacked, and what their headers say."""

import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

import httpcore
import httpx

from sources.errors import NotJson

Response = httpx.Response
MEGABYTE = 1_000_000
LONGEST_WORDS = 500


class TooLong(Exception):
    """An answer has more bytes than it may have; its text says how many, where that is known."""


class BadlyPacked(Exception):
    """An answer cannot be unpacked; its text says why."""


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


def content(answer: Response, most: int, *, cut: bool) -> bytes:
    """The body, unpacked; never more than `most` bytes of it are held.

    Raises:
        TooLong: There are more, and they may not be cut off.
        BadlyPacked: It is packed in a way that was not asked for.
    """
    packed = answer.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise BadlyPacked(f"the answer is packed as {printable(packed)}, which was not asked for")
    unpacking = None if packed in ("", "identity") else zlib.decompressobj(wbits=47)
    announced = answer.headers.get("content-length", "")
    if not cut and announced.isdecimal() and int(announced) > most:
        raise TooLong(f" ({int(announced) / MEGABYTE:.0f} MB)")
    body = bytearray()
    for chunk in answer.iter_raw():
        try:
            body += unpacking.decompress(chunk, most + 1 - len(body)) if unpacking else chunk
        except zlib.error:
            raise BadlyPacked("the answer cannot be unpacked") from None
        if len(body) > most:
            if cut:
                return bytes(body[:most])
            raise TooLong
    if unpacking and not unpacking.eof and body:
        raise BadlyPacked("the answer is packed, and not complete")
    return bytes(body)


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


def moment(text: str) -> datetime | None:
    """A moment as HTTP writes it, in UTC."""
    try:
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def retry_after_seconds(response: Response) -> float | None:
    """How long the API asks to wait: seconds, or a moment, by the server's own clock."""
    text = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        until = moment(text)
        if until is None:
            return None
        now = moment(response.headers.get("date", "")) or datetime.now(UTC)
        seconds = (until - now).total_seconds()
    return max(seconds, 0.0) if isfinite(seconds) else None


def printable(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST_WORDS])
    return f"{shown}…" if len(text) > LONGEST_WORDS else shown
