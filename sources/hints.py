"""What more than one source tells dlt of its tables."""

from collections.abc import Mapping
from typing import Any

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


VERSION_COLUMNS: Mapping[str, tuple[pa.DataType, TDataType, str]] = {
    "version": (pa.int64(), "bigint", "bigint"),
    "organization_id": (pa.string(), "text", "varchar"),
}
"""What every row of a version has beside what came, each as Arrow, dlt and SQL call its type: the
number of the version that it is of, and whose rows they are. The latter is what the ledger says of
the version: null is the first organisation."""
VERSION_SQL = {name: sql for name, (_, _, sql) in VERSION_COLUMNS.items()}


def version_columns() -> dict[str, TColumnSchema]:
    """The same for dlt."""
    return typed_columns(**{name: kind for name, (_, kind, _) in VERSION_COLUMNS.items()})


def of_version(version: int, organization: str | None = None) -> dict[str, Any]:
    """The values of a version's rows. Of which organisation: None is the first one."""
    return {"version": version, "organization_id": organization}


def versioned(rows: pa.Table, version: int, organization: str | None = None) -> pa.Table:
    """The rows as a raw table has them. Those that say themselves whose they are go on doing so."""
    for name, value in of_version(version, organization).items():
        if name not in rows.column_names:
            kind, *_ = VERSION_COLUMNS[name]
            rows = rows.append_column(name, pa.repeat(pa.scalar(value, kind), len(rows)))
    return rows


REJECTED_ROWS = dlt.mark.make_hints(
    table_name="rejected_rows",
    write_disposition="append",
    primary_key="",
    merge_key="",
    file_format=BY_COLUMNS,
    columns={
        **version_columns(),
        **typed_columns(
            endpoint="text",
            activity_date="date",
            fetched_at="timestamp",
            reason="text",
            row_json="text",
            source_name="text",
            line_number="bigint",
        ),
    },
)
"""One row per row that could not be read and version that it belongs to; those that count are in
claude_staging.stg_rejected_rows. A line of a file has the file's name and its number, and the first
day that the file tells of."""
