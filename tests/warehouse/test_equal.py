"""After the same nights, every engine has the same marts and says the same of them."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pipelines.warehouse.history import project_marts
from tests.warehouse.conftest import place
from tests.warehouse.nights import FILES, LOOKS, OF_THE_RUN, TWO_NIGHTS, Nights, nights

OTHERS = ("postgres",)
"""Engines that are compared with DuckDB."""

OF_THE_PLACE = ("warehouse", "served", "last_run")
"""What status says of where it looked, and when."""


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """What DuckDB has, which the tests of the marts look into."""
    return nights(tmp_path_factory.mktemp("expected"), {"PIPELINE__DESTINATION": "duckdb"})


@pytest.fixture(scope="module", params=OTHERS)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """What another engine has after the same."""
    return nights(tmp_path_factory.mktemp(request.param), place(request.param, request))


@pytest.mark.long
@pytest.mark.parametrize("engine", OTHERS)
def test_after_two_nights_and_a_close_every_mart_has_the_rows_that_duckdb_has(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = place(engine, request)
    played: list[Nights] = []
    for name, given in (("duckdb", {"PIPELINE__DESTINATION": "duckdb"}), (engine, settings)):
        (tmp_path / name).mkdir()
        played.append(nights(tmp_path / name, given, TWO_NIGHTS, looks=(), exports=()))
    expected, found = played
    assert_equal(engine, expected, found, capsys)


@pytest.mark.long
def test_every_mart_has_the_rows_that_duckdb_has_in_both_directions(
    expected: Nights,
    found: Nights,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert_equal(request.node.callspec.params["found"], expected, found, capsys)


def assert_equal(
    engine: str, expected: Nights, found: Nights, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every mart has the same rows in columns of the same types; says of how many that is true."""
    different: dict[str, object] = {}
    for mart, table in expected.marts.items():
        theirs = found.marts[mart]
        names = [name for name in table.column_names if name not in OF_THE_RUN.get(mart, ())]
        only_here = rows_without(table, theirs, names)
        only_there = rows_without(theirs, table, names)
        if only_here or only_there:
            different[mart] = {"duckdb": only_here[:2], engine: only_there[:2]}
        elif table.schema != theirs.schema:
            different[mart] = {"duckdb": table.schema, engine: theirs.schema}
    equal = len(expected.marts) - len(different)
    with capsys.disabled():
        print(f"\n{engine}: {equal} of {len(expected.marts)} marts equal")

    assert set(expected.marts) == project_marts()
    assert different == {}


def rows_without(
    ours: pa.Table, theirs: pa.Table, names: Sequence[str]
) -> list[tuple[object, ...]]:
    """Rows of one table that the other does not have as often; numbers to their last digit."""
    with duckdb.connect() as connection:
        connection.register("ours", ours.select(names))
        connection.register("theirs", theirs.select(names))
        return connection.execute("select * from ours except all select * from theirs").fetchall()


@pytest.mark.long
def test_the_nights_have_money_of_many_digits_credits_and_a_closed_month(expected: Nights) -> None:
    spend = [amount for amount in expected.marts["spend_daily"]["spend_usd"].to_pylist() if amount]
    reconciliation = expected.marts["chargeback_reconciliation_monthly"].to_pylist()

    assert any(amount < 0 for amount in spend)
    assert any(amount != round(amount, 4) for amount in spend)
    assert {row["month"].month for row in reconciliation if row["is_closed"]} == {1}
    assert any(row["correction_usd"] for row in reconciliation if "correction_usd" in row) or any(
        month for month in expected.marts["chargeback_monthly"]["corrected_month"].to_pylist()
    )
    assert sum(spend) != Decimal(0)


@pytest.mark.long
@pytest.mark.parametrize("look", LOOKS)
def test_commands_say_the_same(look: str, expected: Nights, found: Nights) -> None:
    if look.startswith("status"):
        here, there = (json.loads(each.words[look]) for each in (expected, found))
        for name in OF_THE_PLACE:
            del here[name], there[name]
        assert there == here
    elif look == "summary":
        assert found.words[look] == expected.words[look]
    else:
        assert not re.search(r"(?i)traceback|nobody foresaw|failed", found.words[look])


@pytest.mark.long
@pytest.mark.parametrize("what", [*FILES, "as of"])
def test_exports_hold_the_same(what: str, expected: Nights, found: Nights) -> None:
    assert found.files[what] == expected.files[what]
