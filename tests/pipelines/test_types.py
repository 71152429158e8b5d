"""A column keeps the type that it was made with: warehouses round what does not fit, silently."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations
from typing import Any

import dlt
import pyarrow as pa
import pytest
from dlt.common.schema.typing import TColumnSchema
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.data_dir import DataDir
from pipelines.raw_tables import warehouse_pipeline
from sources.claude_analytics.endpoints import ENDPOINTS
from sources.claude_analytics.pages import raw_schema
from sources.hints import versioned
from sources.ledger import store
from sources.sandbox import Sandbox
from tests.conftest import Command, Load, Query

MOMENT = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
KINDS: Mapping[str, tuple[pa.DataType, TColumnSchema, Any]] = {
    "whole": (pa.int64(), {"data_type": "bigint"}, 5),
    "percent": (pa.float64(), {"data_type": "double"}, 5.75),
    "usd": (
        pa.decimal128(38, 8),
        {"data_type": "decimal", "precision": 38, "scale": 8},
        Decimal("5.12345678"),
    ),
    "cents": (
        pa.decimal128(38, 12),
        {"data_type": "decimal", "precision": 38, "scale": 12},
        Decimal("5.123456789012"),
    ),
    "day": (pa.date32(), {"data_type": "date"}, date(2026, 1, 5)),
    "moment": (pa.timestamp("us", tz="UTC"), {"data_type": "timestamp"}, MOMENT),
    "flag": (pa.bool_(), {"data_type": "bool"}, True),
    "text": (pa.string(), {"data_type": "text"}, "5.75"),
}
"""Each type that raw columns have: in Arrow, as dlt declares it, and a value of it."""


def as_arrow(column: str, kind: str) -> Any:
    data_type, _, value = KINDS[kind]
    rows = pa.table({column: pa.array([value], data_type)})
    return dlt.resource([rows], name="as_arrow", write_disposition="append")


def as_rows(column: str, kind: str) -> Any:
    _, declared, value = KINDS[kind]
    columns: dict[str, TColumnSchema] = {column: {**declared}}
    rows: list[Any] = [[{column: value}]]
    return dlt.resource(rows, name="as_rows", columns=columns, write_disposition="append")


def test_the_kinds_are_those_of_the_raw_tables() -> None:
    kinds = {kind for endpoint in ENDPOINTS for kind in endpoint.columns.values()}

    assert kinds <= {kind for kind, _, _ in KINDS.values()}


@pytest.mark.parametrize("form", [as_arrow, as_rows])
def test_a_column_of_an_older_warehouse_takes_no_other_type_than_its_own(
    data_dir: DataDir, query: Query, form: Any
) -> None:
    pipeline = warehouse_pipeline(data_dir)
    store(pipeline, [form(kind, kind) for kind in KINDS])
    rows = f"select {', '.join(KINDS)} from claude_raw.{form.__name__} order by all"
    before = query(rows)
    assert len(before) == len(KINDS)

    for older, newer in permutations(KINDS, 2):
        with pytest.raises(PipelineStepFailed, match="frozen"):
            store(pipeline, form(older, newer))
    assert not pipeline.has_pending_data
    assert query(rows) == before

    store(pipeline, [form(kind, kind) for kind in KINDS])
    assert len(query(rows)) == 2 * len(KINDS)


def test_a_run_says_which_column_has_another_type_and_stores_nothing_rounded(
    api: Sandbox, data_dir: DataDir, load: Load, query: Query, command: Command
) -> None:
    [skills] = [endpoint for endpoint in ENDPOINTS if endpoint.table == "skills"]
    columns = raw_schema(skills)
    older = pa.field("attributed_list_price", pa.int64())
    columns = columns.set(columns.get_field_index(older.name), older)

    @dlt.source(name="claude_analytics")
    def earlier_release() -> Iterator[Any]:
        rows = versioned(columns.empty_table(), 0)
        yield dlt.resource([rows], name="skills", write_disposition="append")

    store(warehouse_pipeline(data_dir), earlier_release())
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf", "attributed_list_price": "5.75"}])

    ended = command("sync --only skills --today 2026-01-08")

    assert ended.exit_code == 1
    told = " ".join(ended.err.split())
    assert "another type than what came for it" in told
    assert "attributed_list_price" in told
    assert query("select count(*) from claude_raw.skills") == [(0,)]
