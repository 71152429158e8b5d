"""The commands that write what is in the marts to a file, or check such a file."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines import evidence as evidence_run
from pipelines import export as export_run
from pipelines.cli.options import DataDirOption, ForceOption, data_dir_of, day, path
from pipelines.cli.options import month as month_of
from pipelines.cli.told import out
from pipelines.evidence import EvidenceFormat
from pipelines.outputs import refuse_unless_ours
from pipelines.warehouse import warehouse_of

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
    "ChargebackFormat", {form: form for form in export_run.CHARGEBACK.formats}
)


FocusFormat = StrEnum(  # type: ignore[misc]
    "FocusFormat", {form: form for form in export_run.FOCUS.formats}
)


@exports.command("focus")
def export_focus(
    month: MonthOption,
    form: Annotated[
        FocusFormat, typer.Option("--format", help="What FinOps tools read.")
    ] = FocusFormat(export_run.FOCUS.formats[0]),
    file: OutOption = None,
    force: ForceOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Write a month's charges in the columns of FOCUS 1.4."""
    _export(export_run.FOCUS, month, form, file, data_dir, force=force)


@exports.command("chargeback")
def export_chargeback(
    month: MonthOption,
    form: Annotated[
        ChargebackFormat, typer.Option("--format", help="For programs, or for Excel.")
    ] = ChargebackFormat(export_run.CHARGEBACK.formats[0]),
    file: OutOption = None,
    force: ForceOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Write a month's statement: what each department and cost center pays, by pool."""
    _export(export_run.CHARGEBACK, month, form, file, data_dir, force=force)


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
    if first and last and first > last:
        raise typer.BadParameter(f"--from {first} is after --to {last}; swap them.")
    data = data_dir_of(data_dir)
    refuse_unless_ours(data, file, evidence_run.kind(form), force=force)
    evidence = evidence_run.export_evidence(warehouse_of(data), file, form, first=first, last=last)
    out.print(f"Wrote {evidence.row_count:,} rows to {file}.", markup=False)
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
    evidence = evidence_run.verify_evidence(file, head_hash)
    out.print(f"{file} is as it was exported: {evidence.row_count:,} rows.", markup=False)
    out.print(f"Hash of the last row: {evidence.head_hash}")


def _export(
    what: export_run.Export,
    month: date,
    form: str,
    file: Path | None,
    data_dir: Path | None,
    *,
    force: bool,
) -> None:
    data = data_dir_of(data_dir)
    file = file or Path(f"{what.name}_{month:%Y-%m}.{form}")
    refuse_unless_ours(data, file, what.kind(str(form)), force=force)
    count = export_run.export(warehouse_of(data), what, month, str(form), file)
    out.print(f"Wrote {count:,} rows of {month:%Y-%m} to {file}.", markup=False)
