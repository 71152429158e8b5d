"""Reads a reference file, or says in which lines and columns it is wrong.

DuckDB's CSV reader parses the file and reports what is not CSV; its casts decide what is a value.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from sources.errors import ForeseenError
from sources.reference_files.files import ReferenceFile

DELIMITERS = ",;"
BLANKS = " \t\n\u00a0"
SHOWN_PROBLEMS = 10
SMALLEST_BUFFER = 32_000_000  # bytes; DuckDB's own default

# So that no cell is null before it is trimmed, nor a value of an enum that has only this one.
NO_CELL = "8c5b2f1e: no cell is this"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A reference file as it will be loaded, and what its owner should know about it."""

    rows: pa.Table
    warnings: tuple[str, ...] = ()


class Header(NamedTuple):
    """The names in the first line, trimmed and in lower case, and what stands between them."""

    names: list[str]
    delimiter: str


class Problem(NamedTuple):
    """What is wrong with a cell, and where the rows begin that it is about (offsets in bytes)."""

    row: int
    column: str
    text: str
    other_row: int | None = None


def read(file: ReferenceFile, path: str | Path | None) -> Contents:
    """The rows of a reference file, in its order; none if there is no path.

    Cells are trimmed, blank ones null. Blank rows, and rows that only repeat another, are left out.

    Raises:
        ForeseenError: The file is not there, is not CSV, lacks a column, or holds rows that cannot
            be used. The message names their lines and columns.
    """
    if not path:
        nothing = ",".join(file.columns).encode()
        return Contents(rows=_rows(file, Path(), nothing, Header(list(file.columns), ",")))
    path = Path(path)
    content = _content(file, path)
    header = _header(file, path, content)
    rows = _rows(file, path, content, header)
    warnings = []
    if ignored := [repr(name) for name in header.names if name and name not in file.columns]:
        warnings.append(f"{path}: {file.table} does not use these columns: {', '.join(ignored)}.")
    if not rows.num_rows:
        warnings.append(f"{path}: there are no rows below the first line.")
    return Contents(rows=rows, warnings=tuple(warnings))


