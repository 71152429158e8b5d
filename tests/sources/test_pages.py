"""A page of JSON becomes the declared columns, exactly, and no row disturbs another."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.claude_analytics.endpoints import (
    CENTS,
    COST_API,
    COUNT,
    DATE,
    ENDPOINTS,
    FLAG,
    PERCENT,
    REPORTS_API,
    TIMESTAMP,
)
from sources.claude_analytics.pages import (
    ForeignCurrency,
    MissingList,
    Page,
    page_of_body,
    raw_schema,
    rows_hash,
)
from sources.errors import NotJson

Row = dict[str, Any]

DAY = date(2026, 11, 10)
REPORTED = {endpoint.table: endpoint for endpoint in REPORTS_API}
BY_USER = {table: REPORTED[table] for table in ("user_cost_reports", "user_usage_reports")}
ENDPOINT = {endpoint.table: endpoint for endpoint in (*ENDPOINTS, *COST_API)} | BY_USER
TABLES = sorted(ENDPOINT)
IN_BUCKETS = ("cost_totals", "usage_totals", "cost_reports", "usage_reports")
OWN = ("undeclared_fields", "activity_date")
OLDER_NAMES = {
    "user__email": "user__email_address",
    "created_by__email": "created_by__email_address",
    "actor__email": "actor__email_address",
}

# The documented example answers (analytics.md, section 13), each name of a block in its order.
CHAT = """
    connectors_used_count distinct_artifacts_created_count distinct_connectors_used_count
    distinct_conversation_count distinct_files_uploaded_count distinct_projects_created_count
    distinct_projects_used_count distinct_shared_artifacts_viewed_count distinct_skills_used_count
    message_count shared_conversations_viewed_count thinking_message_count
"""
COWORK = """
    action_count artifacts_created_count connectors_used_count dispatch_turn_count
    distinct_connectors_used_count distinct_plugins_used_count distinct_session_count
    distinct_skills_used_count edit_tool_count file_edit_count message_count multi_edit_tool_count
    notebook_edit_tool_count plugins_used_count sessions_with_file_edits_count skills_used_count
    write_tool_count
"""
DESIGN = """
    distinct_projects_created_count distinct_projects_used_count distinct_session_count
    message_count
"""
OFFICE = """
    connectors_used_count distinct_connectors_used_count distinct_session_count
    distinct_skills_used_count message_count skills_used_count
"""
SCIENCE = """
    delegation_count distinct_session_count message_count remote_compute_job_count
    skills_used_count
"""
SUMMARY = """
    assigned_seat_count pending_invite_count daily_active_user_count weekly_active_user_count
    monthly_active_user_count daily_adoption_rate weekly_adoption_rate monthly_adoption_rate
    cowork_daily_active_user_count cowork_weekly_active_user_count
    cowork_monthly_active_user_count chat_daily_active_user_count chat_weekly_active_user_count
    chat_monthly_active_user_count claude_code_daily_active_user_count
    claude_code_weekly_active_user_count claude_code_monthly_active_user_count
    claude_design_daily_active_user_count claude_design_weekly_active_user_count
    claude_design_monthly_active_user_count office_agent_daily_active_user_count
    office_agent_weekly_active_user_count office_agent_monthly_active_user_count
    science_daily_active_user_count science_weekly_active_user_count
    science_monthly_active_user_count science_entitled_user_count
"""
APPS = ("excel", "outlook", "powerpoint", "word")
IDLE_COWORK = "0 0 0 0 0 - 0 0 - - 0 - - - - 0 -"


def block(names: str, values: str = "") -> Row:
    """The names with their values, `-` for null; zeros where no values are given."""
    texts = values.split() or ["0"] * len(names.split())
    numbers = [None if text == "-" else json.loads(text) for text in texts]
    return dict(zip(names.split(), numbers, strict=True))


def person(id: str, name: str) -> Row:
    return {"id": f"user_01{id}", "email_address": f"{name}@northwind.example", "type": "user"}


def code(core: str = "0 0 0", lines: str = "0 0", edits: str = "0 0", writes: str = "0 0") -> Row:
    names = "artifacts_created_count commit_count distinct_session_count"
    decisions = "accepted_count rejected_count"
    return {
        "core_metrics": {
            **block(names, core),
            "lines_of_code": block("added_count removed_count", lines),
            "pull_request_count": 2 if core != "0 0 0" else 0,
        },
        "tool_actions": {
            "edit_tool": block(decisions, edits),
            "multi_edit_tool": block(decisions),
            "notebook_edit_tool": block(decisions),
            "write_tool": block(decisions, writes),
        },
    }


def activity(user: Row | None, **blocks: Any) -> Row:
    return {
        "user": user,
        "distinct_user_count": None,
        "chat_metrics": block(CHAT),
        "claude_code_metrics": code(),
        "cowork_metrics": block(COWORK, IDLE_COWORK),
        "design_metrics": block(DESIGN),
        "office_metrics": {app: block(OFFICE) for app in APPS},
        "science_metrics": block(SCIENCE),
        "web_search_count": 0,
        "last_activity_date": "2026-11-10",
        **blocks,
    }


ADA_BLOCKS: Row = {
    "chat_metrics": block(CHAT, "6 0 2 4 2 0 1 0 1 14 0 3"),
    "claude_code_metrics": code("1 9 6", "1210 402", "61 7", "12 1"),
    "web_search_count": 5,
}
ADA = activity(person("Hq3VdKTn7mXbYc4RzWpLsA", "ada"), **ADA_BLOCKS)
BEN = activity(
    person("Jw8FgPZe2kNtUa6QvBxMyB", "ben"),
    chat_metrics=block(CHAT, "1 2 1 7 0 1 2 0 0 22 0 0"),
    office_metrics={
        **{app: block(OFFICE) for app in APPS},
        "excel": block(OFFICE, "0 0 2 0 9 0"),
    },
)
CHI_COWORK = block(COWORK, "35 1 3 1 1 1 2 2 6 8 11 0 0 2 1 4 2")
CHI = activity(person("Lm5CrSXh9jDwEf3GkHnTqC", "chi"), cowork_metrics=CHI_COWORK)
UNIFIED = activity(
    CHI["user"],
    chat_cowork_unified_metrics={
        "chat": block(CHAT, "1 0 1 2 0 0 0 - 0 8 0 0"),
        "sessions": block(COWORK, "12 0 0 0 0 0 1 0 2 3 5 0 0 0 1 0 1"),
    },
    claude_tag_metrics={"active_day_count": 1, "active_message_count": 3},
)
ENGINEERING = activity(
    None,
    **{**ADA_BLOCKS, "chat_metrics": block(CHAT, "6 0 - - - 0 - - - 14 0 3")},
    distinct_user_count=2,
    cowork_metrics=block(COWORK, "35 1 3 1 - - - - - - 11 - - - - 4 -"),
    rbac_group_id="rbac_group_01QaWs3EdRf5TgYh7UjKi9L",
    rbac_group_name="Engineering",
)
UNNAMED_GROUP = activity(
    None,
    distinct_user_count=1,
    chat_metrics=block(CHAT, "1 2 - - - 1 - - - 22 0 0"),
    rbac_group_id="rbac_group_01ZxCv2BnMq4WeRt6YuIo8P",
    rbac_group_name=None,
)
MONDAY = {
    "starting_at": "2026-11-09T00:00:00Z",
    "ending_at": "2026-11-10T00:00:00Z",
    **block(
        SUMMARY,
        "120 4 61 84 97 50.83 70.0 80.83 9 15 22 52 77 92 24 31 36 1 3 6 6 11 17 0 0 0 0",
    ),
}
TUESDAY = {
    "starting_at": "2026-11-10T00:00:00Z",
    "ending_at": "2026-11-11T00:00:00Z",
    **block(
        SUMMARY,
        "120 3 64 85 97 53.33 70.83 80.83 11 16 22 55 78 92 25 31 36 2 3 6 7 11 17 0 0 0 0",
    ),
}
SCOPED = {
    **TUESDAY,
    **block(SUMMARY, "- - 21 28 32 - - - 3 5 7 18 26 30 8 10 12 0 1 2 2 3 5 0 0 0 -"),
}
ROADMAP = {
    "project_id": "claude_proj_01AbRoadmapQ4XyZ7mNpTsV",
    "project_name": "Roadmap Q4",
    "created_at": "2026-02-17T09:31:05Z",
    "created_by": ADA["user"],
    **block("distinct_user_count distinct_conversation_count message_count", "2 5 19"),
}
SALES_PROJECT = {
    "project_id": "claude_proj_01CdSalesPlaybk9KwLqRhJ",
    "project_name": "Sales playbook",
    "created_at": "2026-06-03T14:02:44Z",
    "created_by": None,
    **block("distinct_user_count distinct_conversation_count message_count", "1 3 11"),
}
DELETED_PROJECT = {
    "project_id": "claude_proj_01EfDeletedPrj3BvGtYuMc",
    "project_name": "Archived experiments",
    "created_at": None,
    "created_by": None,
    **block("distinct_user_count distinct_conversation_count message_count", "1 1 2"),
}


def used_by_product(noun: str, used: str) -> Row:
    """Numbers of chats, and of sessions in Claude Code, Cowork and Excel, that used it."""
    chat, claude_code, cowork, excel = map(int, used.split())
    sessions = f"distinct_session_{noun}_used_count"
    return {
        "chat_metrics": {f"distinct_conversation_{noun}_used_count": chat},
        "claude_code_metrics": {sessions: claude_code},
        "cowork_metrics": {sessions: cowork},
        "office_metrics": {app: {sessions: excel if app == "excel" else 0} for app in APPS},
    }


def skill(
    name: str, counts: str, used: str, overage: str | None, list_price: str | None, **more: Any
) -> Row:
    is_priced = overage is not None or list_price is not None
    return {
        "skill_name": name,
        "skill_display_name": None,
        "share_status": None,
        **block("distinct_user_count invocation_count enable_count", counts),
        **used_by_product("skill", used),
        "estimated_overage_spend": overage,
        "attributed_list_price": list_price,
        "currency": "USD" if is_priced else None,
        **more,
    }


SKILLS = [
    skill("brand-guidelines", "5 17 2", "9 0 0 0", "412.500000", None, share_status="organization"),
    skill("pdf", "11 40 0", "21 6 3 2", "0", "1530.125000"),
    skill(
        "skill_01WqEr5TyUi7OpAs9DfGhJk", "1 3 1", "0 0 2 0", None, None,
        skill_display_name="Quarter close checklist", share_status="private",
    ),
]  # fmt: skip
SKILLS_BY_PRODUCT_AND_USER = [
    skill("pdf", "1 4 -", "3 0 0 0", None, None, product="chat", user_id=BEN["user"]["id"]),
    skill(
        "pdf", "1 2 -", "0 2 0 0", "0", "96.000000",
        product="claude_code", user_id=ADA["user"]["id"],
    ),
]  # fmt: skip
CALLS = """
    distinct_user_count individual_auth_distinct_user_count managed_auth_distinct_user_count
    read_call_count write_call_count unclassified_call_count
