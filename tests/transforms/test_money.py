"""Spend, its owners and its bill, from hand-made rows to numbers computed by hand."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.warehouse.dbt import TransformResult, transform
from pipelines.warehouse.duckdb import target
from tests.transforms.conftest import Query, days, queries
from tests.transforms.raw_tables import RawWarehouse, marts

Row = dict[str, Any]


def actor(kind: str, **fields: str | None) -> Row:
    return {
        "group__actor__type": kind,
        **{f"group__actor__{name}": value for name, value in fields.items()},
    }


def person(user_id: str, email: str | None = None) -> Row:
    return actor("user_actor", user_id=user_id, email_address=email)


def cost(
    who: Row,
    cents: str,
    *,
    product: str | None = "chat",
    model: str | None = "opus",
    cost_type: str | None = "tokens",
    list_cents: str | None = None,
) -> Row:
    return {
        **who,
        "group__product": product, "group__model": model, "group__cost_type": cost_type,
        "cost__amount": cents, "cost__list_amount": list_cents or cents, "cost__currency": "USD",
    }  # fmt: skip


def tokens(
    who: Row, output: int, *, product: str | None = "chat", model: str | None = "opus"
) -> Row:
    return {
        **who,
        "group__product": product, "group__model": model,
        "usage__output_tokens": output, "usage__uncached_input_tokens": 10 * output,
        "usage__cache_read_input_tokens": 0, "usage__requests": 1,
        "usage__cache_creation__ephemeral_5m_input_tokens": 2,
        "usage__cache_creation__ephemeral_1h_input_tokens": 3,
        "usage__server_tool_use__web_search_requests": 0,
    }  # fmt: skip


def total(cents: str, product: str | None = "chat", list_cents: str | None = None) -> Row:
    return {
        "group__product": product, "cost__amount": cents, "cost__list_amount": list_cents or cents,
        "cost__currency": "USD",
    }  # fmt: skip


def report(
    cents: str,
    *,
    user: str | None = None,
    product: str | None = "chat",
    model: str | None = "opus",
    cost_type: str | None = "tokens",
) -> Row:
    row: Row = {
        "product": product, "model": model, "cost_type": cost_type,
        "amount": cents, "list_amount": cents, "currency": "USD",
    }  # fmt: skip
    return row | ({"actor__type": "user_actor", "actor__user_id": user} if user else {})


NOBODY: Row = {"group__actor__type": None}


class Story:
    """A warehouse of money: raw rows go in, marts come out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.raw = RawWarehouse(folder / "warehouse.duckdb")

    def day(
        self,
        day: str,
        costs: Sequence[Row] = (),
        usage: Sequence[Row] | None = (),
        totals: Sequence[Row] | None = None,
        **fetch: Any,
    ) -> None:
        """One day of the newer API; the total is what the rows add up to, unless given."""
        fetch = {"settles_after_days": 30, **fetch}
        self.raw.fetch("costs", day, costs, **fetch)
        if usage is not None:
            self.raw.fetch("usage", day, usage, **fetch)
        if totals is None:
            cents = sum(Decimal(row["cost__amount"]) for row in costs)
            lists = sum(Decimal(row["cost__list_amount"]) for row in costs)
            totals = [total(str(cents), None, str(lists))] if costs else []
        self.raw.fetch("cost_totals", day, totals, **fetch)

    def person(self, email: str, department: str, center: str, valid_from: str | None) -> None:
        self.raw.insert(
            "org_chart",
            email=email, department=department, cost_center=center, valid_from=valid_from,
        )  # fmt: skip

    def build(self, **variables: str) -> tuple[Query, TransformResult]:
        self.raw.close()
        result = transform(
            target(self.raw.path, self.folder), variables, marts("adoption", "money", "operations")
        )
        return queries(self.raw.path), result


