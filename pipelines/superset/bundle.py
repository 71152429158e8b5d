"""Writes the dashboards in the form of Superset's own export: YAML files in a zip file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pyarrow as pa
import yaml

from pipelines.files.outputs import replaced
from pipelines.superset.charts import DASHBOARDS, Chart, Dashboard, Kind
from pipelines.superset.measures import Dataset, datasets_of
from pipelines.warehouse.base import MARTS_SCHEMA, Reading, identifier

WHAT = "The dashboards"
DATABASE = "Claude usage"
FORM = "1.0.0"
WRITTEN = "2026-01-01T00:00:00+00:00"
"""When each file says that it was written: the same dashboards are the same bytes."""
GRAINS = {"day": "P1D", "week": "P1W", "month": "P1M"}
ANY_TIME = "No filter"
NUMBER_HEIGHT, CHART_HEIGHT, TEXT_HEIGHT = 24, 46, 8
"""In Superset's units of 8 pixels."""
COLOURS = "supersetColors"

Content = dict[str, Any]


def write(manifest: str, served: Reading, address: str, out: Path) -> tuple[int, int]:
    """One zip file that Superset imports; says how many dashboards and charts are in it.

    `address` is how Superset reaches the marts, as SQLAlchemy writes it.

    Raises:
        ForeseenError: The file cannot be written.
    """
    datasets = datasets_of(manifest)
    contents = bundle(datasets, {each.name: _types(served, each) for each in datasets}, address)
    with replaced(out, WHAT) as file, ZipFile(file, "w", ZIP_DEFLATED) as parts:
        for name, content in contents.items():
            text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
            parts.writestr(ZipInfo(f"claude_usage/{name}"), text, ZIP_DEFLATED)
    return len(DASHBOARDS), sum(len(each.charts) for each in DASHBOARDS)


def bundle(
    datasets: Sequence[Dataset], types: Mapping[str, Mapping[str, str]], address: str
) -> dict[str, Content]:
    """File name -> what is in it. `types` are each dataset's columns with their types in SQL."""
    used = {_home(chart, datasets).name for each in DASHBOARDS for chart in each.charts}
    contents: dict[str, Content] = {
        "metadata.yaml": {"version": FORM, "timestamp": WRITTEN},
        f"databases/{_file(DATABASE)}.yaml": _database(address),
    }
    for dataset in datasets:
        if dataset.name in used:
            name = f"datasets/{_file(DATABASE)}/{dataset.name}.yaml"
            contents[name] = _dataset(dataset, types[dataset.name])
    for dashboard in DASHBOARDS:
        for chart in dashboard.charts:
            contents[f"charts/{_file(_key(dashboard, chart))}.yaml"] = _chart(
                dashboard, chart, _home(chart, datasets)
            )
        contents[f"dashboards/{dashboard.name}.yaml"] = _dashboard(dashboard, datasets)
    return contents


def _home(chart: Chart, datasets: Sequence[Dataset]) -> Dataset:
    """The first dataset that has all of the chart's metrics."""
    return next(each for each in datasets if each.metrics.keys() >= set(chart.metrics))


def _id(*names: str) -> str:
    """The same for the same thing in every bundle: what is imported again replaces it."""
    return str(uuid5(NAMESPACE_URL, "/".join(("claude-warehouse", "superset", *names))))


def _key(dashboard: Dashboard, chart: Chart) -> str:
    return f"{dashboard.name} {chart.title}"


def _file(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").lower()


def _types(served: Reading, dataset: Dataset) -> dict[str, str]:
    source = f"({dataset.sql}) as dataset" if dataset.sql else identifier(dataset.name)
    schema = served.batches(f"select * from {source} limit 0").schema
    return {field.name: _type(field.type) for field in schema}


def _type(kind: pa.DataType) -> str:
    """A column's type as Superset sorts it into numbers, texts, days and flags."""
    if pa.types.is_decimal(kind):
        return "DECIMAL"
    if pa.types.is_integer(kind):
        return "BIGINT"
    if pa.types.is_floating(kind):
        return "DOUBLE"
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if pa.types.is_date(kind):
        return "DATE"
    return "TIMESTAMP" if pa.types.is_timestamp(kind) else "VARCHAR"


def _database(address: str) -> Content:
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": address,
        "cache_timeout": 0,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {"allows_virtual_table_explore": True},
        "uuid": _id("database"),
        "version": FORM,
    }


