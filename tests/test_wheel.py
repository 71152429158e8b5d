"""The package as people install it: outside the checkout, in an empty folder, with no network."""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from pipelines.exit_codes import DONE, FAILED

ROOT = Path(__file__).parents[1]
NO_NETWORK = """\
import os, sys

def is_here(host):
    return host in (None, "", b"", "localhost", "127.0.0.1", "::1")

def refuse(event, details):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        hosts = details[:1]
    elif event in ("socket.connect", "socket.sendto") and isinstance(details[1], tuple):
        hosts = details[1][:1]
    else:
        return
    for host in hosts:
        if not is_here(host):
            with open(os.environ["ASKED"], "a") as file:
                print(event, host, file=file)
            raise OSError(f"no network: {host}")

sys.addaudithook(refuse)
"""

Installed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it, and what it needs from this one."""
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    subprocess.run(
        [*build, "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    venv.create(folder / "venv", with_pip=False)
    [packages] = (folder / "venv").glob("lib/python*/site-packages")
    [wheel] = folder.glob("*.whl")
    with ZipFile(wheel) as files:
        files.extractall(packages)
    # Its own .pth files, which lead to the checkout, are not read from there.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    (packages / "sitecustomize.py").write_text(NO_NETWORK)
    return folder / "venv"


@pytest.fixture
def installed(site: Path, tmp_path: Path) -> Installed:
    """Run the installed command in an empty folder; it may ask for no host but this machine."""
    here, home, asked = tmp_path / "here", tmp_path / "home", tmp_path / "asked"
    here.mkdir()
    home.mkdir()

    def run(words: str, before: str = "") -> subprocess.CompletedProcess[str]:
        program = f"{before}\nimport pipelines.cli\nprint(pipelines.cli.__file__, flush=True)\n"
        ended = subprocess.run(
            [str(site / "bin/python"), "-c", f"{program}pipelines.cli.main()", *words.split()],
            cwd=here,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "ASKED": str(asked)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.stdout.startswith(str(site)), ended.stderr
        assert "Traceback" not in ended.stdout + ended.stderr
        assert not asked.exists(), asked.read_text()
        assert list(home.iterdir()) == []
        return ended

    return run


def test_the_installed_command_runs_in_an_empty_folder(installed: Installed) -> None:
    assert "close-month" in installed("--help").stdout
    for words in ("status", "summary", "publish"):
        ended = installed(words)
        assert ended.returncode == FAILED
        assert "Run: claude-warehouse sync" in ended.stderr


def test_the_guard_of_these_tests_refuses_a_look_up(site: Path, tmp_path: Path) -> None:
    program = "import socket; socket.getaddrinfo('telemetry.example', 443)"
    ended = subprocess.run(
        [str(site / "bin/python"), "-c", program],
        env={"ASKED": str(tmp_path / "asked")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "no network: telemetry.example" in ended.stderr
    assert "telemetry.example" in (tmp_path / "asked").read_text()


def test_the_sandbox_without_its_libraries_says_what_to_install(installed: Installed) -> None:
    for words in ("sandbox", "demo"):
        ended = installed(words, before="import sys; sys.modules['uvicorn'] = None")
        assert ended.returncode == FAILED
        assert "the library uvicorn is not installed" in ended.stderr
        assert 'pip install "claude-warehouse[sandbox]"' in ended.stderr


@pytest.mark.long
def test_the_installed_demo_needs_no_network_and_draws_its_charts(installed: Installed) -> None:
    ended = installed("demo")
    assert ended.returncode == DONE, ended.stderr
    assert "Query it yourself" in ended.stdout

    for words in ("report", "report --format png --chart bill", "status", "summary"):
        ended = installed(f"{words} --data-dir data/demo")
        assert ended.returncode == DONE, ended.stderr
