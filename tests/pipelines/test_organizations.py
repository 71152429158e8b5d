"""Several organisations in one warehouse: their cost is one bill, and each is told by itself."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from pipelines import settings
from pipelines.data_dir import DataDir
from sources.sandbox import Sandbox
from sources.sandbox.claude_code import ClaudeCode
from tests.conftest import Command, Query
from tests.privacy.everything import hits
from tests.privacy.organisations import KEY, people, words_of

TODAY = "2026-01-20"


@pytest.fixture
def api() -> Iterator[Sandbox]:
    with Sandbox(seats=8, today=TODAY, days_ahead=5) as sandbox:
        yield sandbox


@pytest.fixture
def console() -> Iterator[Sandbox]:
    with Sandbox(
        seats=6, seed=2, today=TODAY, days_ahead=5, api_key="sk-console", without=["enterprise"]
    ) as sandbox:
        yield sandbox


@pytest.fixture
def set_up(
    command: Command, console: Sandbox, api: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The Console organisation beside the first one."""
    for name, value in {
        "SOURCES__CLAUDE_ADMIN__BASE_URL": api.url,
        "SOURCES__CLAUDE_ADMIN__API_KEY": api.api_key,
        "ORGANIZATIONS__DEVELOPERS__KIND": "console",
        "ORGANIZATIONS__DEVELOPERS__API_KEY": console.api_key,
        "ORGANIZATIONS__DEVELOPERS__BASE_URL": console.url,
        "ORGANIZATIONS__DEVELOPERS__REQUESTS_PER_MINUTE": "100000",
    }.items():
        monkeypatch.setenv(name, value)
    return command


def spent(sandbox: Sandbox) -> Decimal:
    return sum((row["spend_usd"] or Decimal(0) for row in sandbox.truth("spend_daily")), Decimal(0))


def test_two_organisations_are_one_bill_and_each_is_told_by_itself(
    set_up: Command, query: Query, api: Sandbox, console: Sandbox
) -> None:
    ended = set_up(f"sync --today {TODAY}")

    assert ended.exit_code == 0, ended.text
    by_organization: dict[str, Decimal] = dict(
        query(
            "select organization_id, sum(spend_usd) from claude_marts.spend_daily group by 1",
        )
    )
    assert by_organization == {
        api.organization["id"]: spent(api),
        console.organization["id"]: spent(console),
    }
    [(billed, difference)] = query(
        "select sum(billed_usd) filter (where cost_pool <> 'seats'), sum(difference_usd)"
        " from claude_marts.chargeback_reconciliation_monthly"
    )
    assert (billed, difference) == (spent(api) + spent(console), 0)


def test_what_is_read_is_told_of_each_organisation(
    set_up: Command, query: Query, console: Sandbox
) -> None:
    set_up(f"sync --today {TODAY}")

    status = set_up(f"status --today {TODAY}")
    name = console.organization["name"]
    assert f"costs of {name}: " in status.text
    console.answer("/cost", status=500, times=1000)
    ended = set_up("sync --today 2026-01-22")
    assert ended.exit_code == 1
    assert (
        "[organizations.developers] cost_totals, day 2026-01-01: the API answers 500" in ended.err
    )
    [(states,)] = query(
        "select list(distinct status) from claude_marts.data_coverage_daily"
        f" where organization_id = '{console.organization['id']}' and endpoint = 'workspace_costs'"
        " and activity_date > date '2026-01-20'"
    )
    assert states == ["missing"]
    checked = set_up("check --today 2026-01-22")
    assert f"costs of {name}" in checked.text


def test_work_of_a_console_organisation_is_split_by_workspace_and_told_by_person(
    set_up: Command, query: Query, console: Sandbox
) -> None:
    set_up(f"sync --today {TODAY}")

    [(by_workspace, workspaces, tiers)] = query(
        "select sum(spend_usd), count(distinct workspace_id), count(distinct service_tier)"
        " from claude_marts.spend_by_workspace_daily"
    )
    assert by_workspace == spent(console)
    assert workspaces > 1 and tiers > 1
    report = ClaudeCode(console._organisation, is_console=True)
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(17)]
    rows = [row for day in days for row in report.rows(day)]
    assert query(
        "select sum(session_count), sum(output_tokens), sum(estimated_cost_usd)"
        " from claude_marts.claude_code_usage_daily"
    ) == [
        (
            sum(row["core_metrics"]["num_sessions"] for row in rows),
            sum(used["tokens"]["output"] for row in rows for used in row["model_breakdown"]),
            sum(
                Decimal(str(used["estimated_cost"]["amount"])) / 100
                for row in rows
                for used in row["model_breakdown"]
            ),
        )
    ]


