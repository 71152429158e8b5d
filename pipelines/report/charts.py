"""The charts of the report: how each kind is drawn, whatever its numbers are.

Colours are CSS variables, so that one drawing follows light, dark and print; a picture gets the
light ones.
"""

import json
import math
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any, Final

from pipelines.foreseen import explained
from pipelines.report.vega import alt
from sources.errors import ForeseenError

LIGHT = {
    "page": "#ffffff",
    "panel": "#f6f7f6",
    "ink": "#1c2321",
    "muted": "#5b6663",
    "grid": "#e3e7e5",
    "c1": "#0b6e62",
    "c2": "#b4541a",
    "c3": "#5a5fb0",
    "soft": "#bccac5",
    "alert": "#b3261e",
}
DARK = {
    "page": "#131817",
    "panel": "#1b2220",
    "ink": "#e8edeb",
    "muted": "#a3afab",
    "grid": "#2c3633",
    "c1": "#55c4b3",
    "c2": "#eb9a63",
    "c3": "#a3a8f0",
    "soft": "#4d5f5a",
    "alert": "#ff8a80",
}
C1, C2, C3 = "var(--c1)", "var(--c2)", "var(--c3)"
INK, MUTED, GRID, SOFT, ALERT = (
    f"var(--{name})" for name in ("ink", "muted", "grid", "soft", "alert")
)
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
VEGA_LITE = "6.4"

BREAK: Final = "break-paths-show-path-domains"
"""A line ends where a value is null, and the day still has its place on the axis."""

Chart = alt.Chart | alt.LayerChart | alt.FacetChart
Values = Sequence[Mapping[str, object]]
TEXT = alt.Axis(title=None, labelLimit=170, domain=False, ticks=False, grid=False, labelPadding=8)


def lines(
    values: Values,
    series: Mapping[str, tuple[str, str, str]],
    *,
    bars: tuple[str, str] | None = None,
    dashed: Mapping[str, str] | None = None,
    number_format: str = "~s",
    height: int = 240,
    tooltip: Mapping[str, str],
    start: float = 0,
) -> Chart:
    """Lines over days, each with its newest value and name at its end; null is a gap.

    Args:
        values: Rows with `day`, one per day of the calendar.
        series: Column -> name at the line's end, colour, text of its newest value.
        bars: Column and colour of what is drawn as bars behind the lines.
        dashed: Column -> colour of thin dashed lines beside the others.
        tooltip: Column with the text -> its name in the tooltip; `label` is the heading.
        start: Where the scale begins, see `start_of`; whoever reads the chart is told of another
            one than 0.
    """
    base = alt.Chart().encode(x=_days())
    axis = alt.Axis(title=None, format=number_format, tickCount=4, domain=False, ticks=False)
    from_zero = (
        alt.Scale(zero=False, nice=True, domainMin=start)
        if start
        else alt.Scale(zero=True, nice=True)
    )
    layers: list[alt.Chart] = []
    if bars:
        column, colour = bars
        layers.append(
            base.mark_bar(color=colour, width={"band": 0.7}).encode(
                y=alt.Y(f"{column}:Q", axis=axis, scale=from_zero)
            )
        )
    layers += [
        base.mark_line(color=colour, strokeWidth=1.5, strokeDash=[3, 3], invalid=BREAK).encode(
            y=alt.Y(f"{column}:Q", axis=axis, scale=from_zero)
        )
        for column, colour in (dashed or {}).items()
    ]
    layers += [
        base.mark_line(
            color=colour, strokeWidth=2.25, invalid=BREAK, point=_points(values, column, colour)
        ).encode(y=alt.Y(f"{column}:Q", axis=axis, scale=from_zero))
        for column, (_, colour, _) in series.items()
    ]
    layers += [
        alt.Chart(_data([end]))
        .mark_text(align="left", dx=7, color=str(end["colour"]), fontWeight=600)
        .encode(x=_days(), y=alt.Y("height:Q"), text="end:N")
        for end in _ends(values, series, start=start, least_gap=16 / height)
    ]
    # Strips, one per day, and not the nearest point: Vega-Lite's tooltip of that has no values.
    hover = alt.selection_point(
        name="hover", on="pointerover", clear="pointerout", encodings=["x"], empty=False
    )
    layers.append(
        base.mark_bar(color=INK, width={"band": 1})
        .encode(
            y=alt.value(0),
            y2=alt.value(height),
            opacity=alt.condition(hover, alt.value(0.12), alt.value(0)),
            tooltip=_tooltip(tooltip),
        )
        .add_params(hover)
    )
    return alt.layer(*layers, data=_data(values)).properties(height=height)


