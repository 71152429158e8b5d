"""The data folder: where everything is, and who may write to it."""

import errno
import fcntl
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import filelock

from sources.errors import ForeseenError


class WarehouseHeld(ForeseenError):
    """Another run holds the warehouse; the command exits with 3."""


FILES = (
    "warehouse.duckdb",
    "serving.duckdb",
    "rate_budget",
    "last_run.json",
    "status.json",
    "errors.log",
)
"""How the names of the files begin that runs write into the folder; what an engine leaves beside
one begins so too."""
FOLDERS = ("dlt", "dbt", "closed_months")
"""Folders in it that runs write."""
LOCK_FILES = ("run.lock", "run.json")
"""Locked while somebody holds the warehouse, and who does."""
REPORT = "report.html"


def here() -> Path:
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


def resolved(path: Path) -> Path:
    """The path without links.

    Raises:
        ForeseenError: They lead in a circle.
    """
    try:
        return path.resolve()
    except RuntimeError:
        raise ForeseenError(
            f"The data folder {path} cannot be found: its links lead in a circle.\n"
            "Correct the link, or name another folder: --data-dir, or PIPELINE__DATA_DIR."
        ) from None


REFUSED = "?\\"
"""What DuckDB reads as part of a URL, and as a folder's end."""


@dataclass(frozen=True)
class DataDir:
    """Paths of everything that a run writes, from the root of the file system."""

    root: Path

    def __post_init__(self) -> None:
        path = here() / self.root
        # A link stays in sight, but `..` behind one leaves the folder that it leads to.
        object.__setattr__(self, "root", resolved(path) if ".." in path.parts else path)

    @property
    def warehouse(self) -> Path:
        """The private file that a run writes; nobody else should open it."""
        return self.root / "warehouse.duckdb"

    @property
    def served(self) -> Path:
        """The copy for readers, replaced whole."""
        return self.root / "serving.duckdb"

    @property
    def dlt(self) -> Path:
        return self.root / "dlt"

    @property
    def closed_months(self) -> Path:
        """A copy of each close, which outlives the warehouse."""
        return self.root / "closed_months"

    def rate_budget_of(self, name: str) -> Path:
        """What was sent to an API of late; that of the first source is older than the others."""
        if name == "claude_analytics":
            return self.root / "rate_budget.sqlite"
        return self.root / f"rate_budget_{name}.sqlite"

    @property
    def last_run(self) -> Path:
        """How the last run ended, as JSON."""
        return self.root / "last_run.json"

    @property
    def holder(self) -> Path:
        """Who holds the warehouse, as JSON; only while somebody does."""
        return self.root / "run.json"

    @property
    def lock(self) -> Path:
        """Locked while somebody holds the warehouse."""
        return self.root / "run.lock"

    @property
    def last_state(self) -> Path:
        """What `status` knew when the last run began, as JSON; it reads this beside a run."""
        return self.root / "status.json"

    def written(self) -> Iterator[Path]:
        """Everything that runs have written here, but for the lock and its holder."""
        if self.root.is_dir():
            for path in self.root.iterdir():
                if path.name.startswith(FILES) or path.name in (*FOLDERS, REPORT):
                    yield path

    def create(self) -> None:
        """Make the folder, and see that it can be written to.

        Raises:
            ForeseenError: It cannot.
        """
        self._require_usable_path()
        try:
            self.require_mounted()
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
            self._require_folders()
        except OSError as error:
            why = "it is a file" if error.errno == errno.EEXIST else error.strerror
            raise ForeseenError(
                f"The data folder {self.root} cannot be written to ({why}).\n"
                "A run keeps its warehouse, its state and its rate budget there.\n"
                "Make it writable, or name another one: --data-dir, or PIPELINE__DATA_DIR."
            ) from error

    def _require_usable_path(self) -> None:
        name, charset = str(self.root), sys.getfilesystemencoding()
        reason = next((f"it has {char} in it" for char in REFUSED if char in name), None)
        if not name.isascii() and charset != "utf-8":
            reason = f"this machine's character set is {charset}, and the path has other letters"
        if reason:
            raise ForeseenError(
                f"The data folder {ascii(name) if not name.isprintable() else name} cannot be "
                f"used: {reason}.\n"
                "DuckDB would take it for another path.\n"
                "Name another folder (--data-dir, or PIPELINE__DATA_DIR), or set PYTHONUTF8=1 "
                "if it is the character set."
            )

    def require_mounted(self) -> None:
        for path in (self.root, *self.root.parents):
            if path.is_symlink() and not path.exists():
                raise ForeseenError(
                    f"The data folder {self.root} is not there: {_leads_nowhere(path)}.\n"
                    "It was not made anew, because a disk may only not be mounted.\n"
                    "Mount it, correct the link, or name another folder with --data-dir."
                )
        # A link to a file that is not made yet may stand there, in a folder that is.
        real = Path(os.path.realpath(self.warehouse))
        if real.is_symlink() or (self.warehouse.is_symlink() and not real.parent.is_dir()):
            raise ForeseenError(
                f"The warehouse is not there: {_leads_nowhere(self.warehouse)}.\n"
                "It was not made anew, because a disk may only not be mounted.\n"
                "Mount it, or correct the link."
            )

    def _require_folders(self) -> None:
        for name in FOLDERS:
            folder = self.root / name
            if os.path.lexists(folder) and not folder.is_dir():
                raise ForeseenError(
                    f"{folder} is no folder, and a run keeps its work in a folder of that name.\n"
                    "Another program made it, or it is a link that leads nowhere.\n"
                    "Move it away, then run this again; a run makes the folder anew."
                )

    def held_by(self) -> str | None:
        """Who holds the warehouse; None if nobody does. Writes nothing and holds up nobody."""
        try:
            with self.lock.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder_text(self.holder)
        except OSError:
            return None
        return None

    @contextmanager
    def held(self, command: str) -> Iterator[None]:
        """Hold the warehouse for one writer. A crashed run's lock ends with its process.

        Raises:
            WarehouseHeld: Another run has it; the message says which, and since when.
        """
        self.create()
        # Not at once: for a moment, `status` may be asking whether somebody holds it.
        lock = filelock.FileLock(self.lock, timeout=0.5)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise WarehouseHeld(
                f"Another run holds the warehouse {self.warehouse}: {_holder_text(self.holder)}.\n"
                "Only one may write at a time.\n"
                "Wait until it ends, then run this again; readers can use serving.duckdb meanwhile."
            ) from None
        try:
            since = datetime.now(UTC).isoformat(timespec="seconds")
            self.holder.write_text(
                json.dumps({"command": command, "process": os.getpid(), "since": since})
            )
            yield
        finally:
            self.holder.unlink(missing_ok=True)
            lock.release()


def _leads_nowhere(link: Path) -> str:
    return f"{link} leads to {os.readlink(link)}, which does not exist"


def _holder_text(holder: Path) -> str:
    try:
        run = json.loads(holder.read_text())
        return f"{run['command']}, process {run['process']}, since {run['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has only just begun"
