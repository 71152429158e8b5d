"""Builds models in a DuckDB file: those alone whose SQL, or something that they read, changed."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.warehouse.base import RAW_SCHEMA, identifier, literal
from pipelines.warehouse.compiled import Compiled, Node

SETTINGS = ("timezone = 'UTC'", "preserve_insertion_order = false")
"""Those of profiles.yml, but for the memory."""
MOST_MEMORY, LEAST_MEMORY, OF_THE_PROCESS = 3_000, 256, 500
"""MiB: what models get at most and at least, and what the process needs beside them."""
BYTES_OF_A_THREAD = 128 * 2**20
MARKS = "claude_staging.built"
"""One row per model and test: what it was built from, and what came out; of a view, whose rows are
not looked at, what they come from."""
ROWS = "; rows: "
"""What stands, in a relation's content, between its columns and what tells its rows apart."""


@contextmanager
def opened(file: Path, project: Compiled, *, beside: Mapping[str, Path]) -> Iterator["Builder"]:
    """The file, for models that are built in it, with those by name that they may look into."""
    with duckdb.connect(str(file)) as connection:
        for setting in (*SETTINGS, f"memory_limit = '{_memory(connection)}MiB'"):
            connection.execute(f"set {setting}")
        limit_threads(connection, [file, *beside.values()])
        for name, path in beside.items():
            connection.execute(f"attach {literal(str(path))} as {name} (read_only)")
        builder = Builder(connection, project)
        yield builder
        builder.keep_marks()


