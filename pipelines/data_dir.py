"""The data folder: where everything is, and who may write to it."""

import errno
import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import filelock
from packaging.version import InvalidVersion, Version

from pipelines.project import started_in
from sources.errors import ForeseenError
from sources.regular import is_endless


class WarehouseHeld(ForeseenError):
    """Another run holds the warehouse; the command exits with 3."""


TRIAL = "trial."
"""How the names of folders begin in which something is tried on a copy of the warehouse."""
FILES = (
    "warehouse.duckdb",
    "serving.duckdb",
    "serving_anonymous.duckdb",
    "rate_budget",
    "last_run.json",
    "runs.jsonl",
    "status.json",
    "reports.json",
    "version.json",
    "errors.log",
    TRIAL,
)
"""How the names of the files begin that runs write into the folder; what an engine leaves beside
one begins so too."""
FOLDERS = ("dlt", "dbt", "closed_months", "unpublished", "temporary")
"""Folders in it that runs write."""
LOCK_FILES = ("run.lock", "run.json")
"""Locked while somebody holds the warehouse, and who does."""
REPORT = "report.html"


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


PRODUCT = "claude-warehouse"
PRIVATE_UMASK, PRIVATE_MODE = 0o077, 0o700
"""What a run makes is for its user alone."""
REFUSED = "?\\"
"""What DuckDB reads as part of a URL, and as a folder's end."""


