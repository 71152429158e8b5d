"""Which exports are not believed at once: another workspace's, or with far fewer rows now."""

from collections.abc import Mapping, Sequence
from typing import Any

from sources.doubts import Doubt
from sources.langdock.reader import Export, Slot
from sources.plausibility import is_no_more
from sources.session import Session

LEAST_ROWS = 5
WORKSPACE, PERIODS = "workspace", "langdock"
"""What `accept` is told."""


def doubted_exports(
    session: Session,
    ledger: Sequence[Mapping[str, Any]],
    exports: Mapping[str, Export],
    is_any: bool,
) -> tuple[set[str], set[str], str | None]:
    """Hashes of the exports that are not to be stored, of those that are stored and do not count,
    and the message where one is refused.

    What is stored of their periods stays; they are read again in the next run. Where exports are
    there (`is_any`) and nothing of them is strange, nothing is doubted any more.
    """
    loaded = [row for row in ledger if row["is_loaded"]]
    strangers, refusal = _of_another_workspace(session, loaded, exports, is_any)
    return strangers, _shrunk(session, loaded, exports, is_any) - strangers, refusal


def _of_another_workspace(
    session: Session,
    loaded: Sequence[Mapping[str, Any]],
    exports: Mapping[str, Export],
    is_any: bool,
) -> tuple[set[str], str | None]:
    known = {row["org_id"] for row in loaded if row["org_id"]}
    found = {
        file_hash: {slot.org_id for slot in export.rows if slot.org_id} - known
        for file_hash, export in exports.items()
    }
    strangers = {file_hash for file_hash, others in found.items() if others}
    if not known or not strangers:
        if is_any:
            session.doubts.none(WORKSPACE)
        return set(), None
    others = sorted({other for each in found.values() for other in each})
    doubt = Doubt(
        what=WORKSPACE,
        rule="another_workspace",
        outcome="refused",
        claim=" ".join(others),
        sentence=(
            f"Exports of another Langdock workspace came: {', '.join(others)}.\n"
            f"This warehouse holds {', '.join(sorted(known))}; nothing of the other one was "
            "stored.\nSet a key of that workspace (SOURCES__LANGDOCK__API_KEY), take the files out "
            "of the folder, or load them into a folder of their own (--data-dir)."
        ),
    )
    if session.doubts.allows(doubt):
        return set(), None
    return strangers, doubt.text


def _shrunk(
    session: Session,
    loaded: Sequence[Mapping[str, Any]],
    exports: Mapping[str, Export],
    is_any: bool,
) -> set[str]:
    known = {row["slot"]: row["row_count"] for row in loaded}
    days = {(row["entity"], row["period_start"], row["period_end"]): row for row in loaded}
    lost: dict[str, set[str]] = {}

    def before(slot: Slot) -> int:
        # An empty answer does not say which workspace it is of.
        same_days = days.get(
            (slot.table.removeprefix("langdock_"), slot.period_start, slot.period_end)
        )
        return int(known.get(slot.text, (same_days or {}).get("row_count", 0)) or 0)

    for file_hash, export in exports.items():
        for slot, rows in export.rows.items():
            gone = before(slot) - len(rows)
            if gone > LEAST_ROWS and gone * 100 >= before(slot) * session.limits.lost_rows_percent:
                what = f"{slot.table}, {slot.period_start} to {slot.period_end}"
                lost.setdefault(file_hash, set()).add(f"{what}: {len(rows)} of {before(slot)} rows")
    if not lost:
        if is_any:
            session.doubts.none(PERIODS)
        return set()
    told = ". ".join(sorted(text for texts in lost.values() for text in texts))
    doubt = Doubt(
        what=PERIODS,
        rule="shrunk_periods",
        outcome="kept apart",
        claim=f"periods={len(lost)}",
        sentence=(
            f"Langdock's exports lost much of what they had. {told}.\n"
            "What was known of these periods stays, and they are read again the next night."
        ),
    )
    return set() if session.doubts.allows(doubt, is_no_more) else set(lost)
