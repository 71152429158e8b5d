"""The commands that write what is in the marts to a file, or check such a file.

What a command runs is imported when it runs: `--help` would wait a second for all of it.
"""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines import stopping
from pipelines.cli.options import DataDirOption, ForceOption, data_dir_of, day, path
from pipelines.cli.options import month as month_of
from pipelines.cli.told import out
from pipelines.data_dir import DataDir
from pipelines.exit_codes import FAILED
from pipelines.files import formats
from pipelines.files.formats import EvidenceFormat
from pipelines.focus.columns import NEWEST, VERSIONS
from pipelines.warehouse import warehouse_of

if TYPE_CHECKING:
    from pipelines.files.export import Export
    from pipelines.focus.export import Written
    from pipelines.focus.judge import Verdict

commands = typer.Typer()
exports = typer.Typer(help="Write what is in the marts to a file.", no_args_is_help=True)
commands.add_typer(exports, name="export")

MonthOption = Annotated[
    date,
    typer.Option("--month", parser=month_of, metavar="YYYY-MM", help="The month to write."),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        parser=path,
        metavar="PATH",
        help="File to write.",
        show_default="named for the month, in this folder",
    ),
]
ChargebackFormat = StrEnum(  # type: ignore[misc]
    "ChargebackFormat", {form: form for form in formats.CHARGEBACK}
)
TableFormat = StrEnum("TableFormat", {form: form for form in formats.TABLES})  # type: ignore[misc]
FocusFormat = StrEnum("FocusFormat", {form: form for form in formats.FOCUS})  # type: ignore[misc]
FocusVersion = StrEnum(  # type: ignore[misc]
    "FocusVersion", {version: version for version in VERSIONS}
)
FocusFormatOption = Annotated[FocusFormat, typer.Option("--format", help="What FinOps tools read.")]


@exports.command("focus")
def export_focus(
    month: MonthOption,
    form: FocusFormatOption = FocusFormat(formats.FOCUS[0]),
    version: Annotated[
        FocusVersion, typer.Option("--focus-version", help="Whose columns the file has.")
    ] = FocusVersion(NEWEST),
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="NAMES",
            help="Only these, with commas; ours begin with x_.",
            show_default="all of the version, and ours",
        ),
    ] = None,
    file: OutOption = None,
    force: ForceOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Write a month's charges in the columns of FOCUS, and focus-metadata.json beside them."""
    from pipelines.files.export import FOCUS
    from pipelines.focus.export import export_charges, refuse_unknown_columns

    names = list(dict.fromkeys(name.strip() for name in (columns or "").split(",") if name.strip()))
    refuse_unknown_columns(names, str(version))
    data, file = _out(FOCUS, f"{month:%Y-%m}", form, file, data_dir, force=force)
    written = export_charges(
        warehouse_of(data), month, str(form), file, version=str(version), columns=names
    )
    _say_written(written, f"rows of {month:%Y-%m}", file)