def test_a_second_night_stores_nothing_of_what_did_not_change(
    set_up: Command, query: Query
) -> None:
    set_up(f"sync --today {TODAY}")
    before = query("select count(*) from claude_raw.costs")

    set_up(f"sync --today {TODAY}")

    assert query("select count(*) from claude_raw.costs") == before


def test_an_organisation_that_is_not_set_any_more_is_told(
    set_up: Command, monkeypatch: pytest.MonkeyPatch, console: Sandbox
) -> None:
    set_up(f"sync --today {TODAY} --no-transform")
    for name in ("KIND", "API_KEY", "BASE_URL", "REQUESTS_PER_MINUTE"):
        monkeypatch.delenv(f"ORGANIZATIONS__DEVELOPERS__{name}")

    ended = set_up(f"sync --today {TODAY} --no-transform")

    assert f"{console.organization['name']} ({console.organization['id']}) was read" in ended.text


def test_two_keys_of_one_organisation_are_refused(
    set_up: Command, query: Query, api: Sandbox
) -> None:
    ended = set_up(
        f"sync --today {TODAY}",
        ORGANIZATIONS__DEVELOPERS__API_KEY=api.api_key,
        ORGANIZATIONS__DEVELOPERS__BASE_URL=api.url,
    )

    assert ended.exit_code == 1
    assert "Its cost would count twice" in ended.err
    assert query("select sum(spend_usd) from claude_marts.spend_daily") == [(spent(api),)]


def test_a_second_enterprise_organisation_is_refused_with_a_sentence(set_up: Command) -> None:
    ended = set_up(f"sync --today {TODAY}", ORGANIZATIONS__DEVELOPERS__KIND="enterprise")

    assert ended.exit_code == 1
    assert "one Enterprise organisation fits into a folder" in ended.err


CHILDREN = ("0b6a7d52-1f0e-4e58-9a0c-000000000001", "0b6a7d52-1f0e-4e58-9a0c-000000000002")


@pytest.fixture
def parent() -> Iterator[Sandbox]:
    with Sandbox(
        seats=6, seed=3, today=TODAY, days_ahead=5, api_key="sk-parent", children=CHILDREN
    ) as sandbox:
        yield sandbox


def of_parent(parent: Sandbox) -> dict[str, str]:
    return {
        "ORGANIZATIONS__GROUP__KIND": "parent",
        "ORGANIZATIONS__GROUP__API_KEY": parent.api_key,
        "ORGANIZATIONS__GROUP__BASE_URL": parent.url,
        "ORGANIZATIONS__GROUP__REQUESTS_PER_MINUTE": "100000",
    }


def test_a_parents_key_tells_what_its_children_cost_in_the_same_bill(
    set_up: Command, query: Query, api: Sandbox, console: Sandbox, parent: Sandbox
) -> None:
    ended = set_up(f"sync --today {TODAY}", **of_parent(parent))

    assert ended.exit_code == 0, ended.text
    told = httpx.get(
        f"{parent.url}/v1/organizations/analytics/cost",
        params={
            "starting_at": "2026-01-01T00:00:00Z",
            "ending_at": f"{TODAY}T00:00:00Z",
            "group_by[]": "organization_id",
            "limit": "1000",
        },
        headers={
            "x-api-key": parent.api_key,
            "anthropic-beta": "analytics-usage-cost-2026-08-24",
        },
    ).json()["data"]
    assert dict(
        query(
            "select organization_id, sum(spend_usd) from claude_marts.spend_daily"
            f" where organization_id in {CHILDREN} group by 1"
        )
    ) == {row["group"]["organization_id"]: Decimal(row["cost"]["amount"]) / 100 for row in told}
    assert query("select kind, count(*) from claude_marts.organizations group by 1 order by 1") == [
        ("child", 2),
        ("console", 1),
        ("enterprise", 1),
        ("parent", 1),
    ]
    assert query(
        "select sum(billed_usd) filter (where cost_pool <> 'seats'), sum(difference_usd)"
        " from claude_marts.chargeback_reconciliation_monthly"
    ) == [(spent(api) + spent(console) + spent(parent), 0)]
    assert set_up("sync --today 2026-01-21 --no-transform").exit_code == 0