def _dataset(dataset: Dataset, types: Mapping[str, str]) -> Content:
    return {
        "table_name": dataset.name,
        "main_dttm_col": dataset.period,
        "description": dataset.description,
        "schema": MARTS_SCHEMA,
        "sql": dataset.sql,
        "filter_select_enabled": True,
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "uuid": _id("dataset", dataset.name),
        "metrics": [
            {
                "metric_name": each.name,
                "verbose_name": each.label,
                "metric_type": None,
                "expression": each.sql,
                "description": each.description,
                "d3format": each.shown_as,
            }
            for each in dataset.metrics.values()
        ],
        "columns": [
            {
                "column_name": name,
                "verbose_name": _words(name),
                "is_dttm": types[name] in ("DATE", "TIMESTAMP"),
                "is_active": True,
                "type": types[name],
                "groupby": True,
                "filterable": True,
                "expression": None,
                "description": description,
            }
            for name, description in dataset.columns.items()
        ],
        "version": FORM,
        "database_uuid": _id("database"),
    }


def _words(name: str) -> str:
    money = name.removesuffix("_usd")
    words = money.replace("_", " ").capitalize()
    return words if money == name else f"{words} (USD)"


def _chart(dashboard: Dashboard, chart: Chart, dataset: Dataset) -> Content:
    metrics = [dataset.metrics[name] for name in chart.metrics]
    said = [f"{each.label}: {each.description}" for each in metrics]
    return {
        "slice_name": chart.title,
        "description": "\n".join([*said, chart.note] if chart.note else said),
        "viz_type": str(chart.kind),
        "params": {
            "viz_type": str(chart.kind),
            "adhoc_filters": [
                {
                    "clause": "WHERE",
                    "expressionType": "SIMPLE",
                    "operator": "TEMPORAL_RANGE",
                    "subject": dataset.period,
                    "comparator": ANY_TIME,
                }
            ],
            "color_scheme": COLOURS,
            **_drawn(chart, dataset, metrics[0].shown_as),
        },
        "cache_timeout": None,
        "uuid": _id("chart", _key(dashboard, chart)),
        "version": FORM,
        "dataset_uuid": _id("dataset", dataset.name),
    }


def _drawn(chart: Chart, dataset: Dataset, shown_as: str) -> Content:
    """What only charts of its kind are told."""
    if chart.kind == Kind.TABLE:
        return {
            "query_mode": "aggregate",
            "groupby": list(chart.by),
            "metrics": list(chart.metrics),
            "time_grain_sqla": GRAINS[chart.per],
            "temporal_columns_lookup": {dataset.period: True},
            "timeseries_limit_metric": {  # What rows are sorted by: the newest first.
                "expressionType": "SQL",
                "sqlExpression": f"max({dataset.period})",
                "label": "newest",
            },
            "order_desc": True,
            "row_limit": 1000,
            "table_timestamp_format": "%Y-%m",
            "show_cell_bars": False,
            "column_config": {name: {"d3NumberFormat": shown_as} for name in chart.metrics},
        }
    time = {"x_axis": dataset.period, "time_grain_sqla": GRAINS[chart.per]}
    if chart.kind == Kind.NUMBER:
        return time | {
            "metric": chart.metrics[0],
            **_compared(chart),
            "show_timestamp": True,
            "show_trend_line": True,
            "start_y_axis_at_zero": True,
            "header_font_size": 0.4,
            "subheader_font_size": 0.15,
            "y_axis_format": shown_as,
            "time_format": "%Y-%m-%d" if chart.per == "day" else "%Y-%m",
        }
    return time | {
        "metrics": list(chart.metrics),
        "groupby": list(chart.by),
        "row_limit": 50_000,
        "limit": 0,
        "order_desc": True,
        "y_axis_format": "$,.0f" if shown_as.startswith("$") else shown_as,
        "x_axis_time_format": "%Y-%m" if chart.per == "month" else "%Y-%m-%d",
        "tooltipTimeFormat": "%Y-%m" if chart.per == "month" else "%Y-%m-%d",
        "stack": "Stack" if chart.stacked else None,
        "show_legend": True,
        "legendType": "scroll",
        "legendOrientation": "right" if chart.by else "top",
        # A series that two charts have keeps its colour, so that of another comes after it in both.
        **({} if chart.by else {"sort_series_type": "name", "sort_series_ascending": True}),
        "rich_tooltip": True,
        "connectNulls": False,
        "markerEnabled": chart.per == "month",
        "truncateYAxis": False,
        "y_axis_bounds": [None, None],
    }


