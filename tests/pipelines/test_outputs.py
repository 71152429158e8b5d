"""What commands write stands complete where it was asked for, and on nothing else."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import xlsxwriter

from pipelines.data_dir import LOCK_FILES, DataDir
from pipelines.exit_codes import DONE, FAILED
from pipelines.files.evidence import kind as evidence_kind
from pipelines.files.export import CHARGEBACK, FOCUS
from pipelines.files.formats import EvidenceFormat
from pipelines.files.outputs import PAGE, PICTURE, Kind, is_own, refuse_unless_ours, replaced
from sources.errors import ForeseenError
from tests.conftest import Command

WRITING = {
    "report": "report",
    "chart": "report --format png --chart bill",
    "focus": "export focus --month 2026-05",
    "chargeback": "export chargeback --month 2026-05 --format xlsx",
    "evidence": "export evidence",
}
OWN = (
    "warehouse.duckdb",
    "warehouse.duckdb.wal",
    "serving.duckdb",
    "serving.duckdb.wal",
    "rate_budget.sqlite",
    "rate_budget_claude_admin.sqlite-journal",
    "last_run.json",
    "run.json",
    "run.lock",
    "status.json",
    "errors.log",
    "closed_months/2026-05_closed_1.lines.parquet",
    "dlt/claude_warehouse/state.json",
    "dbt/new",
    "demo/serving.duckdb",
)


@pytest.fixture
def kept(data_dir: DataDir) -> DataDir:
    """A data folder with a file at each of our names, its name in it."""
    for name in OWN:
        file = data_dir.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return data_dir


def content(data_dir: DataDir) -> dict[str, str]:
    return {name: (data_dir.root / name).read_text() for name in OWN}


Spelling = Callable[[Path, Path], Path]


def symbolic_link(file: Path, elsewhere: Path) -> Path:
    (elsewhere / "link").symlink_to(file)
    return elsewhere / "link"


def linked_folder(file: Path, elsewhere: Path) -> Path:
    (elsewhere / "folder").symlink_to(file.parent)
    return elsewhere / "folder" / file.name


def hard_link(file: Path, elsewhere: Path) -> Path:
    (elsewhere / "hard").hardlink_to(file)
    return elsewhere / "hard"


SPELLINGS: dict[str, Spelling] = {
    "as it is": lambda file, _: file,
    "relative": lambda file, _: Path(os.path.relpath(file)),
    "round about": lambda file, _: file.parent / "nowhere" / ".." / file.name,
    "in capitals": lambda file, _: file.with_name(file.name.upper()),
    "by a link": symbolic_link,
    "by a linked folder": linked_folder,
    "by a hard link": hard_link,
}


@pytest.mark.parametrize("words", WRITING.values(), ids=WRITING)
def test_no_command_writes_on_a_file_that_the_product_keeps(
    command: Command, kept: DataDir, words: str
) -> None:
    before = content(kept)
    for name in OWN:
        ended = command(f"{words} --out {kept.root / name} --force")

        assert ended.exit_code == FAILED
        assert "it is a file of the data folder" in ended.err
    assert content(kept) == before


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("name", ["warehouse.duckdb", "dlt/claude_warehouse/state.json"])
def test_our_files_are_known_however_they_are_named(
    kept: DataDir, tmp_path: Path, name: str, spelling: Spelling
) -> None:
    assert is_own(kept, spelling(kept.root / name, tmp_path))


def test_a_served_file_that_is_a_link_is_ours_where_it_leads(kept: DataDir, tmp_path: Path) -> None:
    elsewhere = tmp_path / "readers.duckdb"
    elsewhere.write_text("marts")
    kept.served.unlink()
    kept.served.symlink_to(elsewhere)

    assert is_own(kept, elsewhere)
    assert is_own(kept, tmp_path / "readers.duckdb.wal")
    assert not is_own(kept, tmp_path / "readers.html")


def test_every_file_that_a_run_makes_is_known_as_ours_and_goes_with_an_old_demo(
    data_dir: DataDir, command: Command
) -> None:
    assert command("sync --today 2026-01-08 --only skills --no-transform").exit_code == DONE
    (data_dir.root / "closed_months").mkdir()
    (data_dir.root / "errors.log").touch()
    (data_dir.root / "somebody_elses.csv").touch()

    made = {path.name for path in data_dir.root.iterdir()} - {"somebody_elses.csv"}
    assert made >= {"last_run.json", "status.json", "warehouse.duckdb", "dlt"}
    assert [name for name in made if not is_own(data_dir, data_dir.root / name)] == []
    assert {path.name for path in data_dir.written()} == made - {*LOCK_FILES}


def test_the_files_of_another_data_folder_are_known_too(kept: DataDir, tmp_path: Path) -> None:
    another = DataDir(tmp_path / "another")

    assert is_own(another, kept.warehouse)
    assert not is_own(another, kept.root / "report.html")


@pytest.mark.parametrize("name", ["report.html", "bill.png", "exports/focus.csv", "evidence"])
def test_other_files_of_the_data_folder_may_be_written(kept: DataDir, name: str) -> None:
    refuse_unless_ours(kept, kept.root / name, PAGE)


def test_a_run_says_before_it_begins_that_its_report_would_destroy_something(
    command: Command, data_dir: DataDir
) -> None:
    ended = command(
        "sync --today 2026-01-08", REPORT__ENABLED="true", REPORT__OUT="warehouse.duckdb"
    )

    assert ended.exit_code == FAILED
    assert "[report] out" in ended.err
    assert not data_dir.warehouse.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"hello\n", b"a,b\n1,2\n", b'{"a": 1}\n', b"\x89PNG\r\n\x1a\n" * 400, b"\0" * 99],
)
def test_what_is_no_evidence_at_all_is_told_in_three_lines(
    command: Command, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "file.csv").write_bytes(content)
    ended = command(f"verify-evidence {tmp_path}/file.csv")

    assert ended.exit_code == FAILED
    assert "no line of it is a line of evidence" in ended.err
    assert len(ended.err.splitlines()) == 3


def page(file: Path) -> None:
    file.write_text("<!doctype html>\n<title>Claude usage report, data to 2026-05-31</title>")


def other_page(file: Path) -> None:
    file.write_text("<!doctype html>\n<title>The intranet</title>")


def picture(file: Path) -> None:
    file.write_bytes(b"\x89PNG\r\n\x1a\n...")


def table(columns: str, form: str) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        with duckdb.connect() as connection:
            values = ", ".join(f"'x' as {column}" for column in columns.split())
            connection.sql(f"select {values}").to_csv(str(file)) if form == "csv" else (
                connection.sql(f"select {values}").to_parquet(str(file))
            )

    return write


def workbook(sheet: str) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        with xlsxwriter.Workbook(file) as book:
            book.add_worksheet(sheet)

    return write


STATEMENT = "month department cost_center cost_pool amount_usd"
ORG_CHART = "email department cost_center manager_email valid_from"
FOCUS_ROW = "BillingPeriodStart ChargePeriodStart ServiceName ResourceId"
EVIDENCE = " ".join(evidence_kind(EvidenceFormat.CSV).columns)
KINDS: dict[str, tuple[Kind, Callable[[Path], None], Callable[[Path], None]]] = {
    "page": (PAGE, page, other_page),
    "picture": (PICTURE, picture, page),
    "statement": (CHARGEBACK.kind("csv"), table(STATEMENT, "csv"), table(ORG_CHART, "csv")),
    "workbook": (CHARGEBACK.kind("xlsx"), workbook("Statement"), workbook("Plan")),
    "focus": (FOCUS.kind("parquet"), table(FOCUS_ROW, "parquet"), table(STATEMENT, "parquet")),
    "focus as csv": (FOCUS.kind("csv"), table(FOCUS_ROW, "csv"), table(FOCUS_ROW, "parquet")),
    "evidence": (
        evidence_kind(EvidenceFormat.CSV), table(EVIDENCE, "csv"), table(STATEMENT, "csv"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "own", "other"), KINDS.values(), ids=KINDS)
def test_a_file_of_another_kind_is_replaced_only_by_force(
    data_dir: DataDir, tmp_path: Path, kind: Kind, own: Callable[[Path], None],
    other: Callable[[Path], None],
) -> None:  # fmt: skip
    file = tmp_path / "file"
    own(file)
    refuse_unless_ours(data_dir, file, kind)
    other(file)
    with pytest.raises(ForeseenError, match=r"there is another file(?s:.*)--force"):
        refuse_unless_ours(data_dir, file, kind)
    refuse_unless_ours(data_dir, file, kind, force=True)
    file.write_bytes(os.urandom(500))
    with pytest.raises(ForeseenError, match="there is another file"):
        refuse_unless_ours(data_dir, file, kind)


def test_jsonl_evidence_is_known_by_its_keys(data_dir: DataDir, tmp_path: Path) -> None:
    file, kind = tmp_path / "file", evidence_kind(EvidenceFormat.JSONL)
    columns = ", ".join(f'"{name}": null' for name in kind.columns)
    file.write_text(f"{{{columns}}}\n")
    refuse_unless_ours(data_dir, file, kind)
    for other in ('{"event_id": "x"}\n', "[" * 100_000, "5"):
        file.write_text(other)
        with pytest.raises(ForeseenError, match="there is another file"):
            refuse_unless_ours(data_dir, file, kind)


def test_a_new_file_keeps_mode_and_link_of_the_old_one(tmp_path: Path) -> None:
    old, link = tmp_path / "shared" / "report.html", tmp_path / "report.html"
    old.parent.mkdir()
    old.write_text("old")
    old.chmod(0o640)
    link.symlink_to(old)
    with replaced(link, "The report") as file:
        file.write_text("new")

    assert link.is_symlink()
    assert old.read_text() == "new"
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert [each.name for each in old.parent.iterdir()] == ["report.html"]


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    old = tmp_path / "report.html"
    old.write_text("old")
    with pytest.raises(ZeroDivisionError), replaced(old, "The report") as file:
        file.write_text("half")
        _ = 1 / 0

    assert old.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_what_a_killed_process_left_is_removed_and_a_running_one_s_is_not(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f".report.html.{ended.pid}.part"
    being_written = tmp_path / f".report.html.{os.getppid()}.part"
    left.write_text("half")
    being_written.write_text("half")
    with replaced(tmp_path / "report.html", "The report") as file:
        file.write_text("new")

    assert not left.exists()
    assert being_written.exists()


@pytest.mark.parametrize("place", ["a folder", "/dev/null", "file/below"])
def test_a_place_that_cannot_be_written_to_is_said(tmp_path: Path, place: str) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(ForeseenError, match=r"could not be written to .*\n.*as it was"),
        replaced(tmp_path / place, "The report") as file,
    ):
        file.write_text("new")

    assert not Path("/dev/null").is_file()
