"""Langdock's usage exports as a source of a run."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from sources.contract import Check, Source, Table
from sources.errors import ForeseenError, KeyRefused, Refused
from sources.langdock import ENTITIES, POLICIES, Collected, LangdockSettings, langdock
from sources.langdock.folder import listing
from sources.langdock.load import NOT_SET, client_of, load, missing
from sources.langdock.upgrade import upgrade
from sources.ledger import COUNTS
from sources.rules import CONNECTION, PATH, choice, whole
from sources.session import Access


def refusals(settings: LangdockSettings) -> Iterator[str]:
    """Why the folder cannot be listed; an object store is asked when it is read."""
    if settings.files and "://" not in settings.files:
        try:
            listing(settings.files)
        except ForeseenError as error:
            yield str(error)


def check(access: Access, settings: LangdockSettings) -> Iterator[Check]:
    """The folder, and each export of the API."""
    if missing(settings):
        yield Check("langdock", None, NOT_SET)
    if settings.files:
        yield _folder(settings.files)
    if not (settings.api_key or "").strip():
        return
    try:
        with client_of(access, settings) as client:
            for entity in ENTITIES:
                try:
                    client.check(entity)
                    yield Check(entity.table, True, entity.path)
                except KeyRefused:
                    raise
                except Refused as error:
                    yield Check(entity.table, None, f"unavailable: {error}")
    except ForeseenError as error:
        yield Check("langdock API", False, str(error))


def _folder(folder: str) -> Check:
    try:
        found = listing(folder)
    except ForeseenError as error:
        return Check("langdock files", False, str(error))
    if found.refusal:
        return Check("langdock files", False, found.refusal)
    note = f". {found.note}" if found.note else ""
    return Check("langdock files", True, f"{folder}: {len(found.files)} files{note}")


def empty(absent: Collection[str]) -> list[Any]:
    return [langdock(Collected())]


def demo(sandbox: Any, folder: Path) -> LangdockSettings:
    exports = folder / "langdock"
    sandbox.langdock.write_samples(exports)
    return LangdockSettings(files=str(exports))


SOURCE = Source(
    name="langdock",
    title="Langdock",
    settings=LangdockSettings,
    rules={
        "files": PATH,
        "overlaps": choice(*POLICIES),
        "revision_days": whole(0),
        **CONNECTION,
    },
    tables=[
        *(Table(name=entity.table, path=entity.path, kind="export") for entity in ENTITIES),
    ],
    missing=missing,
    refusals=refusals,
    check=check,
    load=load,
    empty=empty,
    upgrade=upgrade,
    assistant="langdock",
    ledger="langdock_exports",
    demo=demo,
    standing=f"""
        with

        in_order as (
            select
                *,
                row_number() over (partition by export_id order by fetch_number desc)
                    as changes_since
            from claude_raw.langdock_exports
            where {COUNTS}
        ),

        exports as (
            select * from in_order
            where changes_since = 1 and outcome in ('loaded', 'rejected')
        ),

        skipped as (
            select file_hash, max(skipped_row_count) as skipped_row_count
            from exports
            group by file_hash
        )

        select
            count(*) as unit_count,
            cast(sum(row_count) as bigint) as row_count,
            (select cast(sum(skipped_row_count) as bigint) from skipped) as rejected_row_count,
            min(period_start) as first_date,
            max(period_end) as last_date
        from exports
        where outcome = 'loaded'
    """,
)
