"""Reads a reference file, or says in which lines and columns it is wrong."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from sources.errors import ForeseenError
from sources.reference_files.cells import NotMeant, Value, meant
from sources.reference_files.files import BY_TABLE, WORDS, ReferenceFile
from sources.regular import regular_bytes
from sources.typed_files.keys import name_key, shown_name
from sources.typed_files.records import (
    TOTALS,
    BrokenLine,
    NoTable,
    Record,
    Table,
    read_table,
)

SHOWN_PROBLEMS = 10
SHOWN_CHARACTERS = 40

Row = dict[str, Value | None]


class Spelling(NamedTuple):
    """A name as somebody wrote it, how it is shown, and the day from which its line counts."""

    since: date
    shown: str
    written: str


Names = Mapping[tuple[str, str], Sequence[Spelling]]
"""What is named, and its key -> how it is written, line by line."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A reference file as it will be loaded, and what its owner should know about it."""

    rows: pa.Table
    warnings: tuple[str, ...] = ()
    names: Names = field(default_factory=dict)


class Problem(NamedTuple):
    """What is wrong, and where."""

    line: int
    column: str | None
    text: str


def read(file: ReferenceFile, path: str | Path | None) -> Contents:
    """The rows of a reference file, in its order; none if there is no path.

    Cells are trimmed, blank ones null. Blank rows, rows that only repeat another, and the example
    are left out.

    Raises:
        ForeseenError: The file is not there, is no table, lacks a column, or holds rows that cannot
            be used. The message names their lines and columns.
    """
    if not path:
        return Contents(rows=_table(file, []))
    path = Path(path)
    try:
        content = regular_bytes(path)
    except OSError as error:
        raise ForeseenError(
            f"The reference file {path} cannot be read: {error.strerror}.\n"
            f"It is the setting [sources.reference_files] {file.table}; a relative path starts at "
            "the project's folder, which holds .dlt.\n"
            "Correct the setting, or remove it and confirm that with claude-warehouse accept "
            f"{file.table}."
        ) from error
    try:
        table = read_table(content, lambda cells: _known(file, cells), ansi=False)
    except NoTable as problem:
        raise _refusal(file, path, [str(problem)]) from problem
    columns = _columns(file, path, table)
    records = _records(table, columns)
    rows, names, problems = _rows(file, table, columns, records)
    if problems:
        problems.sort(key=lambda problem: problem.line)
        shown = [_described(problem) for problem in problems[:SHOWN_PROBLEMS]]
        raise _refusal(file, path, shown, more=len(problems) - len(shown))
    warnings = []
    if ignored := [repr(name) for name in columns if name and name not in file.columns]:
        warnings.append(f"{path}: {file.table} does not use these columns: {', '.join(ignored)}.")
    if not records:
        warnings.append(f"{path}: there are no rows below the first line.")
    contents = Contents(
        rows=_table(file, list(rows.values())), warnings=tuple(warnings), names=names
    )
    return in_one_spelling({file.table: contents})[file.table]


def loaded_before(file: ReferenceFile, rows: Iterable[Mapping[str, object]]) -> Contents:
    """Rows of a file's table, as if the file said them again; a value may be its text."""
    schema = _table(file, []).schema
    texts = [
        {name: None if row.get(name) is None else str(row[name]) for name in schema.names}
        for row in rows
    ]
    as_text = pa.schema([(name, pa.string()) for name in schema.names])
    found = pa.Table.from_pylist(texts, schema=as_text).cast(schema)
    names: dict[tuple[str, str], list[Spelling]] = defaultdict(list)
    for row, cells in zip(found.to_pylist(), texts, strict=True):
        for named, spelling in _names(file, row, cells):
            names[named].append(spelling)
    return Contents(rows=found, names=names)


def in_one_spelling(contents: Mapping[str, Contents]) -> dict[str, Contents]:
    """The same files by table, in which each department, cost center and tier is written as it was
    last."""
    newest = {named: shown for named, shown, _ in _spellings(contents.values())}
    chosen = {}
    for table, content in contents.items():
        rows = content.rows
        for number, (name, column) in enumerate(BY_TABLE[table].columns.items()):
            if column.names and rows.num_rows:
                texts = [
                    text and newest[column.names, name_key(text)]
                    for text in rows.column(name).to_pylist()
                ]
                stored = rows.schema.field(name)
                rows = rows.set_column(number, stored, pa.array(texts, stored.type))
        chosen[table] = replace(content, rows=rows)
    return chosen


