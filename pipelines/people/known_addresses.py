"""The e-mail addresses that people ever had, kept before the API forgets them.

Asked again for an old day, the API may name people by what they are called by now: the rows of the
day then have the new address, and a line of the org chart for the old one would meet nobody. What
it said when it was asked for the day first is nearest to what was so on that day, so that of people
who have had several addresses that is kept as well, day by day.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dlt
import pyarrow as pa

from pipelines.people.columns import DAILY, OF_CLAUDE
from sources.ledger import store, stored

TABLE = "known_addresses"
COLUMNS = pa.schema(
    {
        "user_id": pa.string(),
        "email": pa.string(),
        "first_date": pa.date32(),
        "last_date": pa.date32(),
        "is_of_days": pa.bool_(),
    }
)
PEOPLE = {table: OF_CLAUDE[table][:2] for table in DAILY}
"""Raw table of days -> its columns of a person's id and e-mail. Rosters and the feed keep what they
said themselves."""


def store_known_addresses(pipeline: dlt.Pipeline) -> None:
    """Keep the addresses that came since."""
    of_tables = " union all ".join(
        f"""
        select {user_id} as user_id, {email} as email, activity_date, version
        from {table} where {user_id} is not null and {email} is not null
        """
        for table, (user_id, email) in PEOPLE.items()
    )
    new = stored(
        pipeline,
        f"""
        select
            seen.user_id, seen.email, false as is_of_days,
            min(seen.activity_date) as first_date, max(seen.activity_date) as last_date
        from ({of_tables}) as seen
        left join {TABLE} as known on seen.user_id = known.user_id and seen.email = known.email
        where known.user_id is null
        group by seen.user_id, seen.email
        """,
    )
    if new:
        store(pipeline, known_addresses(new))
    if spans := stored(pipeline, _new_spans(of_tables)):
        store(pipeline, known_addresses(spans))


def _new_spans(of_tables: str) -> str:
    """SQL for the spans of days, as they were named when they were asked for first, of people of
    whom several addresses are known; each is stored once another one has begun after it, and holds
    also when the rows that told it are dropped."""
    return f"""
        with several as (
            select user_id, max(case when is_of_days then last_date end) as told_until_date
            from {TABLE}
            group by user_id
            having count(distinct email) > 1
        ),
        told as (
            select
                seen.*,
                row_number() over (
                    partition by seen.user_id, seen.activity_date order by seen.version, seen.email
                ) as told_before
            from ({of_tables}) as seen
            inner join several on seen.user_id = several.user_id
            where several.told_until_date is null or seen.activity_date > several.told_until_date
        ),
        days as (
            select
                user_id, email, activity_date,
                lag(email) over days_of_person as previous_email,
                lag(activity_date) over days_of_person as previous_date
            from told
            where told_before = 1
            window days_of_person as (partition by user_id order by activity_date)
        ),
        spans as (
            select
                user_id, email, activity_date as first_date,
                lead(previous_date) over (partition by user_id order by activity_date) as last_date
            from days
            where previous_email is null or previous_email <> email
        )
        select spans.*, true as is_of_days from spans where last_date is not null
    """


@dlt.resource(name=TABLE, write_disposition="append")
def known_addresses(rows: Sequence[Mapping[str, Any]] = ()) -> Iterator[pa.Table]:
    """One row per person and e-mail, with the days of which it was known when it was first seen;
    and of people with several, one per span of days that were named so when they were first asked
    for (`is_of_days`). A load that broke off can have stored a row twice."""
    yield pa.Table.from_pylist([dict(row) for row in rows], schema=COLUMNS)
