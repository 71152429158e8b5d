"""Why use cost more or less than the month before: a sentence per rise, and parts that add up."""

from datetime import timedelta
from decimal import Decimal

from pipelines.reading import wording
from pipelines.reading.wording import Unit
from pipelines.report.changes import Step, in_cents
from pipelines.report.context import Context, definitions
from pipelines.report.parts import Amount, Part, Signed, Statement, Table
from pipelines.warehouse.base import Row

MART = "spend_changes_monthly"
PARTS = {
    "volume_usd": "Volume",
    "model_mix_usd": "Mix of models",
    "product_mix_usd": "Mix of products",
    "output_share_usd": "Share of answers",
    "cache_usd": "Cache",
    "long_context_usd": "Long context",
    "fast_mode_usd": "Fast mode",
    "region_usd": "Region",
    "service_tier_usd": "Service tier",
    "price_usd": "Prices and discounts",
    "not_tokens_usd": "Searches, code execution and credits",
    "unexplained_usd": "Not told apart",
}
HOW = (
    "Each part is what a month's tokens would cost at the prices of the month before, told apart "
    "by one more property, less the same without it; so the parts add up."
)
MOST_MONTHS = 6


def drivers(context: Context) -> list[Part]:
    """The newest months' use beside that of the months before them."""
    served = context.served
    if not served.has(MART, "month", "previous_spend_usd", "spend_usd", *PARTS):
        return []
    months = served.rows(f"select * from {MART} order by month desc limit {MOST_MONTHS}")
    if not months:
        return []
    newest, *_ = months
    parts = [steps(row) for row in months]
    sizes = [{step.why: step.size for step in each} for each in parts]
    told = [why for why in PARTS.values() if any(why in each for each in sizes)]
    rises = [
        sentence(row, each)
        for row, each in zip(months, parts, strict=True)
        if row["spend_usd"] > row["previous_spend_usd"]
    ]
    change = wording.change(
        newest["spend_usd"], newest["previous_spend_usd"], Unit.USD, _month_before(newest)
    )
    most = f", most of all by {_size(parts[0][0])}" if parts[0] else ""
    return [
        Statement(
            title=f"Use in {wording.month(newest['month'])} cost {change}{most}",
            text=" ".join([*rises, HOW]),
            table=Table(
                caption="Why use cost more or less, by month",
                by_month=True,
                columns=["", *(f"{row['month']:%b %Y}" for row in months)],
                rows=[
                    [
                        "Use in the month before",
                        *(Amount(row["previous_spend_usd"], Unit.USD) for row in months),
                    ],
                    *(
                        [why, *(Signed(each.get(why, Decimal(0)), Unit.USD) for each in sizes)]
                        for why in told
                    ),
                    ["Use", *(Amount(row["spend_usd"], Unit.USD) for row in months)],
                ],
            ),
            definitions=definitions(served, MART, PARTS),
        )
    ]


def steps(row: Row) -> list[Step]:
    """The parts of a month's change that are not 0, in cents, the largest first."""
    found = [Step(why, row[column]) for column, why in PARTS.items() if row[column]]
    found.sort(key=lambda step: -abs(step.size))
    return in_cents(found, row["previous_spend_usd"], row["spend_usd"])


def sentence(row: Row, parts: list[Step]) -> str:
    """`Use cost $20.00 more in June 2026 than in May: volume +$25.00 and cache −$5.00.`"""
    rise = row["spend_usd"] - row["previous_spend_usd"]
    listed = wording.listed([_size(step) for step in parts], most=len(PARTS))
    return (
        f"Use cost {wording.number(rise, Unit.USD)} more in {wording.month(row['month'])} than in "
        f"{_month_before(row)}: {listed}."
    )


def _size(step: Step) -> str:
    return f"{step.why[0].lower()}{step.why[1:]} {Signed(step.size, Unit.USD)}"


def _month_before(row: Row) -> str:
    return f"{row['month'] - timedelta(days=1):%B}"