ANA, BEN, DEE, EVE = person("ana", "ana@example.com"), person("ben"), person("dee"), person("eve")
SERVICE = actor("service_account_actor", service_account_id="svc")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Query, TransformResult]:
    """January 2026: a day per rule of spend_daily. February on: a month per rule of chargeback."""
    story = Story(tmp_path_factory.mktemp("money"))
    raw = story.raw
    # Every kind of actor.
    story.day(
        "2026-01-05",
        [
            cost(ANA, "1960.750000"),
            cost(ANA, "100", model=None, cost_type="web_search"),
            cost(DEE, "0.000001", product=None, model=None, cost_type="code_execution"),
            cost(SERVICE, "5"),
            cost(actor("api_actor", api_key_id="key"), "6"),
            cost(actor("federated_actor", subject="repo", provider__issuer="ci"), "7"),
            cost(actor("federated_actor", provider__issuer="ci"), "8"),
            cost(NOBODY, "333.85"),
            cost(NOBODY, "-33.85"),
        ],
        [tokens(ANA, 7), tokens(NOBODY, 1), tokens(NOBODY, 2), tokens(EVE, 4)],
    )
    # The older reports; 4 cents of chat are in groups beyond the hundredth, beside ben's 7.
    raw.fetch("user_cost_reports", "2026-01-06", [
        report("100", user="ana", product="claude-tag"),
        report("40", user="ben", product="claude-tag"),
        report("7", user="ben", model="rare"),
    ])  # fmt: skip
    raw.fetch("cost_reports", "2026-01-06", [
        report("200", product="claude-tag"),
        report("30", product=None, model=None, cost_type="code_execution"),
    ])  # fmt: skip
    raw.fetch("cost_totals", "2026-01-06", [
        total("200", "claude-tag"), total("11"), total("30", None),
    ])  # fmt: skip
    raw.fetch("user_usage_reports", "2026-01-06", [
        {"actor__type": "user_actor", "actor__user_id": "ana", "product": "claude-tag",
         "model": "opus", "output_tokens": 5, "requests": 1},
    ])  # fmt: skip
    raw.fetch("usage_reports", "2026-01-06", [
        {"product": "claude-tag", "model": "opus", "output_tokens": 9, "requests": None},
    ])  # fmt: skip
    # Both generations.
    at = "2026-01-10T03:00:00+00:00"
    raw.fetch("user_cost_reports", "2026-01-07", [report("50", user="ana")], fetched_at=at)
    raw.fetch("cost_reports", "2026-01-07", [report("50")], fetched_at=at)
    story.day("2026-01-07", [cost(ANA, "60")], fetched_at="2026-01-11T03:00:00+00:00")
    # Usage without cost, cost without usage, and rows that are not the total.
    raw.fetch("usage", "2026-01-08", [tokens(ANA, 7)])
    story.day("2026-01-09", [cost(ANA, "60")], usage=None)
    story.day("2026-01-10", [cost(ANA, "60")], totals=[total("61", list_cents="59")])
    # February: everybody, moves, credits, and shared spend of 1 USD.
    story.person("ANA@example.com", "Sales", "00420", "2026-01-01")
    story.person("ana@example.com", "Legal", "7", "2026-02-11")
    story.person("fay@example.com", "Sales", "00420", None)
    fay = person("fay", "fay@example.com")
    others = [cost(fay, "-100"), cost(BEN, "500"), cost(SERVICE, "60"), cost(NOBODY, "40")]
    for day in days("2026-02-01", "2026-02-28"):
        rows = [cost(ANA, "100", list_cents="200"), *(others if day.day == 28 else [])]
        story.day(str(day), rows)
    # March: shared spend, and nobody whose spend it could follow.
    story.day("2026-03-01", [cost(NOBODY, "7"), cost(fay, "-1")])
    # May: the first day of engagement, and the newest day that cost has.
    raw.fetch("users", "2026-05-01", [{"user__id": "ana", "chat_metrics__message_count": 1}])
    raw.insert(
        "endpoint_runs", endpoint="costs", run_at="2026-05-05 03:00:00+00", outcome="ok",
        window_start_date="2026-01-01", newest_available_date="2026-05-05",
    )  # fmt: skip
    return story.build()


@pytest.fixture
def query(built: tuple[Query, TransformResult]) -> Query:
    return built[0]


def test_the_money_of_the_story_is_in_order(built: tuple[Query, TransformResult]) -> None:
    result = built[1]

    assert not result.failed_tests
    found = {test.name: test.count for test in result.warnings}
    assert found["spend_adds_up_to_the_organisations_total"] == 1
    assert found["the_bill_is_explained_by_its_rows"] == 1