def test_a_child_with_a_key_of_its_own_is_not_counted_twice(
    set_up: Command, query: Query, api: Sandbox, console: Sandbox, parent: Sandbox
) -> None:
    console.organization = {**console.organization, "id": CHILDREN[0]}

    ended = set_up(f"sync --today {TODAY}", **of_parent(parent))

    assert ended.exit_code == 1
    assert f"ORGANIZATIONS__GROUP__API_KEY tells what {CHILDREN[0]}" in ended.err
    assert query("select sum(spend_usd) from claude_marts.spend_daily") == [
        (spent(api) + spent(console),)
    ]


def test_a_key_of_the_console_is_told_with_its_workspace_and_owner(
    set_up: Command, query: Query, console: Sandbox
) -> None:
    set_up(f"sync --today {TODAY}")

    # Its members hold no seats, and its lists are its own.
    assert query("select count(*) from claude_staging.stg_console_members") == [(6,)]
    assert query(
        "select count(*) from claude_staging.stg_members where valid_until_at is null"
    ) == [(8,)]
    assert query(
        "select count(*) from claude_raw.roster_snapshots where organization_id is not null"
    ) == [(3,)]
    assert query(
        "select distinct workspace_name from claude_marts.spend_by_workspace_daily"
        " where workspace_id is not null order by 1"
    ) == [("Production",), (None,)]
    assert query(
        "select distinct api_key_name, owner_email is not null from"
        " claude_marts.spend_by_workspace_daily where api_key_name is not null order by 1"
    ) == [("legacy integration", True), ("nightly reports", False)]  # Of a service account.


def test_who_has_the_same_address_in_two_organisations_is_counted_once(
    set_up: Command, query: Query, api: Sandbox, console: Sandbox
) -> None:
    person = next(row for row in api.truth("people") if row["email"] and row["name"])
    account = {
        "type": "user_actor",
        "user_id": "user_elsewhere",
        "email_address": str(person["email"]).title(),
    }
    console.publish(
        "costs", "2026-01-18", {"group": {"actor": account}, "cost": {"amount": "5000"}}
    )

    set_up(f"sync --today {TODAY}")

    assert query(
        "select user_id, spend_usd from claude_marts.spend_daily where actor_id = 'user_elsewhere'"
    ) == [(person["user_id"], Decimal(50))]
    assert query("select count(*) from claude_marts.people where user_id = 'user_elsewhere'") == [
        (0,)
    ]


OF_AN_API = """
    select distinct table_name from information_schema.columns
    where table_schema = 'claude_raw' and column_name = 'version' and data_type = 'BIGINT'
        and table_name not like '\\_dlt%' escape '\\'
"""
"""The raw tables of what APIs answered: a run writes no other versions."""
LEDGERS = ("loaded_days", "roster_snapshots", "activity_windows", "langdock_exports")


def owners_of_rows(query: Query, table: str) -> dict[int, set[str | None]]:
    """Version -> whose its rows say that they are."""
    rows = query(
        f"select version, list(distinct coalesce(organization_id, 'first')) from claude_raw.{table}"
        " group by version"
    )
    return {version: set(owners) for version, owners in rows}


def owners_by_ledger(query: Query) -> dict[int, set[str | None]]:
    rows = query(
        "select version, list(distinct coalesce(organization_id, 'first')) from ("
        " select version, organization_id from claude_raw.loaded_days union all"
        " select version, organization_id from claude_raw.roster_snapshots) group by version"
    )
    return {version: set(owners) for version, owners in rows}


