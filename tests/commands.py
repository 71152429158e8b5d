"""Commands in the process of the tests: what a shell sees, without the start of an interpreter."""

import io
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from pipelines.cli.app import run


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    exit_code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


def command(words: str | Sequence[str], environment: Mapping[str, str] | None = None) -> Ended:
    """Run `claude-warehouse` with these words, and these variables beside those that are set.

    What it printed is printed, so that a test that fails shows it.
    """
    arguments = words.split() if isinstance(words, str) else list(words)
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, environment or {}),
        patch("sys.argv", ["claude-warehouse", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
        _libraries_may_speak_afterwards(),
    ):
        try:
            run()
        except SystemExit as ended:
            code = ended.code
    sys.stdout.write(out.getvalue())
    sys.stderr.write(err.getvalue())
    return Ended(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


@contextmanager
def _libraries_may_speak_afterwards() -> Iterator[None]:
    """A command silences what libraries say for the rest of its process, which here goes on."""
    loggers = [logging.getLogger(name) for name in ("pipelines", "sources", "dlt")]
    before = [(each, each.handlers, each.propagate, each.level, each.disabled) for each in loggers]
    root, fails, options = logging.root.handlers, logging.raiseExceptions, list(sys.warnoptions)
    try:
        yield
    finally:
        for each, handlers, propagate, level, disabled in before:
            each.handlers, each.propagate, each.disabled = handlers, propagate, disabled
            each.setLevel(level)
        logging.root.handlers, logging.raiseExceptions = root, fails
        sys.warnoptions[:] = options
