"""What usage costs: /cost and /usage, and the four older reports (analytics.md 8 and 9)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Literal

from sources.sandbox.calls import Call
from sources.sandbox.limits import Refusal, check_invented
from sources.sandbox.organisation import FIRST_DAY, Organisation
from sources.sandbox.paging import page_of, page_size
from sources.sandbox.published import FAN_OUT

START = "/v1/organizations/analytics/"
BETA = "analytics-usage-cost-2026-08-24"
ORGANIZATION_ID = "org_01Rk4TnWqZ8mVbXc2LpYsHdG"
MOST_DIMENSIONS = 5
MOST_SPAN = timedelta(days=31)
MOST_GROUPS = 100
WINDOW = timedelta(days=365)
REFRESH_LAG = timedelta(hours=4)

DIMENSIONS = (
    "actor_type",
    "agent_id",
    "api_key_id",
    "claude_tag_category",
    "claude_tag_user_id",
    "context_window",
    "deployment_id",
    "environment_id",
    "inference_geo",
    "model",
    "organization_id",
    "product",
    "rbac_group_id",
    "service_tier",
    "session_id",
    "slack_channel_id",
    "speed",
    "user_profile_id",
    "workspace_id",
)
REPORTED = (
    "claude_tag_category",
    "claude_tag_user_id",
    "context_window",
    "inference_geo",
    "model",
    "product",
    "rbac_group_id",
    "slack_channel_id",
    "speed",
)
"""Dimensions of the older reports."""
FOREIGN = {
    "agent_id",
    "api_key_id",
    "deployment_id",
    "environment_id",
    "organization_id",
    "service_tier",
    "session_id",
    "user_profile_id",
    "workspace_id",
}
"""Dimensions that an Enterprise organisation has no values of."""
OF_CONSOLE = {
    "workspace_id": "if(hash(spender) % 3 = 0, null, tagged_id('wrkspc', hash(spender) % 3))",
    "api_key_id": """
        case hash(spender) % 4
            when 1 then tagged_id('apikey', 'legacy') when 2 then tagged_id('apikey', 'nightly')
            when 3 then tagged_id('apikey', 'notebook')
        end""",
    "service_tier": "if(hash(spender || model) % 3 = 0, 'batch', 'standard')",
    "agent_id": "if(hash(spender) % 7 = 0, 'agent_1', null)",
}
"""Those that a Console organisation splits its work by -> what they are here."""
FILTERS = {
    "actor_ids[]": "coalesce(user_id, actor ->> 'service_account_id', actor ->> 'api_key_id')",
    "user_ids[]": "user_id",
    "actor_types[]": "actor_type",
    "products[]": "product",
    "models[]": "model",
    "rbac_group_ids[]": "rbac_group_id",
    "slack_channel_ids[]": "slack_channel_id",
    "claude_tag_user_ids[]": "claude_tag_user_id",
    "claude_tag_categories[]": "claude_tag_category",
    "context_windows[]": "context_window",
    "inference_geos[]": "coalesce(inference_geo, 'not_available')",
    "speeds[]": "speed",
}
"""Parameter -> what must be one of its values."""
ONLY_UNIFIED = {"actor_ids[]", "actor_types[]"}

SUMS = {
    "cost": """
        sum(amount) as amount,
        sum(list_amount) as list_amount,
        any_value(currency) as currency,
        cast(sum(requests) as bigint) as requests""",
    "usage": """
        cast(sum(uncached_input_tokens) as bigint) as uncached_input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(cache_read_input_tokens) as bigint) as cache_read_input_tokens,
        cast(sum(cache_5m_input_tokens) as bigint) as cache_5m_input_tokens,
        cast(sum(cache_1h_input_tokens) as bigint) as cache_1h_input_tokens,
        cast(sum(web_searches) as bigint) as web_searches,
        cast(sum(requests) as bigint) as requests,
        cast(sum(
            uncached_input_tokens + output_tokens + cache_read_input_tokens
            + cache_5m_input_tokens + cache_1h_input_tokens
        ) as bigint) as total_tokens""",
}
USAGE_FIELDS = """
    'uncached_input_tokens': uncached_input_tokens,
    'output_tokens': output_tokens,
    'cache_read_input_tokens': cache_read_input_tokens,
    'cache_creation': {
        'ephemeral_5m_input_tokens': cache_5m_input_tokens,
        'ephemeral_1h_input_tokens': cache_1h_input_tokens
    },
    'server_tool_use': {'web_search_requests': web_searches},
    'requests': requests"""
ORDERS = {
    "cost": ("amount", "list_amount"),
    "usage": ("total_tokens", "output_tokens", "requests", "uncached_input_tokens"),
}
"""What rows may be ordered by; the first one unless asked for."""

Family = Literal["cost", "usage"]
Found = tuple[date, int, str]
"""Day, number of the group, and JSON of a row."""

RAW_DIMENSIONS = {
    "cost": {"actor", "product", "model", "context_window", "speed", "cost_type", "token_type"},
    "usage": {"actor", "product", "model", "context_window", "speed"},
}
"""In which dimensions rows are published."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """One path: which numbers it gives, in which shape."""

    family: Family
    dimensions: tuple[str, ...]
    is_unified: bool = False
    is_by_user: bool = False

    @property
    def is_bucketed(self) -> bool:
        """Rows stand inside their days."""
        return not self.is_unified and not self.is_by_user


REPORTS = {
    "cost": Report(family="cost", dimensions=("actor", *DIMENSIONS, *FAN_OUT), is_unified=True),
    "usage": Report(family="usage", dimensions=("actor", *DIMENSIONS), is_unified=True),
    "cost_report": Report(family="cost", dimensions=(*REPORTED, *FAN_OUT)),
    "usage_report": Report(family="usage", dimensions=REPORTED),
    "user_cost_report": Report(family="cost", dimensions=(*REPORTED, *FAN_OUT), is_by_user=True),
    "user_usage_report": Report(family="usage", dimensions=REPORTED, is_by_user=True),
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a request asks, once it was found to be allowed."""

    report: Report
    start: datetime
    end: datetime
    width: str | None
    group_by: tuple[str, ...]
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    order_by: str
    is_ascending: bool
    has_deleted_users: bool
    own: tuple[tuple[str, str], ...] = ()

    @property
    def foreign(self) -> set[str]:
        """Dimensions that the organisation has no values of."""
        return FOREIGN - dict(self.own).keys()

    @property
    def is_daily(self) -> bool:
        return self.width == "1d"

    @property
    def is_one_day(self) -> bool:
        is_whole = midnight(self.start.date()) == self.start
        return self.is_daily and is_whole and self.end - self.start == timedelta(days=1)

    @property
    def is_raw(self) -> bool:
        """It asks for the grouping in which rows are published."""
        return (
            self.report.is_unified
            and self.is_daily
            and not self.filters
            and set(self.group_by) == RAW_DIMENSIONS[self.report.family]
        )

    @property
    def days(self) -> list[date]:
        """Every UTC day that the span touches."""
        last = (self.end - timedelta(microseconds=1)).date()
        first = self.start.date()
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]


