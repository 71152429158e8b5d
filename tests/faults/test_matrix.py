"""What comes of each spoilt answer: what the table says, with nothing lost, wrong or leaked."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from math import ceil

import pytest

from tests.faults.matrix import ALWAYS, FAULTS, ONCE, Fault, in_turn
from tests.faults.proxy import Spoiling
from tests.faults.tally import Tally
from tests.faults.world import (
    GROUPS,
    TRACE,
    Facts,
    Group,
    World,
    leaks,
)

PHASES = ("first", "nightly")
SHORT_PHASE = {group.name: PHASES[number % 2] for number, group in enumerate(GROUPS)}
"""One phase for each group, so that few nights have to be known as they are without a fault."""
KINDS = (ALWAYS, ONCE)
REFUSALS = ("403", "404", "400", "401", "402")
IN_TURN = 5
"""Faults that one request meets one after the other, fewer than it is sent; and bad nights."""


@dataclass(frozen=True)
class Scenario:
    """Nights of a group that fail, each by one fault, and the one after them, which mends it all,
    though its own answers have faults that pass: each request meets several, in turn."""

    group: Group
    phase: str
    bad_nights: Sequence[str]
    passing: Sequence[str]

    def __str__(self) -> str:
        return f"{self.group.name}, {self.phase}: {', '.join((*self.bad_nights, *self.passing))}"


def whole_matrix() -> Iterator[Scenario]:
    """Every fault of every group in both phases."""
    for group in GROUPS:
        always, once = ([n for n in kind if group.name in FAULTS[n].groups] for kind in KINDS)
        # Of the faults that pass, each night gets some of every kind, and none too many of one.
        alike = Counter(FAULTS[name].attempts for name in once)
        counts = [ceil(len(kind) / IN_TURN) for kind in (always, once)]
        count = max(*counts, *(ceil(number / (most - 1)) for most, number in alike.items()))
        once.sort(key=lambda name: FAULTS[name].attempts)
        parts = [(in_order(always[at::count]), once[at::count]) for at in range(count)]
        for phase in PHASES:
            yield from (Scenario(group, phase, *part) for part in parts)


def short_matrix() -> Iterator[Scenario]:
    """Every fault once, and so each group and both phases several times."""
    parts: dict[str, tuple[list[str], list[str]]] = {group.name: ([], []) for group in GROUPS}
    for place, names in enumerate(KINDS):
        for name in sorted(names, key=lambda name: len(FAULTS[name].groups)):
            of_group = {group: parts[group][place] for group in FAULTS[name].groups}
            alike = {
                group: sum(FAULTS[each].attempts == FAULTS[name].attempts for each in given)
                for group, given in of_group.items()
            }
            least = min(of_group, key=lambda group: (alike[group], len(of_group[group])))
            of_group[least].append(name)
    for group in GROUPS:
        always, once = parts[group.name]
        yield Scenario(group, SHORT_PHASE[group.name], in_order(always), once)


def in_order(names: Iterable[str]) -> list[str]:
    """First those after which nothing of the list has been read, or not a page of several."""
    return sorted(names, key=lambda name: (name not in REFUSALS, not FAULTS[name].any_of_them))


@pytest.mark.parametrize("scenario", list(short_matrix()), ids=str)
def test_spoilt_answers_end_as_the_table_says(
    here: World, tally: Tally, scenario: Scenario
) -> None:
    play(here, tally, scenario, scenario.group.nights[1])


@pytest.mark.long
@pytest.mark.parametrize("scenario", list(whole_matrix()), ids=str)
def test_all_spoilt_answers_end_as_the_table_says(
    here: World, tally: Tally, scenario: Scenario
) -> None:
    play(here, tally, scenario, scenario.group.nights[2])


def play(here: World, tally: Tally, scenario: Scenario, mending: date) -> None:
    """`mending` is the night after the bad ones; what it mends was open, also where it is another
    day's night, which asks for nothing that was loaded."""
    group, phase = scenario.group, scenario.phase
    night = group.nights[1]
    data_dir = here.start(group, phase)
    ended = []
    for name in scenario.bad_nights:
        fault = FAULTS[name]
        with spoilt(here, group, phase, [fault]):
            ended.append(here.night(group, data_dir, night))
        tally.tried("faults tried")
        expected = fault.outcome_of(group, phase)
        said = f"{name}: {ended[-1].text}"
        assert (ended[-1].exit_code, expected.says in said) == (expected.exit_code, True), said
        # A pause that was asked for has passed by the next night.
        for budget in data_dir.root.glob("rate_budget*"):
            budget.unlink()
    if ended and mending != night:
        known = [here.expected_after(group, phase, [night])]
        if phase == "nightly":
            # Days of money that were not over yet stay as they were.
            known.append(here.expected_after(group, phase, []))
        partial_days(tally, here.facts(group, data_dir), known)
    with spoilt(here, group, phase, [FAULTS[name] for name in scenario.passing]):
        ended.append(here.night(group, data_dir, mending))
    tally.tried("faults tried", len(scenario.passing))
    assert ended[-1].exit_code == 0, f"{scenario.passing}: {ended[-1].text}"
    found = here.facts(group, data_dir)
    # Nothing of the spoilt list was stored in the bad nights, and all of the others; or nothing of
    # them either, where the whole source was refused.
    spoilt_model, *_ = group.models
    without = here.expected_after(group, phase, [mending])
    whole = without
    if mending != night and scenario.bad_nights:
        whole = here.expected_after(group, phase, [night, mending])
    unspoilt = {
        model: without[model] if model == spoilt_model or found[model] == without[model] else days
        for model, days in whole.items()
    }
    compare(tally, found, unspoilt)
    for run in ended:
        if TRACE in run.text or "nobody foresaw" in run.text:
            tally.find("traces", run.text)
    for place in leaks(data_dir, ended):
        tally.find("leaked", place)


