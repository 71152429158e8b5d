"""Commands in messages, so that they can be pasted: they work on the folder that this one did."""

import re
import shlex
from pathlib import Path

from pipelines import project

COMMANDS = re.compile(
    r"\bclaude-warehouse (export [a-z]+|sync|backfill|transform|close-month|accept|publish|status"
    r"|report|summary|check|backup|restore|vacuum|doctor|demo"
    r"|apply-identity|rotate-identity-key|forget-person)\b(?! --data-dir)"
)
"""Those that have the option --data-dir."""

_root: Path | None = None
_is_given = False
_demo: Path | None = None


def use(root: Path, *, is_given: bool) -> None:
    """The folder that the command works on, and whether --data-dir named it."""
    global _root, _is_given, _demo
    _root, _is_given, _demo = root, is_given, None


def use_demo(folder: Path) -> None:
    """The demo's folder inside it, which the other commands have to be told."""
    global _demo
    _demo = folder


def folder() -> Path | None:
    """The folder in use; None before it is known."""
    return _demo or _root


def pasted(text: str) -> str:
    """The text with `--data-dir` and `--project-dir` in every command, where one is needed to work
    on this folder."""
    return COMMANDS.sub(lambda found: f"{found[0]}{_option(found[1])}", text)


def _option(command: str) -> str:
    folder = _root if command == "demo" else _demo or _root
    is_needed = _is_given or (_demo is not None and command != "demo")
    chosen = project.chosen()
    return "".join(
        f" {name} {shlex.quote(str(path))}"
        for name, path in (
            ("--project-dir", chosen),
            ("--data-dir", folder if is_needed else None),
        )
        if path
    )