def _content(file: ReferenceFile, path: Path) -> bytes:
    """The file's bytes, with one kind of line end: DuckDB refuses a mixture."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ForeseenError(
            f"The reference file {path} cannot be read: {error.strerror}.\n"
            f"It is the setting [sources.reference_files] {file.table}; a relative path starts at "
            f"{Path.cwd()}.\n"
            "Correct the setting, or remove it to go on without this file."
        ) from error
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _header(file: ReferenceFile, path: Path, content: bytes) -> Header:
    text = content.decode("utf-8-sig", errors="replace")
    line = text.lstrip("\n").partition("\n")[0][:100_000]
    if not text.strip():
        raise _refusal(file, path, ["line 1: the file is empty"])
    if "\0" in text or "\ufffd" in line:
        raise _refusal(
            file, path, ['line 1: the text is not UTF-8 (in Excel, save it as "CSV UTF-8")']
        )

    def header(delimiter: str) -> Header:
        names = next(csv.reader([line], delimiter=delimiter))
        return Header([name.strip().lower() for name in names], delimiter)

    found = max(
        map(header, DELIMITERS), key=lambda header: len(set(header.names) & set(file.columns))
    )
    problems = []
    if not set(found.names) & set(file.columns):
        # What stands there instead may be somebody's row: not shown.
        problems = [f"line 1: it names none of the columns {', '.join(file.columns)}"]
    else:
        for name, column in file.columns.items():
            if name not in found.names and not column.optional:
                problems.append(
                    f"line 1, column {name}: missing; there are {', '.join(found.names)}"
                )
            if found.names.count(name) > 1:
                problems.append(f"line 1, column {name}: there are {found.names.count(name)} of it")
    if problems:
        raise _refusal(file, path, problems)
    return found


def _rows(file: ReferenceFile, path: Path, content: bytes, header: Header) -> pa.Table:
    # Columns that we do not know are numbered, so that no name in the file can meet one of ours.
    types = {
        name if name in file.columns else str(number): "varchar"
        for number, name in enumerate(header.names)
    }
    cells = [
        f"nullif(trim({name}, '{BLANKS}'), '') as {name}"
        if name in types
        else f"cast(null as varchar) as {name}"
        for name in file.columns
    ]
    values = [f"{column.type.value(name)} as {name}" for name, column in file.columns.items()]
    keys = [f"lower({name}) as {name}" for name in file.key]
    same = [
        # A key without its value is no key; one that may do without means the same each time.
        f"lower(records.{name}) {'=' if file.columns[name].filled else 'is not distinct from'} "
        f"firsts.{name}"
        for name in file.key
    ]
    with duckdb.connect() as db:
        try:
            _scan(db, content, header, types, rejects="broken").create("cells")
        except duckdb.InvalidInputException as error:
            raise _refusal(file, path, [f"it is not CSV: {error}".partition("\n")[0]]) from error
        db.execute(
            f"""
            create table records as
            select * from (select rowid as record, {", ".join(cells)} from cells)
            where record > 0 and coalesce({", ".join(file.columns)}) is not null
            """
        )
        db.execute(
            f"""
            create table repeats as
            select records.record, firsts.record as first
            from records
            inner join (
                select min(record) as record, {", ".join(keys)}
                from records
                group by all
                having count(*) > 1
            ) as firsts on {" and ".join(same)} and records.record > firsts.record
            """
        )
        problems = _broken_rows(db, header) + _unusable_rows(db, file, content, header, types)
        if problems:
            problems.sort(key=lambda problem: problem.row)
            shown = [_described(problem, content) for problem in problems[:SHOWN_PROBLEMS]]
            raise _refusal(file, path, shown, more=len(problems) - len(shown))
        return db.sql(
            f"""
            select {", ".join(values)}
            from records
            anti join repeats on records.record = repeats.record
            order by records.record
            """
        ).to_arrow_table()


def _scan(
    db: duckdb.DuckDBPyConnection,
    content: bytes,
    header: Header,
    types: dict[str, str],
    *,
    rejects: str,
) -> duckdb.DuckDBPyRelation:
    """Every record of the content, the header too, of which DuckDB can make these types."""
    return db.read_csv(
        io.BytesIO(content),
        auto_detect=False,
        header=False,
        columns=types,
        delimiter=header.delimiter,
        quotechar='"',
        escapechar='"',
        na_values=NO_CELL,
        strict_mode=True,
        # The whole file in one buffer: DuckDB counts the bytes to a rejected row from its buffer.
        buffer_size=max(len(content) + 1, SMALLEST_BUFFER),
        store_rejects=True,
        rejects_table=rejects,
        rejects_scan=f"{rejects}_scan",
    )


def _broken_rows(db: duckdb.DuckDBPyConnection, header: Header) -> list[Problem]:
    """What DuckDB's reader reports of rows that it cannot take apart."""

    # The reader counts columns from 1, also beyond the last one of the header.
    columns = dict(enumerate(header.names, start=1))

    def problem(row: int, kind: str, column: int, message: str) -> Problem:
        match kind:
            case "MISSING COLUMNS":
                text = f"missing; the row has {column} of {len(columns)} cells"
                column += 1  # it reports the last one that is there
            case "TOO MANY COLUMNS":
                text = (
                    f"the first line has only {len(columns)}; "
                    f"a cell that contains {header.delimiter!r} needs quotes around it"
                )
            case "UNQUOTED VALUE":
                text = 'its quotes do not close at its end; a " inside of quotes is written ""'
            case "INVALID ENCODING":
                text = 'not UTF-8 (in Excel, save the file as "CSV UTF-8")'
            case _:
                text = message.partition("\n")[0]
        return Problem(row, columns.get(column) or str(column), text)

    reported = db.execute(
        """
        select line_byte_position - 1, error_type, min(column_idx), any_value(error_message)
        from broken
        group by line_byte_position, error_type
        """
    ).fetchall()
    return [problem(*report) for report in reported]