def test_every_row_that_an_api_gave_says_whose_it_is_as_the_ledger_does(
    set_up: Command, query: Query, api: Sandbox, console: Sandbox, parent: Sandbox
) -> None:
    console.publish("costs", "2026-01-10", [{"cost": {"amount": "5", "requests": "many"}}])
    set_up(
        f"sync --today {TODAY} --no-transform",
        **of_parent(parent),
        SOURCES__CLAUDE_COMPLIANCE__BASE_URL=api.url,
        SOURCES__CLAUDE_COMPLIANCE__API_KEY=api.api_key,
    )

    tables = {name for (name,) in query(OF_AN_API)} - set(LEDGERS)
    assert {"costs", "usage_totals", "users", "members", "activities", "rejected_rows"} <= tables
    with_column = query(
        "select table_name from information_schema.columns"
        " where table_schema = 'claude_raw' and column_name = 'organization_id'"
    )
    assert tables <= {name for (name,) in with_column}
    by_ledger = owners_by_ledger(query)
    # The feed's own word for where an event was stays what it is.
    for table in sorted(tables - {"activities"}):
        for version, owners in owners_of_rows(query, table).items():
            assert owners == by_ledger[version], table
    ids = {each.organization["id"] for each in (console, parent)}
    of_costs = set().union(*owners_of_rows(query, "costs").values())
    assert of_costs == {"first", *ids}
    of_members = set().union(*owners_of_rows(query, "members").values())
    assert of_members == {"first", console.organization["id"]}
    of_rejected = set().union(*owners_of_rows(query, "rejected_rows").values())
    assert of_rejected == {console.organization["id"]}


def test_rows_that_did_not_say_whose_they_are_say_what_the_ledger_knows(
    set_up: Command, query: Query
) -> None:
    set_up(f"sync --today {TODAY} --no-transform")
    before = {table: owners_of_rows(query, table) for table in ("costs", "users", "api_keys")}
    for table in before:
        query(f"alter table claude_raw.{table} drop column organization_id")

    assert set_up(f"sync --today {TODAY} --no-transform").exit_code == 0

    assert {table: owners_of_rows(query, table) for table in before} == before


def used_by_key(id: str, amount: str) -> dict[str, object]:
    return {
        "group": {"actor": {"type": "api_actor", "api_key_id": id}},
        "cost": {"amount": amount},
    }