class Money:
    """What usage costs.

    Args:
        is_unified: The organisation has /cost and /usage, and not only the older reports.
        is_console: It is one of the Console.
        children: Its children, if it is a parent: the cost is theirs.
        refreshed_at: Up to when the data go that a request sees.
    """

    def __init__(
        self,
        organisation: Organisation,
        *,
        is_unified: bool,
        refreshed_at: Callable[[Call], datetime],
        is_console: bool = False,
        children: Sequence[str] = (),
    ) -> None:
        self._organisation = organisation
        self._own = dict(OF_CONSOLE) if is_console else {}
        if children:
            place = f"1 + cast(hash(spender) % {len(children)} as bigint)"
            self._own["organization_id"] = f"{[*children]}[{place}]"
        self._is_unified = is_unified
        self._refreshed_at = refreshed_at

    def knows(self, path: str) -> bool:
        return path.removeprefix(START) in REPORTS

    def scopes(self, path: str) -> tuple[str, ...]:
        return ("read:analytics",)

    def budget(self, path: str) -> str:
        return "analytics"

    def answer(self, call: Call) -> str:
        report = REPORTS[call.path.removeprefix(START)]
        if report.is_unified:
            check_beta(call, is_enrolled=self._is_unified)
        check_invented(call.today, self._organisation.last_day)
        question = replace(question_of(call, report), own=tuple(self._own.items()))
        refreshed_at = self._refreshed_at(call)
        export = f"{refreshed_at.isoformat()} {call.today} {self._organisation.money_version}"
        found = self._found(question, refreshed_at, call.today)
        if question.is_raw:
            found = self._with_published(found, question, refreshed_at)
        if report.is_bucketed:
            size = page_size(call.params, usual=7, most=31)
            page, next_page = page_of(call, buckets(question.days, found), size, export)
            rows = list(page)
        else:
            size = page_size(call.params, usual=20)
            groups = [list(each) for _, each in groupby(found, key=lambda row: row[1])]
            chosen, next_page = page_of(call, groups, size, export)
            rows = [row for group in chosen for _, _, row in group]
        is_covered = question.start < refreshed_at
        envelope = {
            "data_refreshed_at": text_of(refreshed_at) if is_covered else None,
            "has_more": next_page is not None,
            "next_page": next_page,
            **({} if report.is_unified else {"organization_id": ORGANIZATION_ID}),
        }
        return f'{{"data": [{", ".join(rows)}], {json.dumps(envelope)[1:]}'

    def _found(self, question: Question, refreshed_at: datetime, today: date) -> list[Found]:
        # Days are mostly asked for one by one: one query answers for those of a month.
        asked = month_around(question) if question.is_one_day else question
        values = {
            "start": asked.start.replace(tzinfo=None),
            "end": min(asked.end, refreshed_at).replace(tzinfo=None),
            "as_of": today,
            **{f"filter{n}": values for n, (_, values) in enumerate(asked.filters)},
        }
        found = self._organisation.money(query_of(asked), tuple(values.items()))
        return (
            [row for row in found if row[0] == question.start.date()]
            if asked != question
            else found
        )

    def _with_published(
        self, found: Sequence[Found], question: Question, refreshed_at: datetime
    ) -> list[Found]:
        """What was found, with the published days as they were published."""
        rows = {
            day: published
            for day in question.days
            if question.start <= midnight(day) < min(question.end, refreshed_at)
            and (published := self._organisation.published_money(question.report.family, day))
            is not None
        }
        others = [row for row in found if row[0] not in rows]
        numbers: dict[tuple[date, str], int] = {}
        for day, published in rows.items():
            for key, row in published:
                number = numbers.setdefault((day, key), -1 - len(numbers))
                others.append((day, number, row))
        return others


