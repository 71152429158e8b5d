"""Pages of the Analytics API: which request brings them, and what its refusals say of days."""

import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import TracebackType
from typing import NamedTuple, Self

import pyarrow.compute as pc

from sources.anthropic import claude_api
from sources.claude_analytics.endpoints import Endpoint, Params
from sources.claude_analytics.pages import (
    ForeignCurrency,
    MissingList,
    Page,
    page_of_body,
    rows_hash,
)
from sources.errors import ApiError, Expired, NotWhole, Refused
from sources.http import HttpClient
from sources.http.answers import Response
from sources.http.api import Connection
from sources.http.refusal import Refusal
from sources.organisation import Further, Organisation, Owners
from sources.paging import BY_CURSOR, Pages, read_pages
from sources.rate_budget import RateBudget

ANALYTICS_API = claude_api(
    name="the Analytics API",
    section="claude_analytics",
    reads="analytics",
    key_advice="Every request needs one with the scope read:analytics; "
    "the primary owner creates it in claude.ai.",
    what_it_takes="The key may lack access to analytics (scope read:analytics), the organisation "
    "may not have this endpoint\n(it takes the plan Claude Enterprise)",
    most_megabytes=64,
    if_not_whole="Nothing of these days was stored.",
)

log = logging.getLogger(__name__)


class WrongCurrency(ApiError):
    """Amounts are not in US dollars."""


class NotThisOrganisation(Refused):
    """Organisations of this type do not have it, whatever the key; that will not change tonight."""


AGREEING = 2
"""Answers that must agree, and name what they refuse, until an organisation counts as one with
fewer dimensions."""


class NotTaken(ApiError):
    """The request is refused as it is (400), and not because of its days."""


class NotAvailable(ApiError):
    """The API does not have some of these days: too recent, or too old.

    Attributes:
        oldest, newest: The bounds of what the API has, by its own answer; it gives one of them.
    """

    def __init__(self, message: str, *, oldest: date = date.min, newest: date = date.max) -> None:
        super().__init__(message)
        self.oldest = oldest
        self.newest = newest


class _Told(NamedTuple):
    """Of a page that was read: until when its data is complete, and the days of its entries."""

    refreshed_at: datetime | None
    days: frozenset[date]


