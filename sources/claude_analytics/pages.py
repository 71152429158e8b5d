"""A page of the API's JSON as Arrow columns, without a Python object per row."""

import codecs
import functools
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from sources.claude_analytics.endpoints import (
    CENTS,
    COUNT,
    DATE,
    PERCENT,
    TEXT,
    TIMESTAMP,
    Columns,
    Endpoint,
)
from sources.errors import NotJson

OWN_COLUMNS = (
    pa.field("undeclared_fields", TEXT),
    pa.field("activity_date", pa.date32(), nullable=False),
)
"""What we add to every row."""

ENVELOPE = (
    ("next_page", TEXT),
    ("has_more", pa.bool_()),
    ("data_refreshed_at", TEXT),
    ("organization_id", TEXT),
)
"""What stands beside the rows."""


class MissingList(Exception):
    """The body is JSON, but its list of rows is absent or null. That is not an empty day."""


class ForeignCurrency(Exception):
    """An amount is in another currency than US dollars; every sum would be wrong."""


@dataclass(frozen=True)
class RejectedRow:
    """A row that could not be read: which day's, why, and its JSON."""

    day: date
    reason: str
    row_json: str


@dataclass(frozen=True)
class Page:
    """One page: its readable rows with their day, the others, and where the next page is.

    Attributes:
        place: `next_page` and `has_more` as the API says them, whatever they are; those that it
            leaves out are not there.
        data_refreshed_at: Until when the rows are complete; None where the API does not say.
        days: Those that it has an entry for, with rows or without; only of an endpoint with
            `unnest`.
    """

    rows: pa.Table
    rejected: list[RejectedRow] = field(default_factory=list)
    undeclared: frozenset[str] = frozenset()
    place: Mapping[str, Any] = field(default_factory=dict)
    data_refreshed_at: datetime | None = None
    days: frozenset[date] = frozenset()


@functools.cache
def raw_schema(endpoint: Endpoint) -> pa.Schema:
    """The columns of a day's rows: what the endpoint declares, and our own."""
    return pa.schema([*endpoint.columns.items(), *OWN_COLUMNS])


def page_of_body(endpoint: Endpoint, body: bytes, day: date) -> Page:
    """Rows of one response body. `day` is theirs, unless the endpoint has a `day_column`.

    Raises:
        NotJson: The body is no complete JSON object, for example cut off, or HTML.
        MissingList: There is no list of rows in it.
        ForeignCurrency: An amount is not in US dollars.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    # pyarrow crashes on a lone `null`, and takes bytes that are no UTF-8 as they come.
    if not body.lstrip().startswith(b"{"):
        _parsed(body)
        raise MissingList
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise NotJson from error
    if endpoint.as_json:
        body = _with_json(endpoint, endpoint.as_json, body)
    if endpoint.unnest:
        body, days = _unnested(endpoint, endpoint.unnest, body)
        return replace(_page(endpoint, body, day), days=days)
    return _page(endpoint, body, day)


def _page(endpoint: Endpoint, body: bytes, day: date) -> Page:
    try:
        rows, envelope = _entries(endpoint, body)
        if rows.null_count:
            return _page_by_rows(endpoint, body, day)
        return Page(rows=_table(endpoint, rows, day), **_beside_rows(envelope))
    except pa.ArrowInvalid:
        return _page_by_rows(endpoint, body, day)


def rows_hash(endpoint: Endpoint, rows: pa.Table) -> str:
    """A hash of a day's rows that does not depend on their order or on how pages cut them.

    Columns without a value do not count, so that declaring a new field changes no hash.
    """
    filled = [name for name in rows.column_names if rows[name].null_count < len(rows)]
    digest = hashlib.blake2b(digest_size=16)
    if filled:
        key = [name for name in endpoint.key if name in filled]
        distinct = rows.group_by(key).aggregate([]).num_rows if key else 0
        order = key if distinct == len(rows) else [*key, *sorted(set(filled) - set(key))]
        canonical = rows.select(sorted(filled)).sort_by([(name, "ascending") for name in order])
        for name in canonical.column_names:
            digest.update(name.encode())
            for part in _bytes_of(canonical[name].combine_chunks()):
                digest.update(part)
    return digest.hexdigest()


def rejected_hash(rows: Sequence[RejectedRow]) -> str | None:
    """A hash of a day's rows that could not be read, whatever their order; None without any."""
    texts = sorted(f"{row.reason}\n{row.row_json}" for row in rows)
    digest = hashlib.blake2b("\0".join(texts).encode("utf-8", "replace"), digest_size=16)
    return digest.hexdigest() if texts else None


