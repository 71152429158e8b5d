"""A real Superset in an environment of its own (its versions do not fit ours), on this machine
only: it imports a file of dashboards, and the system's Chromium opens them."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Response, sync_playwright

PLACE = Path(__file__).parents[2] / ".venv-superset"
PASSWORD = "of this machine's test only"
CONFIG = """\
SECRET_KEY = "a key that nothing but this test has"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
SUPERSET_WEBSERVER_TIMEOUT = 300
"""
LONGEST_SECONDS = 300
SIZE = {"width": 1400, "height": 1600}


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def missing() -> str | None:
    """What has to be installed before anything here runs."""
    if not (PLACE / "bin/superset").exists():
        return f"{PLACE.name} is not installed: make superset"
    return None if chromium() else "there is no Chromium: apt-get install chromium"


@dataclass
class Shown:
    """What a dashboard asked its charts' data of, and what it said was wrong.

    Attributes:
        answers: Title of a chart -> the rows that it got.
        wrong: Statuses and texts of what failed.
    """

    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Superset:
    """A running Superset."""

    url: str

    def import_(self, bundle: Path) -> None:
        """What an administrator does; what is there from an earlier file is replaced."""
        with httpx.Client(base_url=self.url, timeout=LONGEST_SECONDS) as client:
            login = {"username": "admin", "password": PASSWORD, "provider": "db"}
            token = client.post("/api/v1/security/login", json=login).json()["access_token"]
            answer = client.post(
                "/api/v1/assets/import/",
                headers={"Authorization": f"Bearer {token}"},
                files={"bundle": (bundle.name, bundle.read_bytes())},
            )
        assert answer.status_code == 200, answer.text

    def shown(self, pictures: Mapping[str, Path | None]) -> dict[str, Shown]:
        """Name of a dashboard -> what a reader sees of it; its picture is written where wanted."""
        found: dict[str, Shown] = {}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium(), args=["--no-sandbox"] if os.geteuid() == 0 else []
            )
            page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
            page.set_default_timeout(LONGEST_SECONDS * 1000)
            page.goto(f"{self.url}/login/")
            page.fill("input[name=username], input#username", "admin")
            page.fill("input[name=password], input#password", PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_url(lambda url: "/login" not in url)
            for name, picture in pictures.items():
                answers: list[Response] = []

                def heard(answer: Response, answers: list[Response] = answers) -> None:
                    answers.append(answer)

                page.on("response", heard)
                page.goto(f"{self.url}/superset/dashboard/{name}/")
                page.wait_for_selector(".slice_container, [data-test=chart-container]")
                page.wait_for_timeout(3_000)
                page.wait_for_function(
                    "!document.querySelector('.loading, [data-test=loading-indicator]')"
                )
                page.wait_for_timeout(3_000)  # Charts move into their places.
                page.remove_listener("response", heard)
                found[name] = _told(answers)
                found[name].wrong += page.locator(
                    ".ant-alert-error, [data-test=error-container]"
                ).all_inner_texts()
                if picture:
                    page.screenshot(path=picture)
            browser.close()
        return found


def _told(answers: Sequence[Response]) -> Shown:
    shown = Shown()
    titles: dict[int, str] = {}
    for answer in answers:
        if answer.status >= 400:
            shown.wrong.append(f"{answer.status} {answer.url}")
        elif answer.url.endswith("/charts"):
            titles |= {each["id"]: each["slice_name"] for each in answer.json()["result"]}
    for answer in answers:
        if "/api/v1/chart/data" in answer.url and answer.status == 200:
            asked = answer.request.post_data_json or {}
            number = (asked.get("form_data") or {}).get("slice_id")
            if number in titles:
                shown.answers[titles[number]] = answer.json()["result"][0]["data"]
    return shown


@contextmanager
def running(folder: Path) -> Iterator[Superset]:
    """An empty Superset, until the end."""
    config = folder / "superset_config.py"
    config.write_text(CONFIG.format(folder=folder), encoding="utf-8")
    environment = {
        **os.environ,
        "SUPERSET_CONFIG_PATH": str(config),
        "SUPERSET_HOME": str(folder),
        "FLASK_APP": "superset.app:create_app()",
    }
    program = str(PLACE / "bin/superset")
    user = ["--username", "admin", "--firstname", "A", "--lastname", "B", "--email", "a@b.example"]
    for words in (
        ["db", "upgrade"],
        ["fab", "create-admin", *user, "--password", PASSWORD],
        ["init"],
    ):
        ended = subprocess.run(
            [program, *words], env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr[-2_000:]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [
                str(PLACE / "bin/gunicorn"), "--workers", "1", "--worker-class", "gthread",
                "--threads", "4", "--timeout", str(LONGEST_SECONDS), "--bind", address,
                "superset.app:create_app()",
            ],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _answers(f"http://{address}/health", server)
        yield Superset(f"http://{address}")
    finally:
        server.terminate()
        server.wait(timeout=60)


def _answers(url: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, "Superset did not start."
        try:
            if httpx.get(url, timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(1)
    raise AssertionError(f"Superset does not answer at {url}.")
