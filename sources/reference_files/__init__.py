"""Inputs that no API has, as a dlt source: who works where, what seats cost, who bears what."""

import logging
from collections.abc import Collection, Mapping

import dlt
from dlt.common.schema.typing import TWriteDisposition
from dlt.extract import DltResource

from sources.errors import ForeseenError
from sources.reference_files.files import FILES, ReferenceFile
from sources.reference_files.reader import Contents, in_one_spelling, joined_spellings, read

__all__ = [
    "FILES",
    "Contents",
    "ReferenceFile",
    "joined_spellings",
    "read",
    "reference_files",
]

logger = logging.getLogger(__name__)


@dlt.source(name="reference_files")
def reference_files(
    paths: Mapping[str, str], refusals: dict[str, str], *, empty: Collection[str] = ()
) -> list[DltResource]:
    """One resource per reference file; a load replaces its table, with no rows if no file is set.

    `empty` are tables that are there without rows; one without a file needs no load.

    The message about a file that cannot be read is added to `refusals`, by its table, which then
    stays as it is, and is made if it was never there.
    """
    contents: dict[str, Contents] = {}
    unread: dict[str, Contents] = {}
    for file in FILES:
        path = paths.get(file.table)
        if not path and file.table in empty:
            continue
        try:
            contents[file.table] = read(file, path)
        except ForeseenError as refusal:
            refusals[file.table] = str(refusal)
            unread[file.table] = read(file, None)
    contents = in_one_spelling(contents)
    for content in contents.values():
        for warning in content.warnings:
            logger.warning(warning)
    return [
        *(_resource(table, content, "replace") for table, content in contents.items()),
        *(_resource(table, content, "append") for table, content in unread.items()),
    ]


def _resource(table: str, contents: Contents, disposition: TWriteDisposition) -> DltResource:
    resource: DltResource = dlt.resource([contents.rows], name=table, write_disposition=disposition)
    return resource
