"""The command line: every way out of it has its sentence and its exit code."""

import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Never, TextIO

import typer
from typer.core import TyperGroup

from pipelines import hints, project, stopping
from pipelines.cli import files, keeping, lines, privacy, reading, runs
from pipelines.cli.options import ProjectDirOption
from pipelines.cli.told import err
from pipelines.data_dir import WarehouseHeld
from pipelines.exit_codes import DONE, EXIT_CODES, FAILED, HELD
from pipelines.foreseen import foreseen, write_trace


class Commands(TyperGroup):
    """The commands; what is wrong with the words of one is said in ours."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        with _told():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        with _told():
            return super().invoke(ctx)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except typer.BadParameter as error:
        for pattern, words in WORDS.items():
            error.message = re.sub(pattern, words, error.message)
        raise


WORDS = {
    "^Value error, ": "",
    r"^Input should be a valid integer.*": "it is no whole number.",
    r"^Input should be (.+)": r"it has to be \1.",
}
"""How the library that checks values begins -> how we do."""

app = typer.Typer(
    cls=Commands,
    name="claude-warehouse",
    help="Claude Enterprise usage data in your own warehouse: complete, correct, joinable.",
    epilog="Exit codes: " + "; ".join(f"{code} {text}" for code, text in EXIT_CODES.items()) + ".",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (runs, reading, files, keeping, privacy):
    app.add_typer(part.commands)


@app.callback()
def claude_warehouse(project_dir: ProjectDirOption = None) -> None:
    """Claude Enterprise usage data in your own warehouse: complete, correct, joinable."""


def command_line() -> Any:
    """Every command; each takes --project-dir, before its name or after it."""
    root: Any = typer.main.get_command(app)
    [project_dir] = root.params
    todo = list(root.commands.values())
    while todo:
        each = todo.pop()
        each.params.append(project_dir)
        todo += getattr(each, "commands", {}).values()
    return root


def run() -> Never:
    """Run the command line; every way out of it has its exit code."""
    lines.leave()
    project.choose(None)
    try:
        command_line()(prog_name="claude-warehouse")
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
    ours = Words()
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


class Words(logging.StreamHandler[TextIO]):
    """What our own code logs: its message alone, or a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        if lines.are_used():
            return lines.line(record.levelname.lower(), record.getMessage())
        return record.getMessage()


def _kept(error: BaseException | None) -> None:
    """What fails where nobody waits for it, in a file."""
    if isinstance(error, Exception) and stopping.exit_code() is None:
        write_trace(error, hints.folder())
