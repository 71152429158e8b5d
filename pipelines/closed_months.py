"""The raw table of closed months: frozen lines and bills. Rows are only ever added to it."""

from collections.abc import Mapping, Sequence
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

USD = pa.decimal128(38, 8)
COLUMNS = pa.schema(
    {
        "closing_id": pa.string(),
        "line_number": pa.int64(),
        "action": pa.string(),
        "record_type": pa.string(),
        "month": pa.date32(),
        "closed_at": pa.timestamp("us", tz="UTC"),
        "corrected_month": pa.date32(),
        "cost_center": pa.string(),
        "department": pa.string(),
        "cost_pool": pa.string(),
        "allocation_method": pa.string(),
        "seat_count": pa.int64(),
        "active_user_count": pa.int64(),
        "covered_days": pa.int64(),
        "amount_usd": USD,
        "list_price_usd": USD,
        "is_settled": pa.bool_(),
    }
)


def closed_months(rows: Sequence[Mapping[str, Any]] = ()) -> DltResource:
    """One row per close or undo, and per line and cost pool of the bill that a close froze.

    Without rows it only sees that the table exists, for the transforms that read it.
    """
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=COLUMNS)
    return dlt.resource([table], name="closed_months", write_disposition="append")
