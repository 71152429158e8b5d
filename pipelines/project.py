"""The project's folder: it holds `.dlt`, and relative paths of settings begin there."""

import os
from pathlib import Path

from sources.errors import ForeseenError

VARIABLE = "CLAUDE_WAREHOUSE_HOME"

_chosen: Path | None = None


def choose(folder: Path | None) -> None:
    """The folder that --project-dir names; None: it names none."""
    global _chosen
    _chosen = folder


def chosen() -> Path | None:
    """The folder that --project-dir names."""
    return _chosen


def here() -> Path:
    """The project's folder: that of --project-dir, else of the variable, else where this was
    started.

    Raises:
        ForeseenError: It is not there.
    """
    if _chosen:
        return _chosen
    variable = os.environ.get(VARIABLE, "").strip()
    if not variable:
        return started_in()
    folder = started_in() / Path(os.path.expanduser(variable))
    if not folder.is_dir():
        raise ForeseenError(
            f"{VARIABLE} is {variable}, and there is no such folder.\n"
            "The settings (.dlt) and relative paths in them are looked for there.\n"
            "Correct the variable or remove it, or name the folder with --project-dir."
        )
    return folder


def origin() -> str:
    """What named the project's folder."""
    if _chosen:
        return "named by --project-dir"
    if os.environ.get(VARIABLE, "").strip():
        return f"named by {VARIABLE}"
    return "where this was started"


def started_in() -> Path:
    """The folder in which the command was started.

    Raises:
        ForeseenError: It has been removed since.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ForeseenError(
            "The folder in which this was started does not exist any more.\n"
            "The settings (.dlt) and the data folder are looked for from there.\n"
            "Change into the project's folder, then run this again."
        ) from None