def test_a_key_of_the_console_is_charged_where_its_owner_was_and_the_bill_stays(
    set_up: Command, query: Query, api: Sandbox, console: Sandbox, tmp_path: Path
) -> None:
    person = next(row for row in api.truth("people") if row["email"] and row["name"])
    chart = tmp_path / "chart.csv"
    chart.write_text(
        "email,department,cost_center,manager_email,valid_from\n"
        f"{person['email']},Web,10,,2026-01-01\n{person['email']},Shop,20,,2026-01-10\n"
    )
    maker = {"type": "user", "id": "user_maker"}
    console.publish_roster(
        "members",
        [
            {"id": "user_maker", "email": str(person["email"]).title()},
            {"id": "user_unknown", "email": "nobody@elsewhere.example"},
        ],
    )
    console.publish_roster(
        "api_keys",
        [
            {"id": "apikey_of_person", "created_by": maker},
            {"id": "apikey_unknown", "created_by": {"type": "user", "id": "user_unknown"}},
            {
                "id": "apikey_service",
                "created_by": maker,
                "principal": {"type": "service_account", "service_account_id": "svac_1"},
                "expires_at": "2027-01-01T00:00:00Z",
            },
        ],
    )
    keys = ("apikey_of_person", "apikey_unknown", "apikey_service")
    for day in ("2026-01-05", "2026-01-15"):
        console.publish(
            "costs", day, [used_by_key(id, f"{number}00") for number, id in enumerate(keys, 1)]
        )

    ended = set_up(f"sync --today {TODAY}", SOURCES__REFERENCE_FILES__ORG_CHART=str(chart))

    assert ended.exit_code == 0, ended.text
    assert query(
        "select activity_date, actor_id, charged_user_id, department, cost_center"
        f" from claude_marts.spend_daily where actor_id in {keys} order by all"
    ) == [
        (date(2026, 1, 5), "apikey_of_person", person["user_id"], "Web", "10"),
        (date(2026, 1, 5), "apikey_service", None, None, None),
        (date(2026, 1, 5), "apikey_unknown", None, None, None),
        (date(2026, 1, 15), "apikey_of_person", person["user_id"], "Shop", "20"),
        (date(2026, 1, 15), "apikey_service", None, None, None),
        (date(2026, 1, 15), "apikey_unknown", None, None, None),
    ]
    [(billed, difference)] = query(
        "select sum(billed_usd) filter (where cost_pool <> 'seats'), sum(difference_usd)"
        " from claude_marts.chargeback_reconciliation_monthly"
    )
    [(spend,)] = query("select sum(spend_usd) from claude_marts.spend_daily")
    assert (billed, difference) == (spend, 0)
    assert query(
        "select cost_pool, sum(amount_usd) from claude_marts.chargeback_monthly"
        " where cost_pool <> 'seats' group by 1 order by 1"
    ) == query(
        "select case when charged_user_id is null then 'shared' else 'metered' end, sum(spend_usd)"
        " from claude_marts.spend_daily group by 1 order by 1"
    )
    assert query(
        'select "x_CostPool", sum("BilledCost") from claude_marts.focus_cost_and_usage'
        " where \"ResourceId\" in ('apikey_of_person', 'apikey_unknown') group by 1 order by 1"
    ) == [("metered", Decimal(2)), ("shared", Decimal(4))]
    assert query(
        "select api_key_id, status, owner_user_id = 'user_unknown', has_owner_left, is_never_used,"
        " has_no_expiry, spend_usd, last_spend_date from claude_marts.api_key_hygiene"
        f" where organization_id = '{console.organization['id']}' order by 1"
    ) == [
        ("apikey_of_person", "active", False, False, None, True, None, None),
        ("apikey_service", "active", None, None, None, False, None, None),
        ("apikey_unknown", "active", True, False, None, True, None, None),
    ]


def test_a_month_that_was_closed_before_keys_were_charged_stays_as_it_was(
    set_up: Command, query: Query, api: Sandbox, console: Sandbox
) -> None:
    person = next(row for row in api.truth("people") if row["email"] and row["name"])
    console.publish_roster("members", [{"id": "user_maker", "email": person["email"]}])
    maker = {"type": "user", "id": "user_maker"}
    console.publish_roster("api_keys", [{"id": "apikey_of_person", "created_by": maker}])
    console.publish("costs", "2026-01-15", [used_by_key("apikey_of_person", "700")])
    set_up(f"sync --today {TODAY}")
    assert set_up(f"close-month 2026-01 --force --today {TODAY}").exit_code == 1
    for sandbox in (api, console):
        sandbox.today = date(2026, 2, 2)
    set_up("sync --today 2026-02-02")
    ended = set_up("close-month 2026-01 --force --today 2026-02-02")
    assert ended.exit_code == 0, ended.text
    kept = "setting = 'chargeback_console_keys'"
    [(count,)] = query(f"select count(*) from claude_raw.closed_settings where {kept}")
    assert count == 1
    pools = (
        "select coalesce(charged_user_id, 'nobody') from claude_marts.spend_daily"
        " where actor_id = 'apikey_of_person'"
    )
    set_up("transform --today 2026-02-02")
    assert query(pools) == [(person["user_id"],)]

    # As a release before this one closed it.
    query(f"delete from claude_raw.closed_settings where {kept}")
    set_up("transform --today 2026-02-02")

    assert query(pools) == [("nobody",)]


@pytest.fixture
def older() -> Iterator[Sandbox]:
    """A Console organisation that is not let to the newer pair of cost and usage."""
    with Sandbox(
        seats=6,
        seed=4,
        today=TODAY,
        days_ahead=5,
        api_key="sk-older",
        without=["enterprise"],
        cost_api="reports",
    ) as sandbox:
        yield sandbox


