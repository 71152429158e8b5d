"""A year in which people and groups change their names: no month before a change moves by it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.warehouse.dbt import transform
from pipelines.warehouse.duckdb import target
from tests.transforms.conftest import CHAT, Query, queries
from tests.transforms.raw_tables import RawWarehouse
from tests.transforms.test_money import cost, person, total

Row = dict[str, Any]
TOMBSTONE = "0123456789abcdef0123456789abcdef"


@dataclass
class Year:
    """An organisation that its own raw tables follow: people by id, with the address of the day."""

    folder: Path
    addresses: dict[str, str] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    group_name: str = "Engineering"

    def __post_init__(self) -> None:
        self.raw = RawWarehouse(self.folder / "warehouse.duckdb")
        self.raw.insert("seat_prices", seat_tier="default", usd_per_month="31.70")
        self.raw.insert(
            "cost_center_groups", rbac_group="engineering", department="Lab", priority=1
        )
        for name, department in {
            "ana": "Sales", "ben": "Legal", "cho": "Lab",
            "dan": "Lab", "eve": "Sales", "fay": "Law",
        }.items():  # fmt: skip
            self.addresses[name] = f"{name}@old.example"
            self.line(name, department, None)

    def line(self, user_id: str, department: str, since: str | None) -> None:
        """HR's line for the address that the person has now."""
        self.raw.insert(
            "org_chart", email=self.addresses[user_id], department=department, valid_from=since
        )

    def month(self, number: int) -> None:
        """Four days of use and cost, and a roster on each of them."""
        for day in (date(2026, number, day) for day in (4, 11, 18, 25)):
            people = [name for name in self.addresses if name not in self.left]
            # What somebody did before they left is billed later.
            billed = [*people, *(name for name in self.left if TOMBSTONE in self.addresses[name])]
            spent = [
                cost(person(name, self.addresses[name]), f"{day.day}{number:02}.{len(name)}31")
                for name in billed
            ]
            cents = f"{sum(float(row['cost__amount']) for row in spent):.3f}"
            self.raw.fetch("costs", day, spent, settles_after_days=30)
            self.raw.fetch("cost_totals", day, [total(cents, None)], settles_after_days=30)
            self.raw.fetch("summaries", day, [{"assigned_seat_count": 8}])
            self.raw.fetch(
                "users",
                day,
                [
                    {"user__id": name, "user__email_address": self.addresses[name], CHAT: day.day}
                    for name in people
                ],
            )
            night = f"{datetime.combine(day, time(3), UTC):%Y-%m-%d %H:%M}"
            self.raw.snapshot(
                "members", night, [{"id": name, "email": self.addresses[name]} for name in people]
            )
            self.raw.snapshot("rbac_groups", night, [{"id": "g1", "name": self.group_name}])
            self.raw.snapshot(
                "rbac_group_members",
                night,
                [{"rbac_group_id": "g1", "user_id": name} for name in people if name in "ben cho"],
            )

    def lines(self, until: int, **variables: str) -> list[tuple[Any, ...]]:
        """The chargeback of the months before that one, as everything is known now."""
        self.raw.close()
        transform(target(self.raw.path, self.folder), variables, ["+int_chargeback_lines"])
        known = self.query()(
            f"""
            select * from claude_staging.int_chargeback_lines
            where month < '2026-{until:02}-01' order by all
            """
        )
        self.raw.connection = duckdb.connect(self.raw.path)
        self.raw.connection.execute("set TimeZone = 'UTC'")
        return known

    def query(self) -> Query:
        return queries(self.raw.path)


def renamed(year: Year) -> None:
    year.addresses["ana"] = "ann@old.example"
    year.line("ana", "Sales", "2026-02-01")


def renamed_and_moved_with_a_line_that_is_late(year: Year) -> None:
    year.addresses["dan"] = "daniel@old.example"
    year.line("dan", "Law", "2026-03-12")


def moved_to_another_domain(year: Year) -> None:
    for name, department in {"ana": "Sales", "ben": "Legal", "cho": "Lab", "dan": "Law"}.items():
        year.addresses[name] = year.addresses[name].replace("old.", "new.")
        year.line(name, department, "2026-04-01")
    # Nobody told HR of these two.
    for name in ("eve", "fay"):
        year.addresses[name] = year.addresses[name].replace("old.", "new.")


def swapped(year: Year) -> None:
    year.addresses["ben"], year.addresses["cho"] = year.addresses["cho"], year.addresses["ben"]
    year.line("ben", "Legal", "2026-05-01")
    year.line("cho", "Lab", "2026-05-01")


def hired_again_and_address_given_to_another(year: Year) -> None:
    year.left |= {"dan", "eve"}
    year.addresses |= {"dan.again": year.addresses["dan"], "gus": year.addresses["eve"]}
    year.line("gus", "Legal", "2026-06-01")


def deleted_with_a_tombstone(year: Year) -> None:
    year.left.add("fay")
    year.addresses["fay"] = TOMBSTONE + year.addresses["fay"]


def group_renamed(year: Year) -> None:
    year.group_name = "Builders"


EVENTS: list[Callable[[Year], None]] = [
    renamed,
    renamed_and_moved_with_a_line_that_is_late,
    moved_to_another_domain,
    swapped,
    hired_again_and_address_given_to_another,
    deleted_with_a_tombstone,
    group_renamed,
]
"""What happens at the start of February and of each month after it."""


@pytest.mark.parametrize(
    "cost_centers_from", ["org_chart", pytest.param("groups", marks=pytest.mark.long)]
)
def test_no_month_before_a_change_of_names_moves_by_it(
    tmp_path: Path, cost_centers_from: str
) -> None:
    year = Year(tmp_path)
    year.month(1)
    moved = {}
    before = year.lines(2, chargeback_cost_centers_from=cost_centers_from)
    assert {line[2] for line in before} >= {"Lab", "Unattributed"}
    for month, event in enumerate(EVENTS, start=2):
        event(year)
        year.month(month)
        now = year.lines(month + 1, chargeback_cost_centers_from=cost_centers_from)
        past = [line for line in now if line[0] < date(2026, month, 1)]
        if past != before:
            moved[event.__name__] = sorted(set(before) ^ set(past), key=str)
        before = now
    assert moved == {}
    if cost_centers_from == "org_chart":
        assert {line[2] for line in before} == {"Lab", "Law", "Legal", "Sales", "Unattributed"}
