"""Ends the process well when it is told to stop: one sentence, and within five seconds."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Never

from pipelines.exit_codes import INTERRUPTED, TERMINATED

SIGNALS = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED, signal.SIGHUP: TERMINATED}
"""Exit codes; a terminal that goes away ends a run like a request to end."""

GRACE_SECONDS = 2.0
"""How long the run may put its things away. Then it ends as if it was killed, which loses nothing:
whatever is stored is stored in one step."""

NOTHING_CHANGED = "Stopped. Nothing was changed."
FILE_IS_WHOLE = "Stopped. The file is as it was, or written whole."
TABLES_ARE_WHOLE = "Stopped. Each table is as it was, or written whole."
RUN_GOES_ON = "Stopped. What was committed stays; the next run goes on from there."
DEMO_BEGINS_ANEW = "Stopped. The demonstration begins anew when it is run again."
SANDBOX_ENDED = "The sandbox has ended."


class Stopped(BaseException):
    """The process was told to stop. No `except Exception` of a library holds it up."""


_exit_code: int | None = None
_sentence = NOTHING_CHANGED
_last_words: list[Callable[[int], None]] = []
_ending = threading.Lock()
_is_listening = False
_is_over = False
_said: Callable[[str], str] = str


def exit_code() -> int | None:
    """130 or 143 if the process was told to stop; whatever it raises since then is due to that."""
    return _exit_code


def listen() -> None:
    """From now on, signals that ask the process to end do so in time.

    A signal that was ignored when the process began, as under nohup, stays ignored.
    """
    global _is_listening
    if _is_listening:
        return
    _is_listening = True
    heard, told = os.pipe()
    os.set_blocking(told, False)
    # Python's own handlers wait until a library's long call returns; this pipe does not.
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(heard,), name="stopping", daemon=True).start()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)


def over(code: int) -> None:
    """The process ends by itself, with this exit code; a signal only makes it end at once."""
    global _is_over
    _is_over = True
    for number in SIGNALS:
        if callable(signal.getsignal(number)):
            signal.signal(number, lambda *_: os._exit(code))


def say(sentence: str) -> None:
    """What is true of the command when it is stopped from now on; until then, nothing changed."""
    global _sentence
    _sentence = sentence


def say_as(said: Callable[[str], str]) -> None:
    """How the sentence is written."""
    global _said
    _said = said


def last_words(say: Callable[[int], None]) -> None:
    """What to do with the exit code before the process ends, within the five seconds."""
    _last_words.append(say)


def forget(say: Callable[[int], None]) -> None:
    """The opposite of `last_words`."""
    with suppress(ValueError):
        _last_words.remove(say)


def end() -> Never:
    """Say the sentence, do what was left to do, and end the process here and now."""
    if not _ending.acquire(blocking=False):
        time.sleep(60)  # The other thread ends it.
    assert _exit_code is not None
    with suppress(OSError):
        if os.isatty(2):
            os.write(2, b"\r\x1b[2K\x1b[?25h")  # A progress bar hides the cursor.
        with suppress(Exception):
            sys.stdout.flush()
        os.write(2, f"{_said(_sentence)}\n".encode())
    for say in reversed(_last_words):
        with suppress(Exception):
            say(_exit_code)
    os._exit(_exit_code)


def _raise(number: int, frame: FrameType | None) -> None:
    if _note(number):
        raise Stopped


def _note(number: int) -> bool:
    """Whether this is the first signal; its exit code is the process's."""
    global _exit_code
    is_first = _exit_code is None
    if is_first:
        _exit_code = SIGNALS[signal.Signals(number)]
    return is_first


def _watch(heard: int) -> None:
    while True:
        for number in os.read(heard, 16):
            if number in SIGNALS and not _is_over:
                time.sleep(GRACE_SECONDS)
                _note(number)
                end()
