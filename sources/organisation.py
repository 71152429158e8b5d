"""Whose data it is: the organisation that each Claude key belongs to, compared with what is stored.

Answers name it in a header, and `/v1/organizations/me` with its name (reference: Admin API, section
2). The first load notes it; a key of another one is refused until somebody says that it is right.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dlt

from sources.doubts import Doubt, Doubts
from sources.errors import AnotherOrganisation, ApiError
from sources.hints import typed_columns
from sources.http import HttpClient
from sources.http.answers import json_object

PATH = "/v1/organizations/me"
WHAT = "organisation"


@dataclass(frozen=True)
class Organisation:
    """As an API calls it; not everything that tells its id tells its name."""

    id: str
    name: str | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose data a source brings. Of several of a source, the highest number counts.

    Attributes:
        header: What the header called it; None: it told nothing.
        replaces: The organisation whose data it brought until then, if somebody confirmed that.
    """

    number: int
    source: str
    organisation: Organisation
    since: datetime
    header: str | None = None
    replaces: str | None = None


class Owners:
    """The organisations of a warehouse's Claude keys, as one run or `doctor` sees them."""

    def __init__(self, known: Mapping[str, Owner], doubts: Doubts, now: datetime) -> None:
        """`known`: each source's owner. One of no source is what an older release stored."""
        self._known, self._doubts, self._now = dict(known), doubts, now
        self._number = max((each.number for each in known.values()), default=0)
        self._is_refused = self._is_seen = False
        self.new: list[Owner] = []
        """What was learned, oldest first."""

    def changed_at(self, source: str) -> datetime | None:
        """Since when its data is another organisation's than before; None: since ever."""
        owner = self._known.get(source)
        return owner.since if owner and owner.replaces else None

    def see(self, source: str, key_variable: str, client: HttpClient) -> Organisation | None:
        """Whose key this client has; None where nothing tells. To be asked after a first answer,
        and before anything is stored.

        Raises:
            AnotherOrganisation: Not that of what is stored, and nobody said that it is right.
        """
        self._is_seen = True
        own, newest, header = self._known.get(source), self._newest(), client.organisation_id
        if own and header and header == own.header:
            return own.organisation
        found = _asked(client) or (Organisation(header) if header else None)
        if found is None:
            return None
        known = own or newest
        if known and header and known.header and header != known.header:
            found = Organisation(header, found.name)
        elif own and own.organisation.id == found.id:
            return own.organisation
        if known is None or newest is None or newest.organisation.id == found.id:
            self._learn(source, found, header, own)
            return found
        doubt = Doubt(
            what=WHAT,
            rule="another_organisation",
            outcome="refused",
            claim=found.id,
            sentence=(
                f"{key_variable} is a key of another organisation: {found}.\n"
                f"This warehouse holds the data of {known.organisation}; nothing of the other one "
                "was stored.\n"
                f"Set a key of {known.organisation.name or known.organisation.id}, or load the "
                "other one into a folder of its own (--data-dir)."
            ),
        )
        if self._doubts.allows(doubt):
            self._learn(source, found, header, known)
            return found
        self._is_refused = True
        raise AnotherOrganisation(doubt.text)

    def end(self) -> None:
        """Nobody's key is doubted any more, if this run saw keys and refused none."""
        if self._is_seen and not self._is_refused:
            self._doubts.none(WHAT)

    def _newest(self) -> Owner | None:
        return max(self._known.values(), key=lambda each: each.number, default=None)

    def _learn(
        self, source: str, found: Organisation, header: str | None, before: Owner | None
    ) -> None:
        self._number += 1
        is_other = before is not None and before.organisation.id != found.id
        self._known[source] = Owner(
            number=self._number,
            source=source,
            organisation=found,
            since=self._now,
            header=header,
            replaces=before.organisation.id if before and is_other else None,
        )
        self.new.append(self._known[source])


def _asked(client: HttpClient) -> Organisation | None:
    """What the API says of the key's organisation; None where it does not answer that."""
    try:
        answer = client.ask(PATH, what="organizations", read=json_object)
    except ApiError:
        return None
    found, name = answer.get("id"), answer.get("name")
    if not isinstance(found, str) or not found.strip():
        return None
    return Organisation(found.strip(), name if isinstance(name, str) and name.strip() else None)


@dlt.resource(
    name="key_owners",
    write_disposition="append",
    columns=typed_columns(
        owner_number="bigint",
        source="text",
        organization_id="text",
        organization_name="text",
        header_id="text",
        replaced_id="text",
        since="timestamp",
    ),
)
def key_owners(owners: Sequence[Owner] = ()) -> Iterator[Any]:
    """One row per source and organisation whose key it had, from when on."""
    yield dlt.mark.materialize_table_schema()
    yield [
        {
            "owner_number": owner.number,
            "source": owner.source,
            "organization_id": owner.organisation.id,
            "organization_name": owner.organisation.name,
            "header_id": owner.header,
            "replaced_id": owner.replaces,
            "since": owner.since,
        }
        for owner in owners
    ]
