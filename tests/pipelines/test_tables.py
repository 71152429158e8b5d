"""What `export marts` writes and `publish --to` copies, read back with other programs than ours."""

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset
import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import FAILED, WRONG_USAGE
from pipelines.files.formats import TABLES
from pipelines.files.tables import DAY, EXTRAS
from tests.commands import command
from tests.pipelines.served_marts import MARTS, write

EXTRA = {
    "focus_cost_and_usage": """
        select
            cast(123456789.12345678 as decimal(38, 8)) as "BilledCost",
            timestamp '2026-05-01 00:00:00' as "ChargePeriodStart",
            cast(null as varchar) as "InvoiceId",
            '' as "Tags"
    """,
    "workflow_usage": "select 'x' as workflow, cast(1 as decimal(38, 8)) as spend_usd where false",
    "spend_daily": """
        select date '2026-05-01' + cast(day as integer) as activity_date,
            case when day % 3 = 0 then null else 'ëna' end as user_id,
            cast(-0.00000001 * day as decimal(38, 8)) as spend_usd,
            day % 2 = 0 as is_estimated,
            day / 7 as share
        from range(40) as days (day)
    """,
}
"""Marts with capitals, of no row, and with the last digit of money."""
REVISED = {
    "spend_daily": EXTRA["spend_daily"].replace(
        "'ëna'", "case day when 5 then 'bob' else 'ëna' end"
    )
    + " where day <> 12"
}
"""One day has another row, and one has none any more."""
GONE, CHANGED = date(2026, 5, 13), date(2026, 5, 6)

Said = Callable[..., tuple[int, str]]


@pytest.fixture
def said(data_dir: DataDir) -> Said:
    """Run a command on the test's folder; its exit code, and what it printed."""

    def run(words: str) -> tuple[int, str]:
        ended = command(words, environment={"PIPELINE__DATA_DIR": str(data_dir.root)})
        return ended.exit_code, ended.text

    return run


def published(data_dir: DataDir) -> dict[str, pa.Table]:
    """What readers have, moments in UTC."""
    with duckdb.connect(str(data_dir.served), read_only=True) as served:
        served.execute("set timezone = 'UTC'")
        return {
            mart: served.table(f"claude_marts.{mart}").to_arrow_table()
            for mart in {**MARTS, **EXTRA}
        }


def read_parquet(folder: Path) -> pa.Table:
    return pa.dataset.dataset(folder, format="parquet").to_table()


def read_delta(folder: Path) -> pa.Table:
    return pytest.importorskip("deltalake").DeltaTable(str(folder)).to_pyarrow_table()


def read_iceberg(folder: Path) -> pa.Table:
    tables = pytest.importorskip("pyiceberg.table")
    hint = (folder / "metadata" / "version-hint.text").read_text()
    return tables.StaticTable.from_metadata(
        f"{folder.as_uri()}/metadata/{hint}.metadata.json"
    ).scan().to_arrow()  # fmt: skip


READ = {"parquet": read_parquet, "delta": read_delta, "iceberg": read_iceberg}


def assert_equal(theirs: dict[str, pa.Table], ours: dict[str, pa.Table]) -> None:
    """The same rows as often, `except` both ways, in columns of the same names."""
    assert theirs.keys() == ours.keys()
    for mart, table in ours.items():
        assert theirs[mart].column_names == table.column_names, mart
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            listed = ", ".join(
                f'cast("{field.name}" as timestamp) as "{field.name}"'
                if pa.types.is_timestamp(field.type)
                else f'"{field.name}"'
                for field in table.schema
            )
            connection.register("ours", table)
            connection.register("theirs", theirs[mart])
            for one, other in (("ours", "theirs"), ("theirs", "ours")):
                rows = connection.execute(
                    f"select {listed} from {one} except all select {listed} from {other}"
                ).fetchall()
                assert not rows, f"{mart}: only in {one}"
        for field in table.schema:
            if pa.types.is_decimal(field.type):
                assert theirs[mart].schema.field(field.name).type == field.type


