"""What every source writes of a load the same way, and what a run reads back of the raw tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import dlt
from dlt.destinations.exceptions import DatabaseUndefinedRelation

from sources.hints import typed_columns
from sources.session import CLOSE_ENOUGH

COMPLETE = "_dlt_load_id in (select load_id from claude_raw._dlt_loads where status = 0)"
"""Of a row: the load that brought it has ended."""


class Cursor(Protocol):
    """An answered query of any database driver."""

    @property
    def description(self) -> Any: ...
    def fetchall(self) -> Any: ...


def dict_rows(answer: Cursor) -> list[dict[str, Any]]:
    """Each row of an answered query as column name -> value."""
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def store(pipeline: dlt.Pipeline, data: Any) -> None:
    """Load sources or resources; a run killed from here on loads them when it begins again."""
    pipeline.extract(data)
    pipeline.normalize()
    pipeline.load()


def stored(pipeline: dlt.Pipeline, query: str) -> list[dict[str, Any]]:
    """What the query finds in the raw tables; nothing where one of them does not exist yet."""
    try:
        with pipeline.sql_client() as warehouse, warehouse.execute_query(query) as cursor:
            return dict_rows(cursor)
    except DatabaseUndefinedRelation:
        return []


def known_tables(pipeline: dlt.Pipeline) -> set[str]:
    """The raw tables that are there."""
    query = f"""
        select table_name from information_schema.tables
        where table_schema = '{pipeline.dataset_name}'
    """
    return {row["table_name"] for row in stored(pipeline, query)}


def change(pipeline: dlt.Pipeline, statements: Sequence[str], needs: Iterable[str] = ()) -> None:
    """All of it or nothing."""
    if not set(needs) <= known_tables(pipeline):
        return
    with pipeline.sql_client() as warehouse, warehouse.begin_transaction():
        for statement in statements:
            warehouse.execute_sql(statement)


def is_in_the_future(pipeline: dlt.Pipeline, table: str, moment: str, now: str) -> bool:
    """A clock that was ahead left something in this ledger; `now` is moment_text's."""
    return bool(stored(pipeline, f"select 1 from {table} where {moment} > {now} limit 1"))


def moment_text(moment: datetime) -> str:
    """The moment in SQL, with a little room: the header that tells a server's has seconds."""
    return f"timestamp with time zone '{(moment + CLOSE_ENOUGH).isoformat(sep=' ')}'"


@dlt.resource(
    name="endpoint_runs",
    write_disposition="merge",
    primary_key=("endpoint", "run_at"),
    columns=typed_columns(
        endpoint="text",
        kind="text",
        run_at="timestamp",
        outcome="text",
        message="text",
        window_start_date="date",
        newest_available_date="date",
        request_count="bigint",
    ),
)
def endpoint_runs(runs: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """One row per run and endpoint: how it ended, and which days the API had then."""
    yield dlt.mark.materialize_table_schema()
    yield runs
