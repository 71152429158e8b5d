"""Judge a file of FOCUS's Cost and Usage, whoever wrote it, by every rule of its version."""

import csv
import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from pipelines.files.outputs import reason_of
from pipelines.focus.columns import CUSTOM, VERSIONS, Column, columns_of, every_column
from pipelines.focus.metadata import METADATA
from pipelines.focus.rules import LEVELS, WRITTEN, Rule, rules_of, with_columns
from pipelines.warehouse.base import identifier, literal
from sources.errors import ForeseenError

Connection = duckdb.DuckDBPyConnection
NUMBERS = re.compile(r"DECIMAL\(\d+,\d+\)|U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)")
FLOATS = ("DOUBLE", "FLOAT")
LONGEST_EXAMPLE = 60
PARQUET, GZIP = b"PAR1", b"\x1f\x8b"
"""What such files begin with."""
CSV_REASONS = r"^(Expected Number of Columns|Value with|Invalid unicode|Maximum line).*?$"
"""In DuckDB's words, below the line that it read."""
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
FEWEST_COLUMNS = 3
"""Of FOCUS's, in a file that can be one of it."""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A rule that does not hold.

    Attributes:
        rows: How many rows break it.
        example: One of them, or what is wrong with the file.
    """

    rule: Rule
    rows: int
    example: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found.

    Attributes:
        version: By which version's rules, and `why` by these.
        judged: How many rules could be decided.
        absent: Rules about columns that the file does not have.
        broken: Those that do not hold, the ones that bind most first.
    """

    version: str
    why: str
    row_count: int
    judged: int
    absent: Sequence[Rule] = ()
    broken: Sequence[Broken] = field(default_factory=list)

    def count(self, level: str) -> int:
        return sum(each.rule.level == level for each in self.broken)


def judge(file: Path, version: str | None = None) -> Verdict:
    """Every rule of the version that the file breaks; without one, of that which it seems to be.

    Raises:
        ForeseenError: It cannot be read, or has nothing of FOCUS in it.
    """
    if not file.is_file():
        why = "it is a folder" if file.is_dir() else "there is no such file"
        raise ForeseenError(
            f"{file} cannot be judged: {why}.\n"
            "A file of FOCUS is one CSV or Parquet file on this machine.\n"
            "Check the path; of a folder, name one file after the other."
        )
    with TemporaryDirectory(prefix="focus-") as folder, duckdb.connect(f"{folder}/file") as opened:
        try:
            opened.execute("set TimeZone = 'UTC'")
            types, header = _read(opened, file)
            why = "as asked"
            if version is None:
                version, why = _version_of(file, types)
            return _judged(opened, types, version, why, header)
        except (duckdb.Error, OSError, UnicodeDecodeError, csv.Error) as error:
            raise _is_unreadable(file, error) from error


def _judged(
    opened: Connection, types: dict[str, str], version: str, why: str, header: Sequence[str]
) -> Verdict:
    columns = columns_of(version)
    present = _typed(opened, columns, types)
    rules = rules_of(version)
    decidable = [rule for rule in rules if set(rule.columns) <= present]
    absent = [
        rule
        for rule in rules
        if rule not in decidable
        and not {name.removesuffix(WRITTEN) for name in rule.columns} <= types.keys()
    ]
    by_row = [rule for rule in decidable if not rule.of and not rule.of_values]
    counts = [f"count(*) filter (where {with_columns(rule.broken, present)})" for rule in by_row]
    [(row_count, *found)] = opened.execute(
        f"select {', '.join(['count(*)', *counts])} from charges"
    ).fetchall()
    broken = [*_of_header(columns, types, header, row_count), *_of_types(opened, columns, types)]
    for rule, rows in zip(by_row, found, strict=True):
        if rows:
            where = with_columns(rule.broken, present)
            broken.append(Broken(rule=rule, rows=rows, example=_row(opened, rule, where)))
    for rule in decidable:
        if rule.of:
            broken += _of_groups(opened, rule)
        elif rule.of_values:
            broken += _of_values(opened, rule)
    broken += _twice(opened, types, row_count)
    of_file = 5 + sum(column.name in types for column in columns)
    return Verdict(
        version=version,
        why=why,
        row_count=row_count,
        judged=len(decidable) + of_file,
        absent=absent,
        broken=sorted(broken, key=lambda each: LEVELS.index(each.rule.level)),
    )