FLAT = 0.3
"""Where all values lie within this share of the largest one, a scale from 0 shows flat lines."""


def start_of(values: Values, columns: Sequence[str]) -> float:
    """Where a scale of rates begins on which something is seen: 0, or, for flat lines, later."""
    cells: list[Any] = [row.get(column) for row in values for column in columns]
    found = [float(cell) for cell in cells if cell is not None]
    if not found or min(found) <= 0 or max(found) - min(found) > FLAT * max(found):
        return 0
    below = min(found) - max((max(found) - min(found)) / 2, 0.02)
    return max(0, math.floor(below * 20) / 20)


def bars(
    values: Values,
    *,
    tooltip: Mapping[str, str],
    colours: Mapping[str, str] | None = None,
    has_legend: bool = True,
    tick: bool = False,
) -> Chart:
    """One bar per row, from zero, in the rows' order, with its number at its end.

    Args:
        values: Rows with `name`, `value`, `text` and, with colours, `kind`; with `tick`, also
            `tick`: a second number that is marked on the bar.
        colours: Kind -> colour; several of them get a legend, unless the names say it already.
    """
    base = alt.Chart(_data(values)).encode(
        y=alt.Y("name:N", sort=None, axis=TEXT),
        x=alt.X("value:Q", axis=None, scale=alt.Scale(zero=True)),
        tooltip=_tooltip(tooltip),
    )
    bar = base.mark_bar(color=C1, height={"band": 0.62}, cornerRadiusEnd=2)
    if colours:
        kinds = [kind for kind in colours if any(row.get("kind") == kind for row in values)]
        bar = bar.encode(
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=kinds, range=[colours[kind] for kind in kinds]),
                legend=_legend() if has_legend and len(kinds) > 1 else None,
            )
        )
    layers = [bar]
    if tick:
        layers.append(
            base.mark_tick(color=INK, thickness=2, height={"band": 0.8}).encode(x=alt.X("tick:Q"))
        )
    ends = base.transform_calculate(end="max(datum.value, isValid(datum.tick) ? datum.tick : 0)")
    layers.append(
        ends.mark_text(align="left", dx=6, color=INK).encode(x=alt.X("end:Q"), text="text:N")
    )
    return alt.layer(*layers).properties(height=28 * len(values))


def stacked_bars(
    values: Values,
    totals: Values,
    *,
    colours: Mapping[str, str],
    tooltip: Mapping[str, str],
    outlines: Values = (),
) -> Chart:
    """One bar per `name`, its parts in the colour of their `kind`, its total at its end.

    Args:
        values: Rows with `name`, `kind`, `value`; null values are left out.
        totals: Rows with `name`, `value`, `text`.
        outlines: Rows with `name`, `from`, `value`: parts of a bar whose size is not known.
    """
    kinds = [kind for kind in colours if any(row["kind"] == kind for row in values)]
    y = alt.Y("name:N", sort=[str(row["name"]) for row in totals], axis=TEXT)
    parts = (
        alt.Chart(_data(values))
        .mark_bar(height={"band": 0.62})
        .encode(
            y=y,
            x=alt.X("value:Q", stack="zero", axis=None, scale=alt.Scale(zero=True, nice=False)),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=kinds, range=[colours[kind] for kind in kinds]),
                legend=_legend() if len(kinds) > 1 else None,
            ),
            order=alt.Order("order:Q"),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
            tooltip=_tooltip(tooltip),
        )
    )
    ends = (
        alt.Chart(_data(totals))
        .mark_text(align="left", dx=6, color=INK)
        .encode(y=y, x=alt.X("value:Q"), text="text:N")
    )
    unknown = (
        alt.Chart(_data(outlines))
        .mark_bar(
            height={"band": 0.62},
            fillOpacity=0,
            stroke=MUTED,
            strokeDash=[3, 3],
            strokeWidth=1.5,
        )
        .encode(y=y, x=alt.X("from:Q"), x2="value:Q", tooltip=_tooltip(tooltip))
    )
    layers = [parts, *([unknown] if outlines else []), ends]
    return alt.layer(*layers).properties(height=30 * len(totals))


