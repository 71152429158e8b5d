"""Why a run bills closed months otherwise than is published: each cause, and what it moves.

One input after the other is set back to what it was when the marts were published last, on a copy
of the warehouse, and the bill is built again: what comes back is what that input moved.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pipelines.closing.moved import Bills, Moved, bills, moved, of_pools
from pipelines.closing.trial import trial
from pipelines.data_dir import DataDir
from pipelines.raw_tables import warehouse_pipeline
from pipelines.warehouse import warehouse_of
from pipelines.warehouse.base import MARTS_SCHEMA
from sources.ledger import store
from sources.reference_files import earlier_rows

ONLY_BILL = ",+chargeback_monthly"
"""Of what dbt's selectors name, what the bill is built from."""
SETTINGS = ("int_chargeback_settings+,+chargeback_monthly",)
COST = tuple(
    f"{model}+{ONLY_BILL}" for model in ("int_spend_by_department", "int_chargeback_pools")
)
RESTATED = "cost that was restated"
PEOPLE = "people and seats (roster, addresses, use)"

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What one input moved of each closed month. `is_cost`: the vendor restated it."""

    name: str
    moves: Sequence[Moved]
    is_cost: bool = False


def causes(
    data_dir: DataDir,
    before: Bills,
    *,
    files: Mapping[str, Rows],
    variables: Mapping[str, str],
    earlier: Mapping[str, str],
) -> list[Cause]:
    """What moves the bills of closed months from what they were `before` to what is built.

    `files` are reference files that changed since, with their earlier rows; `earlier` are the
    variables of that time.
    """
    with trial(data_dir) as copy:
        found = list(_causes(copy, before, files, variables, earlier))
    return [cause for cause in found if cause.moves]


def _causes(
    copy: DataDir,
    before: Bills,
    files: Mapping[str, Rows],
    variables: Mapping[str, str],
    earlier: Mapping[str, str],
) -> Iterator[Cause]:
    warehouse = warehouse_of(copy)
    now = _bills(copy)
    used = dict(variables)

    def step(name: str, select: Sequence[str], *, is_cost: bool = False) -> Cause:
        nonlocal now
        warehouse.build(used, select, tests=False)
        then = _bills(copy)
        cause = Cause(name=name, moves=moved(then, now), is_cost=is_cost)
        now = then
        return cause

    for table, rows in files.items():
        pipeline = warehouse_pipeline(copy)
        pipeline.sync_destination()
        store(pipeline, earlier_rows(table, rows))
        yield step(table, (f"source:claude_raw.{table}+{ONLY_BILL}",))
    changed = {name: value for name, value in earlier.items() if used.get(name) != value}
    if changed:
        used |= changed
        yield step("settings", SETTINGS)
    if moved(before, now) and warehouse.take_published("spend_daily"):
        yield step(RESTATED, COST, is_cost=True)
    unexplained = moved(of_pools(before, "unexplained"), of_pools(now, "unexplained"))
    yield Cause(name="what the total has beyond its rows", moves=unexplained, is_cost=True)
    others = ("metered", "shared", "seats")
    yield Cause(name=PEOPLE, moves=moved(of_pools(before, *others), of_pools(now, *others)))


def _bills(data_dir: DataDir) -> Bills:
    with warehouse_of(data_dir).read() as stored:
        return bills(stored, MARTS_SCHEMA)


def sentences(found: Sequence[Cause], total: Sequence[Moved], most: Fraction) -> list[str]:
    """A paragraph for each month that moves more than `most` of its bill, or by another cause than
    cost that was restated."""
    told = []
    for month in total:
        parts = [
            (cause, move) for cause in found for move in cause.moves if move.month == month.month
        ]
        is_small = month.usd <= Decimal(most.numerator) / most.denominator * month.bill_usd
        if is_small and all(cause.is_cost for cause, _ in parts):
            continue
        lines = [f"  {cause.name}: {move}" for cause, move in parts]
        told.append(
            "\n".join(
                [
                    f"The closed {month.month:%Y-%m} is corrected: {month}{month.part}. It stays "
                    "as it is; the first open month is charged the difference.",
                    *lines,
                    f"  {_advice([cause for cause, _ in parts])}",
                ]
            )
        )
    return told


def _advice(found: Sequence[Cause]) -> str:
    if all(cause.is_cost for cause in found):
        return "The API restated it; nothing is to be done."
    return (
        "If a file or a setting is not meant so, put it right and run again: nothing stays of it. "
        "What changes from a day on gets a line of its own with that valid_from."
    )