def test_every_kind_of_actor_keeps_its_spend_and_nobody_is_one_row(query: Query) -> None:
    rows = query(
        """
        select actor_type, actor_id, user_id, email, product, model, cost_type, spend_usd,
            output_tokens, cache_creation_input_tokens
        from claude_marts.spend_daily where activity_date = '2026-01-05'
        order by spend_usd, actor_type, cost_type
        """
    )

    assert rows == [
        ("user", "eve", "eve", None, "chat", "opus", "tokens", Decimal(0), 4, 5),
        ("user", "dee", "dee", None, None, None, "code_execution", Decimal("0.00000001"),
         None, None),
        ("service_account", "svc", None, None, "chat", "opus", "tokens", Decimal("0.05"), 0, 0),
        ("api_key", "key", None, None, "chat", "opus", "tokens", Decimal("0.06"), 0, 0),
        ("federated", "repo", None, None, "chat", "opus", "tokens", Decimal("0.07"), 0, 0),
        ("federated", "ci", None, None, "chat", "opus", "tokens", Decimal("0.08"), 0, 0),
        ("user", "ana", "ana", "ana@example.com", "chat", None, "web_search", Decimal(1),
         None, None),
        ("unattributed", None, None, None, "chat", "opus", "tokens", Decimal(3), 3, 10),
        ("user", "ana", "ana", "ana@example.com", "chat", "opus", "tokens", Decimal("19.6075"),
         7, 5),
    ]  # fmt: skip


def test_what_the_older_reports_leave_out_is_a_row_of_nobody(query: Query) -> None:
    rows = query(
        """
        select actor_type, user_id, product, model, cost_type, spend_usd, output_tokens,
            request_count
        from claude_marts.spend_daily where activity_date = '2026-01-06'
        order by product nulls last, actor_type, user_id
        """
    )

    none = None
    assert rows == [
        ("unattributed", none, "chat", none, none, Decimal("0.04"), none, none),
        ("user", "ben", "chat", "rare", "tokens", Decimal("0.07"), 0, 0),
        ("unattributed", none, "claude_tag", "opus", "tokens", Decimal("0.60"), 4, none),
        ("user", "ana", "claude_tag", "opus", "tokens", Decimal(1), 5, 1),
        ("user", "ben", "claude_tag", "opus", "tokens", Decimal("0.40"), 0, 0),
        ("unattributed", none, none, none, "code_execution", Decimal("0.30"), none, none),
    ]


def test_a_day_has_the_generation_that_was_fetched_last(query: Query) -> None:
    rows = query(
        "select user_id, spend_usd, is_settled from claude_marts.spend_daily"
        " where activity_date = '2026-01-07'"
    )

    assert rows == [("ana", Decimal("0.60"), False)]


def test_usage_without_its_cost_day_has_unknown_spend(query: Query) -> None:
    rows = query(
        "select activity_date::text, spend_usd, output_tokens from claude_marts.spend_daily"
        " where activity_date between '2026-01-08' and '2026-01-09' order by activity_date"
    )

    assert rows == [("2026-01-08", None, 7), ("2026-01-09", Decimal("0.60"), None)]


def test_days_of_cost_do_not_make_days_of_engagement(query: Query) -> None:
    [(first,)] = query("select min(activity_date)::text from claude_marts.active_users_daily")
    coverage = query(
        """
        select endpoint, min(activity_date)::text, max(activity_date)::text
        from claude_marts.data_coverage_daily group by endpoint order by endpoint
        """
    )

    assert first == "2026-05-01"
    assert ("users", "2026-05-01", "2026-05-01") in coverage
    assert ("costs", "2026-01-05", "2026-05-05") in coverage
    assert {name for name, *_ in coverage} == {
        "users", "costs", "usage", "cost_totals", "cost_reports", "user_cost_reports",
        "usage_reports", "user_usage_reports",
    }  # fmt: skip


