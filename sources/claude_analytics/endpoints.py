"""The Claude Enterprise Analytics API as a table. Edit this file to add an endpoint or a field.

Every documented field is declared, so that its column exists with its type also in an
organisation that has no such data. `__` in a column name is nesting in the API's row.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal

import pyarrow as pa

Params = dict[str, Any]
Columns = dict[str, pa.DataType]

TEXT = pa.string()
FLAG = pa.bool_()
COUNT = pa.int64()
PERCENT = pa.float64()
DATE = pa.date32()
TIMESTAMP = pa.timestamp("us", tz="UTC")
CENTS = pa.decimal128(38, 12)
"""Money as the API gives it: a decimal string of US cents, negative for credits; stored exactly."""


def for_date(first: date, _last: date) -> Params:
    """Ask for one UTC day, with the largest page that the API grants."""
    return {"date": first.isoformat(), "limit": "1000"}


def for_starting(first: date, _last: date) -> Params:
    """Ask for one UTC day of a report that takes no other."""
    return {"starting_at": first.isoformat(), "limit": "1000"}


def for_span(first: date, last: date) -> Params:
    """Ask for the UTC days from first to last; the API's `ending_date` is exclusive."""
    return {
        "starting_date": first.isoformat(),
        "ending_date": (last + timedelta(days=1)).isoformat(),
    }


def for_one_page(first: date, _last: date) -> Params:
    """Ask for one UTC day of an endpoint that has no pages."""
    return {"date": first.isoformat()}


def for_buckets(
    *group_by: str, limit: int, width: str = "time_bucket_width", size: str = "1d"
) -> Callable[[date, date], Params]:
    """Ask for buckets of money or usage, grouped; the API's `ending_at` is exclusive."""

    def params(first: date, last: date) -> Params:
        return {
            "starting_at": f"{first.isoformat()}T00:00:00Z",
            "ending_at": f"{(last + timedelta(days=1)).isoformat()}T00:00:00Z",
            width: size,
            "group_by[]": list(group_by),
            "limit": str(limit),
        }

    return params


@dataclass(frozen=True, kw_only=True, eq=False)
class Endpoint:
    """One API endpoint and the raw table it fills.

    Attributes:
        table: Raw table, dlt resource and `--only` name; a plural noun.
        path: Whole path from /v1/.
        grain: What one row is.
        key: Columns that should be unique within a day, by the API's description.
        names_repeat: Rows of one key that differ are several things of one name, and add up.
            Elsewhere they contradict each other, and the day is asked for again.
        actor_key: Where rows without an actor may be alike and still several: the key of those
            with one.
        columns: Raw columns with their types.
        older_names: Column of an older API edition -> the declared column it fills.
        revision_days: How long the API may still change a published day.
        days_per_request: How many days one request may ask for.
        has_pages: Each answer says whether there is more; else one that says nothing is whole.
        newest_days: How many days, today's the last, are read of it at all; None: every day that
            the API answers for.
        pages_by_rows: More rows are more pages, so that days that nobody asked for cost requests.
        params: Query parameters that ask for the days from first to last.
        coarser: Others, for an organisation that the API does not answer those for.
        items: Keys under which the rows may stand in the body; one for each API edition.
        as_json: Key of a list inside each row that is kept as it is, as JSON.
        unnest: Key of a list inside each item whose entries are the rows.
        day_column: Column that tells a row's day, where one request brings several.
        kind: Engagement is published whole, some days late. Money and usage are there at once,
            reach back further, and their newest days are incomplete until the data is refreshed.
        totals: Table of the organisation's daily totals that move when these rows do. Its days are
            read again only then, and once more when they have settled.
        headers: Sent beside the usual ones.
        left_out: Documented fields that are not kept, each with the reason.
        complete_after: Of an API whose answers do not say until when their rows are complete: how
            long after they are.
        is_official: The official client knows it; one that it does not know yet is not compared.
        decides_access: A refusal here means that this key has no access to any of them.
        measure: Column of cents whose sum must not vanish; None: its rows must not.
        people_count: Column that counts people of a day; its largest value is the least that were
            active.
        person: Column that names people who were.
    """

    table: str
    path: str
    grain: str
    key: tuple[str, ...]
    columns: Columns
    names_repeat: bool = False
    actor_key: tuple[str, ...] = ()
    older_names: Mapping[str, str] = field(default_factory=dict)
    revision_days: int = 7
    days_per_request: int = 1
    has_pages: bool = True
    newest_days: int | None = None
    pages_by_rows: bool = False
    params: Callable[[date, date], Params] = for_date
    coarser: Callable[[date, date], Params] | None = None
    items: tuple[str, ...] = ("data",)
    as_json: str | None = None
    unnest: str | None = None
    kind: Literal["engagement", "money"] = "engagement"
    totals: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    day_column: str | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    complete_after: timedelta | None = None
    is_official: bool = True
    decides_access: bool = False
    measure: str | None = None
    people_count: str | None = None
    person: str | None = None

    @property
    def finer(self) -> list[str]:
        """What `params` groups by and `coarser` does not."""
        if self.coarser is None:
            return []
        fine, coarse = (
            ask(date.min, date.min)["group_by[]"] for ask in (self.params, self.coarser)
        )
        return [name for name in fine if name not in coarse]