@exports.command("focus-periods")
def export_focus_periods(
    form: FocusFormatOption = FocusFormat(formats.FOCUS[0]),
    file: OutOption = None,
    force: ForceOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Write every month, open or closed, as FOCUS's dataset BillingPeriod."""
    from pipelines.files.export import FOCUS_PERIODS
    from pipelines.focus.export import export_periods

    data, file = _out(FOCUS_PERIODS, None, form, file, data_dir, force=force)
    written = export_periods(warehouse_of(data), str(form), file)
    _say_written(written, "billing periods", file)


@exports.command("chargeback")
def export_chargeback(
    month: MonthOption,
    form: Annotated[
        ChargebackFormat, typer.Option("--format", help="For programs, or for Excel.")
    ] = ChargebackFormat(formats.CHARGEBACK[0]),
    by_department: Annotated[
        bool,
        typer.Option(
            "--by-department", help="Also a sheet for each department; with --format xlsx."
        ),
    ] = False,
    file: OutOption = None,
    force: ForceOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Write a month's statement: what each department and cost center pays, by pool."""
    from pipelines.files.export import CHARGEBACK, export
    from pipelines.files.outputs import refuse_unless_ours

    if by_department and form != "xlsx":
        raise typer.BadParameter("--by-department makes sheets; add --format xlsx.")
    data = data_dir_of(data_dir)
    file = file or Path(f"{CHARGEBACK.name}_{month:%Y-%m}.{form}")
    refuse_unless_ours(data, file, CHARGEBACK.kind(str(form)), force=force)
    stopping.say(stopping.FILE_IS_WHOLE)
    count = export(
        warehouse_of(data), CHARGEBACK, month, str(form), file, by_department=by_department
    )
    out.print(f"Wrote {count:,} rows of {month:%Y-%m} to {file.absolute()}.", markup=False)


@exports.command("marts")
def export_marts(
    place: Annotated[
        str, typer.Option("--out", metavar="DIR_OR_BUCKET", help="Folder or URL of their own.")
    ],
    form: Annotated[
        TableFormat, typer.Option("--format", help="As files, or as open tables.")
    ] = TableFormat(next(iter(formats.TABLES))),
    data_dir: DataDirOption = None,
) -> None:
    """Write all marts for engines that read files or open tables; of marts per day, days that
    changed."""
    from pipelines.files.outputs import is_own
    from pipelines.files.tables import export_marts
    from pipelines.settings import absolute

    data = data_dir_of(data_dir)
    if "://" not in place and is_own(data, Path(absolute(place)) / "marts"):
        raise typer.BadParameter(f"--out {place} is in the data folder; name one of its own.")
    stopping.say(stopping.TABLES_ARE_WHOLE)
    written = export_marts(warehouse_of(data), str(form), place)
    out.print(
        f"Wrote {written.rows:,} rows of {written.written} of {written.tables} tables to {place}; "
        f"of those per day that were there, {written.days:,} days.",
        markup=False,
    )


@exports.command("superset")
def export_superset(
    file: Annotated[
        Path, typer.Option("--out", parser=path, metavar="PATH", help="Zip file to write.")
    ],
    address: Annotated[
        str | None,
        typer.Option(
            "--address",
            metavar="URI",
            help="Where Superset finds the marts, as SQLAlchemy writes it.",
            show_default="where they are, seen from here",
        ),
    ] = None,
    force: ForceOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Write dashboards of adoption and money, with their datasets and metrics, for Superset."""
    from pipelines.files.outputs import DASHBOARDS, refuse_unless_ours
    from pipelines.superset import bundle

    data = data_dir_of(data_dir)
    refuse_unless_ours(data, file, DASHBOARDS, force=force)
    stopping.say(stopping.FILE_IS_WHOLE)
    warehouse = warehouse_of(data)
    address = address or warehouse.address
    with warehouse.serve() as served:
        dashboards, charts = bundle.write(warehouse.manifest(), served, address, file)
    out.print(
        f"Wrote {dashboards} dashboards of {charts} charts on {address} to {file.absolute()}.",
        markup=False,
    )


@exports.command("evidence")
def export_evidence(
    file: Annotated[
        Path, typer.Option("--out", parser=path, metavar="PATH", help="File to write.")
    ],
    form: Annotated[
        EvidenceFormat, typer.Option("--format", help="How the rows are written.")
    ] = EvidenceFormat.CSV,
    first: Annotated[
        date | None,
        typer.Option("--from", parser=day, metavar="YYYY-MM-DD", help="First UTC day."),
    ] = None,
    last: Annotated[
        date | None,
        typer.Option("--to", parser=day, metavar="YYYY-MM-DD", help="Last UTC day, included."),
    ] = None,
    force: ForceOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Write the events about access for auditors, each row chained to the one before by a hash."""
    from pipelines.files import evidence as evidence_run
    from pipelines.files.outputs import refuse_unless_ours

    if first and last and first > last:
        raise typer.BadParameter(f"--from {first} is after --to {last}; swap them.")
    data = data_dir_of(data_dir)
    refuse_unless_ours(data, file, evidence_run.kind(form), force=force)
    stopping.say(stopping.FILE_IS_WHOLE)
    evidence = evidence_run.export_evidence(warehouse_of(data), file, form, first=first, last=last)
    out.print(f"Wrote {evidence.row_count:,} rows to {file.absolute()}.", markup=False)
    out.print(f"Hash of the last row: {evidence.head_hash}")
    out.print("Keep it elsewhere: it tells this file from a rewritten one.")


@commands.command("verify-evidence")
def verify_evidence(
    file: Annotated[
        Path, typer.Argument(parser=path, metavar="FILE", help="File that `export evidence` wrote.")
    ],
    head_hash: Annotated[
        str | None, typer.Option("--hash", help="Hash of the last row, as the export gave it.")
    ] = None,
) -> None:
    """Check that no row of an evidence file is missing, altered or in another place."""
    from pipelines.files.evidence import verify_evidence as verify

    evidence = verify(file, head_hash)
    out.print(f"{file} is as it was exported: {evidence.row_count:,} rows.", markup=False)
    out.print(f"Hash of the last row: {evidence.head_hash}")


@commands.command("verify-focus")
def verify_focus(
    file: Annotated[
        Path,
        typer.Argument(parser=path, metavar="FILE", help="CSV or Parquet file, whoever wrote it."),
    ],
    version: Annotated[
        FocusVersion | None,
        typer.Option(
            "--version",
            help="By whose rules.",
            show_default="as focus-metadata.json beside it or its columns say",
        ),
    ] = None,
) -> None:
    """Check a file of FOCUS charges by every rule that its rows can decide."""
    from pipelines.focus.judge import judge

    verdict = judge(file, str(version) if version else None)
    for line in judged_lines(file, verdict):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    if verdict.count("MUST"):
        raise typer.Exit(FAILED)


def judged_lines(file: Path, verdict: "Verdict") -> list[str]:
    """A verdict in lines: a broken rule each, then how many there are."""
    from pipelines.focus.rules import LEVELS

    lines = [f"{file}: FOCUS {verdict.version} ({verdict.why}), {_rows(verdict.row_count)}."]
    for each in verdict.broken:
        demands = f" ({', '.join(each.rule.demands)})" if each.rule.demands else ""
        lines.append(f"{each.rule.level:<6} {each.rule.name}{demands}")
        lines.append(f"       broken by {_rows(each.rows)}; for example: {each.example}")
    counts = ", ".join(f"{verdict.count(level)} {level}" for level in LEVELS)
    lines.append(f"{verdict.judged} rules judged; broken: {counts}.")
    if verdict.absent:
        lines.append(f"{len(verdict.absent)} rules are about columns that the file does not have.")
    return lines


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _out(
    what: "Export",
    month: str | None,
    form: str,
    file: Path | None,
    data_dir: Path | None,
    *,
    force: bool,
) -> tuple[DataDir, Path]:
    """The data folder, and the file of FOCUS to write; neither it nor its metadata is another's."""
    from pipelines.files.outputs import Kind, refuse_unless_ours
    from pipelines.focus.metadata import METADATA

    data = data_dir_of(data_dir)
    file = file or Path(f"{what.name}_{month}.{form}" if month else f"{what.name}.{form}")
    refuse_unless_ours(data, file, what.kind(str(form)), force=force)
    metadata = Kind(name="Metadata of FOCUS", form="focus-metadata")
    refuse_unless_ours(data, file.parent / METADATA, metadata, force=force)
    return data, file


def _say_written(written: "Written", what: str, file: Path) -> None:
    out.print(f"Wrote {written.row_count:,} {what} to {file.absolute()}.", markup=False)
    for note in written.notes:
        out.print(note, markup=False)
