"""A year of an invented organisation, by the commands: what each event's run said and moved.

`python -m tests.pipelines.events_of_a_year` writes the table of it into docs/people-and-privacy.md.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

import duckdb

from sources.days import days_between
from sources.sandbox import Sandbox
from tests.commands import Ended, command

DOCS = Path(__file__).parents[2] / "docs" / "people-and-privacy.md"
BEGIN, END = "<!-- year: begin -->\n", "<!-- year: end -->\n"
TOMBSTONE = "0123456789abcdef0123456789abcdef"
ONLY = ("costs", "cost_totals", "summaries", "claude_admin")
HEAD = "email,department,cost_center,manager_email,valid_from,seat_tier"


@dataclass
class Year:
    """The API and the files of the organisation: people by id, with the address they have now."""

    api: Sandbox
    folder: Path
    addresses: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    group_name: str = "Engineering"
    separator: str = ","
    spoilt: str = ""

    def __post_init__(self) -> None:
        for name, department in {
            "ana": "Sales", "ben": "Legal", "cho": "Lab", "dan": "Lab", "eve": "Sales",
            "fay": "Law",
        }.items():  # fmt: skip
            self.addresses[name] = f"{name}@old.example"
            self.line(name, department)
        self.file("seat_prices").write_text("seat_tier,usd_per_month,valid_from\nstandard,31,\n")
        self.file("cost_center_groups").write_text(
            "rbac_group,department,cost_center,priority\nEngineering,Lab,7,1\n"
        )

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.csv"

    def line(self, who: str, department: str, since: str = "", tier: str = "standard") -> None:
        """HR's line for the address that the person has now."""
        self.lines.append(f"{self.addresses[who]},{department},7,,{since},{tier}")

    def night(self, month: int) -> Ended:
        """A day of cost, the roster of that day, and the run once the month is whole."""
        day = date(2026, month, 10)
        self.api.today = date(2026, month + 1, 5)
        self.api.publish(
            "costs",
            day,
            [spent(who, email, 1000 * len(who) + month) for who, email in self.addresses.items()],
        )
        seats = self.roster(day)
        for counted in days_between(day.replace(day=1), self.api.today - timedelta(days=1)):
            self.api.publish("summaries", counted, [{"assigned_seat_count": seats}])
        chart = "\n".join([HEAD, *self.lines, ""]).replace(",", self.separator)
        self.file("org_chart").write_text(chart + self.spoilt)
        only = " ".join(f"--only {name}" for name in ONLY)
        return command(f"sync --today {self.api.today} {only}")

    def roster(self, day: date) -> int:
        """Who is a member, and in the group, from that day on; how many have a seat."""
        members = [
            {"id": who, "email": email}
            for who, email in self.addresses.items()
            if TOMBSTONE not in email
        ]
        self.api.publish_roster("members", members, since=day)
        self.api.publish_roster("rbac_groups", [{"id": "g1", "name": self.group_name}], since=day)
        in_group = [
            {"rbac_group_id": "g1", "user_id": who, "email": self.addresses[who]}
            for who in ("ben", "cho")
        ]
        self.api.publish_roster("rbac_group_members", in_group, since=day)
        return len(members)


def spent(user_id: str, email: str, cents: int) -> Mapping[str, Any]:
    actor = {"type": "user_actor", "user_id": user_id, "email_address": email}
    return {
        "group": {"actor": actor, "product": "chat", "model": "opus", "cost_type": "tokens"},
        "cost": {"amount": f"{cents}", "list_amount": f"{cents}", "currency": "USD"},
    }


def renamed(year: Year) -> None:
    """One person has a new address, and a line for it from that month."""
    year.addresses["ana"] = "ann@old.example"
    year.line("ana", "Sales", "2026-02-01")


def moved(year: Year) -> None:
    """Everybody has a new mail domain; HR has lines for four of six."""
    for who in year.addresses:
        year.addresses[who] = year.addresses[who].replace("old.", "new.")
    for who, department in {"ana": "Sales", "ben": "Legal", "cho": "Lab", "dan": "Lab"}.items():
        year.line(who, department, "2026-03-01")


def swapped(year: Year) -> None:
    """Two people swap addresses, with a line for both."""
    year.addresses["ben"], year.addresses["cho"] = year.addresses["cho"], year.addresses["ben"]
    year.line("ben", "Legal", "2026-04-01")
    year.line("cho", "Lab", "2026-04-01")


def hired_again(year: Year) -> None:
    """Somebody left and comes back, with the same address and a new id."""
    year.addresses["dan.again"] = year.addresses.pop("dan")


def reused(year: Year) -> None:
    """Somebody left; another person gets their address, and a line."""
    year.addresses["gus"] = year.addresses.pop("eve")
    year.line("gus", "Legal", "2026-06-01")


def deleted(year: Year) -> None:
    """A directory deletes somebody and puts a tombstone before the address; cost still comes."""
    year.addresses["fay"] = TOMBSTONE + year.addresses["fay"]