def counts(prefix: str, names: str) -> Columns:
    """Count columns with one prefix; names are separated by blanks."""
    return {f"{prefix}{name}": COUNT for name in names.split()}


def for_each(values: Iterable[str], columns: Callable[[str], Columns]) -> Columns:
    return {name: kind for value in values for name, kind in columns(value).items()}


OFFICE_APPS = ("excel", "outlook", "powerpoint", "word")
CODE_TOOLS = ("edit_tool", "multi_edit_tool", "notebook_edit_tool", "write_tool")
REPORTED_PRODUCTS = (
    "chat", "chat_cowork_unified", "claude_code", "claude_design",
    "claude_tag", "cowork", "office_agent", "science",
)  # fmt: skip
CHAT = """
    message_count thinking_message_count connectors_used_count shared_conversations_viewed_count
    distinct_artifacts_created_count distinct_projects_created_count distinct_conversation_count
    distinct_files_uploaded_count distinct_connectors_used_count distinct_projects_used_count
    distinct_shared_artifacts_viewed_count distinct_skills_used_count
"""
COWORK = """
    message_count action_count dispatch_turn_count connectors_used_count skills_used_count
    plugins_used_count artifacts_created_count file_edit_count edit_tool_count write_tool_count
    notebook_edit_tool_count multi_edit_tool_count distinct_session_count
    sessions_with_file_edits_count distinct_connectors_used_count distinct_skills_used_count
    distinct_plugins_used_count
"""
OFFICE = """
    message_count connectors_used_count skills_used_count distinct_session_count
    distinct_connectors_used_count distinct_skills_used_count
"""
BETA = {"anthropic-beta": "analytics-usage-cost-2026-08-24"}
GROUP = {"rbac_group_id": TEXT, "rbac_group_name": TEXT}
"""Keys of grouped rows; we ask for no grouping, so they stay null."""
ACTIVE_USERS = "daily_active_user_count weekly_active_user_count monthly_active_user_count"
BUCKET = {"starting_at": TIMESTAMP, "ending_at": TIMESTAMP}
USER_ACTOR = {
    "type": TEXT, "user_id": TEXT, "email_address": TEXT, "name": TEXT, "deleted": FLAG,
}  # fmt: skip
ANY_ACTOR = {
    **USER_ACTOR,
    "service_account_id": TEXT, "api_key_id": TEXT, "subject": TEXT,
    "provider__type": TEXT, "provider__account_id": TEXT, "provider__signed_principal": TEXT,
    "provider__subscription_id": TEXT, "provider__project_number": TEXT, "provider__issuer": TEXT,
}  # fmt: skip
WORK = """
    product model context_window inference_geo speed rbac_group_id slack_channel_id
    claude_tag_category claude_tag_user_id
"""
CONSOLE = """
    organization_id workspace_id service_tier api_key_id agent_id deployment_id environment_id
    session_id user_profile_id
"""
"""Dimensions of Console organisations; an Enterprise one is asked for the service tier alone."""
AMOUNTS = {"amount": CENTS, "list_amount": CENTS, "currency": TEXT, "requests": COUNT}
TOKENS = """
    uncached_input_tokens output_tokens cache_read_input_tokens
    cache_creation__ephemeral_5m_input_tokens cache_creation__ephemeral_1h_input_tokens
    server_tool_use__web_search_requests requests
"""


