"""The command line: parse, call the modules beside this package, print, choose the exit code."""

import gc
import sys
from typing import Never

from pipelines import stopping
from pipelines.cli import streams

BROKEN = """claude-warehouse could not begin.
A part of the installation is missing or damaged, or there is too little memory.
Install it again, and report this if it stays: """


def main() -> Never:
    """Run the command line in a process of its own; every way out has its words and exit code."""
    code = 1
    try:
        # Nearly all that is made stays until the end: looking for garbage in it took a tenth.
        gc.set_threshold(100_000, 50, 100)
        stopping.listen()
        streams.prepare()
        from pipelines.cli import app  # Slow to load, and may be stopped meanwhile.

        app.only_our_words()
        app.run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else code
    except BaseException as error:
        if stopping.exit_code() is None:
            print(f"{BROKEN}{type(error).__name__}: {error}", file=sys.stderr)
    if stopping.exit_code() is not None:
        stopping.end()
    stopping.over(code)
    raise SystemExit(code)
