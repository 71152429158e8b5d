"""A small organisation behind the proxy, its nights, and what its warehouse knows after them."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipelines.data_dir import DataDir
from pipelines.raw_tables import create_absent_tables, warehouse_pipeline
from pipelines.run_settings import transform_variables
from pipelines.warehouse import warehouse_of
from sources.sandbox import Sandbox
from tests.commands import Ended, command
from tests.faults.proxy import Asked, Proxy

TODAY = date(2026, 1, 9)
KEYS = ("sk-ant-api01-sandbox", "ld-sandbox")
TRACE = "Traceback (most recent call last)"
NOT_COMPARED = {"fetched_at", "read_at", "loaded_at", "exported_at", "snapshot_at", "fetch_number"}
"""Columns that tell when something was read; it is the same whenever that was."""


def path(end: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.path.endswith(end)


def grouped_by_actor(end: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.path.endswith(end) and ("group_by[]", "actor") in asked.params


def totals(end: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.path.endswith(end) and ("group_by[]", "actor") not in asked.params


@dataclass(frozen=True, kw_only=True)
class Group:
    """Endpoints that answer alike.

    Attributes:
        name: As the documentation calls them.
        only: What `--only` names.
        aims: Which requests are spoilt.
        models: Staging models that hold what they answer; the first one is spoilt.
        page_size: Rows of an answer, where those of the world would make one page of a list.
        probes: Such requests of a first load that only ask whether there is an answer.
        nights: The night before, the one whose answers are spoilt, and the one after it.
        list_key: Of the list in an answer.
        source: Section of the settings.
    """

    name: str
    only: Sequence[str]
    aims: Callable[[Asked], bool]
    models: Sequence[str]
    page_size: int | None = None
    list_key: str = "data"
    probes: int = 0
    nights: tuple[date, date, date] = (date(2026, 1, 8), TODAY, date(2026, 1, 10))
    source: str = "claude_analytics"

    @property
    def words(self) -> str:
        return " ".join(f"--only {name}" for name in self.only)


GROUPS = (
    Group(
        name="days of people", only=("users",), aims=path("/analytics/users"), models=("stg_users",)
    ),
    Group(
        name="other days",
        only=("users", "skills"),
        aims=path("/analytics/skills"),
        models=("stg_skills", "stg_users"),
        page_size=1,
    ),
    Group(
        name="summaries",
        only=("users", "summaries"),
        aims=path("/analytics/summaries"),
        models=("stg_summaries", "stg_users"),
    ),
    Group(
        name="cost",
        only=("cost_totals", "costs"),
        aims=grouped_by_actor("/analytics/cost"),
        models=("stg_costs", "stg_cost_totals"),
    ),
    Group(
        name="totals",
        only=("cost_totals", "costs"),
        aims=totals("/analytics/cost"),
        models=("stg_cost_totals", "stg_costs"),
        probes=1,
    ),
    Group(
        name="roster",
        only=("claude_admin",),
        aims=path("/organizations/users"),
        models=("stg_members", "stg_invites", "stg_rbac_groups", "stg_rbac_group_members"),
        source="claude_admin",
    ),
    Group(
        name="feed",
        only=("claude_compliance",),
        aims=path("/compliance/activities"),
        models=("stg_activities",),
        source="claude_compliance",
    ),
    Group(
        name="Langdock",
        only=("langdock",),
        aims=path("/export/users/csv"),
        models=("stg_langdock_users", "stg_langdock_models"),
        nights=(TODAY, date(2026, 2, 3), date(2026, 2, 4)),
        source="langdock",
    ),
)
BY_NAME = {group.name: group for group in GROUPS}


Facts = Mapping[str, Mapping[Any, Counter[tuple[Any, ...]]]]
"""Staging model -> day, where it has one -> rows, without when they were read."""


@dataclass
class World:
    """The sandbox, the proxy before it, and folders that are loaded from there.

    Attributes:
        folder: Where data folders are made.
        page_size: Rows of an answer.
        settings: Beside the usual ones, which ask for nothing twice.
        bases: Group -> a data folder in which the night before has been loaded.
        expected: Group and nights -> what the warehouse knows after nights that went well.
    """

    api: Sandbox
    proxy: Proxy
    folder: Path
    page_size: int = 3
    settings: Mapping[str, str] = field(default_factory=dict)
    bases: dict[str, DataDir] = field(default_factory=dict)
    expected: dict[tuple[str, str], Facts] = field(default_factory=dict)
    _count: int = 0

    def new_folder(self) -> DataDir:
        self._count += 1
        return DataDir(self.folder / f"data{self._count}")

    def start(self, group: Group, phase: str) -> DataDir:
        """A folder for a first load, or with the night before in it."""
        data_dir = self.new_folder()
        if phase == "nightly":
            if group.name not in self.bases:
                self.bases[group.name] = self.new_folder()
                ended = self.night(group, self.bases[group.name], group.nights[0])
                assert ended.exit_code == 0, ended.text
            shutil.copytree(self.bases[group.name].root, data_dir.root)
        return data_dir

    def night(self, group: Group, data_dir: DataDir, today: date) -> Ended:
        """`sync` of a group; days that are loaded are not asked for again, so that nothing is
        mended by chance."""
        self.api.today = today
        self.proxy.page_size = group.page_size or self.page_size
        return self.command(f"sync --no-transform --today {today} {group.words}", data_dir)

    def command(self, words: str, data_dir: DataDir) -> Ended:
        return command(
            [*words.split(), "--data-dir", str(data_dir.root)], environment=self.environment()
        )

    def environment(self) -> dict[str, str]:
        of_anthropic = ("CLAUDE_ANALYTICS", "CLAUDE_ADMIN", "CLAUDE_COMPLIANCE")
        keys = {**dict.fromkeys(of_anthropic, KEYS[0]), "LANGDOCK": KEYS[1]}
        return {
            **{f"SOURCES__{name}__BASE_URL": self.proxy.url for name in keys},
            **{f"SOURCES__{name}__API_KEY": key for name, key in keys.items()},
            **{f"SOURCES__{name}__REQUESTS_PER_MINUTE": "100000" for name in keys},
            "SOURCES__CLAUDE_ANALYTICS__REVISION_DAYS": "0",
            "SOURCES__CLAUDE_COMPLIANCE__OVERLAP_HOURS": "0",
            "SOURCES__LANGDOCK__REVISION_DAYS": "0",
            **self.settings,
        }

    def facts(self, group: Group, data_dir: DataDir) -> Facts:
        """What staging makes of the warehouse, which is what counts."""
        with data_dir.held("test"):
            create_absent_tables(warehouse_pipeline(data_dir))
            warehouse = warehouse_of(data_dir)
            warehouse.build(transform_variables(), [f"+{model}" for model in group.models])
        found = {}
        with warehouse.read() as reading:
            for model in group.models:
                answer = reading.query(f"select * from claude_staging.{model}")
                names = [column[0] for column in answer.description]
                kept = [
                    place
                    for place, name in enumerate(names)
                    if name not in NOT_COMPARED and not name.startswith("_dlt")
                ]
                day = names.index("activity_date") if "activity_date" in names else None
                rows: dict[Any, Counter[tuple[Any, ...]]] = {}
                for row in answer.fetchall():
                    cells = tuple(row[place] for place in kept)
                    rows.setdefault(row[day] if day is not None else None, Counter())[cells] += 1
                found[model] = rows
        return found

    def expected_after(self, group: Group, phase: str, nights: Sequence[date]) -> Facts:
        """What a warehouse knows when nothing was spoilt in these nights."""
        key = (group.name, f"{phase} {nights}")
        if key not in self.expected:
            data_dir = self.start(group, phase)
            for night in nights:
                ended = self.night(group, data_dir, night)
                assert ended.exit_code == 0, ended.text
            self.expected[key] = self.facts(group, data_dir)
            assert all(self.expected[key].values()), f"{group.name} compares nothing"
        return self.expected[key]


@contextmanager
def world(
    folder: Path,
    today: date = TODAY,
    seats: int = 8,
    days_ahead: int = 30,
    page_size: int = 3,
    settings: Mapping[str, str] | None = None,
) -> Iterator[World]:
    with (
        Sandbox(today=today, seats=seats, days_ahead=days_ahead) as api,
        Proxy(api.url, page_size=page_size) as proxy,
        patch("sources.http.FIRST_STEP_SECONDS", 0.0),
    ):
        yield World(api, proxy, folder, page_size, settings or {})


def leaks(data_dir: DataDir, ended: Sequence[Ended]) -> list[str]:
    """Where a key stands: in what was printed, or in a file of the data folder."""
    found = ["the output" for each in ended if any(key in each.text for key in KEYS)]
    for file in data_dir.root.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            found += [str(file) for key in KEYS if key.encode() in content]
    return found
