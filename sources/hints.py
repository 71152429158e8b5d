"""What more than one source tells dlt of its tables."""

import dlt
from dlt.common.data_types.typing import TDataType
from dlt.common.schema.typing import TColumnSchema

MARKER: dict[str, TColumnSchema] = {"is_day_marker": {"data_type": "bool", "hard_delete": True}}
"""Marks a row that clears the stored ones of its merge key and is itself never stored."""


def typed_columns(**types: TDataType) -> dict[str, TColumnSchema]:
    """Columns of their types; each its own, because dlt notes its keys in them."""
    return {name: {"data_type": data_type} for name, data_type in types.items()}


REJECTED_ROWS = dlt.mark.make_hints(
    table_name="rejected_rows",
    write_disposition="merge",
    primary_key="",
    merge_key=("endpoint", "activity_date"),
    columns={
        **MARKER,
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
"""One row per row that could not be read; those of an endpoint's day replace the former ones. A
line of a file has the file's name and its number, and the first day that the file tells of."""
