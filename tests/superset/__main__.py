"""Takes the pictures of the demo's dashboards: `python -m tests.superset`."""

import sys
import tempfile
from pathlib import Path

from pipelines.superset.charts import DASHBOARDS
from tests.commands import command
from tests.screenshots import FOLDER
from tests.superset.rendered import missing, running


def main(data_dir: str) -> None:
    """Export, import, open, write each picture."""
    if reason := missing():
        sys.exit(f"{reason[0].upper()}{reason[1:]}.")
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "claude.zip"
        ended = command(["export", "superset", "--out", str(bundle), "--data-dir", data_dir])
        if ended.exit_code:
            sys.exit(ended.text)
        with running(Path(folder)) as superset:
            superset.import_(bundle)
            pictures = {
                f"claude-{each.name}": FOLDER / f"superset-{each.name}.png" for each in DASHBOARDS
            }
            for name, shown in superset.shown(pictures).items():
                print(pictures[name], len(shown.answers), "charts", *shown.wrong)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "data/demo")
