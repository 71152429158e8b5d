"""Pure rules of periods: which exports count where several tell of the same days, and which
months to ask the API for."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sources.langdock.reader import Slot


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one export says about one slot.

    Attributes:
        source_name: File, or path and month of the API.
        file_hash: Of the export's bytes.
        exported_at: When the file was written, or the API answered.
        is_loaded: The warehouse has its rows.
    """

    slot: Slot
    source_name: str
    file_hash: str
    exported_at: datetime
    is_loaded: bool = False

    @property
    def age_order(self) -> tuple[datetime, str, str]:
        """Later is newer; names decide between files of one moment, so that no order does."""
        return self.exported_at, self.source_name, self.file_hash


def _newest_first(part: Part, has_place: bool) -> tuple[object, ...]:
    return (-part.exported_at.timestamp(), part.source_name, part.file_hash)


def _longest_first(part: Part, has_place: bool) -> tuple[object, ...]:
    return (-part.slot.days, *_newest_first(part, has_place))


def _first_come(part: Part, has_place: bool) -> tuple[object, ...]:
    return (not has_place, *part.age_order)


POLICIES: Mapping[str, Callable[[Part, bool], tuple[object, ...]]] = {
    "refuse": _first_come,
    "newest": _newest_first,
    "longest": _longest_first,
}
"""Setting `overlaps` -> which of overlapping periods goes first, given the newest export of each
and whether the warehouse has that period."""


@dataclass(frozen=True)
class Plan:
    """Which parts the warehouse should hold.

    Attributes:
        accepted: One part for each slot; no two slots overlap.
        replaced: Parts whose period another export tells of.
        overlapping: Parts left out because of the other one, whose period overlaps theirs.
    """

    accepted: Sequence[Part]
    replaced: Sequence[Part]
    overlapping: Sequence[tuple[Part, Part]]


def plan(parts: Iterable[Part], policy: str) -> Plan:
    """The same answer in whatever order the parts come.

    For one period the newest export counts. Of periods that overlap without being the same, the
    policy says which one counts; their rows are never added up.
    """
    parts = list(parts)
    by_source: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        by_source[part.source_name].append(part)
    former = {part for part in parts if _is_former_version(part, by_source[part.source_name])}
    replaced = [part for part in parts if part in former]
    by_slot: dict[Slot, list[Part]] = defaultdict(list)
    for part in parts:
        if part not in former:
            by_slot[part.slot].append(part)
    in_order = []
    for rivals in by_slot.values():
        *older, newest = sorted(rivals, key=lambda part: part.age_order)
        replaced += older
        has_place = any(part.is_loaded for part in rivals)
        in_order.append((POLICIES[policy](newest, has_place), newest))
    accepted: list[Part] = []
    overlapping = []
    for _, part in sorted(in_order, key=lambda entry: entry[0]):
        rival = next((other for other in accepted if other.slot.overlaps(part.slot)), None)
        if rival is None:
            accepted.append(part)
        else:
            overlapping.append((part, rival))
    return Plan(accepted, replaced, overlapping)


def _is_former_version(part: Part, of_source: Sequence[Part]) -> bool:
    """The file was written anew since, or the API asked anew, and tells of these days again."""
    return part.is_loaded and any(
        other.file_hash != part.file_hash
        and not other.is_loaded
        and (other.slot == part.slot or _same_days(other.slot, part.slot))
        for other in of_source
    )


def _same_days(slot: Slot, other: Slot) -> bool:
    """They overlap, also where one of them, an empty answer, does not say which workspace."""
    if "" in (slot.org_id, other.org_id):
        slot, other = slot._replace(org_id=""), other._replace(org_id="")
        return slot == other or slot.overlaps(other)
    return slot.overlaps(other)


def months_to_ask(today: date, read: Mapping[date, date], revision_days: int) -> list[date]:
    """First days of the ended months, newest first, that the API may have more to say about.

    A month that began more than 12 months ago is not exported whole any more.

    Args:
        read: Month -> the day on which it was last exported.
        revision_days: How long after its end a month may still change.
    """
    months = []
    month = _month_before(today)
    while month >= _a_year_before(today):
        settled = last_day(month) + timedelta(days=revision_days)
        if month not in read or read[month] <= settled:
            months.append(month)
        month = _month_before(month)
    return months


def _month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def _a_year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return date(day.year - 1, 3, 1)


def last_day(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