def texts(prefix: str, names: str) -> Columns:
    return {f"{prefix}{name}": TEXT for name in names.split()}


def under(prefix: str, columns: Columns) -> Columns:
    return {f"{prefix}{name}": kind for name, kind in columns.items()}


def used_by_product(noun: str) -> Columns:
    """How many conversations or sessions used a skill or connector, by product."""
    conversations = f"distinct_conversation_{noun}_used_count"
    sessions = f"distinct_session_{noun}_used_count"
    return {
        f"chat_metrics__{conversations}": COUNT,
        f"claude_code_metrics__{sessions}": COUNT,
        f"cowork_metrics__{sessions}": COUNT,
        **for_each(OFFICE_APPS, lambda app: {f"office_metrics__{app}__{sessions}": COUNT}),
        f"chat_cowork_unified_metrics__chat__{conversations}": COUNT,
        f"chat_cowork_unified_metrics__sessions__{sessions}": COUNT,
    }


ENDPOINTS = (
    Endpoint(
        table="users",
        path="/v1/organizations/analytics/users",
        grain="One row per UTC day and user with activity on it.",
        key=("user__id",),
        columns={
            "user__id": TEXT, "user__email_address": TEXT, "user__type": TEXT,
            "distinct_user_count": COUNT, "web_search_count": COUNT, "last_activity_date": DATE,
            **counts("chat_metrics__", CHAT),
            **counts("claude_code_metrics__core_metrics__", """
                commit_count pull_request_count lines_of_code__added_count
                lines_of_code__removed_count distinct_session_count artifacts_created_count"""),
            **for_each(CODE_TOOLS, lambda tool: counts(
                f"claude_code_metrics__tool_actions__{tool}__", "accepted_count rejected_count")),
            **counts("cowork_metrics__", COWORK),
            **counts("design_metrics__", """
                message_count distinct_projects_created_count distinct_session_count
                distinct_projects_used_count"""),
            **for_each(OFFICE_APPS, lambda app: counts(f"office_metrics__{app}__", OFFICE)),
            **counts("science_metrics__", """
                message_count delegation_count remote_compute_job_count skills_used_count
                distinct_session_count"""),
            **counts("chat_cowork_unified_metrics__chat__", CHAT),
            **counts("chat_cowork_unified_metrics__sessions__", COWORK),
            **counts("claude_tag_metrics__", "active_day_count active_message_count"),
            **GROUP,
        },
        older_names={"user__email": "user__email_address"},
        decides_access=True,
    ),
    Endpoint(
        table="summaries",
        path="/v1/organizations/analytics/summaries",
        grain="One row per UTC day: the organisation's own totals.",
        key=("starting_at",),
        columns={
            "starting_at": TIMESTAMP, "ending_at": TIMESTAMP,
            **counts("", "assigned_seat_count pending_invite_count science_entitled_user_count"),
            "daily_adoption_rate": PERCENT, "weekly_adoption_rate": PERCENT,
            "monthly_adoption_rate": PERCENT,
            **counts("", ACTIVE_USERS),
            **for_each(REPORTED_PRODUCTS, lambda product: counts(f"{product}_", ACTIVE_USERS)),
        },
        days_per_request=31,
        has_pages=False,
        params=for_span,
        items=("data", "summaries"),
        day_column="starting_at",
        people_count="daily_active_user_count",
    ),
    Endpoint(
        table="chat_projects",
        path="/v1/organizations/analytics/apps/chat/projects",
        grain="One row per UTC day and chat project with activity on it.",
        key=("project_id",),
        columns={
            "project_id": TEXT, "project_name": TEXT, "created_at": TIMESTAMP,
            "created_by__id": TEXT, "created_by__email_address": TEXT, "created_by__type": TEXT,
            **counts("", "message_count distinct_conversation_count distinct_user_count"),
            **GROUP, "user_id": TEXT,
        },
        older_names={"created_by__email": "created_by__email_address"},
        people_count="distinct_user_count",
    ),
    Endpoint(
        table="skills",
        path="/v1/organizations/analytics/skills",
        grain="One row per UTC day and skill used or enabled on it.",
        key=("skill_name",),
        names_repeat=True,
        columns={
            "skill_name": TEXT, "skill_display_name": TEXT, "share_status": TEXT,
            **counts("", "distinct_user_count invocation_count enable_count"),
            **used_by_product("skill"),
            "estimated_overage_spend": CENTS, "attributed_list_price": CENTS, "currency": TEXT,
            **GROUP, "product": TEXT, "user_id": TEXT,
        },
        people_count="distinct_user_count",
    ),
    Endpoint(
        table="connectors",
        path="/v1/organizations/analytics/connectors",
        grain="One row per UTC day and connector used on it.",
        key=("connector_name",),
        names_repeat=True,
        columns={
            "connector_name": TEXT, "connector_display_name": TEXT,
            **counts("", """
                distinct_user_count individual_auth_distinct_user_count
                managed_auth_distinct_user_count read_call_count write_call_count
                unclassified_call_count"""),
            **used_by_product("connector"),
            **GROUP, "product": TEXT, "user_id": TEXT,
        },
        people_count="distinct_user_count",
    ),
    Endpoint(
        table="plugins",
        path="/v1/organizations/analytics/plugins",
        grain="One row per UTC day and plugin used or installed on it.",
        key=("plugin_name", "plugin_id"),
        names_repeat=True,
        columns={
            "plugin_name": TEXT, "plugin_id": TEXT,
            **counts("", "distinct_user_count install_count invocation_count"),
            **for_each(
                ("claude_code", "cowork", "chat_cowork_unified"),
                lambda product: {f"{product}_metrics__distinct_session_plugin_used_count": COUNT},
            ),
            **GROUP, "product": TEXT, "user_id": TEXT,
        },
    ),
    Endpoint(
        table="artifacts",
        path="/v1/organizations/analytics/artifacts",
        grain="One row per UTC day, artifact type and whether it is shared.",
        key=("artifact_type", "is_shared"),
        columns={
            "artifact_type": TEXT, "is_shared": FLAG,
            **counts("", """
                artifacts_created_count published_artifacts_created_count distinct_user_count"""),
            **GROUP, "product": TEXT, "user_id": TEXT,
        },
        has_pages=False,
        params=for_one_page,
        people_count="distinct_user_count",
    ),
)  # fmt: skip

