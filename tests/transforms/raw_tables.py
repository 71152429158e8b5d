"""The raw tables as dlt writes them, made by hand: empty, or with the rows a test is about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.closed_months import CHARGE_COLUMNS, COLUMNS
from sources.claude_analytics.endpoints import EVERY_ENDPOINT
from sources.claude_compliance.activities import ACTOR
from sources.langdock import ENTITIES, LEDGER
from sources.langdock.reader import raw_schema

DAY_COLUMNS = {
    "activity_date": "date not null",
    "undeclared_fields": "text",
    "is_day_marker": "boolean",
}
DLT_COLUMNS = {"_dlt_load_id": "text not null", "_dlt_id": "text not null"}
VERSION_COLUMNS = {
    "undeclared_fields": "text",
    "_dlt_valid_from": "timestamptz not null",
    "_dlt_valid_to": "timestamptz",
    **DLT_COLUMNS,
}
ROSTER_TABLES = {
    "members": {
        "id": "text", "email": "text", "name": "text", "role": "text",
        "added_at": "timestamptz", "type": "text",
    },
    "invites": {
        "id": "text", "email": "text", "role": "text", "status": "text",
        "invited_at": "timestamptz", "expires_at": "timestamptz", "accepted_at": "timestamptz",
        "rbac_group_ids": "text", "type": "text",
    },
    "rbac_groups": {
        "id": "text", "name": "text", "source_type": "text", "role_ids": "text",
        "created_at": "timestamptz", "updated_at": "timestamptz", "type": "text",
    },
    "rbac_group_members": {
        "rbac_group_id": "text", "user_id": "text", "email": "text",
        "created_at": "timestamptz", "type": "text",
    },
    "spend_limits": {
        "actor__type": "text", "actor__user_id": "text", "actor__scoped_api_key_id": "text",
        "actor__name": "text", "actor__email_address": "text", "actor__deleted": "boolean",
        "scope__type": "text", "scope__user_id": "text", "source__type": "text",
        "source__seat_tier": "text", "source__rbac_group_id": "text", "source__service": "text",
        "source__workspace_id": "text", "amount": "decimal(38, 12)", "currency": "text",
        "period": "text", "spend_limit_id": "text",
    },
    "organizations": {"id": "text", "name": "text", "type": "text"},
}  # fmt: skip
OTHER_TABLES = {
    **{table: columns | VERSION_COLUMNS for table, columns in ROSTER_TABLES.items()},
    "roster_snapshots": {
        "roster_table": "text", "snapshot_at": "timestamptz", "row_count": "bigint", **DLT_COLUMNS,
    },
    "loaded_days": {
        "endpoint": "text", "activity_date": "date", "fetched_at": "timestamptz",
        "row_count": "bigint", "rejected_row_count": "bigint", "page_count": "bigint",
        "rows_hash": "text", "outcome": "text", "settles_on": "date",
        "undeclared_fields": "text", "data_refreshed_at": "timestamptz", **DLT_COLUMNS,
    },
    "rejected_rows": {
        "endpoint": "text", "activity_date": "date", "fetched_at": "timestamptz",
        "reason": "text", "row_json": "text",
    },
    "activities": {
        "id": "text not null", "created_at": "timestamptz not null", "type": "text",
        "organization_id": "text", "organization_uuid": "text",
        **{f"actor__{name}": "text" for name in ACTOR}, "attributes": "text",
    },
    "activity_windows": {
        "from_at": "timestamptz", "to_at": "timestamptz", "read_at": "timestamptz",
        "first_id": "text", "last_id": "text", "activity_count": "bigint",
        "rejected_count": "bigint", "page_count": "bigint", "request_ids": "text", **DLT_COLUMNS,
    },
    "endpoint_runs": {
        "endpoint": "text", "run_at": "timestamptz", "outcome": "text", "message": "text",
        "window_start_date": "date", "newest_available_date": "date", "request_count": "bigint",
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
    "seat_prices": {"seat_tier": "text", "usd_per_month": "decimal(38, 8)", "valid_from": "date"},
    "fixed_shares": {
        "cost_pool": "text", "department": "text", "cost_center": "text",
        "percentage": "decimal(38, 8)",
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
    }
    exports = {
        table: {field.name: sql_type(field.type) for field in schema}
        for table, schema in others.items()
    }
    exports["langdock_exports"] |= DLT_COLUMNS
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
    ) -> None:
        """One fetched day: its rows, and its row in the ledger."""
        activity_date = date.fromisoformat(str(day))
        for row in rows:
            self.insert(endpoint, activity_date=activity_date, **row)
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
            data_refreshed_at=data_refreshed_at,
            _dlt_load_id=load_id, _dlt_id=f"{endpoint}{activity_date}{moment}",
        )  # fmt: skip

    def snapshot(
        self, roster_table: str, at: str, rows: Sequence[Mapping[str, Any]], key: str = "id"
    ) -> None:
        """One complete snapshot of a roster: what it no longer has ends at that moment."""
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        table = f"claude_raw.{roster_table}"
        kept = [str(row[key]) for row in rows]
        for row in rows:
            same = " and ".join(f'"{name}" is not distinct from ?' for name in row)
            now = f"select 1 from {table} where _dlt_valid_to is null"
            if self.connection.execute(f"{now} and {same}", list(row.values())).fetchall():
                continue
            self.connection.execute(
                f'update {table} set _dlt_valid_to = ? where "{key}" = ? and _dlt_valid_to is null',
                [moment, row[key]],
            )
            self.insert(
                roster_table, **row, _dlt_valid_from=moment, _dlt_load_id="complete",
                _dlt_id=f"{row[key]}{moment}",
            )  # fmt: skip
        if rows:
            self.connection.execute(
                f"update {table} set _dlt_valid_to = ? "
                f'where _dlt_valid_to is null and not list_contains(?, "{key}")',
                [moment, kept],
            )
        self.insert(
            "roster_snapshots",
            roster_table=roster_table, snapshot_at=moment, row_count=len(rows),
            _dlt_load_id="complete", _dlt_id=f"{roster_table}{moment}",
        )  # fmt: skip

    def close(self) -> None:
        self.connection.close()