def _read(opened: Connection, file: Path) -> tuple[dict[str, str], list[str]]:
    """The file as the relation `written`; its columns and their types, and names as written."""
    # What stands for other letters in a name stands for itself here.
    path = literal(re.sub(r"([*?[])", r"[\1]", str(file)))
    if _starts(file, PARQUET):
        opened.execute(f"create view written as select * from read_parquet({path})")
        described = opened.execute("describe written").fetchall()
        types = {name: kind for name, kind, *_ in described}
        _refuse_foreign(file, list(types))
        return types, list(types)
    header = _header(file)
    _refuse_foreign(file, header)
    # A name that stands there twice is another column: its rows are read all the same.
    names = [
        name if name not in header[:number] else f"{name} ({number + 1})"
        for number, name in enumerate(header)
    ]
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    # Read once: each rule about more than one row would read it again.
    opened.execute(
        f"create table written as select * from read_csv({path}, columns = {{{columns}}},"
        f" compression = '{'gzip' if _starts(file, GZIP) else 'none'}',"
        " auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"',"
        " strict_mode = true, allow_quoted_nulls = false, max_line_size = 16000000)"
    )
    return dict.fromkeys(names, "VARCHAR"), header


def _refuse_foreign(file: Path, names: Sequence[str]) -> None:
    known = {column.name for column in every_column()}
    if len(known & set(names)) >= FEWEST_COLUMNS:
        return
    raise ForeseenError(
        f"{file} is no file of FOCUS's dataset Cost and Usage: {_why_foreign(names, known)}.\n"
        "Its first line, or its schema, has to name columns as the specification does.\n"
        "Name the file of charges; of a folder of Parquet files, one file after the other."
    )


def _why_foreign(names: Sequence[str], known: set[str]) -> str:
    if not any(names):
        return "it is empty, or begins with an empty line"
    for separator, words in SEPARATORS.items():
        if len(known & set(names[0].split(separator))) >= FEWEST_COLUMNS:
            return f"{words} stand between its columns, and not commas"
    folded = {name.casefold(): name for name in known}
    spelled = {
        name: folded[name.strip().casefold()] for name in names if name.strip().casefold() in folded
    }
    if len(spelled) >= FEWEST_COLUMNS:
        name, right = next(pair for pair in spelled.items() if pair[0] != pair[1])
        return f"its columns are spelled otherwise ({_text(name)} is {right})"
    shown = ", ".join(map(_text, names[:5])) + (" …" if len(names) > 5 else "")
    return f"hardly a column of it is there, but {shown}"


def _starts(file: Path, magic: bytes) -> bool:
    with file.open("rb") as start:
        return start.read(len(magic)) == magic


def _header(file: Path) -> list[str]:
    """The names of a CSV file's columns as they are written."""
    opened = gzip.open if _starts(file, GZIP) else open
    with opened(file, "rt", encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines), [])


def _version_of(file: Path, types: dict[str, str]) -> tuple[str, str]:
    """The version that the metadata beside the file names, else the one its columns are of."""
    metadata = file.parent / METADATA
    try:
        for entry in json.loads(metadata.read_text(encoding="utf-8"))["Files"]:
            if entry["File"] == file.name and entry["FocusVersion"] in VERSIONS:
                return entry["FocusVersion"], f"as {METADATA} says"
    except (OSError, ValueError, LookupError, TypeError):
        pass
    why = "by its columns"
    if "ProviderName" not in types:
        return "1.4", why
    return ("1.3" if "ServiceProviderName" in types else "1.2"), why


