"""What the next run would change by files and settings, tried on a copy: nothing of it is kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.closing import unpublished
from pipelines.closing.announced import announced, before
from pipelines.closing.explained import ONLY_BILL, SETTINGS
from pipelines.closing.trial import trial
from pipelines.data_dir import DataDir
from pipelines.doubts import QUERY, known_doubts
from pipelines.people.name_keys import store_name_keys
from pipelines.raw_tables import create_absent_tables, finish_pending, warehouse_pipeline
from pipelines.run import all_settings, session
from pipelines.used_settings import used_settings
from pipelines.warehouse import held_by, warehouse_of
from sources.doubts import Alike, Doubt, Doubts, Known, is_same
from sources.ledger import stored
from sources.reference_files.source import SOURCE
from sources.session import Clock


@dataclass(kw_only=True)
class Preview:
    """What a run would say: of what changes, were it all accepted, and of what it would refuse."""

    words: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class _Believed(Doubts):
    """Takes for true what a run would refuse, so that it can be said what it moves."""

    def __init__(self, known: Mapping[str, Known], now: datetime) -> None:
        super().__init__(known, now)
        self.believed: list[Doubt] = []

    def allows(self, doubt: Doubt, alike: Alike = is_same) -> bool:
        if not super().allows(doubt, alike):
            self.believed.append(doubt)
        return True


def preview(data_dir: DataDir, clock: Clock) -> Preview:
    """Load the files and build the bill with them, on a copy of the warehouse.

    Raises:
        ForeseenError: There is no warehouse yet, it cannot be copied, or a model failed.
    """
    given = all_settings()[SOURCE.name]
    if broken := list(SOURCE.refusals(given)):
        return Preview(problems=broken)
    is_held = held_by(data_dir) is not None
    with trial(data_dir) as copy:
        pipeline = warehouse_pipeline(copy)
        finish_pending(pipeline)
        pipeline.sync_destination()
        create_absent_tables(pipeline)
        doubts = _Believed(known_doubts(stored(pipeline, QUERY)), clock.now)
        used = used_settings(pipeline, doubts)
        now = session(copy, clock, pipeline, doubts)
        warehouse = warehouse_of(copy)
        with warehouse.read() as built:
            is_built = built.has("claude_marts.chargeback_monthly")
        if is_held or not is_built:
            # What a run beside this one has loaded is none of the files' doing.
            store_name_keys(pipeline)
            warehouse.build(used.earlier or used.variables, ["+chargeback_monthly"], tests=False)
        report = SOURCE.load(now, given)
        store_name_keys(pipeline)
        was = before(copy, used, clock.today)
        select = list(_selected(copy, has_settings=bool(used.changes)))
        if select:
            warehouse.build(used.variables, select, tests=False)
        words = list(announced(copy, was, report.changes, used, clock.today)) if select else []
    names = {doubt.what for doubt in doubts.believed}
    refused = [known.text for known in doubts.open if known.doubt.what in names]
    return Preview(words=words, problems=[*refused, *report.problems])


def _selected(copy: DataDir, *, has_settings: bool) -> Iterator[str]:
    for table in unpublished.kept(copy):
        yield f"source:claude_raw.{table}+{ONLY_BILL}"
    if has_settings:
        yield from SETTINGS
