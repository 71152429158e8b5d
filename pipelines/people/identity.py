"""Whether people are named in this warehouse, and by which key they are not: `[privacy]`.

The raw table identities remembers what the warehouse was loaded with, so that a key that changed
is noticed: everybody would become somebody else. Of a key it keeps a hash that cannot be reversed.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import dlt

from pipelines.settings import PrivacySettings, settings
from pipelines.warehouse.base import Warehouse
from sources.door import FULL, NONE, PSEUDONYMOUS, Door
from sources.errors import ForeseenError
from sources.hints import typed_columns
from sources.ledger import COMPLETE, Ask, highest_number, store, stored

KEY_VARIABLE = "PRIVACY__IDENTITY_KEY"
SHORTEST_KEY = 32
NEWEST = f"""
    select * from claude_raw.identities where {COMPLETE} order by identity_number desc limit 1
"""
FORGOTTEN = f"select * from claude_raw.forgotten_people where {COMPLETE} order by since"
NO_KEY = (
    f"Put identity_key into [privacy] of .dlt/secrets.toml, or set {KEY_VARIABLE}: a secret of at "
    f"least {SHORTEST_KEY}\ncharacters, such as claude-warehouse init writes into a new folder "
    "(or: openssl rand -hex 32). Keep a copy of it:\nwithout it the same people are strangers."
)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a warehouse was loaded with."""

    number: int = 0
    identity: str = FULL
    salt: str = ""
    fingerprint: str = ""

    def has(self, keys: Sequence[str]) -> bool:
        """Its pseudonyms are made with these keys."""
        return fingerprint(keys, self.salt) == self.fingerprint


def new_key() -> str:
    return secrets.token_hex(32)


def keys_of(privacy: PrivacySettings) -> list[str]:
    """The identity key, and those that it was rotated to, oldest first."""
    return re.split(r"[\s,]+", key) if (key := (privacy.identity_key or "").strip()) else []


def fingerprint(keys: Sequence[str], salt: str) -> str:
    """A hash of the keys that takes long to make, so that nobody finds them by trying."""
    text = "\n".join(keys).encode()
    return hashlib.scrypt(text, salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=16).hex()


def identity_of(ask: Ask) -> Identity:
    """What the warehouse was loaded with last; names, where nothing else was ever said."""
    rows = ask(NEWEST)
    if not rows:
        return Identity()
    [row] = rows
    return Identity(
        number=row["identity_number"],
        identity=row["identity"],
        salt=row["salt"],
        fingerprint=row["key_fingerprint"],
    )


def forgotten_people(ask: Ask) -> dict[str, str]:
    """Pseudonym of whom nothing may be stored -> what stands in its place."""
    return {row["known_by"]: row["stands_for"] for row in ask(FORGOTTEN)}


def door_of(pipeline: dlt.Pipeline, now: datetime) -> Door:
    """What of people may be stored, by the settings and by what is stored already.

    Raises:
        ForeseenError: The settings contradict what is stored.
    """
    privacy, ask = settings(PrivacySettings), partial(stored, pipeline)
    known, forgotten = identity_of(ask), forgotten_people(ask)
    keys, wanted = keys_of(privacy), privacy.identity
    require_needed_key(privacy, known, has_forgotten=bool(forgotten))
    if wanted != known.identity:
        _require_change(pipeline, known.identity, wanted)
        keep_identity(pipeline, known, wanted, keys, now)
    return Door(identity=wanted, keys=keys, forgotten=forgotten)


def require_needed_key(privacy: PrivacySettings, known: Identity, *, has_forgotten: bool) -> None:
    """See that the key is there wherever people are, or were, or will be named by it.

    Raises:
        ForeseenError: It is not, or it is another one.
    """
    is_needed = privacy.identity == PSEUDONYMOUS or privacy.keep_people_days is not None
    if is_needed or has_forgotten:
        require_key(keys_of(privacy), known, privacy.identity)


