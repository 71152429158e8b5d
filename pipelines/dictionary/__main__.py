"""Writes what docs/ shows of the marts: `python -m pipelines.dictionary`."""

import sys
import tempfile
from pathlib import Path

from pipelines.data_dir import DataDir
from pipelines.dictionary.diagram import svg
from pipelines.dictionary.marts import marts_of
from pipelines.dictionary.page import markdown
from pipelines.warehouse import warehouse_of

DOCS = Path(__file__).parents[2] / "docs"
BEGIN, END = "<!-- marts: begin -->\n", "<!-- marts: end -->\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = DataDir(Path(folder))
        data.create()
        marts = marts_of(warehouse_of(data).manifest())
    page = DOCS / "marts.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    page.write_text(before + BEGIN + markdown(marts) + END + rest.partition(END)[2], "utf-8")
    (DOCS / "marts.svg").write_text(svg(marts), "utf-8")
    sys.stdout.write(f"{page}: {len(marts)} marts\n")


if __name__ == "__main__":
    main()