def test_spend_follows_a_person_who_moves_and_shared_spend_follows_it(query: Query) -> None:
    rows = query(
        """
        select department, cost_center, cost_pool, amount_usd, list_price_usd, allocation_method,
            covered_days, is_settled, active_user_count
        from claude_marts.chargeback_monthly where month = '2026-02-01'
        order by cost_pool, department
        """
    )

    # ana: 10 days in Sales, 18 in Legal, at 1 USD; fay's credit of 1 USD is in Sales; ben is
    # nowhere. 1 USD of shared spend goes by 18 : 9 : 5, which is 0.5625 : 0.28125 : 0.15625.
    direct, follows = "direct", "proportional"
    assert rows == [
        ("Legal", "7", "metered", Decimal(18), Decimal(36), direct, 28, True, None),
        ("Sales", "00420", "metered", Decimal(9), Decimal(19), direct, 28, True, None),
        ("Unmapped", None, "metered", Decimal(5), Decimal(5), direct, 28, True, None),
        ("Legal", "7", "shared", Decimal("0.5625"), Decimal("0.5625"), follows, 28, True, None),
        ("Sales", "00420", "shared", Decimal("0.28125"), Decimal("0.28125"), follows, 28, True,
         None),
        ("Unmapped", None, "shared", Decimal("0.15625"), Decimal("0.15625"), follows, 28, True,
         None),
    ]  # fmt: skip


def test_shared_spend_that_nobody_can_bear_is_unattributed(query: Query) -> None:
    rows = query(
        """
        select department, cost_pool, amount_usd, allocation_method, covered_days, is_settled
        from claude_marts.chargeback_monthly where month = '2026-03-01' order by cost_pool
        """
    )

    assert rows == [
        ("Sales", "metered", Decimal("-0.01"), "direct", 1, False),
        ("Unattributed", "shared", Decimal("0.07"), "unallocated", 1, False),
    ]


def test_the_pools_are_the_organisations_bill_and_what_does_not_fit_is_a_line(
    query: Query,
) -> None:
    rows = query(
        """
        select cost_pool, billed_usd, allocated_usd, difference_usd
        from claude_marts.chargeback_reconciliation_monthly where month = '2026-01-01'
        order by cost_pool
        """
    )
    unexplained = query(
        "select department, amount_usd, list_price_usd from claude_marts.chargeback_monthly"
        " where cost_pool = 'unexplained'"
    )

    # People: 20.60750001 + 1.47 + 0.60 + 0.60 + 0.60. Nobody: 3.26 + 0.94. The total of January 10
    # is 1 cent more than its rows, and 1 less at list price.
    people, nobody, rest = Decimal("23.87750001"), Decimal("4.20"), Decimal("0.01")
    assert rows == [
        ("metered", people, people, Decimal(0)),
        ("shared", nobody, nobody, Decimal(0)),
        ("unexplained", rest, rest, Decimal(0)),
    ]
    assert unexplained == [("Unattributed", rest, -rest)]


def test_without_days_of_people_nobody_is_known_to_be_active(query: Query) -> None:
    rows = query(
        "select distinct active_user_count from claude_marts.chargeback_monthly"
        " where month < '2026-05-01'"
    )

    assert rows == [(None,)]


@pytest.fixture(scope="module")
def by_groups(tmp_path_factory: pytest.TempPathFactory) -> Query:
    """January 2026 by groups: metered spend goes evenly, shared by fixed shares, seats nowhere."""
    story = Story(tmp_path_factory.mktemp("groups"))
    raw = story.raw
    story.day("2026-01-05", [cost(ANA, "100"), cost(BEN, "1"), cost(NOBODY, "0.00001")])
    raw.snapshot("rbac_groups", "2026-01-01T03:00:00", [
        {"id": "g1", "name": "Sellers"}, {"id": "g2", "name": "Lawyers"},
    ])  # fmt: skip
    raw.snapshot("rbac_group_members", "2026-01-01T03:00:00", [
        {"rbac_group_id": group, "user_id": user_id}
        for group, user_id in (("g1", "ana"), ("g2", "ana"), ("g2", "dee"))
    ])  # fmt: skip
    story.day("2026-01-06", [cost(DEE, "2")])
    for group, department, priority in (("SELLERS", "Sales", 1), ("g2", "Legal", 2)):
        raw.insert(
            "cost_center_groups",
            rbac_group=group, department=department, cost_center=None, priority=priority,
        )  # fmt: skip
    for department, percentage in (("Sales", "33.33333333"), ("Moon", "66.66666667")):
        raw.insert("fixed_shares", cost_pool="shared", department=department, percentage=percentage)
    query, result = story.build(
        chargeback_cost_centers_from="groups",
        chargeback_metered_policy="even",
        chargeback_shared_policy="fixed",
        chargeback_policy="none",
        chargeback_monthly_amount_usd="9",
    )
    assert not result.failed_tests
    return query


