"""The raw tables of closed months: lines, bills, charges, settings; and invoices.

Rows are only ever added.
"""

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
CHARGE_COLUMNS = pa.schema(
    {
        "closing_id": pa.string(),
        "charge_number": pa.int64(),
        "month": pa.date32(),
        "corrected_month": pa.date32(),
        "cost_pool": pa.string(),
        "charge_category": pa.string(),
        "first_date": pa.date32(),
        "end_date": pa.date32(),
        "actor_type": pa.string(),
        "actor_id": pa.string(),
        "email": pa.string(),
        "department": pa.string(),
        "cost_center": pa.string(),
        "product": pa.string(),
        "model": pa.string(),
        "cost_type": pa.string(),
        "token_type": pa.string(),
        "context_window": pa.string(),
        "speed": pa.string(),
        "seat_tier": pa.string(),
        "seat_months": pa.decimal128(38, 12),
        "seat_price_usd": USD,
        "billed_usd": USD,
        "list_price_usd": USD,
        "request_count": pa.int64(),
        "uncached_input_tokens": pa.int64(),
        "cache_read_input_tokens": pa.int64(),
        "cache_creation_input_tokens": pa.int64(),
        "output_tokens": pa.int64(),
        "web_search_request_count": pa.int64(),
        "organization_id": pa.string(),
        "organization_name": pa.string(),
        "is_settled": pa.bool_(),
        "is_estimated": pa.bool_(),
    }
)
INVOICE_COLUMNS = pa.schema(
    {
        "month": pa.date32(),
        "invoice_id": pa.string(),
        "invoice_detail_id": pa.string(),
        "named_at": pa.timestamp("us", tz="UTC"),
    }
)
SETTING_COLUMNS = pa.schema(
    {
        "closing_id": pa.string(),
        "month": pa.date32(),
        "setting": pa.string(),
        "setting_name": pa.string(),
        "department": pa.string(),
        "cost_center": pa.string(),
        "valid_from": pa.date32(),
        "setting_value": pa.string(),
    }
)


def closed_months(rows: Sequence[Mapping[str, Any]] = ()) -> DltResource:
    """One row per close or undo, and per line and cost pool of the bill that a close froze.

    Without rows it only sees that the table exists, for the transforms that read it.
    """
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=COLUMNS)
    return dlt.resource([table], name="closed_months", write_disposition="append")


def closed_charges(charges: pa.Table | None = None) -> DltResource:
    """One row per charge that a close froze, and one of number 0 per close, which has no charge."""
    table = CHARGE_COLUMNS.empty_table() if charges is None else charges.cast(CHARGE_COLUMNS)
    return dlt.resource([table], name="closed_charges", write_disposition="append")


def closed_settings(settings: pa.Table | None = None) -> DltResource:
    """One row per close and setting, price or share that its bill was made with."""
    table = SETTING_COLUMNS.empty_table() if settings is None else settings.cast(SETTING_COLUMNS)
    return dlt.resource([table], name="closed_settings", write_disposition="append")


def month_invoices(rows: Sequence[Mapping[str, Any]] = ()) -> DltResource:
    """One row per month and time at which somebody named its invoice; the newest counts."""
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=INVOICE_COLUMNS)
    return dlt.resource([table], name="month_invoices", write_disposition="append")


def with_columns(table: pa.Table, columns: pa.Schema) -> pa.Table:
    """The table as it is written today; what an older version did not have is null."""
    for field in columns:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table.select(columns.names).cast(columns)
