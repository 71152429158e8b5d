"""Files that commands write: complete or as they were before, and never one of our own."""

import csv
import json
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.data_dir import FILES, FOLDERS, LOCK_FILES, DataDir
from pipelines.focus.metadata import is_ours as is_metadata
from sources.errors import ForeseenError

OWN_FILES = (*FILES, *LOCK_FILES)
PART = ".part"

PAGE_TITLE = "Claude usage report"
DICTIONARY_TITLE = "Claude usage: the tables"
SHEET = "Statement"
FOCUS_SHEET = "FOCUS"
"""The first sheet of a workbook, by which it is known."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a command writes, and how a file of that kind is known.

    Attributes:
        name: For a sentence.
        form: The suffix that such a file usually has.
        columns: Those that a table of this kind always has.
    """

    name: str
    form: str
    columns: Collection[str] = ()

    def is_that_of(self, file: Path) -> bool:
        """Whether the file is one of this kind, by what is in it. An empty one is of any."""
        try:
            return not file.stat().st_size or RECOGNISED[self.form](file, self.columns)
        except (OSError, ValueError, csv.Error, BadZipFile, RecursionError, pa.ArrowException):
            return False


def _is_page(file: Path, _: Collection[str]) -> bool:
    return f"<title>{PAGE_TITLE}".encode() in _start(file)


def _is_dictionary(file: Path, _: Collection[str]) -> bool:
    return f"<title>{DICTIONARY_TITLE}".encode() in _start(file)


def _is_drawing(file: Path, _: Collection[str]) -> bool:
    return _start(file).startswith(b"<svg ")


def _is_picture(file: Path, _: Collection[str]) -> bool:
    return _start(file).startswith(b"\x89PNG\r\n\x1a\n")


def _is_csv(file: Path, columns: Collection[str]) -> bool:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return set(columns) <= set(next(csv.reader([lines.readline(10_000)]), ()))


def _is_jsonl(file: Path, columns: Collection[str]) -> bool:
    with file.open(encoding="utf-8-sig") as lines:
        record = json.loads(lines.readline(10_000_000))
    return isinstance(record, dict) and set(columns) <= record.keys()


def _is_parquet(file: Path, columns: Collection[str]) -> bool:
    return set(columns) <= set(pq.read_schema(file).names)


def _is_workbook(file: Path, columns: Collection[str]) -> bool:
    sheet = SHEET if "month" in columns else FOCUS_SHEET
    with ZipFile(file) as parts:
        return "xl/workbook.xml" in parts.namelist() and (
            f'name="{sheet}"'.encode() in parts.read("xl/workbook.xml")
        )


def _is_duckdb(file: Path, _: Collection[str]) -> bool:
    # Whether it holds marts is seen when it is replaced: another one is kept aside.
    return _start(file)[8:12] == b"DUCK"


def _is_dashboards(file: Path, _: Collection[str]) -> bool:
    with ZipFile(file) as parts:
        return any(name.endswith("/metadata.yaml") for name in parts.namelist())


def _is_focus_metadata(file: Path, _: Collection[str]) -> bool:
    return is_metadata(file)


RECOGNISED = {
    "focus-metadata": _is_focus_metadata,
    "duckdb": _is_duckdb,
    "html": _is_page,
    "dictionary": _is_dictionary,
    "svg": _is_drawing,
    "png": _is_picture,
    "csv": _is_csv,
    "jsonl": _is_jsonl,
    "parquet": _is_parquet,
    "xlsx": _is_workbook,
    "zip": _is_dashboards,
}


PAGE = Kind(name="A report page", form="html")
DICTIONARY = Kind(name="A dictionary", form="dictionary")
DRAWING = Kind(name="A drawing of the marts", form="svg")
PICTURE = Kind(name="A picture", form="png")
DASHBOARDS = Kind(name="A file of dashboards", form="zip")


MARTS = Kind(name="A file of marts", form="duckdb")