"""
CONNECTORS = [
    {
        "connector_name": name,
        "connector_display_name": display_name,
        **block(CALLS, calls),
        **used_by_product("connector", used),
    }
    for name, display_name, calls, used in (
        ("atlassian", None, "18 18 0 210 14 33", "27 11 0 0"),
        ("github", None, "9 - - 31 6 12", "2 19 1 0"),
        ("mcpsrv_01PlOk3IjUh5YgTf7RdEs9W", "Northwind Data Lake", "2 - - 5 0 0", "2 0 0 0"),
    )
]
PLUGINS = [
    {
        "plugin_name": name,
        "plugin_id": plugin_id,
        **block("distinct_user_count install_count invocation_count", counts),
        **{
            f"{product}_metrics": {"distinct_session_plugin_used_count": count}
            for product, count in zip(("claude_code", "cowork"), used, strict=True)
        },
    }
    for name, plugin_id, counts, used in (
        ("security-review", None, "7 9 31", (12, 3)),
        ("house-style", "plugin_01Hs", "2 - 0", (0, 0)),
    )
]
ARTIFACTS = [
    {
        "artifact_type": kind,
        "is_shared": is_shared,
        **block(
            "artifacts_created_count published_artifacts_created_count distinct_user_count", counts
        ),
    }
    for kind, is_shared, counts in (
        ("text/html", True, "5 2 3"), ("text/html", False, "11 0 6"), ("other", False, "1 0 1"),
    )
]  # fmt: skip
BOUNDS = {"starting_at": "2026-11-10T00:00:00Z", "ending_at": "2026-11-11T00:00:00Z"}
USER_ACTOR = {
    "type": "user_actor",
    "user_id": ADA["user"]["id"],
    "email_address": "ada@northwind.example",
    "name": "Ada",
    "deleted": False,
}
DELETED_ACTOR = {
    "type": "user_actor", "user_id": "user_01Gone", "email_address": None,
    "name": "Deleted User", "deleted": True,
}  # fmt: skip
FEDERATED_PROVIDERS: dict[str, Row] = {
    "aws": {
        "type": "aws",
        "account_id": "123456789012",
        "signed_principal": "arn:aws:iam::1:role/r",
    },
    "azure": {"type": "azure", "subscription_id": "8f2c"},
    "gcp": {"type": "gcp", "project_number": "4711"},
    "oidc": {"type": "oidc", "issuer": "https://id.northwind.example"},
    "oidc without issuer": {"type": "oidc", "issuer": None},
}
ACTORS: dict[str, Row | None] = {
    "user": USER_ACTOR,
    "deleted user": DELETED_ACTOR,
    "service account": {"type": "service_account_actor", "service_account_id": "svac_01Ci"},
    "API key": {"type": "api_actor", "api_key_id": "apikey_01Ci"},
    **{
        f"federated by {name}": {
            "type": "federated_actor", "subject": "repo:northwind/web", "provider": provider,
        }
        for name, provider in FEDERATED_PROVIDERS.items()
    },
    "nobody": None,
}  # fmt: skip
COST_DIMENSIONS = dict.fromkeys(
    (
        "actor_type", "product", "model", "cost_type", "token_type", "context_window",
        "inference_geo", "speed", "rbac_group_id", "slack_channel_id", "claude_tag_category",
        "claude_tag_user_id", "organization_id", "workspace_id", "service_tier", "api_key_id",
        "agent_id", "deployment_id", "environment_id", "session_id", "user_profile_id",
    )
)  # fmt: skip
USAGE_DIMENSIONS = {
    name: None for name in COST_DIMENSIONS if name not in ("cost_type", "token_type")
}
TOKENS = {
    "uncached_input_tokens": 1200,
    "output_tokens": 340,
    "cache_read_input_tokens": 56_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 78, "ephemeral_1h_input_tokens": 9},
    "server_tool_use": {"web_search_requests": 2},
    "requests": 17,
}


def amounts(amount: str, list_amount: str, requests: int | None = None) -> Row:
    return {
        "amount": amount, "list_amount": list_amount, "currency": "USD", "requests": requests,
    }  # fmt: skip


def cost(actor: Row | None, amount: str = "412.500000", **group: Any) -> Row:
    """A row of /cost."""
    return {
        **BOUNDS,
        "group": {**COST_DIMENSIONS, "actor": actor, **group},
        "cost": amounts(amount, "500.000000"),
    }


def usage(actor: Row | None, **group: Any) -> Row:
    """A row of /usage."""
    return {
        **BOUNDS,
        "group": {**USAGE_DIMENSIONS, "actor": actor, **group},
        "usage": {**TOKENS, "total_tokens": 57_627},
    }


OLDER_COST = {
    **{
        name: None
        for name in (
            "context_window", "inference_geo", "speed", "rbac_group_id", "slack_channel_id",
            "claude_tag_category", "claude_tag_user_id", "cost_type", "token_type",
        )
    },
    "product": "claude-tag", "model": None, **amounts("41280.000000", "50000.125000", 12),
}  # fmt: skip
OLDER_USAGE = {
    **{
        name: value
        for name, value in OLDER_COST.items()
        if name in COST_DIMENSIONS and name not in ("cost_type", "token_type")
    },
    "model": "claude-opus-4-6",
    **TOKENS,
}
DOCUMENTED: dict[str, tuple[str, Row]] = {
    "users": (
        "users",
        {"data": [ADA, BEN], "next_page": "page_eyJvZmZzZXQiOiJjaGlAbm9ydGh3aW5kLmV4YW1wbGUifQ"},
    ),
    "users_page2": ("users", {"data": [CHI], "next_page": None}),
    "users_grouped_rbac": ("users", {"data": [ENGINEERING, UNNAMED_GROUP], "next_page": None}),
    "users_optional_blocks": ("users", {"data": [UNIFIED], "next_page": None}),
    "summaries": ("summaries", {"data": [MONDAY, TUESDAY], "next_page": None}),
    "summaries_rbac_scoped": ("summaries", {"data": [SCOPED], "next_page": None}),
    "summaries_legacy_envelope": ("summaries", {"summaries": [MONDAY, TUESDAY]}),
    "chat_projects": (
        "chat_projects",
        {"data": [ROADMAP, SALES_PROJECT, DELETED_PROJECT], "next_page": None},
    ),
    "skills": ("skills", {"data": SKILLS, "next_page": None}),
    "skills_grouped": ("skills", {"data": SKILLS_BY_PRODUCT_AND_USER, "next_page": None}),
    "connectors": ("connectors", {"data": CONNECTORS, "next_page": None}),
    "plugins": ("plugins", {"data": PLUGINS, "next_page": None}),
    "artifacts": ("artifacts", {"data": ARTIFACTS, "next_page": None}),
    "costs": (
        "costs",
        {
            "data": [cost(actor, product="chat", model="m") for actor in ACTORS.values()],
            "has_more": False,
            "next_page": None,
            "data_refreshed_at": "2026-11-12T04:00:00Z",
        },
    ),
    "usage": (
        "usage",
        {
            "data": [usage(actor, product="cowork") for actor in ACTORS.values()],
            "has_more": True,
            "next_page": "page_2",
            "data_refreshed_at": None,
        },
    ),
    "user_cost_reports": (
        "user_cost_reports",
        {"data": [{**BOUNDS, "actor": USER_ACTOR, **OLDER_COST}], "next_page": None},
    ),
    "user_usage_reports": (
        "user_usage_reports",
        {
            "data": [{**BOUNDS, "actor": DELETED_ACTOR, **OLDER_USAGE, "total_tokens": 57_627}],
            "next_page": None,
        },
    ),
}


def page(table: str, body: Mapping[str, Any] | bytes) -> Page:
    return page_of_body(
        ENDPOINT[table], body if isinstance(body, bytes) else json.dumps(body).encode(), DAY
    )


def read(table: str, *rows: Any) -> Page:
    return page(table, {"data": rows, "next_page": None})


def values(found: Page) -> list[Row]:
    """The page's rows as far as they are not null."""
    rows: list[Row] = found.rows.to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def skill_names(found: Page) -> list[str]:
    names: list[str] = found.rows["skill_name"].to_pylist()
    return names