def growth(values: Values, *, colours: Mapping[str, str], tooltip: Mapping[str, str]) -> Chart:
    """One column per month: who is there above zero, who left below it.

    Args:
        values: Rows with `month`, `kind` and `value`, which is negative for who left.
    """
    chart: alt.Chart = (
        alt.Chart(_data(values))
        .mark_bar(width={"band": min(0.62, 0.1 * len({row["month"] for row in values}))})
        .encode(
            x=alt.X(
                "month:N",
                sort=None,
                axis=alt.Axis(title=None, labelAngle=0, domain=False, ticks=False),
            ),
            y=alt.Y(
                "value:Q",
                stack="zero",
                axis=alt.Axis(title=None, format="~s", tickCount=4, domain=False, ticks=False),
            ),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                legend=_legend(),
            ),
            order=alt.Order("order:Q"),
            tooltip=_tooltip(tooltip),
        )
        .properties(height=220)
    )
    return chart


def columns(values: Values, *, title: str, tooltip: Mapping[str, str]) -> Chart:
    """One column per `place`, a whole number, from zero; those with `is_marked` stand out.

    Args:
        title: What the numbers below the columns count.
    """
    chart: alt.Chart = (
        alt.Chart(_data(values))
        .mark_bar(width={"band": 0.7})
        .encode(
            x=alt.X(
                "place:O",
                axis=alt.Axis(
                    title=title,
                    titleFontWeight=400,
                    labelAngle=0,
                    labelOverlap="greedy",
                    domain=False,
                    ticks=False,
                ),
            ),
            y=alt.Y(
                "value:Q",
                axis=alt.Axis(title=None, format="~s", tickCount=4, domain=False, ticks=False),
            ),
            color=alt.condition("datum.is_marked", alt.value(C1), alt.value(SOFT)),
            tooltip=_tooltip(tooltip),
        )
        .properties(height=180)
    )
    return chart


def heat(values: Values, *, title: str, tooltip: Mapping[str, str]) -> Chart:
    """One cell per `name` and `place`, the fuller the larger its `value`, with its `text` in it.

    Args:
        title: What the numbers above the cells count.
    """
    base = alt.Chart(_data(values)).encode(
        x=alt.X(
            "place:O",
            axis=alt.Axis(
                title=title,
                titleFontWeight=400,
                orient="top",
                labelAngle=0,
                domain=False,
                ticks=False,
            ),
        ),
        y=alt.Y("name:N", sort=None, axis=TEXT),
        tooltip=_tooltip(tooltip),
    )
    cells = base.mark_rect(color=C1, stroke="var(--page)", strokeWidth=2).encode(
        opacity=alt.Opacity(
            "value:Q", scale=alt.Scale(domain=[0, 1], range=[0.06, 0.5]), legend=None
        )
    )
    words = base.mark_text(color=INK).encode(text="text:N")
    return alt.layer(cells, words).properties(height=32 * len({row["name"] for row in values}))


