"""What people read when a file, a disk, a stream or a library fails: words, never a trace."""

import errno
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from dlt.common.schema import DEFAULT_SCHEMA_CONTRACT_MODE
from dlt.common.schema.exceptions import DataValidationError

from pipelines import hints
from pipelines.data_dir import FOLDERS, DataDir
from pipelines.exit_codes import DONE, FAILED
from pipelines.foreseen import foreseen
from pipelines.reading.status import remember
from pipelines.run_record import RunRecord, last_run
from pipelines.warehouse.duckdb.file import read_whole
from sources.errors import ForeseenError
from sources.session import Clock
from tests.conftest import Command, Load
from tests.pipelines import served_marts

PROGRAM = "from pipelines.cli import main; main()"


def os_error(number: int, file: str = "/data/x") -> OSError:
    return OSError(number, os.strerror(number), file)


ERRORS = {
    "The disk is full (/data/x).": os_error(errno.ENOSPC),
    "The disk is full.": sqlite3.OperationalError("database or disk is full"),
    "A file may not become any larger (/data/x).": os_error(errno.EFBIG),
    "A file may not become any larger.": duckdb.IOException(
        'Could not write file "w.duckdb": File too large'
    ),
    "The disk cannot be written to (/data/x)": os_error(errno.EROFS),
    "Access is refused (/data/x).": os_error(errno.EACCES),
    "This process may not open as many files as it needs (/data/x).": os_error(errno.EMFILE),
    "The disk failed (/data/x): Input/output error.": os_error(errno.EIO),
    "There is too little memory.": MemoryError(),
    "Links lead in a circle (/data/x).": os_error(errno.ELOOP),
    "A folder stands where a file should be (/data/x).": os_error(errno.EISDIR),
    "A file stands where a folder should be (/data/x).": os_error(errno.ENOTDIR),
    "A file is not there (/data/x).": os_error(errno.ENOENT),
    "Another program has the database open (/data/w.duckdb).": duckdb.IOException(
        'IO Error: Could not set lock on file "/data/w.duckdb": Conflicting lock is held (PID 7)'
    ),
    "The database is damaged.": duckdb.Error("Corrupt database file: computed checksum 1"),
    "This is not a database of DuckDB (/data/w.duckdb).": duckdb.IOException(
        'The file "/data/w.duckdb" exists, but it is not a valid DuckDB database file!'
    ),
    "The database was written by a newer DuckDB than this one.": duckdb.IOException(
        "IO Error: Trying to read a database file with version number 999"
    ),
    "A part of the installation is missing or damaged: No module named 'x'.": ImportError(
        "No module named 'x'"
    ),
    "A column of the warehouse has another type than what came for it": DataValidationError(
        "s", "skills", "price", "data_type", "freeze", None, DEFAULT_SCHEMA_CONTRACT_MODE
    ),
    "A text is not UTF-8": UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    "The connection failed": ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
}


@pytest.mark.parametrize(("begins", "error"), ERRORS.items(), ids=ERRORS.keys())
def test_what_a_library_raises_is_told_with_its_cause(begins: str, error: Exception) -> None:
    wrapped = RuntimeError("Pipeline execution failed at step=load")
    wrapped.__cause__ = error

    for each in (error, wrapped):
        text = str(foreseen(each))
        assert text.startswith(begins)
        assert len(text.splitlines()) == 3


def test_a_text_in_another_encoding_is_not_taken_for_the_database_that_was_worked_on() -> None:
    error = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    said = str(foreseen(error, file=Path("/data/warehouse.duckdb")))

    assert said.startswith("A text is not UTF-8: ") and "warehouse.duckdb" not in said


def written_by_a_newer_duckdb(file: Path) -> None:
    """Its main header with a version that is not known yet, and the checksum of that."""
    with file.open("r+b") as opened:
        header = bytearray(opened.read(4_096))
        header[12:20] = struct.pack("<Q", 70_000)
        checksum = 5_381
        for (number,) in struct.iter_unpack("<Q", header[8:]):
            checksum ^= number * 0xBF58476D1CE4E5B9 & (2**64 - 1)
        header[:8] = struct.pack("<Q", checksum)
        opened.seek(0)
        opened.write(header)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("status", "warehouse.duckdb"),
        ("publish", "warehouse.duckdb"),
        ("sync --no-transform", "warehouse.duckdb"),
        ("summary", "serving.duckdb"),
    ],
)
def test_a_file_of_a_newer_storage_version_is_named_and_stays_as_it_is(
    data_dir: DataDir, command: Command, words: str, name: str
) -> None:
    served_marts.write(data_dir)
    shutil.copy(data_dir.served, data_dir.warehouse)
    file = data_dir.root / name
    written_by_a_newer_duckdb(file)
    before = file.read_bytes()

    ended = command(words)

    assert ended.exit_code == FAILED
    assert f"The database was written by a newer DuckDB than this one ({file})." in ended.err
    assert file.read_bytes() == before