def _typed(opened: Connection, columns: Sequence[Column], types: dict[str, str]) -> set[str]:
    """Make the relation `charges`: FOCUS's columns as rules see them; their names."""
    seen: dict[str, str] = {}
    for column in columns:
        kind = types.get(column.name)
        if kind is None:
            continue
        quoted = identifier(column.name)
        is_text = kind == "VARCHAR"
        match column.kind:
            case "decimal" | "price":
                seen[column.name] = f"try_cast({quoted} as double)"
            case "moment":
                # Text without a zone is of UTC, as what the rule about its form has to say.
                cast = "timestamptz" if is_text else kind
                as_utc = f"try_cast({quoted} as {cast})"
                if is_text or "TIME ZONE" in kind:
                    as_utc = f"timezone('UTC', {as_utc})"
                seen[column.name] = f"try_cast({as_utc} as timestamp)"
            case _:
                is_nested = not is_text and kind != "JSON" and re.search(r"[(\[]", kind)
                seen[column.name] = (
                    f"cast(to_json({quoted}) as varchar)"
                    if is_nested
                    else f"cast({quoted} as varchar)"
                )
        if is_text and column.kind in ("decimal", "price", "moment"):
            seen[column.name + WRITTEN] = quoted
    select = ", ".join(f"{sql} as {identifier(name)}" for name, sql in seen.items())
    opened.execute(f"create view charges as select {select} from written")
    return set(seen)


def _of_header(
    columns: Sequence[Column], types: dict[str, str], header: Sequence[str], row_count: int
) -> list[Broken]:
    """What is wrong with the names of the file's columns."""

    def found(level: str, name: str, example: str, *demands: str) -> Broken:
        rule = Rule(level=level, name=name, demands=demands, columns=[])
        return Broken(rule=rule, rows=row_count, example=example)

    names = [column.name for column in columns]
    broken = [
        found("MUST", f"{column.name} is there", "there is no such column", f"{column.name}-D")
        for column in columns
        if column.presence == "must" and column.name not in types
    ]
    if foreign := [
        name for name in dict.fromkeys(header) if name not in names and not name.startswith(CUSTOM)
    ]:
        name = "a column that the version does not name begins with x_"
        broken.append(found("MUST", name, ", ".join(foreign), "ColumnHandling-A-010"))
    if twice := [name for name in dict.fromkeys(header) if header.count(name) > 1]:
        name = "a column stands in the file once"
        broken.append(found("MUST", name, ", ".join(twice), "ColumnHandling-A-001"))
    custom = [name for name in types if name.startswith(CUSTOM)]
    if odd := [name for name in custom if not re.fullmatch(r"x_([A-Z][A-Za-z0-9]*)+", name)]:
        name = "a column of one's own is in PascalCase after x_"
        broken.append(found("SHOULD", name, ", ".join(odd), "ColumnHandling-A-011"))
    own = [name for name in types if name not in custom]
    wanted = [*sorted(own), *custom]
    if list(types) != wanted:
        first = next(a for a, b in zip(types, wanted, strict=True) if a != b)
        name = "columns stand in the order of the alphabet, one's own last"
        broken.append(
            found("SHOULD", name, f"{first} is out of order", "DatasetCompleteness-A-009")
        )
    return broken


def _of_types(opened: Connection, columns: Sequence[Column], types: dict[str, str]) -> list[Broken]:
    """What columns of a file that has types are, and should not be."""
    broken: list[Broken] = []
    if all(kind == "VARCHAR" for kind in types.values()):
        return broken  # It has none, or is all text: then the form of each value tells.
    for column in columns:
        kind = types.get(column.name)
        if kind is None:
            continue
        level, words = "MUST", ""
        match column.kind:
            case "decimal" | "price":
                if kind in FLOATS:
                    broken += _of_floats(opened, column.name)
                    level, words = "SHOULD", "is an exact decimal"
                elif not NUMBERS.fullmatch(kind):
                    words = "is a decimal"
            case "moment":
                if kind != "TIMESTAMP WITH TIME ZONE":
                    words = "is a moment in UTC, and says so"
            case _:
                if kind not in ("VARCHAR", "JSON", "ENUM"):
                    words = "is text"
        if not words:
            continue
        # A column without a value has some type, too.
        answer = opened.execute(f"select count({identifier(column.name)}) from written").fetchone()
        if answer and answer[0]:
            rule = Rule(level=level, name=f"{column.name} {words}", columns=[column.name])
            broken.append(Broken(rule=rule, rows=answer[0], example=f"it is {kind.lower()}"))
    return broken