ACTOR_IDS = tuple(
    f"group__actor__{name}" for name in ("user_id", "service_account_id", "api_key_id")
)
GROUP_OF_USAGE = {
    **under("group__actor__", ANY_ACTOR),
    **texts("group__", f"actor_type {WORK} {CONSOLE}"),
}
GROUP_OF_COST = GROUP_OF_USAGE | texts("group__", "cost_type token_type")
COST_ROW = BUCKET | GROUP_OF_COST | under("cost__", AMOUNTS)
USAGE_ROW = BUCKET | GROUP_OF_USAGE | counts("usage__", f"{TOKENS} total_tokens")


ASKED_BY = ("actor", "product", "model", "context_window", "speed")
"""The five dimensions that the API takes at once: what a token's price depends on, but for the
region and the service tier, which are asked for without the actor."""
PRICED_BY = tuple(f"group__{name}" for name in ASKED_BY if name != "actor")
RUN_BY = ("product", "model", "inference_geo", "service_tier")
RUN_IN = tuple(f"group__{name}" for name in RUN_BY)


def money_endpoint(**given: Any) -> Endpoint:
    """What all endpoints of money and usage share: UTC days in buckets, revised for 30 days."""
    return Endpoint(kind="money", revision_days=30, day_column="starting_at", **given)


