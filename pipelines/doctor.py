"""Checks of everything a run needs, each with what to do about it."""

import shutil
from collections.abc import Callable, Iterator

from pipelines.data_dir import DataDir
from pipelines.findings import unknown_bills
from pipelines.foreseen import foreseen
from pipelines.registry import SOURCES
from pipelines.run import all_settings, budgets, is_alone, transform_variables
from pipelines.settings import doubts, problems
from pipelines.warehouse import warehouse_of
from sources.contract import Check
from sources.errors import ForeseenError
from sources.session import Access, Clock


def checks(data_dir: DataDir, clock: Clock) -> Iterator[Check]:
    """Every check, in the order in which a run would meet them.

    Sends one request per endpoint at most, within the rate budget.
    """
    wrong = problems()
    for problem in wrong:
        yield Check("settings", False, problem)
    for doubt in doubts():
        yield Check("settings", None, doubt)
    folder = _check("data folder", lambda: _folder(data_dir))
    yield folder
    if running := data_dir.held_by():
        yield Check("warehouse", None, f"in use ({running}); it is read when nobody holds it")
    else:
        yield _check("warehouse", lambda: _warehouse(data_dir))
    yield _check("published marts", lambda: warehouse_of(data_dir).inspected_served())
    if wrong or not folder.is_fine:
        return  # What follows is about the values that they have, and keeps its budget there.
    yield _check("settings", _transform_settings)
    yield from _unknown_bills(data_dir)
    given = all_settings()
    for source in SOURCES:
        access = Access(clock=clock, budget=budgets(data_dir), is_alone=is_alone(source, given))
        yield from source.check(access, given[source.name])


def _check(name: str, find_out: Callable[[], str]) -> Check:
    try:
        return Check(name, True, find_out())
    except Exception as error:
        return Check(name, False, str(foreseen(error)))


def _folder(data_dir: DataDir) -> str:
    data_dir.create()
    free = shutil.disk_usage(data_dir.root).free / 2**30
    return f"{data_dir.root} is writable, {free:.1f} GiB free"


def _warehouse(data_dir: DataDir) -> str:
    warehouse = warehouse_of(data_dir)
    if not warehouse.exists():
        return "not there yet; the first sync makes it"
    with data_dir.held("doctor"):
        return warehouse.inspected()


def _transform_settings() -> str:
    return ", ".join(
        f"{name} = {value or 'unset'}" for name, value in transform_variables().items()
    )


def _unknown_bills(data_dir: DataDir) -> Iterator[Check]:
    """Months whose seats have no price, as readers see them."""
    try:
        with warehouse_of(data_dir).serve() as served:
            unknown = unknown_bills(served)
    except ForeseenError:
        return  # What reads the marts says so.
    for text in unknown:
        yield Check(
            "bill",
            None,
            f"{text} Add the tiers, or a default, to [sources.reference_files] seat_prices",
        )