def flat(row: Row, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}__")
        else:
            yield OLDER_NAMES.get(prefix + name, prefix + name), value


def nested(columns: Row) -> Row:
    row: Row = {}
    for column, value in columns.items():
        *parents, name = column.split("__")
        branch = row
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[name] = value
    return row


def stored(table: str, row: Row) -> Row:
    """The raw row that an API row must become."""
    parse: dict[pa.DataType, Callable[[str], Any]] = {
        DATE: date.fromisoformat,
        TIMESTAMP: datetime.fromisoformat,
        CENTS: Decimal,
    }
    sent = dict(flat(row))
    columns = ENDPOINT[table].columns
    unknown = sent.keys() - columns.keys() - {"user", "created_by", "group__actor"}
    assert not unknown, "the example is wrong"
    result = {
        name: sent.get(name)
        if sent.get(name) is None or kind not in parse
        else parse[kind](sent[name])
        for name, kind in columns.items()
    }
    starting_at = result.get("starting_at")
    day = starting_at.date() if starting_at else DAY
    return {**result, "undeclared_fields": None, "activity_date": day}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_page_reads_into_the_declared_columns(name: str) -> None:
    table, body = DOCUMENTED[name]
    rows = body.get("data") or body["summaries"]

    found = page(table, body)

    assert found.rows.to_pylist() == [stored(table, row) for row in rows]
    assert dict(zip(found.rows.schema.names, found.rows.schema.types, strict=True)) == {
        **ENDPOINT[table].columns,
        "undeclared_fields": pa.string(),
        "activity_date": pa.date32(),
    }
    assert (found.rejected, found.undeclared) == ([], frozenset())
    assert found.place.get("next_page") == body.get("next_page")


def test_documented_values_arrive_in_their_columns() -> None:
    (ada,), (unified,) = values(read("users", ADA)), values(read("users", UNIFIED))
    (roadmap,) = values(read("chat_projects", ROADMAP))
    (pdf,) = values(read("skills", SKILLS[1]))
    (monday,) = values(read("summaries", MONDAY))

    assert ada["user__email_address"] == "ada@northwind.example"
    assert ada["chat_metrics__message_count"] == 14
    assert ada["claude_code_metrics__core_metrics__lines_of_code__added_count"] == 1210
    assert ada["claude_code_metrics__tool_actions__edit_tool__accepted_count"] == 61
    assert ada["last_activity_date"] == date(2026, 11, 10)
    assert unified["chat_cowork_unified_metrics__chat__message_count"] == 8
    assert unified["chat_cowork_unified_metrics__sessions__message_count"] == 5
    assert unified["claude_tag_metrics__active_message_count"] == 3
    assert roadmap["created_at"] == datetime(2026, 2, 17, 9, 31, 5, tzinfo=UTC)
    assert roadmap["created_by__id"] == ADA["user"]["id"]
    assert pdf["attributed_list_price"] == Decimal("1530.125")
    assert (monday["daily_adoption_rate"], monday["weekly_adoption_rate"]) == (50.83, 70.0)
    assert monday["activity_date"] == date(2026, 11, 9)


def test_both_generations_of_the_api_give_the_same_rows() -> None:
    summaries = [MONDAY, TUESDAY]
    older_user = {
        "email" if name == "email_address" else name: v for name, v in ADA["user"].items()
    }

    assert page("summaries", {"summaries": summaries}).rows.equals(
        page("summaries", {"data": summaries, "next_page": None}).rows
    )
    for table, row, block_name in (
        ("users", ADA, "user"),
        ("chat_projects", ROADMAP, "created_by"),
    ):
        older = {**row, block_name: older_user}
        both = {**row, block_name: {**row[block_name], "email": "older@northwind.example"}}
        assert read(table, older).rows.equals(read(table, row).rows)
        assert read(table, both).rows.equals(read(table, row).rows)
        assert read(table, {**older, "new": 1}).rows["undeclared_fields"].to_pylist() == [
            '{"new": 1}'
        ]


