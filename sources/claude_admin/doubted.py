"""Which lists of a snapshot are not believed at once, beside what is stored and what events say."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dlt

from sources.claude_admin.endpoints import ROSTERS, Roster
from sources.claude_admin.snapshot import ADMIN_API, Row
from sources.ledger import COUNTS, counting_rows, stored
from sources.plausibility import LEAVING, ListClaim, half_a_roster, is_no_more
from sources.roster_versions import standing_rows
from sources.session import Session

PERSON = {"members": "id", "rbac_group_members": "user_id", "spend_limits": "actor__user_id"}
"""The column that says whom a row is about; of other lists, none does."""
BEFORE = timedelta(days=3)
"""An event of leaving may be older than the newest snapshot, which the list lags behind."""
RECENT = timedelta(days=10)
"""The vendor's count of seats comes some days late; an older one says nothing of today's list."""


def doubted_lists(
    session: Session, rows: Mapping[str, Sequence[Row]], unchanged: Collection[str]
) -> tuple[dict[str, str], set[str]]:
    """Lists that are to be kept apart, and why; and those that lost all, and are believed.

    What is stored of a doubted one stays, and it is read again the next night. Those that are
    `unchanged` need no look.
    """
    taken_at = _newest_snapshot(session.pipeline)
    if "members" not in rows or not taken_at:
        return {}, set()
    changed_at = session.owners.changed_at(ADMIN_API.section)
    if changed_at and changed_at > taken_at:
        return {}, set()  # The stored ones are of another organisation.
    lists = [
        ListClaim(
            name=roster.table,
            known=_people(
                roster,
                rows[roster.table]
                if roster.table in unchanged
                else standing(session.pipeline, roster),
            ),
            claimed=_people(roster, rows[roster.table]),
        )
        for roster in ROSTERS
        if roster.table in {"members"} | (rows.keys() - unchanged) and roster.paging != "none"
    ]
    left = _left(session.pipeline, lists[0], taken_at - BEFORE)
    doubt, tables = half_a_roster(lists, left, _seats(session), session.limits)
    if doubt is None:
        session.doubts.none("roster")
        return {}, set()
    if session.doubts.allows(doubt, is_no_more):
        return {}, {table for table in tables if not rows[table]}
    return dict.fromkeys(tables, doubt.sentence), set()


def standing(pipeline: dlt.Pipeline, roster: Roster) -> list[dict[str, Any]]:
    """The roster's rows as of its newest snapshot, as far as they tell who they are about."""
    return stored(pipeline, standing_rows(roster.table, roster.key))


def _people(roster: Roster, rows: Sequence[Row]) -> dict[str, str | None]:
    """Of each row, what tells it apart -> whom it is about."""
    person = PERSON.get(roster.table, "")
    return {" ".join(str(row[name] or "") for name in roster.key): row.get(person) for row in rows}


def _newest_snapshot(pipeline: dlt.Pipeline) -> datetime | None:
    query = f"select max(snapshot_at) as newest from roster_snapshots where {COUNTS}"
    newest: datetime | None = next((row["newest"] for row in stored(pipeline, query)), None)
    return newest.astimezone(UTC) if newest else None


def _left(pipeline: dlt.Pipeline, members: ListClaim, since: datetime) -> set[str]:
    """Those who are gone and of whom an event since then says that they left."""
    if not members.gone:
        return set()
    types = ", ".join(f"'{name}'" for name in LEAVING)
    events = stored(
        pipeline,
        f"select * from activities where type in ({types})"
        f" and created_at > timestamp with time zone '{since.isoformat(sep=' ')}'",
    )
    told = " ".join(str(value) for event in events for value in event.values())
    return {person for person in members.gone if person in told}


def _seats(session: Session) -> int | None:
    """How many seats the vendor counts on the newest day that it has told of."""
    since = (session.clock.now - RECENT).date()
    query = f"""
        select assigned_seat_count from {counting_rows("summaries")}
        where assigned_seat_count is not null and activity_date >= date '{since}'
        order by activity_date desc
        limit 1
    """
    return next((row["assigned_seat_count"] for row in stored(session.pipeline, query)), None)
