"""Load the reference files: each replaces its table, or leaves it where it cannot be believed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from dlt.common.configuration.specs import BaseConfiguration

from sources.contract import EndpointReport, SourceReport
from sources.doubts import Doubt
from sources.errors import ForeseenError
from sources.ledger import known_tables, store, stored
from sources.reference_files import FILES, ReferenceFile, read_files, reference_files
from sources.reference_files.changes import change, losses
from sources.reference_files.reader import loaded_before, read
from sources.session import Session

LARGEST_LOSS = "largest_loss"
StoredRows = Sequence[Mapping[str, Any]]


def paths_of(settings: BaseConfiguration) -> dict[str, str]:
    """Table -> path of the files that are set."""
    paths = {file.table: getattr(settings, file.table) for file in FILES}
    return {table: path for table, path in paths.items() if path}


def refusals(settings: BaseConfiguration) -> Iterator[str]:
    """A message for each file that is set and cannot be read."""
    paths = paths_of(settings)
    for file in FILES:
        try:
            read(file, paths.get(file.table))
        except ForeseenError as error:
            yield str(error)


def load(session: Session, settings: BaseConfiguration) -> SourceReport:
    """Replace the tables by what the files say.

    A file that cannot be read, is set no more, or has lost too much, leaves its table as it is but
    for names that other files write otherwise now: a name has one spelling in all of them.
    """
    report = SourceReport(unit="file")
    paths = {
        table: path for table, path in paths_of(settings).items() if session.door.asks_for(table)
    }
    most = Fraction(getattr(settings, LARGEST_LOSS))
    refused: dict[str, str] = {}
    contents = {
        table: replace(content, rows=session.door.table(table, content.rows))
        for table, content in read_files(paths, refused).items()
    }
    refused = {table: session.door.reason(why) for table, why in refused.items()}
    known = known_tables(session.pipeline)
    for file in FILES:
        table = file.table
        before = stored(session.pipeline, f"select * from {table}") if table in known else []
        if table in refused:
            contents[table] = loaded_before(file, before)
            continue
        if not (before or table in paths):
            continue
        content = contents.get(table) or read(file, None)
        after = content.rows.to_pylist()
        doubt = doubt_of(file, paths.get(table), before, after, most)
        if doubt is None:
            session.doubts.none(table)
        elif not session.doubts.allows(doubt):
            refused[table] = session.doubts.text(table)
            contents[table] = loaded_before(file, before)
            continue
        contents[table] = content
        if changed := change(file, before, after):
            report.changes[table] = str(changed)
            session.on_replaced(table, before)
    report.problems = list(refused.values())
    for table in {**paths, **refused}:
        report.endpoints[table] = (
            EndpointReport(outcome="failed", message=refused[table])
            if table in refused
            else EndpointReport(unit_count=1)
        )
    absent = [file.table for file in FILES if file.table not in {*known, *contents}]
    if contents or absent:
        store(session.pipeline, reference_files(contents, absent))
    report.note_runs("file", session.clock.now)
    return report


def doubt_of(
    file: ReferenceFile, path: str | None, before: StoredRows, after: StoredRows, most: Fraction
) -> Doubt | None:
    """Why what the file says is hardly all that it should say; None: nothing is strange."""
    lost = losses(file, before, after, most)
    if not lost:
        return None
    setting = f"[sources.reference_files] {file.table}"
    variable = f"SOURCES__REFERENCE_FILES__{file.table.upper()}"
    if path is None:
        head = (
            f"The reference file {file.table} is not set any more, and {lost[0].split(' of ')[1]} "
            "of it are loaded.\n"
        )
        cure = f"Set {setting} (or {variable}) again: a shell may lack what the nightly run has."
    else:
        head = f"The reference file {path} has lost {' and '.join(lost)} of {file.table}.\n"
        cure = "Put the file right: an export may have failed, or a filter be left on."
    return Doubt(
        what=file.table,
        rule="file_that_shrank",
        outcome="refused",
        sentence=f"{head}None of that was taken: what was loaded before goes on to count.\n{cure}",
        claim="; ".join(["absent"] if path is None else lost),
    )
