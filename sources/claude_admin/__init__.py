"""The dlt source of the Admin API's rosters: snapshots, of which the changes are kept."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import dlt
from dlt.common.configuration import configspec
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource

from sources.anthropic import BASE_URL
from sources.claude_admin.endpoints import ROSTERS, Roster
from sources.claude_admin.snapshot import Row
from sources.connection import ConnectionSettings
from sources.hints import BY_COLUMNS, typed_columns, version_columns
from sources.ledger import numbers
from sources.roster_versions import Version


@configspec
class AdminSettings(ConnectionSettings):
    """`[sources.claude_admin]`, resolved by dlt: environment, secrets.toml, config.toml.

    Attributes:
        base_url: Scheme and host.
        api_key: A key with the scopes read:members, read:rbac_groups and read:spend_limits;
            without one, the roster is not loaded.
        org_admin_token: An OAuth token with the scope org:admin, for the lists that take no key:
            service accounts and federation.
        requests_per_minute: The organisation's limit of the Admin API, in any 60 seconds.
    """

    base_url: str = BASE_URL
    org_admin_token: TSecretStrValue | None = None
    requests_per_minute: int = 100


@dlt.source(name="claude_admin")
def claude_admin(versions: Sequence[Version], absent: Collection[str] = ()) -> list[DltResource]:
    """One resource per roster, with what a snapshot changed in it, and the ledger of snapshots.

    `absent` are raw tables that do not exist yet; they are created, also without rows.
    """
    rows = {version.table: version.rows for version in versions}
    return [
        *(_roster(roster, rows.get(roster.table, ()), absent) for roster in ROSTERS),
        _snapshots([version.ledger_row for version in versions]),
    ]


def _roster(roster: Roster, rows: Sequence[Row], absent: Collection[str]) -> DltResource:
    def changes() -> Iterator[Any]:
        # All at once: dlt takes as long for each thing that is yielded as for many rows of a list.
        if rows:
            yield list(rows)
        elif roster.table in absent:
            yield dlt.mark.materialize_table_schema()

    return dlt.resource(
        changes,
        name=roster.table,
        write_disposition="append",
        file_format=BY_COLUMNS,
        # Copies, because dlt writes a column's name into what it is given.
        columns={
            **{name: {**kind} for name, kind in roster.columns.items()},
            **typed_columns(undeclared_fields="text", row_hash="text", is_gone="bool"),
            **version_columns(),
        },
    )


def _snapshots(rows: Sequence[Row]) -> DltResource:
    """One row per snapshot and roster table: when it was taken, and how many rows it had."""

    @dlt.resource(
        name="roster_snapshots",
        write_disposition="append",
        columns={
            **numbers(),
            **typed_columns(
                roster_table="text",
                organization_id="text",
                snapshot_at="timestamp",
                row_count="bigint",
                rows_hash="text",
                outcome="text",
            ),
        },
    )
    def roster_snapshots() -> Iterator[Any]:
        yield dlt.mark.materialize_table_schema()
        yield list(rows)

    return roster_snapshots()