def _bytes_of(column: pa.Array) -> Iterator[memoryview]:
    """The same bytes for the same values, whatever lies under a null or behind a buffer's end."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if column.null_count:
        yield memoryview(column.is_null().cast(pa.int8()).buffers()[1])[: len(column)]
        column = column.fill_null(pa.scalar("" if column.type == TEXT else 0, column.type))
    if column.type == TEXT:
        _, offsets, text = column.buffers()
        yield memoryview(offsets)[: 4 * (len(column) + 1)]
        if text is not None:
            yield memoryview(text)[: pc.sum(pc.binary_length(column)).as_py()]
    else:
        yield memoryview(column.buffers()[1])[: len(column) * column.type.bit_width // 8]


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        raise NotJson from None


def _unnested(endpoint: Endpoint, name: str, body: bytes) -> tuple[bytes, frozenset[date]]:
    """The body with the entries of each item's list as rows, beside what the item itself says; and
    the days of the items."""
    answer = _parsed(body)
    items = next((answer[key] for key in endpoint.items if answer.get(key) is not None), None)
    if not isinstance(items, list):
        raise MissingList
    rows: list[Any] = []
    days: set[date] = set()
    for item in items:
        entries = item.get(name) if isinstance(item, dict) else None
        if not isinstance(entries, list):
            raise MissingList
        with suppress(ValueError):
            days.add(date.fromisoformat(str(item.get(endpoint.day_column))[:10]))
        shared = {key: value for key, value in item.items() if key != name}
        rows += [shared | row if isinstance(row, dict) else row for row in entries]
    return json.dumps({**answer, endpoint.items[0]: rows}).encode(), frozenset(days)


def _with_json(endpoint: Endpoint, name: str, body: bytes) -> bytes:
    """The body with that list of each row as a text."""
    answer = _parsed(body)
    rows = next((answer[key] for key in endpoint.items if answer.get(key) is not None), None)
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get(name), list):
            row[name] = json.dumps(row[name], sort_keys=True)
    return json.dumps(answer).encode()


def _beside_rows(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Whether and where there is more, and the moment of the data, of what stands beside the rows.

    Raises:
        NotJson: The moment is none.
    """
    refreshed_at = envelope.get("data_refreshed_at")
    try:
        moment = None if refreshed_at is None else datetime.fromisoformat(refreshed_at)
        if moment is not None:
            moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise NotJson from None
    place = {name: envelope[name] for name in ("next_page", "has_more") if name in envelope}
    return {"place": place, "data_refreshed_at": moment}


def _entries(endpoint: Endpoint, body: bytes) -> tuple[pa.StructArray, Mapping[str, Any]]:
    """The page's rows as nested Arrow, and what stands beside them.

    Raises:
        pa.ArrowInvalid: A field is undeclared, or of another type.
    """
    table = pyarrow.json.read_json(
        io.BytesIO(body),
        # One JSON object cannot be cut into blocks, so one block must hold it.
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(body) + 1),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=_body_schema(endpoint), unexpected_field_behavior="error"
        ),
    )
    if table.num_rows != 1:
        raise NotJson
    for key in endpoint.items:
        lists = table[key].combine_chunks()
        # pyarrow reads a missing list as an empty one; only its validity tells them apart.
        if lists.is_valid()[0].as_py():
            found = {name: table[name][0].as_py() for name, _ in ENVELOPE}
            # pyarrow reads an absent value as a null; only the text tells them apart.
            return lists.flatten(), {
                name: value
                for name, value in found.items()
                if value is not None or f'"{name}"'.encode() in body
            }
    raise MissingList