def test_both_generations_in_one_page_keep_each_ones_e_mail() -> None:
    users = [{"email": "a@x"}, {"email_address": "b@x"}, {"email": "c@x", "email_address": None}]
    found = read("users", *({"user": user} for user in users), {"user": None}, {})

    emails = found.rows["user__email_address"].to_pylist()
    assert emails == ["a@x", "b@x", "c@x", None, None]


def test_absent_blocks_are_null_and_zeros_stay_zeros() -> None:
    found = read("users", ADA, {"user": ADA["user"], "chat_metrics": None, "cowork_metrics": {}})
    full, sparse = found.rows.to_pylist()

    assert full["chat_metrics__distinct_artifacts_created_count"] == 0
    assert full["chat_cowork_unified_metrics__chat__message_count"] is None
    assert full["claude_tag_metrics__active_day_count"] is None
    assert full["cowork_metrics__file_edit_count"] is None
    assert {name for name, value in sparse.items() if value is not None} == {
        "user__id", "user__email_address", "user__type", "activity_date",
    }  # fmt: skip


def test_a_row_without_its_key_is_still_a_row() -> None:
    nobody = {"skill_name": None, "invocation_count": 4}
    found = read("skills", {"skill_name": "pdf"}, nobody, {})

    assert [row.get("invocation_count") for row in values(found)] == [None, 4, None]
    assert skill_names(found) == ["pdf", None, None]
    assert found.rejected == []


@pytest.mark.parametrize("other", [{}, {"new_field": 1}], ids=["declared", "with a new field"])
@pytest.mark.parametrize(
    "cents",
    [
        "0", "412.500000", "1530.125", "-12.34", "-0.000000000001",
        "-1234567890.123456789012", "99999999999999999999999999.999999999999",
    ],
)  # fmt: skip
def test_money_is_exact_to_the_last_digit(cents: str, other: Row) -> None:
    found = read("skills", {"skill_name": "pdf", "estimated_overage_spend": cents, **other})

    assert found.rows["estimated_overage_spend"].to_pylist() == [Decimal(cents)]
    assert found.rejected == []


@pytest.mark.parametrize(
    ("sent", "moment"),
    [
        ("2026-02-17T09:31:05Z", datetime(2026, 2, 17, 9, 31, 5)),
        ("2026-02-17T09:31:05.5Z", datetime(2026, 2, 17, 9, 31, 5, 500_000)),
        ("2026-02-17T09:31:05.123456Z", datetime(2026, 2, 17, 9, 31, 5, 123_456)),
        ("2026-02-17T09:31:05.123456789Z", datetime(2026, 2, 17, 9, 31, 5, 123_456)),
        ("2026-02-17T09:31:05+00:00", datetime(2026, 2, 17, 9, 31, 5)),
        ("2026-02-17T01:31:05+02:00", datetime(2026, 2, 16, 23, 31, 5)),
        ("2026-02-17T23:31:05.25-05:30", datetime(2026, 2, 18, 5, 1, 5, 250_000)),
    ],
)
def test_moments_are_utc_whatever_their_offset_and_fraction(sent: str, moment: datetime) -> None:
    for other in ({}, {"new_field": 1}):
        found = read("chat_projects", {**ROADMAP, "created_at": sent, **other})
        assert found.rows["created_at"].to_pylist() == [moment.replace(tzinfo=UTC)]


def test_unknown_fields_are_kept_as_json_and_disturb_no_other_row() -> None:
    strange = {
        "skill_name": "docx",
        "invocation_count": 2,
        "tags": ["a", 1, {"b": None}],
        "always_null": None,
        "office_metrics": {"excel": {"distinct_session_skill_used_count": 1, "cells": 7.5}},
        "é": "ü",
    }
    found = read("skills", SKILLS[0], strange, SKILLS[1])

    texts = found.rows["undeclared_fields"].to_pylist()
    assert [texts[0], texts[2]] == [None, None]
    assert json.loads(texts[1]) == {
        "tags": ["a", 1, {"b": None}],
        "always_null": None,
        "office_metrics__excel__cells": 7.5,
        "é": "ü",
    }
    assert found.undeclared == {"tags", "always_null", "office_metrics__excel__cells", "é"}
    assert found.rows.take([0, 2]).equals(read("skills", SKILLS[0], SKILLS[1]).rows)
    assert values(found)[1]["invocation_count"] == 2
    assert values(found)[1]["office_metrics__excel__distinct_session_skill_used_count"] == 1
    assert found.rejected == []


def test_an_unknown_field_may_change_its_type_from_row_to_row() -> None:
    news = [7, "seven", None, [7], {"n": 7}, 7.5, True, 10**20]
    found = read("skills", *({"skill_name": str(n), "new": new} for n, new in enumerate(news)))

    texts = found.rows["undeclared_fields"].to_pylist()
    assert [json.loads(text)["new"] for text in texts] == news
    assert skill_names(found) == list("01234567")


@pytest.mark.parametrize("new", [[None, 1], [None, "a"], [[], [None, 1]], {"list": [None, {}]}])
def test_an_unknown_list_may_begin_with_null(new: Any) -> None:
    found = read("skills", {"skill_name": "pdf", "new": new}, {"skill_name": "docx"})

    assert skill_names(found) == ["pdf", "docx"]
    assert json.loads(found.rows["undeclared_fields"][0].as_py()) == {"new": new}


def test_a_field_nested_deeper_than_python_can_follow_is_no_crash() -> None:
    deep = "[" * 2000 + "]" * 2000
    body = f'{{"data": [{{"skill_name": "pdf", "new": {deep}}}], "next_page": null}}'

    try:
        found = page("skills", body.encode())
    except NotJson:
        return
    assert len(found.rows) + len(found.rejected) == 1


def test_an_unknown_field_takes_no_column_whose_name_it_resembles() -> None:
    misleading = {
        "skill_name": "pdf",
        "chat_metrics__distinct_conversation_skill_used_count": 5,
        "chat_metrics.distinct_conversation_skill_used_count": 6,
        "activity_date": "1999-01-01",
        "version": 7,
        "undeclared_fields": "mine",
    }
    found = read("skills", misleading)

    (row,) = values(found)
    assert json.loads(row.pop("undeclared_fields")) == {
        name: value for name, value in misleading.items() if name != "skill_name"
    }
    assert row == {"skill_name": "pdf", "activity_date": DAY}


def test_unknown_fields_beside_the_list_do_not_matter() -> None:
    extra = {"organization_id": "x", "has_more": False, "more": {"a": [1]}}
    found = page("skills", {**extra, "data": SKILLS, "next_page": "p2"})

    assert found.rows.equals(read("skills", *SKILLS).rows)
    assert (found.place["next_page"], found.undeclared) == ("p2", frozenset())


