"""What a run takes from the exports that are there, given what the warehouse has already."""

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sources.contract import EndpointReport
from sources.door import Door
from sources.errors import ForeseenError
from sources.langdock.periods import Part, plan
from sources.langdock.reader import Export, Slot, content_hash, read_export, told_by_name
from sources.ledger import KEPT_APART

log = logging.getLogger(__name__)

LedgerRow = dict[str, Any]
Doubted = Callable[[Mapping[str, Export], bool], tuple[set[str], set[str], str | None]]
"""Which of the exports that were read, by their hash, are not to be stored, which are kept apart,
and what to say; given whether any is there, new or not."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """An export that is there: a file of the folder, or a month that the API gave.

    Attributes:
        exported_at: When the file was written, or the API answered.
        content: Reads its bytes; raises ForeseenError.
        empty_slot: What the export is about where it has no content at all.
        record_count: How many rows it has by the API's word.
    """

    name: str
    exported_at: datetime
    content: Callable[[], bytes]
    empty_slot: Slot | None = None
    record_count: int | None = None


@dataclass
class Collected:
    """What the load will write.

    Attributes:
        rows: Rows by table.
        ledger: New and changed rows of langdock_exports.
        rejected: Rows of rejected_rows.
        refusals: One message per export that could not be used.
    """

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    ledger: list[LedgerRow] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


def collect(
    sources: Iterable[Source],
    ledger: Sequence[LedgerRow],
    *,
    policy: str,
    read_at: datetime,
    endpoints: Mapping[str, EndpointReport],
    doubted: Doubted = lambda exports, is_any: (set(), set(), None),
    known_apart: Collection[str] = (),
    door: Door | None = None,
) -> Collected:
    """Reads the sources that are new or changed, and decides which periods count.

    `ledger` is langdock_exports as it stands; its rows say with `is_loaded` whether the warehouse
    has theirs; `known_apart` are the ids of those that were kept apart. The result does not depend
    on the sources' order. `endpoints` count what is read.
    """
    door = door or Door()
    collected = Collected()
    known = {row["file_hash"] for row in ledger}
    present: dict[str, Source] = {}
    exports: dict[str, Export] = {}
    for source in sources:
        try:
            content = source.content()
            file_hash = _hash(source, content)
            copy = present.get(file_hash)
            if copy and (copy.exported_at, copy.name) > (source.exported_at, source.name):
                continue
            present[file_hash] = source
            if file_hash not in exports and file_hash not in known:
                exports[file_hash] = _whole(source, _export(source, content))
        except ForeseenError as refusal:
            collected.refusals.append(door.reason(str(refusal)))
    strange, apart, refused = doubted(exports, bool(present))
    for file_hash in apart:
        _keep_apart(
            collected, present[file_hash], file_hash, exports[file_hash], read_at, known_apart
        )
    for file_hash in strange | apart:
        del exports[file_hash], present[file_hash]
    if refused:
        collected.refusals.append(refused)
    parts, rows = _parts(present, exports, ledger)
    chosen = plan(parts, policy)
    for part in chosen.accepted:
        if not part.is_loaded and part.file_hash not in exports:
            # Read in an earlier run, but another export counted until now.
            source = present[part.file_hash]
            exports[part.file_hash] = _export(source, source.content())
    outcomes = (
        [(part, "loaded", None) for part in chosen.accepted]
        + [(part, "replaced", None) for part in chosen.replaced]
        + [(part, "overlapping", rival) for part, rival in chosen.overlapping]
    )
    before = {row["export_id"]: row for row in ledger}
    for part, outcome, rival in outcomes:
        is_stored_now = outcome == "loaded" and not part.is_loaded
        if is_stored_now:
            _load(collected, endpoints[part.slot.table], part, exports[part.file_hash])
        if rival and policy == "refuse":
            collected.refusals.append(_overlap(part, rival))
        row = rows[part.slot, part.file_hash] | {
            "outcome": outcome,
            "message": rival and f"{_period(part.slot)} overlaps {_named(rival)}",
        }
        row["exported_at"] = part.exported_at
        if export := exports.get(part.file_hash):
            row |= _facts(export, part.slot)
        if export or (part.file_hash in present and present[part.file_hash].empty_slot):
            row["read_at"] = read_at
        if is_stored_now or row != _without_state(before.get(row["export_id"], {})):
            collected.ledger.append(row)
            if rival and policy != "refuse":
                log.warning(
                    "Left out: %s of %s, because %s overlaps it and counts (overlaps = %s).",
                    _named(part),
                    part.slot.table,
                    _named(rival),
                    policy,
                )
    for file_hash, export in exports.items():
        endpoint = endpoints[export.table]
        endpoint.rejected_count += len(export.rejected)
        _tell(collected, present[file_hash], file_hash, export, read_at, door)
    collected.rows = {table: door.rows(table, rows) for table, rows in collected.rows.items()}
    collected.ledger = door.rows("langdock_exports", collected.ledger)
    collected.rejected = door.rows("rejected_rows", collected.rejected)
    return collected


def _hash(source: Source, content: bytes) -> str:
    # Months without usage are alike, and yet not the same export; nor are files whose month is
    # in their name alone.
    is_of_name = source.empty_slot or told_by_name(content, source.name)
    return content_hash(source.name.encode() + content if is_of_name else content)


def _without_state(row: LedgerRow) -> LedgerRow:
    return {name: value for name, value in row.items() if name not in ("is_loaded", "version")}


def _slot(row: LedgerRow) -> Slot:
    return Slot(
        f"langdock_{row['entity']}",
        row["org_id"] or "",
        row["period_start"],
        row["period_end"],
        row["group_by"] or "",
    )


def _export(source: Source, content: bytes) -> Export:
    if not content and source.empty_slot:
        return Export(table=source.empty_slot.table, columns=(), rows={source.empty_slot: ()})
    export = read_export(content, source.name)
    read = _row_count(export)
    if source.record_count is not None and source.record_count < read:
        note = f"{source.name}: the API announced {source.record_count} rows, the file has {read}."
        export = replace(export, warnings=[*export.warnings, note])
    return export


def _row_count(export: Export) -> int:
    rows = sum(map(len, export.rows.values()))
    return rows + len(export.rejected) + export.repeat_count


def _whole(source: Source, export: Export) -> Export:
    """The export, if it has all the rows that the API announced, of the month that was asked for.

    Raises:
        ForeseenError: It has fewer, or is of another month.
    """
    if asked := source.empty_slot:
        for slot in export.rows:
            if not asked.period_start <= slot.period_start <= asked.period_end:
                raise ForeseenError(
                    f"{source.name}: the month {asked.period_start:%Y-%m} was asked for, and the "
                    f"file has rows of {_period(slot)}.\n"
                    "Nobody can tell what is missing, so nothing of this month was stored.\n"
                    "The next run exports it again. If it stays, see whether a proxy mixes "
                    "answers; Langdock's support should know."
                )
    read = _row_count(export)
    if source.record_count is not None and read < source.record_count:
        raise ForeseenError(
            f"{source.name}: the API announced {source.record_count} rows, and the file has "
            f"{read}.\n"
            "Nobody can tell what is missing, so nothing of this month was stored.\n"
            "The next run exports it again. If it stays, Langdock's support should know."
        )
    return export


def _parts(
    present: dict[str, Source],
    exports: dict[str, Export],
    ledger: Sequence[LedgerRow],
) -> tuple[list[Part], dict[tuple[Slot, str], LedgerRow]]:
    """Everything that could count, and its row in the ledger."""
    parts, rows = [], {}
    for row in ledger:
        source = present.get(row["file_hash"])
        if row["period_start"] is None or (source is None and not row["is_loaded"]):
            continue  # Without rows, or its file is gone.
        slot = _slot(row)
        name = source.name if source else row["source_name"]
        moments = [row["exported_at"], *([source.exported_at] if source else [])]
        parts.append(
            Part(
                slot=slot,
                source_name=name,
                file_hash=row["file_hash"],
                exported_at=max(moments),
                is_loaded=row["is_loaded"],
            )
        )
        rows[slot, row["file_hash"]] = {**_without_state(row), "source_name": name}
    for file_hash, export in exports.items():
        source = present[file_hash]
        for slot in export.rows:
            parts.append(
                Part(
                    slot=slot,
                    source_name=source.name,
                    file_hash=file_hash,
                    exported_at=source.exported_at,
                )
            )
            rows[slot, file_hash] = _new_row(source, file_hash, slot)
    return parts, rows


def _new_row(source: Source, file_hash: str, slot: Slot) -> LedgerRow:
    return {
        "export_id": _export_id(file_hash, slot.table, slot.text),
        "entity": slot.table.removeprefix("langdock_"),
        "org_id": slot.org_id or None,
        "period_start": slot.period_start,
        "period_end": slot.period_end,
        "group_by": slot.group_by or None,
        "slot": slot.text,
        "source_name": source.name,
        "file_hash": file_hash,
    }


def _keep_apart(
    collected: Collected,
    source: Source,
    file_hash: str,
    export: Export,
    read_at: datetime,
    known_apart: Collection[str],
) -> None:
    """Store an export that does not count, once."""
    file = {"source_name": source.name, "file_hash": file_hash}
    for slot, rows in export.rows.items():
        row = _new_row(source, file_hash, slot)
        if row["export_id"] not in known_apart:
            collected.rows[slot.table] += [{**each, **file} for each in rows]
            told = {"outcome": KEPT_APART, "exported_at": source.exported_at, "read_at": read_at}
            collected.ledger.append({**row, **told, "message": None, **_facts(export, slot)})


def _export_id(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def _load(collected: Collected, endpoint: EndpointReport, part: Part, export: Export) -> None:
    rows = export.rows[part.slot]
    file = {"source_name": part.source_name, "file_hash": part.file_hash}
    collected.rows[part.slot.table] += [{**row, **file} for row in rows]
    endpoint.unit_count += 1
    endpoint.row_count += len(rows)


def _facts(export: Export, slot: Slot) -> LedgerRow:
    reasons = [f"line {line.line}: {line.reason}" for line in export.rejected]
    return {
        "row_count": len(export.rows.get(slot, ())),
        "skipped_row_count": len(export.rejected),
        "skipped_reasons": "\n".join(reasons[:100]) or None,
        "columns_present": json.dumps(export.columns),
        "undeclared_fields": ", ".join(export.undeclared) or None,
    }


def _tell(
    collected: Collected,
    source: Source,
    file_hash: str,
    export: Export,
    read_at: datetime,
    door: Door,
) -> None:
    """Say what was skipped, and keep it."""
    for warning in export.warnings:
        log.warning(door.reason(warning))
    # Lines that cannot be read tell no day: that of the others stands for the whole file.
    first = min((slot.period_start for slot in export.rows), default=read_at.date())
    collected.rejected += [
        {
            "endpoint": export.table,
            "activity_date": first,
            "file_hash": file_hash,
            "fetched_at": read_at,
            "reason": line.reason,
            "row_json": json.dumps(line.text, ensure_ascii=False),
            "source_name": source.name,
            "line_number": line.line,
        }
        for line in export.rejected
    ]
    if not export.rows:
        collected.ledger.append(
            {
                "export_id": _export_id(file_hash, export.table),
                "entity": export.table.removeprefix("langdock_"),
                "source_name": source.name,
                "file_hash": file_hash,
                "exported_at": source.exported_at,
                "read_at": read_at,
                "outcome": "rejected" if export.rejected else "empty",
                **_facts(export, Slot(export.table, "", date.min, date.min, "")),
            }
        )


def _overlap(part: Part, rival: Part) -> str:
    return (
        f"Two Langdock exports of {part.slot.table} tell of the same days: "
        f"{_named(part)} and {_named(rival)}.\n"
        "Adding them up would count those days twice, so the first of these was not loaded.\n"
        "What was loaded before stays, also when its file is gone: take the first one out of the "
        'folder,\nor set [sources.langdock] overlaps to "newest" or "longest" to say which counts.'
    )


def _named(part: Part) -> str:
    return f"{part.source_name} ({_period(part.slot)})"


def _period(slot: Slot) -> str:
    return f"{slot.period_start} to {slot.period_end}"
