"""Rows that the API gives twice: those alike count once, those that differ contradict."""

from collections.abc import Sequence
from datetime import date
from itertools import accumulate, pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sources.claude_analytics.endpoints import Endpoint

Values = tuple[Any, ...]


def keys_of(endpoint: Endpoint, rows: pa.Table) -> pa.Table:
    """What tells rows apart, of those that may come only once."""
    if endpoint.actor_key:
        has_actor = pc.or_kleene(
            pc.is_valid(rows[endpoint.actor_key[0]]),
            pc.or_(*(pc.is_valid(rows[name]) for name in endpoint.actor_key[1:3])),
        )
        rows = rows.filter(has_actor)
    return rows.select(["activity_date", *(endpoint.actor_key or endpoint.key)])


def has_repeats(endpoint: Endpoint, keys: Sequence[pa.Table]) -> bool:
    """Some key comes twice in these pages."""
    found = pa.concat_tables(keys)
    return bool(found.group_by(found.column_names).aggregate([]).num_rows < len(found))


def without_repeats(
    endpoint: Endpoint, pages: Sequence[pa.Table]
) -> tuple[pa.Table, dict[date, str]]:
    """The rows of these pages, those alike once, and the days on which rows of one key differ.

    Rows without an actor may be alike and still several. They are one only where the end of a page
    comes again as the beginning of the next, beside rows that have an actor.
    """
    whole = pa.concat_tables(pages)
    rows = [tuple(row.values()) for row in whole.to_pylist()]
    place = {name: number for number, name in enumerate(whole.column_names)}
    key = [place[name] for name in ("activity_date", *(endpoint.actor_key or endpoint.key))]
    identity = [place[name] for name in endpoint.actor_key[:3] or endpoint.key[:1]]
    is_known = [any(row[number] is not None for number in identity) for row in rows]
    dropped = _overlaps(rows, is_known, list(accumulate(map(len, pages), initial=0)))
    seen: set[Values] = set()
    first_of_key: dict[Values, Values] = {}
    contradictions: dict[date, str] = {}
    for number, row in enumerate(rows):
        may_repeat = bool(endpoint.actor_key) and not is_known[number]
        if number in dropped or (row in seen and not may_repeat):
            dropped.add(number)
            continue
        seen.add(row)
        found = tuple(row[index] for index in key)
        if first_of_key.setdefault(found, row) != row and is_known[number]:
            names = ", ".join(str(value) for value in found[1:] if value is not None)
            contradictions.setdefault(row[place["activity_date"]], names)
    kept = [number for number in range(len(rows)) if number not in dropped]
    return whole.take(pa.array(kept, pa.int64())), {} if endpoint.names_repeat else contradictions


def _overlaps(rows: Sequence[Values], is_known: Sequence[bool], bounds: Sequence[int]) -> set[int]:
    """Rows at the beginning of a page that are the end of the one before it."""
    overlapping: set[int] = set()
    for (start, bound), (_, end) in pairwise(pairwise(bounds)):
        for length in range(min(bound - start, end - bound), 0, -1):
            again = range(bound, bound + length)
            is_same = rows[bound - length : bound] == rows[bound : bound + length]
            if is_same and any(is_known[number] for number in again):
                overlapping.update(again)
                break
    return overlapping
