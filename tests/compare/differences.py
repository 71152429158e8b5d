"""How two served files differ, row for row, and how the words of two commands do."""

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import duckdb

EXAMPLES = 3
"""Rows that are shown of a mart that differs, of each side."""

VOLATILE = (
    (re.compile(r"\b\d+(\.\d+)? s\b"), "N s"),
    (re.compile(r"\(\d+(\.\d+)? MiB\)"), "(N MiB)"),
    # New models and marts are no difference; those of before are compared by their rows.
    (re.compile(r"\b\d+ (models|marts)\b"), r"N \1"),
)
"""What may differ between two runs of one commit, or between commits that agree."""

PROGRESS = re.compile(r"^ *\d+(% ▕| of \d+ days, )")
"""Lines that tell how far a run is, after as many seconds."""

VOLATILE_KEYS = {"seconds", "ended_at"}


@dataclass
class Allowed:
    """Differences that are wanted: a pattern for each, with its reason, and how often it matched.

    Patterns are those of file names. They are compared with `marts.<mart>`,
    `marts.<mart>.<column>`, `files.<file>`, `exit.<words>`, and `words.<line>`. A pattern
    `rows.<mart> <condition>` is none: of this mart, rows that meet the condition of SQL are
    left out on both sides.
    """

    reasons: dict[str, str] = field(default_factory=dict)
    matched: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "Allowed":
        """Lines of `pattern  # reason`.

        Raises:
            SystemExit: A line has no reason.
        """
        reasons = {}
        for line in file.read_text().splitlines():
            pattern, _, reason = (part.strip() for part in line.partition("  #"))
            if pattern and not reason:
                raise SystemExit(f"{file}: {pattern!r} has no reason; write it as: pattern  # why")
            if pattern:
                reasons[pattern] = reason
        return cls(reasons)

    def rows_of(self, mart: str) -> str:
        """A condition of SQL for the rows of a mart that are compared."""
        start = f"rows.{mart} "
        left_out = [pattern for pattern in self.reasons if pattern.startswith(start)]
        for pattern in left_out:
            self.matched[pattern] = self.matched.get(pattern, 0) + 1
        conditions = [f"({pattern.removeprefix(start)}) is not true" for pattern in left_out]
        return " and ".join(conditions) or "true"

    def __contains__(self, name: str) -> bool:
        found = next((each for each in self.reasons if fnmatchcase(name, each)), None)
        if found:
            self.matched[found] = self.matched.get(found, 0) + 1
        return found is not None


@dataclass(frozen=True)
class Mart:
    """One mart of two served files.

    Attributes:
        row_count: Its rows in the old file.
        differing: Rows that only one of the files has, in the columns that both have.
        gone, new: What only the old or only the new file has of it.
        notes: Columns of another type, and some rows that differ.
    """

    name: str
    row_count: int = 0
    differing: int = 0
    gone: Sequence[str] = ()
    new: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def is_equal(self) -> bool:
        return not (self.differing or self.gone or self.notes)


def marts(old: Path, new: Path, allowed: Allowed) -> Iterator[Mart]:
    """Each mart of either file, by name."""
    with duckdb.connect(config={"memory_limit": "2GB", "threads": 2}) as connection:
        for side, file in (("old", old), ("new", new)):
            connection.execute(f"attach '{file}' as {side} (read_only)")
        before, after = (_columns(connection, side) for side in ("old", "new"))
        for name in sorted({*before, *after}):
            if f"marts.{name}" in allowed:
                continue
            if name not in after:
                yield Mart(name, gone=["the mart"])
            elif name not in before:
                yield Mart(name, new=["the mart"])
            else:
                yield _mart(connection, name, before[name], after[name], allowed)


def _columns(connection: duckdb.DuckDBPyConnection, side: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for mart, column, data_type in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns()"
        " where database_name = ? and schema_name = 'claude_marts' order by column_index",
        [side],
    ).fetchall():
        found.setdefault(mart, {})[column] = data_type
    return found


def _mart(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    before: dict[str, str],
    after: dict[str, str],
    allowed: Allowed,
) -> Mart:
    common = [
        column for column in before if column in after and f"marts.{name}.{column}" not in allowed
    ]
    notes = [
        f"{column} is {after[column]}, was {before[column]}"
        for column in common
        if before[column] != after[column]
    ]
    columns = ", ".join(f'"{column}"' for column in common)
    compared = allowed.rows_of(name)
    differing = 0
    for side, other in (("old", "new"), ("new", "old")):
        only = (
            f'select {columns} from {side}.claude_marts."{name}" where {compared}'
            f' except all select {columns} from {other}.claude_marts."{name}" where {compared}'
        )
        [(count,)] = connection.execute(f"select count(*) from ({only})").fetchall()
        differing += count
        if count:
            examples = connection.execute(f"from ({only}) order by all limit {EXAMPLES}")
            names = [column[0] for column in examples.description or ()]
            for row in examples.fetchall():
                shown = {each: value for each, value in zip(names, row, strict=True) if value}
                notes.append(f"only {side}: {shown}")
    [(row_count,)] = connection.execute(
        f'select count(*) from old.claude_marts."{name}" where {compared}'
    ).fetchall()
    return Mart(
        name,
        row_count,
        differing,
        gone=[column for column in before if column not in after],
        new=[column for column in after if column not in before],
        notes=notes,
    )


def plain(text: str, folders: Sequence[Path]) -> list[str]:
    """A command's words, without what differs from run to run."""
    for folder in folders:
        text = text.replace(str(folder), "<folder>")
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return [line for line in text.splitlines() if line.strip() and not PROGRESS.match(line)]


def lines(old: Sequence[str], new: Sequence[str], allowed: Allowed) -> list[str]:
    """The lines that only one of two texts has, as a diff shows them."""
    before, after = (
        [line for line in text if f"words.{line}" not in allowed] for text in (old, new)
    )
    return [
        line
        for line in difflib.unified_diff(before, after, "old", "new", lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]


def json_lines(text: str) -> list[str]:
    """A line for each value in a JSON text, after the names that lead to it."""
    try:
        return list(_values(json.loads(text), ""))
    except ValueError:
        return text.splitlines()


def _values(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            if name not in VOLATILE_KEYS:
                yield from _values(part, f"{path}.{name}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            # A list of things that have a name keeps it, so that a new one moves no other.
            key = part.get("endpoint", part.get("name")) if isinstance(part, dict) else None
            yield from _values(part, f"{path}[{key or number}]")
    else:
        yield f"{path} = {value!r}"


def gone_and_changed(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """The lines of a JSON text that a reader of the old one may rely on: new names are none."""
    known = {line.partition(" = ")[0] for line in old}
    return [line for line in new if line.partition(" = ")[0] in known]
