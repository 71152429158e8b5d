"""What every source writes of a load the same way, and what a run reads back of the raw tables.

Raw tables only grow. What a fetch brought (an endpoint's day, a roster, a window of the feed, a
vendor's period) is a *version*: its rows, which carry the version's number. A row of a ledger says
of each fetch which version counts from then on. One that brought the same rows adds nothing but its
ledger row, which names the version that still counts. Rows whose version no ledger row of an ended
load names count nowhere.

Every ledger has these columns:

- `fetch_number`: the fetches in their order. It is counted under the run's lock, over all ledgers;
  moments and ids of loads are no order, because clocks are wrong at times.
- `version`: the `fetch_number` of the fetch that stored the rows; never null, not even of a day
  without rows.
- `run_number`: which run it was, counted together with the fetches.
- `outcome`: loaded, empty or rejected (no row could be read). `kept_apart`: the version is stored,
  and does not count. It counts as soon as a later row of the ledger, of another outcome, names it.
  Of a roster, whose versions are changes, that row must come before any other version counts.

Where several organisations are read, `organization_id` says whose fetch it was, and so whose the
rows of its version are; null is the first one. What counts is asked of each by itself.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import dlt
from dlt.common.schema.typing import TColumnSchema
from dlt.destinations.exceptions import DatabaseException, DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from sources.hints import VERSION_SQL, typed_columns
from sources.session import CLOSE_ENOUGH

COMPLETE = "_dlt_load_id in (select load_id from claude_raw._dlt_loads where status = 0)"
"""Of a row: the load that brought it has ended."""

KEPT_APART = "kept_apart"
BROKEN_OFF = "broken_off"
"""Outcome of a window of which a part was read, or came: its events count, and it does not count as
read."""
COUNTS = f"{COMPLETE} and outcome <> '{KEPT_APART}'"
"""Of a row of a ledger: it says which version counts."""


def numbers() -> dict[str, TColumnSchema]:
    """The columns of every ledger that say which version counts."""
    return typed_columns(run_number="bigint", fetch_number="bigint", version="bigint")


def number_columns() -> dict[str, str]:
    """The same for `add_columns`."""
    return dict.fromkeys(numbers(), "bigint")


def of_organization(id: str | None) -> str:
    """Of a row of a ledger: it is this organisation's; None: the first one's."""
    return f"organization_id = {quoted(id)}" if id else "organization_id is null"


def quoted(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


class Cursor(Protocol):
    """An answered query of any database driver."""

    @property
    def description(self) -> Any: ...
    def fetchall(self) -> Any: ...


def dict_rows(answer: Cursor) -> list[dict[str, Any]]:
    """Each row of an answered query as column name -> value."""
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def extract(pipeline: dlt.Pipeline, data: Any) -> None:
    """Write sources or resources to disk, to be loaded.

    A column keeps the type that it was made with: one of another type is refused here, because
    warehouses would take it and round 5.75 to 6, or cut the time off a moment.
    """
    pipeline.extract(data, schema_contract={"data_type": "freeze"})


def store(pipeline: dlt.Pipeline, data: Any) -> None:
    """Load sources or resources; a run killed from here on loads them when it begins again."""
    extract(pipeline, data)
    pipeline.normalize()
    pipeline.load()


_held: WeakKeyDictionary[dlt.Pipeline, SqlClientBase[Any]] = WeakKeyDictionary()
"""The client of a pipeline that is held open. Each new one reads dlt's schema from its file."""


@contextmanager
def held_open(pipeline: dlt.Pipeline) -> Iterator[None]:
    """For many short questions: opening a warehouse anew takes longer than each of them."""
    if pipeline in _held:
        yield
        return
    with pipeline.sql_client() as warehouse:
        _held[pipeline] = warehouse
        try:
            yield
        finally:
            del _held[pipeline]


Ask = Callable[[str], Sequence[Mapping[str, Any]]]
"""The rows that a query finds; none where its table is not there."""


def stored(pipeline: dlt.Pipeline, query: str) -> list[dict[str, Any]]:
    """What the query finds in the raw tables; nothing where one of them does not exist yet."""
    if held := _held.get(pipeline):
        # It may have been opened before the raw tables were there, or be cut off since.
        with suppress(DatabaseException):
            return _answer(held, query)
    try:
        with pipeline.sql_client() as warehouse:
            return _answer(warehouse, query)
    except DatabaseUndefinedRelation:
        return []


def _answer(warehouse: SqlClientBase[Any], query: str) -> list[dict[str, Any]]:
    with warehouse.execute_query(query) as cursor:
        return dict_rows(cursor)


def known_columns(pipeline: dlt.Pipeline) -> dict[str, set[str]]:
    """The raw tables that are there, with their columns."""
    query = f"""
        select table_name, column_name from information_schema.columns
        where table_schema = '{pipeline.dataset_name}'
    """
    found: dict[str, set[str]] = {}
    for row in stored(pipeline, query):
        found.setdefault(row["table_name"], set()).add(row["column_name"])
    return found


def known_tables(pipeline: dlt.Pipeline) -> set[str]:
    """The raw tables that are there."""
    return set(known_columns(pipeline))


