"""The door: what a run writes of people, decided before anything is written.

`[privacy] identity` says it. `full`: as it came. `pseudonymous`: e-mails, ids and names are keyed
hashes, the same wherever the same person stands, so that everything still joins; of addresses in
networks only the network is kept, of free text about people nothing. `none`: no person at all; what
is one's own row is not even asked for, and money keeps its sums. Whoever was forgotten has a
pseudonym of their own in either.
"""

import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sources.personal import (
    EMAIL_KEYS,
    PERSON_KEYS,
    ROWS_OF_PEOPLE,
    SHOWN_ENDS,
    SHOWN_KEYS,
    SUMMED,
    Kind,
    kind_of_stored,
)
from sources.typed_files.keys import name_key

FULL, PSEUDONYMOUS, NONE = "full", "pseudonymous", "none"
WITHHELD = "(withheld)"
NOBODY = (
    '[privacy] identity is "none": rows of people are not asked for.\n'
    "What is known of groups without them is in the marts; all else stays unknown there."
)
DOMAIN = "@pseudonym.invalid"

MACHINES = ("svac_", "apikey_", "wrkspc_", "rbac_", "org_", "ogr_", "directory_", "service_")
"""How ids begin that are no person's."""
TOMBSTONE = re.compile("[0-9a-fA-F]{32}(?=[^@])")
"""What a directory puts before an address on deletion."""
MADE = {
    Kind.EMAIL: ("p", 32, DOMAIN),
    Kind.PERSON: ("person_", 32, ""),
    Kind.NAME: ("Person ", 16, ""),
    Kind.DEVICE: ("device_", 16, ""),
}
"""What stands before and behind the hexadecimal digits of a pseudonym, and how many these are."""
PSEUDONYMS = {
    kind: re.compile(f"{re.escape(before)}([0-9a-f]{{{digits}}}){re.escape(behind)}")
    for kind, (before, digits, behind) in MADE.items()
}
ANY_PSEUDONYM = re.compile(
    "(?:[0-9a-f]{32})?" + "|".join(pattern.pattern for pattern in PSEUDONYMS.values())
)
DIGITS = re.compile("(?<![0-9a-f])[0-9a-f]{32}(?=p)|(?:[0-9a-f]{32}|[0-9a-f]{16})(?![0-9a-f])")
ADDRESS = re.compile(r"[\w.+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
PERSON_ID = re.compile(r"\b(?:user_[0-9A-Za-z]{6,}|person_[0-9a-f]{32})\b")
SIGNS = ("@", "%40", "user_", "person_")
"""A text without any of these holds no address and no id of a person."""
QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
FIELD_NAME = re.compile("[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Door:
    """What becomes of people in what is stored.

    Attributes:
        keys: The identity key, and those that it was rotated to, oldest first.
        forgotten: Pseudonym of whom nothing may be stored -> what stands in its place.
    """

    identity: str = FULL
    keys: Sequence[str] = ()
    forgotten: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Everything is stored as it came."""
        return self.identity == FULL and not self.forgotten

    def asks_for(self, table: str) -> bool:
        """Whether the rows of a raw table may be loaded."""
        return self.identity != NONE or table not in ROWS_OF_PEOPLE

    def table(self, name: str, rows: pa.Table) -> pa.Table:
        """Rows of a raw table as they are stored."""
        if self.is_open or not rows.num_rows:
            return rows
        if self.identity != FULL:
            rows = with_texts(rows, lambda column: self._changes[kind_of_stored(name, column)])
        if self.identity == NONE and name in SUMMED:
            rows = summed(rows)
        return self._table_without_forgotten(name, rows) if self.forgotten else rows

    def rows(self, name: str, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The same for rows as dicts, whose keys are all columns of the table."""
        if self.is_open:
            return [{**row} for row in rows]
        return [self._row(name, row) for row in rows]

    def text(self, text: str) -> str:
        """A message as it may be kept or shown."""
        return text if self.identity == FULL else self._in_text(text)

    def reason(self, text: str) -> str:
        """Why a row could not be read, without what the message quotes of it."""
        return text if self.identity == FULL else self._in_text(QUOTED.sub(WITHHELD, text))

    def field_name(self, name: str) -> str:
        """The name of a field that nobody declared; a person may be one."""
        if self.identity == FULL or FIELD_NAME.fullmatch(name):
            return name
        return f"field_{self.digits('field', name)[:8]}"

    def email(self, address: str) -> str:
        """The pseudonym of an address, with the digits that a directory put before it."""
        if PSEUDONYMS[Kind.EMAIL].search(address):
            return address
        key = name_key(address)
        tombstone = TOMBSTONE.match(key)
        before = self.digits("tombstone", tombstone[0]) if tombstone else ""
        address = key[32:] if tombstone else key
        return before + self.made(Kind.EMAIL, self.digits("email", address))

    def person(self, person_id: str) -> str:
        """The pseudonym of a person's id."""
        if PSEUDONYMS[Kind.PERSON].fullmatch(person_id):
            return person_id
        return self.made(Kind.PERSON, self.digits("person", person_id.strip()))

    def digits(self, what: str, text: str, length: int = 32) -> str:
        """The hexadecimal digits that stand for a text; `what` keeps an id apart from a name that
        is written like it. Where there are no people, nothing stands for one."""
        if self.identity == NONE:
            return "0" * length
        first, *others = self.keys
        digits = _hashed(first, f"{what}:{text}")[:length]
        for key in others:
            digits = _hashed(key, digits)[:length]
        return digits

    def made(self, kind: Kind, digits: str) -> str:
        before, length, behind = MADE[kind]
        return f"{before}{digits[:length]}{behind}"

    def mark(self, text: str) -> str:
        """What is kept of a row that could not be read: that it is the same one again."""
        return json.dumps({"withheld": self.digits("row", text)})

    def changed(self, kind: Kind, value: str) -> str | None:
        """What is stored of a text that is not blank."""
        return self._changes[kind](value)

    @cached_property
    def _changes(self) -> Mapping[Kind, Callable[[str | None], str | None]]:
        by_kind: dict[Kind, Callable[[str], str | None]] = {
            Kind.EMAIL: self.email,
            Kind.PERSON: self.person,
            Kind.ACTOR: self._actor,
            Kind.NAME: self._name,
            Kind.NETWORK: network,
            Kind.DEVICE: self._device,
            Kind.WORDS: lambda _: None,
            Kind.EVENT: self._event,
            Kind.FIELDS: self._fields,
            Kind.ROW: lambda text: text if '{"withheld"' in text else self.mark(text),
            Kind.REASON: self.reason,
            Kind.THING: self._in_text,
        }
        if self.identity == NONE:
            nobody = (Kind.EMAIL, Kind.PERSON, Kind.NAME, Kind.NETWORK, Kind.DEVICE, Kind.EVENT)
            by_kind |= dict.fromkeys(nobody, lambda _: None)
            by_kind[Kind.ACTOR] = lambda text: text if text.startswith(MACHINES) else None
            by_kind[Kind.ROW] = lambda _: WITHHELD

        def change(kind: Kind) -> Callable[[str | None], str | None]:
            known: dict[str, str | None] = {}
            to = by_kind[kind]

            def changed(text: str | None) -> str | None:
                # Whoever has no address is nobody, and not the same nobody everywhere.
                if text is None or not text.strip():
                    return text
                if text not in known:
                    known[text] = to(text)
                return known[text]

            return changed

        return {kind: change(kind) for kind in Kind}

    def _row(self, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
        texts = _texts(row)
        changed: dict[str, str | None] = {}
        if self.identity != FULL:
            changed = {
                column: self._changes[kind_of_stored(name, column)](text)
                for column, text in texts.items()
            }
        if self.forgotten:
            left = {column: text for column, text in {**texts, **changed}.items() if text}
            changed |= self._without_forgotten(name, left)
        return {**row, **changed}

    def _table_without_forgotten(self, name: str, rows: pa.Table) -> pa.Table:
        """Only rows that are about somebody forgotten are taken apart."""
        is_about = pa.array([False] * rows.num_rows)
        for column in rows.schema:
            if _is_text(column.type):
                kind = kind_of_stored(name, column.name)
                coded = rows[column.name].combine_chunks().dictionary_encode()
                found = [
                    bool(text) and self._instead(kind, text) not in (None, text)
                    for text in coded.dictionary.to_pylist()
                ]
                if any(found):
                    hit = pa.array(found, pa.bool_()).take(coded.indices)
                    is_about = pc.or_(is_about, pc.fill_null(hit, False))
        if not pc.any(is_about).as_py():
            return rows
        changed = [
            {**row, **self._without_forgotten(name, _texts(row))}
            for row in rows.filter(is_about).to_pylist()
        ]
        others = rows.filter(pc.invert(is_about))
        return pa.concat_tables([others, pa.Table.from_pylist(changed, schema=rows.schema)])

    def _without_forgotten(self, name: str, texts: Mapping[str, str]) -> dict[str, str | None]:
        """What of a row changes, because it is about somebody who was forgotten."""
        changed: dict[str, str | None] = {}
        about: set[str] = set()
        for column, text in texts.items():
            kind = kind_of_stored(name, column)
            found = self._instead(kind, text)
            if found is None or found == text:
                continue
            changed[column] = self.mark(text) if kind is Kind.ROW else found
            if kind is Kind.FIELDS:
                changed[column] = self._fields(text)
            if kind in (Kind.EMAIL, Kind.PERSON, Kind.ACTOR):
                about.add(_owner(column))
        for column, text in texts.items():
            if column not in changed and _owner(column) in about:
                kind = kind_of_stored(name, column)
                if kind in (Kind.NAME, Kind.DEVICE, Kind.WORDS, Kind.FIELDS):
                    changed[column] = None
                elif kind is Kind.NETWORK:
                    changed[column] = network(text)
        return changed

    def _instead(self, kind: Kind, text: str) -> str | None:
        """What stands in the place of somebody forgotten, in a text that may name others too."""
        if kind is Kind.EMAIL:
            return self.forgotten.get(self.email(text))
        if kind in (Kind.PERSON, Kind.ACTOR):
            return self.forgotten.get(self.person(text))
        if not any(sign in text for sign in SIGNS):
            return text
        found = ADDRESS.sub(
            lambda match: self.forgotten.get(self.email(match[0].replace("%40", "@")), match[0]),
            text,
        )
        return PERSON_ID.sub(
            lambda match: self.forgotten.get(self.person(match[0]), match[0]), found
        )

    def _actor(self, text: str) -> str:
        return text if text.startswith(MACHINES) else self.person(text)

    def _name(self, text: str) -> str:
        if "@" in text:
            return self.email(text)
        if PSEUDONYMS[Kind.NAME].fullmatch(text):
            return text
        return self.made(Kind.NAME, self.digits("name", name_key(text), 16))

    def _device(self, text: str) -> str:
        if PSEUDONYMS[Kind.DEVICE].fullmatch(text):
            return text
        return self.made(Kind.DEVICE, self.digits("device", text, 16))

    def _in_text(self, text: str) -> str:
        if not any(sign in text for sign in SIGNS):
            return text

        def address(match: re.Match[str]) -> str:
            return self.email(match[0].replace("%40", "@"))

        text = ADDRESS.sub(address, text)
        return PERSON_ID.sub(lambda match: self.person(match[0]), text)

    def _fields(self, text: str) -> str:
        try:
            found = json.loads(text)
        except ValueError:
            return WITHHELD
        names = sorted({self.field_name(name) for name in found}) if isinstance(found, dict) else []
        return json.dumps(dict.fromkeys(names))

    def _event(self, text: str) -> str:
        try:
            found = json.loads(text)
        except ValueError:
            return WITHHELD
        return json.dumps(self._part("", found), ensure_ascii=False, sort_keys=True)

    def _part(self, key: str, value: Any) -> Any:
        """A part of an event's JSON, under its key."""
        if isinstance(value, Mapping):
            return {self.field_name(name): self._part(name, each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._part(key, each) for each in value]
        if not isinstance(value, str) or not value.strip():
            return value
        return self._changes[_kind_of_key(key)](value) or WITHHELD


def with_texts(
    rows: pa.Table, change_of: Callable[[str], Callable[[str | None], str | None]]
) -> pa.Table:
    """The rows with each text changed as it is to be in its column; each different one once."""
    for number, column in enumerate(rows.schema):
        if _is_text(column.type):
            change = change_of(column.name)
            coded = rows.column(number).combine_chunks().dictionary_encode()
            values = [change(text) for text in coded.dictionary.to_pylist()]
            # Not as a dictionary: files would keep every value of it.
            changed = pa.array(values, column.type).take(coded.indices)
            rows = rows.set_column(number, column, changed)
    return rows


def rotated(text: str | None, keys: Sequence[str]) -> str | None:
    """The text with every pseudonym in it made anew, once with each of these further keys."""
    if not text:
        return text

    def anew(match: re.Match[str]) -> str:
        found = match[0]
        for key in keys:
            for digits in DIGITS.findall(found):
                found = found.replace(digits, _hashed(key, digits)[: len(digits)])
        return found

    return ANY_PSEUDONYM.sub(anew, text)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    return {column: value for column, value in row.items() if isinstance(value, str)}


def summed(rows: pa.Table) -> pa.Table:
    """Rows that are alike but for their numbers as one, with the sums of these."""
    kinds = {column.name: column.type for column in rows.schema}
    numbers = [
        name for name, kind in kinds.items() if pa.types.is_integer(kind) or _is_decimal(kind)
    ]
    keys = [name for name in kinds if name not in numbers]
    unknown_stays = pc.ScalarAggregateOptions(min_count=1)
    sums = rows.group_by(keys).aggregate([(name, "sum", unknown_stays) for name in numbers])
    columns = [
        sums[f"{name}_sum"].cast(kind) if name in numbers else sums[name]
        for name, kind in kinds.items()
    ]
    return pa.Table.from_arrays(columns, schema=rows.schema)


def _is_decimal(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind))


def network(address: str) -> str | None:
    """The smallest network that is routed on its own (/24, of IPv6 /48), as its first address."""
    try:
        found = ipaddress.ip_address(address.strip())
    except ValueError:
        return None
    length = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network(f"{found}/{length}", strict=False).network_address)


def _kind_of_key(key: str) -> Kind:
    """What a text of an event is, by its key."""
    name = key.lower()
    ends = {name, *(name[number + 1 :] for number, letter in enumerate(name) if letter == "_")}
    if ends & EMAIL_KEYS:
        return Kind.EMAIL
    if ends & PERSON_KEYS:
        return Kind.ACTOR
    if "ip_address" in ends or name in ("ip", "ip_addresses"):
        return Kind.NETWORK
    if "user_agent" in ends:
        return Kind.DEVICE
    is_shown = name in SHOWN_KEYS or name.endswith(SHOWN_ENDS) or name.startswith("previous_")
    return Kind.THING if is_shown or name.startswith("current_") else Kind.WORDS


def _owner(column: str) -> str:
    """Whom a column is about: `actor` of `actor__email_address`."""
    return column.rpartition("__")[0]


def _hashed(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
