"""The reference files as a source of a run."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from dlt.common.configuration.specs import BaseConfiguration

from sources.contract import Check, Source, Table
from sources.errors import ForeseenError
from sources.reference_files import FILES, reference_files
from sources.reference_files.load import load, paths_of, refusals
from sources.reference_files.reader import joined_spellings, read
from sources.reference_files.settings import ReferenceFileSettings
from sources.rules import PART, PATH
from sources.session import Access

SHOWN_SPELLINGS = 10


def missing(settings: BaseConfiguration) -> str | None:
    """Why no file is read."""
    return None if paths_of(settings) else "No reference file is set."


def check(access: Access, settings: BaseConfiguration) -> Iterator[Check]:
    """Each file, and names that they write in several ways."""
    paths, contents = paths_of(settings), []
    for file in FILES:
        path = paths.get(file.table)
        if path is None:
            text = f"not set; see [sources.reference_files] {file.table}"
            yield Check(file.table, None, text)
        try:
            read_file = read(file, path)
        except ForeseenError as error:
            yield Check(file.table, False, str(error))
            continue
        contents.append(read_file)
        if path:
            yield Check(file.table, True, f"{path}: {len(read_file.rows)} rows")
    if joined := joined_spellings(contents):
        more = len(joined) - SHOWN_SPELLINGS
        told = [*joined[:SHOWN_SPELLINGS], *([f"and {more} more"] if more > 0 else [])]
        yield Check("spellings", True, "joined, shown as first: " + "; ".join(told))


def empty(absent: Collection[str]) -> list[Any]:
    return [reference_files({}, absent)]


def demo(sandbox: Any, folder: Path) -> BaseConfiguration:
    return ReferenceFileSettings(**sandbox.write_reference_files(folder))


SOURCE = Source(
    name="reference_files",
    title="Reference files",
    settings=ReferenceFileSettings,
    rules={**{file.table: PATH for file in FILES}, "largest_loss": PART},
    tables=[Table(name=file.table, kind="file") for file in FILES],
    missing=missing,
    refusals=refusals,
    check=check,
    load=load,
    empty=empty,
    is_always_read=True,
    demo=demo,
)