def check_beta(call: Call, *, is_enrolled: bool) -> None:
    betas = [beta.strip() for beta in call.headers.get("anthropic-beta", "").split(",")]
    if BETA not in betas:
        raise Refusal(400, f"This endpoint is in beta. Send the header anthropic-beta: {BETA}.")
    if not is_enrolled:
        raise Refusal(
            400,
            "This organization is not enrolled in the beta.",
            code="organization_not_enrolled_in_beta",
        )


def question_of(call: Call, report: Report) -> Question:
    """The question of a request to this report.

    Raises:
        Refusal: It asks for something that the API, or this sandbox, does not answer.
    """
    params = call.params
    width_name = "time_bucket_width" if report.is_unified else "bucket_width"
    foreign_filters = {"user_ids[]"} if report.is_unified else ONLY_UNIFIED
    known = {"starting_at", "ending_at", width_name, "group_by[]", "limit", "page"}
    known |= FILTERS.keys() - foreign_filters
    if not report.is_bucketed:
        known |= {"order_by", "order", "exclude_deleted_users"}
    for name in sorted(params.keys() - known):
        raise Refusal(400, f"{name}: not supported by the sandbox on this endpoint.")
    width = params.get(width_name, "1d" if report.is_bucketed else None)
    if width not in (None, "1d", *(("1h",) if report.is_unified else ())):
        raise Refusal(400, f"{width_name}: the sandbox serves only 1d, and 1h of /cost and /usage.")
    start, end = span_of(call, is_end_required=width is not None and not report.is_bucketed)
    group_by = group_by_of(call, report)
    order_by, order = order_of(params, report, is_daily=width is not None)
    excludes = params.get("exclude_deleted_users", "false") == "true"
    if excludes and report.is_unified and "actor" not in group_by:
        raise Refusal(400, "exclude_deleted_users: needs group_by[]=actor.")
    return Question(
        report=report,
        start=start,
        end=end,
        width=width,
        group_by=group_by,
        filters=tuple(
            (name, tuple(value.replace("claude-tag", "claude_tag") for value in call.values(name)))
            for name in FILTERS
            if name in params
        ),
        order_by=order_by,
        is_ascending=order == "asc",
        has_deleted_users=not excludes,
    )


