"""How fast JSON pages become rows in DuckDB, beside dlt's row path and DuckDB's own JSON reader.

Every variant reads the same page files, 1,000 users each, in a process of its own, so that its
peak memory is its own too. Run: make bench
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import dlt
import duckdb
from rich.console import Console
from rich.table import Table

from pipelines.data_dir import DataDir
from pipelines.raw_tables import warehouse_pipeline
from sources.claude_analytics import Storing, claude_analytics
from sources.claude_analytics.endpoints import COUNT, ENDPOINTS, Endpoint
from sources.claude_analytics.fetch import Fetcher
from sources.claude_analytics.load import load_spans
from sources.claude_analytics.pages import Page, page_of_body
from sources.claude_analytics.plan import Span

USERS = ENDPOINTS[0]
PAGES_PER_DAY = 10
ROWS_PER_DAY = PAGES_PER_DAY * 1_000
FIRST_DAY = date(2026, 1, 1)


class PagesOnDisk:
    """A client whose API is a folder: every day has the same pages."""

    def __init__(self, folder: Path) -> None:
        self._bodies = sorted(folder.glob("*.json"))
        self.request_count = 0

    def pages(self, endpoint: Endpoint, first: date, _last: date) -> Iterator[Page]:
        for body in self._bodies:
            self.request_count += 1
            yield page_of_body(endpoint, body.read_bytes(), first)


def ours(pages: Path, days: int, work: Path) -> None:
    """The path of a sync: parse, ledger, hash, append by day."""
    client: Any = PagesOnDisk(pages)
    spans = [Span(USERS, (FIRST_DAY + timedelta(days=day),)) for day in range(days)]
    with Fetcher(client, [USERS]) as fetcher:
        load_spans(
            warehouse_pipeline(DataDir(work)),
            client,
            fetcher,
            spans,
            lambda _: claude_analytics(
                fetcher,
                [USERS],
                Storing(
                    fetched_at=datetime(2026, 6, 1, tzinfo=UTC),
                    run_number=1,
                    numbers=count(2),
                    settle_after=lambda _: timedelta(days=10),
                    totals_hashes={},
                    counting={},
                ),
            ),
        )


def dlt_rows(pages: Path, days: int, work: Path, file_format: str | None = None) -> None:
    """What one writes with dlt alone: the rows as they come, appended."""

    @dlt.resource(name="users")
    def rows() -> Iterator[list[dict[str, Any]]]:
        for day in range(days):
            for body in sorted(pages.glob("*.json")):
                activity_date = FIRST_DAY + timedelta(days=day)
                yield [
                    {**row, "activity_date": activity_date}
                    for row in json.loads(body.read_bytes())["data"]
                ]

    dlt.config["runtime.dlthub_telemetry"] = False
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.duckdb(str(work / "bench.duckdb")),
        pipelines_dir=str(work / "dlt"),
    )
    pipeline.run(rows(), loader_file_format=file_format)  # type: ignore[arg-type]


def dlt_parquet(pages: Path, days: int, work: Path) -> None:
    """The same, with Parquet files between dlt and DuckDB."""
    dlt_rows(pages, days, work, "parquet")


def duckdb_json(pages: Path, days: int, work: Path) -> None:
    """DuckDB's JSON reader, given every type, into one flat table: the floor."""

    def struct(tree: dict[str, Any]) -> str:
        fields = (
            f'"{name}" {struct(kind) if isinstance(kind, dict) else kind}'
            for name, kind in tree.items()
        )
        return f"struct({', '.join(fields)})"

    tree: dict[str, Any] = {}
    for column, kind in USERS.columns.items():
        branch = tree
        *parents, leaf = column.split("__")
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = "bigint" if kind == COUNT else "varchar"
    columns = ", ".join(
        f"entry.{'.'.join(column.split('__'))} as {column}" for column in USERS.columns
    )
    files = [str(body) for body in sorted(pages.glob("*.json"))] * days
    with duckdb.connect(str(work / "floor.duckdb")) as warehouse:
        warehouse.execute(
            f"""
            create table users as
            select {columns}
            from (
                select unnest(data) as entry
                from read_json(
                    ?, columns = {{data: '{struct(tree)}[]'}}, maximum_object_size = 100000000
                )
            )
            """,
            [files],
        )