def limit_threads(connection: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> None:
    """Take one thread for each so many bytes: of little, sharing costs more than it brings."""
    size = sum(file.stat().st_size for file in files if file.exists())
    [most] = connection.execute("select current_setting('threads')").fetchone() or [1]
    connection.execute(f"set threads = {min(int(most), 1 + size // BYTES_OF_A_THREAD)}")


def _memory(connection: duckdb.DuckDBPyConnection) -> int:
    """MiB for models. DuckDB knows what the machine or a container's limit leaves, takes 80 % of
    it, and forgets that the process around it needs some too."""
    [text] = connection.execute("select current_setting('memory_limit')").fetchone() or [""]
    number, _, unit = str(text).partition(" ")
    powers = {"KiB": -1, "MiB": 0, "GiB": 1, "TiB": 2}
    if unit not in powers:
        return MOST_MEMORY
    there = float(number) * 1024 ** powers[unit] / 0.8
    return int(max(LEAST_MEMORY, min(MOST_MEMORY, there - OF_THE_PROCESS)))


def forget(connection: duckdb.DuckDBPyConnection, name: str = "") -> None:
    """What was built of this model, or of all, is built again though nothing it reads changed."""
    [is_there] = connection.execute(
        "select count(*) from duckdb_tables() where schema_name || '.' || table_name = ?", [MARKS]
    ).fetchone() or [0]
    if is_there:
        connection.execute(f"delete from {MARKS} where ? in ('', split_part(name, '.', 3))", [name])


class Builder:
    """An open file.

    What a model reads is compared by its content: a fetch that brought nothing new ends where the
    first model that it concerns comes out as before.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, project: Compiled) -> None:
        self._connection = connection
        self._nodes = {node.name: node for node in project.nodes}
        self._schemas = {"claude_staging"}
        connection.execute("create schema if not exists claude_staging")
        connection.execute(
            f"create table if not exists {MARKS} (name text, inputs text, content text)"
        )
        found = connection.execute(
            """
            select format('"{}"."{}"."{}"', table_catalog, table_schema, table_name), table_type
            from information_schema.tables
            """
        ).fetchall()
        self._kinds = {name: "view" if kind == "VIEW" else "table" for name, kind in found}
        marks = connection.execute(f"select name, inputs, content from {MARKS}").fetchall()
        self._marks = {name: (inputs, content) for name, inputs, content in marks}
        self._contents: dict[str, str] = {}
        self._unwritten: list[str] = []

    def build(self, model: Node) -> bool:
        """Replace the model's relation by what its query finds; whether that was needed."""
        relation = str(model.relation)
        # A view's rows are never stored: it is made anew where it would read other columns.
        inputs = self._definition(model) if model.kind == "view" else self._inputs(model)
        kind = self._kinds.get(relation)
        known = self._marks.get(model.name)
        if kind == model.kind and known and known[0] == inputs:
            if kind == "view" and known[1] != self._content(model.name):
                self._marks[model.name] = inputs, self._content(model.name)
                self._unwritten.append(model.name)
            return False
        schema = relation.rpartition(".")[0]
        if schema not in self._schemas:
            self._connection.execute(f"create schema if not exists {schema}")
            self._schemas.add(schema)
        # At once: readers of the file see the old one or the new one, and no mark of the other.
        self._connection.execute("begin")
        try:
            if kind and kind != model.kind:
                self._connection.execute(f"drop {kind} {relation}")
            self._connection.execute(
                f"create or replace {model.kind} {relation} as (\n{model.sql}\n)"
            )
            if model.comments:
                self._connection.execute(";\n".join(model.comments))
            content = self._inputs(model) if model.kind == "view" else self._hash(relation)
            self._marks[model.name] = inputs, content
            self._keep_marks([model.name])
            self._connection.execute("commit")
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._kinds[relation] = model.kind
        self._contents.pop(model.name, None)
        return True

    def count(self, test: Node) -> int:
        """How many rows the test finds."""
        inputs = self._inputs(test)
        known = self._marks.get(test.name)
        if known and known[0] == inputs:
            return int(known[1])
        [found] = self._connection.execute(
            f"select count(*) from (\n{test.sql}\n) as found"
        ).fetchone() or [0]
        self._marks[test.name] = inputs, str(found)
        self._unwritten.append(test.name)
        return int(found)

    def keep_marks(self) -> None:
        """Write down what is not yet, at once: each of some hundred would wait for the disk."""
        if self._unwritten:
            self._connection.execute("begin")
            self._keep_marks(self._unwritten)
            self._connection.execute("commit")
            self._unwritten = []

    def _keep_marks(self, names: Sequence[str]) -> None:
        marks = [(name, *self._marks[name]) for name in names]
        self._connection.execute(f"delete from {MARKS} where name in (select unnest(?))", [names])
        self._connection.execute(
            f"insert into {MARKS} select unnest(?), unnest(?), unnest(?)",
            [list(column) for column in zip(*marks, strict=True)],
        )

    def _inputs(self, node: Node) -> str:
        """What decides about a model's content: its SQL, what it reads, and who reckons."""
        read = [self._content(name) for name in node.needs]
        return _digest([*_own(node), *read])

    def _definition(self, view: Node) -> str:
        """What decides about a view: its SQL, and the columns of what it reads."""
        return _digest([*_own(view), *(self._columns(name) for name in view.needs)])

    def _columns(self, name: str) -> str:
        node = self._nodes.get(name)
        if node is not None and node.kind == "view":
            return self._definition(node)
        return self._content(name).partition(ROWS)[0]

    def _content(self, name: str) -> str:
        """What tells whether a model or a raw table has changed."""
        if name not in self._contents:
            node = self._nodes.get(name)
            if node is None:
                self._contents[name] = self._hash(f"{RAW_SCHEMA}.{identifier(name.split('.')[-1])}")
            elif node.kind == "view":
                self._contents[name] = self._inputs(node)
            elif name in self._marks:
                self._contents[name] = self._marks[name][1]
            else:
                self._contents[name] = self._hash(str(node.relation))
        return self._contents[name]

    def _hash(self, relation: str) -> str:
        """Of a relation's columns and rows, in whatever order these are."""
        try:
            answer = self._connection.execute(
                f"select count(*), sum(cast(hash(rows_of) as hugeint)) from {relation} as rows_of"
            ).fetchone()
            columns = self._connection.execute(f"describe {relation}").fetchall()
        except duckdb.CatalogException:
            return "absent"  # What reads it says so.
        return f"{[column[:2] for column in columns]}{ROWS}{answer}"


def _own(node: Node) -> list[str]:
    return [duckdb.__version__, node.kind, node.sql, *node.comments]


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