COST_API = (
    money_endpoint(
        table="cost_totals",
        path="/v1/organizations/analytics/cost",
        grain="One row per UTC day and product: the organisation's own cost.",
        key=("group__product",),
        columns=COST_ROW,
        days_per_request=31,
        params=for_buckets("product", limit=1000),
        headers=BETA,
        measure="cost__amount",
    ),
    money_endpoint(
        table="usage_totals",
        path="/v1/organizations/analytics/usage",
        grain="One row per UTC day and product: the organisation's own usage.",
        key=("group__product",),
        columns=USAGE_ROW,
        days_per_request=31,
        params=for_buckets("product", limit=1000),
        headers=BETA,
    ),
    money_endpoint(
        table="costs",
        actor_key=(*ACTOR_IDS, *PRICED_BY, "group__cost_type", "group__token_type"),
        path="/v1/organizations/analytics/cost",
        grain="One row per UTC day, actor, product, model, context window, speed, cost type and "
        "token type; null actors have several.",
        key=(),
        columns=COST_ROW,
        days_per_request=7,
        pages_by_rows=True,
        params=for_buckets(*ASKED_BY, "cost_type", "token_type", limit=1000),
        coarser=for_buckets("actor", "product", "model", "cost_type", limit=1000),
        headers=BETA,
        totals="cost_totals",
        measure="cost__amount",
        person="group__actor__user_id",
    ),
    money_endpoint(
        table="usage",
        actor_key=(*ACTOR_IDS, *PRICED_BY),
        path="/v1/organizations/analytics/usage",
        grain="One row per UTC day, actor, product, model, context window and speed; null actors "
        "have several.",
        key=(),
        columns=USAGE_ROW,
        days_per_request=7,
        pages_by_rows=True,
        params=for_buckets(*ASKED_BY, limit=1000),
        coarser=for_buckets("actor", "product", "model", limit=1000),
        headers=BETA,
        totals="usage_totals",
        person="group__actor__user_id",
    ),
    money_endpoint(
        table="region_costs",
        path="/v1/organizations/analytics/cost",
        grain="One row per UTC day, product, model, region of inference, service tier, cost type "
        "and token type: the organisation's own cost.",
        key=(*RUN_IN, "group__cost_type", "group__token_type"),
        columns=COST_ROW,
        days_per_request=31,
        params=for_buckets(*RUN_BY, "cost_type", "token_type", limit=1000),
        coarser=for_buckets(*RUN_BY[:-1], "cost_type", "token_type", limit=1000),
        headers=BETA,
        totals="cost_totals",
        measure="cost__amount",
    ),
    money_endpoint(
        table="region_usage",
        path="/v1/organizations/analytics/usage",
        grain="One row per UTC day, product, model, region of inference and service tier: the "
        "organisation's own usage.",
        key=RUN_IN,
        columns=USAGE_ROW,
        days_per_request=31,
        params=for_buckets(*RUN_BY, limit=1000),
        coarser=for_buckets(*RUN_BY[:-1], limit=1000),
        headers=BETA,
        totals="usage_totals",
    ),
)
"""Cost and usage of every kind of actor, in one shape (reference: section 9)."""

BY_THE_HOUR = {"newest_days": 4, "days_per_request": 4, "pages_by_rows": True, "headers": BETA}
HOURLY_API = (
    money_endpoint(
        table="hourly_costs",
        actor_key=("starting_at", *ACTOR_IDS, "group__product", "group__model"),
        path="/v1/organizations/analytics/cost",
        grain="One row per UTC day and hour, actor, product and model; null actors have several.",
        key=(),
        columns=COST_ROW,
        params=for_buckets("actor", "product", "model", limit=1000, size="1h"),
        totals="cost_totals",
        person="group__actor__user_id",
        **BY_THE_HOUR,
    ),
    money_endpoint(
        table="hourly_usage",
        actor_key=("starting_at", *ACTOR_IDS, "group__product", "group__model"),
        path="/v1/organizations/analytics/usage",
        grain="One row per UTC day and hour, actor, product and model; null actors have several.",
        key=(),
        columns=USAGE_ROW,
        params=for_buckets("actor", "product", "model", limit=1000, size="1h"),
        totals="usage_totals",
        person="group__actor__user_id",
        **BY_THE_HOUR,
    ),
)
"""The same by the hour: the last 72 hours touch four days. Read where `hourly` is set."""

