"""Changes who is named in everything that is stored: other names, other pseudonyms, nobody."""

import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.closing import unpublished
from pipelines.closing.kept_closes import CHARGES, LINES, SETTINGS
from pipelines.data_dir import DataDir, write_private
from pipelines.files.outputs import replaced
from pipelines.people.columns import OF_CLAUDE, OF_OTHERS
from pipelines.people.identity import (
    Identity,
    fingerprint,
    forgotten_people,
    identity_of,
    keys_of,
    new_key,
    require_changeable,
    require_key,
)
from pipelines.people.retention import silent_people
from pipelines.project import here
from pipelines.raw_tables import create_absent_tables, make_ready, warehouse_pipeline
from pipelines.reading.wording import plural
from pipelines.registry import TABLES
from pipelines.settings import FOLDER, SECRETS, PrivacySettings, settings
from pipelines.warehouse import warehouse_of
from pipelines.warehouse.base import Change
from sources.door import FULL, NONE, PSEUDONYMOUS, Door, rotated, with_texts
from sources.errors import ForeseenError
from sources.ledger import known_columns, stored
from sources.personal import Kind
from sources.roster_versions import row_hash
from sources.typed_files.keys import name_key

CLOSES = {LINES: "closed_months", CHARGES: "closed_charges", SETTINGS: "closed_settings"}
"""Part of a close's files -> the raw table that it is a copy of."""
ROSTER_COLUMNS = {
    table.name: [*table.columns, "undeclared_fields"] for table in TABLES if table.kind == "roster"
}


@dataclass(frozen=True, kw_only=True)
class Person:
    """All that somebody is called in what is stored."""

    ids: frozenset[str]
    emails: frozenset[str]
    names: frozenset[str] = field(default_factory=frozenset)

    @property
    def words(self) -> list[str]:
        return sorted({*self.ids, *self.emails, *self.names}, key=len, reverse=True)


def apply_identity(data_dir: DataDir, now: datetime) -> str:
    """Bring what is stored into the form that `[privacy] identity` says; what was done. The caller
    holds the warehouse, and builds the marts then.

    Raises:
        ForeseenError: It cannot become that, or there is no key.
    """
    pipeline = _ready(data_dir)
    privacy, known = settings(PrivacySettings), identity_of(partial(stored, pipeline))
    keys, wanted = keys_of(privacy), privacy.identity
    if wanted == known.identity:
        return f'Everything is stored as [privacy] identity says: "{wanted}".'
    if wanted == FULL or known.identity == NONE:
        raise ForeseenError(
            f'[privacy] identity is "{wanted}", and this warehouse was loaded as '
            f'"{known.identity}".\nWhat was not stored cannot be brought back. Nothing was '
            "changed.\nLoad into a folder of its own: --data-dir FOLDER"
        )
    if wanted == PSEUDONYMOUS or known.fingerprint:
        require_key(keys, known, wanted)
    door = Door(identity=wanted, keys=keys, forgotten=forgotten_people(partial(stored, pipeline)))

    def change(table: str, rows: pa.Table) -> pa.Table:
        return door.table(table, rows) if door.asks_for(table) else rows.slice(0, 0)

    row = _identity_row(known, wanted, keys, now)
    _pass_all(data_dir, change, [("identities", row)], door.text)
    return f'Everything that was stored is "{wanted}" now.'


def rotate_key(data_dir: DataDir, now: datetime) -> str:
    """Give everybody another pseudonym, which only the earlier keys and a new one together make;
    what was done.

    Raises:
        ForeseenError: There is no key, or it does not stand in the file of secrets.
    """
    pipeline = _ready(data_dir)
    privacy, known = settings(PrivacySettings), identity_of(partial(stored, pipeline))
    keys = keys_of(privacy)
    if not known.fingerprint:
        raise ForeseenError(
            "No identity key was ever used in this warehouse, so there is none to rotate.\n"
            "Nothing was changed."
        )
    pending: list[str] = []
    for count in range(1, len(keys)):
        if known.has(keys[:count]):
            keys, pending = keys[:count], keys[count:]
            break
    require_key(keys, known, known.identity)
    if not pending:
        pending = [new_key()]
        _write_keys(keys, [*keys, *pending])

    def change(table: str, rows: pa.Table) -> pa.Table:
        return with_texts(rows, lambda _: lambda text: rotated(text, pending))

    row = _identity_row(known, known.identity, [*keys, *pending], now)
    _pass_all(data_dir, change, [("identities", row)], lambda text: rotated(text, pending) or "")
    return (
        "Everybody has another pseudonym now. identity_key in .dlt/secrets.toml is the earlier "
        "key and the new one:\nkeep a copy of it; an earlier export does not join any more."
    )


