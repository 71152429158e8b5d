"""The command line: every way out of it has its sentence and its exit code."""

import logging
import sys
import threading
import warnings
from typing import Never

import typer

from pipelines import hints, stopping
from pipelines.cli import files, reading, runs
from pipelines.cli.told import err
from pipelines.data_dir import WarehouseHeld
from pipelines.exit_codes import DONE, EXIT_CODES, FAILED, HELD
from pipelines.foreseen import foreseen, write_trace

app = typer.Typer(
    name="claude-warehouse",
    help="Claude Enterprise usage data in your own warehouse: complete, correct, joinable.",
    epilog="Exit codes: " + "; ".join(f"{code} {text}" for code, text in EXIT_CODES.items()) + ".",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (runs, reading, files):
    app.add_typer(part.commands)


def run() -> Never:
    """Run the command line; every way out of it has its exit code."""
    try:
        app(prog_name="claude-warehouse")
    except Exception as error:
        # Told to stop: what a library makes of that says nothing.
        if stopping.exit_code() is not None:
            raise
        told = foreseen(error, hints.folder())
        err.print(hints.pasted(str(told)), style="red", markup=False)
        raise SystemExit(HELD if isinstance(told, WarehouseHeld) else FAILED) from None
    raise SystemExit(DONE)


def only_our_words() -> None:
    """What libraries log, warn or fail at beside the run never reaches the screen."""
    ours = logging.StreamHandler()
    ours.setFormatter(logging.Formatter("%(message)s"))
    logging.root.handlers = [logging.NullHandler()]
    for name in ("pipelines", "sources"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [ours], False
        logger.setLevel(logging.WARNING)
    logging.getLogger("dlt").disabled = True
    logging.raiseExceptions = False
    warnings.simplefilter("ignore")
    sys.warnoptions.append("ignore")  # In child processes too.
    threading.excepthook = lambda failed: _kept(failed.exc_value)
    sys.unraisablehook = lambda failed: _kept(failed.exc_value)


def _kept(error: BaseException | None) -> None:
    """What fails where nobody waits for it, in a file."""
    if isinstance(error, Exception) and stopping.exit_code() is None:
        write_trace(error, hints.folder())
