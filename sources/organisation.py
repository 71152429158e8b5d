"""Whose data it is: the organisation that each Claude key belongs to, compared with what is stored.

Answers name it in a header, and `/v1/organizations/me` with its name (reference: Admin API, section
2). The first load notes it; a key of another one is refused until somebody says that it is right.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import dlt

from sources.doubts import Doubt, Doubts
from sources.errors import AnotherOrganisation, ApiError, ForeseenError
from sources.hints import typed_columns
from sources.http import HttpClient
from sources.http.answers import Response, json_object

PATH = "/v1/organizations/me"
WHAT = "organisation"


@dataclass(frozen=True)
class Organisation:
    """As an API calls it; not everything that tells its id tells its name."""

    id: str
    name: str | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


CHILD = "child"
"""Kind of an organisation that has no key here, and whose name was set."""
FURTHER = "organizations"
"""Section of the organisations beside the first one, each with one of its own."""
Kind = Literal["console", "parent"]


@dataclass(frozen=True, kw_only=True)
class Further:
    """An organisation beside the first one, as `[organizations.<name>]` has it.

    Attributes:
        kind: "console": of the Claude Console, with an Admin key; "parent": the key of a parent
            organisation, whose answers tell of its children.
        base_url: Where it is asked, if not where the first one is.
        children: Of a parent, what its children are called, by their ids: no answer says it.
    """

    name: str
    kind: Kind
    api_key: str
    base_url: str | None = None
    requests_per_minute: int = 60
    children: Mapping[str, str] = field(default_factory=dict)

    @property
    def section(self) -> str:
        return f"{FURTHER}.{self.name}"

    @property
    def key_variable(self) -> str:
        return f"{FURTHER}__{self.name}__API_KEY".upper()


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose data a source brings. Of several of a source, the highest number counts.

    Attributes:
        source: Of a further organisation, its section; `kind` is its kind then.
        header: What the header called it; None: it told nothing.
        replaces: The organisation whose data it brought until then, if somebody confirmed that.
    """

    number: int
    source: str
    organisation: Organisation
    since: datetime
    header: str | None = None
    replaces: str | None = None
    kind: str | None = None


class Owners:
    """The organisations of a warehouse's Claude keys, as one run or `doctor` sees them."""

    def __init__(self, known: Mapping[str, Owner], doubts: Doubts, now: datetime) -> None:
        """`known`: each source's owner. One of no source is what an older release stored."""
        self._known, self._doubts, self._now = dict(known), doubts, now
        self._number = max((each.number for each in known.values()), default=0)
        self._is_refused = self._is_seen = False
        self._further: dict[str, str] = {}
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

    def see_further(self, organization: Further, client: HttpClient) -> Organisation:
        """Whose key a further organisation's client has; to be asked before anything is stored.

        Raises:
            AnotherOrganisation: It is the first organisation's, or another further one's.
            ForeseenError: Nothing tells.
        """
        found = client.ask(PATH, what="organizations", read=_organisation)
        if found is None:
            raise ForeseenError(
                f"The API does not say whose key {organization.key_variable} is.\n"
                "Its rows could not be told from those of others, so nothing of it was stored.\n"
                "Run again later; if it stays, please report it."
            )
        first = self._newest()
        same = next((name for name, id in self._further.items() if id == found.id), None)
        if same is None and first and first.organisation.id == found.id:
            same = "the first organisation"
        if same is not None:
            raise AnotherOrganisation(
                f"{organization.key_variable} is a key of {found}, which is read already "
                f"({same}).\n"
                "Its cost would count twice, so nothing was read with this key.\n"
                f"Set a key of another organisation, or remove [{organization.section}]."
            )
        self._further[f"[{organization.section}]"] = found.id
        for id, name in organization.children.items():
            source, child = f"{organization.section}.children.{id}", Organisation(id, name)
            if source not in self._known or self._known[source].organisation != child:
                self._learn(source, child, None, None, CHILD)
        own = self._known.get(organization.section)
        if own is None or (own.organisation, own.kind) != (found, organization.kind):
            self._learn(
                organization.section, found, client.organisation_id, None, organization.kind
            )
        return found

    def seen(self, organization: Further) -> str | None:
        """Whose key it has in this run."""
        return self._further.get(f"[{organization.section}]")

    def known(self, organization: Further) -> str | None:
        """Whose key a further organisation's section had last."""
        owner = self._known.get(organization.section)
        return owner.organisation.id if owner else None

    def gone(self, sections: Collection[str]) -> list[Owner]:
        """Further organisations that were read by a section that is none of these any more, nor is
        read by another one."""
        known = [each for each in self._known.values() if each.kind and each.kind != CHILD]
        still = {each.organisation.id for each in known if each.source in sections}
        return [
            each
            for each in known
            if each.source not in sections and each.organisation.id not in still
        ]

    def covers(self, id: str) -> str | None:
        """Which key besides the asking one reads that organisation; None: none."""
        first = self._newest()
        if first and first.organisation.id == id:
            return "the first organisation's key"
        return next((section for section, known in self._further.items() if known == id), None)

    def end(self) -> None:
        """Nobody's key is doubted any more, if this run saw keys and refused none."""
        if self._is_seen and not self._is_refused:
            self._doubts.none(WHAT)

    def _newest(self) -> Owner | None:
        """The first organisation, as it was seen last."""
        first = [each for each in self._known.values() if not each.source.startswith(FURTHER)]
        return max(first, key=lambda each: each.number, default=None)

    def _learn(
        self,
        source: str,
        found: Organisation,
        header: str | None,
        before: Owner | None,
        kind: str | None = None,
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
            kind=kind,
        )
        self.new.append(self._known[source])


def _asked(client: HttpClient) -> Organisation | None:
    """What the API says of the key's organisation; None where it does not answer that."""
    try:
        return client.ask(PATH, what="organizations", read=_organisation)
    except ApiError:
        return None


def _organisation(response: Response) -> Organisation | None:
    answer = json_object(response)
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
        kind="text",
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
            "kind": owner.kind,
            "organization_id": owner.organisation.id,
            "organization_name": owner.organisation.name,
            "header_id": owner.header,
            "replaced_id": owner.replaces,
            "since": owner.since,
        }
        for owner in owners
    ]
