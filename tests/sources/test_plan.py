"""Which days are planned, and how many requests bring them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.claude_analytics import AnalyticsSettings
from sources.claude_analytics.endpoints import COST_API, ENDPOINTS
from sources.claude_analytics.plan import (
    Fetched,
    Plan,
    days_to_fetch,
    days_to_read_again,
    spans,
    window,
)
from sources.days import FIRST_DAY, days_between
from sources.session import Clock

ENDPOINT = {endpoint.table: endpoint for endpoint in (*ENDPOINTS, *COST_API)}
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


def test_a_gap_ends_a_request_whose_pages_are_its_rows() -> None:
    days = [date(2026, 3, day) for day in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11)]

    found = [[day.day for day in span.days] for span in spans(ENDPOINT["costs"], days)]

    assert found == [[1, 2], [4, 5, 6, 7, 8, 9, 10], [11]]


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


# Cost and usage, whose totals say which days to read again.

SETTLE_AFTER = timedelta(30)
FIFTH = date(2026, 5, 5)
"""It settles on the fourth of June."""


def at(day: date, hour: int = 2) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def is_read_again(
    *,
    fetched: Fetched | None,
    totals: str | None = "same",
    now: datetime,
    newest_total: date = date(2026, 5, 31),
) -> bool:
    """The fifth of May, last fetched like this, whose totals are now those."""
    known = {newest_total: Fetched(now, "other")}
    if totals is not None:
        known[FIFTH] = Fetched(now, totals)
    stored = {} if fetched is None else {FIFTH: fetched}
    planned = days_to_read_again([FIFTH], stored, known, SETTLE_AFTER, now)
    assert planned in ([], [FIFTH])
    return planned == [FIFTH]


def test_a_day_whose_totals_stayed_is_not_read_again() -> None:
    fetched = Fetched(at(date(2026, 5, 6)), "rows", "same")

    assert not is_read_again(fetched=fetched, now=at(date(2026, 5, 7)))
    assert not is_read_again(fetched=fetched, now=datetime(2026, 6, 3, 23, 59, tzinfo=UTC))


@pytest.mark.parametrize("before", ["moved", None])
def test_a_day_whose_totals_moved_or_were_unknown_is_read_again(before: str | None) -> None:
    fetched = Fetched(at(date(2026, 5, 6)), "same", before)

    assert is_read_again(fetched=fetched, now=at(date(2026, 5, 7)))
    assert is_read_again(fetched=fetched, now=at(date(2026, 8, 1)))


def test_a_day_whose_totals_cannot_be_known_waits_until_it_settles() -> None:
    fetched = Fetched(at(date(2026, 5, 6)), "rows", "same")

    assert not is_read_again(fetched=fetched, totals=None, now=at(date(2026, 5, 7)))
    assert is_read_again(fetched=fetched, totals=None, now=at(date(2026, 6, 4)))


@pytest.mark.parametrize(
    ("fetched_at", "now", "expected"),
    [
        (at(date(2026, 5, 6)), datetime(2026, 6, 4, tzinfo=UTC), True),
        (at(date(2026, 5, 6)), datetime(2026, 6, 3, 23, 59, 59, tzinfo=UTC), False),
        (at(date(2026, 5, 6)), at(date(2026, 12, 1)), True),
        (datetime(2026, 6, 3, 23, 59, 59, tzinfo=UTC), at(date(2026, 6, 4)), True),
        (datetime(2026, 6, 4, tzinfo=UTC), at(date(2026, 6, 5)), False),
        (at(date(2026, 6, 4)), at(date(2026, 12, 1)), False),
    ],
)
def test_a_settled_day_is_read_a_last_time_and_never_after(
    fetched_at: datetime, now: datetime, expected: bool
) -> None:
    """A total can stay while rows move between people."""
    assert is_read_again(fetched=Fetched(fetched_at, "rows", "same"), now=now) is expected


@pytest.mark.parametrize("totals", ["same", None])
def test_a_day_never_fetched_is_read_whether_its_totals_are_known_or_not(
    totals: str | None,
) -> None:
    assert is_read_again(fetched=None, totals=totals, now=at(date(2026, 5, 7)))


def test_days_newer_than_the_newest_total_are_not_there_yet() -> None:
    days = days_between(date(2026, 5, 1), date(2026, 5, 9))
    totals = {day: Fetched(at(day), "t") for day in days_between(days[0], FIFTH)}

    planned = days_to_read_again(days, {}, totals, SETTLE_AFTER, at(date(2026, 5, 9)))

    assert planned == days_between(days[0], FIFTH)


def test_without_any_totals_every_day_is_read_once_and_when_it_settles() -> None:
    days = days_between(date(2026, 5, 1), date(2026, 5, 9))
    now = at(date(2026, 5, 9))

    assert days_to_read_again(days, {}, {}, SETTLE_AFTER, now) == days
    fetched = dict.fromkeys(days, Fetched(now, "rows"))
    assert days_to_read_again(days, fetched, {}, SETTLE_AFTER, now + ONE_DAY) == []
    assert days_to_read_again(days, fetched, {}, SETTLE_AFTER, at(date(2026, 6, 2))) == days[:3]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.booleans(), min_size=60, max_size=60),
    st.sets(st.tuples(st.integers(0, 9), st.integers(0, 59)), max_size=12),
    st.integers(0, 4),
)
def test_a_day_is_read_once_for_each_move_of_its_totals_and_once_when_it_settles(
    is_run: list[bool], moves: set[tuple[int, int]], lag: int
) -> None:
    """Nights of which some are skipped; totals of ten days that move at times, and come late."""
    days = days_between(FIFTH, FIFTH + 9 * ONE_DAY)
    settle_after = timedelta(20)
    stored: dict[date, Fetched] = {}
    reads: dict[date, list[datetime]] = {day: [] for day in days}
    expected = dict.fromkeys(days, 0)
    seen: dict[date, int] = {}
    is_settled: set[date] = set()

    for night in (night for night, runs in enumerate(is_run) if runs):
        now = at(FIFTH + night * ONE_DAY)
        known = [day for day in days if day <= now.date() - lag * ONE_DAY]
        # The reference: by counting moves, not by comparing hashes.
        moved = {day: sum((n, m) in moves for m in range(night + 1)) for n, day in enumerate(days)}
        for day in known:
            settles = now >= datetime(day.year, day.month, day.day, tzinfo=UTC) + settle_after
            due = seen.get(day) != moved[day] or (settles and day not in is_settled)
            expected[day] += due
            seen[day] = moved[day]
            is_settled |= {day} if settles else set()

        totals = {day: Fetched(now, f"{day}: {moved[day]}") for day in known}
        candidates = days if known else []
        for day in days_to_read_again(candidates, stored, totals, settle_after, now):
            reads[day].append(now)
            stored[day] = Fetched(now, "rows", totals[day].rows_hash)

    assert {day: len(found) for day, found in reads.items()} == expected


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sets(st.integers(0, 100), min_size=1), st.integers(1, 40))
def test_a_day_whose_totals_never_move_is_read_once_and_once_more_when_it_settles(
    nights: set[int], settle_days: int
) -> None:
    totals = {FIFTH: Fetched(at(FIFTH), "t")}
    stored: dict[date, Fetched] = {}
    read_on = []
    for night in sorted(nights):
        now = at(FIFTH + night * ONE_DAY)
        if days_to_read_again([FIFTH], stored, totals, timedelta(settle_days), now):
            stored = {FIFTH: Fetched(now, "rows", "t")}
            read_on.append(night)

    first = min(nights)
    after = [night for night in sorted(nights) if night >= settle_days]
    assert read_on == [first, *(after[:1] if first < settle_days else [])]


def test_cost_of_a_day_that_was_not_over_is_asked_for_again_whatever_the_setting() -> None:
    """Costs load into the present; a fetch on the ninth has the eighth only up to some hour."""
    totals, *_ = COST_API
    plan = Plan(Clock.at(date(2026, 1, 10)), AnalyticsSettings(revision_days=0), date(2026, 1, 7))
    days = [date(2026, 1, day) for day in range(1, 10)]
    fetched = {totals.table: {day: Fetched(datetime(2026, 1, 9, tzinfo=UTC)) for day in days}}

    [span] = plan.spans([totals], fetched)
    assert span.days == (date(2026, 1, 8), date(2026, 1, 9), date(2026, 1, 10))