VARIANTS: dict[str, Callable[[Path, int, Path], None]] = {
    "ours": ours,
    "dlt_rows": dlt_rows,
    "dlt_parquet": dlt_parquet,
    "duckdb_json": duckdb_json,
}


def write_pages(folder: Path, count: int = PAGES_PER_DAY) -> None:
    """Pages of users with every documented block, numbers that differ from row to row."""
    for page in range(count):
        rows = []
        for number in range(page * 1_000, (page + 1) * 1_000):
            row: dict[str, Any] = {}
            for position, (column, kind) in enumerate(USERS.columns.items()):
                if column.startswith(("chat_cowork_unified", "claude_tag", "rbac")):
                    continue  # Not offered to most organisations.
                branch = row
                *parents, leaf = column.split("__")
                for parent in parents:
                    branch = branch.setdefault(parent, {})
                active = (number * 7 + position * 13) % 5 == 0
                branch[leaf] = (number * position) % 97 * active if kind == COUNT else None
            row["user"] = {
                "id": f"user_{number:024d}",
                "email_address": f"person.{number}@northwind.example",
                "type": "user",
            }
            row["last_activity_date"] = "2026-01-01"
            rows.append(row)
        body = json.dumps({"data": rows, "next_page": None}, separators=(",", ":"))
        (folder / f"{page:04d}.json").write_text(body)


def measured(variant: str, pages: Path, days: int) -> tuple[float, float]:
    """Seconds and peak memory in MB of one variant in a fresh process."""
    with tempfile.TemporaryDirectory(dir=pages.parent) as work:
        answer = subprocess.run(
            [sys.executable, "-m", "tests.bench", variant, str(pages), str(days), work],
            check=True,
            capture_output=True,
            text=True,
        )
    seconds, megabytes = answer.stdout.split()[-2:]
    return float(seconds), float(megabytes)


def main(arguments: Sequence[str]) -> None:
    if arguments:
        name, folder, count, work = arguments
        started = time.perf_counter()
        VARIANTS[name](Path(folder), int(count), Path(work))
        seconds = time.perf_counter() - started
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000)
        return
    console = Console(highlight=False)
    table = Table(title="JSON pages of users to DuckDB", title_justify="left")
    for heading in ("path", "rows", "seconds", "rows/s", "peak MB"):
        table.add_column(heading, justify="left" if heading == "path" else "right")
    plan = [
        ("DuckDB's JSON reader (the floor)", "duckdb_json", 20),
        ("ours", "ours", 20),
        ("dlt, rows, Parquet", "dlt_parquet", 2),
        ("dlt, rows, default", "dlt_rows", 1),
        ("ours, 250,000 rows", "ours", 25),
        ("ours, 1,000,000 rows", "ours", 100),
    ]
    rates: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        pages = Path(scratch) / "pages"
        pages.mkdir()
        write_pages(pages)
        for label, variant, days in plan:
            seconds, megabytes = measured(variant, pages, days)
            rows = days * ROWS_PER_DAY
            rates.setdefault(variant, rows / seconds)
            table.add_row(
                label, f"{rows:,}", f"{seconds:.1f}", f"{rows / seconds:,.0f}", f"{megabytes:.0f}"
            )
    console.print(table)
    for other, aim in (("dlt_rows", "40"), ("dlt_parquet", "7"), ("duckdb_json", "0.4")):
        console.print(f"ours ÷ {other}: {rates['ours'] / rates[other]:.2f} (at least {aim})")


if __name__ == "__main__":
    main(sys.argv[1:])