def _unusable_rows(
    db: duckdb.DuckDBPyConnection,
    file: ReferenceFile,
    content: bytes,
    header: Header,
    types: dict[str, str],
) -> list[Problem]:
    """Rows that are CSV, but lack a value, hold one that is not of its type, or contradict."""
    # In a text of another encoding nothing else is certain.
    if db.execute("from broken where error_type = 'INVALID ENCODING'").fetchall():
        return []
    found = db.execute(" union all ".join(_checks(file))).fetchall()
    if not found:
        return []
    # DuckDB tells where a row is only when it rejects the row. So: read again with a first column
    # of a type that no cell is, and record n is the nth reject that was not one before.
    first, *_ = types
    unmakeable = {**types, first: f"enum('{NO_CELL}')"}
    _scan(db, content, header, unmakeable, rejects="every").fetchall()
    rows = [
        row
        for (row,) in db.execute(
            """
            select distinct line_byte_position - 1 as row
            from every
            where line_byte_position not in (select line_byte_position from broken)
            order by row
            """
        ).fetchall()
    ]
    return [
        Problem(rows[record], column, text, None if other is None else rows[other])
        for record, column, text, other in found
    ]


def _checks(file: ReferenceFile) -> list[str]:
    """Queries that find (record, column, what is wrong, the record that it contradicts)."""
    checks = []
    key = " and ".join(file.key)
    for name, column in file.columns.items():
        value = column.type.value(name)
        checks.append(
            f"""
            select
                record,
                '{name}',
                -- A cell that slipped into the wrong column may hold an address: not shown.
                if({name} like '%@%', 'the cell', '"' || left({name}, 40) || '"')
                || ' is not {column.type.form}',
                null
            from records
            where {name} is not null and {value} is null
            """
        )
        if column.filled:
            checks.append(
                f"select record, '{name}', 'empty; every row needs it', null "
                f"from records where {name} is null"
            )
        if column.minimum is not None:
            checks.append(
                f"select record, '{name}', {name} || ' is less than {column.minimum}', null "
                f"from records where {value} < {column.minimum}"
            )
        if column.choices:
            named = ", ".join(f"'{choice}'" for choice in column.choices)
            checks.append(
                f"""
                select
                    record,
                    '{name}',
                    '"' || left({name}, 40) || '" is not one of {", ".join(column.choices)}',
                    null
                from records
                where {name} not in ({named})
                """
            )
        if name not in file.key:
            checks.append(
                f"""
                select records.record, '{name}', 'differs from the row of the same {key}', first
                from repeats
                inner join records on repeats.record = records.record
                inner join records as firsts on repeats.first = firsts.record
                where
                    {column.type.value(f"records.{name}")}
                    is distinct from {column.type.value(f"firsts.{name}")}
                """
            )
    if file.whole:
        value = file.columns[file.whole.column].type.value(f"records.{file.whole.column}")
        checks.append(
            f"""
            select
                min(records.record),
                '{file.whole.column}',
                'those of ' || records.{file.whole.within} || ' add up to ' || sum({value})
                || '; they have to add up to {file.whole.total}',
                null
            from records
            anti join repeats on records.record = repeats.record
            where records.{file.whole.within} is not null
            group by records.{file.whole.within}
            having sum({value}) <> {file.whole.total}
            """
        )
    return checks


def _described(problem: Problem, content: bytes) -> str:
    place = f"line {_line(content, problem.row)}, column {problem.column}"
    contradicts = problem.other_row is not None and f" in line {_line(content, problem.other_row)}"
    return f"{place}: {problem.text}{contradicts or ''}"


def _line(content: bytes, row: int) -> int:
    # DuckDB counts the blank lines before a row to that row.
    while content[row : row + 1] == b"\n":
        row += 1
    return content.count(b"\n", 0, row) + 1


def _refusal(file: ReferenceFile, path: Path, problems: list[str], more: int = 0) -> ForeseenError:
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
