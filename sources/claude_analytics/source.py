"""The Analytics API as a source of a run."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sources.claude_analytics import empty_endpoints
from sources.claude_analytics.client import Client, NotTaken, NotThisOrganisation
from sources.claude_analytics.endpoints import ENDPOINTS, EVERY_ENDPOINT, Endpoint
from sources.claude_analytics.generation import WORDS
from sources.claude_analytics.kinds import KINDS, Generations
from sources.claude_analytics.load import NO_KEY, client_of, load, missing, newest_day
from sources.claude_analytics.settings import AnalyticsSettings
from sources.claude_analytics.upgrade import upgrade
from sources.connection import of_further
from sources.contract import Check, Source, Table
from sources.errors import AnotherOrganisation, ForeseenError, Refused
from sources.organisation import Further
from sources.rules import CONNECTION, FLAG, choice, whole
from sources.session import Access, Clock, clock_note, difference


def check(access: Access, settings: AnalyticsSettings) -> Iterator[Check]:
    """Key, scope and each endpoint, asked for the newest day."""
    clock = access.clock
    if access.further:
        yield from _of_further(access, access.further, settings)
        return
    if missing(settings) and not access.is_alone:
        yield Check("API", None, NO_KEY)
        return
    try:
        client = client_of(access, settings)
    except ForeseenError as error:
        yield Check("API", False, str(error))
        return
    with client:
        try:
            day = newest_day(client, ENDPOINTS[0], clock.today, settings.lag_days)
            try:
                next(client.pages(ENDPOINTS[0], day, day))
            finally:
                yield from _clocks(clock, client)
        except NotThisOrganisation as error:
            yield Check("API", None, f"no engagement: {error}")
            yield _money(client, clock, settings.cost_api)
            return
        except ForeseenError as error:
            yield Check("API", False, str(error))
            return
        yield Check(
            "API",
            True,
            f"{settings.base_url} accepts the key and answers for {day}; "
            f"at most {settings.requests_per_minute} requests a minute are sent",
        )
        try:
            if found := client.organisation(access.owners):
                yield Check("API's organisation", True, str(found))
        except AnotherOrganisation as error:
            yield Check("API's organisation", False, str(error))
        yield from _each(client, ENDPOINTS[1:], day)
        yield _money(client, clock, settings.cost_api)


def _of_further(access: Access, further: Further, settings: AnalyticsSettings) -> Iterator[Check]:
    """Whose key it is, and whether it is told what an organisation of its kind is asked for."""
    kind, of, today = KINDS[further.kind], f" of {further.name}", access.clock.today
    try:
        with client_of(access, settings) as client:
            found = client.organisation(access.owners)
            yield Check(
                f"organisation {further.name}",
                True,
                f"{found}, {further.kind}: the key is accepted; at most "
                f"{settings.requests_per_minute} requests a minute are sent",
            )
            day = newest_day(client, kind.engagement[0], today, "1") if kind.engagement else today
            yield from _each(client, kind.engagement, day, of)
            money = _money(client, access.clock, settings.cost_api, kind.generations, of)
            yield money
            if money.is_fine and money.text == kind.generations["unified"][0].path:
                # Grouped in other ways than the totals, which some organisations may not ask.
                others = kind.generations["unified"][2:]
                yield from _each(client, others, today, of)
    except ForeseenError as error:
        yield Check(f"organisation {further.name}", False, str(error))


def _each(
    client: Client, endpoints: Sequence[Endpoint], day: date, of: str = ""
) -> Iterator[Check]:
    """Each endpoint, asked for that day."""
    for endpoint in endpoints:
        name = f"{endpoint.table}{of}"
        try:
            next(client.pages(endpoint, day, day))
            yield Check(name, True, endpoint.path)
        except Refused as error:
            yield Check(name, None, f"unavailable: {error}")
        except ForeseenError as error:
            yield Check(name, False, str(error))


def _clocks(clock: Clock, client: Client) -> Iterator[Check]:
    """How far the two clocks are apart, where the API has said what time it is."""
    if server_now := client.server_now:
        note = clock_note(clock, server_now)
        apart = f"{difference(clock, server_now)} from the API's own time"
        is_replay = clock.is_set and clock.now < server_now
        yield Check("clock", not note or (None if is_replay else False), note or apart)


def _money(
    client: Client,
    clock: Clock,
    cost_api: str,
    generations: Generations = KINDS["enterprise"].generations,
    of: str = "",
) -> Check:
    """Cost and usage, from the first API that the organisation has."""
    refused: ForeseenError | None = None
    name_of = f"cost and usage{of}"
    for name in generations if cost_api == "auto" else (cost_api,):
        totals, *_ = generations[name]
        try:
            next(client.pages(totals, clock.today, clock.today))
            return Check(name_of, True, totals.path)
        except (Refused, NotTaken) as error:
            refused = error
        except ForeseenError as error:
            return Check(name_of, False, str(error))
    return Check(name_of, None, f"unavailable: {refused}")


def empty(absent: Collection[str]) -> list[Any]:
    # Both generations of cost and usage have some tables in common.
    endpoints = {each.table: each for each in EVERY_ENDPOINT if each.table in absent}
    return [empty_endpoints(list(endpoints.values()))]


def _table(endpoint: Endpoint) -> Table:
    # The totals tell no edition: both fill the same tables of them.
    edition = next(
        (
            name
            for kind in KINDS.values()
            for name, each in kind.generations.items()
            if len(kind.generations) > 1 and endpoint in each and endpoint.totals is not None
        ),
        None,
    )
    return Table(
        name=endpoint.table,
        path=endpoint.path,
        kind=endpoint.kind,
        edition=edition,
        is_older=edition == "reports",
        is_recent=endpoint.newest_days is not None,
        key=endpoint.key or endpoint.actor_key,
        columns=list(endpoint.columns),
        measure=endpoint.measure,
    )


def beside(settings: AnalyticsSettings, further: Further) -> AnalyticsSettings:
    """With the further organisation's key and limit, and else as the first one is read."""
    given = of_further(settings, further)
    given.requests_per_minute = further.requests_per_minute
    # What the first one is read from says nothing of others.
    given.cost_api = "auto"
    return given


def demo(sandbox: Any, folder: Path) -> AnalyticsSettings:
    return AnalyticsSettings(
        base_url=sandbox.url,
        api_key=sandbox.api_key,
        requests_per_minute=sandbox.requests_per_minute,
    )


SOURCE = Source(
    name="claude_analytics",
    title="Claude Analytics API",
    settings=AnalyticsSettings,
    rules={
        "window_days": whole(1),
        "lag_days": whole(0, word="auto"),
        "revision_days": whole(0),
        "cost_window_days": whole(1),
        "cost_api": choice("auto", "unified", "reports"),
        "hourly": FLAG,
        **CONNECTION,
    },
    tables=[_table(endpoint) for endpoint in EVERY_ENDPOINT],
    missing=missing,
    check=check,
    load=load,
    upgrade=upgrade,
    empty=empty,
    beside=beside,
    is_read_by_table=True,
    has_days=True,
    assistant="claude",
    editions=WORDS,
    demo=demo,
)