@contextmanager
def spoilt(here: World, group: Group, phase: str, faults: Sequence[Fault]) -> Iterator[None]:
    """One request meets these faults in turn; the next one those that come after a first page."""
    spoilings = []
    spares = group.probes if phase == "first" else 0
    for after_first in (0, 1):
        part = [fault for fault in faults if fault.spares == after_first]
        if not part:
            continue
        [fault, *more] = part
        times = None if fault.times is None else len(part)
        changes = [each.change(group) for each in part]
        change = in_turn(changes) if more else changes[0]
        aim = Spoiling(group.aims, change, times, spares + after_first, fault.any_of_them)
        spoilings.append(aim)
        spares += len(part)
    here.proxy.spoilings += spoilings
    yield
    here.proxy.spoilings.clear()
    hits = sum(spoiling.hits for spoiling in spoilings)
    assert hits >= len(faults), f"{hits} of {faults} happened"


@pytest.mark.parametrize(
    "group",
    [
        # The roster has no days, totals are compared each night, and the feed's newest day goes on.
        pytest.param(group, id=group.name, marks=[] if group.name == "cost" else pytest.mark.long)
        for group in GROUPS
        if group.name not in ("roster", "totals", "feed")
    ],
)
def test_the_night_after_asks_for_nothing_again_that_was_loaded(here: World, group: Group) -> None:
    """What it mends of a fault is mended because it was open, not because it is new."""
    data_dir = here.start(group, "first")
    asked = []
    for night in group.nights[1:]:
        heard = Spoiling(group.aims, lambda _, answer: answer, any_of_them=True)
        here.proxy.spoilings.append(heard)
        ended = here.night(group, data_dir, night)
        here.proxy.spoilings.clear()
        assert ended.exit_code == 0, ended.text
        asked.append(set(heard.victims))

    assert asked[0]
    assert not asked[0] & asked[1]


def compare(tally: Tally, found: Facts, unspoilt: Facts) -> None:
    for model, days in unspoilt.items():
        for day in {*days, *found[model]}:
            expected, rows = days.get(day), found[model].get(day)
            if expected == rows:
                continue
            kind = "lost" if rows is None or (expected and rows < expected) else "wrong"
            tally.find(kind, f"{model} {day}: {rows} and not {expected}")


def partial_days(tally: Tally, found: Facts, known: Sequence[Facts]) -> None:
    """What is there of a day before the next run has mended it is the whole of what one of the
    nights knew."""
    for model, days in found.items():
        for day, rows in days.items():
            if day is not None and rows not in [whole[model].get(day) for whole in known]:
                tally.find("wrong", f"{model} {day}: a part was taken for the whole: {rows}")