def test_what_nobody_foresaw_leaves_its_trace_without_values_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__CLAUDE_ANALYTICS__API_KEY", "a-key-of-the-test")
    secret_value = "what-a-variable-holds"
    try:
        raise KeyError("ada@northwind.example with a-key-of-the-test" + secret_value[:0])
    except KeyError as error:
        text = str(foreseen(error, tmp_path))

    kept = (tmp_path / "errors.log").read_text()
    assert text.startswith("This ended with an error that nobody foresaw (KeyError).\n")
    assert str(tmp_path / "errors.log") in text
    assert "test_foreseen.py" in kept and "KeyError" in kept
    assert "ada@" not in kept and "a-key-of-the-test" not in kept
    assert "what-a-variable-holds" not in kept.replace('secret_value = "what-a-variable-holds"', "")


def damage(file: Path) -> None:
    """Overwrites 200 KB in the middle of what is stored."""
    size = file.stat().st_size
    with file.open("r+b") as stored:
        stored.seek(size // 2)
        stored.write(os.urandom(min(200_000, size // 3)))


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    file = tmp_path / "data" / "warehouse.duckdb"
    file.parent.mkdir()
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema claude_raw")
        connection.execute(
            "create table claude_raw.skills as select md5(cast(i as varchar)) as name "
            "from range(100000) as numbers(i)"
        )
    return file


def test_every_block_of_the_warehouse_is_read(warehouse: Path) -> None:
    read_whole(warehouse)
    damage(warehouse)

    with pytest.raises(ForeseenError, match="damaged") as refused:
        read_whole(warehouse)
    assert str(warehouse) in str(refused.value)


def test_doctor_finds_what_was_overwritten(warehouse: Path, command: Command) -> None:
    damage(warehouse)
    ended = command("doctor")

    assert ended.exit_code == FAILED
    assert "warehouse: The database is damaged" in ended.out


@pytest.mark.parametrize(
    ("name", "words", "cure"),
    [
        ("warehouse.duckdb", "status", "readers open serving.duckdb, never warehouse.duckdb"),
        ("serving.duckdb", "summary", "or let it open the file read-only"),
    ],
)
def test_a_program_that_holds_a_file_is_named_without_the_engines_advice(
    warehouse: Path, command: Command, name: str, words: str, cure: str
) -> None:
    file = warehouse.with_name(name)
    program = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        ended = command(words)
        holder.communicate()

    assert ended.exit_code == FAILED
    assert f"has the database open ({file})" in ended.err
    assert f", process {holder.pid}." in ended.err and cure in ended.err
    assert "https://" not in ended.err and "IO Error" not in ended.err


def text_file(file: Path) -> None:
    file.write_text("name,days\nada,3\n" * 100)


def empty_file(file: Path) -> None:
    file.write_bytes(b"")


def cut_file(file: Path) -> None:
    os.truncate(file, 5_000)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def foreign_file(file: Path) -> None:
    file.unlink()
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table somebody_elses (number int)")


def file_of_sqlite(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("create table somebody_elses (number int)")


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


FILES = [text_file, empty_file, cut_file, folder, foreign_file, file_of_sqlite, pipe]
COMMANDS = [
    "status",
    "publish",
    "transform",
    "sync",
    "close-month 2026-01",
    "backfill --from 2026-01-02 --to 2026-01-02 --today 2026-01-08",
]


@pytest.mark.parametrize("spoil", FILES, ids=lambda each: each.__name__)
def test_a_warehouse_that_is_none_is_refused_by_every_command_with_its_path(
    warehouse: Path, command: Command, spoil: object
) -> None:
    assert callable(spoil)
    spoil(warehouse)
    before = warehouse.read_bytes() if warehouse.is_file() else None

    for words in COMMANDS:
        ended = command(words)
        assert ended.exit_code == FAILED, words
        assert str(warehouse) in ended.err.splitlines()[0], words
        assert "Traceback" not in ended.err and "nobody foresaw" not in ended.err
    assert (warehouse.read_bytes() if warehouse.is_file() else None) == before


@pytest.mark.parametrize("spoil", FILES, ids=lambda each: each.__name__)
def test_a_served_file_that_is_none_is_told_with_its_path(
    warehouse: Path, command: Command, spoil: object
) -> None:
    assert callable(spoil)
    served = warehouse.with_name("serving.duckdb")
    shutil.copy(warehouse, served)
    spoil(served)

    for words in (
        "summary",
        "report",
        "export focus --month 2026-01",
        "export chargeback --month 2026-01",
    ):
        ended = command(words)
        assert ended.exit_code == FAILED, words
        assert "serving.duckdb" in ended.err, words
        assert "nobody foresaw" not in ended.err, words


def test_a_damaged_record_is_said_and_changes_nothing_else(
    warehouse: Path, data_dir: DataDir, command: Command
) -> None:
    whole = RunRecord(data_dir, "sync", Clock.at(None))
    whole.end(DONE, [])
    record = json.loads(data_dir.last_run.read_text())
    spoilt = [
        json.dumps({**record, name: value})
        for name in record
        for value in (True, "text", [1], {"a": 1})
        if value != "text" or name not in ("command", "run_id", "version")
    ]
    for text in ("{", "[]", '"text"', '{"command": 1}', "", "\udcff", *spoilt):
        data_dir.last_run.write_bytes(text.encode(errors="surrogateescape"))
        ended = command("status")
        assert ended.exit_code == DONE
        assert "The record of the last run cannot be read" in ended.out


def test_what_was_loaded_survives_being_remembered(
    load: Load, data_dir: DataDir, command: Command
) -> None:
    load(today="2026-01-08", only="skills")
    seen = command("status --today 2026-01-08").out
    remember(data_dir)
    with data_dir.held("sync"):
        data_dir.warehouse.rename(data_dir.root / "elsewhere")
        beside = command("status --today 2026-01-08").out

    lines = [line for line in seen.splitlines() if line.startswith("  skills:")]
    assert lines and lines[0] in beside


def printed(words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words.split()],
        env={**os.environ, "PIPELINE__DATA_DIR": str(folder), **variables},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_a_screen_that_is_not_utf_8_shows_plain_signs(warehouse: Path, encoding: str) -> None:
    ended = printed("doctor", warehouse.parent, PYTHONIOENCODING=encoding)

    assert b"Traceback" not in ended.stderr
    assert b"+ data folder: " in ended.stdout or "✓ data folder".encode() in ended.stdout


def test_a_reader_that_goes_away_and_a_closed_screen_change_nothing(warehouse: Path) -> None:
    environment = {**os.environ, "PIPELINE__DATA_DIR": str(warehouse.parent)}
    for words in ("status | head -c 1", "status >&-", "status >&- 2>&-"):
        shell = f"set -o pipefail; {sys.executable} -c '{PROGRAM}' {words}"
        ended = subprocess.run(
            ["bash", "-c", shell], env=environment, capture_output=True, check=False
        )
        assert (ended.returncode, ended.stderr) == (DONE, b""), words


def test_a_command_in_a_message_works_on_the_same_folder(tmp_path: Path, command: Command) -> None:
    elsewhere = tmp_path / "a folder"
    hints.use(elsewhere, is_given=True)
    told = hints.pasted("Run: claude-warehouse transform. See claude-warehouse export evidence.")
    ended = command(f"status --data-dir {tmp_path / 'other'}")

    assert told == (
        f"Run: claude-warehouse transform --data-dir '{elsewhere}'. "
        f"See claude-warehouse export evidence --data-dir '{elsewhere}'."
    )
    assert f"claude-warehouse sync --data-dir {tmp_path / 'other'}" in ended.err
    assert "--data-dir" not in command("status").err


@pytest.mark.parametrize("name", FOLDERS)
def test_a_file_where_a_folder_of_ours_should_be_is_named_by_every_command_that_needs_it(
    warehouse: Path, command: Command, name: str
) -> None:
    in_the_way = warehouse.parent / name
    in_the_way.write_text("not a folder")

    for words in COMMANDS[1:]:
        ended = command(words)
        assert ended.exit_code == FAILED, words
        assert f"{in_the_way} is no folder" in ended.err, words
    assert f"✗ data folder: {in_the_way} is no folder" in command("doctor").out
    assert in_the_way.read_text() == "not a folder"


def test_the_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as refused:
        (tmp_path / "file/folder/text").read_text()

    assert f"should be ({tmp_path}/file)." in str(foreseen(refused.value))


def test_what_nobody_foresaw_is_kept_elsewhere_where_the_data_folder_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    text = str(foreseen(KeyError("x"), tmp_path / "nowhere"))

    [kept] = tmp_path.rglob("errors.log")
    assert f"Its trace is in {kept}" in text and "KeyError" in kept.read_text()
    assert not (tmp_path / "nowhere").exists()


def test_a_publication_is_recorded_however_it_ends(
    warehouse: Path, data_dir: DataDir, command: Command
) -> None:
    for code in (FAILED, DONE):
        assert command("publish").exit_code == code
        run = last_run(data_dir)
        assert run and (run["command"], run["exit_code"]) == ("publish", code)
        assert bool(run["problems"]) == (code == FAILED)
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("create schema if not exists claude_marts")
            connection.execute("create table if not exists claude_marts.seats as select 1 as seat")


@pytest.mark.parametrize("to", ["/nowhere/warehouse.duckdb", "warehouse.duckdb"])
def test_a_link_instead_of_the_warehouse_that_leads_nowhere_is_told(
    data_dir: DataDir, command: Command, to: str
) -> None:
    data_dir.root.mkdir()
    data_dir.warehouse.symlink_to(to)

    for words in COMMANDS:
        ended = command(words)
        assert ended.exit_code == FAILED, words
        assert f"{data_dir.warehouse} leads to {to}, which does not exist" in ended.err, words
    assert "✗ data folder: The warehouse is not there" in command("doctor").out


def test_a_file_or_folder_in_the_way_in_dlts_folder_is_made_anew(
    load: Load, data_dir: DataDir, command: Command
) -> None:
    load(today="2026-01-08", only="skills")
    work = data_dir.dlt / "claude_warehouse"
    (work / "state.json").unlink()
    (work / "state.json").mkdir()
    ended = command("sync --today 2026-01-09 --only skills --no-transform")
    assert ended.exit_code == DONE, ended.err

    shutil.rmtree(work / "load")
    (work / "load").write_text("not a folder")
    ended = command("sync --today 2026-01-10 --only skills --no-transform")
    assert ended.exit_code == DONE, ended.err


@pytest.mark.parametrize("damaged", ["state.json", "schemas/claude_analytics.schema.json"])
def test_what_dlt_keeps_between_runs_is_made_anew_where_it_is_damaged(
    load: Load, data_dir: DataDir, command: Command, damaged: str
) -> None:
    load(today="2026-01-08", only="skills")
    os.truncate(data_dir.dlt / "claude_warehouse" / damaged, 40)

    ended = command("sync --today 2026-01-09 --only skills --no-transform")

    assert ended.exit_code == DONE, ended.err
    assert "Loaded" in ended.out


@pytest.mark.parametrize(
    ("fails_with", "told"),
    {
        "thread panicked: Too many open files": "may not open as many files as it needs",
        "thread panicked": "The charts could not be drawn: the chart library stopped",
    }.items(),
)
def test_a_chart_library_that_ends_is_told_in_words(
    data_dir: DataDir,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    fails_with: str,
    told: str,
) -> None:
    served_marts.write(data_dir)
    monkeypatch.setattr("pipelines.report.charts.DRAWING", f"import sys; sys.exit({fails_with!r})")

    ended = command("report --format png --chart bill")

    assert ended.exit_code == FAILED
    assert told in ended.err and "panicked" not in ended.err


def test_a_report_beside_a_run_that_has_not_ended_says_so(
    data_dir: DataDir, command: Command
) -> None:
    served_marts.write(data_dir)
    RunRecord(data_dir, "sync", Clock.at(None)).begin()

    assert command("report").exit_code == DONE
    assert "The last run has not ended" in (data_dir.root / "report.html").read_text()
    assert "The last run (sync) has not ended" in command("summary").out
