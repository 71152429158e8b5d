"""What a build moves that was settled: bills of closed months, and people in days that are past."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pipelines.reading import wording
from pipelines.warehouse.base import MARTS_SCHEMA, Reading
from sources.days import FIRST_DAY
from sources.typed_files.keys import name_key

NOTHING = Decimal(0)
Line = tuple[str, str, str]
"""Cost pool, department and cost center."""
Bills = Mapping[date, Mapping[Line, Decimal]]
"""Closed month -> what each line is billed of it, corrections in later months included."""
Places = Mapping[str, Sequence[tuple[date, date, str, str]]]
"""Person -> periods of days that are past, and department and cost center in each."""

BILLS = """
    select
        coalesce(corrected_month, month) as month,
        cost_pool,
        department,
        cost_center,
        cast(sum(amount_usd) as decimal(38, 8)) as usd
    from {schema}.chargeback_monthly
    where (is_closed or corrected_month is not null) and amount_usd is not null
    group by coalesce(corrected_month, month), cost_pool, department, cost_center
"""
PLACES = """
    select user_id, valid_from_date, valid_until_date, department, cost_center
    from claude_staging.int_department_periods
    where valid_from_date <= $today and valid_until_date > $first
    order by user_id, valid_from_date
"""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What moves of a closed month's bill: what lines get, what others lose, and the bill before.

    `bill_usd` may be 0 or negative.
    """

    month: date
    up_usd: Decimal
    down_usd: Decimal
    bill_usd: Decimal

    @property
    def usd(self) -> Decimal:
        return max(self.up_usd, self.down_usd)

    @property
    def net_usd(self) -> Decimal:
        return self.up_usd - self.down_usd

    def __str__(self) -> str:
        net = self.net_usd
        if not net:
            return f"{_usd(self.usd)} move between departments"
        more = f"{_usd(abs(net))} {'more' if net > 0 else 'less'} in all"
        return more if self.usd == abs(net) else f"{_usd(self.usd)} move, {more}"

    @property
    def part(self) -> str:
        """Of the month's bill, in words."""
        if self.bill_usd <= 0:
            return ""
        return f" ({self.usd / self.bill_usd:.1%} of its bill)".replace("%", " %")


def _usd(amount: Decimal) -> str:
    """Dollars and cents; what is less than a cent with all its digits."""
    if abs(amount) < Decimal("0.01"):
        return wording.exact_usd(amount)
    return wording.number(amount, wording.Unit.USD)


def bills(reading: Reading, schema: str | None = None) -> Bills:
    """Of closed months; in the published marts unless a schema is named."""
    mart = f"{schema}.chargeback_monthly" if schema else "chargeback_monthly"
    if not reading.has(mart, "is_closed", "corrected_month"):
        return {}
    found: dict[date, dict[Line, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in reading.rows(BILLS.format(schema=schema or MARTS_SCHEMA)):
        line = row["cost_pool"], _key(row["department"]), _key(row["cost_center"])
        found[row["month"]][line] += row["usd"]
    return found


def _key(name: str | None) -> str:
    return name_key(name) if name else ""


def moved(before: Bills, now: Bills) -> list[Moved]:
    """Of each month that is closed in both and is billed otherwise."""
    found = []
    for month in sorted(before.keys() & now.keys()):
        changes = [
            now[month].get(line, NOTHING) - before[month].get(line, NOTHING)
            for line in before[month].keys() | now[month].keys()
        ]
        if any(changes):
            found.append(
                Moved(
                    month=month,
                    up_usd=sum((each for each in changes if each > 0), NOTHING),
                    down_usd=-sum((each for each in changes if each < 0), NOTHING),
                    bill_usd=sum(before[month].values(), NOTHING),
                )
            )
    return found


def of_pools(bills_: Bills, *pools: str) -> Bills:
    """The lines of these pools."""
    return {
        month: {line: usd for line, usd in lines.items() if line[0] in pools}
        for month, lines in bills_.items()
    }


def places(reading: Reading, today: date) -> Places:
    """Where people were, as it was built last."""
    if not reading.has("claude_staging.int_department_periods"):
        return {}
    found: dict[str, list[tuple[date, date, str, str]]] = defaultdict(list)
    end = today + timedelta(days=1)
    for row in reading.rows(PLACES, today=today, first=FIRST_DAY):
        first = max(row["valid_from_date"], FIRST_DAY)
        until = min(row["valid_until_date"], end)
        where = _key(row["department"]), _key(row["cost_center"])
        periods = found[row["user_id"]]
        if periods and periods[-1][1:] == (first, *where):
            first = periods.pop()[0]
        periods.append((first, until, *where))
    return found


def people_moved(before: Places, now: Places) -> int:
    """How many people were elsewhere on some day that is past than was known."""
    return sum(list(before[who]) != list(now[who]) for who in before.keys() & now.keys())


def told(moves: Iterable[Moved]) -> str:
    """The months and what moves in each, in one line."""
    return "; ".join(f"closed {each.month:%Y-%m}: {each}{each.part}" for each in moves)


def rows_of(reading: Reading, table: str) -> list[dict[str, Any]]:
    """All rows of a raw table; none where it is not there."""
    return (
        reading.rows(f"select * from claude_raw.{table}")
        if reading.has(f"claude_raw.{table}")
        else []
    )