class Client:
    """Reads pages of the Analytics API. Safe to use from many threads."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        budget: RateBudget,
        clock: datetime | None = None,
        connection: Connection | None = None,
        further: Further | None = None,
    ) -> None:
        """`clock`: the run's clock where it was set by hand; a sandbox then answers as of it."""
        self._further = further
        api = replace(ANALYTICS_API, within=further.section) if further else ANALYTICS_API
        self._http = HttpClient(
            api,
            base_url=base_url,
            api_key=api_key,
            budget=budget,
            clock=clock,
            connection=connection,
        )
        self._gates: dict[str, _Gate] = {}
        self.was_fine: Mapping[str, bool] = {}
        """Of tables with rows, whether they were read by all dimensions before: a refusal of that
        is one of tonight. Of those that were not, one refusal says that they still cannot be."""
        self.coarse: dict[str, NotTaken] = {}
        """Tables that this organisation cannot be asked for by all of them, and how it was said."""

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.__exit__(kind, error, trace)

    @property
    def requests_by_table(self) -> Counter[str]:
        """Requests sent for each raw table, each attempt counted."""
        return self._http.requests_by

    @property
    def server_now(self) -> datetime | None:
        """What the newest answer said that the time is, in UTC."""
        return self._http.server_now

    @property
    def request_count(self) -> int:
        return self._http.request_count

    def organisation(self, owners: Owners) -> Organisation | None:
        """Whose data it brings; to be asked after a first answer, of a further one before.

        Raises:
            AnotherOrganisation: Not those of what is stored.
        """
        if self._further:
            return owners.see_further(self._further, self._http)
        return owners.see(ANALYTICS_API.section, ANALYTICS_API.key_variable, self._http)

    def pages(self, endpoint: Endpoint, first: date, last: date) -> Iterator[Page]:
        """All pages of the endpoint's rows for the UTC days from first to last.

        Raises:
            Expired: The data was refreshed between two pages; they do not belong together.
            ApiError: No answer, a refusal, or one that makes no sense.
        """
        before: list[_Told] = []

        def asked(params: Callable[[date, date], Params]) -> Iterator[Page]:
            whole = params(first, last)
            return read_pages(
                BY_CURSOR,
                lambda pages: self._page(endpoint, first, last, whole, pages, before),
            )

        refused: NotTaken | None = None
        was_fine = self.was_fine.get(endpoint.table)
        attempts = 1 if was_fine is False else AGREEING
        for _ in range(0 if endpoint.table in self.coarse else attempts):
            try:
                yield from asked(endpoint.params)
                return
            except NotTaken as error:
                is_about = any(name in str(error) for name in ("group_by", *endpoint.finer))
                if not is_about or not endpoint.finer or before or was_fine:
                    raise
                refused = error
        # Some organisations have fewer dimensions; what they cannot be asked stays unknown.
        assert endpoint.coarser is not None
        yield from asked(endpoint.coarser)
        if refused:
            self.coarse.setdefault(endpoint.table, refused)

    def _page(
        self,
        endpoint: Endpoint,
        first: date,
        last: date,
        params: Params,
        pages: Pages,
        before: list[_Told],
    ) -> Page:
        def read(response: Response) -> Page:
            page = self._read(endpoint, first, response)
            if endpoint.complete_after is not None:
                # Of one moment for all pages, as where they say it themselves.
                until = (self.server_now or datetime.now(UTC)) - endpoint.complete_after
                told_before = before[0].refreshed_at if before else None
                page = replace(page, data_refreshed_at=told_before or until)
            _check_days(endpoint, first, last, page)
            if before and page.data_refreshed_at != before[0].refreshed_at:
                raise Expired(
                    f"{_what(endpoint, first)}: the data was refreshed while its pages were read, "
                    "so they do not belong together.\n"
                    "Nothing of these days was stored. Run again later."
                )
            told = _Told(page.data_refreshed_at, page.days)
            if not page.place.get("has_more"):
                _check_entries(endpoint, first, last, [*before, told])
            place = {} if endpoint.has_pages else {BY_CURSOR.cursor: None}
            pages.turn({**place, **page.place}, lambda: _text(endpoint, page))
            before.append(told)
            return page

        def refusal(refused: Refusal) -> ApiError | None:
            if refused.error_code in ANALYTICS_API.not_for_this_organisation:
                return NotThisOrganisation(
                    f"Organisations of this type do not have it ({refused.status} for "
                    f"{_what(endpoint, first)}, {refused.error_code}).\n"
                    f'The API says "{refused.message}"; what the organisation has is loaded.'
                )
            if refused.status == 400 and not refused.error_code:
                bound = _bound_in(refused.message, first, last)
                if bound:
                    return NotAvailable(refused.text, **bound)
            lost = pages.lost(refused)
            if lost is None and refused.status == 400 and not refused.error_code:
                return NotTaken(refused.text)
            return lost

        with self._gates.setdefault(endpoint.table, _Gate()).passed():
            return self._http.ask(
                endpoint.path,
                {**params, **pages.params},
                what=_what(endpoint, first),
                read=read,
                headers=endpoint.headers,
                count_as=endpoint.table,
                refusal=refusal,
            )

    def _read(self, endpoint: Endpoint, first: date, response: Response) -> Page:
        try:
            page = page_of_body(endpoint, response.content, first)
        except ForeignCurrency as error:
            raise WrongCurrency(
                f"{_what(endpoint, first)}: amounts are in {error}, not in USD.\n"
                "Every table of ours says US dollars, so nothing more of it is read; this day was "
                "not stored.\nPlease report it: other currencies are not supported."
            ) from None
        except MissingList:
            raise NotWhole(
                f"the answer has no list {' or '.join(endpoint.items)}, which is not an empty day"
            ) from None
        log.info("%s %s: %d rows", endpoint.path, first, len(page.rows))
        return page