def _compared(chart: Chart) -> Content:
    if chart.before is None:
        return {}
    periods = chart.per if chart.before == 1 else f"{chart.per}s"
    return {"compare_lag": chart.before, "compare_suffix": f"to {chart.before} {periods} before"}


def _dashboard(dashboard: Dashboard, datasets: Sequence[Dataset]) -> Content:
    return {
        "dashboard_title": dashboard.title,
        "description": dashboard.text,
        "css": "",
        "slug": f"claude-{dashboard.name}",
        "published": True,
        "uuid": _id("dashboard", dashboard.name),
        "position": dict(_places(dashboard)),
        "metadata": {
            "color_scheme": COLOURS,
            "refresh_frequency": 0,
            "expanded_slices": {},
            "timed_refresh_immune_slices": [],
            "cross_filters_enabled": False,
            "native_filter_configuration": list(_filters(dashboard, datasets)),
        },
        "version": FORM,
    }


def _places(dashboard: Dashboard) -> Iterator[tuple[str, Any]]:
    """Where each chart stands, row by row."""
    rows = [f"ROW-{number}" for number in range(len(dashboard.rows) + 1)]
    yield "DASHBOARD_VERSION_KEY", "v2"
    yield "ROOT_ID", {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]}
    yield "GRID_ID", {
        "type": "GRID", "id": "GRID_ID", "children": rows, "parents": ["ROOT_ID"]
    }  # fmt: skip
    yield "HEADER_ID", {
        "type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard.title}
    }  # fmt: skip
    above = ["ROOT_ID", "GRID_ID"]
    background = {"background": "BACKGROUND_TRANSPARENT"}
    texts = [
        [("MARKDOWN-1", "MARKDOWN", {"width": 12, "height": TEXT_HEIGHT, "code": dashboard.text})]
    ]
    charts = [
        [
            (
                f"CHART-{_file(chart.title)}",
                "CHART",
                {
                    "width": chart.width,
                    "height": NUMBER_HEIGHT if chart.kind == Kind.NUMBER else CHART_HEIGHT,
                    "uuid": _id("chart", _key(dashboard, chart)),
                    "chartId": number * 100 + place,
                    "sliceName": chart.title,
                },
            )
            for place, chart in enumerate(row, 1)
        ]
        for number, row in enumerate(dashboard.rows, 1)
    ]
    for name, row in zip(rows, [*texts, *charts], strict=True):
        yield (
            name,
            {
                "type": "ROW",
                "id": name,
                "children": [each for each, _, _ in row],
                "parents": above,
                "meta": background,
            },
        )
        for each, kind, meta in row:
            yield (
                each,
                {
                    "type": kind,
                    "id": each,
                    "children": [],
                    "parents": [*above, name],
                    "meta": meta,
                },
            )


def _filters(dashboard: Dashboard, datasets: Sequence[Dataset]) -> Iterator[Content]:
    """One of time for all charts, and those of columns for the charts that have them."""
    scope = {"rootPath": ["ROOT_ID"], "excluded": []}
    common: Content = {
        "scope": scope, "cascadeParentIds": [], "defaultDataMask": {}, "type": "NATIVE_FILTER",
        "description": "",
    }  # fmt: skip
    yield common | {
        "id": f"NATIVE_FILTER-{dashboard.name}-time",
        "name": "Time",
        "filterType": "filter_time",
        "targets": [{}],
        "controlValues": {"enableEmptyFilter": False},
        "description": "From the first day to the one before the last.",
    }
    for title, mart, column in dashboard.filters:
        others = [
            number * 100 + place
            for number, row in enumerate(dashboard.rows, 1)
            for place, chart in enumerate(row, 1)
            if column not in _home(chart, datasets).columns
        ]
        yield common | {
            "id": f"NATIVE_FILTER-{dashboard.name}-{column}",
            "name": title,
            "filterType": "filter_select",
            "targets": [{"datasetUuid": _id("dataset", mart), "column": {"name": column}}],
            "controlValues": {
                "multiSelect": True, "enableEmptyFilter": False, "inverseSelection": False,
                "searchAllOptions": False, "defaultToFirstItem": False,
            },
            "scope": {"rootPath": ["ROOT_ID"], "excluded": others},
        }  # fmt: skip
