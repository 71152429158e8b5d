"""What more than one source tells dlt of its tables."""

import dlt
import pyarrow as pa
from dlt.common.data_types.typing import TDataType
from dlt.common.schema.typing import TColumnSchema, TFileFormat

BY_COLUMNS: TFileFormat = "parquet"
"""How tables travel that may have very many rows: else dlt writes rows as one INSERT statement, for
which DuckDB takes 50 KB of memory a row (dlt 1.31.0, DuckDB 2.0.0: 2.9 GB for 60,000 rows of ten
columns, 0.3 GB by columns, in a thirtieth of the time)."""


def typed_columns(**types: TDataType) -> dict[str, TColumnSchema]:
    """Columns of their types; each its own, because dlt notes its keys in them."""
    return {name: {"data_type": data_type} for name, data_type in types.items()}


def versioned(rows: pa.Table, version: int) -> pa.Table:
    """The rows as a raw table has them, with the number of the version that they make up."""
    numbers = pa.repeat(pa.scalar(version, pa.int64()), len(rows))
    return rows.append_column("version", numbers)


REJECTED_ROWS = dlt.mark.make_hints(
    table_name="rejected_rows",
    write_disposition="append",
    primary_key="",
    merge_key="",
    file_format=BY_COLUMNS,
    columns=typed_columns(
        endpoint="text",
        activity_date="date",
        version="bigint",
        fetched_at="timestamp",
        reason="text",
        row_json="text",
        source_name="text",
        line_number="bigint",
    ),
)
"""One row per row that could not be read and version that it belongs to; those that count are in
claude_staging.stg_rejected_rows. A line of a file has the file's name and its number, and the first
day that the file tells of."""