def group_renamed(year: Year) -> None:
    """An administrator renames a group that the file of cost centers names."""
    year.group_name = "Builders"


def unpriced(year: Year) -> None:
    """Somebody gets a seat of a tier without a price."""
    year.line("cho", "Lab", "2026-09-01", "premium")


def saved_anew(year: Year) -> None:
    """The month after; a spreadsheet saves the org chart with semicolons."""
    year.separator = ";"


def saved_with_an_error(year: Year) -> None:
    """A spreadsheet saves it again, with a formula that failed."""
    year.spoilt = "gus@new.example;#REF!;7;;2026-11-01;standard\n"


EVENTS: list[Callable[[Year], None]] = [
    renamed, moved, swapped, hired_again, reused, deleted, group_renamed, unpriced, saved_anew,
    saved_with_an_error,
]  # fmt: skip
"""What happens at the start of February and of each month after it."""


class Outcome(NamedTuple):
    """What the run of an event and the status after it said of it, and each line of chargeback of
    the months before that it moved."""

    event: str
    said: str
    moved: list[str]


@contextmanager
def organisation(folder: Path) -> Iterator[tuple[Year, Path]]:
    """The year's beginning, and the file that readers have."""
    with Sandbox.empty(today="2026-01-01") as api:
        year = Year(api, folder)
        settings = {
            f"SOURCES__{source}__{name}": value
            for source in ("CLAUDE_ANALYTICS", "CLAUDE_ADMIN")
            for name, value in {
                "BASE_URL": api.url, "API_KEY": api.api_key, "REQUESTS_PER_MINUTE": "100000",
            }.items()
        }  # fmt: skip
        for name in ("org_chart", "seat_prices", "cost_center_groups"):
            settings[f"SOURCES__REFERENCE_FILES__{name.upper()}"] = str(year.file(name))
        settings["PIPELINE__DATA_DIR"] = str(folder / "data")
        with patch.dict(os.environ, settings):
            yield year, folder / "data" / "serving.duckdb"


def outcomes(folder: Path) -> Iterator[Outcome]:
    with organisation(folder) as (year, served):
        year.roster(date(2026, 1, 1))
        command("sync --today 2026-01-01 --only claude_admin --no-transform")
        year.night(1)
        before, known = chargeback(served, 2), told("status")
        for month, event in enumerate(EVENTS, start=2):
            event(year)
            ended = year.night(month)
            now, status = chargeback(served, month), told("status")
            new = [line for line in status if line not in known]
            words = [*dict.fromkeys([*lines_of(ended), *new])]
            if ended.exit_code:
                words.append(f"Exit code {ended.exit_code}.")
            yield Outcome(str(event.__doc__), " ".join(words), differences(before, now))
            before, known = chargeback(served, month + 1), status


def chargeback(served: Path, until: int) -> dict[tuple[Any, ...], Decimal | None]:
    """The lines of the months before that one."""
    with duckdb.connect(str(served), read_only=True) as marts:
        rows = marts.execute(
            f"""
            select month, department, cost_center, cost_pool, amount_usd
            from claude_marts.chargeback_monthly
            where month < make_date(2026, {until}, 1)
            """
        ).fetchall()
    return {tuple(key): amount for *key, amount in rows}


def differences(
    before: Mapping[tuple[Any, ...], Decimal | None], now: Mapping[tuple[Any, ...], Decimal | None]
) -> list[str]:
    return [
        f"{key[0]:%Y-%m} {key[1]} {key[3]}: {before.get(key)} to {now.get(key)}"
        for key in sorted({*before, *now}, key=str)
        if before.get(key) != now.get(key)
    ]


ABOUT = re.compile(
    r"org_chart|cost_center_groups|seat_prices|every_seat_has_a_price|line \d+, column|^Nothing was"
)


def lines_of(ended: Ended) -> list[str]:
    """Lines that are about the files and what they meet."""
    lines = [line.strip() for line in ended.text.splitlines() if ABOUT.search(line)]
    return [re.sub(r"\S*/(\w+\.csv)", r"\1", line) for line in lines]


def told(words: str) -> list[str]:
    return lines_of(command(words))


def markdown(found: list[Outcome]) -> str:
    lines = [
        "| event | what the run said | what moved in the months before |",
        "| --- | --- | --- |",
    ]
    for event, words, changes in found:
        text = words.replace("|", "\\|").replace("*", "\\*") or "(nothing)"
        lines.append(f"| {event} | {text} | {'; '.join(changes) or 'nothing'} |")
    return "\n".join(lines) + "\n"


def documented() -> str:
    return DOCS.read_text().partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        table = markdown(list(outcomes(Path(scratch))))
    head, _, rest = DOCS.read_text().partition(BEGIN)
    DOCS.write_text(head + BEGIN + table + END + rest.partition(END)[2])
    sys.stdout.write(f"{DOCS}: {len(EVENTS)} events\n")