def _of_floats(opened: Connection, name: str) -> list[Broken]:
    """Rows in which it is no number: their sum would be none, either."""
    answer = opened.execute(
        f"select count(*), any_value({identifier(name)}) from written"
        f" where not isfinite({identifier(name)})"
    ).fetchone()
    if answer is None or not answer[0]:
        return []
    rule = Rule(level="MUST", name=f"{name} is a finite number", columns=[name])
    return [Broken(rule=rule, rows=answer[0], example=f"{name} is {answer[1]}")]


def _row(opened: Connection, rule: Rule, where: str) -> str:
    columns = ", ".join(map(identifier, rule.columns))
    answer = opened.execute(f"select {columns} from charges where {where} limit 1").fetchone()
    return _shown(rule.columns, answer or ())


def _of_groups(opened: Connection, rule: Rule) -> list[Broken]:
    of, same = [identifier(name) for name in rule.of], identifier(rule.same)
    known = " and ".join(f"{name} is not null" for name in of)
    groups = f"""
        select {", ".join(of)}, min({same}) as first, max({same}) as second, count(*) as row_count
        from charges where {known}
        group by {", ".join(of)} having min({same}) <> max({same})
    """
    answer = opened.execute(
        f"select *, sum(row_count) over () from ({groups}) order by all limit 1"
    ).fetchone()
    if answer is None:
        return []
    *values, first, second, _, rows = answer
    example = f"{_shown(rule.of, values)}: {rule.same} is {_text(first)} and {_text(second)}"
    return [Broken(rule=rule, rows=int(rows), example=example)]


def _of_values(opened: Connection, rule: Rule) -> list[Broken]:
    [column] = rule.columns
    values = f"""
        select {identifier(column)} as value, count(*) as row_count from charges
        where {identifier(column)} is not null group by value
    """
    answer = opened.execute(
        f"""
        select value, sum(row_count) over () from ({values}) where {rule.broken}
        order by value limit 1
        """
    ).fetchone()
    if answer is None:
        return []
    return [Broken(rule=rule, rows=int(answer[1]), example=_shown([column], answer))]


def _twice(opened: Connection, types: dict[str, str], row_count: int) -> list[Broken]:
    columns = ", ".join(map(identifier, types))
    found = opened.execute(f"select count(distinct hash({columns})) from written").fetchone()
    again = row_count - (found[0] if found else 0)
    if not again:
        return []
    rule = Rule(level="SHOULD", name="no charge stands there twice", columns=[])
    return [Broken(rule=rule, rows=again, example="rows that are alike in every column")]


def _shown(columns: Sequence[str], values: Sequence[Any]) -> str:
    return ", ".join(
        f"{name.removesuffix(WRITTEN)} is {_text(value)}"
        for name, value in zip(columns, values, strict=False)
    )


def _text(value: Any) -> str:
    if value is None:
        return "null"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST_EXAMPLE else text[:LONGEST_EXAMPLE] + "…"


def _is_unreadable(file: Path, error: Exception) -> ForeseenError:
    return ForeseenError(
        f"{file} cannot be read as CSV or Parquet: {_reason(error)}.\n"
        "FOCUS's files are Parquet, or CSV in UTF-8 with a line of column names and commas.\n"
        "Mend the file, or write it again."
    )


def _reason(error: Exception) -> str:
    """Why a file cannot be read; of a CSV file, in which line."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is not text in UTF-8 (byte {error.object[error.start]:#04x})"
    line = re.search(r"CSV Error on Line: (\d+)", str(error))
    if not line:
        return re.sub(r"^[\w ]+ Error: ", "", reason_of(error))
    why = re.search(CSV_REASONS, str(error), re.MULTILINE)
    return f"line {line[1]}" + (f": {why[0].rstrip('.')}" if why else "")
