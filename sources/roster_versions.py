"""What a snapshot changed in a roster: the raw tables keep changes, and every state follows."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import dlt

from sources.hints import of_version
from sources.ledger import COMPLETE, COUNTS, KEPT_APART, of_organization, stored

Row = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """A roster as the warehouse has it.

    Attributes:
        version: The version by which it is so; None: no snapshot was ever taken.
        rows_hash: Of its rows, where its newest snapshot that counts had any.
        apart: Of a snapshot newer than that which was kept apart: hash of its rows -> its version.
    """

    version: int | None = None
    rows_hash: str | None = None
    apart: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """What a snapshot adds to the raw tables.

    Attributes:
        rows: Rows that appeared, and of those that are gone their hash alone (`is_gone`).
        ledger_row: The snapshot's row of roster_snapshots.
    """

    table: str
    rows: Sequence[Row]
    ledger_row: Row


def known_rosters(pipeline: dlt.Pipeline, organization: str | None = None) -> dict[str, Known]:
    """The rosters of an organisation, None: the first one, as of the snapshots that count."""
    snapshots = stored(
        pipeline,
        f"""
        select roster_table, version, rows_hash, row_count, outcome, is_apart from (
            select
                roster_table, version, rows_hash, row_count, outcome,
                outcome = '{KEPT_APART}' as is_apart,
                row_number() over (
                    partition by roster_table order by fetch_number desc
                ) as snapshots_since,
                row_number() over (
                    partition by roster_table, case when outcome = '{KEPT_APART}' then 1 else 0 end
                    order by fetch_number desc
                ) as alike_since
            from roster_snapshots
            where {COMPLETE} and {of_organization(organization)}
        ) as snapshots
        where alike_since = 1 and (not is_apart or snapshots_since = 1)
        """,
    )
    apart = {
        row["roster_table"]: {row["rows_hash"]: row["version"]}
        for row in snapshots
        if row["is_apart"]
    }
    return {
        row["roster_table"]: Known(
            row["version"],
            row["rows_hash"] if row["row_count"] else None,
            apart.get(row["roster_table"], {}),
        )
        for row in snapshots
        if not row["is_apart"]
    }


def known_hashes(
    pipeline: dlt.Pipeline, table: str, organization: str | None = None
) -> frozenset[str]:
    """Hashes of the rows that the roster has."""
    rows = stored(pipeline, standing_rows(table, ["row_hash"], organization))
    return frozenset(row["row_hash"] for row in rows)


def standing_rows(table: str, columns: Iterable[str], organization: str | None = None) -> str:
    """SQL for the roster's rows as of an organisation's newest snapshot that counts."""
    return f"""
        select {", ".join(columns)} from (
            select
                rows_of.*,
                row_number() over (
                    partition by rows_of.row_hash order by snapshots.since_number desc
                ) as changes_since
            from {table} as rows_of
            inner join (
                select version, min(fetch_number) as since_number
                from roster_snapshots
                where roster_table = '{table}' and {of_organization(organization)} and {COUNTS}
                group by version
            ) as snapshots on rows_of.version = snapshots.version
        ) as changes
        where changes_since = 1 and not is_gone
    """


def version_of(
    table: str,
    answer: "Answer",
    before: Known,
    known: Callable[[], frozenset[str]],
    *,
    taken_at: datetime,
    run_number: int,
    fetch_number: int,
    is_kept_apart: bool = False,
    retires_all: bool = False,
    organization: str | None = None,
) -> Version:
    """What differs from the roster before. An empty answer retires nobody, and changes nothing,
    unless it is kept apart, or somebody has said that it is true (`retires_all`).

    One that says the same as the one which was kept apart last is that version, and adds no rows.
    `known` are the hashes of the rows that there were, asked for where the answer is another.
    """
    by_hash, rows_hash, rows = answer.by_hash, answer.rows_hash, answer.rows
    hashes = frozenset(by_hash) if answer.is_known(before) else known()
    appeared = [name for name in by_hash if name not in hashes]
    is_whole = rows or is_kept_apart or retires_all
    gone = sorted(hashes - by_hash.keys()) if is_whole else []
    is_new = bool(appeared or gone) or before.version is None
    version = fetch_number if is_new or before.version is None else before.version
    if is_new and rows_hash in before.apart:
        version, appeared, gone = before.apart[rows_hash], [], []
    of_the_version = of_version(version, organization)
    outcome = KEPT_APART if is_kept_apart else "loaded" if rows else "empty"
    return Version(
        table,
        [
            *(
                {**by_hash[name], "row_hash": name, "is_gone": False, **of_the_version}
                for name in appeared
            ),
            *({"row_hash": name, "is_gone": True, **of_the_version} for name in gone),
        ],
        {
            "roster_table": table,
            "snapshot_at": taken_at,
            "run_number": run_number,
            "fetch_number": fetch_number,
            **of_the_version,
            "row_count": len(rows),
            "rows_hash": rows_hash,
            "outcome": outcome,
        },
    )


@dataclass(frozen=True)
class Answer:
    """The rows of a roster as they came.

    Attributes:
        by_hash: Hash of each row -> the row.
        rows_hash: Of all of them, in whatever order.
    """

    rows: Sequence[Row]
    by_hash: Mapping[str, Row]
    rows_hash: str

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Answer":
        by_hash = {row_hash(row): row for row in rows}
        return cls(rows, by_hash, _digest("".join(sorted(by_hash))))

    def is_known(self, before: Known) -> bool:
        """It says what the roster before said."""
        return bool(self.rows) and self.rows_hash == before.rows_hash


def row_hash(row: Mapping[str, Any]) -> str:
    """A hash of what a row says; columns without a value do not count."""
    said = {name: _plain(value) for name, value in row.items() if value is not None}
    return _digest(json.dumps(said, sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    # 1.50 is stored as 1.500000000000.
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value