def expectations(values: Values, *, tooltip: Mapping[str, str]) -> Chart:
    """One bar per `name`: what is `spent`, what is `expected` at the end, and its range.

    Args:
        values: Rows with `name`, `spent`, `expected`, `low`, `high`, `budget`, `end` and `text`.
    """
    base = alt.Chart(_data(values)).encode(
        y=alt.Y("name:N", sort=None, axis=TEXT), tooltip=_tooltip(tooltip)
    )
    hidden = alt.X("expected:Q", axis=None, scale=alt.Scale(zero=True))
    layers = [
        base.mark_bar(color=C1, opacity=0.35, height={"band": 0.62}).encode(x=hidden),
        base.mark_bar(color=C1, height={"band": 0.62}).encode(x=alt.X("spent:Q")),
        base.mark_rule(color=INK, strokeWidth=1.5).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_tick(color=ALERT, thickness=3, height={"band": 0.95}).encode(x=alt.X("budget:Q")),
        base.mark_text(align="left", dx=8, color=INK).encode(x=alt.X("end:Q"), text="text:N"),
    ]
    return alt.layer(*layers).properties(height=32 * len(values))


def calendar(
    values: Values, *, colours: Mapping[str, str], tooltip: Mapping[str, str], is_weekly: bool
) -> Chart:
    """One cell per endpoint and day, or week, in the colour of its `kind`."""
    chart: alt.Chart = (
        alt.Chart(_data(values))
        .mark_rect(stroke="var(--page)", strokeWidth=0.5)
        .encode(
            x=alt.X(
                "day:T",
                timeUnit="utcyearweek" if is_weekly else "utcyearmonthdate",
                scale=alt.Scale(type="utc"),
                axis=_month_axis(),
            ),
            y=alt.Y("name:N", sort=None, axis=TEXT),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                legend=_legend(),
            ),
            tooltip=_tooltip(tooltip),
        )
        .properties(height=20 * len({row["name"] for row in values}))
    )
    return chart


def page_spec(chart: Chart) -> tuple[dict[str, Any], dict[str, str]]:
    """The drawing for a page, as wide as the place it stands in, and the key of its colours.

    The page writes the key, name -> colour, itself: one inside a chart does not wrap on a phone.
    """
    spec: dict[str, Any] = chart.properties(
        width="container", autosize=alt.AutoSizeParams(type="fit-x", contains="padding")
    ).to_dict(validate=False)
    spec["config"] = _config(FONT)
    key: dict[str, str] = {}
    for view in (spec, *spec.get("layer", ())):
        colour = view.get("encoding", {}).get("color", {})
        if colour.get("legend"):
            key = dict(zip(colour["scale"]["domain"], colour["scale"]["range"], strict=True))
            colour["legend"] = None
    return spec, key


def png(chart: Chart, title: str, subtitle: str, caption: str) -> bytes:
    """The drawing as a picture, in light colours, with its title and how to read it."""
    text = json.dumps(picture(chart, title, subtitle, caption))
    for name, colour in LIGHT.items():
        text = text.replace(f"var(--{name})", colour)
    return _made("vegalite_to_png", vl_spec=text, scale=2)


def picture(chart: Chart, title: str, subtitle: str, caption: str) -> dict[str, Any]:
    """The drawing with its words, since a picture travels without the page around it."""
    spec: dict[str, Any] = chart.properties(
        width=680,
        title=alt.TitleParams(
            textwrap.wrap(title, 78),
            subtitle=[subtitle, *textwrap.wrap(caption, 110)],
            anchor="start",
            offset=16,
        ),
        padding=24,
    ).to_dict()
    spec["config"] = _config("sans-serif")
    return spec


DRAWING = """
import json, sys, vl_convert
made = getattr(vl_convert, sys.argv[1])(**json.load(sys.stdin))
sys.stdout.buffer.write(made if isinstance(made, bytes) else made.encode())
"""
"""A process of its own: while the library works, no signal is heard, and where it lacks memory or
files, it writes to the screen and ends the process."""


