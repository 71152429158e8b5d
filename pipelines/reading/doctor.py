"""Checks of everything a run needs, each with what to do about it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

from pipelines.data_dir import DataDir
from pipelines.doubts import QUERY, known_doubts
from pipelines.foreseen import foreseen
from pipelines.key_owners import owners_of
from pipelines.people.identity import (
    forgotten_people,
    identity_of,
    keys_of,
    require_changeable,
    require_needed_key,
)
from pipelines.project import here, origin
from pipelines.reading.findings import unknown_bills
from pipelines.reading.unmatched import unmatched_lines
from pipelines.registry import SOURCES
from pipelines.run import all_settings, budgets, is_alone
from pipelines.run_settings import transform_variables
from pipelines.settings import (
    PrivacySettings,
    doubts,
    organizations,
    problems,
    settings,
    settings_files,
    settings_variables,
)
from pipelines.warehouse import held, held_by, warehouse_of
from sources.contract import Check
from sources.door import FULL
from sources.doubts import Doubts
from sources.errors import ForeseenError
from sources.ledger import Ask
from sources.organisation import Owners
from sources.rate_budget import IN_MEMORY, RateBudget
from sources.session import Access, Clock


def checks(data_dir: DataDir, clock: Clock) -> Iterator[Check]:
    """Every check, in the order in which a run would meet them.

    Sends one request per endpoint at most, within the rate budget. Makes no folder.
    """
    yield Check("project folder", True, f"{here()}, {origin()}")
    yield Check("settings files", True, _settings_used())
    wrong = problems()
    for problem in wrong:
        yield Check("settings", False, problem)
    for doubt in doubts():
        yield Check("settings", None, doubt)
    folder = _check("data folder", data_dir.inspected)
    yield folder
    if running := held_by(data_dir):
        yield Check("warehouse", None, f"in use ({running}); it is read when nobody holds it")
    else:
        yield _check("warehouse", lambda: _warehouse(data_dir))
    yield _check("published marts", lambda: warehouse_of(data_dir).inspected_served(whole=True))
    if wrong or not folder.is_fine:
        return  # What follows is about the values that they have, and keeps its budget there.
    yield _check("settings", _transform_settings)
    yield _check("privacy", lambda: _privacy(data_dir))
    yield from _of_the_marts(data_dir)
    given, owners = all_settings(), _owners(data_dir, clock)
    for source in SOURCES:
        if source.name not in given:
            yield Check(
                source.title, None, f"switched off: [sources.{source.name}] enabled = false"
            )
            continue
        access = Access(
            clock=clock,
            budget=budgets(data_dir) if data_dir.root.is_dir() else _budget_of_its_own,
            owners=owners,
            is_alone=is_alone(source, given),
        )
        yield from source.check(access, given[source.name])
        for further in organizations():
            if own := source.beside(given[source.name], further):
                yield from source.check(replace(access, further=further), own)


@contextmanager
def _asked(data_dir: DataDir) -> Iterator[Ask]:
    """The warehouse, to be asked as far as it can be read: nobody may hold it. A table that is not
    there has no rows."""
    with ExitStack() as stack:
        reading = None
        with suppress(ForeseenError):
            reading = stack.enter_context(warehouse_of(data_dir).read())

        def ask(query: str) -> list[dict[str, object]]:
            table = query.partition(" from ")[2].split()[0]
            return reading.rows(query) if reading and reading.has(table) else []

        yield ask


def _privacy(data_dir: DataDir) -> str:
    """Who is named, and that the key is the one that pseudonyms are made with."""
    privacy = settings(PrivacySettings)
    with _asked(data_dir) as ask:
        known, has_forgotten = identity_of(ask), bool(forgotten_people(ask))
    require_needed_key(privacy, known, has_forgotten=has_forgotten)
    if privacy.keep_people_days is not None:
        require_changeable(warehouse_of(data_dir))
    kept = privacy.keep_people_days
    named = "for good" if kept is None else f"until nothing was heard of them for {kept} days"
    parts = [f"identity = {privacy.identity}"]
    if privacy.identity == FULL:
        parts.append(f"people are named {named}")
    if keys_of(privacy):
        parts.append("the identity key is there")
    return ", ".join(parts)


def _owners(data_dir: DataDir, clock: Clock) -> Owners:
    """Whose data the warehouse holds."""
    with _asked(data_dir) as ask:
        doubts = Doubts(known_doubts(ask(QUERY)), clock.now)
        return owners_of(ask, doubts, clock.now)


def _check(name: str, find_out: Callable[[], str]) -> Check:
    try:
        return Check(name, True, find_out())
    except Exception as error:
        return Check(name, False, str(foreseen(error)))


def _settings_used() -> str:
    """Which files are read, and which variables win over them; no value of any."""
    variables = settings_variables()
    return "; ".join(
        [
            ", ".join(settings_files()) or "no .dlt/config.toml and no .dlt/secrets.toml there",
            *([f"from the environment {', '.join(variables)}"] if variables else []),
        ]
    )


def _budget_of_its_own(_: str, limit: int) -> RateBudget:
    """Before there is a folder to keep it in, no run can have sent anything."""
    return RateBudget(IN_MEMORY, limit)


def _warehouse(data_dir: DataDir) -> str:
    warehouse = warehouse_of(data_dir)
    if not warehouse.exists():
        if warehouse.served_place:
            warehouse.require()  # It says that it is lost.
        return "not there yet; the first sync makes it"
    with held(data_dir, "doctor"):
        return warehouse.inspected()


def _transform_settings() -> str:
    return ", ".join(
        f"{name} = {value or 'unset'}" for name, value in transform_variables().items()
    )


def _of_the_marts(data_dir: DataDir) -> Iterator[Check]:
    """Months whose seats have no price, and lines of files that meet nobody, as published."""
    try:
        with warehouse_of(data_dir).serve() as served:
            unknown, unmatched = unknown_bills(served), unmatched_lines(served)
    except ForeseenError:
        return  # What reads the marts says so.
    for text in unknown:
        yield Check(
            "bill",
            None,
            f"{text} Add the tiers, or a default, to [sources.reference_files] seat_prices",
        )
    yield from unmatched