def _table(endpoint: Endpoint, rows: pa.StructArray, day: date) -> pa.Table:
    """Nested rows as the flat raw table, text cast to the declared types."""
    table = pa.Table.from_struct_array(rows)
    while any(pa.types.is_struct(column.type) for column in table.schema):
        # flatten() joins nested names with a dot.
        table = table.flatten()
    table = table.rename_columns([name.replace(".", "__") for name in table.column_names])
    columns = {}
    for name, kind in endpoint.columns.items():
        column = table[name]
        for older, newer in endpoint.older_names.items():
            if newer == name:
                column = pc.coalesce(column, table[older])
        columns[name] = column if column.type == kind else _typed(name, column, kind)
    count = len(rows)
    columns["undeclared_fields"] = pa.nulls(count, TEXT)
    if endpoint.day_column:
        columns["activity_date"] = columns[endpoint.day_column].cast(pa.date32())
        if columns["activity_date"].null_count:
            raise pa.ArrowInvalid(f"{endpoint.day_column} is null")
    else:
        columns["activity_date"] = pa.repeat(pa.scalar(day, pa.date32()), count)
    for name in columns.keys() & {"currency", "cost__currency"}:
        foreign = set(columns[name].unique().to_pylist()) - {None, "USD"}
        if foreign:
            raise ForeignCurrency(", ".join(sorted(foreign)))
    return pa.table(columns, schema=raw_schema(endpoint))


