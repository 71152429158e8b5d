"""Copies of what cannot be fetched again: made while nobody writes, compared before they return."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from pipelines.data_dir import DataDir, refuse_newer
from pipelines.files.stores import opened
from pipelines.warehouse.base import Warehouse
from pipelines.warehouse.duckdb.beside import clear_beside
from sources.errors import ForeseenError

CONTENTS = "backup.json"
"""What a backup holds; written last, so that a folder without it is none."""
PREFIX = "claude-warehouse-"
CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A backup: where it is, which version made it and when, and its files' sizes and hashes."""

    place: str
    made_at: str
    version: str
    files: Mapping[str, Mapping[str, Any]]

    @property
    def bytes(self) -> int:
        return sum(file["bytes"] for file in self.files.values())


def backup(data_dir: DataDir, warehouse: Warehouse, to: str) -> Backup:
    """Copy the warehouse and the closes into a folder of their own below `to`, a folder or a URL.

    The caller holds the warehouse. Readers of the published file are not in the way.

    Raises:
        ForeseenError: It cannot be written there.
    """
    made_at = datetime.now(UTC)
    with opened(to) as there:
        store = there.files
        place = str(PurePosixPath(there.root) / f"{PREFIX}{made_at:%Y%m%dT%H%M%S%fZ}")
        files = {}
        for name, path in _parts(data_dir, warehouse):
            store.makedirs(str(PurePosixPath(place, name).parent), exist_ok=True)
            with path.open("rb") as read, store.open(f"{place}/{name}", "wb") as write:
                files[name] = _copied(read, write)
        made = Backup(
            place=place,
            made_at=made_at.isoformat(timespec="seconds"),
            version=version("claude-warehouse"),
            files=files,
        )
        contents = {name: getattr(made, name) for name in ("made_at", "version", "files")}
        with store.open(f"{place}/{CONTENTS}", "wb") as write:
            write.write(json.dumps(contents, indent=2).encode())
    return made


def found(source: str) -> Backup:
    """The backup in this folder or URL, or the newest of those in it.

    Raises:
        ForeseenError: There is none, or a newer claude-warehouse made it.
    """
    with opened(source) as there:
        store, root = there.files, there.root
        place = root
        if not store.exists(f"{place}/{CONTENTS}"):
            names = sorted(
                name
                for name in (PurePosixPath(path).name for path in _listed(store, root))
                if name.startswith(PREFIX) and store.exists(f"{root}/{name}/{CONTENTS}")
            )
            if not names:
                raise ForeseenError(
                    f"There is no backup in {source}.\n"
                    f"It is a folder with the file {CONTENTS}, or one that holds such folders.\n"
                    "Name the folder that was given to: claude-warehouse backup --to"
                )
            place = f"{root}/{names[-1]}"
        with store.open(f"{place}/{CONTENTS}", "rb") as read:
            contents = json.loads(read.read())
    made = Backup(place=place, **contents)
    refuse_newer(made.version, f"The backup {made.place}")
    return made


def restore(data_dir: DataDir, source: str, made: Backup, *, force: bool = False) -> None:
    """Put the backup's files into the data folder; all of them are read and compared first.

    The caller holds the data folder.

    Raises:
        ForeseenError: A warehouse is there and nobody forces it, or the backup is damaged.
    """
    if data_dir.warehouse.exists() and not force:
        raise ForeseenError(
            f"Nothing was restored: {data_dir.root} holds a warehouse.\n"
            "What it knows, and the backup does not, would be lost.\n"
            "Name another folder with --data-dir, or replace it all the same with --force."
        )
    fresh = data_dir.temporary / "restored"
    shutil.rmtree(fresh, ignore_errors=True)  # left by one that was killed
    try:
        with opened(source) as there:
            store = there.files
            for name, file in made.files.items():
                target = fresh / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with store.open(f"{made.place}/{name}", "rb") as read, target.open("wb") as write:
                    if _copied(read, write) != dict(file):
                        raise ForeseenError(
                            f"Nothing was restored: {name} of the backup {made.place} is not what "
                            "was written there.\nThe disk or somebody has changed it.\n"
                            "Restore an older backup: claude-warehouse restore FOLDER"
                        )
        shutil.rmtree(data_dir.closed_months, ignore_errors=True)
        for name in sorted(made.files):
            target = data_dir.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            # A link stays one: what it leads to is replaced.
            real = Path(os.path.realpath(target))
            for path in {target, real}:
                clear_beside(path)
            _move(fresh / name, real)
        # What was under way belonged to the other warehouse.
        shutil.rmtree(data_dir.dlt, ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _parts(data_dir: DataDir, warehouse: Warehouse) -> Iterator[tuple[str, Path]]:
    """Name and path of everything that cannot be made anew."""
    for path in warehouse.files():
        yield path.name, path
    for path in sorted(data_dir.closed_months.rglob("*.parquet")):
        yield f"{data_dir.closed_months.name}/{path.name}", path
    for path in (data_dir.last_run, data_dir.runs, data_dir.version_file):
        if path.exists():
            yield path.name, path


def _copied(read: Any, write: Any) -> dict[str, Any]:
    """Size and hash of what was copied."""
    digest, size = hashlib.sha256(), 0
    while chunk := read.read(CHUNK):
        write.write(chunk)
        digest.update(chunk)
        size += len(chunk)
    return {"bytes": size, "sha256": digest.hexdigest()}


def _move(fresh: Path, target: Path) -> None:
    try:
        os.replace(fresh, target)
    except OSError:  # It is on another disk.
        shutil.copy2(fresh, target)


def _listed(store: Any, root: str) -> list[str]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return [str(path) for path in store.ls(root, detail=False)]
    return []
