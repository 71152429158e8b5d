"""What a run says and leaves when it is told to stop, or is killed, at an awkward moment."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, INTERRUPTED, TERMINATED, meaning
from pipelines.stopping import FILE_IS_WHOLE, NOTHING_CHANGED, RUN_GOES_ON, SANDBOX_ENDED
from sources.sandbox import Sandbox
from tests.pipelines import served_marts
from tests.pipelines.test_places import NO_NAMES

PROGRAM = "from pipelines.cli import main; main()"
HANGS_AFTER_SECONDS = 1_800


@pytest.fixture(autouse=True)
def nobody_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Also a run that is told to stop looks up no name, of anybody who collects how runs end."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(NO_NAMES)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("LOOK_UPS", str(tmp_path / "look_ups"))
    yield
    assert not (tmp_path / "look_ups").exists(), (tmp_path / "look_ups").read_text()


class Heard:
    """A chat on this machine."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        heard = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                heard.texts.append(json.loads(body)["text"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def chat() -> Iterator[Heard]:
    chat = Heard()
    thread = threading.Thread(target=chat.server.serve_forever, args=(0.01,))
    thread.start()
    yield chat
    chat.server.shutdown()
    thread.join()
    chat.server.server_close()


def begun(
    api: Sandbox, data: DataDir, words: str, program: str = PROGRAM, **variables: str
) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "SOURCES__CLAUDE_ANALYTICS__BASE_URL": api.url,
        "SOURCES__CLAUDE_ANALYTICS__API_KEY": api.api_key,
        "SOURCES__CLAUDE_ANALYTICS__REQUESTS_PER_MINUTE": "100000",
        "PIPELINE__DATA_DIR": str(data.root),
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, "-c", program, *words.split()],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def waits(api: Sandbox) -> threading.Event:
    """Set when the API was asked; it tells everybody to come back later."""
    asked = threading.Event()

    def is_asked(_: dict[str, str]) -> bool:
        asked.set()
        return True

    api.answer("/v1/", status=429, headers={"retry-after": "50"}, times=1_000, when=is_asked)
    return asked


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, INTERRUPTED),
        (signal.SIGTERM, TERMINATED),
        (signal.SIGHUP, TERMINATED),
    ],
)
def test_a_run_that_is_stopped_while_it_waits_says_one_sentence_and_is_recorded(
    api: Sandbox, data_dir: DataDir, chat: Heard, number: int, code: int
) -> None:
    asked = waits(api)
    url = f"http://127.0.0.1:{chat.server.server_port}/"
    process = begun(api, data_dir, "sync --today 2026-01-08", NOTIFY__WEBHOOK_URL=url)
    assert asked.wait(HANGS_AFTER_SECONDS)

    process.send_signal(number)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=HANGS_AFTER_SECONDS)

    assert process.returncode == code
    assert printed.splitlines()[-1] == RUN_GOES_ON
    assert printed.count("Stopped") == 1 and "Traceback" not in printed
    run = json.loads(data_dir.last_run.read_text())
    assert (run["exit_code"], len(run["problems"])) == (code, 1)
    assert chat.texts == [f"✗ claude-warehouse sync: {meaning(code)}"]
    assert data_dir.held_by() is None


STUCK = """
import os, signal, sys
from pipelines import stopping
stopping.GRACE_SECONDS = 0.1
{before}
from pipelines.cli import main
main()
"""
NEVER_RETURNS = STUCK.format(
    before="""
import sqlite3
import pipelines.cli.streams as streams
def prepare():
    os.kill(os.getpid(), signal.SIGTERM)
    # One call of a library, in which no handler of Python's is run.
    sqlite3.connect(":memory:").execute(
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    )
streams.prepare = prepare
"""
)
SWALLOWS = STUCK.format(
    before="""
import pipelines.cli.streams as streams
def prepare():
    while True:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            import time; time.sleep(60)
        except BaseException:
            pass
streams.prepare = prepare
"""
)


STOPPED_WHILE_IT_DRAWS = STUCK.format(
    before="""
import pipelines.report.charts as charts
charts.DRAWING = "import os, signal, time; os.kill(os.getppid(), signal.SIGTERM); time.sleep(60)"
"""
)