def joined_spellings(contents: Iterable[Contents]) -> list[str]:
    """A sentence for each name that is written in several ways, of which one is shown."""
    return [
        f"the {kind} {shown!r} is also written {', '.join(map(repr, others))}"
        for (kind, _), shown, others in _spellings(contents)
        if others
    ]


def _spellings(
    contents: Iterable[Contents],
) -> Iterator[tuple[tuple[str, str], str, list[str]]]:
    """Each name: what it is and its key, how it is shown, and how else it is written."""
    together: dict[tuple[str, str], list[Spelling]] = defaultdict(list)
    for content in contents:
        for named, spellings in content.names.items():
            # Lines without a day are older than others; of such, an earlier file's are newer.
            together[named][:0] = spellings
    for (kind, key), spellings in together.items():
        newest = max(enumerate(spellings), key=lambda entry: (entry[1].since, entry[0]))[1].shown
        shown = next((word for word in WORDS.get(kind, ()) if name_key(word) == key), newest)
        others = dict.fromkeys(spelling.written for spelling in spellings)
        others.pop(shown, None)
        yield (kind, key), shown, list(others)


def _known(file: ReferenceFile, cells: Sequence[str]) -> int:
    return len({_column_name(cell) for cell in cells} & set(file.columns))


def _column_name(cell: str) -> str:
    name = name_key(cell).replace(" ", "_").replace("-", "_")
    return {"e_mail": "email", "manager_e_mail": "manager_email"}.get(name, name)


def _columns(file: ReferenceFile, path: Path, table: Table) -> list[str]:
    """The name of each cell in the line of names."""
    names = [_column_name(cell) for cell in table.header.cells]
    place = f"line {table.header.line}"
    problems = []
    if not set(names) & set(file.columns):
        # What stands there instead may be somebody's row: not shown.
        problems = [f"{place}: it names none of the columns {', '.join(file.columns)}"]
    else:
        for name, column in file.columns.items():
            if name not in names and not column.optional:
                problems.append(f"{place}, column {name}: missing; there are {', '.join(names)}")
            if names.count(name) > 1:
                problems.append(f"{place}, column {name}: there are {names.count(name)} of it")
    if problems:
        raise _refusal(file, path, problems)
    return names


def _records(table: Table, columns: Sequence[str]) -> list[tuple[Record, dict[str, str]]]:
    """The lines with something in them: their cells, by column, that are not blank."""
    records = []
    for record in table.records:
        cells = {
            name: text
            for name, cell in zip(columns, record.cells, strict=True)
            if name and (text := cell.strip()) and shown_name(text)
        }
        if cells:
            records.append((record, cells))
    return records


def _rows(
    file: ReferenceFile,
    table: Table,
    columns: Sequence[str],
    records: Sequence[tuple[Record, dict[str, str]]],
) -> tuple[dict[int, Row], Names, list[Problem]]:
    """The rows by their lines, without those that repeat another, and what is wrong with them."""
    problems = [_broken(line, table, columns) for line in table.broken]
    if any("\ufffd" in line.text for line in table.broken):
        return {}, {}, problems  # In a text of another encoding nothing else is certain.
    rows: dict[int, Row] = {}
    names: dict[tuple[str, str], list[Spelling]] = defaultdict(list)
    firsts: dict[tuple[object, ...], int] = {}
    for record, cells in records:
        if not set(cells) & set(file.columns):
            continue
        first = cells.get(file.key[0], "")
        if record is records[-1][0] and name_key(first).strip(": ") in TOTALS:
            problems.append(
                Problem(record.line, file.key[0], "this is a line of totals; remove it")
            )
            continue
        row, wrong = _row(file, record.line, cells, table.delimiter)
        problems += wrong
        if wrong or _is_example(file, row):
            continue
        for named, spelling in _names(file, row, cells):
            names[named].append(spelling)
        key = tuple(_key(file, name, row) for name in file.key)
        same = firsts.setdefault(key, record.line)
        if same == record.line:
            rows[record.line] = row
            continue
        for name in file.columns:
            if name not in file.key and _key(file, name, row) != _key(file, name, rows[same]):
                text = f"differs from the row of the same {' and '.join(file.key)} in line {same}"
                problems.append(Problem(record.line, name, text))
    if file.whole and not problems:
        problems = list(_not_whole(file, rows))
    return rows, names, problems