BAD_VALUES: list[tuple[str, str, Any]] = [
    ("skills", "skill_name", 7),
    ("skills", "skill_name", True),
    ("skills", "skill_name", ["pdf"]),
    ("skills", "skill_name", {"is": "pdf"}),
    ("skills", "invocation_count", "7"),
    ("skills", "invocation_count", True),
    ("skills", "invocation_count", 1.5),
    ("skills", "invocation_count", 2**63),
    ("skills", "invocation_count", -(2**63) - 1),
    ("skills", "invocation_count", [1]),
    ("skills", "invocation_count", {}),
    ("skills", "attributed_list_price", 1.5),
    ("skills", "attributed_list_price", 1),
    ("skills", "chat_metrics", 1),
    ("skills", "chat_metrics", []),
    ("skills", "office_metrics__word", "many"),
    ("skills", "office_metrics__word__distinct_session_skill_used_count", "many"),
    ("users", "user", "ada@northwind.example"),
    ("users", "user__id", 1),
    ("users", "user__email", 1),
    ("users", "last_activity_date", 20261110),
    ("users", "claude_code_metrics__core_metrics__lines_of_code__added_count", False),
    ("summaries", "daily_adoption_rate", "50.83"),
    ("summaries", "daily_adoption_rate", False),
    ("summaries", "ending_at", 1783641600),
    ("chat_projects", "created_at", {}),
]
BAD_TEXTS: list[tuple[str, str, str]] = [
    ("users", "last_activity_date", "2026-13-01"),
    ("users", "last_activity_date", "2026-02-29"),
    ("users", "last_activity_date", "yesterday"),
    ("users", "last_activity_date", ""),
    ("chat_projects", "created_at", "2026-02-30T00:00:00Z"),
    ("chat_projects", "created_at", "2026-02-17"),
    ("chat_projects", "created_at", "2026-02-17T09:31:05"),
    ("chat_projects", "created_at", "soon"),
    ("skills", "attributed_list_price", "1,5"),
    ("skills", "attributed_list_price", "1.5 USD"),
    ("skills", "attributed_list_price", "NaN"),
    ("skills", "attributed_list_price", ""),
    ("skills", "attributed_list_price", "0.1234567890123"),
    ("skills", "attributed_list_price", "100000000000000000000000000"),
]


def with_bad_row(table: str, column: str, value: Any) -> tuple[Page, Row]:
    """A page whose middle row has that value; and that row."""
    good = {"users": ADA, "summaries": TUESDAY, "chat_projects": ROADMAP, "skills": SKILLS[1]}
    bad = nested({"starting_at": TUESDAY["starting_at"]} if table == "summaries" else {})
    bad |= nested({column: value})
    return read(table, good[table], bad, good[table]), bad


@pytest.mark.parametrize(("table", "column", "value"), BAD_VALUES + BAD_TEXTS)
def test_one_bad_row_is_rejected_and_the_rest_is_kept(table: str, column: str, value: Any) -> None:
    found, bad = with_bad_row(table, column, value)

    assert len(found.rows) == 2
    assert found.rows.slice(0, 1).equals(found.rows.slice(1, 1))
    assert None not in found.rows[ENDPOINT[table].key[0]].to_pylist()
    (rejected,) = found.rejected
    assert json.loads(rejected.row_json) == bad
    assert rejected.day == DAY


@pytest.mark.parametrize(("table", "column", "value"), BAD_VALUES)
def test_the_reason_of_a_rejected_row_names_its_field(table: str, column: str, value: Any) -> None:
    found, _ = with_bad_row(table, column, value)

    assert found.rejected[0].reason.startswith(f"{column} is ")


@pytest.mark.parametrize(("table", "column", "value"), BAD_TEXTS)
def test_the_reason_names_the_field_of_a_text_that_cannot_be_read(
    table: str, column: str, value: str
) -> None:
    found, _ = with_bad_row(table, column, value)

    assert column in found.rejected[0].reason


def test_many_bad_rows_are_all_rejected_in_their_order() -> None:
    rows = [
        {"skill_name": str(n), "attributed_list_price": "1.5" if n % 3 else f"none {n}"}
        for n in range(100)
    ]
    found = read("skills", *rows)

    assert skill_names(found) == [str(n) for n in range(100) if n % 3]
    kept = [json.loads(row.row_json)["skill_name"] for row in found.rejected]
    assert kept == [str(n) for n in range(0, 100, 3)]


def test_a_rejected_row_keeps_its_unknown_fields_too() -> None:
    unreadable = {"skill_name": 7, "new": 1}
    bad_text = {"skill_name": "x", "attributed_list_price": "x", "new": 1}
    found = read("skills", unreadable, bad_text)

    assert [json.loads(row.row_json) for row in found.rejected] == [unreadable, bad_text]


@pytest.mark.parametrize(("entry", "is_a"), [(None, "null"), (7, "a number"), ([], "a list")])
def test_an_entry_that_is_no_object_is_rejected(entry: Any, is_a: str) -> None:
    found = read("skills", SKILLS[0], entry, SKILLS[1])

    assert skill_names(found) == ["brand-guidelines", "pdf"]
    (rejected,) = found.rejected
    assert (rejected.reason, rejected.row_json) == (
        f"the row is {is_a}, not an object",
        json.dumps(entry),
    )


def test_a_rejected_row_of_a_series_belongs_to_its_own_day() -> None:
    bad = {**MONDAY, "daily_active_user_count": "many"}
    timeless = {**MONDAY, "starting_at": None}
    nowhere = {**MONDAY, "starting_at": "Monday"}
    found = read("summaries", bad, TUESDAY, timeless, nowhere)

    assert found.rows["activity_date"].to_pylist() == [date(2026, 11, 10)]
    assert sorted(row.day.day for row in found.rejected) == [9, 10, 10]
    assert "starting_at is null" in [row.reason for row in found.rejected]


def test_an_explicitly_empty_list_is_an_empty_page() -> None:
    for table in TABLES:
        found = page(table, b'{"data": [], "next_page": null}')
        assert len(found.rows) == 0
        assert found.rows.schema.equals(raw_schema(ENDPOINT[table]))
    assert len(page("summaries", b'{"summaries": []}').rows) == 0
    assert len(page("summaries", b'{"data": null, "summaries": []}').rows) == 0


def test_an_older_envelope_may_name_the_newer_list_too() -> None:
    for row in (MONDAY, {**MONDAY, "new_field": 1}):
        found = page("summaries", {"data": None, "summaries": [row]})
        assert found.rows["activity_date"].to_pylist() == [date(2026, 11, 9)]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"next_page": null}',
        b'{"data": null}',
        b'{"data": {}}',
        b'{"data": ""}',
        b'{"data": 0}',
        b'{"data": false}',
        b'{"summaries": []}',
        b'{"Data": []}',
        b'{"type": "error", "error": {"type": "api_error", "message": "?"}}',
        b"null",
        b"[]",
        b'[{"skill_name": "pdf"}]',
        b"7",
        b'"data"',
    ],
)
def test_an_answer_without_its_list_is_no_empty_day(body: bytes) -> None:
    with pytest.raises(MissingList):
        page("skills", body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"nul",
        b"[{}",
        b"<!doctype html><title>Sign in</title>",
        b'{"data": [{"skill_name": "pdf"}, {"skill_n',
        b'{"data": [{"skill_name": "pdf"}]',
        b'{"data": []',
        b"{",
        b'{"data": [}',
        b'{"data": []} {"data": []}',
        b'{"data": []}\n{"data": [{"skill_name": "pdf"}]}',
        b'{"data": []} null',
        b'{"data": []}null',
        b'{"data": []} []',
        b'{"data": []} and more',
        b'{"data": [{"skill_name": "\xff"}]}',
        b'{"data": [{"skill_name": "\xed\xa0\x80"}]}',
    ],
)
def test_what_is_not_one_json_object_is_not_json(body: bytes) -> None:
    with pytest.raises(NotJson):
        page("skills", body)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_json_in_another_encoding_is_no_empty_day(encoding: str) -> None:
    with pytest.raises(NotJson):
        page("skills", '{"data": []}'.encode(encoding))


def test_a_byte_order_mark_does_not_matter() -> None:
    assert page("skills", '{"data": []}'.encode("utf-8-sig")).rows.num_rows == 0


