"""The table of whose data each Claude source brings: a first load learns it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dlt

from pipelines.raw_tables import name_schema
from sources.doubts import Doubts
from sources.ledger import COMPLETE, Ask, store
from sources.organisation import Organisation, Owner, Owners, key_owners


def owners_of(ask: Ask, doubts: Doubts, now: datetime) -> Owners:
    """What the warehouse knows; an older one only has the roster's own word."""
    rows = ask(f"select * from claude_raw.key_owners where {COMPLETE} order by owner_number")
    if rows:
        return Owners({row["source"]: _owner(row) for row in rows}, doubts, now)
    stored = ask(
        f"select id, name from claude_raw.organizations where {COMPLETE} and id is not null"
        " order by _dlt_load_id"
    )
    known = [
        Owner(number=0, source="", organisation=Organisation(row["id"], row["name"]), since=now)
        for row in stored
    ]
    return Owners({owner.source: owner for owner in known}, doubts, now)


def keep_owners(pipeline: dlt.Pipeline, owners: Owners) -> None:
    """Store what a run learned; most learn nothing."""
    if owners.new:
        name_schema(pipeline)
        store(pipeline, key_owners(owners.new))


def _owner(row: Mapping[str, Any]) -> Owner:
    return Owner(
        number=row["owner_number"],
        source=row["source"],
        organisation=Organisation(row["organization_id"], row["organization_name"]),
        since=row["since"].astimezone(UTC),
        header=row["header_id"],
        replaces=row["replaced_id"],
        kind=row.get("kind"),
    )