def span_of(call: Call, *, is_end_required: bool) -> tuple[datetime, datetime]:
    """The first moment of the span and the one after its last."""
    start = moment_of("starting_at", call.params)
    if start.date() < FIRST_DAY:
        raise Refusal(400, f"starting_at: must not be before {FIRST_DAY}T00:00:00Z.")
    if start.date() < (call.clock - WINDOW).date():
        raise Refusal(400, "starting_at: must be within the last 365 days.")
    if "ending_at" in call.params or is_end_required:
        end = moment_of("ending_at", call.params)
    else:
        end = max(min(call.clock, start + MOST_SPAN), start + timedelta(hours=1))
    if end <= start:
        raise Refusal(400, "ending_at: must be after starting_at.")
    if end - start > MOST_SPAN:
        raise Refusal(400, f"ending_at: the range may span at most {MOST_SPAN.days} days.")
    return start, end


def moment_of(name: str, params: Mapping[str, str]) -> datetime:
    try:
        moment = datetime.fromisoformat(params[name])
    except KeyError:
        raise Refusal(400, f"{name}: Field required") from None
    except ValueError:
        raise Refusal(400, f"{name}: must be an RFC 3339 timestamp.") from None
    if moment.tzinfo is None:
        raise Refusal(400, f"{name}: must have a time zone.")
    return moment.astimezone(UTC)


def group_by_of(call: Call, report: Report) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(call.values("group_by[]")))
    for name in names:
        if name not in report.dimensions:
            raise Refusal(400, f"group_by[]: {name} is not a dimension of this endpoint.")
    if len(set(names) - set(FAN_OUT)) > MOST_DIMENSIONS:
        raise Refusal(400, f"group_by[]: at most {MOST_DIMENSIONS} dimensions.")
    is_by_group = "rbac_group_id" in names or "rbac_group_ids[]" in call.params
    if is_by_group and "claude_tag_user_id" in names:
        raise Refusal(400, "group_by[]: claude_tag_user_id cannot be combined with RBAC groups.")
    return names


def order_of(params: Mapping[str, str], report: Report, *, is_daily: bool) -> tuple[str, str]:
    usual = ORDERS[report.family][0]
    order_by, order = params.get("order_by", usual), params.get("order", "desc")
    allowed = (*ORDERS[report.family], *(("time",) if report.is_unified else ()))
    if order_by not in allowed:
        raise Refusal(400, f"order_by: must be one of {', '.join(allowed)}.")
    if order not in ("asc", "desc"):
        raise Refusal(400, "order: must be asc or desc.")
    return (usual if order_by == "time" and not is_daily else order_by), order


def query_of(question: Question) -> str:
    """SQL for the rows: their day (null without buckets), the number of their group, their JSON."""
    report = question.report
    usual = ORDERS[report.family][0]
    bucket = "hour" if question.width == "1h" else "activity_date"
    names = [name for name in question.group_by if name not in question.foreign]
    own = "".join(f", {of} as {name}" for name, of in question.own if name in names)
    fan_out = [name for name in names if name in FAN_OUT]
    keys = [name for name in names if name not in FAN_OUT]
    if report.is_by_user or "actor" in keys:
        keys = ["spender", "actor", *(name for name in keys if name != "actor")]
    if question.width:
        keys = [bucket, *keys]
    direction = "asc" if question.is_ascending else "desc"
    order = f"group_order {direction}"
    if question.order_by == "time":
        order = f"{bucket} {direction}, group_order desc"
    elif report.is_bucketed:
        order = "activity_date asc, group_order desc"
    ranked_by = usual if question.order_by == "time" else question.order_by
    # An older report's top groups are the combinations of all its dimensions.
    group_keys = keys + fan_out if report.is_bucketed else keys
    texts = [f"cast({name} as varchar)" for name in group_keys]
    held = "groups_held(cast($start as date), cast($end as date))"
    joined = f"left join {held} using (user_id, activity_date)" if "rbac_group_id" in keys else ""
    return f"""
with seen as (
    select *{own} from {report.family}_seen($start, $end, $as_of) {joined}
    where {" and ".join(conditions(question, held))}
),
sums as (
    select {", ".join([*keys, *fan_out, SUMS[report.family]])}
    from seen
    group by all
    having count(*) > 0
),
keyed as (
    select *, cast(to_json([{", ".join(texts)}]) as varchar) as group_key from sums
),
ordered as (
    select *, sum({ranked_by}) over (partition by group_key) as group_order from keyed
)
select
    {f"cast({bucket} as date)" if question.width else "null"} as day,
    dense_rank() over (order by {order}, group_key) as group_number,
    cast(to_json({row_of(question)}) as varchar) as row
from ordered
order by group_number{"".join(f", {name} nulls first" for name in fan_out)}
"""