@pytest.mark.parametrize("other", [{}, {"new_field": 1}], ids=["declared", "with a new field"])
def test_money_in_another_currency_is_not_read_at_all(other: Row) -> None:
    with pytest.raises(ForeignCurrency, match="EUR"):
        read("skills", *SKILLS, {**SKILLS[1], "currency": "EUR", **other})


def test_a_page_cut_anywhere_is_never_a_shorter_page() -> None:
    body = json.dumps({"data": SKILLS, "next_page": "p2"}).encode()
    for length in range(0, len(body), 3):
        with pytest.raises(NotJson):
            page("skills", body[:length])


def test_a_page_may_be_printed_in_any_way() -> None:
    rows = [*SKILLS, skill('tab\tand "quote" \\ ünïcode 🦜 \r\n', "1 1 1", "0 0 0 0", None, None)]
    body = {"data": rows, "next_page": None}
    plain = page("skills", body)
    assert skill_names(plain)[-1] == rows[-1]["skill_name"]

    for text in (
        json.dumps(body, indent=4),
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        "\r\n\t " + json.dumps(body, indent=1).replace("\n", "\r\n") + " \n\n",
        json.dumps({"next_page": None, "data": rows}),
    ):
        assert page("skills", text.encode()).rows.equals(plain.rows)


def test_a_full_page_of_a_thousand_rows_is_read_whole_and_in_order() -> None:
    rows = [{**ADA, "user": person(str(n), f"user{n}"), "web_search_count": n} for n in range(1000)]
    bad = [*rows[:500], {"web_search_count": "x"}, *rows[500:]]

    for found, rejected in ((read("users", *rows), 0), (read("users", *bad), 1)):
        assert found.rows["web_search_count"].to_pylist() == list(range(1000))
        assert len(found.rejected) == rejected


# Cost and usage.


def bucket(day: int, *results: Any, **fields: Any) -> Row:
    return {
        "starting_at": f"2026-11-{day:02}T00:00:00Z",
        "ending_at": f"2026-11-{day + 1:02}T00:00:00Z",
        "results": results,
        **fields,
    }


def report(table: str, *buckets: Any, **beside: Any) -> Page:
    """A page of an older report."""
    body = {"data": buckets, "has_more": False, "next_page": None, **beside}
    return page_of_body(REPORTED[table], json.dumps(body).encode(), DAY)


def days(found: Page) -> list[int]:
    return [day.day for day in found.rows["activity_date"].to_pylist()]


@pytest.mark.parametrize("other", [{}, {"new": 1}], ids=["declared", "with a new field"])
def test_every_kind_of_actor_keeps_what_identifies_it(other: Row) -> None:
    found = read("costs", *({**cost(actor), **other} for actor in ACTORS.values()))

    prefix = "group__actor__"
    assert found.rejected == []
    assert [
        {name.removeprefix(prefix): v for name, v in row.items() if name.startswith(prefix)}
        for row in values(found)
    ] == [
        {name: value for name, value in flat(actor or {}) if value is not None}
        for actor in ACTORS.values()
    ]


def test_null_actors_are_rows_of_their_own_and_none_is_lost() -> None:
    found = read("costs", cost(None, "1"), cost(USER_ACTOR, "2"), cost(None, "1"), cost(None, "3"))

    assert found.rows["group__actor__type"].to_pylist() == [None, "user_actor", None, None]
    assert sum(found.rows["cost__amount"].to_pylist()) == 7


def test_an_actor_of_a_new_kind_keeps_its_row_and_its_fields() -> None:
    robot = {"type": "robot_actor", "robot_id": "r2d2", "maker": {"name": "x"}}
    found = read("costs", cost(robot), cost(USER_ACTOR))

    first, second = found.rows.to_pylist()
    assert first["group__actor__type"] == "robot_actor"
    assert json.loads(first["undeclared_fields"]) == {
        "group__actor__robot_id": "r2d2",
        "group__actor__maker": {"name": "x"},
    }
    assert (second["group__actor__user_id"], second["undeclared_fields"]) == (
        USER_ACTOR["user_id"],
        None,
    )


@pytest.mark.parametrize("other", [{}, {"new": 1}], ids=["declared", "with a new field"])
@pytest.mark.parametrize(
    "cents", ["0.000000000001", "-99999999999999999999999999.999999999999", "41280.000000", "-0.1"]
)
def test_an_amount_of_any_report_is_exact(cents: str, other: Row) -> None:
    by_user = {**BOUNDS, "actor": USER_ACTOR, **OLDER_COST, "amount": cents, **other}
    reported = {**OLDER_COST, "amount": cents, **other}

    for found, column in (
        (read("costs", {**cost(USER_ACTOR, cents), **other}), "cost__amount"),
        (read("user_cost_reports", by_user), "amount"),
        (report("cost_reports", bucket(10, reported)), "amount"),
        (report("cost_totals", bucket(10, reported)), "cost__amount"),
    ):
        assert found.rows[column].to_pylist() == [Decimal(cents)]


@pytest.mark.parametrize("other", [{}, {"new": 1}], ids=["declared", "with a new field"])
def test_another_currency_is_found_in_every_report_of_cost(other: Row) -> None:
    euros = {"currency": "EUR", **other}
    in_cost = cost(USER_ACTOR) | {"cost": {**amounts("1", "1"), **euros}}

    for table in ("costs", "cost_totals"):
        with pytest.raises(ForeignCurrency, match="EUR"):
            read(table, cost(None), in_cost)
    with pytest.raises(ForeignCurrency, match="EUR"):
        read("user_cost_reports", {**BOUNDS, "actor": USER_ACTOR, **OLDER_COST, **euros})
    for table in ("cost_totals", "cost_reports"):
        with pytest.raises(ForeignCurrency, match="EUR"):
            report(table, bucket(9, OLDER_COST), bucket(10, OLDER_COST | euros))


@pytest.mark.parametrize("moment", ["2026-11-12T04:00:00Z", "2026-11-12T06:00:00+02:00"])
@pytest.mark.parametrize("other", [{}, {"new": 1}], ids=["declared", "with a new field"])
def test_the_moment_of_the_data_is_read_with_its_rows(moment: str, other: Row) -> None:
    expected = datetime(2026, 11, 12, 4, tzinfo=UTC)
    body = {"next_page": None, "data_refreshed_at": moment}

    for rows in ([], [{**cost(None), **other}]):
        found = page("costs", {**body, "data": rows})
        assert (found.data_refreshed_at, len(found.rows)) == (expected, len(rows))
    found = report("cost_reports", bucket(9, OLDER_COST | other), data_refreshed_at=moment)
    assert (found.data_refreshed_at, len(found.rows)) == (expected, 1)


@pytest.mark.parametrize("other", [{}, {"new": 1}], ids=["declared", "with a new field"])
def test_a_moment_that_the_api_does_not_know_is_null(other: Row) -> None:
    for beside in ({}, {"data_refreshed_at": None}):
        assert page("costs", {"data": [cost(None) | other], **beside}).data_refreshed_at is None
        found = report("usage_reports", bucket(9, OLDER_USAGE | other), **beside)
        assert found.data_refreshed_at is None


@pytest.mark.parametrize("other", [{}, {"new": 1}], ids=["declared", "with a new field"])
@pytest.mark.parametrize(
    "moment",
    ["", "soon", "2026-11-31T00:00:00Z", "0001-01-01T00:00:00+23:00", 1783641600, True, {}],
)
def test_a_moment_that_cannot_be_read_is_a_broken_answer(moment: Any, other: Row) -> None:
    with pytest.raises(NotJson):
        page("costs", {"data": [cost(None) | other], "data_refreshed_at": moment})
    with pytest.raises(NotJson):
        report("cost_reports", bucket(9, OLDER_COST | other), data_refreshed_at=moment)


