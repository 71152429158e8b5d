"""Bodies that are changed at random: a day is whole, its bad rows named, or it stays open."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from unittest.mock import patch

import pytest

from pipelines.data_dir import DataDir
from pipelines.warehouse import warehouse_of
from tests.faults.mutations import mutated
from tests.faults.proxy import Answer, Asked, Change, Spoiling
from tests.faults.tally import Tally
from tests.faults.world import BY_NAME, GROUPS, TODAY, TRACE, Group, World, leaks, world

LONG_TODAY = date(2026, 3, 20)
CASES, SHARE = 100, 0.25
"""Bodies to change for each group, and the share of a run's answers that are."""
MOST_RUNS = 15
"""Of a group that gets a few answers in a run, fewer are changed."""


def changing(seed: str) -> Change:
    """Some requests get a body that is changed, each time in the same way."""

    def change(asked: Asked, answer: Answer) -> Answer:
        random = Random(f"{seed} {asked}")
        if answer.status != 200 or random.random() > SHARE:
            return answer
        return replace(answer, body=mutated(random, answer.body))

    return change


Account = dict[object, tuple[int, int]]
"""Day, snapshot, feed or month that counts as read -> rows that are there, and rejected ones."""


def days_read(data_dir: DataDir, group: Group) -> Account:
    with warehouse_of(data_dir).read() as reading:
        rejected = {
            (row["endpoint"], row["activity_date"]): (row["row_count"], row["rejected_row_count"])
            for row in reading.rows(
                "select * from claude_staging.stg_loaded_days order by fetch_number"
            )
        }
        account: Account = {}
        for model in group.models:
            table = model.removeprefix("stg_")
            found = Counter(
                row["activity_date"]
                for row in reading.rows(f"select activity_date from claude_staging.{model}")
            )
            for (endpoint, day), (_, bad) in rejected.items():
                if endpoint == table:
                    account[table, day] = found.pop(day, 0), bad
            for day, count in found.items():
                account[table, day, "not in the ledger"] = count, 0
    return account


def snapshot_read(data_dir: DataDir, group: Group) -> Account:
    with warehouse_of(data_dir).read() as reading:
        return {
            model: (len(rows), 0)
            for model in group.models
            if (rows := reading.rows(f"select * from claude_staging.{model}"))
        }


def feed_read(data_dir: DataDir, group: Group) -> Account:
    """The days that are in windows which count as read, newest first; where some are in none, a bad
    row may be of either."""
    with warehouse_of(data_dir).read() as reading:
        found = Counter(
            row["event_at"].date()
            for row in reading.rows("select event_at from claude_staging.stg_activities")
        )
        [bad] = reading.rows(
            "select count(*) as rows from claude_raw.rejected_rows where endpoint = 'activities'"
        )
        windows = [
            (row["from_at"].date(), row["to_at"].date())
            for row in reading.rows("select * from claude_staging.stg_activity_windows")
            if row["outcome"] != "broken_off"
        ]
    read = {
        first + timedelta(days=number)
        for first, last in windows
        # The day in which a window ends or begins may go on in another one.
        for number in range(1, (last - first).days)
    }
    if bad["rows"] and len(windows) > 1:
        return {}
    account: Account = {("feed", day): (found[day], 0) for day in sorted(read)}
    for unit in list(account)[:1]:
        account[unit] = account[unit][0], bad["rows"]
    return account


def months_read(data_dir: DataDir, group: Group) -> Account:
    with warehouse_of(data_dir).read() as reading:
        found = Counter(
            row["period_start_date"]
            for row in reading.rows(
                "select period_start_date from claude_staging.stg_langdock_users"
            )
        )
        return {
            row["period_start_date"]: (
                found[row["period_start_date"]], row["skipped_row_count"] or 0
            )
            for row in reading.rows(
                "select * from claude_staging.stg_langdock_exports"
                " where outcome in ('loaded', 'empty') and entity = 'users'"
            )
        }  # fmt: skip


