"""Marts as Parquet files: one per mart, and of a mart per day one per month.

A file is never written over: who reads it meanwhile would get a part of the new one. A new one gets
a name of its own, and the old one is removed after that.
"""

import re
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from datetime import date
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.files.stores import Store
from pipelines.files.tables import DAY, months_of

FILE = re.compile(r"(?P<part>all|\d{4}-\d{2})_[0-9a-f]{32}\.parquet(?P<is_unfinished>\.part)?")
WHOLE = "all"


class ParquetFiles:
    """A folder per mart with its files."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def stranger(self, mart: str) -> str | None:
        others = (name for name in self._names(mart) if not FILE.fullmatch(name))
        return next((f"{self._folder(mart)}/{name}" for name in others), None)

    def schema(self, mart: str) -> pa.Schema | None:
        schemas = [self._read(path, lambda file: file.schema_arrow) for path in self._paths(mart)]
        alike = schemas and all(schema.equals(schemas[0]) for schema in schemas)
        return schemas[0] if alike else None

    def rows(self, mart: str, columns: Sequence[str], days: tuple[date, date] | None) -> pa.Table:
        parts = {f"{first:%Y-%m}" for first, _ in months_of(days)} if days else None
        found = [
            self._read(path, lambda file: file.read(columns=list(columns)))
            for part, path in self._parts(mart)
            if parts is None or part in parts
        ]
        if found:
            return pa.concat_tables(found)
        schema = self.schema(mart)
        assert schema is not None
        return pa.schema([schema.field(name) for name in columns]).empty_table()

    def units(self, days: Collection[date]) -> list[tuple[date, date]]:
        return months_of(days)

    def replace(
        self,
        mart: str,
        rows: pa.RecordBatchReader,
        units: Sequence[tuple[date, date]] | None,
        *,
        per_day: bool,
    ) -> None:
        files, folder = self._store.files, self._folder(mart)
        files.makedirs(folder, exist_ok=True)
        kept = set() if units is None else {f"{first:%Y-%m}" for first, _ in units}
        old = [path for part, path in self._parts(mart) if units is None or part in kept]
        others = len(self._paths(mart)) - len(old)
        new: dict[str, str] = {}
        with ExitStack() as stack:
            writers: dict[str, Any] = {}

            def writer(part: str) -> Any:
                if part not in writers:
                    new[part] = f"{folder}/{part}_{uuid4().hex}.parquet"
                    file = stack.enter_context(files.open(f"{new[part]}.part", "wb"))
                    writers[part] = stack.enter_context(
                        pq.ParquetWriter(file, rows.schema, compression="zstd")
                    )
                return writers[part]

            for batch in rows:
                for part, some in _split(batch) if per_day else [(WHOLE, batch)]:
                    writer(part).write_batch(some)
            if not writers and not others:
                writer(WHOLE)  # Without a file, nobody would know its columns.
        for path in new.values():
            files.mv(f"{path}.part", path)
        for path in old:
            files.rm_file(path)
        for name in self._names(mart):
            if name.endswith(".part"):  # of one that was killed
                files.rm_file(f"{folder}/{name}")

    def _folder(self, mart: str) -> str:
        return f"{self._store.root}/{mart}"

    def _names(self, mart: str) -> list[str]:
        self._store.files.invalidate_cache()
        if not self._store.files.exists(self._folder(mart)):
            return []
        listed = self._store.files.ls(self._folder(mart), detail=False)
        return sorted(str(path).rpartition("/")[2] for path in listed)

    def _parts(self, mart: str) -> list[tuple[str, str]]:
        found = [FILE.fullmatch(name) for name in self._names(mart)]
        return [
            (each["part"], f"{self._folder(mart)}/{each[0]}")
            for each in found
            if each and not each["is_unfinished"]
        ]

    def _paths(self, mart: str) -> list[str]:
        return [path for _, path in self._parts(mart)]

    def _read(self, path: str, read: Any) -> Any:
        with self._store.files.open(path, "rb") as opened, pq.ParquetFile(opened) as file:
            return read(file)


def _split(batch: pa.RecordBatch) -> list[tuple[str, pa.RecordBatch]]:
    """The rows of each month."""
    months = pc.strftime(batch.column(DAY), format="%Y-%m")
    return [
        (month, batch.filter(pc.equal(months, month))) for month in sorted(set(months.to_pylist()))
    ]