class _Gate:
    """Lets one request of an endpoint go ahead until the API has answered one: a refusal then costs
    one request, and not one for each thread."""

    def __init__(self) -> None:
        self._first = threading.Lock()
        self._is_open = False
        self._refused: Refused | None = None
        self._refusals = 0

    @contextmanager
    def passed(self) -> Iterator[None]:
        refusals = self._refusals
        with nullcontext() if self._is_open else self._first:
            if self._refused and self._refusals > refusals:
                raise self._refused  # It came while this one waited, and would come again.
            if not self._is_open:
                try:
                    yield
                    self._is_open = True
                except Refused as refused:
                    self._refused = refused
                    self._refusals += 1
                    raise
                except BaseException:
                    self._is_open = True
                    raise
                return
        yield


def _check_days(endpoint: Endpoint, first: date, last: date, page: Page) -> None:
    """See that a series is the one that was asked for: of the days that another one lacks, it could
    not be told whether anything happened on them.

    Raises:
        NotWhole: It is another one.
    """
    if endpoint.day_column is None or not len(page.rows):
        return
    # Where a summary's range ends was read in both ways; money's ends are moments.
    room = timedelta(0 if endpoint.kind == "money" else 1)
    bounds = pc.min_max(page.rows["activity_date"]).as_py()
    if bounds["min"] < first - room or bounds["max"] > last + room:
        raise NotWhole(
            f"the answer has days from {bounds['min']} to {bounds['max']}, and {first} to {last} "
            "were asked for"
        )


def _check_entries(endpoint: Endpoint, first: date, last: date, pages: Sequence[_Told]) -> None:
    """See that there is an entry for each day on which the data was complete: the API gives one to
    days without use too (reference: section 8.3).

    Raises:
        NotWhole: There is none for a day.
    """
    refreshed_at = pages[0].refreshed_at
    if endpoint.unnest is None or refreshed_at is None:
        return
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    there = frozenset[date]().union(*(page.days for page in pages))
    lacking = [day for day in days if day not in there and day < refreshed_at.date()]
    if lacking:
        raise NotWhole(f"the answer has no entry for {lacking[0]}, which is not an empty day")


def _text(endpoint: Endpoint, page: Page) -> str:
    """The same text for the same rows; none where there are none."""
    rejected = "".join(row.row_json for row in page.rejected)
    return f"{rows_hash(endpoint, page.rows)}{rejected}" if len(page.rows) or rejected else ""


def _what(endpoint: Endpoint, first: date) -> str:
    return f"{endpoint.table}, day {first}"


def _bound_in(message: str, first: date, last: date) -> dict[str, date]:
    """`oldest` or `newest`: the day that a refusal of these days says the API begins or ends with.

    The wording is not published, only that the newest day is in it (reference: section 2.2). The
    first asked day that the message names is the one that was wrong; a series may be named by the
    day after its end.
    """
    named = []
    for text in re.findall(r"\d{4}-\d{2}-\d{2}", message):
        with suppress(ValueError):
            named.append(date.fromisoformat(text))
    asked = (first, last, last + timedelta(days=1)) if first < last else (first,)
    wrong = next((day for day in named if day in asked), None)
    if wrong is None:
        return _nearer_bound(named, first, last)
    earlier = [day for day in named if day < wrong]
    if earlier:
        return {"newest": max(earlier)}
    later = [day for day in named if day > wrong]
    return {"oldest": min(later)} if later and wrong == first else {}


def _nearer_bound(named: Sequence[date], first: date, last: date) -> dict[str, date]:
    """The same for a message that names no asked day: its bound is near the end it cuts off."""
    if not named:
        return {}
    newest, oldest = max(named), min(named)
    if newest < first or (oldest <= last and last - newest <= oldest - first):
        return {"newest": newest}
    return {"oldest": oldest}