WORK_OF_COST = texts("", f"{WORK} cost_type token_type")
REPORT_COST_ROW = BUCKET | WORK_OF_COST | AMOUNTS
REPORT_USAGE_ROW = BUCKET | texts("", WORK) | counts("", TOKENS)
OF_USER = under("actor__", USER_ACTOR)
EMAIL = {"actor__email": "actor__email_address"}


def older_names(row: Columns) -> dict[str, str]:
    """Flat names of the older reports -> the nested ones of the newer API."""
    return {name.partition("__")[2]: name for name in row if not name.startswith("group__actor")}


REPORTS_API = (
    money_endpoint(
        table="cost_totals",
        path="/v1/organizations/analytics/cost_report",
        grain="One row per UTC day and product: the organisation's own cost.",
        key=("group__product",),
        columns=COST_ROW,
        older_names=older_names(under("group__", WORK_OF_COST) | under("cost__", AMOUNTS)),
        days_per_request=31,
        params=for_buckets("product", limit=31, width="bucket_width"),
        unnest="results",
        measure="cost__amount",
    ),
    money_endpoint(
        table="usage_totals",
        path="/v1/organizations/analytics/usage_report",
        grain="One row per UTC day and product: the organisation's own usage.",
        key=("group__product",),
        columns=USAGE_ROW,
        older_names=older_names(texts("group__", WORK) | counts("usage__", TOKENS)),
        days_per_request=31,
        params=for_buckets("product", limit=31, width="bucket_width"),
        unnest="results",
    ),
    money_endpoint(
        table="cost_reports",
        path="/v1/organizations/analytics/cost_report",
        grain="One row per UTC day, product, model and cost type; at most 100 a day.",
        key=("product", "model", "cost_type"),
        columns=REPORT_COST_ROW,
        days_per_request=31,
        params=for_buckets("product", "model", "cost_type", limit=31, width="bucket_width"),
        unnest="results",
        totals="cost_totals",
        measure="amount",
    ),
    money_endpoint(
        table="usage_reports",
        path="/v1/organizations/analytics/usage_report",
        grain="One row per UTC day, product and model; at most 100 a day.",
        key=("product", "model"),
        columns=REPORT_USAGE_ROW,
        days_per_request=31,
        params=for_buckets("product", "model", limit=31, width="bucket_width"),
        unnest="results",
        totals="usage_totals",
    ),
    money_endpoint(
        table="user_cost_reports",
        path="/v1/organizations/analytics/user_cost_report",
        grain="One row per UTC day, user, product, model and cost type.",
        key=("actor__user_id", "product", "model", "cost_type"),
        columns=OF_USER | REPORT_COST_ROW,
        older_names=EMAIL,
        days_per_request=7,
        pages_by_rows=True,
        params=for_buckets("product", "model", "cost_type", limit=1000, width="bucket_width"),
        totals="cost_totals",
        measure="amount",
        person="actor__user_id",
    ),
    money_endpoint(
        table="user_usage_reports",
        path="/v1/organizations/analytics/user_usage_report",
        grain="One row per UTC day, user, product and model.",
        key=("actor__user_id", "product", "model"),
        columns=OF_USER | REPORT_USAGE_ROW | counts("", "total_tokens"),
        older_names=EMAIL,
        days_per_request=7,
        pages_by_rows=True,
        params=for_buckets("product", "model", limit=1000, width="bucket_width"),
        totals="usage_totals",
        person="actor__user_id",
    ),
)
"""The same from the older reports, for organisations without COST_API (reference: section 8)."""

