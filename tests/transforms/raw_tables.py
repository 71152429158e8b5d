"""The raw tables as dlt writes them, made by hand: empty, or with the rows a test is about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.closing.closed_months import (
    CHARGE_COLUMNS,
    COLUMNS,
    INVOICE_COLUMNS,
    SETTING_COLUMNS,
)
from pipelines.people.known_addresses import COLUMNS as ADDRESS_COLUMNS
from sources.claude_admin.endpoints import ROSTERS
from sources.claude_analytics.endpoints import EVERY_ENDPOINT
from sources.claude_compliance.activities import ACTOR
from sources.hints import VERSION_SQL
from sources.langdock import ENTITIES, LEDGER
from sources.langdock.reader import raw_schema

DAY_COLUMNS = {
    "activity_date": "date not null",
    "undeclared_fields": "text",
    **VERSION_SQL,
}
DLT_COLUMNS = {"_dlt_load_id": "text not null", "_dlt_id": "text not null"}
NUMBERS = {"run_number": "bigint", "fetch_number": "bigint", "version": "bigint"}
CHANGE_COLUMNS = {
    "undeclared_fields": "text",
    "row_hash": "text",
    "is_gone": "boolean",
    **VERSION_SQL,
    **DLT_COLUMNS,
}
ROSTER_TYPES = {
    "text": "text", "bool": "boolean", "timestamp": "timestamptz", "bigint": "bigint",
    "decimal": "decimal(38, 12)",
}  # fmt: skip
ROSTER_TABLES = {
    roster.table: {
        name: ROSTER_TYPES[str(kind["data_type"])] for name, kind in roster.columns.items()
    }
    for roster in ROSTERS
}
OTHER_TABLES = {
    **{table: columns | CHANGE_COLUMNS for table, columns in ROSTER_TABLES.items()},
    "roster_snapshots": {
        "roster_table": "text", "organization_id": "text", "snapshot_at": "timestamptz",
        "row_count": "bigint",
        "rows_hash": "text", "outcome": "text", **NUMBERS, **DLT_COLUMNS,
    },
    "loaded_days": {
        "endpoint": "text", "activity_date": "date", "organization_id": "text",
        "fetched_at": "timestamptz", "row_count": "bigint", "rejected_row_count": "bigint",
        "page_count": "bigint",
        "rows_hash": "text", "rejected_hash": "text", "outcome": "text", "settles_on": "date",
        "undeclared_fields": "text", "data_refreshed_at": "timestamptz", **NUMBERS, **DLT_COLUMNS,
    },
    "rejected_rows": {
        "endpoint": "text", "activity_date": "date", "fetched_at": "timestamptz",
        "reason": "text", "row_json": "text", "source_name": "text", "line_number": "bigint",
        **VERSION_SQL,
    },
    "activities": {
        "id": "text not null", "created_at": "timestamptz not null", "type": "text",
        "organization_id": "text", "organization_uuid": "text",
        **{f"actor__{name}": "text" for name in ACTOR}, "attributes": "text", "version": "bigint",
    },
    "activity_windows": {
        "from_at": "timestamptz", "to_at": "timestamptz", "read_at": "timestamptz",
        "first_id": "text", "last_id": "text", "activity_count": "bigint",
        "rejected_count": "bigint", "page_count": "bigint", "request_ids": "text",
        "outcome": "text", **NUMBERS, **DLT_COLUMNS,
    },
    "endpoint_runs": {
        "endpoint": "text", "organization_id": "text", "run_at": "timestamptz", "outcome": "text",
        "message": "text",
        "window_start_date": "date", "newest_available_date": "date", "request_count": "bigint",
        "run_number": "bigint",
    },
    "key_owners": {
        "owner_number": "bigint", "source": "text", "kind": "text", "organization_id": "text",
        "organization_name": "text", "header_id": "text", "replaced_id": "text",
        "since": "timestamptz",
    },
    "runs": {
        "run_id": "text", "command": "text", "as_of_date": "date", "started_at": "timestamptz",
        "ended_at": "timestamptz", "outcome": "text", "exit_code": "bigint",
        "request_count": "bigint", "wait_seconds": "bigint", "retry_count": "bigint",
        "day_count": "bigint", "row_count": "bigint", "revision_count": "bigint",
        "problem_count": "bigint", "version": "text",
    },
    "org_chart": {
        "email": "text", "department": "text", "cost_center": "text", "manager_email": "text",
        "valid_from": "date", "seat_tier": "text", "end_date": "date",
    },
    **{
        table: {"name": "text", "approval": "text", "owner": "text", "reviewed_at": "date"}
        for table in ("approved_connectors", "approved_skills", "approved_plugins")
    },
    "name_keys": {"name": "text", "name_key": "text"},
    "exempt_seats": {"email": "text", "reason": "text", "exempt_until": "date"},
    "access_reviews": {"email": "text", "reviewed_at": "date", "reviewer": "text"},
    "budgets": {
        "cost_center": "text", "usd_per_month": "decimal(38, 8)", "valid_from": "date",
    },
    "holidays": {"holiday_date": "date", "name": "text"},
    "other_assistants": {
        "vendor": "text", "month": "date", "activity_date": "date", "email": "text",
        "account_id": "text", "message_count": "bigint", "cost_usd": "decimal(38, 8)",
    },
    "seat_prices": {"seat_tier": "text", "usd_per_month": "decimal(38, 8)", "valid_from": "date"},
    "fixed_shares": {
        "cost_pool": "text", "department": "text", "cost_center": "text",
        "percentage": "decimal(38, 8)",
    },
    "chargeback_policies": {
        "cost_pool": "text", "policy": "text", "usd_per_month": "decimal(38, 8)",
        "valid_from": "date",
    },
    "cost_center_groups": {
        "rbac_group": "text", "cost_center": "text", "department": "text", "priority": "bigint",
    },
    "_dlt_loads": {
        "load_id": "text", "schema_name": "text", "status": "bigint",
        "inserted_at": "timestamptz", "schema_version_hash": "text",
    },
}  # fmt: skip


def marts(*areas: str) -> list[str]:
    """dbt's selectors of the marts in these folders, and of all that they are built from."""
    return [f"+path:models/marts/{area}" for area in areas]


