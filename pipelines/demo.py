"""The whole run against an invented organisation."""

import csv
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.data_dir import REPORT, DataDir
from pipelines.run import Listener, RunResult, sync
from pipelines.warehouse import held, warehouse_of
from sources.claude_admin import AdminSettings
from sources.claude_analytics import AnalyticsSettings
from sources.claude_analytics.endpoints import ENDPOINTS
from sources.claude_compliance import ComplianceSettings
from sources.errors import ForeseenError
from sources.langdock import LangdockSettings
from sources.reference_files.settings import ReferenceFileSettings
from sources.session import Clock

TODAY = date(2026, 6, 15)
FIRST_NIGHT = date(2026, 3, 31)
"""The night whose whole window is loaded too, so that months can be compared with those before."""
ROSTER_NIGHTS = (date(2026, 4, 30), date(2026, 5, 31))
"""Ends of months of which it is known who had a seat then."""
SEATS = 250
REQUESTS_PER_MINUTE = 6_000
BUDGETS = """\
cost_center,usd_per_month,valid_from
00420,6000,2026-01-01
00777,4600,2026-01-01
1E5,5000,2026-01-01
CC-300,4500,2026-01-01
"""
HOLIDAYS = """\
holiday_date,name
2026-01-01,New Year
2026-04-03,Good Friday
2026-04-06,Easter Monday
2026-05-01,Labour Day
2026-05-14,Ascension Day
2026-05-25,Whit Monday
"""
APPROVED_SKILLS = """\
name,approval,owner,reviewed_at
pdf,approved,IT,2026-02-11
xlsx,approved,IT,2026-02-11
docx,approved,IT,2026-02-11
pptx,approved,IT,2026-02-11
brand-guidelines,approved,Marketing,2026-03-02
Quarter close checklist*,approved,Finance,2026-03-20
"""
APPROVED_PLUGINS = """\
name,approval,owner,reviewed_at
code-review,approved,IT,2026-02-11
release-tools,approved,IT,2026-02-11
finance-pack,approved,Finance,2026-03-20
"""
APPROVED_CONNECTORS = """\
name,approval,owner,reviewed_at
github,approved,IT,2026-03-02
atlassian,approved,IT,2026-03-02
google-drive,approved,IT,2026-03-02
mcpsrv_*,banned,Security,2026-04-20
"""


TYPED = {
    "approved_connectors": APPROVED_CONNECTORS,
    "approved_skills": APPROVED_SKILLS,
    "approved_plugins": APPROVED_PLUGINS,
    "budgets": BUDGETS,
    "holidays": HOLIDAYS,
}
"""Reference file -> what people of the invented organisation typed into it."""
INPUTS = ("org_chart.csv", "seat_prices.csv", *(f"{name}.csv" for name in TYPED), "langdock")
"""What the demo puts into its folder for the run to read."""


def demo(data_dir: DataDir, listener: Listener) -> RunResult:
    """Load the sandbox's organisation into the folder, where it replaces an earlier demo.

    Raises:
        ForeseenError: The folder holds another warehouse.
    """
    from sources.sandbox import Sandbox

    with (
        held(data_dir, "demo"),
        Sandbox(seats=SEATS, today=TODAY, requests_per_minute=REQUESTS_PER_MINUTE) as sandbox,
    ):
        _clear(data_dir)
        files = {name: data_dir.root / f"{name}.csv" for name in ("org_chart", "seat_prices")}
        for name, file in files.items():
            _write_csv(file, sandbox.truth(name))
        for name, text in TYPED.items():
            files[name] = data_dir.root / f"{name}.csv"
            files[name].write_text(text)
        sandbox.langdock.write_samples(data_dir.root / "langdock")
        at: dict[str, Any] = {"base_url": sandbox.url, "api_key": sandbox.api_key}
        given = {
            "claude_analytics": AnalyticsSettings(**at, requests_per_minute=REQUESTS_PER_MINUTE),
            "claude_admin": AdminSettings(**at),
            "claude_compliance": ComplianceSettings(**at),
            "langdock": LangdockSettings(files=str(data_dir.root / "langdock")),
            "reference_files": ReferenceFileSettings(
                **{name: str(file) for name, file in files.items()}
            ),
        }
        for night, only, told in _earlier_nights(listener):
            sandbox.today = night
            loaded = sync(
                data_dir, Clock.at(night), given, only=only, transforms=False, listener=told
            )
            if loaded.problems:
                return loaded
        sandbox.today = TODAY
        return sync(data_dir, Clock.at(TODAY), given, listener=listener)


def _earlier_nights(listener: Listener) -> Iterator[tuple[date, tuple[str, ...], Listener]]:
    """Nights before the last one: their day, which sources they read, and who is told."""
    yield FIRST_NIGHT, (*(each.table for each in ENDPOINTS), "claude_admin"), listener
    for night in ROSTER_NIGHTS:
        yield night, ("claude_admin",), Listener(run_id=listener.run_id)


def next_steps(data_dir: DataDir) -> list[str]:
    """What to do after the demo, in the three lines that it ends with."""
    return [
        f"Open this: {data_dir.root / REPORT}",
        "Look at that: claude-warehouse status",
        "Next, with your key: claude-warehouse init, then doctor, then sync",
    ]


def _clear(data_dir: DataDir) -> None:
    """Remove an earlier demo; files that it did not make stay."""
    if warehouse_of(data_dir).exists() and not (data_dir.root / "org_chart.csv").exists():
        raise ForeseenError(
            f"The demo was not begun: {data_dir.root} holds a warehouse that no demo made.\n"
            "The demo begins with an empty one, and that warehouse would be lost.\n"
            "Name another folder: claude-warehouse demo --data-dir FOLDER (it uses FOLDER/demo)."
        )
    inputs = [data_dir.root / name for name in INPUTS]
    for path in [*data_dir.written(), *inputs]:
        if path == data_dir.temporary:
            continue  # In use.
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