READ = {
    "claude_analytics": (days_read, ("stg_loaded_days",)),
    "claude_admin": (snapshot_read, ()),
    "claude_compliance": (feed_read, ("stg_activity_windows",)),
    "langdock": (months_read, ("stg_langdock_exports",)),
}


class Fuzz:
    """Runs of one group whose answers are changed, each in a folder of its own."""

    def __init__(self, here: World, tally: Tally, group: Group, today: date) -> None:
        self._here, self._tally, self._group, self._today = here, tally, group, today
        account_of, more = READ[group.source]
        self._account_of = account_of
        self._with_ledger = replace(group, models=(*group.models, *more))
        whole = here.new_folder()
        ended = here.night(group, whole, today)
        assert ended.exit_code == 0, ended.text
        self._whole = self._account(whole)
        assert self._whole

    def _account(self, data_dir: DataDir) -> Account:
        self._here.facts(self._with_ledger, data_dir)
        return self._account_of(data_dir, self._group)

    def run(self, seed: str) -> int:
        """How many answers one run got that were changed."""
        here, tally = self._here, self._tally
        changed: set[Asked] = set()
        change = changing(seed)

        def counted(asked: Asked, answer: Answer) -> Answer:
            other = change(asked, answer)
            if other is not answer:
                changed.add(asked)
            return other

        data_dir = here.new_folder()
        here.proxy.spoilings.append(
            Spoiling(self._group.aims, counted, times=None, any_of_them=True)
        )
        ended = here.night(self._group, data_dir, self._today)
        here.proxy.spoilings.clear()
        if (
            ended.exit_code not in (0, 1, 4)
            or TRACE in ended.text
            or "nobody foresaw" in ended.text
        ):
            tally.find("traces", f"{seed}: {ended.exit_code} {ended.text}")
        for place in leaks(data_dir, [ended]):
            tally.find("leaked", f"{seed}: {place}")
        account = self._account(data_dir)
        there: Counter[object] = Counter()
        for unit, (rows, rejected) in account.items():
            expected, _ = self._whole.get(unit, (0, 0))
            # A bad row whose day cannot be read stands with another day of its answer.
            there[unit[0] if isinstance(unit, tuple) else unit] += rows + rejected - expected
            if rows > expected:
                tally.find("wrong", f"{seed}: {unit} has {rows} of {expected}")
            if rejected and ended.exit_code == 0:
                tally.find("wrong", f"{seed}: {unit} has {rejected} bad rows, and the run is well")
        for table, more in there.items():
            if more:
                tally.find("lost" if more < 0 else "wrong", f"{seed}: {table} has {more:+} rows")
        return len(changed)


@pytest.fixture
def without_giving_up() -> Iterator[None]:
    """Of an endpoint that failed three times, a run asks for nothing more: here it would see only
    a few of the changed bodies."""
    with patch("sources.claude_analytics.fetch.FAILED_SPANS_BEFORE_GIVING_UP", 10**9):
        yield


@pytest.mark.parametrize("group", ["cost", "feed"])
def test_changed_bodies_are_stored_whole_or_not_at_all(
    here: World, tally: Tally, without_giving_up: None, group: str
) -> None:
    fuzz = Fuzz(here, tally, BY_NAME[group], TODAY)
    tally.tried("fuzz cases", sum(fuzz.run(f"{group} {number}") for number in range(1)))


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The organisation after three months, so that a run has many answers to change."""
    with world(tmp_path_factory.mktemp("quarter"), today=LONG_TODAY) as made:
        yield made


@pytest.mark.long
@pytest.mark.parametrize("group", [group.name for group in GROUPS])
def test_many_changed_bodies_are_stored_whole_or_not_at_all(
    quarter: World, tally: Tally, without_giving_up: None, group: str
) -> None:
    fuzz = Fuzz(quarter, tally, BY_NAME[group], LONG_TODAY)
    cases = 0
    for number in range(MOST_RUNS):
        cases += fuzz.run(f"{group}, longer, {number}")
        if cases >= CASES:
            break
    tally.tried("fuzz cases", cases)
    assert cases >= MOST_RUNS // 3, "too few were changed to tell anything"
