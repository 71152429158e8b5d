"""Marts as Delta tables; each export is one version of each table that it changes."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from pipelines.files.stores import Store
from pipelines.files.tables import DAY, OURS, single_days

STATISTICS = "delta.dataSkippingStatsColumns"
"""Those of decimals are kept as floats: a filter on a large amount would skip its file."""


class DeltaTables:
    """A table per mart; one per day has its days as partitions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._options: dict[str, str] = (
            store.credentials.to_object_store_rs_credentials() if store.credentials else {}
        )

    def stranger(self, mart: str) -> str | None:
        if table := self._table(mart):
            return None if table.metadata().description == OURS else table.table_uri
        folder = f"{self._store.root}/{mart}"
        files = self._store.files
        return folder if files.exists(folder) and files.ls(folder) else None

    def schema(self, mart: str) -> pa.Schema | None:
        table = self._table(mart)
        return pa.schema(table.schema().to_arrow()) if table else None

    def rows(self, mart: str, columns: Sequence[str], days: tuple[date, date] | None) -> pa.Table:
        table = self._table(mart)
        assert table is not None
        filters = [(DAY, ">=", days[0]), (DAY, "<=", days[1])] if days else None
        return table.to_pyarrow_table(columns=list(columns), filters=filters)

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
        given: dict[str, Any] = (
            {"schema_mode": "overwrite"}
            if units is None
            else {
                "predicate": " or ".join(
                    f"{DAY} = cast('{first.isoformat()}' as date)" for first, _ in units
                )
            }
        )
        counted = [field.name for field in rows.schema if not pa.types.is_decimal(field.type)]
        write_deltalake(
            self._place(mart),
            rows,
            mode="overwrite",
            partition_by=[DAY] if per_day else None,
            description=OURS,
            configuration={STATISTICS: ",".join(counted)},
            storage_options=self._options,
            **given,
        )

    def _place(self, mart: str) -> str:
        return f"{self._store.url}/{mart}" if self._options else f"{self._store.root}/{mart}"

    def _table(self, mart: str) -> Any:
        is_there = DeltaTable.is_deltatable(self._place(mart), self._options)
        return DeltaTable(self._place(mart), storage_options=self._options) if is_there else None
