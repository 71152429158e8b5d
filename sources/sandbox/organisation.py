"""An invented organisation in DuckDB: facts, the rows its API answers, and the truth about it."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from sources.claude_analytics.endpoints import ENDPOINTS

FOLDER = Path(__file__).parent
FIRST_DAY = date(2026, 1, 1)
"""The API's first day with data (analytics.md 2.1)."""

Row = Mapping[str, Any]
Days = tuple[date, date]
"""First and last day, both included."""

BLANKS = {
    "users": "users_row(key, key || '@northwind.example', $day)",
    "chat_projects": "chat_projects_row(key, key)",
    "skills": "skills_row(key)",
    "connectors": "connectors_row(key)",
    "summaries": "(select row from summaries_rows($day, $day, date '2025-12-31'))",
}
"""SQL for a row without activity of each table, given its key; what publish() fills rows from."""

KEYS = {endpoint.table: endpoint.key[0].split("__") for endpoint in ENDPOINTS}


class Organisation:
    """An organisation whose every fact follows from seats, seed, lag_days and what was published.

    Args:
        last_day: Facts are invented from FIRST_DAY to this day.
        absent: Optional parts it does not offer, by the start of their field names.
    """

    def __init__(
        self, *, seats: int, seed: int, lag_days: int, last_day: date, absent: tuple[str, ...]
    ) -> None:
        self.last_day = last_day
        self._absent = absent
        self._is_empty = seats == 0
        self._published: dict[tuple[str, date], list[str]] = {}
        self._db = duckdb.connect(":memory:")
        variables = {
            "seed": f"{seed:d}",
            "seats": f"{seats:d}",
            "lag_days": f"{lag_days:d}",
            "last_day": f"date '{last_day}'",
            "absent": f"cast({list(absent)} as varchar[])",
        }
        for name, value in variables.items():
            self._db.execute(f"set variable {name} = {value}")
        for script in ("organisation.sql", "answers.sql"):
            self._db.execute((FOLDER / script).read_text(encoding="utf-8"))
        # The pages of one day come from one query.
        self._invented = lru_cache(maxsize=16)(self._query_invented)

    def rows(self, table: str, days: Days, as_of: date) -> list[str]:
        """The JSON rows that the endpoint of `table` answers for `days` when today is `as_of`."""
        invented = {} if self._is_empty else self._invented(table, days, as_of)
        first, last = days
        span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        rows = [
            row for day in span for row in self._published.get((table, day), invented.get(day, ()))
        ]
        return [without(self._absent, row) for row in rows] if self._absent else rows

    def publish(self, table: str, day: date, rows: Sequence[Row], *, fill: bool) -> None:
        """Replace what is answered for that day; `fill` adds the documented fields left out."""
        blanks: Sequence[Row] = self._blanks(table, day, rows) if fill else [{}] * len(rows)
        self._published[table, day] = [
            json.dumps(merged(blank, row), ensure_ascii=False)
            for blank, row in zip(blanks, rows, strict=True)
        ]

    def truth(self, name: str, days: Days, as_of: date) -> list[dict[str, Any]]:
        """What truth/<name>.sql finds in the facts (not in published rows) for `days`."""
        query = (FOLDER / "truth" / f"{name}.sql").read_text(encoding="utf-8")
        found = self._query(query, {"first_date": days[0], "last_date": days[1], "as_of": as_of})
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def close(self) -> None:
        self._db.close()

    def _query_invented(self, table: str, days: Days, as_of: date) -> dict[date, list[str]]:
        query = (
            "select activity_date, cast(to_json(row) as varchar)"
            f" from {table}_rows($first, $last, $as_of) order by activity_date, sort_key"
        )
        found = self._query(query, {"first": days[0], "last": days[1], "as_of": as_of})
        rows: dict[date, list[str]] = {}
        for day, row in found.fetchall():
            rows.setdefault(day, []).append(row)
        return rows

    def _blanks(self, table: str, day: date, rows: Sequence[Row]) -> list[Row]:
        query = (
            f"select cast(to_json({BLANKS[table]}) as varchar)"
            " from (select unnest(cast($keys as varchar[])) as key)"
        )
        keys = [key_of(row, KEYS[table]) for row in rows]
        found = self._query(query, {"keys": keys, "day": day})
        return [json.loads(row) for (row,) in found.fetchall()]

    def _query(self, query: str, values: Mapping[str, object]) -> duckdb.DuckDBPyConnection:
        """The result of a query, on a cursor of its own so that threads do not meet."""
        used = {name: value for name, value in values.items() if f"${name}" in query}
        return self._db.cursor().execute(query, used)


def key_of(row: object, path: Sequence[str]) -> str | None:
    """The value at a path of names; None where a hand-made row has none."""
    for name in path:
        row = row.get(name) if isinstance(row, Mapping) else None
    return None if row is None else str(row)


def merged(blank: Row, row: Row) -> Row:
    """`blank` with the values of `row`, block by block."""
    pairs = {
        name: merged(blank[name], value)
        if isinstance(value, Mapping) and isinstance(blank.get(name), Mapping)
        else value
        for name, value in row.items()
    }
    return {**blank, **pairs}


def without(absent: tuple[str, ...], row: str) -> str:
    """The JSON row without the fields whose names start with one of `absent`."""
    kept = {name: value for name, value in json.loads(row).items() if not name.startswith(absent)}
    return json.dumps(kept, ensure_ascii=False)
