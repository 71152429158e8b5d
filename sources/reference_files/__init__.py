"""Inputs that no API has, as a dlt source: who works where, what seats cost, who bears what."""

import logging
from collections.abc import Collection, Iterable, Mapping

import dlt
from dlt.common.schema.typing import TWriteDisposition
from dlt.extract import DltResource

from sources.errors import ForeseenError
from sources.reference_files.files import BY_TABLE, FILES, ReferenceFile
from sources.reference_files.reader import (
    Contents,
    in_one_spelling,
    joined_spellings,
    loaded_before,
    read,
)

__all__ = [
    "FILES",
    "Contents",
    "ReferenceFile",
    "earlier_rows",
    "joined_spellings",
    "read",
    "read_files",
    "reference_files",
]

logger = logging.getLogger(__name__)


def read_files(paths: Mapping[str, str], refusals: dict[str, str]) -> dict[str, Contents]:
    """What each file that is set says, by its table.

    The message about a file that cannot be read is added to `refusals`, by its table.
    """
    contents: dict[str, Contents] = {}
    for file in FILES:
        if path := paths.get(file.table):
            try:
                contents[file.table] = read(file, path)
            except ForeseenError as refusal:
                refusals[file.table] = str(refusal)
    return contents


@dlt.source(name="reference_files")
def reference_files(
    contents: Mapping[str, Contents], absent: Collection[str] = ()
) -> list[DltResource]:
    """One resource per reference file: what it says replaces its table, in one spelling of each
    name. The `absent` tables are made, without rows, where they are not there."""
    contents = in_one_spelling(contents)
    for content in contents.values():
        for warning in content.warnings:
            logger.warning(warning)
    nothing = {file.table: read(file, None) for file in FILES if file.table in absent}
    return [
        *(_resource(table, content, "replace") for table, content in contents.items()),
        *(_resource(table, content, "append") for table, content in nothing.items()),
    ]


def earlier_rows(table: str, rows: Iterable[Mapping[str, object]]) -> DltResource:
    """The resource that gives a table these rows again; a value may be its text."""
    return _resource(table, loaded_before(BY_TABLE[table], rows), "replace")


def _resource(table: str, contents: Contents, disposition: TWriteDisposition) -> DltResource:
    resource: DltResource = dlt.resource([contents.rows], name=table, write_disposition=disposition)
    return resource
