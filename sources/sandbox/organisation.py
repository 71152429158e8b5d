"""An invented organisation in DuckDB: facts, the rows its API answers, and the truth about it."""

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from sources.sandbox.published import (
    MONEY_FAMILIES,
    Row,
    filled_money_row,
    filled_roster_row,
    merged,
    money_fact,
    part_key,
)

FOLDER = Path(__file__).parent
FIRST_DAY = date(2026, 1, 1)
"""The API's first day with data (analytics.md 2.1)."""

Days = tuple[date, date]
"""First and last day, both included."""

BLANKS = {
    "users": "users_row(key, key || '@northwind.example', $day)",
    "chat_projects": "chat_projects_row(key, key)",
    "skills": "skills_row(key)",
    "connectors": "connectors_row(key)",
    "plugins": "plugins_row(key)",
    "artifacts": "artifacts_row(key)",
    "summaries": "(select row from summaries_rows($day, $day, date '2025-12-31'))",
}
"""SQL for a row without activity of each table, given its key; what publish() fills rows from. Of
another table only what is published is answered, as it is."""

KEYS = {
    "users": ("user", "id"),
    "chat_projects": ("project_id",),
    "skills": ("skill_name",),
    "connectors": ("connector_name",),
    "plugins": ("plugin_name",),
    "artifacts": ("artifact_type",),
    "summaries": ("starting_at",),
}
"""Where a row's key stands."""


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
        self._published_money: dict[tuple[str, date], list[tuple[str, str]]] = {}
        self._rosters: dict[str, list[tuple[date, list[Row]]]] = {}
        self.money_version = 0
        self._db = duckdb.connect(":memory:")
        given = {
            "seed": f"{seed:d}",
            "seats": f"{seats:d}",
            "lag_days": f"{lag_days:d}",
            "last_day": f"date '{last_day}'",
            "absent": f"cast({list(absent)} as varchar[])",
        }
        for name, value in given.items():
            self._db.execute(f"create macro given_{name}() as {value}")
        self._lock = threading.Lock()
        self._run("organisation.sql", "answers.sql")
        # Most users of an organisation ask for neither roster nor money.
        self._has_roster_and_money = False
        # The pages of one day come from one query.
        self._invented = lru_cache(maxsize=16)(self._query_invented)
        self._money = lru_cache(maxsize=8)(self._query_money)
        self._asking_money = threading.Lock()

    def rows(self, table: str, days: Days, as_of: date) -> list[str]:
        """The JSON rows that the endpoint of `table` answers for `days` when today is `as_of`."""
        is_invented = table in BLANKS and not self._is_empty
        invented = self._invented(table, days, as_of) if is_invented else {}
        first, last = days
        span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        rows = [
            row for day in span for row in self._published.get((table, day), invented.get(day, ()))
        ]
        return [without(self._absent, row) for row in rows] if self._absent else rows

    def publish(self, table: str, day: date, rows: Sequence[Row], *, fill: bool) -> None:
        """Replace what is answered for that day; `fill` adds the documented fields left out."""
        is_filled = fill and table in BLANKS
        blanks: Sequence[Row] = self._blanks(table, day, rows) if is_filled else [{}] * len(rows)
        self._published[table, day] = [
            json.dumps(merged(blank, row), ensure_ascii=False)
            for blank, row in zip(blanks, rows, strict=True)
        ]

    def money(self, query: str, values: tuple[tuple[str, Any], ...]) -> list[tuple[Any, ...]]:
        """What a query of costs or usage finds, with these parameters."""
        # Those who ask for the same thing at once wait for the first answer.
        with self._asking_money:
            return self._money(query, values, self.money_version)

    def publish_money(self, table: str, day: date, rows: Sequence[Row], *, fill: bool) -> None:
        """Replace the costs or the usage of that day by rows of /cost or /usage."""
        self._invent_roster_and_money()
        family = MONEY_FAMILIES[table]
        filled = [filled_money_row(family, day, row) if fill else row for row in rows]
        facts = [money_fact(family, day, n, row) for n, row in enumerate(filled)]
        cursor = self._db.cursor()
        cursor.execute(f"delete from published_{table} where activity_date = ?", [day])
        cursor.execute(
            "delete from published_days where family = ? and activity_date = ?", [family, day]
        )
        cursor.execute("insert into published_days values (?, ?)", [family, day])
        if facts:
            names, places = ", ".join(facts[0]), ", ".join("?" * len(facts[0]))
            cursor.executemany(
                f"insert into published_{table} ({names}) values ({places})",
                [list(fact.values()) for fact in facts],
            )
        self._published_money[family, day] = [
            (part_key(row), json.dumps(row, ensure_ascii=False)) for row in filled
        ]
        self.money_version += 1

    def published_money(self, family: str, day: date) -> list[tuple[str, str]] | None:
        """The rows published for that day as they are, each after what names its group."""
        return self._published_money.get((family, day))

    def roster(self, table: str, as_of: date) -> list[tuple[str, Row]]:
        """The rows of a roster's list as of a day, each after the id that it belongs to."""
        published = [rows for since, rows in self._rosters.get(table, ()) if since <= as_of]
        if published:
            return [(str(row.get("id")), row) for row in published[-1]]
        if self._is_empty:
            return []
        self._invent_roster_and_money()
        query = f"select id, cast(to_json(row) as varchar) from {table}_as_of($as_of)"
        return [
            (id, json.loads(row)) for id, row in self._query(query, {"as_of": as_of}).fetchall()
        ]

    def publish_roster(self, table: str, since: date, rows: Sequence[Row], *, fill: bool) -> None:
        """Answer these rows from that day on, until the next ones that were published."""
        filled = [filled_roster_row(table, row) if fill else row for row in rows]
        others = [each for each in self._rosters.get(table, ()) if each[0] != since]
        self._rosters[table] = sorted([*others, (since, filled)], key=lambda each: each[0])

    def facts(self, query: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        """The rows of a query about the invented facts."""
        self._invent_roster_and_money()
        found = self._query(query, values)
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    @property
    def database(self) -> duckdb.DuckDBPyConnection:
        """The facts, for other APIs of the same organisation, on a cursor of its own."""
        return self._db.cursor()

    def close(self) -> None:
        self._db.close()

    def _invent_roster_and_money(self) -> None:
        with self._lock:
            if not self._has_roster_and_money:
                self._run("money.sql", "roster.sql")
                self._has_roster_and_money = True

    def _run(self, *scripts: str) -> None:
        for script in scripts:
            self._db.execute((FOLDER / script).read_text(encoding="utf-8"))

    def _query_money(
        self, query: str, values: tuple[tuple[str, Any], ...], _version: int
    ) -> list[tuple[Any, ...]]:
        self._invent_roster_and_money()
        listed = {
            name: list(value) if isinstance(value, tuple) else value for name, value in values
        }
        return self._query(query, listed).fetchall()

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


def without(absent: tuple[str, ...], row: str) -> str:
    """The JSON row without the fields whose names start with one of `absent`."""
    kept = {name: value for name, value in json.loads(row).items() if not name.startswith(absent)}
    return json.dumps(kept, ensure_ascii=False)
