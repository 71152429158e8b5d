"""The files of a folder, or of an object store through dlt's filesystem source."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath

from dlt.common.exceptions import MissingDependencyException
from dlt.extract.exceptions import ResourceExtractionError
from dlt.sources.filesystem import filesystem

from sources.errors import ForeseenError
from sources.langdock.reader import is_export
from sources.regular import regular_bytes
from sources.typed_files.forms import OTHER_PROGRAM, PERHAPS_TABLES, TABLES, is_hidden

EXTRAS = {"s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfss": "az", "adl": "az"}
"""Scheme of a store's URL -> our extra that reads it."""
OF_THE_SYSTEM = {".ds_store", "thumbs.db", "desktop.ini", ".localized"}
"""What operating systems put into every folder: not worth a word."""
SHOWN = 10


class ExportFile:
    """A file that is there; its name is the path below the folder."""

    def __init__(self, name: str, modified_at: datetime, read: Callable[[], bytes]) -> None:
        self.name = name
        self.modified_at = modified_at
        self._read = read

    def content(self) -> bytes:
        """The file's bytes.

        Raises:
            ForeseenError: It cannot be read.
        """
        try:
            return self._read()
        except OSError as error:
            raise ForeseenError(
                f"The Langdock export {self.name} cannot be read: {error.strerror or error}.\n"
                "Nothing of it was loaded. Check that it is there and may be read, "
                "then run the command again."
            ) from error


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    Attributes:
        files: Those that are read, by name.
        refused: Those that could be exports and cannot be read -> what they are.
        passed_over: Those that are none: hidden ones, leftovers, texts, pictures.
    """

    files: Sequence[ExportFile]
    refused: Mapping[str, str]
    passed_over: Sequence[str]

    @property
    def refusal(self) -> str | None:
        """The message about files that are not read."""
        if not self.refused:
            return None
        shown = [f"\n  {name}: it is {form}" for name, form in sorted(self.refused.items())]
        more = len(shown) - SHOWN
        return (
            f"{len(shown)} of the files in Langdock's folder cannot be read:"
            + "".join(shown[:SHOWN])
            + (f"\n  and {more} more" if more > 0 else "")
            + "\nNothing of them was loaded. CSV and .xlsx are read. "
            "Do what is said beside each, or take it out of the folder; then run the command again."
        )

    @property
    def note(self) -> str | None:
        """The line that names what was passed over."""
        if not self.passed_over:
            return None
        more = len(self.passed_over) - SHOWN
        names = ", ".join(self.passed_over[:SHOWN]) + (f" and {more} more" if more > 0 else "")
        return f"Langdock's folder has files that are no exports and were not read: {names}."


def listing(folder: str) -> Listing:
    """Every file below the folder.

    Raises:
        ForeseenError: The folder cannot be listed.
    """
    try:
        found = sorted(_stored(folder) if "://" in folder else _local(folder), key=_name)
    except MissingDependencyException as error:
        raise ForeseenError(
            f"[sources.langdock] files is {folder!r}, and what reads such a store is not "
            f"installed.\nInstall the extra of that store: "
            f'pip install "claude-warehouse[{EXTRAS.get(folder.partition(":")[0], "s3")}]"'
        ) from error
    except (ResourceExtractionError, OSError, ValueError) as error:
        cause = error.__cause__ or error
        raise ForeseenError(
            f"The Langdock folder {folder} cannot be listed: {cause}\n"
            "It is the setting [sources.langdock] files: a folder, or the URL of an object store; "
            "a relative path starts at the current directory.\n"
            "Correct the setting, or remove it to go on without Langdock's exports."
        ) from error
    files: list[ExportFile] = []
    refused: dict[str, str] = {}
    passed_over: list[str] = []
    for file in found:
        suffix = PurePosixPath(file.name).suffix.lower()
        if PurePosixPath(file.name).name.lower() in OF_THE_SYSTEM:
            continue
        if is_hidden(file.name):
            passed_over.append(file.name)
        elif suffix in TABLES or (suffix in PERHAPS_TABLES and _may_be_export(file)):
            files.append(file)
        elif suffix in OTHER_PROGRAM:
            refused[file.name] = OTHER_PROGRAM[suffix]
        else:
            passed_over.append(file.name)
    return Listing(files, refused, passed_over)


def _name(file: ExportFile) -> str:
    return file.name


def _stored(url: str) -> Iterator[ExportFile]:
    for item in filesystem(bucket_url=url, file_glob="**"):
        yield ExportFile(item["relative_path"], item["modification_date"], item.read_bytes)


def _local(folder: str) -> Iterator[ExportFile]:
    """Not through dlt, which takes the folder's name for a pattern, in which `[1]` is a one.

    Raises:
        OSError: The folder, or one below it, cannot be listed.
    """

    def stop(error: OSError) -> None:
        raise error

    seen = set[str]()
    for below, folders, names in os.walk(folder, followlinks=True, onerror=stop):
        folders[:] = [name for name in folders if not _is_seen(os.path.join(below, name), seen)]
        for path in (Path(below, name) for name in names):
            # A pipe, or a link to nothing, as on a share that is not mounted, is said when read.
            found = path.stat() if path.exists() else path.lstat()
            modified_at = datetime.fromtimestamp(found.st_mtime, UTC)
            name = path.relative_to(folder).as_posix()
            yield ExportFile(name, modified_at, partial(regular_bytes, path))


def _is_seen(folder: str, seen: set[str]) -> bool:
    """Whether a link led here before; from now on, it has."""
    place = os.path.realpath(folder)
    if place in seen:
        return True
    seen.add(place)
    return False


def _may_be_export(file: ExportFile) -> bool:
    try:
        return is_export(file.content())
    except ForeseenError:
        return True  # Said when it is read.
