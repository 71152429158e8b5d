"""The rosters of the Admin API as a source of a run."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from sources.claude_admin import AdminSettings, claude_admin
from sources.claude_admin.endpoints import OF_CONSOLE, ROSTERS
from sources.claude_admin.load import load, missing, roster_clients
from sources.claude_admin.snapshot import ADMIN_API, token_words
from sources.claude_admin.snapshot import check as check_roster
from sources.claude_admin.upgrade import upgrade
from sources.connection import of_further
from sources.contract import Check, Source, Table
from sources.errors import AnotherOrganisation, ForeseenError, KeyRefused, Refused
from sources.organisation import Further
from sources.rules import CONNECTION, TEXT
from sources.session import Access


def check(access: Access, settings: AdminSettings) -> Iterator[Check]:
    """Each roster, which are optional."""
    of = f" of {access.further.name}" if access.further else ""
    if why := missing(settings):
        yield Check("roster", None, why)
        return
    try:
        with roster_clients(access, settings) as clients:
            for roster in ROSTERS:
                if roster.for_each:
                    continue  # It needs the ids of the other; the same scope opens both.
                if access.further and roster.table not in OF_CONSOLE:
                    continue
                try:
                    check_roster(clients.of(roster), roster)
                    yield Check(f"{roster.table}{of}", True, roster.path)
                except Refused as error:
                    if roster.takes_token:
                        yield Check(f"{roster.table}{of}", None, token_words(roster, error))
                    elif isinstance(error, KeyRefused):
                        raise
                    else:
                        yield Check(f"{roster.table}{of}", None, f"unavailable: {error}")
            if access.further:
                return  # Whose key it is was seen where its cost was asked for.
            variable = ADMIN_API.key_variable
            if found := access.owners.see(ADMIN_API.section, variable, clients.shared):
                yield Check("roster's organisation", True, str(found))
    except AnotherOrganisation as error:
        yield Check("roster's organisation", False, str(error))
    except ForeseenError as error:
        yield Check(f"roster{of}", False, str(error))


def empty(absent: Collection[str]) -> list[Any]:
    return [claude_admin([], absent)]


def beside(settings: AdminSettings, further: Further) -> AdminSettings | None:
    """With the key of a Console organisation; a parent's key is for cost alone."""
    if further.kind != "console":
        return None
    given = of_further(settings, further)
    given.org_admin_token = None
    return given


def demo(sandbox: Any, folder: Path) -> AdminSettings:
    return AdminSettings(base_url=sandbox.url, api_key=sandbox.api_key)


SOURCE = Source(
    name="claude_admin",
    title="Claude Admin API",
    settings=AdminSettings,
    rules={**CONNECTION, "org_admin_token": TEXT},
    tables=[
        Table(name=roster.table, path=roster.path, kind="roster", columns=list(roster.columns))
        for roster in ROSTERS
    ],
    missing=missing,
    check=check,
    load=load,
    beside=beside,
    empty=empty,
    upgrade=upgrade,
    demo=demo,
)
