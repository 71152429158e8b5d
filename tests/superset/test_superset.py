"""The dashboards, imported and drawn by a real Superset."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.exit_codes import DONE
from pipelines.superset.charts import DASHBOARDS
from tests.commands import command
from tests.marts.test_marts_as_read import MAY, Served, served
from tests.superset.rendered import missing, running

__all__ = ["served"]

NEWEST = "(select max(activity_date) from claude_marts.active_users_daily)"


@pytest.mark.long
def test_a_real_superset_shows_the_marts_numbers_and_those_of_the_next_publication(
    served: Served, tmp_path: Path
) -> None:
    if reason := missing():
        pytest.skip(reason)
    file, bundle = tmp_path / "serving.duckdb", tmp_path / "claude.zip"
    shutil.copyfile(served.data.served, file)
    address = f"duckdb:///{file}?access_mode=read_only"
    words = ["export", "superset", "--out", str(bundle), "--address", address]
    assert command([*words, "--data-dir", str(served.data.root)]).exit_code == DONE
    names = [f"claude-{dashboard.name}" for dashboard in DASHBOARDS]

    with running(tmp_path) as superset:
        for _ in range(2):  # A second time replaces all of it.
            superset.import_(bundle)
        shown = superset.shown(dict.fromkeys(names))
        assert [each.wrong for each in shown.values()] == [[], []]
        for dashboard, name in zip(DASHBOARDS, names, strict=True):
            assert shown[name].answers.keys() == {chart.title for chart in dashboard.charts}
            assert all(shown[name].answers.values()), name

        [(active,)] = served.query(
            "select reported_daily_active_users from claude_marts.active_users_daily"
            f" where activity_date = {NEWEST}"
        )
        adoption, money = (shown[name].answers for name in names)
        assert adoption["Active: 1 day"][-1]["dau"] == active
        people: dict[str, int] = dict(
            served.query(
                "select product, count(distinct user_id) from"
                " claude_marts.user_product_activity_daily where is_active and activity_date"
                f" between '{MAY[0]}' and '{MAY[1]}' group by product"
            )
        )
        assert of_may(adoption["Active people by product, per month"]) == people
        pools: dict[str, float] = dict(
            served.query(
                "select cost_pool, cast(sum(amount_usd) as double) from"
                f" claude_marts.chargeback_monthly where month = '{MAY[0]}' group by cost_pool"
            )
        )
        assert of_may(money["Bill by pool, per month"]) == pytest.approx(pools)

        publish_another_number(file, active + 1)
        shown = superset.shown({names[0]: None})
        assert shown[names[0]].answers["Active: 1 day"][-1]["dau"] == active + 1


def of_may(rows: list[dict[str, object]]) -> dict[str, object]:
    """A chart's bars of May: series -> number; a series without a number has no bar."""
    [time] = {name for name in rows[0] if name in ("month", "activity_date")}
    start = datetime(MAY[0].year, MAY[0].month, 1, tzinfo=UTC).timestamp() * 1000
    [may] = [row for row in rows if row[time] == start]
    return {name: value for name, value in may.items() if name != time and value is not None}


def publish_another_number(file: Path, number: int) -> None:
    """As a publication does: another file comes to stand in its place."""
    other = file.with_name("other.duckdb")
    shutil.copyfile(file, other)
    with duckdb.connect(str(other)) as connection:
        connection.execute(
            "update claude_marts.active_users_daily set reported_daily_active_users = ?"
            f" where activity_date = {NEWEST}",
            [number],
        )
    os.replace(other, file)
