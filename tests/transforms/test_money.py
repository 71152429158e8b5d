"""Spend, its owners and its bill, from hand-made rows to numbers computed by hand."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.transform import TransformResult, transform
from tests.transforms.conftest import Query, queries
from tests.transforms.raw_tables import RawWarehouse

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
        result = transform(self.raw.path, self.folder, variables)
        return queries(self.raw.path), result


Fresh = Callable[[], Story]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def test_every_kind_of_actor_keeps_its_spend_and_nobody_is_one_row(story: Story) -> None:
    story.day(
        "2026-01-05",
        [
            cost(person("ana", "ana@example.com"), "1960.750000"),
            cost(person("ana", "ana@example.com"), "100", model=None, cost_type="web_search"),
            cost(person("dee"), "0.000001", product=None, model=None, cost_type="code_execution"),
            cost(actor("service_account_actor", service_account_id="svc"), "5"),
            cost(actor("api_actor", api_key_id="key"), "6"),
            cost(actor("federated_actor", subject="repo", provider__issuer="ci"), "7"),
            cost(actor("federated_actor", provider__issuer="ci"), "8"),
            cost(NOBODY, "333.85"),
            cost(NOBODY, "-33.85"),
        ],
        [tokens(person("ana"), 7), tokens(NOBODY, 1), tokens(NOBODY, 2), tokens(person("eve"), 4)],
    )
    query, result = story.build()

    rows = query(
        """
        select actor_type, actor_id, user_id, email, product, model, cost_type, spend_usd,
            output_tokens, cache_creation_input_tokens
        from claude_marts.spend_daily order by spend_usd, actor_type, cost_type
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
    assert not result.failed_tests
    assert "spend_adds_up_to_the_organisations_total" not in names(result.warnings)


def test_what_the_older_reports_leave_out_is_a_row_of_nobody(story: Story) -> None:
    raw, day = story.raw, "2026-01-05"
    raw.fetch("user_cost_reports", day, [
        report("100", user="ana", product="claude-tag"),
        report("40", user="ben", product="claude-tag"),
        report("7", user="ben", model="rare"),
    ])  # fmt: skip
    raw.fetch("cost_reports", day, [
        report("200", product="claude-tag"),
        report("30", product=None, model=None, cost_type="code_execution"),
    ])  # fmt: skip
    # 4 more cents of chat in groups beyond the hundredth, ben's 7 among them.
    raw.fetch("cost_totals", day, [
        total("200", "claude-tag"), total("11"), total("30", None),
    ])  # fmt: skip
    raw.fetch("user_usage_reports", day, [
        {"actor__type": "user_actor", "actor__user_id": "ana", "product": "claude-tag",
         "model": "opus", "output_tokens": 5, "requests": 1},
    ])  # fmt: skip
    raw.fetch("usage_reports", day, [
        {"product": "claude-tag", "model": "opus", "output_tokens": 9, "requests": None},
    ])  # fmt: skip
    query, result = story.build()

    rows = query(
        """
        select actor_type, user_id, product, model, cost_type, spend_usd, output_tokens,
            request_count
        from claude_marts.spend_daily order by product, actor_type, user_id
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
    assert not result.failed_tests


def test_a_day_has_the_generation_that_was_fetched_last(story: Story) -> None:
    for endpoint in ("cost_reports", "user_cost_reports"):
        story.raw.fetch(endpoint, "2026-01-05", [report("50", user="ana" if "user" in endpoint
                        else None)], fetched_at="2026-01-10T03:00:00+00:00")  # fmt: skip
    story.day("2026-01-05", [cost(person("ana"), "60")], fetched_at="2026-01-11T03:00:00+00:00")
    query, _ = story.build()

    rows = query("select user_id, spend_usd, is_settled from claude_marts.spend_daily")

    assert rows == [("ana", Decimal("0.60"), False)]


def test_usage_without_its_cost_day_has_unknown_spend(story: Story) -> None:
    story.raw.fetch("usage", "2026-01-05", [tokens(person("ana"), 7)])
    story.day("2026-01-06", [cost(person("ana"), "60")], usage=None)
    query, _ = story.build()

    rows = query(
        "select activity_date::text, spend_usd, output_tokens from claude_marts.spend_daily"
        " order by activity_date"
    )

    assert rows == [("2026-01-05", None, 7), ("2026-01-06", Decimal("0.60"), None)]


def test_days_of_cost_do_not_make_days_of_engagement(story: Story) -> None:
    story.day("2026-01-05", [cost(person("ana"), "60")])
    story.raw.fetch("users", "2026-05-01", [{"user__id": "ana"}])
    story.raw.insert(
        "endpoint_runs", endpoint="costs", run_at="2026-05-05 03:00:00+00", outcome="ok",
        window_start_date="2026-01-01", newest_available_date="2026-05-05",
    )  # fmt: skip
    query, _ = story.build()

    [(first,)] = query("select min(activity_date)::text from claude_marts.active_users_daily")
    coverage = query(
        """
        select endpoint, min(activity_date)::text, max(activity_date)::text,
            count(*) filter (status = 'missing')
        from claude_marts.data_coverage_daily group by endpoint order by endpoint
        """
    )

    assert first == "2026-05-01"
    assert coverage == [
        ("cost_totals", "2026-01-05", "2026-05-05", 120),
        ("costs", "2026-01-05", "2026-05-05", 120),
        ("usage", "2026-01-05", "2026-05-05", 120),
        ("users", "2026-05-01", "2026-05-01", 0),
    ]


def test_rows_that_are_not_the_organisations_total_are_shown(story: Story) -> None:
    story.day("2026-01-05", [cost(person("ana"), "60")], totals=[total("61")])
    _, result = story.build()

    assert not result.failed_tests
    assert names(result.warnings)["spend_adds_up_to_the_organisations_total"] == 1


def names(found: Sequence[Any]) -> Mapping[str, int]:
    return {test.name: test.count for test in found}