def test_each_pool_has_its_policy_and_groups_make_cost_centers(by_groups: Query) -> None:
    rows = by_groups(
        """
        select department, cost_pool, amount_usd, allocation_method
        from claude_marts.chargeback_monthly order by cost_pool, department
        """
    )

    # 1.03 USD of people in two departments; 0.0000001 USD of nobody, in 10 units of 0.00000001.
    assert rows == [
        ("Legal", "metered", Decimal("0.515"), "even"),
        ("Sales", "metered", Decimal("0.515"), "even"),
        ("Moon", "shared", Decimal("0.00000007"), "fixed"),
        ("Sales", "shared", Decimal("0.00000003"), "fixed"),
    ]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Query:
    """Two seats at 1 USD a day in January, held by a roster of three from the 17th to the 29th."""
    story = Story(tmp_path_factory.mktemp("held"))
    raw = story.raw
    for name, department in [("ana", "Sales"), ("ben", "Legal"), ("cho", "Tech")]:
        story.person(f"{name}@example.com", department, "1", None)
    members = [{"id": name, "email": f"{name}@example.com"} for name in ("ana", "ben", "cho")]
    raw.snapshot("members", "2026-01-17T10:00:00", members)
    raw.snapshot("members", "2026-01-30T10:00:00", members[:2])
    raw.insert("seat_prices", seat_tier="default", usd_per_month="31", valid_from=None)
    active = {"user__id": "ana", "user__email_address": "ana@example.com"}
    raw.fetch("users", "2026-01-05", [{**active, "chat_metrics__message_count": 1}])
    for day in days("2026-01-01", "2026-02-01"):
        raw.fetch("summaries", day, [{"assigned_seat_count": 2 if day.month == 1 else 3}])
    return story.build()[0]


def seats_of(query: Query, month: str) -> list[tuple[Any, ...]]:
    return query(
        f"""
        select department, amount_usd, seat_count from claude_marts.chargeback_monthly
        where cost_pool = 'seats' and month = '{month}' order by department
        """
    )


def test_seats_are_their_members_and_too_few_are_shared_equally(held: Query) -> None:
    # Until the 16th only ana is known, and the other seat is nobody's. On 13 days three people
    # share two seats, two thirds each; from the 30th on, ana and ben have one each.
    assert seats_of(held, "2026-01-01") == [
        ("Legal", Decimal("10.66666667"), 1),
        ("Sales", Decimal("26.66666667"), 1),
        ("Tech", Decimal("8.66666666"), 0),
        ("Unattributed", Decimal(16), 0),
    ]


def test_days_after_the_newest_snapshot_have_its_members(held: Query) -> None:
    assert seats_of(held, "2026-02-01") == [
        ("Legal", Decimal(31), 1),
        ("Sales", Decimal(31), 1),
        ("Unattributed", Decimal(31), 1),
    ]


def test_the_seats_of_the_roster_are_the_bill(held: Query) -> None:
    assert held(
        """
        select month::text, billed_usd, difference_usd
        from claude_marts.chargeback_reconciliation_monthly order by month
        """
    ) == [("2026-01-01", Decimal(62), Decimal(0)), ("2026-02-01", Decimal(93), Decimal(0))]


@pytest.mark.parametrize("source", ["org_chart", "groups"])
def test_org_chart_and_groups_bill_the_same_seats(source: str, tmp_path: Path) -> None:
    story = Story(tmp_path)
    raw = story.raw
    raw.insert(
        "org_chart", email="ana@example.com", department="Sales", cost_center="1",
        seat_tier="premium",
    )  # fmt: skip
    raw.insert("seat_prices", seat_tier="default", usd_per_month="31", valid_from=None)
    raw.insert("seat_prices", seat_tier="premium", usd_per_month="62", valid_from=None)
    raw.snapshot("members", "2026-01-01T10:00:00", [{"id": "ana", "email": "ana@example.com"}])
    for day in days("2026-01-01", "2026-01-31"):
        raw.fetch("summaries", day, [{"assigned_seat_count": 2}])
    query, _ = story.build(chargeback_cost_centers_from=source)

    assert query("select billed_usd from claude_marts.chargeback_reconciliation_monthly") == [
        (Decimal(93),)
    ]