def test_the_rows_of_a_bucket_carry_its_bounds() -> None:
    found = report(
        "cost_reports",
        bucket(8, OLDER_COST, {**OLDER_COST, "product": "chat"}),
        bucket(9),
        bucket(10, {**OLDER_COST, "product": None, "amount": "-1.5"}),
    )

    assert days(found) == [8, 8, 10]
    assert found.rows["product"].to_pylist() == ["claude-tag", "chat", None]
    assert found.rows["starting_at"].to_pylist()[2] == datetime(2026, 11, 10, tzinfo=UTC)
    assert found.rows["ending_at"].to_pylist()[2] == datetime(2026, 11, 11, tzinfo=UTC)
    assert found.rows["amount"].to_pylist() == [Decimal(41280), Decimal(41280), Decimal("-1.5")]
    assert (found.rejected, found.undeclared) == ([], frozenset())


@pytest.mark.parametrize("table", IN_BUCKETS)
def test_empty_buckets_are_no_rows(table: str) -> None:
    for buckets in ([], [bucket(8), bucket(9)]):
        found = report(table, *buckets)
        assert len(found.rows) == 0
        assert found.rows.schema.equals(raw_schema(REPORTED[table]))
        assert found.rejected == []


@pytest.mark.parametrize("table", IN_BUCKETS)
@pytest.mark.parametrize(
    "broken",
    [
        {"starting_at": BOUNDS["starting_at"]},
        bucket(9, results=None),
        bucket(9, results={}),
        bucket(9, results="none"),
        None,
        7,
        [],
    ],
    ids=repr,
)
def test_a_bucket_without_its_list_is_no_empty_day(table: str, broken: Any) -> None:
    with pytest.raises(MissingList):
        report(table, bucket(8), broken)


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"results": []}])
def test_a_report_without_its_list_is_no_empty_day(body: Row) -> None:
    with pytest.raises(MissingList):
        page_of_body(REPORTED["cost_reports"], json.dumps(body).encode(), DAY)


def test_unknown_fields_of_a_bucket_and_of_its_rows_are_kept() -> None:
    found = report(
        "cost_reports",
        bucket(8, {**OLDER_COST, "tier": ["a"]}, OLDER_COST, is_final=False),
        bucket(9, OLDER_COST),
    )

    texts = found.rows["undeclared_fields"].to_pylist()
    assert [text and json.loads(text) for text in texts] == [
        {"is_final": False, "tier": ["a"]},
        {"is_final": False},
        None,
    ]
    assert found.undeclared == {"is_final", "tier"}
    assert days(found) == [8, 8, 9]


@pytest.mark.parametrize(
    "bad", [{"amount": 1.5}, {"amount": "many"}, {"requests": "7"}, {"product": 7}]
)
@pytest.mark.parametrize("table", ["cost_totals", "cost_reports"])
def test_a_bad_row_of_a_bucket_is_rejected_with_its_own_day(table: str, bad: Row) -> None:
    found = report(table, bucket(8, OLDER_COST), bucket(9, OLDER_COST | bad, OLDER_COST))

    assert days(found) == [8, 9]
    (rejected,) = found.rejected
    assert rejected.day == date(2026, 11, 9)
    kept = json.loads(rejected.row_json)
    assert {name: kept[name] for name in bad} == bad
    assert kept["starting_at"] == "2026-11-09T00:00:00Z"


def test_an_entry_of_a_bucket_that_is_no_object_is_rejected() -> None:
    found = report("cost_reports", bucket(9, None, OLDER_COST, "row"))

    assert days(found) == [9]
    assert sorted(row.row_json for row in found.rejected) == ['"row"', "null"]


def test_a_bucket_without_a_start_belongs_to_no_day_and_is_rejected() -> None:
    found = report("cost_reports", bucket(9, OLDER_COST, starting_at=None), bucket(9, OLDER_COST))

    assert days(found) == [9]
    assert [row.reason for row in found.rejected] == ["starting_at is null"]


@pytest.mark.parametrize("other", [{}, {"new": 1}], ids=["declared", "with a new field"])
def test_both_generations_of_totals_give_the_same_rows(other: Row) -> None:
    """By the reference, section 9.5: dimensions move under `group`, numbers under `cost`."""
    dimensions = {name: v for name, v in OLDER_COST.items() if name in COST_DIMENSIONS}
    money = amounts("41280.000000", "50000.125000", 12)
    unified_cost = {**BOUNDS, "group": dimensions, "cost": money, **other}
    group = {name: v for name, v in OLDER_USAGE.items() if name in USAGE_DIMENSIONS}
    unified_usage = {**BOUNDS, "group": group, "usage": TOKENS, **other}

    for table, older, newer in (
        ("cost_totals", OLDER_COST, unified_cost),
        ("usage_totals", OLDER_USAGE, unified_usage),
    ):
        found = report(table, bucket(10, {**older, **other}))
        assert (len(found.rows), found.rejected) == (1, [])
        assert found.rows.equals(read(table, newer).rows)


def test_numbers_of_an_older_report_arrive_under_the_newer_names() -> None:
    (of_cost,) = values(report("cost_totals", bucket(10, OLDER_COST)))
    (of_usage,) = values(report("usage_totals", bucket(10, OLDER_USAGE)))

    assert of_cost == {
        "starting_at": datetime(2026, 11, 10, tzinfo=UTC),
        "ending_at": datetime(2026, 11, 11, tzinfo=UTC),
        "group__product": "claude-tag",
        "cost__amount": Decimal(41280),
        "cost__list_amount": Decimal("50000.125"),
        "cost__currency": "USD",
        "cost__requests": 12,
        "activity_date": date(2026, 11, 10),
    }
    assert of_usage == {
        "starting_at": datetime(2026, 11, 10, tzinfo=UTC),
        "ending_at": datetime(2026, 11, 11, tzinfo=UTC),
        "group__product": "claude-tag",
        "group__model": "claude-opus-4-6",
        "usage__uncached_input_tokens": 1200,
        "usage__output_tokens": 340,
        "usage__cache_read_input_tokens": 56_000,
        "usage__cache_creation__ephemeral_5m_input_tokens": 78,
        "usage__cache_creation__ephemeral_1h_input_tokens": 9,
        "usage__server_tool_use__web_search_requests": 2,
        "usage__requests": 17,
        "activity_date": date(2026, 11, 10),
    }


# Generated pages. A row is written by column, as it would be stored, and nested to be sent.

FAST = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: f"{at}Z")
readable: dict[pa.DataType, st.SearchStrategy[Any]] = {
    COUNT: st.integers(-(2**63), 2**63 - 1),
    PERCENT: st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 100),
    FLAG: st.booleans(),
    DATE: st.dates().map(str),
    TIMESTAMP: moments,
    CENTS: st.decimals(-(10**20), 10**20, places=12).map("{:f}".format),
    pa.string(): texts,
}


@st.composite
def columns_of(draw: st.DrawFn, table: str, *, odd: bool) -> Row:
    """Some columns with values; a few of the values, if odd, of any kind."""
    columns = ENDPOINT[table].columns
    names = draw(st.lists(st.sampled_from(sorted(columns)), max_size=6, unique=True))
    row = {name: draw(st.none() | readable[columns[name]]) for name in names}
    currencies = {"currency", "cost__currency"}
    row |= dict.fromkeys(row.keys() & currencies, "USD")
    if odd and draw(st.integers(0, 3)) == 0:
        row[draw(st.sampled_from(sorted({*columns, "new"} - currencies)))] = draw(json_values)
    if ENDPOINT[table].day_column and (not odd or draw(st.booleans())):
        row["starting_at"] = draw(moments)
    return row


