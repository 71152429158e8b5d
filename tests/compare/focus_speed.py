"""What the FOCUS export of 1,000,000 charges costs beside another commit, and what judging it does.

Both commits build the demonstration; its largest month is repeated until there are as many charges.
A command is told whole, as its user sees it, and less one that exports a single charge.
Run: python -m tests.compare.focus_speed <commit>; with --folder, what was built there is kept.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb

from tests.compare.lanes import REPOSITORY, Lane, checked_out, libraries_of
from tests.compare.speed import Cost, Costs, cost_of, machine, measured, show

MANY = 1_000_000
FORMATS = ("parquet", "csv")
READ = """
import duckdb, sys
duckdb.connect(sys.argv[2]).execute(f"create table charges as from '{sys.argv[1]}'")
"""
"""A file as DuckDB reads it by itself: all of it, into a table."""


class Demonstration(Lane):
    """A checkout with its own demonstration."""

    @property
    def served(self) -> Path:
        return self.data / "demo" / "serving.duckdb"

    @property
    def environment(self) -> dict[str, str]:
        return {"PIPELINE__DATA_DIR": str(self.data / "demo")}


def multiply(served: Path) -> tuple[str, str]:
    """Make the largest month one of so many charges, each of another resource, and leave one charge
    of the smallest; the two months' names."""
    with duckdb.connect(str(served)) as marts:
        marts.execute("use claude_marts")
        marts.execute("set TimeZone = 'UTC'")
        of_month = "cast(BillingPeriodStart as date)"
        months = marts.execute(
            f"select {of_month} as month, count(*) from focus_cost_and_usage"
            " group by month order by count(*) desc"
        ).fetchall()
        (month, count), (smallest, _) = months[0], months[-1]
        if count != MANY:  # Else it was made in an earlier run.
            names = [name for name, *_ in marts.execute("describe focus_cost_and_usage").fetchall()]
            people = ", ".join(
                f"{name} || '-' || number as {name}"
                for name in ("ResourceId", "x_ActorId")
                if name in names
            )
            marts.execute(
                f"create table many as select charges.* replace ({people})"
                " from focus_cost_and_usage as charges,"
                f" range({MANY // count + 1}) as copies(number)"
                f" where {of_month} = date '{month}' limit {MANY}"
            )
            marts.execute(
                "insert into many from focus_cost_and_usage"
                f" where {of_month} = date '{smallest}' limit 1"
            )
            marts.execute("drop table focus_cost_and_usage")
            marts.execute("alter table many rename to focus_cost_and_usage")
    return f"{month:%Y-%m}", f"{smallest:%Y-%m}"


def common_columns(lanes: Mapping[str, Demonstration]) -> list[str]:
    """Columns that both commits export; the later one has more."""
    known = []
    for lane in lanes.values():
        with duckdb.connect(str(lane.served), read_only=True) as marts:
            described = marts.execute("describe claude_marts.focus_cost_and_usage").fetchall()
            known.append([name for name, *_ in described])
    return [name for name in known[0] if name in known[1]]


def export(lane: Demonstration, months: tuple[str, str], words: str) -> tuple[Cost, Cost]:
    """What the export of the large month costs, and how much more that is than one charge."""
    form = words.split()[3]
    many, one = (
        measured(lane, f"{words} --month {month} --out {{out}}/{month}.{form}", lane.environment)
        for month in months
    )
    return many, Cost(many.cpu - one.cpu, many.wall - one.wall, many.memory)


def compare(lanes: Mapping[str, Demonstration], runs: int, costs: Costs) -> None:
    months = {}
    for name, lane in lanes.items():
        if not lane.served.exists():
            lane.make()
            measured(lane, "demo", {})
        months[name] = multiply(lane.served)
    new = lanes["new"]
    older = f"--columns {','.join(common_columns(lanes))}"
    for form in FORMATS:
        for number in range(runs):
            for name in sorted(lanes, reverse=bool(number % 2)):
                words = f"export focus --format {form}"
                many, more = export(lanes[name], months[name], words)
                costs[f"export of {MANY:,} charges, {form}"][name].append(many)
                costs[f"the same without an export of one, {form}"][name].append(more)
                title = f"that of the base's columns alone, {form}"
                if name == "new":
                    _, more = export(new, months[name], f"{words} {older}")
                costs[title][name].append(more)
                print(".", end="", flush=True)
            file = new.out / f"{months['new'][0]}.{form}"
            read = ["-c", READ, str(file), f"{new.folder}/read.duckdb"]
            costs[f"verify-focus beside DuckDB's reading, {form}"]["base"].append(
                cost_of(new, "read", partial(new.run, read, {}))
            )
            (new.folder / "read.duckdb").unlink()
            costs[f"verify-focus beside DuckDB's reading, {form}"]["new"].append(
                measured(new, f"verify-focus {file} --version 1.4", {})
            )


@contextmanager
def kept(folder: Path | None) -> Iterator[Path]:
    """Where the demonstrations are built: there, or for a time."""
    if folder is None:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch).resolve()
    else:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.compare.focus_speed", description=__doc__)
    parser.add_argument("base", help="commit to compare with")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where what is built is kept for another run")
    options = parser.parse_args()
    with (
        kept(options.folder) as folder,
        checked_out(options.base, folder / "checkout") as base,
    ):
        lanes = {
            "base": Demonstration(base, folder / "base", libraries_of(base)),
            "new": Demonstration(REPOSITORY, folder / "new"),
        }
        costs: Costs = defaultdict(lambda: defaultdict(list))
        compare(lanes, options.runs, costs)
    print()
    show(costs, f"{options.runs} runs in turn, medians; {machine()}")


if __name__ == "__main__":
    main()
