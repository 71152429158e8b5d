"""The raw tables: the dlt pipeline that writes them, and what a run reads back of them."""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import dlt
from dlt.common.exceptions import PipelineException
from dlt.common.runtime import signals
from dlt.common.schema.exceptions import SchemaException
from dlt.common.storages.exceptions import StorageException
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.closing.closed_months import (
    closed_charges,
    closed_months,
    closed_settings,
    month_invoices,
)
from pipelines.data_dir import DataDir
from pipelines.people.identity import forgotten_rows, identity_rows
from pipelines.people.known_addresses import known_addresses
from pipelines.registry import SOURCES
from pipelines.runs import runs
from pipelines.warehouse import warehouse_of
from pipelines.warehouse.base import RAW_SCHEMA
from pipelines.warehouse.pending import set_back
from sources.hints import VERSION_SQL
from sources.ledger import (
    add_columns,
    delete_unnamed,
    endpoint_runs,
    held_open,
    known_columns,
    known_tables,
    store,
)
from sources.organisation import key_owners

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

OF_RUNS: Mapping[str, Callable[[], Any]] = {
    "closed_months": closed_months,
    "closed_charges": closed_charges,
    "closed_settings": closed_settings,
    "month_invoices": month_invoices,
    "identities": identity_rows,
    "forgotten_people": forgotten_rows,
    "endpoint_runs": endpoint_runs,
    "known_addresses": known_addresses,
    "key_owners": key_owners,
    "runs": runs,
}
"""Raw tables that are no source's -> what makes them without a row."""

SINCE_ADDED = {
    "closed_charges": {
        **dict.fromkeys(("token_type", "context_window", "speed", "seat_tier"), "varchar"),
        "seat_months": "decimal(38, 12)",
        "seat_price_usd": "decimal(38, 8)",
        **dict.fromkeys(("is_settled", "is_estimated"), "boolean"),
    },
    "endpoint_runs": {"run_number": "bigint", "organization_id": "varchar"},
    "key_owners": {"kind": "varchar"},
    "known_addresses": {"is_of_days": "boolean"},
    "rejected_rows": {**VERSION_SQL, "source_name": "varchar", "line_number": "bigint"},
}
"""Columns that an earlier release did not have in tables that are no source's own."""

log = logging.getLogger(__name__)


def warehouse_pipeline(data_dir: DataDir) -> dlt.Pipeline:
    """The dlt pipeline that writes schema claude_raw; everything it keeps is in the data folder."""
    for attempt in (1, 2):
        try:
            pipeline = dlt.pipeline(
                "claude_warehouse",
                destination=warehouse_of(data_dir).store(),
                dataset_name=RAW_SCHEMA,
                pipelines_dir=str(data_dir.dlt),
            )
            if pipeline.default_schema_name is not None:
                pipeline.schemas[pipeline.default_schema_name]  # Raises where its file is gone.
            return pipeline
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
    delete_unnamed(pipeline)
    try:
        # Not run(): before a first load has ended, it would forget the package instead.
        pipeline.normalize()
        pipeline.load()
    except PipelineStepFailed as error:
        log.warning("It could not be loaded; its days are fetched again.")
        log.info("%s", error)
        pipeline.abort_packages()
        pipeline.load()


def make_ready(pipeline: dlt.Pipeline) -> None:
    """Finish what a killed run left, and bring what an earlier release stored into today's form."""
    finish_pending(pipeline)
    with held_open(pipeline):
        known = known_columns(pipeline)
        for table, columns in SINCE_ADDED.items():
            add_columns(pipeline, known, table, columns)
        for source in SOURCES:
            source.upgrade(pipeline)


def name_schema(pipeline: dlt.Pipeline) -> None:
    """Give dlt's schema the name that it has in every warehouse: that of the first source."""
    if pipeline.default_schema_name is None:
        store(pipeline, SOURCES[0].empty([]))


def create_absent_tables(pipeline: dlt.Pipeline, beside: Sequence[Any] = ()) -> None:
    """Make the raw tables that no load has made: the transforms read those of every source.

    What is to be stored beside them goes in the same load: each load costs 0.2 to 0.5 CPU seconds,
    however few its rows are.
    """
    name_schema(pipeline)
    known = known_tables(pipeline)
    absent = list(beside)
    for source in SOURCES:
        if tables := [table.name for table in source.tables if table.name not in known]:
            absent += source.empty(tables)
    for table, resource in OF_RUNS.items():
        if table not in {*known, *(each.name for each in beside)}:
            absent.append(resource())
    if absent:
        store(pipeline, absent)
