"""Seats of five people over eight weeks, with a roster from the third week on."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.warehouse.dbt import TransformResult, transform
from pipelines.warehouse.duckdb import target
from tests.transforms.conftest import CHAT, Query, days, queries
from tests.transforms.raw_tables import RawWarehouse, marts

FIRST, LAST = "2026-03-02", "2026-04-26"
"""Monday of the first week, Sunday of the eighth. Users are loaded up to the last Thursday."""
LOADED = days(FIRST, "2026-04-23")

# When each was active: ana every weekday, ben until the second week, cho never, dan until he left,
# eve from the day she joined.
ACTIVE = {
    "ana": [day for day in LOADED if day.weekday() < 5],
    "ben": days("2026-03-02", "2026-03-13"),
    "dan": days("2026-03-02", "2026-04-05"),
    "eve": days("2026-04-20", "2026-04-23"),
}
# Who was in the roster at each snapshot, and as what. The one of April 14 did not take place.
ROSTER = {
    "2026-03-16": {"ana": "owner", "ben": "user", "cho": "user", "dan": "user"},
    "2026-04-01": {"ana": "owner", "ben": "user", "cho": "user", "dan": "admin"},
    "2026-04-13": {"ana": "owner", "ben": "user", "cho": "user"},
    "2026-04-20": {"ana": "owner", "ben": "user", "cho": "user", "eve": "user"},
    "2026-04-26": {"ana": "owner", "ben": "user", "cho": "user", "eve": "user"},
}
GROUPS = {
    "2026-03-16": [("g1", "ana"), ("g1", "ben")],
    "2026-04-13": [("g1", "ana")],
    "2026-04-26": [("g1", "ana")],
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Query, TransformResult]:
    folder = tmp_path_factory.mktemp("seats")
    raw = RawWarehouse(folder / "warehouse.duckdb")
    for day in LOADED:
        rows = [
            {"user__id": person, "user__email_address": f"{person}@example.com", CHAT: 1}
            for person, active in ACTIVE.items()
            if day in active
        ]
        raw.fetch("users", day, rows)
        raw.fetch("summaries", day, [{"assigned_seat_count": 4}])
    for at, people in ROSTER.items():
        members = [
            {
                "id": person, "email": f"{person.title()}@Example.com", "name": person.title(),
                "role": role,
                "added_at": "2026-04-19T12:00Z" if person == "eve" else "2026-01-10T12:00Z",
            }
            for person, role in people.items()
        ]  # fmt: skip
        raw.snapshot("members", f"{at}T10:30", members)
    for at, memberships in GROUPS.items():
        raw.snapshot("rbac_groups", f"{at}T10:30", [{"id": "g1", "name": "Writers"}])
        raw.snapshot(
            "rbac_group_members", f"{at}T10:30",
            [{"rbac_group_id": group, "user_id": person} for group, person in memberships],
        )  # fmt: skip
    raw.snapshot(
        "invites", "2026-04-26T10:30",
        [
            invite("i1", "fay@example.com", "pending", "2026-05-10"),
            invite("i2", "EVE@example.com", "pending", "2026-05-10"),
            invite("i3", "gil@example.com", "pending", "2026-04-26"),
            invite("i4", "hal@example.com", "deleted", "2026-05-10"),
        ],
    )  # fmt: skip
    # A snapshot whose load broke off: what it says is not known.
    raw.snapshot(
        "members", "2026-04-26T20:00",
        [row for row in members if row["id"] != "cho"], load_id="killed",
    )  # fmt: skip
    raw.insert("seat_prices", seat_tier="default", usd_per_month="40", valid_from=None)
    raw.insert(
        "seat_prices", seat_tier="default", usd_per_month="60", valid_from=date(2026, 4, 1)
    )  # fmt: skip
    raw.insert("seat_prices", seat_tier="premium", usd_per_month="200", valid_from=None)
    for email, department, tier in [
        ("ana@example.com", "Sales", "premium"),
        ("fay@EXAMPLE.com", "Legal", None),
    ]:
        raw.insert("org_chart", email=email, department=department, seat_tier=tier)
    raw.close()
    result = transform(target(raw.path, folder))
    return queries(raw.path), result


def invite(invite_id: str, email: str, status: str, expires_on: str) -> dict[str, object]:
    return {
        "id": invite_id, "email": email, "role": "user", "status": status,
        "invited_at": "2026-04-20T09:00Z", "expires_at": f"{expires_on}T09:00Z",
    }  # fmt: skip


@pytest.fixture
def query(built: tuple[Query, TransformResult]) -> Query:
    return built[0]


def test_nothing_fails_or_warns(built: tuple[Query, TransformResult]) -> None:
    assert (built[1].failed_tests, built[1].warnings) == ([], [])


def test_every_seat_is_there_also_those_that_never_did_anything(query: Query) -> None:
    rows = query(
        """
        select
            user_id, email, name, role, department, joined_date::text, last_active_date::text,
            seat_status, days_since_active, active_days_in_28, seat_cost_usd_per_month
        from claude_marts.seats order by email
        """
    )

    # as_of_date is April 23; ana's 28 days began on March 27.
    assert rows == [
        ("ana", "Ana@Example.com", "Ana", "owner", "Sales", "2026-01-10", "2026-04-23", "active",
         0, 20, Decimal(200)),
        ("ben", "Ben@Example.com", "Ben", "user", "Unmapped", "2026-01-10", "2026-03-13",
         "dormant", 41, 0, Decimal(60)),
        ("cho", "Cho@Example.com", "Cho", "user", "Unmapped", "2026-01-10", None,
         "never_active", None, 0, Decimal(60)),
        ("dan", "Dan@Example.com", "Dan", "admin", "Unmapped", "2026-01-10", "2026-04-05",
         "removed", 18, 10, None),
        ("eve", "Eve@Example.com", "Eve", "user", "Unmapped", "2026-04-19", "2026-04-23", "active",
         0, 4, Decimal(60)),
        (None, "fay@example.com", None, "user", "Legal", None, None, "invited", None, None, None),
    ]  # fmt: skip


def test_a_leaver_has_the_day_on_which_the_roster_no_longer_had_them(query: Query) -> None:
    assert query(
        "select user_id, left_date::text from claude_marts.seats where left_date is not null"
    ) == [("dan", "2026-04-13")]


def test_inactive_seats_are_holders_without_activity_in_30_days(query: Query) -> None:
    rows = query(
        "select activity_date, inactive_seats from claude_marts.seat_utilization_daily"
        " order by activity_date"
    )

    def holders(day: date) -> set[str]:
        known = [at for at in ROSTER if date.fromisoformat(at) <= day]
        return set(ROSTER[known[-1]]) if known else set()

    def inactive(day: date) -> int | None:
        window = {day - timedelta(days=age) for age in range(30)}
        if not window <= set(LOADED) or not holders(day):
            return None
        return sum(not window & set(ACTIVE.get(person, [])) for person in holders(day))

    assert rows == [(day, inactive(day)) for day in LOADED]
    assert {count for _, count in rows} == {None, 1, 2}


def test_who_had_a_seat_on_a_day_is_answerable(query: Query) -> None:
    def holders(day: str) -> list[tuple[str, str]]:
        return [
            (person, role)
            for person, role in query(
                f"""
                select user_id, role from claude_marts.roster_periods
                where
                    valid_from_date <= '{day}'
                    and (valid_until_date > '{day}' or valid_until_date is null)
                order by user_id
                """
            )
        ]

    assert holders("2026-03-15") == []
    assert holders("2026-03-31") == sorted(ROSTER["2026-03-16"].items())
    assert holders("2026-04-12") == sorted(ROSTER["2026-04-01"].items())
    assert holders("2026-04-26") == sorted(ROSTER["2026-04-26"].items())


def test_a_roster_period_lasts_while_seat_role_and_groups_are_the_same(query: Query) -> None:
    rows = query(
        """
        select user_id, valid_from_date::text, valid_until_date::text, role, rbac_group_names
        from claude_marts.roster_periods order by user_id, valid_from_date
        """
    )

    assert rows == [
        ("ana", "2026-03-16", None, "owner", "Writers"),
        ("ben", "2026-03-16", "2026-04-13", "user", "Writers"),
        ("ben", "2026-04-13", None, "user", None),
        ("cho", "2026-03-16", None, "user", None),
        ("dan", "2026-03-16", "2026-04-01", "user", None),
        ("dan", "2026-04-01", "2026-04-13", "admin", None),
        ("eve", "2026-04-20", None, "user", None),
    ]


@pytest.mark.parametrize(
    ("rows_of", "known"),
    [
        (["ana", "ben"], {"ana": "active", "ben": "dormant"}),
        pytest.param(["ana"], {"ana": "active"}, marks=pytest.mark.long),
    ],
)
def test_without_a_roster_seats_are_the_people_seen_in_activity(
    rows_of: list[str], known: dict[str, str], tmp_path: Path
) -> None:
    raw = RawWarehouse(tmp_path / "warehouse.duckdb")
    for day in LOADED:
        active = [person for person in rows_of if day in ACTIVE[person]]
        raw.fetch("users", day, [{"user__id": person, CHAT: 1} for person in active])
    raw.snapshot(
        "invites", "2026-04-26T10:30", [invite("i1", "fay@x.org", "pending", "2026-06-01")]
    )
    raw.close()

    transform(target(raw.path, tmp_path), select=marts("seats"))

    assert dict(queries(raw.path)("select user_id, seat_status from claude_marts.seats")) == known