def _typed(name: str, column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Text as its declared type; digits of a moment below the microsecond are cut off."""
    try:
        if pa.types.is_timestamp(kind):
            return column.cast(pa.timestamp("ns", tz="UTC")).cast(kind, safe=False)
        return column.cast(kind)
    except pa.ArrowInvalid as error:
        raise pa.ArrowInvalid(f"{name} is not {_KIND_NAMES[kind]}: {error}") from None


def _page_by_rows(endpoint: Endpoint, body: bytes, day: date) -> Page:
    """The same page read in Python, for a page with a bad row or an undeclared field."""
    answer = _parsed(body)
    entries = next((answer[key] for key in endpoint.items if answer.get(key) is not None), None)
    if not isinstance(entries, list):
        raise MissingList
    rejected, readable = [], []
    for entry in entries:
        declared: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        if reason := _sort_fields(entry, _declared_tree(endpoint), declared, extra):
            rejected.append(_rejected(endpoint, entry, day, reason))
        else:
            readable.append(_Row(entry, declared, extra))
    tables = [raw_schema(endpoint).empty_table()]
    _read_halves(endpoint, readable, day, tables, rejected)
    return Page(
        rows=pa.concat_tables(tables),
        rejected=rejected,
        undeclared=frozenset(name for row in readable for name in row.extra),
        **_beside_rows(answer),
    )


@dataclass(frozen=True)
class _Row:
    """A row as it came, its declared fields (still nested), and the others by flat name."""

    entry: dict[str, Any]
    declared: dict[str, Any]
    extra: dict[str, Any]


def _sort_fields(
    entry: Any, kind: Any, declared: dict[str, Any], extra: dict[str, Any], prefix: str = ""
) -> str | None:
    """Fill in a row's declared fields, nested, and the others by flat name; why not, if not."""
    if not isinstance(entry, dict):
        return f"{prefix.removesuffix('__') or 'the row'} is {_json_name(entry)}, not an object"
    for name, value in entry.items():
        expected = kind.get(name)
        if expected is None:
            extra[prefix + name] = value
        elif value is None:
            declared[name] = None
        elif isinstance(expected, dict):
            declared[name] = {}
            inner = _sort_fields(value, expected, declared[name], extra, f"{prefix}{name}__")
            if inner:
                return inner
        elif not _fits(value, _json_type(expected)):
            return f"{prefix}{name} is {_json_name(value)}, not {_KIND_NAMES[expected]}"
        else:
            declared[name] = value
    return None


def _fits(value: Any, kind: pa.DataType) -> bool:
    if isinstance(value, bool):
        return bool(kind == pa.bool_())
    if kind == pa.int64():
        return isinstance(value, int) and -(2**63) <= value < 2**63
    return isinstance(value, str if kind == TEXT else (int, float))


def _json_name(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "null")


_KIND_NAMES = {
    TEXT: "text",
    COUNT: "a whole number",
    PERCENT: "a number",
    DATE: "a date",
    TIMESTAMP: "a moment",
    CENTS: "a decimal in text",
    pa.bool_(): "true or false",
}


def _read_halves(
    endpoint: Endpoint,
    rows: Sequence[_Row],
    day: date,
    tables: list[pa.Table],
    rejected: list[RejectedRow],
) -> None:
    """Read the rows; where a text is no date, moment or decimal, halve until it is found."""
    if not rows:
        return
    try:
        tables.append(_table_of_rows(endpoint, rows, day))
    except pa.ArrowInvalid as error:
        if len(rows) > 1:
            middle = len(rows) // 2
            _read_halves(endpoint, rows[:middle], day, tables, rejected)
            _read_halves(endpoint, rows[middle:], day, tables, rejected)
        else:
            rejected.append(_rejected(endpoint, rows[0].entry, day, str(error)))


def _rejected(endpoint: Endpoint, entry: Any, day: date, reason: str) -> RejectedRow:
    if endpoint.day_column:
        # Without a readable day of its own, it stays with the first one that was asked for.
        with suppress(ValueError, TypeError, KeyError):
            day = date.fromisoformat(entry[endpoint.day_column][:10])
    return RejectedRow(day, reason, json.dumps(entry))


def _table_of_rows(endpoint: Endpoint, rows: Sequence[_Row], day: date) -> pa.Table:
    body = json.dumps({endpoint.items[0]: [row.declared for row in rows]}).encode()
    entries, _ = _entries(endpoint, body)
    table = _table(endpoint, entries, day)
    texts = [json.dumps(row.extra, sort_keys=True) if row.extra else None for row in rows]
    position = table.schema.get_field_index("undeclared_fields")
    return table.set_column(position, OWN_COLUMNS[0], pa.array(texts, TEXT))


@functools.cache
def _declared_tree(endpoint: Endpoint) -> dict[str, Any]:
    """The endpoint's columns, the names that older editions use, and what is left out, nested as in
    the JSON."""
    tree: dict[str, Any] = {}
    older = {name: endpoint.columns[newer] for name, newer in endpoint.older_names.items()}
    older |= dict.fromkeys(endpoint.left_out, TEXT)
    columns: Columns = {**endpoint.columns, **older}
    for column, kind in columns.items():
        *parents, leaf = column.split("__")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = kind
    return tree


@functools.cache
def _row_type(endpoint: Endpoint) -> pa.StructType:
    def struct(tree: Mapping[str, Any]) -> pa.StructType:
        return pa.struct(
            [
                (name, struct(kind) if isinstance(kind, dict) else _json_type(kind))
                for name, kind in tree.items()
            ]
        )

    return struct(_declared_tree(endpoint))


def _json_type(kind: pa.DataType) -> pa.DataType:
    """The JSON type that a declared type arrives as: dates, moments and money are text."""
    return kind if kind in (pa.int64(), pa.float64(), pa.bool_()) else TEXT


@functools.cache
def _body_schema(endpoint: Endpoint) -> pa.Schema:
    rows = pa.list_(_row_type(endpoint))
    return pa.schema([*((key, rows) for key in endpoint.items), *ENVELOPE])
