"""The tables of endpoints against the official package, in both directions."""

import inspect
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import anthropic
import pyarrow as pa
import pytest
from dlt.common.schema.typing import TColumnSchema
from pydantic import BaseModel

from sources.claude_admin import endpoints as admin
from sources.claude_admin.endpoints import ROSTERS, Roster
from sources.claude_admin.snapshot import ADMIN_API, Snapshot, take_snapshot
from sources.claude_analytics.client import Client
from sources.claude_analytics.endpoints import (
    CENTS,
    COST_API,
    COUNT,
    DATE,
    ENDPOINTS,
    EVERY_ENDPOINT,
    FLAG,
    PARENT_API,
    PERCENT,
    REPORTS_API,
    TEXT,
    TIMESTAMP,
    Endpoint,
)
from sources.http import HttpClient
from sources.rate_budget import RateBudget
from sources.sandbox import Sandbox
from sources.sandbox.server import Received
from tests.sources.official import OFFICIAL, OFFICIAL_ROSTERS, field_texts, variants

DAY = date(2026, 6, 12)
ANALYTICS = "/v1/organizations/analytics/"


NOT_DECLARED: dict[str, set[str]] = {
    # A member's effective limit has that member as its scope; the package uses one type for the
    # scope of every kind of limit. What comes all the same is kept as undeclared.
    "spend_limits": {
        "scope__rbac_group_id", "scope__seat_tier", "scope__service", "scope__workspace_id",
    },
}  # fmt: skip
"""Official fields that we leave out, by table, each with the reason beside it."""

ONLY_UNIFIED = {
    "group__actor_type", "group__organization_id", "group__workspace_id", "group__service_tier",
    "group__api_key_id", "group__agent_id", "group__deployment_id", "group__environment_id",
    "group__session_id", "group__user_profile_id",
    *(
        f"group__actor__{name}"
        for name in (
            "type", "user_id", "email_address", "name", "deleted", "service_account_id",
            "api_key_id", "subject", "provider__type", "provider__account_id",
            "provider__signed_principal", "provider__subscription_id", "provider__project_number",
            "provider__issuer",
        )
    ),
}  # fmt: skip
NOT_OFFICIAL: dict[str, set[str]] = {
    # The older reports fill the same tables of totals as the newer API, which knows more.
    "cost_report as cost_totals": ONLY_UNIFIED,
    "usage_report as usage_totals": ONLY_UNIFIED | {"usage__total_tokens"},
    # The path has it, the rows do not.
    "rbac_role_permissions": {"rbac_role_id"},
}
"""Columns that the package does not know, by endpoint, each with the reason beside it."""

CENTS_TEXT = re.compile(r"in fractional cents|\(cents\s+for\s+USD")
"""How the package's texts say that a decimal string is money."""

ARROW_TYPES: Mapping[object, pa.DataType] = {
    int: COUNT,
    float: PERCENT,
    bool: FLAG,
    str: TEXT,
    date: DATE,
    datetime: TIMESTAMP,
    Decimal: CENTS,
}
DLT_TYPES: Mapping[object, TColumnSchema] = {
    bool: admin.FLAG,
    str: admin.TEXT,
    datetime: admin.TIMESTAMP,
    list: admin.LIST,
    Decimal: admin.CENTS,
    int: admin.COUNT,
    dict: admin.JSON,
}


def tail_of(endpoint: Endpoint) -> str:
    return endpoint.path.removeprefix(ANALYTICS)


def name_of(endpoint: Endpoint) -> str:
    """An endpoint's table; with its path where several paths fill one table."""
    path = tail_of(endpoint).rpartition("/")[2]
    return endpoint.table if path == endpoint.table else f"{path} as {endpoint.table}"