def test_cost_of_a_console_organisation_comes_from_the_older_reports_where_it_has_no_others(
    set_up: Command, query: Query, api: Sandbox, older: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORGANIZATIONS__DEVELOPERS__API_KEY", older.api_key)
    monkeypatch.setenv("ORGANIZATIONS__DEVELOPERS__BASE_URL", older.url)

    ended = set_up(f"sync --today {TODAY}")

    assert ended.exit_code == 0, ended.text
    id, name = older.organization["id"], older.organization["name"]
    assert "Cost and usage come from the older reports" in ended.text
    assert f"Cost of {name}: from the older reports" in set_up(f"status --today {TODAY}").text
    assert dict(
        query("select organization_id, sum(spend_usd) from claude_marts.spend_daily group by 1")
    ) == {api.organization["id"]: spent(api), id: spent(older)}
    assert query(
        "select sum(billed_usd) filter (where cost_pool <> 'seats'), sum(difference_usd)"
        " from claude_marts.chargeback_reconciliation_monthly"
    ) == [(spent(api) + spent(older), 0)]
    [(by_workspace, workspaces, key_costs)] = query(
        "select sum(spend_usd), count(distinct workspace_id),"
        " count(spend_usd) filter (where api_key_id is not null)"
        " from claude_marts.spend_by_workspace_daily"
    )
    assert (by_workspace, key_costs) == (spent(older), 0)
    assert workspaces > 1
    tokens = "select sum(uncached_input_tokens), sum(output_tokens) from claude_marts.spend_daily"
    truth = older.truth("spend_daily")
    assert query(f"{tokens} where organization_id = '{id}'") == [
        (
            sum(row["uncached_input_tokens"] or 0 for row in truth),
            sum(row["output_tokens"] or 0 for row in truth),
        )
    ]
    assert (
        query(
            "select distinct undeclared_fields from claude_raw.console_cost_reports union all"
            " select distinct undeclared_fields from claude_raw.console_usage_reports union all"
            " select distinct undeclared_fields from claude_raw.cost_totals"
        )
        == [(None,)] * 3
    )
    assert query("select count(*) from claude_raw.rejected_rows") == [(0,)]

    # A night in which the newer cost answers, and usage does not, changes nothing.
    older.answer("/analytics/cost", status=200, body={"data": [], "has_more": False}, times=1)
    again = set_up("sync --today 2026-01-21 --no-transform")
    assert again.exit_code == 0, again.text
    assert "Cost and usage come from the older reports" in again.text
    assert query(
        f"select count(*) from claude_raw.loaded_days where endpoint = 'costs'"
        f" and organization_id = '{id}'"
    ) == [(0,)]


@pytest.fixture
def research() -> Iterator[Sandbox]:
    """Another Console organisation."""
    with Sandbox(
        seats=5, seed=5, today=TODAY, days_ahead=5, api_key="sk-research", without=["enterprise"]
    ) as sandbox:
        yield sandbox


def of_research(research: Sandbox) -> dict[str, str]:
    return {
        "ORGANIZATIONS__RESEARCH__KIND": "console",
        "ORGANIZATIONS__RESEARCH__API_KEY": research.api_key,
        "ORGANIZATIONS__RESEARCH__BASE_URL": research.url,
        "ORGANIZATIONS__RESEARCH__REQUESTS_PER_MINUTE": "90000",
    }


def used_by_person(id: str, email: str, amount: str) -> dict[str, object]:
    account = {"type": "user_actor", "user_id": id, "email_address": email}
    return {"group": {"actor": account}, "cost": {"amount": amount}}


def test_two_console_organisations_have_a_budget_and_a_ledger_each_and_share_their_people(
    set_up: Command,
    query: Query,
    data_dir: DataDir,
    api: Sandbox,
    console: Sandbox,
    research: Sandbox,
) -> None:
    console.publish("costs", "2026-01-18", used_by_person("user_b", "Zoe@lab.example", "100"))
    research.publish("costs", "2026-01-18", used_by_person("user_a", "zoe@lab.example", "200"))
    research.publish("costs", "2026-01-17", used_by_person("user_a", "zoe@lab.example", "400"))

    ended = set_up(f"sync --today {TODAY}", **of_research(research))

    assert ended.exit_code == 0, ended.text
    ids = [each.organization["id"] for each in (console, research)]
    # Who has an account at both is one person, and none of the first organisation's seats.
    assert query(
        "select organization_id, actor_id, user_id, spend_usd from claude_marts.spend_daily"
        " where actor_id in ('user_a', 'user_b') order by activity_date, actor_id"
    ) == [
        (ids[1], "user_a", "user_a", Decimal(4)),
        (ids[1], "user_a", "user_a", Decimal(2)),
        (ids[0], "user_b", "user_a", Decimal(1)),
    ]
    assert query(
        "select user_id from claude_marts.people where user_id in ('user_a', 'user_b')"
        " or lower(email) = 'zoe@lab.example'"
    ) == [("user_a",)]
    # Days of each are noted by themselves, and each is asked with its own key and budget.
    days: dict[str | None, int] = dict(
        query(
            "select organization_id, count(distinct activity_date) from claude_raw.loaded_days"
            " where endpoint = 'costs' group by 1"
        )
    )
    assert days == dict.fromkeys([None, *ids], 19)
    for sandbox in (console, research):
        assert {each.headers["x-api-key"] for each in sandbox.requests} == {sandbox.api_key}
    budgets = {
        data_dir.rate_budget_of(f"{source}{name}")
        for source in ("claude_analytics", "claude_admin")
        for name in ("", "_developers", "_research")
    }
    assert len(budgets) == 6 and all(file.exists() for file in budgets)
    [(billed, difference)] = query(
        "select sum(billed_usd) filter (where cost_pool <> 'seats'), sum(difference_usd)"
        " from claude_marts.chargeback_reconciliation_monthly"
    )
    assert (billed, difference) == query("select sum(spend_usd), 0 from claude_marts.spend_daily")[
        0
    ]


def words_of_everybody(console: Sandbox) -> set[str]:
    return {word for person in people(console) for word in words_of(person)}


@pytest.mark.parametrize("identity", ["pseudonymous", "none"])
def test_nobody_of_a_console_organisation_is_named_in_any_file(
    set_up: Command, query: Query, data_dir: DataDir, api: Sandbox, console: Sandbox, identity: str
) -> None:
    ended = set_up(f"sync --today {TODAY}", PRIVACY__IDENTITY=identity, PRIVACY__IDENTITY_KEY=KEY)

    assert ended.exit_code == 0, ended.text
    assert hits(data_dir.root, words_of_everybody(console)) == {}
    # All the money is there.
    assert query(
        "select sum(spend_usd) from claude_marts.spend_daily"
        f" where organization_id = '{console.organization['id']}'"
    ) == [(spent(console),)]


def test_whoever_is_forgotten_of_a_console_organisation_stands_nowhere_and_the_bill_stays(
    set_up: Command, query: Query, data_dir: DataDir, console: Sandbox
) -> None:
    words = {"user_quinn", "quinn@lab.example", "Quinn Labworth"}
    member = {"id": "user_quinn", "email": "quinn@lab.example", "name": "Quinn Labworth"}
    console.publish_roster("members", [member])
    console.publish("costs", "2026-01-18", used_by_person("user_quinn", member["email"], "700"))
    set_up(f"sync --today {TODAY}", PRIVACY__IDENTITY_KEY=KEY)
    bill = "select sum(spend_usd) from claude_marts.spend_daily where activity_date < '2026-01-19'"
    before = query(bill)
    assert hits(data_dir.root, words).keys() == words

    told = set_up(f"forget-person quinn@lab.example --today {TODAY}")
    again = set_up(f"sync --today {TODAY}")

    assert (told.exit_code, again.exit_code) == (0, 0), told.text + again.text
    assert hits(data_dir.root, words) == {}
    assert query(bill) == before


def asked_of(console: Sandbox) -> set[str]:
    return {each.path.rpartition("/")[2] for each in console.requests}


def test_only_some_endpoints_and_days_of_a_console_organisation_are_asked_for(
    set_up: Command, query: Query, console: Sandbox
) -> None:
    id = console.organization["id"]
    read = f"select distinct endpoint from claude_raw.loaded_days where organization_id = '{id}'"

    ended = set_up(f"sync --today {TODAY} --no-transform --only claude_code_reports")
    assert ended.exit_code == 0, ended.text
    assert query(read) == [("claude_code_reports",)]
    assert asked_of(console) == {"me", "claude_code"}

    set_up(f"sync --today {TODAY} --no-transform --only costs --only cost_totals")
    console.publish("costs", "2026-01-10", used_by_person("user_x", "x@lab.example", "12300"))
    console.requests.clear()
    again = set_up(
        f"backfill --no-transform --only costs --from 2026-01-10 --to 2026-01-11 --today {TODAY}"
    )
    assert again.exit_code == 0, again.text
    assert {
        each.params["starting_at"][:10] for each in console.requests if "starting_at" in each.params
    } == {"2026-01-10"}
    assert query(
        f"select sum(cost__amount) from counting_costs where organization_id = '{id}'"
        " and activity_date = date '2026-01-10'"
    ) == [(12300,)]


def test_a_key_that_is_revoked_one_night_is_told_and_the_others_load(
    set_up: Command, query: Query, api: Sandbox, console: Sandbox, parent: Sandbox
) -> None:
    set_up(f"sync --today {TODAY} --no-transform", **of_parent(parent))
    for sandbox in (api, console, parent):
        sandbox.today = date(2026, 1, 22)
    key, console.api_key = console.api_key, "sk-another"
    newest = (
        "select count(distinct organization_id), count(*) filter (organization_id is null) > 0"
        " from claude_raw.loaded_days where endpoint = 'costs'"
        " and activity_date = date '2026-01-21'"
    )

    ended = set_up("sync --today 2026-01-22 --no-transform")

    assert ended.exit_code == 1
    assert "ORGANIZATIONS__DEVELOPERS__API_KEY" in ended.err
    # The parent, and the first organisation.
    assert query(newest) == [(1, True)]
    console.api_key = key
    assert set_up("sync --today 2026-01-22 --no-transform").exit_code == 0
    assert query(newest) == [(2, True)]


def test_doctor_asks_each_organisation_for_what_it_is_read_of(
    set_up: Command, api: Sandbox, console: Sandbox, parent: Sandbox
) -> None:
    told = set_up(f"doctor --today {TODAY}", **of_parent(parent))

    for name in (
        "organisation developers",
        "claude_code_reports of developers",
        "cost and usage of developers",
        "workspace_costs of developers",
        "members of developers",
        "api_keys of developers",
        "organisation group",
        "cost and usage of group",
        "costs of group",
    ):
        assert name in told.text, told.text
    assert told.exit_code == 0, told.text
    assert "spend_limits of developers" not in told.text

    console.answer("/analytics/cost", status=403, times=100)
    console.answer("/analytics/usage", status=403, times=100)
    told = set_up(f"doctor --today {TODAY}")
    assert "cost and usage of developers" in told.text
    assert "/v1/organizations/cost_report" in told.text

    told = set_up(f"doctor --today {TODAY}", ORGANIZATIONS__DEVELOPERS__API_KEY="sk-wrong")
    assert told.exit_code == 1
    assert "ORGANIZATIONS__DEVELOPERS__API_KEY" in told.text


def test_children_are_called_what_the_settings_say(
    set_up: Command, query: Query, parent: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt/config.toml").write_text(
        f'[organizations.group.children]\n"{CHILDREN[0]}" = "Group Retail"\n'
        "[organizations.developers]\nrequests_per_minute = 100000\n"
    )
    monkeypatch.chdir(tmp_path)
    settings._read.cache_clear()

    ended = set_up(f"sync --today {TODAY}", **of_parent(parent))

    assert ended.exit_code == 0, ended.text
    assert query(
        "select organization_id, organization_name from claude_marts.organizations"
        " where kind = 'child' order by 1"
    ) == [(CHILDREN[0], "Group Retail"), (CHILDREN[1], None)]
    assert "was read" not in set_up(f"sync --today {TODAY} --no-transform").text
    wrong = set_up(f"sync --today {TODAY}", ORGANIZATIONS__GROUP__KIND="console")
    assert wrong.exit_code == 1
    assert "is not of a parent" in wrong.err
    settings._read.cache_clear()
