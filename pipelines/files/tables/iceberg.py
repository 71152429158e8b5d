"""Marts as Iceberg tables, which need no catalog of anybody's: `version-hint.text` of each names
the metadata that counts, and is written last."""

import warnings
from collections.abc import Collection, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import AlwaysTrue, And, GreaterThanOrEqual, In, LessThanOrEqual

from pipelines.files.stores import Store
from pipelines.files.tables import DAY, OURS, portable, single_days

HINT = "metadata/version-hint.text"
METADATA = ".metadata.json"
MADE_BY = "created-by"
NAMESPACE = "claude_marts"


class IcebergTables:
    """A table per mart; one per day has its days as partitions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Any] = {}

    @cached_property
    def _catalog(self) -> Any:
        """For the time of an export; what lasts is in the tables' own files."""
        credentials = self._store.credentials
        given = credentials.to_pyiceberg_fileio_config() if credentials else {}
        catalog = SqlCatalog("export", uri="sqlite:///:memory:", warehouse=self._store.url, **given)
        catalog.create_namespace(NAMESPACE)
        return catalog

    def stranger(self, mart: str) -> str | None:
        folder, files = f"{self._store.root}/{mart}", self._store.files
        if table := self._table(mart):
            return None if table.properties.get(MADE_BY) == OURS else folder
        if not files.exists(folder):
            return None
        # One that was killed before it ended leaves files that nothing names.
        names = {str(path).rpartition("/")[2] for path in files.ls(folder, detail=False)}
        return None if names <= {"data", "metadata"} else folder

    def schema(self, mart: str) -> pa.Schema | None:
        table = self._table(mart)
        return table.schema().as_arrow() if table else None

    def rows(self, mart: str, columns: Sequence[str], days: tuple[date, date] | None) -> pa.Table:
        table = self._table(mart)
        assert table is not None
        asked: Any = AlwaysTrue()
        if days:
            asked = And(
                GreaterThanOrEqual(DAY, days[0].isoformat()),
                LessThanOrEqual(DAY, days[1].isoformat()),
            )
        return table.scan(row_filter=asked, selected_fields=tuple(columns)).to_arrow()

    def units(self, days: Collection[date]) -> list[tuple[date, date]]:
        return single_days(days)

    def replace(
        self,
        mart: str,
        rows: pa.RecordBatchReader,
        units: Sequence[tuple[date, date]] | None,
        *,
        per_day: bool,
    ) -> None:
        table = self._table(mart)
        if units is None and (table is None or portable(table.schema().as_arrow()) != rows.schema):
            table = self._created(mart, rows.schema, per_day=per_day)
        asked: Any = AlwaysTrue()
        if units is not None:
            asked = In(DAY, [first.isoformat() for first, _ in units])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It warns of a day that had no rows before.
            table.overwrite(rows.read_all(), overwrite_filter=asked)
        self._known[mart] = table
        name = str(table.metadata_location).rpartition("/")[2].removesuffix(METADATA)
        with self._store.files.open(f"{self._store.root}/{mart}/{HINT}", "wb") as hint:
            hint.write(name.encode())

    def _created(self, mart: str, schema: pa.Schema, *, per_day: bool) -> Any:
        """A new table in the place of the old one, whose files stay until they are removed."""
        if self._table(mart) is not None:
            self._catalog.drop_table((NAMESPACE, mart))
        table = self._catalog.create_table(
            (NAMESPACE, mart),
            schema,
            location=f"{self._store.url}/{mart}",
            properties={MADE_BY: OURS},
        )
        if per_day:
            with table.update_spec() as spec:
                spec.add_identity(DAY)
        return table

    def _table(self, mart: str) -> Any:
        if mart not in self._known:
            hint = f"{self._store.root}/{mart}/{HINT}"
            if not self._store.files.exists(hint):
                return None
            with self._store.files.open(hint, "rb") as read:
                name = read.read().decode().strip()
            self._known[mart] = self._catalog.register_table(
                (NAMESPACE, mart), f"{self._store.url}/{mart}/metadata/{name}{METADATA}"
            )
        return self._known[mart]