def official_fields(
    model: type[BaseModel], unnest: str | None = None, prefix: str = ""
) -> Iterator[tuple[str, object]]:
    """The package's fields as raw columns: nested models joined with `__`, null or not.

    A field of several models has the fields of all of them. Decimal strings are `str` in the
    package; its texts say of which ones that they are cents.
    """
    texts = field_texts(model)
    for field_name, field in model.model_fields.items():
        name = prefix + (field.alias or field_name)
        for kind in variants(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from official_fields(kind, prefix=f"{name}__")
            elif name == unnest:
                yield from official_fields(get_args(kind)[0])
            elif get_origin(kind) in (list, dict):
                yield name, get_origin(kind)
            else:
                is_money = kind is str and CENTS_TEXT.search(texts[field_name])
                yield name, Decimal if is_money else kind


def official_columns(model: type[BaseModel], unnest: str | None = None) -> dict[str, object]:
    columns: dict[str, object] = {}
    for name, kind in official_fields(model, unnest):
        if columns.setdefault(name, kind) is not kind:
            assert {columns[name], kind} == {list, str}, f"{name} has two types"
            columns[name] = dict  # A list or a word: JSON of any kind.
    return columns


per_endpoint = pytest.mark.parametrize("endpoint", EVERY_ENDPOINT, ids=name_of)
of_the_client = [endpoint for endpoint in EVERY_ENDPOINT if endpoint.is_official]
per_official_endpoint = pytest.mark.parametrize("endpoint", of_the_client, ids=name_of)
per_request = pytest.mark.parametrize(
    "endpoint",
    [*of_the_client, *PARENT_API],
    ids=lambda each: f"{name_of(each)}{' of children' if each in PARENT_API else ''}",
)
per_roster = pytest.mark.parametrize("roster", ROSTERS, ids=lambda roster: roster.table)


# Columns.


@per_official_endpoint
def test_the_declared_columns_are_those_of_the_official_package(endpoint: Endpoint) -> None:
    known = OFFICIAL[tail_of(endpoint)]
    assert endpoint.unnest == known.unnest
    official = {
        endpoint.older_names.get(name, name): ARROW_TYPES[kind]
        for name, kind in official_columns(known.row, known.unnest).items()
    }
    declared = endpoint.columns

    assert official.keys() - declared.keys() == NOT_DECLARED.get(name_of(endpoint), set())
    assert declared.keys() - official.keys() == NOT_OFFICIAL.get(name_of(endpoint), set())
    assert {name: declared[name] for name in official.keys() & declared.keys()} == {
        name: official[name] for name in official.keys() & declared.keys()
    }


@per_roster
def test_the_columns_of_a_roster_are_those_of_the_official_package(roster: Roster) -> None:
    known = official_columns(OFFICIAL_ROSTERS[roster.table].row)
    declared = roster.columns
    left_out = NOT_DECLARED.get(roster.table, set()) | {
        name
        for name in known
        if any(name == whole or name.startswith(f"{whole}__") for whole in roster.left_out)
    }

    assert known.keys() - declared.keys() == left_out
    assert declared.keys() - known.keys() == NOT_OFFICIAL.get(roster.table, set())
    for name in known.keys() & declared.keys():
        assert declared[name] is DLT_TYPES[known[name]], name


def test_money_is_found_by_what_the_official_package_says_of_it() -> None:
    columns = {
        **{path: official_columns(known.row, known.unnest) for path, known in OFFICIAL.items()},
        **{table: official_columns(known.row) for table, known in OFFICIAL_ROSTERS.items()},
    }
    money = {
        f"{source}: {name}"
        for source, fields in columns.items()
        for name, kind in fields.items()
        if kind is Decimal
    }

    assert money == {
        "skills: estimated_overage_spend", "skills: attributed_list_price",
        "cost: cost__amount", "cost: cost__list_amount",
        "cost_report: amount", "cost_report: list_amount",
        "user_cost_report: amount", "user_cost_report: list_amount",
        "spend_limits: amount", "spend_limits: period_to_date_spend",
        "configured_spend_limits: amount", "spend_limit_increase_requests: spend_summary__amount",
        "spend_limit_increase_requests: spend_summary__period_to_date_spend",
    }  # fmt: skip


def test_every_kind_of_actor_has_its_own_columns() -> None:
    """By the reference, section 9.4; a kind that nobody declared would be a person lost."""
    identity = {
        "user_actor": {"user_id", "email_address", "name", "deleted"},
        "service_account_actor": {"service_account_id"},
        "api_actor": {"api_key_id"},
        "federated_actor": {"subject", "provider__type"},
        "aws": {"provider__account_id", "provider__signed_principal"},
        "azure": {"provider__subscription_id"},
        "gcp": {"provider__project_number"},
        "oidc": {"provider__issuer"},
    }
    expected = {f"group__actor__{name}" for names in identity.values() for name in names}
    for endpoint in COST_API:
        found = {name for name in endpoint.columns if name.startswith("group__actor__")}
        assert found - {"group__actor__type"} == expected


def test_both_generations_of_totals_fill_the_same_columns() -> None:
    unified = {endpoint.table: endpoint for endpoint in COST_API}
    reported = {endpoint.table: endpoint for endpoint in REPORTS_API}

    both = unified.keys() & reported.keys()
    assert both == {"cost_totals", "usage_totals"}
    for table in both:
        assert unified[table].columns == reported[table].columns
        assert unified[table].key == reported[table].key


# Requests.


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[dict[str, Sandbox]]:
    """An organisation with the newer API of cost and usage, and one with the older reports."""
    with (
        Sandbox(today="2026-06-15", seats=5, days_ahead=0) as unified,
        Sandbox(today="2026-06-15", seats=5, days_ahead=0, cost_api="reports") as reports,
    ):
        yield {"unified": unified, "reports": reports}


@per_request
def test_a_request_is_the_one_that_the_official_package_sends(
    endpoint: Endpoint, sandboxes: dict[str, Sandbox], tmp_path: Path
) -> None:
    sandbox = sandboxes["reports" if endpoint in REPORTS_API else "unified"]
    known = OFFICIAL[tail_of(endpoint)]
    given = {name.removesuffix("[]"): value for name, value in endpoint.params(DAY, DAY).items()}
    sandbox.requests.clear()

    with anthropic.Anthropic(api_key=sandbox.api_key, base_url=sandbox.url) as api:
        known.method(api)(**given)
    budget = RateBudget(tmp_path / "rate_budget.db", 1000)
    with Client(base_url=sandbox.url, api_key=sandbox.api_key, budget=budget) as client:
        next(client.pages(endpoint, DAY, DAY))

    official, ours = sandbox.requests
    assert (official.status, ours.status) == (200, 200)
    assert (official.path, official.params) == (ours.path, ours.params)
    for header in ("anthropic-version", "anthropic-beta"):
        assert official.headers.get(header) == ours.headers.get(header), header


@per_request
def test_every_parameter_is_one_that_the_official_package_knows(endpoint: Endpoint) -> None:
    known = get_type_hints(OFFICIAL[tail_of(endpoint)].params)
    given = {name.removesuffix("[]"): value for name, value in endpoint.params(DAY, DAY).items()}

    assert given.keys() <= known.keys()
    assert {*given.get("group_by", [])} <= allowed(known.get("group_by"))
    for width in given.keys() & {"bucket_width", "time_bucket_width"}:
        assert given[width] in allowed(known[width])


def allowed(kind: Any) -> set[str]:
    """The values that a parameter of these types takes."""
    if get_origin(kind) is Literal:
        return {*get_args(kind)}
    return {value for part in get_args(kind) for value in allowed(part)}


def test_a_roster_is_read_where_and_how_the_official_package_reads_it(tmp_path: Path) -> None:
    with Sandbox(today="2026-06-15", seats=30, days_ahead=0) as sandbox:
        with HttpClient(
            ADMIN_API,
            base_url=sandbox.url,
            api_key=sandbox.api_key,
            budget=RateBudget(tmp_path / "rate_budget.db", 1000),
        ) as client:
            snapshot = take_snapshot(lambda _: client)
        ours = [sent(request) for request in sandbox.requests]
        sandbox.requests.clear()
        with anthropic.Anthropic(api_key=sandbox.api_key, base_url=sandbox.url) as api:
            for roster in ROSTERS:
                method = OFFICIAL_ROSTERS[roster.table].method(api)
                for parent in parents(roster, snapshot):
                    if roster.paging == "none":
                        method(*parent)
                    else:
                        list(method(*parent, **{"limit": 1000, **official_params(roster)}))  # type: ignore[call-overload]
        official = [sent(request) for request in sandbox.requests]

    assert (snapshot.refused, snapshot.failures) == ({}, {})
    assert len(snapshot.rows["rbac_groups"]) > 1
    assert ours == official


def sent(request: Received) -> tuple[object, ...]:
    headers = [request.headers.get(f"anthropic-{name}") for name in ("version", "beta")]
    return request.path, request.params, *headers


def parents(roster: Roster, snapshot: Snapshot) -> list[list[str]]:
    """What names the list beside its path, of each list of that path."""
    if not roster.for_each:
        return [[]]
    rows = snapshot.rows[roster.for_each]
    return [
        [row[roster.parent_id]]
        for row in rows
        if not (roster.not_for and row[roster.not_for])
        and not (roster.only_for and not row[roster.only_for])
    ]


def official_params(roster: Roster) -> dict[str, object]:
    return {
        name: int(value) if value.isdigit() else value == "true"
        for name, value in roster.params.items()
    }


@per_roster
def test_a_roster_is_paged_with_a_parameter_that_the_official_package_knows(
    roster: Roster,
) -> None:
    needed = {"ids": {"after_id", "limit"}, "cursor": {"page", "limit"}, "none": set[str]()}
    params = OFFICIAL_ROSTERS[roster.table].params

    known = get_type_hints(params).keys() if params else set()
    assert needed[roster.paging] | roster.params.keys() <= known


@per_endpoint
def test_a_request_for_some_days_asks_for_exactly_those(endpoint: Endpoint) -> None:
    first, last = date(2026, 2, 27), date(2026, 3, 1)
    several = endpoint.params(first, last)
    expected: dict[str, str]
    if endpoint.kind == "money":
        expected = {"starting_at": "2026-02-27T00:00:00Z", "ending_at": "2026-03-02T00:00:00Z"}
        assert {name: several[name] for name in expected} == expected
        width = "1h" if endpoint.table.startswith("hourly_") else "1d"
        assert [value for name, value in several.items() if name.endswith("bucket_width")] == [
            width
        ]
    elif endpoint.days_per_request > 1:
        expected = {"starting_date": "2026-02-27", "ending_date": "2026-03-02"}
        assert several == expected
    elif endpoint.table == "claude_code_reports":
        assert endpoint.params(first, first) == {"starting_at": "2026-02-27", "limit": "1000"}
    else:
        expected = {"date": "2026-02-27"}
        without_pages = endpoint.table == "artifacts"
        assert endpoint.params(first, first) == expected | (
            {} if without_pages else {"limit": "1000"}
        )


# The tables themselves.


def test_an_endpoint_that_the_official_package_knows_by_now_is_compared_with_it() -> None:
    folder = Path(inspect.getfile(anthropic)).parent / "resources"
    text = "".join(file.read_text() for file in folder.rglob("*.py"))

    not_yet = [endpoint.path for endpoint in EVERY_ENDPOINT if not endpoint.is_official]
    assert [path for path in not_yet if f'"{path}"' in text] == []
    assert f'"{EVERY_ENDPOINT[0].path}"' in text


def test_every_endpoint_and_roster_is_declared_once_in_its_generation() -> None:
    assert {tail_of(endpoint) for endpoint in of_the_client} == OFFICIAL.keys()
    assert [roster.table for roster in ROSTERS] == list(OFFICIAL_ROSTERS)
    for generation in (ENDPOINTS, ENDPOINTS + COST_API, ENDPOINTS + REPORTS_API):
        tables = [endpoint.table for endpoint in generation]
        assert len(set(tables)) == len(tables)
    assert [endpoint.table for endpoint in EVERY_ENDPOINT if endpoint.decides_access] == ["users"]


@per_endpoint
def test_an_endpoint_is_whole(endpoint: Endpoint) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", endpoint.table)
    assert re.fullmatch(r"/v1(/[a-z0-9_]+)+", endpoint.path)
    assert endpoint.grain.startswith("One row per UTC day")
    assert set(endpoint.key) <= endpoint.columns.keys()
    assert set(endpoint.older_names.values()) <= endpoint.columns.keys()
    assert endpoint.older_names.keys().isdisjoint(endpoint.columns)
    assert "data" in endpoint.items
    assert endpoint.revision_days >= 1
    assert 1 <= endpoint.days_per_request <= 31


@per_endpoint
def test_a_key_is_missing_only_where_rows_may_be_alike(endpoint: Endpoint) -> None:
    """Identities that the API cannot name come as null actors, each in a row of its own."""
    may_be_alike = "actor" in endpoint.params(DAY, DAY).get("group_by[]", ())

    assert (endpoint.key == ()) == may_be_alike


@per_endpoint
def test_an_endpoint_that_brings_several_days_says_which_day_a_row_is(endpoint: Endpoint) -> None:
    assert (endpoint.days_per_request > 1) == (endpoint.day_column is not None)
    if endpoint.day_column:
        assert endpoint.columns[endpoint.day_column] == TIMESTAMP


@per_endpoint
def test_rows_follow_totals_of_their_own_generation(endpoint: Endpoint) -> None:
    for generation in (COST_API, REPORTS_API):
        if endpoint in generation:
            tables = [other.table for other in generation if other.totals is None]
            assert endpoint.totals in [None, *tables]


@per_endpoint
def test_column_names_are_plain_and_types_are_of_the_list(endpoint: Endpoint) -> None:
    for name, kind in endpoint.columns.items():
        assert re.fullmatch(r"[a-z](_{0,2}[a-z0-9])+", name), name
        assert kind in ARROW_TYPES.values(), name
    assert {"undeclared_fields", "activity_date", "version"}.isdisjoint(endpoint.columns)


@per_roster
def test_a_roster_is_whole(roster: Roster) -> None:
    assert re.fullmatch(r"/v1(/[a-z0-9_{}]+)+", roster.path)
    assert roster.grain.startswith("One row")
    assert roster.key
    assert set(roster.key) <= roster.columns.keys()
    assert set(roster.older_names.values()) <= roster.columns.keys()
    assert roster.older_names.keys().isdisjoint(roster.columns)
    assert roster.left_out.keys().isdisjoint(roster.columns)
    assert all(roster.left_out.values())
    assert ("{id}" in roster.path) == (roster.for_each is not None)
    assert {*roster.one_of, *roster.may_lack} < {*roster.key}
    assert roster.parent_column in (None, *roster.columns)
    by_table = {each.table: each for each in ROSTERS}
    if roster.for_each:
        assert roster.not_for in (None, *by_table[roster.for_each].columns)
        assert roster.takes_token == by_table[roster.for_each].takes_token