def conditions(question: Question, held: str) -> list[str]:
    found = ["true"]
    if question.report.is_by_user:
        found.append("actor_type = 'user_actor'")
    if not question.has_deleted_users:
        found.append("not coalesce(is_deleted, false)")
    if set(question.group_by) & set(FAN_OUT):
        found.append("(amount != 0 or list_amount != 0)")
    if "token_type" in question.group_by and "cost_type" not in question.group_by:
        found.append("cost_type = 'tokens'")
    for n, (name, _) in enumerate(question.filters):
        if FILTERS[name] == "rbac_group_id":
            found.append(
                "(user_id, activity_date) in (select (user_id, activity_date)"
                f" from {held} where list_contains($filter{n}, rbac_group_id))"
            )
        else:
            found.append(f"list_contains($filter{n}, {FILTERS[name]})")
    return found


def row_of(question: Question) -> str:
    """SQL for a row's struct."""
    report = question.report
    asked = [name for name in question.group_by if name not in question.foreign]
    values = {name: name if name in asked else "null" for name in report.dimensions}
    if not report.is_unified and "product" in asked:
        values["product"] = "if(product = 'claude_tag', 'claude-tag', product)"
    dimensions = ", ".join(f"'{name}': {value}" for name, value in values.items())
    is_fanned_out = bool(set(asked) & set(FAN_OUT))
    numbers = USAGE_FIELDS if report.family == "usage" else cost_fields(is_fanned_out)
    total = ", 'total_tokens': total_tokens" if report.family == "usage" else ""
    if report.is_bucketed:
        return f"{{{numbers}, {dimensions}}}"
    if report.is_by_user:
        return f"{{'actor': actor, {bounds(question)}, {numbers}{total}, {dimensions}}}"
    return (
        f"{{{bounds(question)}, 'group': {{{dimensions}}},"
        f" '{report.family}': {{{numbers}{total}}}}}"
    )


def cost_fields(is_fanned_out: bool) -> str:
    return f"""
    'amount': cents_text(amount),
    'list_amount': cents_text(list_amount),
    'currency': currency,
    'requests': {"null" if is_fanned_out else "requests"}"""


def bounds(question: Question) -> str:
    if question.width == "1h":
        return """'starting_at': strftime(hour, '%Y-%m-%dT%H:00:00Z'),
            'ending_at': strftime(hour + interval 1 hour, '%Y-%m-%dT%H:00:00Z')"""
    if question.is_daily:
        return """'starting_at': strftime(activity_date, '%Y-%m-%dT00:00:00Z'),
            'ending_at': strftime(activity_date + 1, '%Y-%m-%dT00:00:00Z')"""
    if question.report.is_by_user:
        return "'starting_at': null, 'ending_at': null"
    start, end = (
        text_of(moment.replace(minute=0, second=0, microsecond=0))
        for moment in (question.start, question.end)
    )
    return f"'starting_at': '{start}', 'ending_at': '{end}'"


def buckets(days: Sequence[date], found: Sequence[tuple[date, int, str]]) -> list[str]:
    """One JSON bucket per day, with at most its hundred largest groups, or none."""
    results = {
        day: [row for _, _, row in rows][:MOST_GROUPS]
        for day, rows in groupby(found, key=lambda row: row[0])
    }
    return [
        f'{{"starting_at": "{day}T00:00:00Z", "ending_at": "{day + timedelta(days=1)}T00:00:00Z",'
        f' "results": [{", ".join(results.get(day, ()))}]}}'
        for day in days
    ]


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def month_around(question: Question) -> Question:
    start = question.start.replace(day=1)
    end = (start + timedelta(days=31)).replace(day=1)
    return replace(question, start=start, end=end)


def text_of(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