def require_key(keys: Sequence[str], known: Identity, identity: str) -> None:
    """See that the key is there, and the one that made what is stored.

    Raises:
        ForeseenError: It is not.
    """
    if not keys:
        what = (
            f'[privacy] identity is "{identity}", and there is no identity_key.'
            if identity == PSEUDONYMOUS
            else "People become pseudonyms here (forget-person, [privacy] keep_people_days), and "
            "without the identity_key nobody knows whom."
        )
        raise ForeseenError(f"{what}\nNothing was loaded. {NO_KEY}")
    if not known.fingerprint or known.has(keys):
        return
    if any(known.has(keys[:count]) for count in range(1, len(keys))):
        raise ForeseenError(
            "The identity key was being rotated, and that did not end.\n"
            "What is stored still has the pseudonyms of before; nothing was loaded.\n"
            "Run: claude-warehouse rotate-identity-key"
        )
    raise ForeseenError(
        "[privacy] identity_key is not the key that this warehouse was loaded with.\n"
        "With another one everybody would become somebody else, and nobody's days would join: "
        "nothing was loaded.\n"
        "Put the earlier key back. To have another one from now on, do that, and then run: "
        "claude-warehouse rotate-identity-key"
    )


def require_changeable(warehouse: Warehouse) -> None:
    """See that who is named in what is stored can be changed.

    Raises:
        ForeseenError: It cannot.
    """
    if not warehouse.abilities.passes_through:
        raise ForeseenError(
            "Who is named in a warehouse on a server cannot be changed once it is loaded.\n"
            "Nothing was changed.\n"
            "Load into a DuckDB file, or into a fresh schema with the [privacy] identity wanted, "
            "and leave keep_people_days unset."
        )


def _require_change(pipeline: dlt.Pipeline, stored_as: str, wanted: str) -> None:
    """See that the warehouse may become one of this kind without a word of its owner."""
    if not highest_number(pipeline):
        return
    if wanted == FULL or (stored_as, wanted) == (NONE, PSEUDONYMOUS):
        raise ForeseenError(
            f'[privacy] identity is "{wanted}", and this warehouse was loaded as "{stored_as}".\n'
            "What was not stored cannot be brought back: the same people would be there twice.\n"
            f'Set identity to "{stored_as}" again, or load into a folder of its own (--data-dir).'
        )
    raise ForeseenError(
        f'[privacy] identity is "{wanted}", and this warehouse was loaded as "{stored_as}".\n'
        "Nothing was loaded: what is stored already would go on to name people.\n"
        "To take the names out of everything that is stored, which cannot be undone, run: "
        "claude-warehouse apply-identity"
    )


def keep_identity(
    pipeline: dlt.Pipeline, known: Identity, identity: str, keys: Sequence[str], now: datetime
) -> None:
    """Remember what the warehouse is loaded with from now on."""
    from pipelines.raw_tables import name_schema  # It makes this table, too.

    name_schema(pipeline)
    salt = secrets.token_hex(16)
    row = {
        "identity_number": known.number + 1,
        "identity": identity,
        "salt": salt,
        "key_fingerprint": fingerprint(keys, salt) if keys else "",
        "since": now,
    }
    store(pipeline, identity_rows([row]))


@dlt.resource(
    name="identities",
    write_disposition="append",
    columns=typed_columns(
        identity_number="bigint",
        identity="text",
        salt="text",
        key_fingerprint="text",
        since="timestamp",
    ),
)
def identity_rows(rows: Sequence[Mapping[str, Any]] = ()) -> Iterator[Any]:
    """One row per identity and key that the warehouse was loaded with, from when on."""
    yield dlt.mark.materialize_table_schema()
    yield list(rows)


@dlt.resource(
    name="forgotten_people",
    write_disposition="append",
    columns=typed_columns(known_by="text", stands_for="text", reason="text", since="timestamp"),
)
def forgotten_rows(rows: Sequence[Mapping[str, Any]] = ()) -> Iterator[Any]:
    """One row per address and id of somebody who was forgotten: its pseudonym, and what stands in
    its place wherever the person would be named."""
    yield dlt.mark.materialize_table_schema()
    yield list(rows)