def forget_person(data_dir: DataDir, who: str, now: datetime) -> str:
    """Take a person out of everything that is stored; counts and money stay. What was done.

    Raises:
        ForeseenError: There is no key, nobody is called so, or several are.
    """
    pipeline = _ready(data_dir)
    privacy, known = settings(PrivacySettings), identity_of(partial(stored, pipeline))
    keys = keys_of(privacy)
    if not keys:
        raise ForeseenError(
            "To forget somebody, a mark has to be kept by which the next answer about them is "
            "known and left out;\nwithout [privacy] identity_key anybody could read it. Nothing "
            "was changed.\nSet identity_key first: claude-warehouse init writes one into a new "
            "folder's .dlt/secrets.toml."
        )
    require_key(keys, known, PSEUDONYMOUS)
    plain = Door(identity=known.identity, keys=keys)
    person = found_person(pipeline, plain, who)
    marks = {
        **{
            plain.person(each): plain.made(Kind.PERSON, secrets.token_hex(16))
            for each in person.ids
        },
        **{
            plain.email(each): plain.made(Kind.EMAIL, secrets.token_hex(16))
            for each in person.emails
        },
    }
    instead_of = {word: "(forgotten)" for word in person.words}
    _name_no_longer(data_dir, pipeline, plain, marks, instead_of, "asked", now)
    return (
        f"Forgotten: {len(person.ids)} ids and {len(person.emails)} addresses of one person, in "
        "every version. Counts and money stay.\n"
        "What was written elsewhere before is yours to see to: exports, reports, evidence,\n"
        "backups, copies of the served file, and the reference files that name the person."
    )


def keep_people(data_dir: DataDir, today: date, now: datetime) -> str:
    """Give those a pseudonym of whom nothing was heard for `[privacy] keep_people_days`; what was
    done, blank if nothing was. The caller holds the warehouse, and builds the marts then.

    Raises:
        ForeseenError: There is no key.
    """
    privacy = settings(PrivacySettings)
    days, keys = privacy.keep_people_days, keys_of(privacy)
    if days is None or privacy.identity != FULL:
        return ""
    pipeline = _ready(data_dir)
    require_key(keys, identity_of(partial(stored, pipeline)), FULL)
    silent = silent_people(pipeline, today, days)
    if not silent:
        return ""
    plain = Door(identity=FULL, keys=keys)
    marks = {
        **{name: name for name in map(plain.person, silent.ids)},
        **{name: name for name in map(plain.email, silent.emails)},
    }
    instead_of = {
        **{each: plain.person(each) for each in silent.ids},
        **{each: plain.email(each) for each in silent.emails},
    }
    _name_no_longer(data_dir, pipeline, plain, marks, instead_of, "keep_people_days", now)
    return (
        f"{plural(max(len(silent.ids), len(silent.emails)), 'person', 'people')} of whom nothing "
        f"was heard for {days} days became pseudonyms, in every version. Counts and money stay."
    )


def _name_no_longer(
    data_dir: DataDir,
    pipeline: dlt.Pipeline,
    plain: Door,
    marks: Mapping[str, str],
    instead_of: Mapping[str, str],
    reason: str,
    now: datetime,
) -> None:
    """Put something else in the place of people wherever they stand, and keep the marks by which
    they are known when somebody names them again."""
    ask = partial(stored, pipeline)
    known, earlier = identity_of(ask), forgotten_people(ask)
    added = [
        (
            "forgotten_people",
            {"known_by": mark, "stands_for": instead, "reason": reason, "since": now},
        )
        for mark, instead in marks.items()
        if earlier.get(mark, mark) == mark
    ]
    if not known.fingerprint:
        added.append(("identities", _identity_row(known, known.identity, plain.keys, now)))
    door = replace(plain, identity=FULL, forgotten={**earlier, **marks})
    _pass_all(data_dir, door.table, added, lambda text: _without(text, instead_of))


