"""The page over 100,000 seats x 365 days: how long it takes, and how large it is.

The demonstration's marts are repeated, its people 400 times and its days over a year, so that all
parts of the page have something to draw; sums over them mean nothing. It takes some minutes and
6 GB of disk. Run, after make demo: python -m tests.report_scale
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

DEMO = Path("data/demo")
PEOPLE, YEAR = 400, 365
NOT_REPEATED = ("calendar", "products", "models", "focus_cost_and_usage", "access_evidence")
"""Marts that no page reads person by person or day by day."""
PERSON = {"user_id": "\"user_id\" || '-' || person", "email": 'person || "email"'}


def repeat(file: Path) -> int:
    """Repeat each mart with people or days; how many rows there are then."""
    with duckdb.connect(file, config={"preserve_insertion_order": False}) as served:
        served.execute("set enable_progress_bar = false")
        (days,) = served.execute(
            "select max(activity_date) - min(activity_date) + 1"
            " from claude_marts.user_activity_daily"
        ).fetchall()[0]
        marts = served.execute(
            "select table_name, list(column_name) from duckdb_columns()"
            " where schema_name = 'claude_marts' group by table_name"
        ).fetchall()
        for mart, columns in marts:
            if mart not in NOT_REPEATED:
                _repeat(served, mart, columns, days)
        (rows,) = served.execute(
            "select cast(sum(estimated_size) as bigint) from duckdb_tables()"
        ).fetchall()[0]
        return int(rows)


def _repeat(served: duckdb.DuckDBPyConnection, mart: str, columns: list[str], days: int) -> None:
    is_daily, is_of_people = "activity_date" in columns, "user_id" in columns
    if not (is_daily or is_of_people):
        return
    changed = {"activity_date": "cast(activity_date - cast(shift as integer) as date)"}
    if is_of_people:
        changed |= {
            name: f'case when person = 0 then "{name}" else {other} end'
            for name, other in PERSON.items()
        }
    replaced = ", ".join(
        f'{value} as "{name}"' for name, value in changed.items() if name in columns
    )
    served.execute(f"""
        create or replace temporary table repeated as
        select * replace ({replaced})
        from claude_marts.{mart}
        cross join (select unnest(range({PEOPLE if is_of_people else 1})) as person)
        cross join (select unnest(range(0, {YEAR if is_daily else 1}, {days})) as shift)
    """)
    kept = ", ".join(f'"{name}"' for name in columns)
    served.execute(f"truncate claude_marts.{mart}")
    served.execute(f"insert into claude_marts.{mart} by name select {kept} from repeated")
    served.execute("drop table repeated")


def main() -> None:
    if not (DEMO / "serving.duckdb").exists():
        sys.exit("There is no demonstration: run make demo first.")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "demo"
        shutil.copytree(DEMO, data)
        rows = repeat(data / "serving.duckdb")
        words = [sys.executable, "-c", "from pipelines.cli import main; main()"]
        began = time.monotonic()
        subprocess.run([*words, "report", "--data-dir", str(data)], check=True)
        wall = time.monotonic() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        size = (data / "report.html").stat().st_size
        print(
            f"{rows:,} rows on {os.cpu_count()} processors: {wall:.1f} s,"
            f" {used.ru_utime + used.ru_stime:.1f} CPU s, {used.ru_maxrss / 1024:,.0f} MiB;"
            f" the page has {size / 1e6:.2f} MB"
        )


if __name__ == "__main__":
    main()
