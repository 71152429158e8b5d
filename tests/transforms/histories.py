"""Organisations by chance whose people are renamed, swap addresses, move domains and departments.

Each follows its people by their ids, and so knows where a day's spend belongs whatever they were
called. All of them fit into one warehouse, so that one build of the transforms tries them all.

Every other one has a roster, and an API that names people as it does on the day when it is asked,
which is some days later; of who is deleted by then it has a tombstone.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import pyarrow as pa

from tests.transforms.raw_tables import RawWarehouse

FIRST_DAY = date(2026, 1, 1)
DAY_COUNT = 60
ASKED_AFTER_DAYS = 3
DEPARTMENTS = ("Sales", "Legal", "Lab")
TOMBSTONE = "0123456789abcdef0123456789ABCDEF"

Row = dict[str, Any]


@dataclass
class Person:
    """Somebody by id: where they are and what they are called now."""

    user_id: str
    address: str
    department: str
    has_left: bool = False
    seen_as: str | None = None


@dataclass
class History:
    """What one organisation tells in its files and its API, and what is true of it.

    Attributes:
        org_chart: Lines as HR writes them, one more for each change.
        sightings: The people of each day, by the address that the API has of them.
        nights: Each night's roster: the address of each person by id.
        spend: Cents by department, by the ids.
        events: What happened, in words.
    """

    seed: int
    people: list[Person] = field(default_factory=list)
    org_chart: list[Row] = field(default_factory=list)
    sightings: list[Row] = field(default_factory=list)
    nights: list[dict[str, str]] = field(default_factory=list)
    spend: Counter[str] = field(default_factory=Counter)
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.numbers = iter(range(1000))
        self.due: list[tuple[date, Person, str]] = []
        for _ in range(self.chance.randint(2, 5)):
            self._hire(None, FIRST_DAY)
        # Two changes within the days after which the API is asked would be one to it.
        event_days = self.chance.sample(
            range(5, DAY_COUNT, ASKED_AFTER_DAYS + 1 if self.has_roster else 1),
            self.chance.randint(1, 8),
        )
        for number in range(DAY_COUNT):
            day = _day(number)
            there = [person for person in self.people if not person.has_left]
            self.nights.append({person.user_id: person.address for person in there})
            if number in event_days:
                self._happens(day)
            self._follows(day)
            self._spends(day)
        if self.has_roster:
            self._is_asked_later()

    @property
    def has_roster(self) -> bool:
        return self.seed % 2 == 1

    def _is_asked_later(self) -> None:
        last = self.nights[-1]
        for row in self.sightings:
            asked = (row["day"] - FIRST_DAY).days + ASKED_AFTER_DAYS + 1
            known = self.nights[asked] if asked < DAY_COUNT else last
            row["email"] = known.get(row["user_id"], TOMBSTONE + row["email"])

    def _address(self) -> str:
        return f"a{next(self.numbers)}@h{self.seed}.example"

    def _department(self) -> str:
        return f"{self.seed} {self.chance.choice(DEPARTMENTS)}"

    def _line(self, person: Person, day: date | None) -> None:
        """HR's line for the address that the person has now."""
        address = self.chance.choice((str, str.upper, str.title))(person.address)
        self.org_chart.append(
            {
                "email": address, "department": person.department,
                "cost_center": None, "valid_from": day,
            }
        )  # fmt: skip

    def _hire(self, address: str | None, day: date) -> None:
        person = Person(
            f"u{next(self.numbers)}_{self.seed}", address or self._address(), self._department()
        )
        self.people.append(person)
        # Who was there from the start is in the file from ever.
        self._line(person, None if day == FIRST_DAY else day)

    def _follows(self, day: date) -> None:
        """HR's lines that are due, of those whose address they still name."""
        for due, person, address in self.due:
            if due == day and person.address == address and not person.has_left:
                self._line(person, day)

    def _happens(self, day: date) -> None:
        there = [person for person in self.people if not person.has_left]
        event: Callable[[list[Person], date], None] = self.chance.choice(
            (
                self._renamed, self._renamed_and_moved, self._renamed_without_a_line,
                self._swapped, self._swapped, self._moves_department, self._moves_domain,
                self._leaves_to_another, self._is_hired_again, self._named_as_before,
            )
        )  # fmt: skip
        event(there, day)
        self.events.append(f"{day}: {event.__name__.strip('_')}")

    def _renamed(self, there: list[Person], day: date) -> None:
        person = self.chance.choice(there)
        person.address = self._address()
        if self.chance.random() < 0.2:
            self._line(person, None)
        else:
            late = day + timedelta(days=self.chance.choice((0, 3, 9)))
            self.due.append((late, person, person.address))

    def _renamed_and_moved(self, there: list[Person], day: date) -> None:
        person = self.chance.choice(there)
        person.address, person.department = self._address(), self._department()
        self._line(person, day)

    def _renamed_without_a_line(self, there: list[Person], day: date) -> None:
        self.chance.choice(there).address = self._address()

    def _swapped(self, there: list[Person], day: date) -> None:
        if len(there) < 2:
            return
        one, other = self.chance.sample(there, 2)
        one.address, other.address = other.address, one.address
        for person in (one, other):
            self._line(person, day)

    def _moves_department(self, there: list[Person], day: date) -> None:
        person = self.chance.choice(there)
        person.department = self._department()
        self._line(person, day)

    def _moves_domain(self, there: list[Person], day: date) -> None:
        domain = f"n{next(self.numbers)}.example"
        for person in there:
            person.address = f"{person.address.split('@')[0]}.{self.seed}@{domain}"
            if self.chance.random() < 0.8:
                self._line(person, day)

    def _leaves_to_another(self, there: list[Person], day: date) -> None:
        """The address is given to somebody new."""
        person = self.chance.choice(there)
        person.has_left = True
        self._hire(person.address, day)

    def _is_hired_again(self, there: list[Person], day: date) -> None:
        """The same department, a new id, and no new line if the address has one."""
        person = self.chance.choice(there)
        person.has_left = True
        again = Person(f"u{next(self.numbers)}_{self.seed}", person.address, person.department)
        self.people.append(again)
        if again.address not in {line["email"].lower() for line in self.org_chart}:
            self._line(again, day)

    def _named_as_before(self, there: list[Person], day: date) -> None:
        """Somebody gets an address of their own back that nobody else has."""
        person = self.chance.choice(there)
        taken = {other.address for other in self.people}
        had = {
            row["email"]
            for row in self.sightings
            if row["user_id"] == person.user_id and row["email"] not in taken
        }
        others = {row["email"] for row in self.sightings if row["user_id"] != person.user_id}
        if had - others:
            person.address = min(had - others)
            self._line(person, day)

    def _spends(self, day: date) -> None:
        there = [person for person in self.people if not person.has_left]
        for person in there:
            # Who has never been seen by a name cannot be known by it.
            if person.seen_as != person.address or self.chance.random() < 0.8:
                person.seen_as = person.address
                cents = self.chance.randint(1, 10**6)
                self.spend[person.department] += cents
                self.sightings.append(
                    {
                        "day": day, "user_id": person.user_id, "email": person.address,
                        "cents": cents, "is_in_users": self.chance.random() < 0.7,
                    }
                )  # fmt: skip