def found_person(pipeline: dlt.Pipeline, door: Door, who: str) -> Person:
    """All that one person is called: by an id, or an address that only one ever had.

    Raises:
        ForeseenError: Nobody is, or several are.
    """
    who = who.strip()
    of_claude = _called(pipeline, OF_CLAUDE)
    of_others = _called(pipeline, OF_OTHERS)
    if door.identity == PSEUDONYMOUS:
        who = door.email(who) if "@" in who else door.person(who)
    key = name_key(who)
    ids = {
        each for each, email, _ in of_claude if each == who or (email and name_key(email) == key)
    }
    if "@" in who and len(ids - {None}) > 1:
        raise ForeseenError(
            f"Several people had that address: {', '.join(sorted(filter(None, ids)))}.\n"
            "Nothing was changed.\nName one of them by the id: claude-warehouse forget-person ID"
        )
    ids = {each for each in ids if each}
    emails = {name_key(email) for each, email, _ in of_claude if each in ids and email}
    # An address that was given to somebody else names that one.
    emails -= {
        name_key(email) for each, email, _ in of_claude if email and each and each not in ids
    }
    if "@" in who:
        emails.add(key)
    others = {each for each, email, _ in of_others if each and email and name_key(email) in emails}
    others |= {each for each, _, _ in of_others if each == who}
    found = [
        row
        for row in (*of_claude, *of_others)
        if row[0] in ids | others or (row[1] and name_key(row[1]) in emails)
    ]
    if not found and not _is_in_files(pipeline, emails):
        raise ForeseenError(
            "Nobody of that address or id is in what is stored, under that name.\n"
            "Nothing was changed.\nAn address may have been another one before: try the id."
        )
    spelled = {row[1] for row in found if row[1] and name_key(row[1]) in emails}
    called = {*ids, *(each for each in others if each)}
    return Person(
        ids=frozenset(each for each in called if each),
        emails=frozenset(spelled | emails),
        names=frozenset(row[2] for row in found if row[2] and (row[0] in ids | others)),
    )


def reveal(text: str, emails: Iterable[str], keys: Sequence[str]) -> tuple[str, int]:
    """The text with the addresses instead of their pseudonyms, and how many people it names."""
    door = Door(identity=PSEUDONYMOUS, keys=keys)
    count = 0
    for email in emails:
        pseudonym = door.email(email)
        if pseudonym in text:
            text = text.replace(pseudonym, email)
            count += 1
    return text, count


def _ready(data_dir: DataDir) -> dlt.Pipeline:
    require_changeable(warehouse_of(data_dir))
    pipeline = warehouse_pipeline(data_dir)
    make_ready(pipeline)
    pipeline.sync_destination()
    create_absent_tables(pipeline)
    return pipeline


def _identity_row(
    known: Identity, identity: str, keys: Sequence[str], now: datetime
) -> dict[str, Any]:
    salt = secrets.token_hex(16)
    return {
        "identity_number": known.number + 1,
        "identity": identity,
        "salt": salt,
        "key_fingerprint": fingerprint(keys, salt) if keys else "",
        "since": now,
    }


