"""What comes of each spoilt answer: what the table says, with nothing lost, wrong or leaked."""

from collections.abc import Iterator

import pytest

from tests.faults.matrix import FAULTS, Fault
from tests.faults.proxy import Spoiling
from tests.faults.tally import Tally
from tests.faults.world import (
    BY_NAME,
    GROUPS,
    TRACE,
    Facts,
    Group,
    World,
    leaks,
)

PHASES = ("first", "nightly")
SHORT = range(0, 12, 2)


def cases() -> Iterator[object]:
    """Every fault of every group in both phases; the short form has a few of them."""
    for number, (name, fault) in enumerate(FAULTS.items()):
        groups = [group.name for group in GROUPS if group.name in fault.groups]
        short = groups[number // 2 % len(groups)], PHASES[number // 4 % 2]
        for group in groups:
            for phase in PHASES:
                is_short = number in SHORT and (group, phase) == short
                marks = [] if is_short else [pytest.mark.long]
                yield pytest.param(
                    fault, BY_NAME[group], phase, marks=marks, id=f"{name}-{group}-{phase}"
                )


@pytest.mark.parametrize(("fault", "group", "phase"), list(cases()))
def test_a_spoilt_answer_ends_as_the_table_says(
    here: World,
    tally: Tally,
    fault: Fault,
    group: Group,
    phase: str,
    request: pytest.FixtureRequest,
) -> None:
    is_long = request.node.get_closest_marker("long") is not None
    expected = fault.outcome_of(group, phase)
    data_dir = here.start(group, phase)
    _, night, night_after = group.nights
    spares = fault.spares + (group.probes if phase == "first" else 0)
    spoiling = Spoiling(group.aims, fault.change(group), fault.times, spares, fault.any_of_them)
    here.proxy.spoilings.append(spoiling)
    ended = [here.night(group, data_dir, night)]
    here.proxy.spoilings.clear()
    tally.tried("faults tried")

    assert spoiling.hits, "nothing was spoilt"
    assert (ended[0].exit_code, expected.says in ended[0].text) == (expected.exit_code, True), (
        ended[0].text
    )
    if expected.is_mended:
        unspoilt = here.expected_after(group, phase, [night])
    else:
        if is_long:
            whole = here.expected_after(group, phase, [night])
            partial_days(tally, here.facts(group, data_dir), whole)
        # A pause that was asked for has passed by the next night.
        for budget in data_dir.root.glob("rate_budget*"):
            budget.unlink()
        ended.append(here.night(group, data_dir, night_after))
        assert ended[1].exit_code == 0, ended[1].text
        # Nothing of the spoilt list was stored in the first night, and all of the others.
        spoilt, *_ = group.models
        unspoilt = {
            **here.expected_after(group, phase, [night, night_after]),
            spoilt: here.expected_after(group, phase, [night_after])[spoilt],
        }
    compare(tally, here.facts(group, data_dir), unspoilt)
    for run in ended:
        if TRACE in run.text:
            tally.find("traces", run.text)
    for place in leaks(data_dir, ended):
        tally.find("leaked", place)


def compare(tally: Tally, found: Facts, unspoilt: Facts) -> None:
    for model, days in unspoilt.items():
        for day in {*days, *found[model]}:
            expected, rows = days.get(day), found[model].get(day)
            if expected == rows:
                continue
            kind = "lost" if rows is None or (expected and rows < expected) else "wrong"
            tally.find(kind, f"{model} {day}: {rows} and not {expected}")


def partial_days(tally: Tally, found: Facts, whole: Facts) -> None:
    """What is there of a day before the next run has mended it is the whole of it."""
    for model, days in found.items():
        for day, rows in days.items():
            if day is not None and rows != whole[model].get(day):
                tally.find("wrong", f"{model} {day}: a part was taken for the whole: {rows}")
