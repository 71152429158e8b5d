"""The Analytics API's daily endpoints (analytics.md 6 and 7)."""

import json
from dataclasses import dataclass

from sources.sandbox.calls import Call
from sources.sandbox.limits import Limits, check_invented, requested_days
from sources.sandbox.organisation import Organisation
from sources.sandbox.paging import page_of, page_size

DEFAULT_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Served:
    """A daily table: whether one request brings a series of days, and whether rows are paged."""

    table: str
    is_series: bool = False
    has_pages: bool = True


START = "/v1/organizations/analytics/"
PATHS = {
    "users": Served(table="users"),
    "summaries": Served(table="summaries", is_series=True),
    "apps/chat/projects": Served(table="chat_projects"),
    "skills": Served(table="skills"),
    "connectors": Served(table="connectors"),
    "plugins": Served(table="plugins"),
    # Ungrouped, artifacts are one page.
    "artifacts": Served(table="artifacts", has_pages=False),
}


class Engagement:
    """Who used what on a day."""

    def __init__(self, organisation: Organisation, limits: Limits) -> None:
        self._organisation = organisation
        self._limits = limits

    def knows(self, path: str) -> bool:
        return path.removeprefix(START) in PATHS

    def scopes(self, path: str) -> tuple[str, ...]:
        return ("read:analytics",)

    def budget(self, path: str) -> str:
        return "analytics"

    def answer(self, call: Call) -> str:
        served = PATHS[call.path.removeprefix(START)]
        check_invented(call.today, self._organisation.last_day)
        days = requested_days(
            call.params,
            self._limits,
            call.today,
            is_series=served.is_series,
            has_pages=served.has_pages,
        )
        size = page_size(call.params, usual=DEFAULT_PAGE)
        rows = self._organisation.rows(served.table, days, call.today)
        if served.is_series or not served.has_pages:
            size = len(rows)
        page, next_page = page_of(call, rows, size)
        return f'{{"data": [{", ".join(page)}], "next_page": {json.dumps(next_page)}}}'