def put_into(raw: RawWarehouse, histories: list[History]) -> None:
    """Store what the organisations tell in the raw tables."""
    connection = raw.connection
    for name, rows in {
        "sightings": [row for history in histories for row in history.sightings],
        "lines": [row for history in histories for row in history.org_chart],
        "members": list(_members(histories)),
    }.items():
        connection.register(name, pa.Table.from_pylist(rows))
    connection.execute("insert into claude_raw.org_chart by name select * from lines")
    connection.execute("insert into claude_raw.members by name select * from members")
    connection.execute(
        """
        insert into claude_raw.costs by name
        select
            day as activity_date, 0 as version, 'user_actor' as group__actor__type,
            user_id as group__actor__user_id,
            case when not is_in_users then email end as group__actor__email_address,
            'tokens' as group__cost_type, cents as cost__amount, cents as cost__list_amount,
            'USD' as cost__currency
        from sightings
        """
    )
    connection.execute(
        """
        insert into claude_raw.users by name
        select day as activity_date, 0 as version, user_id as user__id, email as user__email_address
        from sightings where is_in_users
        """
    )
    for number in range(DAY_COUNT):
        raw.fetch("costs", _day(number), version=0)
        raw.fetch("users", _day(number), version=0)
        raw.insert(
            "roster_snapshots",
            roster_table="members", snapshot_at=_night(number), row_count=1,
            fetch_number=number, version=number, outcome="loaded",
            _dlt_load_id="complete", _dlt_id=str(number),
        )  # fmt: skip


def _members(histories: list[History]) -> Iterator[Row]:
    """The rosters of the nights as the raw table has them: a row per change."""
    for history in histories:
        before: dict[str, str] = {}
        for number, night in enumerate(history.nights if history.has_roster else []):
            for user_id, email in sorted(before.items() ^ night.items()):
                is_gone = night.get(user_id) != email
                yield {
                    "id": None if is_gone else user_id, "email": None if is_gone else email,
                    "row_hash": f"{user_id} {email}", "version": number, "is_gone": is_gone,
                    "_dlt_load_id": "complete", "_dlt_id": f"{user_id}{email}{number}{is_gone}",
                }  # fmt: skip
            before = night


def _day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def _night(number: int) -> datetime:
    return datetime.combine(_day(number), time(3), UTC)