@pytest.mark.parametrize("form", TABLES)
def test_every_mart_is_read_back_as_readers_have_it_and_only_changed_days_are_written_again(
    form: str, data_dir: DataDir, said: Said, tmp_path: Path
) -> None:
    if form in EXTRAS:
        pytest.importorskip(EXTRAS[form])
    out = tmp_path / "lake"
    write(data_dir, EXTRA)
    code, text = said(f"export marts --format {form} --out {out}")
    assert code == 0, text
    read = {folder.name: READ[form](folder) for folder in out.iterdir()}
    assert_equal(read, published(data_dir))

    before = {file for file in (out / "skill_usage_daily").rglob("*.parquet")}
    write(data_dir, {**EXTRA, **REVISED})
    code, text = said(f"export marts --format {form} --out {out}")

    assert code == 0 and "2 days" in text, text
    read = {folder.name: READ[form](folder) for folder in out.iterdir()}
    assert_equal(read, published(data_dir))
    assert GONE not in read["spend_daily"][DAY].to_pylist()
    assert {file for file in (out / "skill_usage_daily").rglob("*.parquet")} == before

    # A mart gets another column, and one loses the last of its rows.
    wider = "select *, 1 as more from (" + EXTRA["spend_daily"] + ") as before"
    empty = f"select * from ({MARTS['skill_usage_daily']}) as before where 1 = 0"
    write(data_dir, {**EXTRA, "spend_daily": wider, "skill_usage_daily": empty})
    code, text = said(f"export marts --format {form} --out {out}")
    assert code == 0, text
    assert_equal({each.name: READ[form](each) for each in out.iterdir()}, published(data_dir))


@pytest.mark.parametrize("form", TABLES)
def test_a_folder_of_others_is_left_alone(
    form: str, data_dir: DataDir, said: Said, tmp_path: Path
) -> None:
    if form in EXTRAS:
        pytest.importorskip(EXTRAS[form])
    write(data_dir)
    (tmp_path / "seats").mkdir()
    (tmp_path / "seats" / "chairs.parquet").write_text("theirs")

    code, text = said(f"export marts --format {form} --out {tmp_path}")

    assert code == FAILED and "is not what an export of marts makes" in text
    assert [path.name for path in (tmp_path / "seats").iterdir()] == ["chairs.parquet"]


def test_marts_are_not_written_into_what_a_run_keeps(data_dir: DataDir, said: Said) -> None:
    write(data_dir)
    code, text = said(f"export marts --out {data_dir.root / 'dlt'}")

    assert code == WRONG_USAGE and "data folder" in text


@pytest.mark.parametrize("form", EXTRAS)
def test_what_writes_open_tables_is_an_extra_whose_line_is_said(
    form: str, data_dir: DataDir, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(data_dir)
    monkeypatch.delitem(sys.modules, f"pipelines.files.tables.{form}", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == EXTRAS[form]]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, EXTRAS[form], None)

    code, text = said(f"export marts --format {form} --out {tmp_path / 'lake'}")

    assert code == FAILED
    assert f'pip install "claude-warehouse[{EXTRAS[form]}]"' in text
    assert not (tmp_path / "lake").exists()


@pytest.fixture
def stored(data_dir: DataDir) -> None:
    """A warehouse, which a publication asks for."""
    data_dir.create()
    with duckdb.connect(str(data_dir.warehouse)) as warehouse:
        warehouse.execute("create schema claude_raw")
        warehouse.execute("create table claude_raw._dlt_version (version bigint)")


def test_publish_to_copies_every_mart_with_its_names_and_digits_and_replaces_it(
    stored: None, data_dir: DataDir, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy.duckdb"
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(copy))
    for changed in (EXTRA, {**EXTRA, **REVISED}):
        write(data_dir, changed)
        code, text = said("publish --to duckdb")
        assert code == 0, text

        with duckdb.connect(str(copy), read_only=True) as copied:
            copied.execute("set timezone = 'UTC'")
            theirs = {
                mart: copied.table(f'claude_marts."{mart}"').to_arrow_table()
                for mart in {**MARTS, **EXTRA}
            }
        assert_equal(theirs, published(data_dir))


def test_publish_to_a_place_that_cannot_be_used_says_why(
    stored: None, data_dir: DataDir, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(data_dir)
    assert "dlt knows no destination nowhere" in said("publish --to nowhere")[1]
    assert 'pip install "claude-warehouse[snowflake]"' in said("publish --to snowflake")[1]
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(data_dir.warehouse))
    code, text = said("publish --to duckdb")
    assert code == FAILED and "is the warehouse itself" in text


def test_publish_to_leaves_tables_of_others_alone(
    stored: None, data_dir: DataDir, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(data_dir)
    theirs = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(theirs)) as other:
        other.execute("create schema claude_marts; create table claude_marts.seats (chair int)")
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(theirs))

    code, text = said("publish --to duckdb")

    assert code == FAILED and "another program made the schema claude_marts" in text
    with duckdb.connect(str(theirs)) as other:
        assert other.execute("select count(chair) from claude_marts.seats").fetchall() == [(0,)]
