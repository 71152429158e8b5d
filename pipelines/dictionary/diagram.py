"""The marts and what they join to, as one drawing."""

from collections.abc import Sequence
from html import escape

from pipelines.dictionary.marts import Mart

WIDTH, ROW, GAP, TOP = 1080, 20, 34, 46
BOX, DIMENSION_BOX = 250, 200
COLOURS = (
    "#1f6feb", "#b35900", "#1a7f37", "#8250df", "#bf3989", "#0e7490", "#7a5c00", "#c2410c",
    "#4d5566", "#9f1239", "#3f6212", "#1e3a8a",
)  # fmt: skip


def svg(marts: Sequence[Mart]) -> str:
    """Dimensions in the middle, every other mart beside them, a line for each join."""
    names = {mart.name for mart in marts}
    targets = [
        mart
        for mart in marts
        if any(
            mart.name == join.partition(".")[0] for each in marts for join in each.joins.values()
        )
    ]
    others = [mart for mart in marts if mart not in targets]
    areas = list(dict.fromkeys(mart.area for mart in others))
    sides: tuple[list[str], list[str]] = ([], [])
    for area in areas:  # The shorter side takes the next area.
        sizes = [sum(mart.area in side for mart in others) for side in sides]
        sides[sizes.index(min(sizes))].append(area)
    places: dict[str, tuple[float, float]] = {}
    drawn: list[str] = []
    heights = []
    for side, areas_of_side in enumerate(sides):
        y: float = TOP
        x: float = 20 if side == 0 else WIDTH - BOX - 20
        for area in areas_of_side:
            drawn.append(_text(x, y, area.capitalize(), "area"))
            y += 10
            for mart in (each for each in others if each.area == area):
                drawn.append(_box(x, y, BOX, mart.name, "#8b949e"))
                places[mart.name] = (x + BOX if side == 0 else x, y + ROW / 2)
                y += ROW + 4
            y += GAP
        heights.append(y)
    height = max(heights)
    step = (height - TOP) / max(len(targets), 1)
    x = (WIDTH - DIMENSION_BOX) / 2
    lines: list[str] = []
    middles = {each.name: TOP + step * (n + 0.5) for n, each in enumerate(targets)}
    for number, target in enumerate(targets):
        colour = COLOURS[number % len(COLOURS)]
        y = middles[target.name] - ROW / 2
        drawn.append(_box(x, y, DIMENSION_BOX, target.name, colour))
        middle = y + ROW / 2
        for mart in others:
            if any(join.partition(".")[0] == target.name for join in mart.joins.values()):
                lines.append(_line(places[mart.name], x, middle, colour))
        for mart in targets:
            if any(join.partition(".")[0] == target.name for join in mart.joins.values()):
                lines.append(_arc(x + DIMENSION_BOX, middles[mart.name], middle, colour))
    assert set(places) <= names
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        'aria-label="The marts and what they join to">\n'
        "<style>text{font:12px system-ui,sans-serif;fill:#1f2328}.area{font-weight:650}"
        "path{fill:none;stroke-width:1;opacity:.55}rect{fill:#fff}</style>\n"
        f'<rect width="{WIDTH}" height="{height:.0f}"/>\n'
        + "\n".join([*lines, *drawn])
        + "\n</svg>\n"
    )


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{name}>{escape(text)}</text>'


def _box(x: float, y: float, width: float, text: str, colour: str) -> str:
    return (
        f'<rect x="{x:.0f}" y="{y:.1f}" width="{width:.0f}" height="{ROW}" rx="3" '
        f'stroke="{colour}"/>' + _text(x + 8, y + 14, text)
    )


def _line(start: tuple[float, float], box: float, y: float, colour: str) -> str:
    """From a mart to the near side of a dimension."""
    x = box if start[0] < box else box + DIMENSION_BOX
    bend = (start[0] + x) / 2
    return (
        f'<path d="M{start[0]:.0f} {start[1]:.1f}C{bend:.0f} {start[1]:.1f} {bend:.0f} {y:.1f} '
        f'{x:.0f} {y:.1f}" stroke="{colour}"/>'
    )


def _arc(x: float, start: float, end: float, colour: str) -> str:
    """From one dimension to another, past those between them."""
    bend = x + 24 + abs(end - start) / 12
    return (
        f'<path d="M{x:.0f} {start:.1f}C{bend:.0f} {start:.1f} {bend:.0f} {end:.1f} '
        f'{x:.0f} {end:.1f}" stroke="{colour}"/>'
    )
