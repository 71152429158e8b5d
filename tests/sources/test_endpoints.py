"""The table of endpoints against the official package, in both directions."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import anthropic
import pyarrow as pa
import pytest
from anthropic.types import organization
from anthropic.types.organization import analytics
from anthropic.types.organization.analytics.apps import chat

from sources.claude_analytics.endpoints import (
    CENTS,
    COUNT,
    DATE,
    ENDPOINTS,
    PERCENT,
    TEXT,
    TIMESTAMP,
)
from sources.client import API_VERSION
from sources.sandbox import Sandbox

Official = anthropic.BaseModel
ENDPOINT = {endpoint.table: endpoint for endpoint in ENDPOINTS}
TABLES = sorted(ENDPOINT)
DAY = date(2026, 6, 12)

ROWS: dict[str, type[Official]] = {
    "users": organization.AnalyticsUserActivity,
    "summaries": organization.AnalyticsSingleDayActivitySummary,
    "chat_projects": organization.AnalyticsProjectActivity,
    "skills": organization.AnalyticsSkillActivity,
    "connectors": organization.AnalyticsConnectorActivity,
}
PARAMS: dict[str, type] = {
    "users": analytics.UserListParams,
    "summaries": analytics.SummaryListParams,
    "chat_projects": chat.ProjectListParams,
    "skills": analytics.SkillListParams,
    "connectors": analytics.ConnectorListParams,
}
LISTS: dict[str, Callable[[anthropic.Anthropic], object]] = {
    "users": lambda api: api.organization.analytics.users.list(date=str(DAY)),
    "summaries": lambda api: api.organization.analytics.summaries.list(starting_date=str(DAY)),
    "chat_projects": lambda api: api.organization.analytics.apps.chat.projects.list(date=str(DAY)),
    "skills": lambda api: api.organization.analytics.skills.list(date=str(DAY)),
    "connectors": lambda api: api.organization.analytics.connectors.list(date=str(DAY)),
}
NOT_DECLARED: dict[str, set[str]] = {}
"""Official fields that we leave out, by table, each with the reason beside it. None so far."""
NOT_OFFICIAL: dict[str, set[str]] = {}
"""Columns that the package does not know, by table, each with the reason beside it. None so far."""
MONEY = {"estimated_overage_spend", "attributed_list_price"}
"""The package has decimal strings as `str`; its field texts call these amounts in cents."""
TYPES: dict[object, pa.DataType] = {
    int: COUNT,
    float: PERCENT,
    bool: pa.bool_(),
    str: TEXT,
    date: DATE,
    datetime: TIMESTAMP,
}


def official_columns(model: type[Official], prefix: str = "") -> Iterator[tuple[str, pa.DataType]]:
    """The package's fields as raw columns: nested models joined with `__`, null or not."""
    for field_name, field in model.model_fields.items():
        name = prefix + (field.alias or field_name)
        kind: Any = field.annotation
        if get_origin(kind) in (Union, UnionType):
            (kind,) = (part for part in get_args(kind) if part is not NoneType)
        if get_origin(kind) is Literal:
            (kind,) = {type(value) for value in get_args(kind)}
        if isinstance(kind, type) and issubclass(kind, Official):
            yield from official_columns(kind, f"{name}__")
        else:
            yield name, CENTS if name in MONEY else TYPES[kind]


@pytest.mark.parametrize("table", TABLES)
def test_the_declared_columns_are_those_of_the_official_package(table: str) -> None:
    official = dict(official_columns(ROWS[table]))
    declared = ENDPOINT[table].columns

    assert official.keys() - declared.keys() == NOT_DECLARED.get(table, set())
    assert declared.keys() - official.keys() == NOT_OFFICIAL.get(table, set())
    for name in official.keys() & declared.keys():
        assert declared[name] == official[name], name


def test_the_official_package_asks_the_same_paths_in_the_same_version() -> None:
    with (
        Sandbox.empty(today="2026-06-15") as sandbox,
        anthropic.Anthropic(api_key=sandbox.api_key, base_url=sandbox.url) as api,
    ):
        for table in TABLES:
            LISTS[table](api)

    asked = [(request.path, request.headers["anthropic-version"]) for request in sandbox.requests]
    assert asked == [(ENDPOINT[table].path, API_VERSION) for table in TABLES]


@pytest.mark.parametrize("table", TABLES)
def test_every_parameter_is_one_that_the_official_package_knows(table: str) -> None:
    endpoint = ENDPOINT[table]

    assert endpoint.params(DAY, DAY).keys() <= get_type_hints(PARAMS[table]).keys()


@pytest.mark.parametrize("table", TABLES)
def test_a_request_for_some_days_asks_for_exactly_those(table: str) -> None:
    first, last = date(2026, 2, 27), date(2026, 3, 1)
    if ENDPOINT[table].days_per_request > 1:
        expected = {"starting_date": "2026-02-27", "ending_date": "2026-03-02"}
        assert ENDPOINT[table].params(first, last) == expected
    else:
        assert ENDPOINT[table].params(first, first) == {"date": "2026-02-27", "limit": "1000"}


def test_the_endpoints_of_the_nightly_run_are_declared_once_each() -> None:
    assert sorted(endpoint.table for endpoint in ENDPOINTS) == sorted(ROWS)
    assert len({endpoint.path for endpoint in ENDPOINTS}) == len(ENDPOINTS)
    assert [endpoint.table for endpoint in ENDPOINTS if endpoint.decides_access] == ["users"]


@pytest.mark.parametrize("table", TABLES)
def test_an_endpoint_is_whole(table: str) -> None:
    endpoint = ENDPOINT[table]

    assert re.fullmatch(r"[a-z][a-z0-9_]*", table)
    assert re.fullmatch(r"/v1(/[a-z0-9_]+)+", endpoint.path)
    assert endpoint.grain.startswith("One row per UTC day")
    assert endpoint.key
    assert set(endpoint.key) <= endpoint.columns.keys()
    assert set(endpoint.older_names.values()) <= endpoint.columns.keys()
    assert endpoint.older_names.keys().isdisjoint(endpoint.columns)
    assert "data" in endpoint.items
    assert endpoint.revision_days >= 1
    assert 1 <= endpoint.days_per_request <= 31


@pytest.mark.parametrize("table", TABLES)
def test_an_endpoint_that_brings_several_days_says_which_day_a_row_is(table: str) -> None:
    endpoint = ENDPOINT[table]

    assert (endpoint.days_per_request > 1) == (endpoint.day_column is not None)
    if endpoint.day_column:
        assert endpoint.columns[endpoint.day_column] == TIMESTAMP


@pytest.mark.parametrize("table", TABLES)
def test_column_names_are_plain_and_types_are_of_the_list(table: str) -> None:
    for name, kind in ENDPOINT[table].columns.items():
        assert re.fullmatch(r"[a-z](_{0,2}[a-z0-9])+", name), name
        assert kind in TYPES.values() or kind == CENTS, name
    assert {"undeclared_fields", "activity_date", "is_day_marker"}.isdisjoint(
        ENDPOINT[table].columns
    )