def _made(by: str, **given: object) -> bytes:
    """What a function of the chart library gives.

    Raises:
        ForeseenError: The library failed.
    """
    drawn = subprocess.run(
        [sys.executable, "-P", "-c", DRAWING, by],
        input=json.dumps({**given, "vl_version": VEGA_LITE}).encode(),
        capture_output=True,
        check=False,
    )
    if not drawn.returncode:
        return drawn.stdout
    said = drawn.stderr.decode(errors="replace")
    raise explained(RuntimeError(said)) or ForeseenError(
        f"The charts could not be drawn: the chart library stopped "
        f"(exit code {drawn.returncode}).\n"
        "It is short of memory, or its installation is damaged.\n"
        "Give this machine more memory, or install claude-warehouse again, "
        "then run: claude-warehouse report"
    )


@cache
def javascript() -> str:
    """The chart library, to be put into a page once."""
    bundle = _made("javascript_bundle").decode()
    # A closing tag or a comment inside a string would end the script.
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _config(font: str) -> dict[str, Any]:
    return {
        "font": font,
        "background": "var(--page)",
        "aria": False,  # The page gives each chart one name, and a table.
        "view": {"stroke": None},
        "axis": {
            "labelColor": MUTED,
            "labelFontSize": 12,
            "gridColor": GRID,
            "titleColor": MUTED,
            "domainColor": GRID,
            "tickColor": GRID,
        },
        "legend": {"labelColor": INK, "labelFontSize": 12, "symbolType": "square"},
        "text": {"fontSize": 12},
        "title": {
            "color": INK,
            "fontSize": 17,
            "fontWeight": 600,
            "subtitleColor": MUTED,
            "subtitleFontSize": 12,
            "subtitlePadding": 6,
        },
    }


def _legend() -> alt.Legend:
    return alt.Legend(title=None, orient="top", direction="horizontal", offset=6, columns=5)


def _data(values: Values) -> alt.Data:
    """The rows as the chart library takes them, which knows no decimals."""
    rows = [
        {name: float(cell) if isinstance(cell, Decimal) else cell for name, cell in row.items()}
        for row in values
    ]
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]


def _tooltip(fields: Mapping[str, str]) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{column}:N", title=title) for column, title in fields.items()]


def _month_axis() -> alt.Axis:
    return alt.Axis(
        title=None,
        format="%-d %b",
        tickCount=5,
        grid=False,
        domain=False,
        tickColor=GRID,
        labelAngle=0,
        labelOverlap="greedy",
        labelFlush=True,
    )


def _days() -> alt.X:
    return alt.X(
        "day:T",
        timeUnit="utcyearmonthdate",
        bandPosition=0.5,
        scale=alt.Scale(type="utc", nice=False),
        axis=_month_axis(),
    )


def _ends(
    values: Values, series: Mapping[str, tuple[str, str, str]], *, start: float, least_gap: float
) -> list[dict[str, object]]:
    """The name at each line's end, moved up where two would stand on each other."""
    ends: list[dict[str, Any]] = []
    for column, (name, colour, text) in series.items():
        last = next((row for row in reversed(values) if row.get(column) is not None), None)
        if last:
            ends.append(
                {
                    "day": last["day"],
                    "height": float(last[column]),  # type: ignore[arg-type]
                    "end": f"{text} {name}",
                    "colour": colour,
                }
            )
    ends.sort(key=lambda end: end["height"])
    least = least_gap * (max((end["height"] for end in ends), default=0) - start)
    for below, above in pairwise(ends):
        above["height"] = max(above["height"], below["height"] + least)
    return ends


def _points(values: Values, column: str, colour: str) -> alt.OverlayMarkDef | bool:
    """Points where a line alone would not show: between two gaps, or with few of them."""
    known = [row.get(column) is not None for row in values]
    alone = any(
        here and not before and not after
        for before, here, after in zip(
            [False, *known[:-1]], known, [*known[1:], False], strict=True
        )
    )
    if alone or len(values) < 20:
        return alt.OverlayMarkDef(color=colour, filled=True, size=28)
    return False
