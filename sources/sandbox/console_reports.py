"""The older reports of organisations of the Console: what work costs, and messages (admin.md)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sources.sandbox.calls import Call
from sources.sandbox.limits import Refusal, check_invented, check_offered
from sources.sandbox.money import MOST_SPAN, OF_CONSOLE, moment_of
from sources.sandbox.organisation import Organisation
from sources.sandbox.paging import page_of, page_size

START = "/v1/organizations/"


@dataclass(frozen=True, kw_only=True)
class Report:
    """One path.

    Attributes:
        source: Which facts it sums.
        dimensions: What it can be grouped by -> what that is here.
        told_by: Fields that are told where it is grouped so.
        fields: The numbers of a row.
        has_rows: Of a group that is told at all.
    """

    source: str
    dimensions: Mapping[str, str]
    told_by: Mapping[str, Mapping[str, str]]
    fields: str
    has_rows: str


REPORTS = {
    "cost_report": Report(
        source="cost_seen",
        dimensions={
            "workspace_id": OF_CONSOLE["workspace_id"],
            "description": "concat_ws(' ', model, cost_type, token_type, context_window)",
        },
        told_by={
            "description": {
                "cost_type": "cost_type",
                "context_window": "context_window",
                "inference_geo": "inference_geo",
                "model": "model",
                "service_tier": OF_CONSOLE["service_tier"],
                "token_type": "token_type",
            }
        },
        fields="'currency': any_value(currency), 'amount': cents_text(sum(amount))",
        has_rows="sum(amount) <> 0",
    ),
    "usage_report/messages": Report(
        source="usage_seen",
        dimensions={
            "account_id": "user_id",
            "api_key_id": OF_CONSOLE["api_key_id"],
            "context_window": "context_window",
            "inference_geo": "inference_geo",
            "model": "model",
            "service_account_id": "actor ->> 'service_account_id'",
            "service_tier": OF_CONSOLE["service_tier"],
            "workspace_id": OF_CONSOLE["workspace_id"],
        },
        told_by={},
        fields="""
            'uncached_input_tokens': cast(sum(uncached_input_tokens) as bigint),
            'output_tokens': cast(sum(output_tokens) as bigint),
            'cache_read_input_tokens': cast(sum(cache_read_input_tokens) as bigint),
            'cache_creation': {
                'ephemeral_5m_input_tokens': cast(sum(cache_5m_input_tokens) as bigint),
                'ephemeral_1h_input_tokens': cast(sum(cache_1h_input_tokens) as bigint)
            },
            'server_tool_use': {'web_search_requests': cast(sum(web_searches) as bigint)}""",
        has_rows="count(*) > 0",
    ),
}


class ConsoleReports:
    """What an organisation of the Console is told where it lacks /cost and /usage, and else too."""

    def __init__(
        self,
        organisation: Organisation,
        *,
        is_console: bool,
        refreshed_at: Callable[[Call], datetime],
    ) -> None:
        self._organisation = organisation
        self._is_console = is_console
        self._refreshed_at = refreshed_at

    def knows(self, path: str) -> bool:
        return path.removeprefix(START) in REPORTS

    def scopes(self, path: str) -> tuple[str, ...]:
        return ()

    def budget(self, path: str) -> str:
        return "admin"

    def answer(self, call: Call) -> str:
        check_offered(self._is_console)
        check_invented(call.today, self._organisation.last_day)
        report = REPORTS[call.path.removeprefix(START)]
        known = {"starting_at", "ending_at", "bucket_width", "group_by[]", "limit", "page"}
        for name in sorted(call.params.keys() - known):
            raise Refusal(400, f"{name}: not supported by the sandbox on this endpoint.")
        if call.params.get("bucket_width", "1d") != "1d":
            raise Refusal(400, "bucket_width: the sandbox serves only 1d.")
        group_by = tuple(dict.fromkeys(call.values("group_by[]")))
        for name in group_by:
            if name not in report.dimensions:
                raise Refusal(400, f"group_by[]: {name} is not a dimension of this endpoint.")
        start = moment_of("starting_at", call.params)
        end = moment_of("ending_at", call.params)
        if end <= start:
            raise Refusal(400, "ending_at: must be after starting_at.")
        if end - start > MOST_SPAN:
            raise Refusal(400, f"ending_at: the range may span at most {MOST_SPAN.days} days.")
        days = [start.date() + timedelta(days=number) for number in range((end - start).days)]
        values = {
            "start": start.replace(tzinfo=None),
            "end": min(end, self._refreshed_at(call)).replace(tzinfo=None),
            "as_of": call.today,
        }
        rows: dict[date, list[str]] = {}
        for day, row in self._organisation.money(query_of(report, group_by), tuple(values.items())):
            rows.setdefault(day, []).append(row)
        buckets = [
            f'{{"starting_at": "{day}T00:00:00Z",'
            f' "ending_at": "{day + timedelta(days=1)}T00:00:00Z",'
            f' "results": [{", ".join(rows.get(day, ()))}]}}'
            for day in days
        ]
        page, next_page = page_of(call, buckets, page_size(call.params, usual=7, most=31))
        place = {"has_more": next_page is not None, "next_page": next_page}
        return f'{{"data": [{", ".join(page)}], {json.dumps(place)[1:]}'


def query_of(report: Report, group_by: tuple[str, ...]) -> str:
    """SQL for the rows of each day, as JSON."""
    named = dict(report.dimensions)
    for also in report.told_by.values():
        named |= also
    told_names = {
        *group_by,
        *(name for each in group_by for name in report.told_by.get(each, ())),
    }
    keys = [f"{value} as key_{name}" for name, value in named.items() if name in told_names]
    told = ", ".join(
        f"'{name}': {f'key_{name}' if name in told_names else 'null'}" for name in named
    )
    sources = ", ".join(["*", *keys])
    grouped = ", ".join(["activity_date", *(f"key_{n}" for n in named if n in told_names)])
    return f"""
        with seen as (select {sources} from {report.source}($start, $end, $as_of))
        select activity_date, cast(to_json({{{report.fields}, {told}}}) as varchar)
        from seen
        group by {grouped}
        having {report.has_rows}
        order by all
    """
