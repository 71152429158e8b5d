"""Standard output and error that take every text, whatever they lead to."""

import codecs
import os
import sys
from typing import TextIO, cast

PLAIN = str.maketrans(
    {
        "✓": "+",
        "✗": "x",
        "·": ".",
        "•": "*",
        "█": "#",
        "░": ".",
        "▲": "^",
        "▼": "v",
        "–": "-",
        "—": "-",
        "−": "-",
        "×": "x",
        "…": "...",
        "’": "'",
        "“": '"',
        "”": '"',
    }
)
"""What a screen without Unicode shows for the signs that we write."""


class Unbreakable:
    """A stream whose reader may go: what nobody reads is thrown away, and the run goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._give_up()
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._give_up()

    def _give_up(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


def prepare() -> None:
    """Make both streams take every text: where they are closed, break off, or know few letters."""
    # A file that is opened next must not become number 1 or 2, which libraries write to.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    codecs.register_error("plain", _plain)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w")  # noqa: SIM115
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plain")
        setattr(sys, name, cast(TextIO, Unbreakable(stream)))


def _plain(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    return "".join(_plain_letter(letter) for letter in text), error.end


def _plain_letter(letter: str) -> str:
    known = letter.translate(PLAIN)
    return known if known.isascii() else "?"