def _start(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(4_096)


def refuse_unless_ours(data_dir: DataDir, out: Path, kind: Kind, *, force: bool = False) -> None:
    """See that nothing else is lost when a file of this kind is written to `out`.

    Raises:
        ForeseenError: It is one of our own files, or, unless forced, a file of another kind.
    """
    if is_own(data_dir, out):
        raise ForeseenError(
            f"{out} cannot be written: it is a file of the data folder {data_dir.root}, where the "
            "warehouse and its state are.\n"
            f"{kind.name} there would destroy it.\n"
            "Name another file with --out (or, for a run's report, the setting [report] out)."
        )
    if out.is_file() and not force and not kind.is_that_of(out):
        raise ForeseenError(
            f"{out} was not written: there is another file, and it is not {kind.name.lower()}.\n"
            "What is in it would be lost.\n"
            "Name another file with --out, or replace it all the same with --force."
        )


def is_own(data_dir: DataDir, out: Path) -> bool:
    """Whether the path leads to a file that we keep in the data folder, or to one beside it that
    would be taken for a part of it; whatever links and spellings lead there."""
    real = _real(out)
    roots = [data_dir.root, data_dir.root / "demo"]  # The demonstration has its own in there.
    beside = DataDir(Path(os.path.realpath(out)).parent)
    if beside.lock.exists():
        roots.append(beside.root)  # Another warehouse's.
    for root in roots:
        if any(_real(root / name) in (real, *real.parents) for name in FOLDERS):
            return True
        links = root.iterdir() if root.is_dir() else ()
        own = [_real(root / name) for name in OWN_FILES]
        own += [
            _real(link) for link in links if link.is_symlink() and link.name.startswith(OWN_FILES)
        ]
        if any(real.parent == file.parent and real.name.startswith(file.name) for file in own):
            return True
    return _has_other_names(out) and any(
        file.is_file() and os.path.samefile(file, out)
        for file in data_dir.root.rglob("*")
        if _real(file) != real and is_own(data_dir, file)
    )


def _real(path: Path) -> Path:
    """One spelling for every way to name a file, on file systems without case too."""
    return Path(os.path.realpath(path).casefold())


def _has_other_names(file: Path) -> bool:
    return file.is_file() and file.stat().st_nlink > 1


@contextmanager
def replaced(out: Path, what: str) -> Iterator[Path]:
    """The file to write; it takes the place of `out` at the end, or everything stays as it was.

    Raises:
        ForeseenError: It cannot be written.
    """
    # A link stays one: what it leads to is replaced.
    real = Path(os.path.realpath(out))
    part = real.with_name(f".{real.name}.{os.getpid()}{PART}")
    try:
        if real.exists() and not real.is_file():
            raise IsADirectoryError(None, "there is a folder or a device of that name")
        if real.parent.exists() and not real.parent.is_dir():
            raise NotADirectoryError(None, f"{real.parent} is not a folder")
        real.parent.mkdir(parents=True, exist_ok=True)
        _remove_left(real)
        yield part
        keep_access(real, part)
        synced(part)
        os.replace(part, real)
        synced(real.parent)
    except OSError as error:
        raise ForeseenError(
            f"{what} could not be written to {out}: {reason_of(error)}.\n"
            "What was there before is as it was.\n"
            "Grant access or make room there, or name another file with --out."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def reason_of(error: Exception) -> str:
    """Why the system refused, in its own words; some libraries hide them in JSON."""
    if number := re.search(r'"errno":"(\d+)"', str(error)):
        return os.strerror(int(number[1]))
    return getattr(error, "strerror", None) or str(error).splitlines()[0].rstrip(".")


def _remove_left(real: Path) -> None:
    """Remove what killed processes left of the same file."""
    for left in real.parent.iterdir():
        name = left.name.removeprefix(f".{real.name}.")
        if name == left.name or not name.endswith(PART):
            continue
        process = name.removesuffix(PART)
        if process.isdecimal() and not _is_running(int(process)):
            left.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def keep_access(old: Path, new: Path) -> None:
    """Let the same people read the new file as the old one, if there is one."""
    with suppress(FileNotFoundError):
        was = old.stat()
        # The owner can be kept by an administrator only, the group by its members.
        for owner, group in ((-1, was.st_gid), (was.st_uid, -1)):
            with suppress(PermissionError):
                os.chown(new, owner, group)
        os.chmod(new, was.st_mode & 0o7777)
        # Where the system has them; access lists are among them.
        if hasattr(os, "listxattr"):
            with suppress(OSError):
                for name in os.listxattr(old):
                    with suppress(OSError):
                        os.setxattr(new, name, os.getxattr(old, name))


def synced(path: Path) -> None:
    """Returns when a file's bytes, or a folder's entries, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