def _pass_all(
    data_dir: DataDir,
    change: Change,
    rows: Sequence[tuple[str, dict[str, Any]]],
    of_text: Callable[[str], str],
) -> None:
    """Change everything in the folder that may name people: the raw tables at once, then the files
    beside them. What was built is dropped."""

    def with_hashes(table: str, before: pa.Table) -> pa.Table:
        if table == "name_keys":
            return before.slice(0, 0)  # Made anew from the names that there are then.
        after = change(table, before)
        return _hashed_anew(table, after) if table in ROSTER_COLUMNS else after

    for file in sorted(data_dir.closed_months.glob("*.parquet")):
        table = CLOSES[file.name.split(".")[-2]]
        copy = change(table, pq.read_table(file))
        with replaced(file, "A copy of the close") as new:
            pq.write_table(copy, new, compression="zstd")
    warehouse_of(data_dir).pass_through(with_hashes, rows)
    for table, waiting in unpublished.kept(data_dir).items():
        file = data_dir.unpublished / f"{table}.json"
        file.write_text(of_text(json.dumps([*waiting], ensure_ascii=False)), "utf-8")
    for file in (
        data_dir.runs,
        data_dir.last_run,
        data_dir.last_state,
        data_dir.root / "errors.log",
    ):
        with suppress(OSError):
            text = file.read_text("utf-8")
            if (changed := of_text(text)) != text:
                write_private(file, changed)
    shutil.rmtree(data_dir.root / "dbt", ignore_errors=True)
    data_dir.served.with_name(f"{data_dir.served.name}.kept").unlink(missing_ok=True)


def _hashed_anew(table: str, rows: pa.Table) -> pa.Table:
    """A roster's rows with the hashes of what they say now; changes that end one have them too."""
    columns = [name for name in ROSTER_COLUMNS[table] if name in rows.column_names]
    anew = {
        row["row_hash"]: row_hash({name: row[name] for name in columns})
        for row in rows.to_pylist()
        if not row["is_gone"]
    }
    hashes = [anew.get(each, each) for each in rows["row_hash"].to_pylist()]
    place = rows.schema.get_field_index("row_hash")
    field_of = rows.schema.field(place)
    return rows.set_column(place, field_of, pa.array(hashes, field_of.type))


def _called(
    pipeline: dlt.Pipeline, tables: Mapping[str, tuple[str, str, str | None]]
) -> list[tuple[str | None, str | None, str | None]]:
    """Each different id, address and name that stand in one row."""
    known = known_columns(pipeline)
    queries = [
        f"select distinct {person}, {email}, {name or 'null'} from {table}"
        for table, (person, email, name) in tables.items()
        if table in known and {person, email} <= known[table]
    ]
    if not queries:
        return []
    query = f"select * from ({' union '.join(queries)}) as called (person_id, email, name)"
    return [(row["person_id"], row["email"], row["name"]) for row in stored(pipeline, query)]


def _is_in_files(pipeline: dlt.Pipeline, emails: Iterable[str]) -> bool:
    """Whether a file that people type has one of these addresses."""
    known, keys = known_columns(pipeline), set(emails)
    tables = [("org_chart", "email"), ("exempt_seats", "email"), ("access_reviews", "email")]
    return any(
        name_key(row["email"] or "") in keys
        for table, column in [*tables, ("invites", "email")]
        if column in known.get(table, ())
        for row in stored(pipeline, f"select distinct {column} as email from {table}")
    )


def _without(text: str, instead_of: Mapping[str, str]) -> str:
    """The text without these words, in any case; whole ones, not parts of others."""
    for word, instead in instead_of.items():
        text = re.sub(rf"(?<![\w.]){re.escape(word)}(?![\w])", instead, text, flags=re.IGNORECASE)
    return text


def _write_keys(before: Sequence[str], after: Sequence[str]) -> None:
    """Put the keys into the file of secrets, where the earlier ones stand.

    Raises:
        ForeseenError: They do not stand there once.
    """
    file = here() / FOLDER / SECRETS
    earlier = settings(PrivacySettings).identity_key or ""
    with suppress(OSError):
        text = file.read_text("utf-8")
        if text.count(f'"{earlier}"') == 1 and keys_of(settings(PrivacySettings)) == [*before]:
            write_private(file, text.replace(f'"{earlier}"', f'"{" ".join(after)}"'))
            return
    raise ForeseenError(
        f"The new key is written beside the earlier one, into {file},\n"
        "and identity_key does not stand there, in quotation marks. Nothing was changed.\n"
        "Put it there for this command (it may be taken away again), then run this again."
    )
