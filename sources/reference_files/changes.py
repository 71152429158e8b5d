"""What a reference file says otherwise than what was loaded of it before, and what it has lost."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sources.reference_files.cells import EMAIL
from sources.reference_files.files import ReferenceFile

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Change:
    """How many lines of a file were added, changed or removed; a new spelling changes none."""

    table: str
    added: int
    changed: int
    removed: int

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __str__(self) -> str:
        lines = "line" if self.added == 1 else "lines"
        return (
            f"{self.table}: {self.added:,} {lines} added, {self.changed:,} changed, "
            f"{self.removed:,} removed"
        )


def change(file: ReferenceFile, before: Rows, after: Rows) -> Change:
    """How the lines differ, by the file's key."""
    old, new = dict(_lines(file, before)), dict(_lines(file, after))
    return Change(
        table=file.table,
        added=len(new.keys() - old.keys()),
        changed=sum(old[key] != new[key] for key in old.keys() & new.keys()),
        removed=len(old.keys() - new.keys()),
    )


def losses(file: ReferenceFile, before: Rows, after: Rows, most: Fraction) -> list[str]:
    """Of what a file has lost a larger part than `most`: `17 of 20 people`."""
    old, new = _counts(file, before), _counts(file, after)
    return [
        f"{had - new[what]:,} of {had:,} {what}"
        for what, had in old.items()
        if had - new[what] > most * had
    ]


def _lines(file: ReferenceFile, rows: Rows) -> Iterator[tuple[object, object]]:
    for row in rows:
        keys = {name: _key(file, name, row.get(name)) for name in file.columns}
        yield tuple(keys[name] for name in file.key), keys


def _counts(file: ReferenceFile, rows: Rows) -> dict[str, int]:
    rows = list(rows)
    counts = {"lines": len(dict(_lines(file, rows)))}
    for name, column in file.columns.items():
        what = f"{column.names}s" if column.names else None
        if name in file.key and column.type is EMAIL:
            what = "people"
        if what:
            found = {_key(file, name, row.get(name)) for row in rows}
            counts[what] = len(found - {None})
    return counts


def _key(file: ReferenceFile, name: str, value: Any) -> object:
    return None if value is None else file.columns[name].type.key(value)
