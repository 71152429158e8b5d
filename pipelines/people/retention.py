"""Who was not heard of for `[privacy] keep_people_days`, and so is named no longer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import dlt

from pipelines.people.columns import DAILY, OF_CLAUDE, OF_OTHERS
from sources.door import PSEUDONYMS
from sources.ledger import COUNTS, known_columns, stored
from sources.personal import Kind
from sources.roster_versions import standing_rows
from sources.typed_files.keys import name_key

HEARD = {
    **dict.fromkeys(DAILY, "activity_date"),
    "activities": "created_at",
    "langdock_users": "period_end",
    "langdock_agents": "period_end",
    "langdock_projects": "period_end",
    "langdock_workflows": "period_end",
    "other_assistants": "coalesce(activity_date, month)",
}
"""Raw table -> when it heard of whom it names."""
DAYS = {
    **{table: (*(OF_CLAUDE | OF_OTHERS)[table][:2], heard) for table, heard in HEARD.items()},
    "spend_limit_increase_requests": ("actor__user_id", "actor__email_address", "created_at"),
    "invites": ("null", "email", "invited_at"),
}
"""Raw table -> its columns of a person's id and address, and of when it heard of them."""
PRESENT = {
    "members": ("id", "email"),
    "rbac_group_members": ("user_id", "email"),
    "workspace_members": ("user_id", "null"),
}
"""Roster -> the same; who stands in one is there, however long nothing else was heard."""


@dataclass(frozen=True)
class Silent:
    """Ids and addresses of whom nothing newer was heard."""

    ids: frozenset[str]
    emails: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.ids or self.emails)


def silent_people(pipeline: dlt.Pipeline, today: date, keep_days: int) -> Silent:
    """Everybody of whom no use, cost, event, request or invitation and no place in a roster is
    known in `keep_days` days. Who goes on under another address is heard of, and keeps the
    addresses of before; an address that somebody else has now is theirs.

    The days end with the newest that is loaded: a source that says nothing for months, or a folder
    that was not loaded for as long, makes nobody silent.
    """
    limit = min([today, *_loaded_until(pipeline)]) - timedelta(days=keep_days)
    ids: dict[str, date] = {}
    emails: dict[str, date] = {}
    people_of: dict[str, set[str]] = {}
    for person, email, heard in _heard(pipeline, today):
        if person:
            ids[person] = max(ids.get(person, heard), heard)
        if email:
            emails[email] = max(emails.get(email, heard), heard)
            if person:
                people_of.setdefault(email, set()).add(person)
    silent = {person for person, heard in ids.items() if heard < limit}
    return Silent(
        ids=frozenset(silent),
        emails=frozenset(
            email
            for email, heard in emails.items()
            if heard < limit and people_of.get(email, silent) <= silent
        ),
    )


def _loaded_until(pipeline: dlt.Pipeline) -> Iterator[date]:
    """The newest day of use, and of the list of members if it was ever read."""
    known = known_columns(pipeline)
    for table, query in {
        "users": "select max(activity_date) as day from users",
        "roster_snapshots": f"""
            select max(cast(snapshot_at as date)) as day from roster_snapshots
            where roster_table = 'members' and outcome = 'loaded' and {COUNTS}
        """,
    }.items():
        if table in known:
            yield from (row["day"] for row in stored(pipeline, query) if row["day"])


def _heard(pipeline: dlt.Pipeline, today: date) -> Iterator[tuple[str | None, str | None, date]]:
    """Each id and address that stand in one row, with the newest day on which they did; of those
    who still have their names."""
    known = known_columns(pipeline)
    queries = [
        f"select {person}, {email}, max(cast({day} as date)) from {table} group by 1, 2"
        for table, (person, email, day) in DAYS.items()
        if table in known
    ]
    for table in sorted(known.keys() & PRESENT.keys()):
        person, email = PRESENT[table]
        standing = standing_rows(table, [f"{person} as person_id", f"{email} as email"])
        queries += [
            f"select person_id, email, date '{today}' from ({standing}) as standing",
            f"""
            select {person}, {email}, max(cast(changes.changed_at as date))
            from {table}
            inner join (
                select rows_of.row_hash, snapshots.changed_at
                from {table} as rows_of
                inner join (
                    select version, min(snapshot_at) as changed_at
                    from roster_snapshots where roster_table = '{table}' group by version
                ) as snapshots on rows_of.version = snapshots.version
            ) as changes on {table}.row_hash = changes.row_hash
            where not is_gone
            group by 1, 2
            """,
        ]
    if not queries:
        return
    query = f"select * from ({' union all '.join(queries)}) as heard (person_id, email, heard_on)"
    for row in stored(pipeline, query):
        person, email = row["person_id"], row["email"]
        if row["heard_on"] is None or (person and PSEUDONYMS[Kind.PERSON].fullmatch(person)):
            continue
        named = email and email.strip() and not PSEUDONYMS[Kind.EMAIL].search(email)
        yield person or None, name_key(email) if named else None, row["heard_on"]
