"""How dlt stores what is loaded on PostgreSQL: by COPY, so that no value stands in a statement."""

import io
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import dlt
import psycopg2
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from dlt.destinations.exceptions import DatabaseTerminalException
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
from dlt.destinations.impl.postgres.factory import PostgresTypeMapper
from dlt.destinations.impl.postgres.postgres import PostgresParquetCopyJob

from pipelines.settings import PostgresSettings
from pipelines.warehouse.base import identifier
from pipelines.warehouse.postgres.naming import NamingConvention
from pipelines.warehouse.postgres.server import require_held
from sources.errors import ForeseenError

ROWS_AT_ONCE = 20_000
CONNECTIONS = 4
"""At once; a role may have few."""

BY_COPY: dict[str, Any] = {
    "preferred_loader_file_format": "parquet",
    "supported_loader_file_formats": ["parquet"],
    "loader_file_format_selector": None,
    "max_parallel_load_jobs": CONNECTIONS,
}
"""What makes dlt load by COPY, once `use_copy` was called."""

REPLACEMENT = "\ufffd"
ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""In JSON; a backslash before it may itself be escaped."""


class TypeMapper(PostgresTypeMapper):
    """Texts are compared by their characters' numbers, as on every other engine, whatever language
    the server speaks: columns made of these keep that. Readers' tables do not have it."""

    sct_to_unbound_dbt = PostgresTypeMapper.sct_to_unbound_dbt | {"text": 'text collate "C"'}
    dbt_to_sct = PostgresTypeMapper.dbt_to_sct | {"text": "text"}


def destination(settings: PostgresSettings) -> dlt.destinations.postgres:
    """Where dlt stores what is loaded into this database."""
    credentials = PostgresCredentials()
    credentials.host, credentials.port = settings.host, int(settings.port)
    credentials.database, credentials.username = settings.database, settings.username
    credentials.password = settings.password or ""
    credentials.connect_timeout = int(settings.connect_timeout_seconds)
    credentials.session_timezone = "UTC"
    credentials.query = {
        name: value
        for name, value in {
            "sslmode": settings.sslmode,
            "sslrootcert": settings.sslrootcert,
            "application_name": "claude-warehouse load",
        }.items()
        if value
    }
    use_copy(partial(require_held, settings))
    return dlt.destinations.postgres(
        credentials, type_mapper=TypeMapper, naming_convention=NamingConvention, **BY_COPY
    )


def use_copy(before: Callable[[], None] = lambda: None) -> None:
    """From now on dlt's loads of Parquet into PostgreSQL are ours; `before` each, something may
    refuse it."""

    def run(job: PostgresParquetCopyJob) -> None:
        try:
            before()
            _copy(job)
        except (ForeseenError, psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            # dlt would try again: whether rows were stored whose commit nobody answered is not
            # known, and they would be stored twice. The next run deletes them first.
            raise DatabaseTerminalException(error) from error

    PostgresParquetCopyJob.run = run  # type: ignore[assignment, method-assign]


def _copy(job: PostgresParquetCopyJob) -> None:
    """dlt's own takes a driver that is none of ours, and its way by CSV makes nulls of blanks."""
    client = job._job_client.sql_client
    table = client.make_qualified_table_name(job.load_table_name)
    file = pq.ParquetFile(job._file_path)
    names = ", ".join(map(identifier, file.schema_arrow.names))
    statement = f"copy {table} ({names}) from stdin with (format csv, null '', encoding 'utf8')"
    with client.begin_transaction(), client.native_connection.cursor() as cursor:
        for batch in file.iter_batches(ROWS_AT_ONCE):
            cursor.copy_expert(statement, _csv(batch))


def _csv(batch: pa.RecordBatch) -> io.BytesIO:
    """Lines in which a text stands in quotes, and a null does not."""
    columns = [_storable(column) for column in batch.columns]
    out = io.BytesIO()
    pyarrow.csv.write_csv(
        pa.table(columns, names=batch.schema.names),
        out,
        pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed"),
    )
    out.seek(0)
    return out


def _storable(column: Any) -> Any:
    """A text of PostgreSQL's has no character number 0, nor has its JSON."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    if pc.any(pc.match_substring(column, "\0")).as_py():
        column = pc.replace_substring(column, "\0", REPLACEMENT)
    if pc.any(pc.match_substring(column, "\\u0000")).as_py():
        texts = [text and ESCAPED_NUL.sub(rf"\1{REPLACEMENT}", text) for text in column.to_pylist()]
        column = pa.array(texts, column.type)
    return column