def pages_of_rows(*, odd: bool) -> st.SearchStrategy[tuple[str, list[Row]]]:
    return st.sampled_from(TABLES).flatmap(
        lambda table: st.tuples(
            st.just(table), st.lists(columns_of(table, odd=odd).map(nested), max_size=5)
        )
    )


def without_undeclared(found: Page) -> pa.Table:
    return found.rows.drop_columns(["undeclared_fields"])


@FAST
@given(pages_of_rows(odd=False), st.data())
def test_both_ways_of_reading_a_page_give_the_same_table(
    generated: tuple[str, list[Row]], data: st.DataObject
) -> None:
    table, rows = generated
    plain = read(table, *rows)
    assert len(plain.rows) == len(rows)
    if rows:
        at = data.draw(st.integers(0, len(rows) - 1))
        new = data.draw(json_values)
        rows[at] = {**rows[at], "new": new}
        drifted = read(table, *rows)
        assert without_undeclared(drifted).equals(without_undeclared(plain))
        undeclared = drifted.rows["undeclared_fields"].to_pylist()
        assert json.loads(undeclared.pop(at)) == {"new": new}
        assert undeclared == [None] * (len(rows) - 1)


@FAST
@given(pages_of_rows(odd=True))
def test_a_row_is_read_the_same_in_any_company(generated: tuple[str, list[Row]]) -> None:
    table, rows = generated
    together = read(table, *rows)
    alone = [read(table, row) for row in rows]

    assert together.rows.equals(
        pa.concat_tables([raw_schema(ENDPOINT[table]).empty_table(), *(p.rows for p in alone)])
    )
    assert sorted((row.day, row.reason, row.row_json) for row in together.rejected) == sorted(
        (row.day, row.reason, row.row_json) for p in alone for row in p.rejected
    )
    assert len(together.rows) + len(together.rejected) == len(rows)


names = st.sampled_from(["data", "summaries", "next_page", "user", "skill_name", "chat_metrics"])
bodies: st.SearchStrategy[Row] = st.dictionaries(
    names | texts,
    json_values | st.lists(json_values | st.dictionaries(names, json_values), max_size=3),
    max_size=4,
)


def assert_page_or_a_foreseen_error(table: str, body: bytes) -> None:
    try:
        found = page(table, body)
    except (NotJson, MissingList, ForeignCurrency):
        return
    answer = json.loads(body)
    entries = next(answer[key] for key in ENDPOINT[table].items if answer.get(key) is not None)
    assert len(found.rows) + len(found.rejected) == len(entries)
    assert found.place.get("next_page") == answer.get("next_page")
    assert found.rows.schema.equals(raw_schema(ENDPOINT[table]))
    found.rows.validate(full=True)


@FAST
@given(st.sampled_from(TABLES), bodies)
def test_any_json_object_is_a_page_or_a_foreseen_error(table: str, body: Row) -> None:
    assert_page_or_a_foreseen_error(table, json.dumps(body).encode())


@FAST
@given(st.sampled_from(sorted(DOCUMENTED)), st.integers(0, 10_000), json_values, st.randoms())
def test_any_change_to_a_page_gives_a_page_or_a_foreseen_error(
    name: str, at: int, value: Any, chance: random.Random
) -> None:
    table, documented = DOCUMENTED[name]
    body = json.loads(json.dumps(documented))
    places: list[tuple[Any, Any]] = [(body, key) for key in body]
    for branch, at_key in places:
        inner = branch[at_key]
        if isinstance(inner, dict | list):
            places += [
                (inner, k) for k in (inner if isinstance(inner, dict) else range(len(inner)))
            ]
    changed, key = places[at % len(places)]
    changed[key] = value
    assert_page_or_a_foreseen_error(table, json.dumps(body).encode())

    text = bytearray(json.dumps(body).encode())
    cut = chance.randrange(len(text))
    text[cut : cut + chance.choice([0, 1, 9])] = chance.choice(
        [b"", b"null", b"{", b"]", b'"', b","]
    )
    assert_page_or_a_foreseen_error(table, bytes(text))


# The hash over a day's rows. Few different values, so that generated rows are often alike.

few_skills = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "skill_name": st.sampled_from(["a", "b", "", '","', "\n", None]),
            "share_status": st.sampled_from(["", "private", '"', None]),
            "currency": st.sampled_from(["USD", None]),
            "invocation_count": st.sampled_from([0, 1, -1]),
            "attributed_list_price": st.sampled_from(["0", "0.000000000001", "1"]),
            "new": st.sampled_from([1, 1.5, None, "1"]),
        },
    ),
    max_size=4,
)


def hash_of(rows: list[Row]) -> str:
    return rows_hash(ENDPOINT["skills"], read("skills", *rows).rows)


@FAST
@given(few_skills, few_skills)
def test_the_hash_is_the_same_exactly_when_the_rows_are(one: list[Row], other: list[Row]) -> None:
    def content(rows: list[Row]) -> list[str]:
        return sorted(repr(row) for row in values(read("skills", *rows)))

    assert (hash_of(one) == hash_of(other)) == (content(one) == content(other))


@FAST
@given(few_skills, st.randoms(), st.integers(0, 4))
def test_the_hash_depends_neither_on_order_nor_on_page_cuts(
    rows: list[Row], chance: random.Random, cut: int
) -> None:
    shuffled = chance.sample(rows, len(rows))
    pages = [read("skills", *shuffled[:cut]).rows, read("skills", *shuffled[cut:]).rows]

    assert rows_hash(ENDPOINT["skills"], pa.concat_tables(pages)) == hash_of(rows)


@pytest.mark.parametrize(
    "name",
    [
        "users_page2", "summaries", "skills", "connectors", "plugins", "artifacts", "costs",
        "usage", "user_cost_reports",
    ],
)  # fmt: skip
def test_the_hash_changes_with_any_value(name: str) -> None:
    table, body = DOCUMENTED[name]
    found = page(table, body).rows
    other = {
        pa.string(): "changed",
        COUNT: 987_654_321,
        FLAG: True,
        PERCENT: 0.1 + 0.2,
        DATE: date(2026, 1, 2),
        TIMESTAMP: datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        CENTS: Decimal("0.000000000001"),
    }
    hashes = {rows_hash(ENDPOINT[table], found)}
    for at, field in enumerate(found.schema):
        if field.name == "activity_date":
            continue
        column = found[field.name].to_pylist()
        changed = [*column[:-1], other[field.type]]
        hashes.add(
            rows_hash(
                ENDPOINT[table], found.set_column(at, field, pa.array(changed, type=field.type))
            )
        )

    assert len(hashes) == 1 + len(ENDPOINT[table].columns) + 1


@pytest.mark.parametrize("table", TABLES)
def test_declaring_a_field_that_nobody_sends_changes_no_hash(table: str) -> None:
    alike = {
        "cost_totals": "costs", "usage_totals": "usage",
        "region_costs": "costs", "region_usage": "usage",
    }.get(table, table)  # fmt: skip
    (row, *_) = DOCUMENTED[alike][1]["data"]
    found = read(table, row, row).rows
    filled = [name for name in found.column_names if found[name].null_count == 0]
    declared_later = found.append_column("declared_later", pa.nulls(2, pa.int64()))

    assert rows_hash(ENDPOINT[table], declared_later) == rows_hash(ENDPOINT[table], found)
    assert rows_hash(ENDPOINT[table], found.select(filled)) == rows_hash(ENDPOINT[table], found)


def test_an_empty_day_has_a_hash_of_its_own() -> None:
    assert hash_of([]) == hash_of([]) != hash_of([{}])
