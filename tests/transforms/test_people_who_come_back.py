"""An address with a new id, one given to another person, two accounts of one person, two ids of one
address: what each mart says of them."""

from datetime import date
from decimal import Decimal

import pytest

from pipelines.warehouse.dbt import transform
from pipelines.warehouse.duckdb import target
from tests.transforms.conftest import CHAT, Query, days, queries
from tests.transforms.raw_tables import RawWarehouse, marts
from tests.transforms.test_money import cost, person

LOADED = days("2026-01-01", "2026-04-30")
# Id -> its address, and the first and last day of its account and of its use.
ACCOUNTS = {
    # Came back in March, with the same address; HR has one line for ever.
    "ana.1": ("ana@x.example", ("2026-01-01", "2026-02-10"), ("2026-01-01", "2026-02-10")),
    "ana.2": ("ana@x.example", ("2026-03-02", "2026-04-30"), ("2026-03-02", "2026-04-30")),
    # Came back too; HR's line ended and nobody wrote a new one. Has not begun yet.
    "bob.1": ("bob@x.example", ("2026-01-01", "2026-02-10"), ("2026-01-01", "2026-02-10")),
    "bob.2": ("bob@x.example", ("2026-03-02", "2026-04-30"), None),
    # Left, was active once more, and the address was given to Dan with a line of its own.
    "cho": ("c@x.example", ("2026-01-01", "2026-02-10"), ("2026-01-01", "2026-02-12")),
    "dan": ("c@x.example", ("2026-03-02", "2026-04-30"), ("2026-03-02", "2026-04-30")),
    # Two accounts of one person, and two ids of one address.
    "eve.1": ("eve@x.example", ("2026-01-01", "2026-04-30"), ("2026-01-01", "2026-04-30")),
    "eve.2": ("eve.dev@x.example", ("2026-01-01", "2026-04-30"), ("2026-01-01", "2026-02-20")),
    "fay.1": ("fay@x.example", ("2026-01-01", "2026-04-30"), ("2026-01-01", "2026-04-30")),
    "fay.2": ("fay@x.example", ("2026-01-01", "2026-04-30"), ("2026-01-01", "2026-02-20")),
}
ORG_CHART = [
    ("ana@x.example", "Sales", None, None),
    ("bob@x.example", "Sales", None, "2026-02-10"),
    ("c@x.example", "Law", None, "2026-02-10"),
    ("C@x.example", "Lab", "2026-03-02", None),
    ("eve@x.example", "Ops", None, None),
    ("eve.dev@x.example", "Dev", None, None),
    ("fay@x.example", "Art", None, None),
]


def there(span: tuple[str, str] | None, day: date) -> bool:
    return span is not None and span[0] <= day.isoformat() <= span[1]


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Query:
    folder = tmp_path_factory.mktemp("back")
    raw = RawWarehouse(folder / "warehouse.duckdb")
    for day in LOADED:
        used = [name for name, (_, _, use) in ACCOUNTS.items() if there(use, day)]
        raw.fetch(
            "users",
            day,
            [
                {"user__id": name, "user__email_address": ACCOUNTS[name][0], CHAT: 1}
                for name in used
            ],
        )
        raw.fetch("costs", day, [cost(person(name, ACCOUNTS[name][0]), "100") for name in used])
        raw.fetch("summaries", day, [{"assigned_seat_count": 8}])
        if day.day in (1, 2, 11, 30):
            members = [
                {"id": name, "email": email, "role": "user", "added_at": f"{account[0]}T00:00Z"}
                for name, (email, account, _) in ACCOUNTS.items()
                if there(account, day)
            ]
            raw.snapshot("members", f"{day} 03:00", members)
    for email, department, valid_from, end_date in ORG_CHART:
        raw.insert(
            "org_chart",
            email=email, department=department, valid_from=valid_from, end_date=end_date,
        )  # fmt: skip
    raw.insert("seat_prices", seat_tier="default", usd_per_month="30")
    raw.insert("exempt_seats", email="bob@x.example", reason="leave")
    raw.insert("access_reviews", email="c@x.example", reviewed_at=date(2026, 2, 1), reviewer="kim")
    raw.insert(
        "access_reviews", email="fay@x.example", reviewed_at=date(2026, 2, 1), reviewer="kim"
    )
    raw.close()
    result = transform(
        target(raw.path, folder), select=marts("adoption", "seats", "money", "governance")
    )
    assert not result.failed_tests
    return queries(raw.path)


