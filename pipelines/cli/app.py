"""The command line: every way out of it has its sentence and its exit code."""

import logging
from typing import Never

import typer

from pipelines.cli import files, reading, runs
from pipelines.cli.told import err
from pipelines.data_dir import WarehouseHeld, disk_full_error
from pipelines.exit_codes import DONE, EXIT_CODES, FAILED, HELD
from sources.errors import ForeseenError

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
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        app(prog_name="claude-warehouse")
    except WarehouseHeld as error:
        _fail(str(error), HELD)
    except ForeseenError as error:
        _fail(str(error), FAILED)
    except KeyboardInterrupt:
        _fail("Stopped. What was committed stays; the next run goes on from there.", 130)
    except Exception as error:
        full = disk_full_error(error)
        if full is None:
            raise
        _fail(str(full), FAILED)
    raise SystemExit(DONE)


def _fail(message: str, exit_code: int) -> Never:
    err.print(message, style="red", markup=False)
    raise SystemExit(exit_code)
