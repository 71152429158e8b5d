"""The data folder: where everything is, and who may write to it."""

import fcntl
import json
import os
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


WRITTEN = (
    "warehouse.duckdb*",
    "serving.duckdb*",
    "rate_budget*.sqlite*",
    "dlt",
    "dbt",
    "last_run.json*",
    "status.json*",
    "errors.log",
    "report.html",
)
"""What runs write into the folder, as patterns of names; the lock and its holder apart."""


REFUSED = "?\\"
"""What DuckDB reads as part of a URL, and as a folder's end."""


@dataclass(frozen=True)
class DataDir:
    """Paths of everything that a run writes, from the root of the file system."""

    root: Path

    def __post_init__(self) -> None:
        path = Path(self.root).expanduser().absolute()
        # A link stays in sight, but `..` behind one leaves the folder that it leads to.
        object.__setattr__(self, "root", path.resolve() if ".." in path.parts else path)

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
    def rate_budget(self) -> Path:
        return self.root / "rate_budget.sqlite"

    def rate_budget_of(self, name: str) -> Path:
        """That of an API whose limit is not shared with the Analytics API."""
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
        for pattern in WRITTEN:
            yield from self.root.glob(pattern)

    def create(self) -> None:
        """Make the folder, and see that it can be written to.

        Raises:
            ForeseenError: It cannot.
        """
        if char := next((char for char in REFUSED if char in str(self.root)), None):
            raise ForeseenError(
                f"The data folder {self.root} has {char} in its path.\n"
                "DuckDB cannot keep a database there: it takes the path for another one.\n"
                "Name another folder: --data-dir, or PIPELINE__DATA_DIR."
            )
        for path in (self.root, *self.root.parents):
            if path.is_symlink() and not path.exists():
                raise ForeseenError(
                    f"The data folder {self.root} is not there: {path} leads to "
                    f"{os.readlink(path)}, which does not exist.\n"
                    "It was not made anew, because a disk may only not be mounted.\n"
                    "Mount it, correct the link, or name another folder with --data-dir."
                )
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise ForeseenError(
                f"The data folder {self.root} cannot be written to ({error.strerror}).\n"
                "A run keeps its warehouse, its state and its rate budget there.\n"
                "Make it writable, or name another one: --data-dir, or PIPELINE__DATA_DIR."
            ) from error

    def require_warehouse(self) -> None:
        """See that something was loaded into the folder.

        Raises:
            ForeseenError: Nothing was.
        """
        if not self.warehouse.exists():
            raise ForeseenError(
                f"There is no warehouse in {self.root} yet.\n"
                "Nothing has been loaded into this folder.\n"
                "Run: claude-warehouse sync (or, without a key: claude-warehouse demo)."
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


def _holder_text(holder: Path) -> str:
    try:
        run = json.loads(holder.read_text())
        return f"{run['command']}, process {run['process']}, since {run['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has only just begun"
