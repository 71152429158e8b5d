"""Checks of everything a run needs, each with what to do about it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from pipelines.data_dir import DataDir
from pipelines.findings import unknown_bills
from pipelines.foreseen import foreseen
from pipelines.run import has_other_source, transform_variables
from pipelines.settings import doubts, problems, settings
from pipelines.warehouse import warehouse_of
from sources.claude_admin import AdminSettings
from sources.claude_admin.endpoints import ROSTERS
from sources.claude_admin.load import NO_KEY as NO_ROSTER_KEY
from sources.claude_admin.load import roster_clients
from sources.claude_admin.snapshot import check as check_roster
from sources.claude_analytics import AnalyticsSettings
from sources.claude_analytics.client import Client, NotTaken, NotThisOrganisation
from sources.claude_analytics.endpoints import ENDPOINTS
from sources.claude_analytics.load import NO_KEY as NO_ANALYTICS_KEY
from sources.claude_analytics.load import newest_day
from sources.claude_analytics.plan import GENERATIONS
from sources.claude_compliance import ComplianceSettings
from sources.claude_compliance.feed import Feed
from sources.claude_compliance.load import NO_KEY, compliance_client
from sources.errors import ForeseenError
from sources.http import KeyRefused, Refused
from sources.langdock import LangdockSettings
from sources.langdock.folder import listing
from sources.rate_budget import RateBudget
from sources.reference_files import FILES, ReferenceFile, configured_path, joined_spellings, read
from sources.session import Clock, clock_note, difference

SHOWN_SPELLINGS = 10


@dataclass(frozen=True)
class Check:
    """One thing that a run needs: how it stands, and what to do if it is not fine.

    `is_fine` is None where something optional is absent.
    """

    name: str
    is_fine: bool | None
    text: str


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
    for file in FILES:
        path = configured_path(file)
        if path:
            yield _check(file.table, partial(_file, file, path))
        else:
            text = f"not set; see [sources.reference_files] {file.table}"
            yield Check(file.table, None, text)
    yield from _spellings()
    yield from _unknown_bills(data_dir)
    langdock = settings(LangdockSettings)
    if langdock.files:
        yield _check("langdock files", partial(_langdock, langdock.files))
    if (langdock.api_key or "").strip():
        text = "a key is set; sync shows whether it works, because each question makes an export"
        yield Check("langdock API", None, text)
    if not langdock.files and not langdock.api_key:
        yield Check("langdock", None, "not set; see [sources.langdock] files and api_key")
    yield from _api(data_dir, clock)
    yield from _rosters(data_dir, clock)
    yield _feed(data_dir, clock)


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


def _file(file: ReferenceFile, path: str) -> str:
    return f"{path}: {len(read(file, path).rows)} rows"


def _spellings() -> Iterator[Check]:
    """Names that the reference files write in several ways."""
    contents = []
    for file in FILES:
        with suppress(ForeseenError):  # Said by the file's own check.
            contents.append(read(file, configured_path(file)))
    if joined := joined_spellings(contents):
        more = len(joined) - SHOWN_SPELLINGS
        told = [*joined[:SHOWN_SPELLINGS], *([f"and {more} more"] if more > 0 else [])]
        yield Check("spellings", True, "joined, shown as first: " + "; ".join(told))


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


def _rosters(data_dir: DataDir, clock: Clock) -> Iterator[Check]:
    """The rosters of the Admin API, which are optional."""
    try:
        admin = settings(AdminSettings)
        if not (admin.api_key or "").strip():
            yield Check("roster", None, NO_ROSTER_KEY)
            return
        with roster_clients(data_dir, clock, admin) as (shared, of_spend_limits):
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


def _feed(data_dir: DataDir, clock: Clock) -> Check:
    """The activity feed, which is optional."""
    try:
        compliance = settings(ComplianceSettings)
        if not (compliance.api_key or "").strip():
            return Check("activities", None, NO_KEY)
        with compliance_client(data_dir, compliance, clock) as client:
            Feed(client, compliance.activities_path).check()
        return Check("activities", True, compliance.activities_path)
    except KeyRefused as error:
        return Check("activities", False, str(error))
    except Refused as error:
        return Check("activities", None, f"unavailable: {error}")
    except ForeseenError as error:
        return Check("activities", False, str(error))


def _langdock(folder: str) -> str:
    found = listing(folder)
    if found.refusal:
        raise ForeseenError(found.refusal)
    return f"{folder}: {len(found.files)} files" + (f". {found.note}" if found.note else "")


def _api(data_dir: DataDir, clock: Clock) -> Iterator[Check]:
    """Key, scope and each endpoint, asked for the newest day."""
    try:
        analytics = settings(AnalyticsSettings)
        if not (analytics.api_key or "").strip() and has_other_source(
            settings(AdminSettings), settings(ComplianceSettings), settings(LangdockSettings)
        ):
            yield Check("API", None, NO_ANALYTICS_KEY)
            return
        client = Client(
            base_url=analytics.base_url,
            api_key=analytics.api_key or "",
            budget=RateBudget(data_dir.rate_budget, analytics.requests_per_minute),
            clock=clock.now if clock.is_set else None,
            connection=analytics.connection,
        )
    except ForeseenError as error:
        yield Check("API", False, str(error))
        return
    with client:
        try:
            day = newest_day(client, ENDPOINTS[0], clock.today, analytics.lag_days)
            try:
                next(client.pages(ENDPOINTS[0], day, day))
            finally:
                yield from _clocks(clock, client)
        except NotThisOrganisation as error:
            yield Check("API", None, f"no engagement: {error}")
            yield _money(client, clock, analytics.cost_api)
            return
        except ForeseenError as error:
            yield Check("API", False, str(error))
            return
        yield Check(
            "API",
            True,
            f"{analytics.base_url} accepts the key and answers for {day}; "
            f"at most {analytics.requests_per_minute} requests a minute are sent",
        )
        for endpoint in ENDPOINTS[1:]:
            try:
                next(client.pages(endpoint, day, day))
                yield Check(endpoint.table, True, endpoint.path)
            except Refused as error:
                yield Check(endpoint.table, None, f"unavailable: {error}")
            except ForeseenError as error:
                yield Check(endpoint.table, False, str(error))
        yield _money(client, clock, analytics.cost_api)


def _clocks(clock: Clock, client: Client) -> Iterator[Check]:
    """How far the two clocks are apart, where the API has said what time it is."""
    if server_now := client.server_now:
        note = clock_note(clock, server_now)
        apart = f"{difference(clock, server_now)} from the API's own time"
        is_replay = clock.is_set and clock.now < server_now
        yield Check("clock", not note or (None if is_replay else False), note or apart)


def _money(client: Client, clock: Clock, cost_api: str) -> Check:
    """Cost and usage, from the first API that the organisation has."""
    refused: ForeseenError | None = None
    for name in GENERATIONS if cost_api == "auto" else (cost_api,):
        totals, *_ = GENERATIONS[name]
        try:
            next(client.pages(totals, clock.today, clock.today))
            return Check("cost and usage", True, totals.path)
        except (Refused, NotTaken) as error:
            refused = error
        except ForeseenError as error:
            return Check("cost and usage", False, str(error))
    return Check("cost and usage", None, f"unavailable: {refused}")