WORKED_BY = ("actor", "workspace_id", "api_key_id", "service_tier", "agent_id")
WORKED_IN = (*ACTOR_IDS, *(f"group__{name}" for name in WORKED_BY if name != "actor"))
WORKSPACE_API = (
    money_endpoint(
        table="workspace_costs",
        actor_key=(*WORKED_IN, "group__cost_type"),
        path="/v1/organizations/analytics/cost",
        grain="One row per UTC day, actor, workspace, API key, service tier, agent and cost type; "
        "null actors have several.",
        key=(),
        columns=COST_ROW,
        days_per_request=7,
        pages_by_rows=True,
        params=for_buckets(*WORKED_BY, "cost_type", limit=1000),
        headers=BETA,
        totals="cost_totals",
        measure="cost__amount",
        person="group__actor__user_id",
    ),
    money_endpoint(
        table="workspace_usage",
        actor_key=WORKED_IN,
        path="/v1/organizations/analytics/usage",
        grain="One row per UTC day, actor, workspace, API key, service tier and agent; null actors "
        "have several.",
        key=(),
        columns=USAGE_ROW,
        days_per_request=7,
        pages_by_rows=True,
        params=for_buckets(*WORKED_BY, limit=1000),
        headers=BETA,
        totals="usage_totals",
        person="group__actor__user_id",
    ),
)
"""The same by what Console organisations split their work by: five dimensions, the most at once."""

BY_CONSOLE: Mapping[str, Any] = {
    "is_official": False,
    "unnest": "results",
    "days_per_request": 31,
    # Data is there five minutes after the work, as a rule (the vendor's guide).
    "complete_after": timedelta(hours=1),
}
CONSOLE_COST_PATH = "/v1/organizations/cost_report"
CONSOLE_USAGE_PATH = "/v1/organizations/usage_report/messages"
CONSOLE_COST_OF = (
    "workspace_id model service_tier context_window inference_geo cost_type token_type"
)
CONSOLE_USAGE_OF = """
    account_id service_account_id api_key_id workspace_id model service_tier context_window
    inference_geo
"""
CONSOLE_COST_ROW = BUCKET | texts("", f"{CONSOLE_COST_OF} description currency") | {"amount": CENTS}
CONSOLE_USAGE_ROW = (
    BUCKET
    | texts("", CONSOLE_USAGE_OF)
    | counts("", " ".join(name for name in TOKENS.split() if name != "requests"))
)
NOT_TOLD = "Null, because nothing is asked to be told apart."
CONSOLE_REPORTS_API = (
    money_endpoint(
        table="cost_totals",
        path=CONSOLE_COST_PATH,
        grain="One row per UTC day: the organisation's own cost.",
        key=("group__product",),
        columns=COST_ROW,
        older_names={"amount": "cost__amount", "currency": "cost__currency"},
        left_out=dict.fromkeys((*CONSOLE_COST_OF.split(), "description"), NOT_TOLD),
        params=for_buckets(limit=31, width="bucket_width"),
        measure="cost__amount",
        **BY_CONSOLE,
    ),
    money_endpoint(
        table="usage_totals",
        path=CONSOLE_USAGE_PATH,
        grain="One row per UTC day: the organisation's own usage.",
        key=("group__product",),
        columns=USAGE_ROW,
        older_names={
            name: f"usage__{name}"
            for name in CONSOLE_USAGE_ROW
            if name not in {**BUCKET, **texts("", CONSOLE_USAGE_OF)}
        },
        left_out=dict.fromkeys(CONSOLE_USAGE_OF.split(), NOT_TOLD),
        params=for_buckets(limit=31, width="bucket_width"),
        **BY_CONSOLE,
    ),
    money_endpoint(
        table="console_cost_reports",
        path=CONSOLE_COST_PATH,
        grain="One row per UTC day, workspace and line of the bill: model, service tier, context "
        "window, region of inference, cost type and token type.",
        key=("workspace_id", "description", *CONSOLE_COST_OF.split()[1:]),
        names_repeat=True,
        columns=CONSOLE_COST_ROW,
        params=for_buckets("workspace_id", "description", limit=31, width="bucket_width"),
        totals="cost_totals",
        measure="amount",
        **BY_CONSOLE,
    ),
    money_endpoint(
        table="console_usage_reports",
        path=CONSOLE_USAGE_PATH,
        grain="One row per UTC day, account, service account, API key, workspace, model, service "
        "tier, context window and region of inference.",
        key=tuple(CONSOLE_USAGE_OF.split()),
        names_repeat=True,
        columns=CONSOLE_USAGE_ROW,
        params=for_buckets(*CONSOLE_USAGE_OF.split(), limit=31, width="bucket_width"),
        totals="usage_totals",
        **BY_CONSOLE,
    ),
)
"""The older Admin reports of an organisation of the Console, for those without COST_API. Cost is
told by workspace and line of the bill, and messages by key as well: no person is named by cost."""

