"""What a run, or a preview of one, says of changed files and settings before it is published."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from pipelines.closing import unpublished
from pipelines.closing.explained import causes, sentences
from pipelines.closing.moved import Bills, Moved, Places, bills, moved, people_moved, places, told
from pipelines.data_dir import DataDir
from pipelines.foreseen import foreseen
from pipelines.reading.wording import plural
from pipelines.settings import ChargebackSettings, settings
from pipelines.used_settings import Used
from pipelines.warehouse import warehouse_of
from pipelines.warehouse.base import MARTS_SCHEMA
from sources.errors import ForeseenError


@dataclass(frozen=True, kw_only=True)
class Before:
    """How it was: the bills of closed months as published, and where people were as built last."""

    bills: Bills
    places: Places


def before(data_dir: DataDir, used: Used, today: date) -> Before:
    """What a build is compared with; people only where a file or a setting changed."""
    warehouse = warehouse_of(data_dir)
    published: Bills = {}
    known: Places = {}
    try:
        with warehouse.serve(though_empty=True) as served:
            published = bills(served)
    except ForeseenError:
        pass  # Nothing is published yet, or it cannot be read, which publishing says.
    if used.changes or unpublished.kept(data_dir):
        with warehouse.read() as stored:
            known = places(stored, today)
    return Before(bills=published, places=known)


def announced(
    data_dir: DataDir, was: Before, changes: Mapping[str, str], used: Used, today: date
) -> Iterator[str]:
    """Sentences about what was just built: changed settings, changed files with what they move,
    and corrections of closed months with their causes. `changes` are of files, by their tables."""
    yield from used.changes
    files = unpublished.kept(data_dir)
    with warehouse_of(data_dir).read() as stored:
        total = moved(was.bills, bills(stored, MARTS_SCHEMA))
        people = people_moved(was.places, places(stored, today)) if was.places else 0
    found, failure = [], ""
    if total:
        try:
            found = causes(
                data_dir, was.bills, files=files, variables=used.variables, earlier=used.earlier
            )
        except Exception as error:  # What is published is right all the same.
            failure = str(foreseen(error, data_dir.root))
    by_name = {cause.name: cause.moves for cause in found}
    is_by_group = used.variables["chargeback_cost_centers_from"] == "groups"
    mover = "cost_center_groups" if is_by_group else "org_chart"
    for table, change in changes.items():
        parts = [f"{change} since the last run"]
        if table == mover and was.places:
            who = plural(people, "person is", "people are")
            parts.append(f"{who} in another department on days that are past")
        if was.bills:
            parts.append(told(by_name.get(table, ())) or "no closed month is corrected by it")
        yield "; ".join(parts) + "."
    if failure:
        yield f"{_moves(total)} Why was not found:\n{failure}"
        return
    yield from sentences(found, total, Fraction(settings(ChargebackSettings).largest_correction))


def _moves(total: list[Moved]) -> str:
    return f"Closed months are corrected: {told(total)}."
