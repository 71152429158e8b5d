"""Spending: what use costs by product and model, and what the running month will cost."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pipelines.reading import wording
from pipelines.reading.wording import Unit
from pipelines.report import ChartName, charts
from pipelines.report.context import MOST_BARS, Context, definitions, needs
from pipelines.report.parts import Absent, Amount, Figure, Part, Table
from pipelines.warehouse.base import Row

MODEL_COLOURS = (charts.C1, charts.C2, charts.C3)
OTHER_MODELS = "Other models"
WITHOUT = "None named"


def by_product(context: Context) -> list[Part]:
    """What the use of each product costs, by model."""
    served, mart = context.served, "spend_daily"
    absent = needs(served, "Use by product", mart, "activity_date", "product", "model", "spend_usd")
    if absent:
        return absent
    month = _newest_month(context)
    counts = [c for c in ("request_count", "output_tokens") if served.has(mart, c)]
    rows = served.rows(
        f"""
        select
            product,
            model,
            {"".join(f"cast(sum({column}) as bigint) as {column}, " for column in counts)}
            cast(sum(spend_usd) as decimal(38, 8)) as spend_usd
        from {context.of(mart)}
        where date_trunc('month', activity_date) = cast($month as date)
        group by product, model
        order by spend_usd desc, product, model
        """,
        month=month,
    )
    rows = [row for row in rows if row["spend_usd"] is not None]
    whole = sum(row["spend_usd"] for row in rows)
    if not month or whole <= 0:
        return [Absent("Use by product and model: nothing beyond the seats was spent.")]
    products = _sums(rows, "product")
    models = _sums(rows, "model")
    dearest = list(models)[: len(MODEL_COLOURS)]
    colours = dict(zip(dearest, MODEL_COLOURS, strict=False))
    if len(models) > len(dearest):
        colours[OTHER_MODELS] = charts.SOFT
    shown = list(products)[:MOST_BARS]
    parts: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        model = _named(row["model"])
        key = (_called(row["product"]), model if model in dearest else OTHER_MODELS)
        parts[key] = parts.get(key, Decimal(0)) + row["spend_usd"]

    def share(value: Decimal) -> str:
        return wording.number(value / whole, Unit.RATE)

    first, model = shown[0], dearest[0]
    of = wording.month(month)
    note = "" if len(products) <= MOST_BARS else f" The first {MOST_BARS} of {len(products)}."
    return [
        Figure(
            name=ChartName.SPEND,
            title=(
                f"{first} causes {share(products[first])} of what use cost in {of}; "
                f"{model} is the model with most, {share(models[model])}"
            ),
            caption=(
                f"What use beyond the seats cost in {of}, by product and model: "
                f"{wording.number(whole, Unit.USD)} in all.{note}"
            ),
            chart=charts.stacked_bars(
                [
                    {
                        "title": product,
                        "name": product,
                        "kind": model,
                        "value": float(value),
                        "text": wording.number(value, Unit.USD),
                        "order": list(colours).index(model),
                        "opacity": 1,
                    }
                    for (product, model), value in parts.items()
                    if product in shown
                ],
                [
                    {
                        "name": product,
                        "value": float(products[product]),
                        "text": f"{wording.number(products[product], Unit.USD, short=True)} "
                        f"({share(products[product])})",
                    }
                    for product in shown
                ],
                colours=colours,
                tooltip={"title": "title", "kind": "Model", "text": "Amount"},
            ),
            table=Table(
                caption=f"What use cost in {of}, by product and model",
                columns=["Product", "Model", "Amount", *(wording.label(c) for c in counts)],
                rows=[
                    [
                        _called(row["product"]),
                        _named(row["model"]),
                        Amount(row["spend_usd"], Unit.USD),
                        *(row[column] for column in counts),
                    ]
                    for row in rows
                ],
                most=100,
            ),
            definitions=definitions(
                served, mart, {"spend_usd": "Amount", "product": "Product", "model": "Model"}
            ),
        )
    ]


def _newest_month(context: Context) -> date | None:
    """The month that the bill is told of, else the newest with spend."""
    bill = context.headlines.get("bill")
    if bill and bill.at:
        return bill.at
    row = context.served.row("select max(activity_date) as newest from spend_daily")
    newest: date | None = row["newest"] if row else None
    return newest.replace(day=1) if newest else None


def _sums(rows: list[Row], column: str) -> dict[str, Decimal]:
    """Name -> what it cost, the dearest first."""
    name = _called if column == "product" else _named
    found: dict[str, Decimal] = {}
    for row in rows:
        key = name(row[column])
        found[key] = found.get(key, Decimal(0)) + row["spend_usd"]
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _called(product: str | None) -> str:
    return wording.label(product) if product else WITHOUT


def _named(model: str | None) -> str:
    return model or WITHOUT


def forecast(context: Context) -> list[Part]:
    """What the running month is expected to cost, with its range and its budget."""
    served, mart = context.served, "spend_forecast_monthly"
    columns = ("spent_usd", "seat_fees_usd", "expected_usd", "expected_low_usd")
    absent = needs(
        served,
        "Forecast",
        mart,
        "month",
        "cost_center",
        *columns,
        "expected_high_usd",
        "budget_usd",
    )
    if absent:
        return absent
    rows = served.rows(
        f"""
        select * from {mart}
        where month = (select max(month) from {mart} where expected_usd is not null)
            and expected_usd is not null
        order by expected_usd desc, cost_center
        """
    )
    if not rows:
        return [
            Absent("Forecast: it takes a week of cost, with a working day and another one in it.")
        ]
    sums = {
        column: sum(row[f"{column}_usd"] for row in rows)
        for column in ("expected", "expected_low", "expected_high")
    }
    # A part without a budget is in no budget: the sum is compared over those that have one.
    with_budget = [row for row in rows if row["budget_usd"] is not None]
    month, as_of = wording.month(rows[0]["month"]), wording.day(rows[0]["as_of_date"])
    title = f"{month} is expected to cost {wording.number(sums['expected'], Unit.USD, short=True)}"
    title += f"{_against(with_budget)}"
    low, high = (
        wording.number(sums[f"expected_{end}"], Unit.USD, short=True) for end in ("low", "high")
    )
    caption = (
        f"By cost center, as of {as_of}: what is spent so far and the month's seat fees, and, "
        f"paler, what the days to come are expected to cost. The thin line is the range that holds "
        f"90 of 100 months; all ranges together reach from {low} to {high}."
    )
    if with_budget:
        caption += " The upright mark is the budget."
    else:
        caption += " No budget is given: [sources.reference_files] budgets."
    shown = rows[:MOST_BARS]
    return [
        Figure(
            name=ChartName.FORECAST,
            title=title,
            caption=caption,
            chart=charts.expectations(
                [_bar(row) for row in shown],
                tooltip={
                    "title": "title",
                    "spent_text": "So far, with the month's seats",
                    "expected_text": "Expected",
                    "range": "Range",
                    "budget_text": "Budget",
                },
            ),
            table=Table(
                caption=f"Forecast of {month} by cost center",
                columns=[
                    "Cost center",
                    "Use so far",
                    "Seat fees",
                    "Expected",
                    "At least",
                    "At most",
                    "Budget",
                ],
                rows=[
                    [
                        row["cost_center"] or WITHOUT,
                        *(
                            Amount(row[column], Unit.USD)
                            for column in (*columns, "expected_high_usd", "budget_usd")
                        ),
                    ]
                    for row in rows
                ],
            ),
            definitions=definitions(
                served,
                mart,
                {
                    "spent_usd": "Use so far",
                    "expected_usd": "Expected",
                    "expected_low_usd": "At least",
                    "expected_high_usd": "At most",
                    "budget_usd": "Budget",
                },
            ),
        )
    ]


def _bar(row: Row) -> Mapping[str, Any]:
    so_far = (row["spent_usd"] or 0) + (row["seat_fees_usd"] or 0)
    ends = [
        row[c] for c in ("expected_usd", "expected_high_usd", "budget_usd") if row[c] is not None
    ]
    low, high = row["expected_low_usd"], row["expected_high_usd"]
    return {
        "title": row["cost_center"] or WITHOUT,
        "name": row["cost_center"] or WITHOUT,
        "spent": so_far,
        "expected": row["expected_usd"],
        "low": low,
        "high": high,
        "budget": row["budget_usd"],
        "end": max(ends),
        "text": wording.number(row["expected_usd"], Unit.USD, short=True),
        "spent_text": wording.number(so_far, Unit.USD),
        "expected_text": wording.number(row["expected_usd"], Unit.USD),
        "range": "not known"
        if low is None or high is None
        else f"{wording.number(low, Unit.USD)} to {wording.number(high, Unit.USD)}",
        "budget_text": "none"
        if row["budget_usd"] is None
        else wording.number(row["budget_usd"], Unit.USD),
    }


def _against(rows: list[Row]) -> str:
    """How what is expected compares with the budgets, of the cost centers that have one."""
    if not rows:
        return ""
    budget = sum(row["budget_usd"] for row in rows)
    apart = sum(row["expected_usd"] for row in rows) - budget
    over = [row for row in rows if row["expected_usd"] > row["budget_usd"]]
    size = wording.number(abs(apart), Unit.USD, short=True)
    whole = wording.number(budget, Unit.USD, short=True)
    text = f", {size} {'over' if apart > 0 else 'below'} the budget of {whole}"
    if over:
        names = wording.listed([row["cost_center"] or WITHOUT for row in over])
        text += f"; over theirs: {names}"
    return text
