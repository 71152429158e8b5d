"""The whole run against an invented organisation."""

import csv
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.data_dir import DataDir
from pipelines.run import Listener, RunResult, sync
from pipelines.warehouse import warehouse_of
from sources.claude_admin import AdminSettings
from sources.claude_analytics import AnalyticsSettings
from sources.claude_compliance import ComplianceSettings
from sources.errors import ForeseenError
from sources.langdock import LangdockSettings
from sources.reference_files.settings import ReferenceFileSettings
from sources.session import Clock

TODAY = date(2026, 6, 15)
SEATS = 250
REQUESTS_PER_MINUTE = 6_000
APPROVED_CONNECTORS = """\
name,approval,owner,reviewed_at
github,approved,IT,2026-03-02
atlassian,approved,IT,2026-03-02
google-drive,approved,IT,2026-03-02
mcpsrv_*,banned,Security,2026-04-20
"""


INPUTS = ("org_chart.csv", "seat_prices.csv", "approved_connectors.csv", "langdock")
"""What the demo puts into its folder for the run to read."""


def demo(data_dir: DataDir, listener: Listener) -> RunResult:
    """Load the sandbox's organisation into the folder, where it replaces an earlier demo.

    Raises:
        ForeseenError: The folder holds another warehouse.
    """
    from sources.sandbox import Sandbox

    with (
        data_dir.held("demo"),
        Sandbox(seats=SEATS, today=TODAY, requests_per_minute=REQUESTS_PER_MINUTE) as sandbox,
    ):
        _clear(data_dir)
        files = {name: data_dir.root / f"{name}.csv" for name in ("org_chart", "seat_prices")}
        for name, file in files.items():
            _write_csv(file, sandbox.truth(name))
        files["approved_connectors"] = data_dir.root / "approved_connectors.csv"
        files["approved_connectors"].write_text(APPROVED_CONNECTORS)
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
        return sync(data_dir, Clock.at(TODAY), given, listener=listener)


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
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
