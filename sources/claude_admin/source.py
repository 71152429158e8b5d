"""The rosters of the Admin API as a source of a run."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from sources.claude_admin import AdminSettings, claude_admin
from sources.claude_admin.endpoints import ROSTERS
from sources.claude_admin.load import load, missing, roster_clients
from sources.claude_admin.snapshot import check as check_roster
from sources.contract import Check, Source, Table
from sources.errors import ForeseenError
from sources.http import KeyRefused, Refused
from sources.rules import CONNECTION
from sources.session import Access


def check(access: Access, settings: AdminSettings) -> Iterator[Check]:
    """Each roster, which are optional."""
    if why := missing(settings):
        yield Check("roster", None, why)
        return
    try:
        with roster_clients(access, settings) as (shared, of_spend_limits):
            for roster in ROSTERS:
                if roster.for_each:
                    continue  # It needs the ids of the other; the same scope opens both.
                try:
                    check_roster(of_spend_limits if roster.of_spend_limits else shared, roster)
                    yield Check(roster.table, True, roster.path)
                except KeyRefused:
                    raise
                except Refused as error:
                    yield Check(roster.table, None, f"unavailable: {error}")
    except ForeseenError as error:
        yield Check("roster", False, str(error))


def empty(absent: Collection[str]) -> list[Any]:
    return [claude_admin({}, datetime.now(UTC), absent)]  # The moment is that of no row.


SOURCE = Source(
    name="claude_admin",
    title="Claude Admin API",
    settings=AdminSettings,
    rules=CONNECTION,
    tables=[Table(name=roster.table, path=roster.path, kind="roster") for roster in ROSTERS],
    missing=missing,
    check=check,
    load=load,
    empty=empty,
)