def ledgers_and_tables(pipeline: dlt.Pipeline) -> tuple[list[str], list[str]]:
    """The ledgers of versions, and the raw tables that hold their rows."""
    known = known_columns(pipeline)
    # A version of the product is no number.
    numbered = stored(
        pipeline,
        f"""
        select table_name from information_schema.columns
        where table_schema = '{pipeline.dataset_name}'
            and column_name = 'version' and lower(data_type) = 'bigint'
        """,
    )
    versioned = sorted(row["table_name"] for row in numbered if row["table_name"][0] != "_")
    ledgers = [table for table in versioned if "fetch_number" in known[table]]
    return ledgers, [table for table in versioned if table not in ledgers]


def highest_number(pipeline: dlt.Pipeline) -> int:
    """The highest number of a run, a fetch or a version so far, also of loads that broke off."""
    ledgers, tables = ledgers_and_tables(pipeline)
    numbered = [(ledger, name) for ledger in ledgers for name in ("run_number", "fetch_number")]
    numbered += [(table, "version") for table in (*ledgers, *tables)]
    if "run_number" in known_columns(pipeline).get("endpoint_runs", ()):
        numbered.append(("endpoint_runs", "run_number"))
    if not numbered:
        return 0
    each = " union all ".join(f"select max({name}) as number from {of}" for of, name in numbered)
    [found] = stored(pipeline, f"select max(number) as number from ({each}) as numbers")
    return int(found["number"] or 0)


def counting_rows(table: str, organization: str | None = None) -> str:
    """The rows of an endpoint's days that count, of one organisation, as a relation of SQL."""
    return f"""(
        select {table}.* from {table}
        inner join (
            select
                activity_date,
                version,
                row_number() over (partition by activity_date order by fetch_number desc)
                    as fetches_since
            from loaded_days
            where endpoint = '{table}' and {of_organization(organization)} and {COUNTS}
        ) as fetches
            on {table}.activity_date = fetches.activity_date and {table}.version = fetches.version
        where fetches.fetches_since = 1
    ) as counting_rows"""


def delete_unnamed(pipeline: dlt.Pipeline) -> None:
    """Delete the rows of versions that no ledger row of an ended load names.

    They count nowhere; but a load that broke off and goes on would store them a second time.
    """
    ledgers, tables = ledgers_and_tables(pipeline)
    if not ledgers:
        return
    named = " union all ".join(
        f"select version from {ledger} where {COMPLETE} and version is not null"
        for ledger in ledgers
    )
    change(pipeline, [f"delete from {table} where version not in ({named})" for table in tables])


def change(pipeline: dlt.Pipeline, statements: Sequence[str], needs: Iterable[str] = ()) -> None:
    """All of it or nothing."""
    if not set(needs) <= known_tables(pipeline):
        return
    with pipeline.sql_client() as warehouse, warehouse.begin_transaction():
        for statement in statements:
            warehouse.execute_sql(statement)


def add_columns(
    pipeline: dlt.Pipeline,
    known: Mapping[str, Collection[str]],
    table: str,
    columns: Mapping[str, str],
) -> None:
    """Add those that a known table lacks, empty. dlt would too, but not before it stores rows."""
    lacking = columns.keys() - set(known[table]) if table in known else ()
    if not lacking:
        return
    # Not in a transaction: the table could not be changed in it any more.
    with pipeline.sql_client() as warehouse:
        for name in sorted(lacking):
            warehouse.execute_sql(f"alter table {table} add column {name} {columns[name]}")


def add_version_columns(
    pipeline: dlt.Pipeline,
    known: Mapping[str, Collection[str]],
    ledger: str,
    tables: Sequence[str],
) -> None:
    """Add to known tables of a known ledger's versions what every row of a version has.

    Whose rows they are was known of the ledger before it was known of them.
    """
    lacking = [table for table in tables if VERSION_SQL.keys() - set(known[table])]
    for table in lacking:
        add_columns(pipeline, known, table, VERSION_SQL)
    further = (
        f"select distinct version, organization_id from {ledger} where organization_id is not null"
    )
    if not lacking or not stored(pipeline, f"{further} limit 1"):
        return
    change(
        pipeline,
        [
            f"update {table} set organization_id = fetches.organization_id"
            f" from ({further}) as fetches where {table}.version = fetches.version"
            for table in (*lacking, *({"rejected_rows"} & known.keys()))
        ],
    )


def is_in_the_future(pipeline: dlt.Pipeline, table: str, moment: str, now: str) -> bool:
    """A clock that was ahead left something in this ledger; `now` is moment_text's."""
    return bool(stored(pipeline, f"select 1 from {table} where {moment} > {now} limit 1"))


def moment_text(moment: datetime) -> str:
    """The moment in SQL, with a little room: the header that tells a server's has seconds."""
    return f"timestamp with time zone '{(moment + CLOSE_ENOUGH).isoformat(sep=' ')}'"


@dlt.resource(
    name="endpoint_runs",
    write_disposition="append",
    columns=typed_columns(
        endpoint="text",
        organization_id="text",
        kind="text",
        run_at="timestamp",
        run_number="bigint",
        outcome="text",
        message="text",
        window_start_date="date",
        newest_available_date="date",
        request_count="bigint",
    ),
)
def endpoint_runs(rows: Sequence[Mapping[str, Any]] = ()) -> Iterator[Any]:
    """One row per run and endpoint: how it ended, and which days the API had then."""
    yield dlt.mark.materialize_table_schema()
    yield [dict(row) for row in rows]