def sql_type(kind: pa.DataType) -> str:
    names = {
        pa.string(): "text", pa.int64(): "bigint", pa.float64(): "double", pa.date32(): "date",
        pa.timestamp("us", tz="UTC"): "timestamptz", pa.decimal128(38, 12): "decimal(38, 12)",
        pa.decimal128(38, 8): "decimal(38, 8)", pa.bool_(): "boolean",
    }  # fmt: skip
    return names[kind]


def raw_tables() -> dict[str, dict[str, str]]:
    """Every raw table with its columns and their SQL types."""
    endpoints = {
        endpoint.table: {
            **DAY_COLUMNS,
            **{name: sql_type(kind) for name, kind in endpoint.columns.items()},
        }
        for endpoint in EVERY_ENDPOINT
    }
    others = {
        **{entity.table: raw_schema(entity) for entity in ENTITIES},
        "langdock_exports": LEDGER,
        "closed_months": COLUMNS,
        "closed_charges": CHARGE_COLUMNS,
        "closed_settings": SETTING_COLUMNS,
        "known_addresses": ADDRESS_COLUMNS,
        "month_invoices": INVOICE_COLUMNS,
    }
    exports = {
        table: {field.name: sql_type(field.type) for field in schema}
        for table, schema in others.items()
    }
    exports["langdock_exports"] |= {"noted_at": "timestamptz", **NUMBERS, **DLT_COLUMNS}
    return endpoints | exports | OTHER_TABLES


def create_raw_tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema claude_raw")
    for table, columns in raw_tables().items():
        declared = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f"create table claude_raw.{table} ({declared})")


class RawWarehouse:
    """A warehouse file whose raw tables a test fills; its loads are complete unless it says so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = duckdb.connect(path)
        self.connection.execute("set TimeZone = 'UTC'")
        create_raw_tables(self.connection)
        self.insert("_dlt_loads", load_id="complete", schema_name="claude_analytics", status=0)
        self.numbers = count(1)
        self.rosters: dict[str, dict[str, Mapping[str, Any]]] = {}

    def insert(self, table: str, **values: Any) -> None:
        columns = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        self.connection.execute(
            f"insert into claude_raw.{table} ({columns}) values ({marks})", list(values.values())
        )

    def fetch(
        self,
        endpoint: str,
        day: date | str,
        rows: Sequence[Mapping[str, Any]] = (),
        *,
        fetched_at: str | None = None,
        settled: bool = True,
        rows_hash: str = "same",
        settles_after_days: int = 10,
        data_refreshed_at: str | None = None,
        load_id: str = "complete",
        version: int | None = None,
    ) -> None:
        """One fetched day: its rows, and its row in the ledger; with a version, of rows that are
        there."""
        activity_date = date.fromisoformat(str(day))
        number = next(self.numbers)
        for row in rows:
            self.insert(endpoint, activity_date=activity_date, version=number, **row)
        settles_on = activity_date + timedelta(days=settles_after_days)
        moment = (
            datetime.fromisoformat(fetched_at)
            if fetched_at
            else datetime(settles_on.year, settles_on.month, settles_on.day, tzinfo=UTC)
            + timedelta(hours=4 if settled else -30)
        )
        self.insert(
            "loaded_days",
            endpoint=endpoint, activity_date=activity_date, fetched_at=moment,
            row_count=len(rows), rejected_row_count=0, page_count=1, rows_hash=rows_hash,
            outcome="loaded" if rows else "empty", settles_on=settles_on,
            fetch_number=number, version=number if version is None else version,
            data_refreshed_at=data_refreshed_at,
            _dlt_load_id=load_id, _dlt_id=f"{endpoint}{activity_date}{moment}",
        )  # fmt: skip

    def snapshot(
        self,
        roster_table: str,
        at: str,
        rows: Sequence[Mapping[str, Any]],
        load_id: str = "complete",
    ) -> None:
        """One snapshot of a roster: what it no longer has ends at that moment."""
        moment, number = datetime.fromisoformat(at).replace(tzinfo=UTC), next(self.numbers)
        there = self.rosters.setdefault(roster_table, {})
        now = {repr(sorted(row.items(), key=str)): row for row in rows}
        changes = [{**row, "row_hash": name} for name, row in now.items() if name not in there]
        if rows:
            changes += [{"row_hash": name} for name in there if name not in now]
            self.rosters[roster_table] = now
        for change in changes:
            self.insert(
                roster_table, **change, version=number, is_gone=change["row_hash"] not in now,
                _dlt_load_id=load_id, _dlt_id=f"{change['row_hash']}{moment}",
            )  # fmt: skip
        self.insert(
            "roster_snapshots",
            roster_table=roster_table, snapshot_at=moment, row_count=len(rows),
            fetch_number=number, version=number, outcome="loaded" if rows else "empty",
            _dlt_load_id=load_id, _dlt_id=f"{roster_table}{moment}",
        )  # fmt: skip

    def close(self) -> None:
        self.connection.close()
