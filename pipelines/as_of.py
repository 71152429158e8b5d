"""The marts as they would have been at a moment, from the versions that counted then."""

from datetime import UTC, datetime
from pathlib import Path

from pipelines.data_dir import DataDir
from pipelines.people.name_keys import store_name_keys
from pipelines.raw_tables import create_absent_tables, warehouse_pipeline
from pipelines.registry import TABLES
from pipelines.run_settings import transform_variables
from pipelines.warehouse import warehouse_of
from pipelines.warehouse.base import PublishResult, Reading
from sources.errors import ForeseenError
from sources.ledger import COMPLETE, COUNTS
from sources.session import Clock

LEDGERS = {
    "loaded_days": "fetched_at",
    "roster_snapshots": "snapshot_at",
    "activity_windows": "read_at",
    "langdock_exports": "noted_at",
}
"""Ledger -> its moment of a fetch."""


def transform_as_of(data_dir: DataDir, clock: Clock, moment: datetime, out: Path) -> PublishResult:
    """Build the marts of that moment into a file of their own. The caller holds the warehouse,
    which stays as it is, and so do the served marts.

    Raises:
        ForeseenError: The moment lies in the future or before the first load, a version that
            counted then is not stored any more, or the marts cannot be built.
    """
    pipeline = warehouse_pipeline(data_dir)
    create_absent_tables(pipeline)
    store_name_keys(pipeline)
    warehouse = warehouse_of(data_dir)
    with warehouse.read() as stored:
        _refuse_unless_known(stored, clock, moment)
        _refuse_unless_there(stored, moment)
    variables = {**transform_variables(), "as_of": f"{moment:%Y-%m-%d %H:%M:%S.%f}"}
    return warehouse.build_aside(out, variables)


def _refuse_unless_known(stored: Reading, clock: Clock, moment: datetime) -> None:
    if moment > max(clock.now, datetime.now(UTC)):
        raise ForeseenError(
            f"There are no marts as of {_text(moment)}: that moment has not come yet.\n"
            f"It is {_text(clock.now)} now, and what will be known then is not known.\n"
            "Name a moment in the past: --as-of 2026-01-31, or --as-of 2026-01-31T06:00."
        )
    firsts = [
        row["first"]
        for ledger, column in LEDGERS.items()
        for row in stored.rows(
            f"select cast(min({column}) as timestamp) as first from claude_raw.{ledger}"
            f" where {COMPLETE}"
        )
        if row["first"]
    ]
    first = min(firsts, default=None)
    if first is None or moment < first.replace(tzinfo=UTC):
        since = f"since {_text(first.replace(tzinfo=UTC))}" if first else "since never"
        raise ForeseenError(
            f"There are no marts as of {_text(moment)}: nothing was loaded then.\n"
            f"This warehouse knows things {since}.\n"
            "Name a later moment."
        )


def _refuse_unless_there(stored: Reading, moment: datetime) -> None:
    counts = " union all ".join(
        f"select '{table}' as endpoint, version, count(*) as stored from claude_raw.{table}"
        " group by version"
        for table in sorted({table.name for table in TABLES if table.is_tracked})
    )
    gone = stored.rows(
        f"""
        select fetches.endpoint, fetches.activity_date
        from (
            select
                endpoint, activity_date, version, row_count,
                row_number() over (
                    partition by organization_id, endpoint, activity_date
                    order by fetch_number desc
                ) as fetches_since
            from claude_raw.loaded_days
            where {COUNTS} and cast(fetched_at as timestamp) <= cast($moment as timestamp)
        ) as fetches
        left join ({counts}) as counts
            on fetches.endpoint = counts.endpoint and fetches.version = counts.version
        where fetches_since = 1 and fetches.row_count <> coalesce(counts.stored, 0)
        order by fetches.activity_date, fetches.endpoint
        """,
        moment=moment.replace(tzinfo=None),
    )
    if gone:
        first = gone[0]
        raise ForeseenError(
            f"The marts as of {_text(moment)} cannot be built: {len(gone):,} days of endpoints "
            f"had rows then that are not stored any more, such as {first['endpoint']} of "
            f"{first['activity_date']}.\n"
            "They changed since, and their former versions were dropped (claude-warehouse "
            "compact), or replaced by a release that kept none.\n"
            "Name a later moment, or restore the data folder from a backup of that time."
        )


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
