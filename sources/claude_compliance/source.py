"""The activity feed of the Compliance API as a source of a run."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from sources.claude_compliance import ComplianceSettings, empty_feed
from sources.claude_compliance.feed import COMPLIANCE_API, Feed
from sources.claude_compliance.load import ENDPOINT, client_of, load, missing
from sources.claude_compliance.upgrade import upgrade
from sources.contract import Check, Source, Table
from sources.errors import AnotherOrganisation, ForeseenError, KeyRefused, Refused
from sources.rules import CONNECTION, DAY, Rule, whole
from sources.session import Access


def check(access: Access, settings: ComplianceSettings) -> Iterator[Check]:
    """The activity feed, which is optional."""
    if why := missing(settings):
        yield Check(ENDPOINT, None, why)
        return
    try:
        with client_of(access, settings) as client:
            Feed(client, settings.activities_path).check()
            yield Check(ENDPOINT, True, settings.activities_path)
            variable = COMPLIANCE_API.key_variable
            if found := access.owners.see(COMPLIANCE_API.section, variable, client):
                yield Check("feed's organisation", True, str(found))
    except AnotherOrganisation as error:
        yield Check("feed's organisation", False, str(error))
    except KeyRefused as error:
        yield Check(ENDPOINT, False, str(error))
    except Refused as error:
        yield Check(ENDPOINT, None, f"unavailable: {error}")
    except ForeseenError as error:
        yield Check(ENDPOINT, False, str(error))


def empty(absent: Collection[str]) -> list[Any]:
    return [empty_feed()]


def demo(sandbox: Any, folder: Path) -> ComplianceSettings:
    return ComplianceSettings(base_url=sandbox.url, api_key=sandbox.api_key)


SOURCE = Source(
    name="claude_compliance",
    title="Claude Compliance API",
    settings=ComplianceSettings,
    rules={
        "activities_path": Rule("a path that begins with /", lambda text: text.startswith("/")),
        "first_day": DAY,
        "overlap_hours": whole(0, 24 * 366),
        **CONNECTION,
    },
    tables=[Table(name=ENDPOINT, path="[sources.claude_compliance] activities_path", kind="feed")],
    missing=missing,
    check=check,
    load=load,
    empty=empty,
    upgrade=upgrade,
    demo=demo,
    has_days=True,
)