def test_a_report_that_is_stopped_while_a_chart_is_drawn_ends_at_once(
    api: Sandbox, data_dir: DataDir
) -> None:
    served_marts.write(data_dir)
    process = begun(api, data_dir, "report", STOPPED_WHILE_IT_DRAWS)
    printed, _ = process.communicate(timeout=HANGS_AFTER_SECONDS)

    assert (process.returncode, printed) == (TERMINATED, f"{FILE_IS_WHOLE}\n")
    assert not (data_dir.root / "report.html").exists()


STOPPED_WHEN_IT_KNOWS_ITS_FOLDER = STUCK.format(
    before="""
from pipelines import hints
hints.use = lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM)
"""
)


@pytest.mark.parametrize("words", ["status", "doctor", "summary"])
def test_a_command_that_only_reads_does_not_speak_of_a_next_run(
    api: Sandbox, data_dir: DataDir, words: str
) -> None:
    process = begun(api, data_dir, words, STOPPED_WHEN_IT_KNOWS_ITS_FOLDER)
    printed, _ = process.communicate(timeout=HANGS_AFTER_SECONDS)

    assert (process.returncode, printed) == (TERMINATED, f"{NOTHING_CHANGED}\n")


def test_the_sandbox_ends_with_a_sentence(api: Sandbox, data_dir: DataDir) -> None:
    process = begun(api, data_dir, "sandbox --seats 2 --port 0 --today 2026-01-08")
    assert process.stdout
    lines = iter(process.stdout.readline, "")
    assert any("Ctrl-C ends it." in line for line in lines)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=HANGS_AFTER_SECONDS)

    assert (process.returncode, printed) == (INTERRUPTED, f"{SANDBOX_ENDED}\n")


@pytest.mark.parametrize("program", [NEVER_RETURNS, SWALLOWS], ids=["never_returns", "swallows"])
def test_a_library_that_does_not_let_go_is_not_waited_for(
    api: Sandbox, data_dir: DataDir, program: str
) -> None:
    process = begun(api, data_dir, "status", program)
    printed, _ = process.communicate(timeout=HANGS_AFTER_SECONDS)

    assert (process.returncode, printed) == (TERMINATED, f"{NOTHING_CHANGED}\n")


def test_status_names_a_run_that_was_killed(api: Sandbox, data_dir: DataDir) -> None:
    asked = waits(api)
    process = begun(api, data_dir, "sync --today 2026-01-08")
    assert asked.wait(HANGS_AFTER_SECONDS)
    process.kill()
    process.communicate()

    status = begun(api, data_dir, "status --today 2026-01-08")
    printed, _ = status.communicate(timeout=HANGS_AFTER_SECONDS)

    assert status.returncode == DONE, printed
    assert "The last run (sync, begun 20" in printed
    assert "never ended: it was killed, or the machine stopped." in printed


def contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_status_answers_beside_a_run_and_writes_nothing(api: Sandbox, data_dir: DataDir) -> None:
    first = begun(api, data_dir, "sync --today 2026-01-08 --only skills --no-transform")
    printed, _ = first.communicate(timeout=HANGS_AFTER_SECONDS)
    assert first.returncode == DONE, printed
    asked = waits(api)
    process = begun(api, data_dir, "sync --today 2026-01-09 --no-transform")
    assert asked.wait(HANGS_AFTER_SECONDS)
    try:
        before = contents(data_dir.root)
        status = begun(api, data_dir, "status --today 2026-01-09")
        printed, _ = status.communicate(timeout=HANGS_AFTER_SECONDS)

        assert status.returncode == DONE, printed
        assert f"Running now: sync, process {process.pid}, since 20" in printed
        assert "skills: 2026-01-01 to 2026-01-05" in printed
        changed = {
            file for file, text in contents(data_dir.root).items() if before.get(file) != text
        }
        assert {file.name.partition("-")[0] for file in changed} <= {"rate_budget.sqlite"}
    finally:
        process.kill()
        process.communicate()
