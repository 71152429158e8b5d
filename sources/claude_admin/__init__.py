"""The dlt source of the Admin API's rosters: daily snapshots, kept as validity ranges."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import dlt
from dlt.common.configuration import configspec
from dlt.extract import DltResource

from sources.anthropic import BASE_URL
from sources.claude_admin.endpoints import ROSTERS, TEXT, Roster
from sources.claude_admin.snapshot import Row
from sources.connection import ConnectionSettings


@configspec
class AdminSettings(ConnectionSettings):
    """`[sources.claude_admin]`, resolved by dlt: environment, secrets.toml, config.toml.

    Attributes:
        base_url: Scheme and host.
        api_key: A key with the scopes read:members, read:rbac_groups and read:spend_limits;
            without one, the roster is not loaded.
        requests_per_minute: The organisation's limit of the Admin API, in any 60 seconds.
    """

    base_url: str = BASE_URL
    requests_per_minute: int = 100


@dlt.source(name="claude_admin")
def claude_admin(
    rows: Mapping[str, Sequence[Row]], taken_at: datetime, absent: Collection[str] = ()
) -> list[DltResource]:
    """One resource per roster that was read, with validity ranges from snapshot to snapshot.

    `absent` are raw tables that do not exist yet; they are created, also without rows.
    """
    return [
        *(_roster(roster, rows.get(roster.table, ()), taken_at, absent) for roster in ROSTERS),
        _snapshots(rows, taken_at),
    ]


def _roster(
    roster: Roster, rows: Sequence[Row], taken_at: datetime, absent: Collection[str]
) -> DltResource:
    def snapshot() -> Iterator[Any]:
        # Without a row dlt leaves the table alone, so an empty answer retires nobody.
        yield from rows
        if not rows and roster.table in absent:
            yield dlt.mark.materialize_table_schema()

    return dlt.resource(
        snapshot,
        name=roster.table,
        write_disposition={
            "disposition": "merge",
            "strategy": "scd2",
            "boundary_timestamp": taken_at.isoformat(),
        },
        # Copies, because dlt writes a column's name into what it is given.
        columns={
            name: {**kind} for name, kind in {**roster.columns, "undeclared_fields": TEXT}.items()
        },
    )


def _snapshots(rows: Mapping[str, Sequence[Row]], taken_at: datetime) -> DltResource:
    """One row per snapshot and roster table: when it was taken, and how many rows it had."""

    @dlt.resource(
        name="roster_snapshots",
        write_disposition="merge",
        primary_key=("roster_table", "snapshot_at"),
        columns={
            "roster_table": {"data_type": "text"},
            "snapshot_at": {"data_type": "timestamp"},
            "row_count": {"data_type": "bigint"},
        },
    )
    def roster_snapshots() -> Iterator[Any]:
        yield dlt.mark.materialize_table_schema()
        yield [
            {"roster_table": table, "snapshot_at": taken_at, "row_count": len(found)}
            for table, found in rows.items()
        ]

    return roster_snapshots()