@dataclass(frozen=True)
class DataDir:
    """Paths of everything that a run writes, from the root of the file system.

    Attributes:
        is_apart: Whether its warehouse is a file in it, wherever the settings have theirs: a copy
            on which something is tried, or the demo.
    """

    root: Path
    is_apart: bool = False

    def __post_init__(self) -> None:
        path = started_in() / self.root
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
    def served_anonymous(self) -> Path:
        """The same without people, for readers who need none."""
        return self.root / "serving_anonymous.duckdb"

    @property
    def reports(self) -> Path:
        """What earlier reports said, which the next one compares itself with."""
        return self.root / "reports.json"

    @property
    def dlt(self) -> Path:
        return self.root / "dlt"

    @property
    def temporary(self) -> Path:
        """What libraries write and remove again while a run holds the warehouse."""
        return self.root / "temporary"

    @property
    def closed_months(self) -> Path:
        """A copy of each close, which outlives the warehouse."""
        return self.root / "closed_months"

    @property
    def unpublished(self) -> Path:
        """What reference files that changed since the last publication said then."""
        return self.root / "unpublished"

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
    def runs(self) -> Path:
        """What the warehouse does not know yet of runs, a line of JSON each."""
        return self.root / "runs.jsonl"

    @property
    def version_file(self) -> Path:
        """Which claude-warehouse wrote here last, as JSON."""
        return self.root / "version.json"

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

    def require_files(self) -> None:
        """See that nothing in the folder holds a reader up for ever.

        Raises:
            ForeseenError: A pipe or a device stands where a run keeps a file.
        """
        found: list[Path] = []
        with suppress(OSError):  # Whoever needs the folder says so.
            found = [*self.written(), self.holder]
        for path in found:
            if is_endless(path):
                raise ForeseenError(
                    f"{path} is a pipe or a device, and a run keeps a file of that name.\n"
                    "Whoever reads it may wait for ever, so nothing was read.\n"
                    "Move it away, then run this again; what can be made anew is."
                )

    def create(self) -> None:
        """Make the folder, and see that it can be written to.

        Raises:
            ForeseenError: It cannot.
        """
        self._require_usable_path()
        with self._or_told():
            self.require_mounted()
            self._make_root()
            self._require_writable()

    def inspected(self) -> str:
        """Whether a run could write here, in words; nothing is made.

        Raises:
            ForeseenError: It could not.
        """
        self._require_usable_path()
        with self._or_told():
            self.require_mounted()
            if not self.root.exists():
                nearest = next(path for path in self.root.parents if path.exists())
                code = 0 if os.access(nearest, os.W_OK | os.X_OK) else errno.EACCES
                if code := code if nearest.is_dir() else errno.ENOTDIR:
                    raise OSError(code, os.strerror(code))
                return f"{self.root} is not there yet; the first sync makes it"
            if not self.root.is_dir():
                raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
            self._require_writable()
            free = shutil.disk_usage(self.root).free / 2**30
            return f"{self.root} is writable, {free:.1f} GiB free"

    @contextmanager
    def _or_told(self) -> Iterator[None]:
        """What the system says of the folder, as a message."""
        try:
            yield
        except OSError as error:
            why = "it is a file" if error.errno == errno.EEXIST else error.strerror
            raise ForeseenError(
                f"The data folder {self.root} cannot be written to ({why}).\n"
                "A run keeps its warehouse, its state and its rate budget there.\n"
                "Make it writable, or name another one: --data-dir, or PIPELINE__DATA_DIR."
            ) from error

    def _require_writable(self) -> None:
        with tempfile.TemporaryFile(dir=self.root):
            pass
        self._require_folders()

    def _make_root(self) -> None:
        if not self.root.is_dir():
            self.root.parent.mkdir(parents=True, exist_ok=True)
            self.root.mkdir(mode=PRIVATE_MODE, exist_ok=True)
        if not any(self.root.iterdir()):
            with suppress(PermissionError):  # Another user's, who lets this one write.
                self.root.chmod(PRIVATE_MODE)

    def _require_usable_path(self) -> None:
        charset = sys.getfilesystemencoding()
        # A folder or a file that is a link is opened where it leads.
        places = (str(self.root), *map(os.path.realpath, (self.warehouse, self.served)))
        name = next((place for place in places if set(REFUSED) & set(place)), places[0])
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

    def _holds(self) -> list["DataDir"]:
        """This folder, and the one in which its warehouse really is, where that is another: each
        has a lock, and whoever writes has both."""
        theirs = Path(os.path.realpath(self.warehouse)).parent
        is_ours = theirs == Path(os.path.realpath(self.root))
        return [self] if is_ours else [self, DataDir(theirs)]

    def held_by(self) -> str | None:
        """Who holds the warehouse; None if nobody does. Writes nothing and holds up nobody."""
        for place in self._holds():
            try:
                with place.lock.open("rb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _holder_text(place.holder)
            except OSError:
                continue
        return None

    @contextmanager
    def held(self, command: str, *, replaces: bool = False) -> Iterator[None]:
        """Hold the warehouse for one writer. A crashed run's lock ends with its process.

        What is made meanwhile is for its owner alone.

        Raises:
            WarehouseHeld: Another run has it; the message says which, and since when.
            ForeseenError: A newer version wrote here, and what it wrote is not to be replaced.
        """
        before, temporary = os.umask(PRIVATE_UMASK), tempfile.tempdir
        try:
            self.create()
            with ExitStack() as locked:
                for place in self._holds():
                    locked.enter_context(place._locked(self.warehouse, command))
                self._take_over(replaces=replaces)
                # dlt writes the SQL of its merges into the system's.
                shutil.rmtree(self.temporary, ignore_errors=True)  # left by a run that was killed
                self.temporary.mkdir(exist_ok=True)
                tempfile.tempdir = str(self.temporary)
                yield
                shutil.rmtree(self.temporary, ignore_errors=True)
        finally:
            tempfile.tempdir = temporary
            os.umask(before)

    @contextmanager
    def _locked(self, warehouse: Path, command: str) -> Iterator[None]:
        # Not at once: for a moment, `status` may be asking whether somebody holds it.
        lock = filelock.FileLock(self.lock, timeout=0.5)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise WarehouseHeld(
                f"Another run holds the warehouse {warehouse}: {_holder_text(self.holder)}.\n"
                "Only one may write at a time.\n"
                "Wait until it ends, then run this again; readers can use serving.duckdb meanwhile."
            ) from None
        try:
            since = datetime.now(UTC).isoformat(timespec="seconds")
            write_private(
                self.holder,
                json.dumps({"command": command, "process": os.getpid(), "since": since}),
            )
            yield
        finally:
            self.holder.unlink(missing_ok=True)
            lock.release()

    def _take_over(self, *, replaces: bool) -> None:
        """See that no newer version wrote here, and that nobody else reads what others left open.

        The published file stays as it is: who may read it was decided by whoever runs this.
        """
        if not replaces:
            with suppress(OSError, ValueError, KeyError, TypeError):
                written_by = json.loads(self.version_file.read_text())["version"]
                refuse_newer(written_by, f"The data folder {self.root}")
        write_private(self.version_file, json.dumps({"version": version(PRODUCT)}))
        for path in (self.lock, *self.written()):
            if path.name.startswith((self.served.name, self.served_anonymous.name, REPORT)):
                continue
            with suppress(OSError):  # Another user's, or gone meanwhile.
                mode = path.stat().st_mode & 0o777
                if mode & ~PRIVATE_MODE:
                    path.chmod(mode & PRIVATE_MODE)


def write_private(file: Path, text: str) -> None:
    """Replace a small file at once; nobody but its owner may read it."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)  # left by a run that was killed
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
    os.replace(new, file)


def refuse_newer(written_by: str, what: str) -> None:
    """See that this version is not older than the one that wrote something.

    Raises:
        ForeseenError: It is.
    """
    ours = version(PRODUCT)
    with suppress(InvalidVersion):
        if Version(written_by) > Version(ours):
            raise ForeseenError(
                f"{what} was written by claude-warehouse {written_by}, and this is {ours}.\n"
                "An older version does not know what a newer one has changed there: nothing was "
                "touched.\n"
                f"Install claude-warehouse {written_by} or newer, or restore a backup that {ours} "
                "made: claude-warehouse restore FOLDER"
            )


def _leads_nowhere(link: Path) -> str:
    return f"{link} leads to {os.readlink(link)}, which does not exist"


def _holder_text(holder: Path) -> str:
    try:
        run = json.loads(holder.read_text())
        return f"{run['command']}, process {run['process']}, since {run['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has only just begun"
