"""The metrics of the semantic layer as SQL, and the datasets that they are measured on.

A metric is asked of one dataset: a mart, or, for a ratio of two marts, what both have of each
period.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.dictionary.marts import Mart, marts_of
from pipelines.warehouse.base import MARTS_SCHEMA, identifier

MONEY = "_usd"
SHARE, COUNT, DOLLARS = ".1%", ",d", "$,.2f"
"""How numbers are shown, as d3 writes it."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of the semantic layer on one dataset.

    Attributes:
        sql: An aggregate over its rows.
        only_by: Columns of which a chart has to show each value for itself: over several of
            them the metric is null.
        adds_up: Whether parts of it may be added up.
    """

    name: str
    label: str
    description: str
    sql: str
    shown_as: str
    only_by: Sequence[str] = ()
    adds_up: bool = False


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What charts are drawn from.

    Attributes:
        period: The column of its days or months.
        grain: day or month.
        sql: The query that it is; None: it is the mart of its name.
        columns: Column -> description.
    """

    name: str
    description: str
    period: str
    grain: str
    columns: Mapping[str, str]
    sql: str | None = None
    metrics: dict[str, Metric] = field(default_factory=dict)


def datasets_of(manifest: str) -> list[Dataset]:
    """Every dataset with the metrics that dbt's manifest declares on it."""
    read = json.loads(manifest)
    marts = {mart.name: mart for mart in marts_of(manifest)}
    declared = {each["name"]: each for each in read["metrics"].values()}
    datasets: dict[str, Dataset] = {}
    of_metric: dict[str, str] = {}
    for model in read["semantic_models"].values():
        if not model["measures"]:
            continue
        dataset = _of_mart(model, marts[model["node_relation"]["alias"]])
        datasets[dataset.name] = dataset
        measures = {each["name"]: each for each in model["measures"]}
        for name, metric in declared.items():
            measure = measures.get((metric["type_params"]["measure"] or {}).get("name"))
            if metric["type"] == "simple" and measure:
                dataset.metrics[name] = _simple(metric, measure, dataset, marts[dataset.name].key)
                of_metric[name] = dataset.name
    for name, metric in declared.items():
        if metric["type"] != "ratio":
            continue
        parts = [metric["type_params"][part]["name"] for part in ("numerator", "denominator")]
        homes = [datasets[of_metric[part]] for part in parts]
        home = homes[0]
        if homes[0] is not homes[1]:
            home = datasets[name] = _of_both(metric, parts, homes)
        home.metrics[name] = _ratio(metric, *(home.metrics[part] for part in parts))
    return list(datasets.values())


def _of_mart(model: Mapping[str, Any], mart: Mart) -> Dataset:
    [period] = [
        each
        for each in model["dimensions"]
        if each["name"] == model["defaults"]["agg_time_dimension"]
    ]
    return Dataset(
        name=mart.name,
        description=mart.description,
        period=period["expr"] or period["name"],
        grain=period["type_params"]["time_granularity"],
        columns={each.name: each.description for each in mart.columns},
    )


def _simple(
    metric: Mapping[str, Any], measure: Mapping[str, Any], dataset: Dataset, key: Sequence[str]
) -> Metric:
    """A measure as it is declared.

    Raises:
        NotImplementedError: It is of a kind that no measure of ours was.
    """
    expression = measure["expr"] or measure["name"]
    others: list[str] = []
    if measure["agg"] == "count_distinct":
        sql = f"count(distinct {expression})"
    elif measure["agg"] != "sum":
        raise NotImplementedError(measure["agg"])
    elif measure["non_additive_dimension"]:
        # That of the newest period, also where it is unknown: one row has it, if the chart shows
        # each value of the key's other columns for itself.
        others = [column for column in key if column != dataset.period]
        sql = _newest(expression, dataset.period)
        if others:
            alone = " and ".join(f"count(distinct {column}) = 1" for column in others)
            sql = f"case when {alone} then {sql} end"
    else:
        sql = f"sum({expression})"
    return Metric(
        name=metric["name"],
        label=metric["label"],
        description=metric["description"],
        sql=sql,
        shown_as=DOLLARS if expression.endswith(MONEY) else COUNT,
        only_by=others,
        adds_up=sql == f"sum({expression})",
    )


def _newest(expression: str, period: str) -> str:
    return f"(array_agg({expression} order by {period} desc))[1]"


def _ratio(metric: Mapping[str, Any], numerator: Metric, denominator: Metric) -> Metric:
    return Metric(
        name=metric["name"],
        label=metric["label"],
        description=metric["description"],
        sql=f"1.0 * {numerator.sql} / nullif({denominator.sql}, 0)",
        shown_as=DOLLARS if numerator.shown_as == DOLLARS else SHARE,
    )


def _of_both(metric: Mapping[str, Any], parts: Sequence[str], homes: Sequence[Dataset]) -> Dataset:
    """A row per period that either of them has, with both metrics of it."""
    sides = [
        f"select {home.period} as period, {home.metrics[part].sql} as {part} "
        f"from {MARTS_SCHEMA}.{identifier(home.name)} group by {home.period}"
        for part, home in zip(parts, homes, strict=True)
    ]
    period = homes[0].period
    both = Dataset(
        name=metric["name"],
        description=metric["description"],
        period=period,
        grain=homes[0].grain,
        columns={
            period: homes[0].columns[period],
            **{
                part: home.metrics[part].description
                for part, home in zip(parts, homes, strict=True)
            },
        },
        sql=f"select coalesce(a.period, b.period) as {period}, {', '.join(parts)}\n"
        f"from ({sides[0]}) as a\n"
        f"full join ({sides[1]}) as b on a.period = b.period",
    )
    for part, home in zip(parts, homes, strict=True):
        of_mart = home.metrics[part]
        sql = f"sum({part})" if of_mart.adds_up else _newest(part, period)
        both.metrics[part] = Metric(
            name=part,
            label=of_mart.label,
            description=of_mart.description,
            sql=sql,
            shown_as=of_mart.shown_as,
            adds_up=of_mart.adds_up,
        )
    return both
