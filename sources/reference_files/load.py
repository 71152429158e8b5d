"""Load the reference files: each replaces its table, or leaves it where it cannot be read."""

from collections.abc import Iterator

from dlt.common.configuration.specs import BaseConfiguration

from sources.contract import EndpointReport, SourceReport
from sources.errors import ForeseenError
from sources.ledger import endpoint_runs, known_tables, store, stored
from sources.reference_files import FILES, reference_files
from sources.reference_files.reader import read
from sources.session import Session


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
    """Replace the tables by what the files say."""
    report = SourceReport(unit="file")
    paths = paths_of(settings)
    refused: dict[str, str] = {}
    empty = _empty_tables(session)
    files = reference_files(paths, refused, empty=empty)
    report.problems = list(refused.values())
    for table in paths:
        report.endpoints[table] = (
            EndpointReport(outcome="failed", message=refused[table])
            if table in refused
            else EndpointReport(unit_count=1)
        )
    store(session.pipeline, [files, endpoint_runs(report.runs("file", session.clock.now))])
    return report


def _empty_tables(session: Session) -> list[str]:
    known = known_tables(session.pipeline)
    tables = [file.table for file in FILES if file.table in known]
    query = " union all ".join(
        f"select '{table}' as name where not exists (select 1 from {table})" for table in tables
    )
    return [row["name"] for row in stored(session.pipeline, query)] if tables else []
