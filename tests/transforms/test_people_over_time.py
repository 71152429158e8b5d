"""An id is who, and a name is what they were called then: the past keeps its people."""

from pathlib import Path

from pipelines.warehouse.dbt import transform
from pipelines.warehouse.duckdb import target
from tests.transforms.conftest import queries
from tests.transforms.histories import History, put_into
from tests.transforms.raw_tables import RawWarehouse


def test_departments_spend_what_their_people_did_whatever_they_were_called(tmp_path: Path) -> None:
    histories = [History(seed) for seed in range(300)]
    raw = RawWarehouse(tmp_path / "warehouse.duckdb")
    put_into(raw, histories)
    raw.close()
    result = transform(target(raw.path, tmp_path), select=["+int_spend_by_department"])
    spend = queries(raw.path)(
        """
        select department, cast(sum(spend_usd) * 100 as bigint)
        from claude_staging.int_spend_by_department group by department
        """
    )
    assert not result.failed_tests
    spent: dict[str, int] = dict(spend)
    wrong = {
        (history.seed, *history.events): (found, history.spend)
        for history in histories
        if (found := {name: spent.get(name) for name in history.spend}) != history.spend
    }
    assert not wrong
    assert spent.keys() == {name for history in histories for name in history.spend}
