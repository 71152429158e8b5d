"""Which days are planned, and how many requests bring them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.claude_analytics.days import (
    FIRST_DAY,
    Fetched,
    days_between,
    days_to_fetch,
    spans,
    window,
)
from sources.claude_analytics.endpoints import ENDPOINTS

ENDPOINT = {endpoint.table: endpoint for endpoint in ENDPOINTS}
ONE_DAY = timedelta(days=1)


def test_the_window_goes_from_the_oldest_day_of_the_api_to_the_newest() -> None:
    days = window(date(2026, 6, 15), 90, date(2026, 6, 12))

    assert (days[0], days[-1], len(days)) == (date(2026, 3, 17), date(2026, 6, 12), 88)
    assert days == sorted(set(days))


@pytest.mark.parametrize("today", [date(2026, 1, 5), date(2026, 3, 31)])
def test_no_day_before_the_first_of_the_api_is_asked_for(today: date) -> None:
    assert window(today, 90, today - 3 * ONE_DAY)[0] == FIRST_DAY == date(2026, 1, 1)


def test_the_floor_and_the_window_meet_without_a_gap() -> None:
    assert window(date(2026, 4, 1), 90, date(2026, 4, 1))[0] == FIRST_DAY
    assert window(date(2026, 4, 2), 90, date(2026, 4, 2))[0] == date(2026, 1, 2)


def test_before_the_first_day_is_available_nothing_is_planned() -> None:
    assert window(date(2026, 1, 3), 90, date(2025, 12, 31)) == []
    assert window(date(2026, 1, 4), 90, date(2026, 1, 1)) == [FIRST_DAY]
    assert window(date(2025, 6, 1), 90, date(2025, 5, 29)) == []


def test_days_between_holds_both_ends_over_a_leap_day() -> None:
    assert len(days_between(date(2028, 2, 28), date(2028, 3, 1))) == 3
    assert days_between(FIRST_DAY, FIRST_DAY) == [FIRST_DAY]
    assert days_between(FIRST_DAY, FIRST_DAY - ONE_DAY) == []


def test_a_day_never_fetched_is_fetched_wherever_it_lies() -> None:
    days = days_between(date(2026, 1, 1), date(2026, 1, 10))
    later = datetime(2026, 3, 1, tzinfo=UTC)
    fetched = {day: Fetched(later) for day in days if day.day not in (1, 4, 5, 10)}

    planned = days_to_fetch(days, fetched, timedelta(10))

    assert [day.day for day in planned] == [1, 4, 5, 10]


@pytest.mark.parametrize(
    ("fetched_at", "is_planned"),
    [
        (datetime(2026, 1, 8, tzinfo=UTC), True),
        (datetime(2026, 1, 14, 23, 59, 59, 999_999, tzinfo=UTC), True),
        (datetime(2026, 1, 15, tzinfo=UTC), False),
        (datetime(2026, 1, 15, 0, 30, tzinfo=UTC), False),
        (datetime.fromisoformat("2026-01-15T00:30:00+02:00"), True),
        (datetime.fromisoformat("2026-01-14T22:30:00-02:00"), False),
    ],
)  # fmt: skip
def test_a_day_fetched_before_it_settled_is_fetched_again(
    fetched_at: datetime, is_planned: bool
) -> None:
    """The fifth of January settles ten days later, at midnight UTC."""
    day = date(2026, 1, 5)

    assert days_to_fetch([day], {day: Fetched(fetched_at)}, timedelta(10)) == (
        [day] if is_planned else []
    )


def test_a_first_run_plans_everything_and_the_next_only_what_may_have_changed() -> None:
    settle_after = timedelta(3 + 7)
    first_run, next_run = (datetime(2026, 6, day, tzinfo=UTC) for day in (15, 16))
    first = days_to_fetch(window(date(2026, 6, 15), 90, date(2026, 6, 12)), {}, settle_after)
    fetched = dict.fromkeys(first, Fetched(first_run))

    days = window(date(2026, 6, 16), 90, date(2026, 6, 13))
    second = days_to_fetch(days, fetched, settle_after)
    third = days_to_fetch(
        days, {**fetched, **dict.fromkeys(second, Fetched(next_run))}, settle_after
    )

    assert first == days_between(date(2026, 3, 17), date(2026, 6, 12))
    assert second == days_between(date(2026, 6, 6), date(2026, 6, 13))
    assert third == days_between(date(2026, 6, 7), date(2026, 6, 13))


def test_a_fortnight_without_runs_heals_itself() -> None:
    """Days last fetched unsettled are fetched again, also when they are long past."""
    settle_after = timedelta(10)
    last_run = datetime(2026, 5, 1, tzinfo=UTC)
    fetched = dict.fromkeys(days_between(date(2026, 2, 1), date(2026, 4, 28)), Fetched(last_run))

    planned = days_to_fetch(window(date(2026, 5, 15), 90, date(2026, 5, 12)), fetched, settle_after)

    assert planned == days_between(date(2026, 4, 22), date(2026, 5, 12))


def test_a_request_for_a_series_brings_thirty_one_days_and_others_one() -> None:
    days = days_between(date(2026, 3, 17), date(2026, 6, 12))

    assert [len(span.days) for span in spans(ENDPOINT["summaries"], days)] == [31, 31, 26]
    assert [span.days for span in spans(ENDPOINT["users"], days)] == [(day,) for day in days]


def test_one_request_reaches_over_a_gap_if_the_gap_is_short_enough() -> None:
    first = date(2026, 3, 1)
    for offset, lengths in ((30, [2]), (31, [1, 1])):
        days = [first, first + timedelta(offset)]
        found = list(spans(ENDPOINT["summaries"], days))
        assert [len(span.days) for span in found] == lengths
        assert (found[0].first, found[-1].last) == (days[0], days[-1])


def test_nothing_planned_asks_for_nothing() -> None:
    assert list(spans(ENDPOINT["summaries"], [])) == []


@cache
def fewest_requests(days: tuple[int, ...], length: int) -> int:
    """By trying every end of the first request, without asking which one is best."""
    if not days:
        return 0
    ends = [end for end, day in enumerate(days, start=1) if day - days[0] < length]
    return 1 + min(fewest_requests(days[end:], length) for end in ends)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.sets(st.integers(0, 60), max_size=25), st.sampled_from([1, 2, 7, 31]))
def test_all_planned_days_come_in_order_with_the_fewest_requests(
    offsets: set[int], length: int
) -> None:
    endpoint = replace(ENDPOINT["summaries"], days_per_request=length)
    days = [FIRST_DAY + timedelta(offset) for offset in sorted(offsets)]

    found = list(spans(endpoint, days))

    assert list(chain.from_iterable(span.days for span in found)) == days
    assert all(span.endpoint is endpoint for span in found)
    assert all((span.last - span.first).days < length for span in found)
    assert len(found) == fewest_requests(tuple(sorted(offsets)), length)