def _row(
    file: ReferenceFile, line: int, cells: Mapping[str, str], delimiter: str
) -> tuple[Row, list[Problem]]:
    row: Row = dict.fromkeys(file.columns)
    problems = []
    for name, column in file.columns.items():
        if column.instead_of and (name in cells) == (column.instead_of in cells):
            fault = "both are filled" if name in cells else "both are empty"
            text = f"{fault}; every row needs this or {column.instead_of}"
            problems.append(Problem(line, name, text))
        if name not in cells:
            if column.filled:
                problems.append(Problem(line, name, "empty; every row needs it"))
            continue
        try:
            value = row[name] = meant(column.type, cells[name], delimiter)
        except NotMeant as why:
            problems.append(Problem(line, name, f"{_shown(cells[name])} {why}"))
            continue
        least = column.minimum
        if least is not None and isinstance(value, int | Decimal) and value < least:
            problems.append(Problem(line, name, f"{cells[name]} is less than {least}"))
        beside, allowed = column.allowed or ("", {})
        words = allowed.get(str(row.get(beside)))
        if words is not None and value not in words:
            form = f"one of {', '.join(words)}" if words else "empty"
            text = f"{_shown(cells[name])} is not for {beside} {row[beside]}; there it is {form}"
            problems.append(Problem(line, name, text))
        start = row[column.not_before] if column.not_before else None
        if isinstance(start, date) and isinstance(value, date) and value < start:
            text = f"{value} is before {column.not_before}, which is {start}"
            problems.append(Problem(line, name, text))
    return row, problems


def _is_example(file: ReferenceFile, row: Row) -> bool:
    """Whether the row is named as that of the example, whatever else was changed in it."""
    name, cell = file.example_name
    return _key(file, name, row) == file.columns[name].type.key(cell)


def _key(file: ReferenceFile, name: str, row: Row) -> object:
    value = row[name]
    return None if value is None else file.columns[name].type.key(value)


def _not_whole(file: ReferenceFile, rows: Mapping[int, Row]) -> Iterator[Problem]:
    whole = file.whole
    assert whole is not None
    parts: dict[object, dict[int, Decimal]] = defaultdict(dict)
    for line, row in rows.items():
        part = row[whole.column]
        assert isinstance(part, Decimal)
        parts[row[whole.within]][line] = part
    for group, lines in parts.items():
        total = sum(lines.values())
        if total != whole.total:
            text = f"those of {group} add up to {total:f}; they have to add up to {whole.total}"
            yield Problem(min(lines), whole.column, text)


def _broken(line: BrokenLine, table: Table, columns: Sequence[str]) -> Problem:
    """A line that cannot be taken apart, with the column where that shows."""
    if "\ufffd" in line.text:
        cells = next(csv.reader([line.text], delimiter=table.delimiter or ","))
        column = next((number for number, cell in enumerate(cells) if "\ufffd" in cell), None)
    else:
        column = line.column
    name = None
    if column is not None:
        name = columns[column] if column < len(columns) and columns[column] else str(column + 1)
    return Problem(line.line, name, line.reason)


def _names(
    file: ReferenceFile, row: Row, cells: Mapping[str, str | None]
) -> Iterator[tuple[tuple[str, str], Spelling]]:
    since = row.get("valid_from")
    for name, column in file.columns.items():
        shown = row[name]
        if column.names and isinstance(shown, str):
            day = since if isinstance(since, date) else date.min
            yield (column.names, name_key(shown)), Spelling(day, shown, str(cells[name]))


def _table(file: ReferenceFile, rows: Sequence[Row]) -> pa.Table:
    schema = pa.schema([(name, column.type.arrow) for name, column in file.columns.items()])
    return pa.Table.from_pylist(list(rows), schema=schema)


def _shown(cell: str) -> str:
    # A cell that slipped into the wrong column may hold an address: not shown.
    return "the cell" if "@" in cell else f'"{cell[:SHOWN_CHARACTERS]}"'


def _described(problem: Problem) -> str:
    column = f", column {problem.column}" if problem.column else ""
    return f"line {problem.line}{column}: {problem.text}"


def _refusal(
    file: ReferenceFile, path: Path, problems: Sequence[str], more: int = 0
) -> ForeseenError:
    if more:
        problems = [*problems, f"and {more} more"]
    columns = [
        f"{name} (may be left out)" if column.optional else name
        for name, column in file.columns.items()
    ]
    return ForeseenError(
        "\n  ".join([f"The reference file {path} cannot be used as {file.table}:", *problems])
        + "\nCorrect the file, then run the command again. "
        + f"Its first line names its columns: {', '.join(columns)}."
    )
