"""Commands in the process of the tests: what a shell sees, without the start of an interpreter."""

import io
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
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
    ):
        try:
            run()
        except SystemExit as ended:
            code = ended.code
    sys.stdout.write(out.getvalue())
    sys.stderr.write(err.getvalue())
    return Ended(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())