CHILD = "group__organization_id"
OF_CHILDREN = ("organization_id", "actor", "product", "model", "context_window")
CHILD_PRICED_BY = tuple(f"group__{name}" for name in OF_CHILDREN if name != "actor")
_COST_TOTALS, _USAGE_TOTALS, _COSTS, _USAGE, *_ = COST_API
PARENT_API = (
    replace(
        _COST_TOTALS,
        grain="One row per UTC day, child and product: what the child cost.",
        key=(CHILD, "group__product"),
        params=for_buckets("organization_id", "product", limit=1000),
    ),
    replace(
        _USAGE_TOTALS,
        grain="One row per UTC day, child and product: the child's usage.",
        key=(CHILD, "group__product"),
        params=for_buckets("organization_id", "product", limit=1000),
    ),
    replace(
        _COSTS,
        grain="One row per UTC day, child, actor, product, model, context window, cost type and "
        "token type; null actors have several.",
        actor_key=(*ACTOR_IDS, *CHILD_PRICED_BY, "group__cost_type", "group__token_type"),
        params=for_buckets(*OF_CHILDREN, "cost_type", "token_type", limit=1000),
        coarser=None,
    ),
    replace(
        _USAGE,
        grain="One row per UTC day, child, actor, product, model and context window; null actors "
        "have several.",
        actor_key=(*ACTOR_IDS, *CHILD_PRICED_BY),
        params=for_buckets(*OF_CHILDREN, limit=1000),
        coarser=None,
    ),
)
"""The same of a parent's children, whose speed is not told: five dimensions are the most."""

CLAUDE_CODE_API = (
    Endpoint(
        table="claude_code_reports",
        path="/v1/organizations/usage_report/claude_code",
        grain="One row per UTC day, person or API key, kind of customer, terminal and whether it "
        "ran remotely.",
        key=(
            "actor__type",
            "actor__email_address",
            "actor__api_key_name",
            "customer_type",
            "subscription_type",
            "terminal_type",
            "is_remote",
        ),
        names_repeat=True,
        columns={
            "date": TIMESTAMP,
            **texts("actor__", "type email_address api_key_name"),
            **texts(
                "",
                """
                reported_organization_id customer_type subscription_type terminal_type
                model_breakdown""",
            ),
            "is_remote": FLAG,
            **counts(
                "core_metrics__",
                """
                num_sessions lines_of_code__added lines_of_code__removed commits_by_claude_code
                pull_requests_by_claude_code""",
            ),
            **for_each(
                CODE_TOOLS, lambda tool: counts(f"tool_actions__{tool}__", "accepted rejected")
            ),
        },
        older_names={"organization_id": "reported_organization_id"},
        as_json="model_breakdown",
        revision_days=3,
        params=for_starting,
        is_official=False,
    ),
)
"""What people did with Claude Code by keys of the Console (reference: Admin API, section 7)."""

EVERY_ENDPOINT = (
    *ENDPOINTS, *COST_API, *HOURLY_API, *REPORTS_API, *WORKSPACE_API, *CLAUDE_CODE_API,
    *CONSOLE_REPORTS_API,
)  # fmt: skip
