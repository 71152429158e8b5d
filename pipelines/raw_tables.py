"""The raw tables: the dlt pipeline that writes them, and what a run reads back of them."""

import logging
import shutil
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import dlt
from dlt.common.exceptions import PipelineException
from dlt.common.runtime import signals
from dlt.common.schema.exceptions import SchemaException
from dlt.common.storages.exceptions import StorageException
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.closed_months import closed_charges, closed_months
from pipelines.data_dir import DataDir
from pipelines.warehouse import warehouse_of
from pipelines.warehouse.base import RAW_SCHEMA, dict_rows
from pipelines.warehouse.pending import set_back
from sources.claude_admin import claude_admin
from sources.claude_admin.endpoints import ROSTERS
from sources.claude_analytics import empty_endpoints
from sources.claude_analytics.endpoints import EVERY_ENDPOINT
from sources.claude_compliance import claude_compliance
from sources.langdock import ENTITIES, Collected, langdock

COMPLETE = "_dlt_load_id in (select load_id from claude_raw._dlt_loads where status = 0)"
"""Of a row: the load that brought it has ended."""

DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    LookupError,
    NotADirectoryError,
    TypeError,
    ValueError,
    PipelineException,
    SchemaException,
    StorageException,
)
"""What dlt fails with where its files are cut or overwritten; it has no error of its own for it.
All that they hold is in the warehouse too, or can be fetched again."""

# dlt would take SIGINT and SIGTERM for itself, drain its pools first, and print advice.
signals.intercepted_signals = nullcontext  # type: ignore[assignment]

log = logging.getLogger(__name__)


def warehouse_pipeline(data_dir: DataDir) -> dlt.Pipeline:
    """The dlt pipeline that writes schema claude_raw; everything it keeps is in the data folder."""
    for attempt in (1, 2):
        try:
            return dlt.pipeline(
                "claude_warehouse",
                destination=warehouse_of(data_dir).store(),
                dataset_name=RAW_SCHEMA,
                pipelines_dir=str(data_dir.dlt),
            )
        except DAMAGED as error:
            if attempt == 2:
                raise
            _say_made_anew(str(data_dir.dlt), error)
            shutil.rmtree(data_dir.dlt, ignore_errors=True)
    raise AssertionError  # Both ways out are above.


def _say_made_anew(folder: str, error: Exception) -> None:
    log.warning(
        "What an earlier run left in %s was damaged (%s) and is made anew; "
        "its days are fetched again.",
        folder,
        type(error).__name__,
    )


def finish_pending(pipeline: dlt.Pipeline) -> None:
    """Load what a killed run left behind, or forget it if that fails.

    Forgotten days are fetched again: the ledger counts only what was loaded completely.
    """
    try:
        set_back(pipeline)
    except DAMAGED as error:
        _say_made_anew(pipeline.working_dir, error)
        pipeline.drop()
    # Not has_pending_data: it is silent about a package whose forgetting was cut short.
    if not (pipeline.list_extracted_load_packages() or pipeline.list_normalized_load_packages()):
        return
    log.warning("An earlier run was interrupted; finishing what it had fetched.")
    try:
        # Not run(): before a first load has ended, it would forget the package instead.
        pipeline.normalize()
        pipeline.load()
    except PipelineStepFailed as error:
        log.warning("It could not be loaded; its days are fetched again.")
        log.info("%s", error)
        pipeline.abort_packages()
        pipeline.load()


def store(pipeline: dlt.Pipeline, data: Any) -> None:
    """Load sources or resources; a run killed from here on loads them when it begins again."""
    pipeline.extract(data)
    pipeline.normalize()
    pipeline.load()


def stored(pipeline: dlt.Pipeline, query: str) -> list[dict[str, Any]]:
    """What the query finds in the raw tables; nothing where one of them does not exist yet."""
    try:
        with pipeline.sql_client() as warehouse, warehouse.execute_query(query) as cursor:
            return dict_rows(cursor)
    except DatabaseUndefinedRelation:
        return []


def known_tables(pipeline: dlt.Pipeline) -> set[str]:
    """The raw tables that are there."""
    query = f"""
        select table_name from information_schema.tables
        where table_schema = '{pipeline.dataset_name}'
    """
    return {row["table_name"] for row in stored(pipeline, query)}


def create_absent_tables(pipeline: dlt.Pipeline) -> None:
    """Make the raw tables that no load has made: the transforms read those of every source."""
    known = known_tables(pipeline)
    now = datetime.now(UTC)  # Of no row.
    absent: list[Any] = []
    # Both generations of cost and usage have some tables in common.
    endpoints = {each.table: each for each in EVERY_ENDPOINT if each.table not in known}
    if endpoints:
        absent.append(empty_endpoints(list(endpoints.values())))
    if rosters := [roster.table for roster in ROSTERS if roster.table not in known]:
        absent.append(claude_admin({}, now, rosters))
    if "activities" not in known:
        absent.append(claude_compliance(None, None, read_at=now))
    if any(entity.table not in known for entity in ENTITIES):
        absent.append(langdock(Collected()))
    if "closed_months" not in known:
        absent.append(closed_months())
    if "closed_charges" not in known:
        absent.append(closed_charges())
    if absent:
        store(pipeline, absent)