def test_a_new_id_has_a_seat_of_its_own_and_the_old_one_keeps_its_last_department(
    query: Query,
) -> None:
    assert query(
        """
        select user_id, seat_status, department, seat_cost_usd_per_month, left_date
        from claude_marts.seats order by user_id
        """
    ) == [
        ("ana.1", "removed", "Sales", None, date(2026, 2, 11)),
        ("ana.2", "active", "Sales", 30, None),
        ("bob.1", "removed", "Sales", None, date(2026, 2, 11)),
        ("bob.2", "never_active", "Sales", 30, None),
        ("cho", "removed", "Law", None, date(2026, 2, 11)),
        ("dan", "active", "Lab", 30, None),
        ("eve.1", "active", "Ops", 30, None),
        ("eve.2", "dormant", "Dev", 30, None),
        ("fay.1", "active", "Art", 30, None),
        ("fay.2", "dormant", "Art", 30, None),
    ]


def test_each_account_is_dormant_by_its_own_use(query: Query) -> None:
    # Bob's address is exempt, so that his new account is too.
    assert query("select user_id from claude_marts.dormant_accounts order by 1") == [
        ("eve.2",),
        ("fay.2",),
    ]
    assert query("select user_id from claude_marts.seat_recommendations where is_exempt") == [
        ("bob.2",)
    ]


def test_a_new_id_is_a_new_user_and_the_old_one_churned(query: Query) -> None:
    assert query(
        """
        select month, active_users, new_users, retained_users, churned_users
        from claude_marts.growth_monthly where month >= '2026-02-01' order by month
        """
    ) == [
        (date(2026, 2, 1), 7, 0, 7, 0),
        (date(2026, 3, 1), 4, 2, 2, 5),
        (date(2026, 4, 1), 4, 0, 4, 0),
    ]
    assert query(
        """
        select months_since, retained_users from claude_marts.retention_monthly
        where first_active_month = '2026-03-01' order by 1
        """
    ) == [(0, 2), (1, 2)]


def test_nobody_is_said_to_keep_the_access_of_who_had_the_address_before(query: Query) -> None:
    assert query(
        """
        select user_id, employment_end_date, finding, residual_active_days
        from claude_marts.offboarding_check order by user_id
        """
    ) == [
        ("ana.1", None, None, 0),
        ("bob.1", date(2026, 2, 10), None, 0),
        ("cho", date(2026, 2, 10), "active after leaving", 2),
    ]


def test_each_id_is_charged_where_its_address_was_on_the_day(query: Query) -> None:
    metered = query(
        """
        select department, strftime(month, '%m'), amount_usd, active_user_count
        from claude_marts.chargeback_monthly
        where cost_pool = 'metered' and month in ('2026-02-01', '2026-03-01') order by 1, 2
        """
    )
    assert metered == [
        ("Art", "02", 28 + 20, 2), ("Art", "03", 31, 1), ("Dev", "02", 20, 1),
        ("Lab", "03", 30, 1), ("Law", "02", 12, 1), ("Ops", "02", 28, 1), ("Ops", "03", 31, 1),
        ("Sales", "02", 10 + 10, 2), ("Sales", "03", 30, 1),
    ]  # fmt: skip
    seats = query(
        """
        select department, seat_count, amount_usd from claude_marts.chargeback_monthly
        where cost_pool = 'seats' and month = '2026-04-01' order by 1
        """
    )
    assert seats == [
        ("Art", 2, 60), ("Dev", 1, 30), ("Lab", 1, 30), ("Ops", 1, 30), ("Sales", 2, 60),
        ("Unattributed", 1, Decimal(30)),
    ]  # fmt: skip


def test_a_review_is_one_of_the_id_that_had_the_address(query: Query) -> None:
    assert query(
        """
        select user_id, last_review_date from claude_marts.access_review
        where last_review_date is not null order by 1
        """
    ) == [("fay.1", date(2026, 2, 1)), ("fay.2", date(2026, 2, 1))]
