"""Writes the marts as one HTML file, as the page of docs/, and as a drawing."""

from collections.abc import Sequence
from pathlib import Path

import jinja2

from pipelines.dictionary.diagram import svg
from pipelines.dictionary.marts import Mart
from pipelines.files.outputs import DICTIONARY_TITLE, replaced

FOLDER = Path(__file__).parent
WHAT = "The dictionary"


def write(marts: Sequence[Mart], out: Path) -> None:
    """One file that needs nothing else: HTML, or, where it is called .svg, the drawing alone.

    Raises:
        ForeseenError: The file cannot be written.
    """
    text = svg(marts) if out.suffix.lower() == ".svg" else html(marts)
    with replaced(out, WHAT) as file:
        file.write_text(text, encoding="utf-8")


def html(marts: Sequence[Mart]) -> str:
    """Everything that is known of the marts, as one page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        title=DICTIONARY_TITLE,
        marts=marts,
        areas=list(dict.fromkeys(mart.area for mart in marts)),
        drawing=svg(marts),
        read_by={
            mart.name: [each.name for each in marts if mart.name in each.read_marts]
            for mart in marts
        },
    )


def markdown(marts: Sequence[Mart]) -> str:
    """A section per mart: key, joins, a sample query."""
    lines: list[str] = []
    for mart in marts:
        lines += ["", f"### {mart.name}", "", f"Key: {_names(mart.key)}."]
        if mart.joins:
            joins: dict[str, list[str]] = {}
            for column, target in mart.joins.items():
                joins.setdefault(target, []).append(column)
            texts = [f"{_names(columns)} to `{target}`" for target, columns in joins.items()]
            lines[-1] += f" Joins: {'; '.join(texts)}."
        lines += ["", "```sql", mart.sample, "```"]
    return "\n".join(lines) + "\n"


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
