"""Copies what readers have into any destination that dlt knows, by dlt."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.destination import Destination
from dlt.common.destination.exceptions import DestinationException, UnknownDestinationModule
from dlt.common.exceptions import MissingDependencyException
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.data_dir import DataDir
from pipelines.foreseen import foreseen
from pipelines.settings import destinations_of_dlt
from pipelines.warehouse.base import MARTS_SCHEMA, Reading, Warehouse, identifier
from sources.errors import ForeseenError

INSERT = "insert-from-staging"
"""How a table is replaced where the engine can: rows come to stand beside it first, and what others
granted on it or built over it stays."""
CONFIGURED = ("snowflake", "bigquery", "databricks", "redshift", "clickhouse", "fabric")
"""Destinations for which there is an extra of that name."""
DLTS_OWN = "_dlt_version"
"""The table with which dlt begins."""


@dataclass(frozen=True)
class Copied:
    """Tables that are in the destination now, and all their rows."""

    place: str
    tables: int
    rows: int


def copy_elsewhere(data_dir: DataDir, warehouse: Warehouse, name: str) -> Copied:
    """Replace the tables of the marts in the destination, one after the other.

    The caller holds the data folder, where dlt keeps what it is about to load.

    Raises:
        ForeseenError: Nothing is published, dlt does not know the destination, what connects to it
            is not installed, it is not set up or is ours already, or it refuses.
    """
    folder = data_dir.dlt / f"marts_to_{name}"
    counts: dict[str, int] = {}
    try:
        with warehouse.serve(though_empty=True) as marts, destinations_of_dlt():
            shutil.rmtree(folder, ignore_errors=True)  # left by one that was killed
            pipeline = dlt.pipeline(
                "claude_marts",
                destination=_destination(name),
                dataset_name=MARTS_SCHEMA,
                pipelines_dir=str(folder),
            )
            _refuse_ours(data_dir, warehouse, name, pipeline)
            _refuse_others(name, pipeline)
            pipeline.extract(
                dlt.resource(_rows(marts, counts), name="marts", write_disposition="replace")
            )
            pipeline.normalize()
            info = pipeline.load()
    except (PipelineStepFailed, DestinationException) as error:
        raise _not_copied(name, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    place = f"{info.destination_name} ({info.destination_displayable_credentials})"
    return Copied(place, len(counts), sum(counts.values()))


def _destination(name: str) -> Destination[Any, Any]:
    """The destination that dlt's settings describe, in which names stay as they are."""
    try:
        found = Destination.from_reference(name, naming_convention="direct")
        assert found is not None
        given = _by_copy() if found.destination_name == "postgres" else {}
        if INSERT in (found.capabilities().supported_replace_strategies or ()):
            given["replace_strategy"] = INSERT
        made = Destination.from_reference(name, naming_convention="direct", **given)
        assert made is not None
        _ = made.client_class  # It is imported before its settings are asked for.
        return made
    except UnknownDestinationModule as error:
        raise ForeseenError(
            f"The marts were not copied: dlt knows no destination {name}.\n"
            f"It is one of dlt's own ({', '.join(CONFIGURED)}, duckdb, postgres, motherduck …), or "
            "one to which [destination.NAME] gives a destination_type.\n"
            "Correct the name after --to."
        ) from error
    except (MissingDependencyException, ModuleNotFoundError) as error:
        raise _not_installed(name) from error


def _by_copy() -> dict[str, Any]:
    from pipelines.warehouse.postgres.load import BY_COPY, use_copy

    use_copy()
    return dict(BY_COPY)


def _not_installed(name: str) -> ForeseenError:
    extra = f"claude-warehouse[{name}]" if name in CONFIGURED else f"dlt[{name}]"
    return ForeseenError(
        f"The marts were not copied: what connects to {name} is not installed.\n"
        "It is an extra, because not everybody needs it. Nothing was done.\n"
        f'Run: pip install "{extra}"'
    )


def _refuse_ours(
    data_dir: DataDir, warehouse: Warehouse, name: str, pipeline: dlt.Pipeline
) -> None:
    """See that the warehouse is not copied into itself."""
    try:
        credentials = getattr(pipeline.destination_client().config, "credentials", None)
    except ConfigurationException as error:
        raise ForeseenError(
            f"The marts were not copied: the destination {name} is not set up.\n"
            f"{_first(error)}\n"
            f"Set DESTINATION__{name.upper()}__CREDENTIALS__…, or [destination.{name}.credentials] "
            "in .dlt/secrets.toml, as dlt's page of that destination says."
        ) from error
    except MissingDependencyException as error:
        raise _not_installed(name) from error
    database = str(getattr(credentials, "database", None) or "")
    host, port = getattr(credentials, "host", None), getattr(credentials, "port", None)
    file = Path(database).resolve() if database and not host else None
    if f"{host}:{port}/{database}" == warehouse.place or (
        file and data_dir.root.resolve() in file.parents
    ):
        raise ForeseenError(
            f"The marts were not copied: the destination {name} is the warehouse itself, "
            f"{database}.\n"
            "A copy there would be built over, or destroy what runs need.\n"
            f"Name another database in [destination.{name}.credentials]."
        )


def _refuse_others(name: str, pipeline: dlt.Pipeline) -> None:
    """See that no table of another program is replaced."""
    with suppress(AttributeError, NotImplementedError), pipeline.sql_client() as client:
        if not client.has_dataset():
            return
        found = client.execute_sql(
            "select table_name from information_schema.tables where table_schema = %s",
            MARTS_SCHEMA,
        )
        tables = {table for (table,) in found or ()}
        if tables and DLTS_OWN not in tables:
            raise ForeseenError(
                f"The marts were not copied: another program made the schema {MARTS_SCHEMA} of "
                f"{name}.\n"
                "It has tables, but none of those with which dlt begins. Nothing was touched.\n"
                "Rename that schema, or name another database."
            )


def _rows(marts: Reading, counts: dict[str, int]) -> Iterator[Any]:
    """All marts one after the other, since a connection answers one query at a time."""
    for mart, columns in marts.columns.items():
        listed = ", ".join(map(identifier, columns))
        rows = marts.batches(f"select {listed} from {identifier(mart)}", size=20_000)
        counts[mart] = 0
        # A mart without rows is a table, too.
        yield dlt.mark.with_table_name(rows.schema.empty_table(), mart)
        for batch in rows:
            counts[mart] += batch.num_rows
            yield dlt.mark.with_table_name(pa.Table.from_batches([batch]), mart)


def _not_copied(name: str, error: Exception) -> ForeseenError:
    return ForeseenError(
        f"The marts were not copied to {name}, or not all of them: tables are replaced one after "
        "the other.\n"
        f"{foreseen(error)}"
    )


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
