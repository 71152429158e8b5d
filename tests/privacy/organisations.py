"""The invented organisation with everything that can name a person, in one folder."""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.data_dir import DataDir
from sources.sandbox import Sandbox
from tests.commands import command

KEY = "0123456789abcdef" * 4
SEATS, TODAY = 24, date(2026, 2, 20)


@dataclass
class Place:
    """A folder to run in, and the API beside it."""

    folder: Path
    api: Sandbox
    monkeypatch: pytest.MonkeyPatch
    capsys: Any = None

    @property
    def data(self) -> DataDir:
        return DataDir(self.folder / "data")

    @property
    def inputs(self) -> list[Path]:
        """What the operator put there."""
        return [self.folder / "inputs", self.folder / ".dlt"]

    def run(self, words: str, *more: str, **settings: str) -> int:
        given = {
            **{
                f"SOURCES__{source}__{name}": value
                for source in ("CLAUDE_ANALYTICS", "CLAUDE_ADMIN", "CLAUDE_COMPLIANCE")
                for name, value in (("BASE_URL", self.api.url), ("API_KEY", self.api.api_key))
            },
            "SOURCES__CLAUDE_ANALYTICS__REQUESTS_PER_MINUTE": "100000",
            "SOURCES__LANGDOCK__FILES": str(self.folder / "inputs/langdock"),
            **{
                f"SOURCES__REFERENCE_FILES__{path.stem.upper()}": str(path)
                for path in (self.folder / "inputs").glob("*.csv")
            },
            "PIPELINE__DATA_DIR": str(self.data.root),
            "REPORT__ENABLED": "true",
            "PRIVACY__IDENTITY_KEY": KEY,
            **settings,
        }
        with self.monkeypatch.context() as here:
            here.chdir(self.folder)
            for name, value in given.items():
                here.setenv(name, value)
            return command([*words.split(), *more]).exit_code

    def sync(self, identity: str, today: date = TODAY, words: str = "", **settings: str) -> int:
        return self.run(f"sync --today {today} {words}", PRIVACY__IDENTITY=identity, **settings)


def people(api: Sandbox) -> list[dict[str, Any]]:
    return [person for person in api.truth("people") if person["n"] is not None]


def words_of(person: dict[str, Any]) -> set[str]:
    """What names a person; none of it is a part of somebody else's."""
    return {str(person[name]) for name in ("email", "name", "user_id") if person[name]}


def place(folder: Path, api: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A new folder with every file that an operator may give."""
    inputs = folder / "inputs"
    inputs.mkdir(parents=True)
    known = [person for person in people(api) if person["email"]]
    write(inputs / "org_chart.csv", api.truth("org_chart"))
    write(inputs / "seat_prices.csv", api.truth("seat_prices"))
    write(
        inputs / "exempt_seats.csv",
        [
            {"email": each["email"].upper(), "reason": f"{each['name']} is on leave"}
            for each in known[:3]
        ],
    )
    write(
        inputs / "access_reviews.csv",
        [
            {"email": each["email"], "reviewed_at": "2026-02-01", "reviewer": known[0]["name"]}
            for each in known[3:8]
        ],
    )
    write(
        inputs / "approved_connectors.csv",
        [{"name": "github", "approval": "approved", "owner": known[1]["name"]}],
    )
    write(
        inputs / "other_assistants.csv",
        [
            {
                "vendor": "Copilot",
                "month": "2026-01",
                "email": each["email"],
                "message_count": 7,
                "cost_usd": "30.00",
            }
            for each in known[2:9]
        ],
    )
    api.langdock.write_samples(inputs / "langdock")
    return Place(folder, api, monkeypatch)


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
