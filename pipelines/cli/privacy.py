"""The commands that change who is named in what is stored."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.options import DataDirOption, ForceOption, TodayOption, data_dir_of, path
from pipelines.cli.told import out
from pipelines.data_dir import DataDir
from pipelines.warehouse import warehouse_of
from sources.errors import ForeseenError
from sources.regular import regular_bytes

commands = typer.Typer()


@commands.command("apply-identity")
def apply_identity(data_dir: DataDirOption = None, today: TodayOption = None) -> None:
    """Bring everything that is stored into the form that [privacy] identity says; for good."""
    from pipelines.people.people_changed import apply_identity as change

    _change(data_dir_of(data_dir), "apply-identity", today, change)


@commands.command("rotate-identity-key")
def rotate_identity_key(data_dir: DataDirOption = None, today: TodayOption = None) -> None:
    """Give everybody another pseudonym, with a new key beside the earlier one."""
    from pipelines.people.people_changed import rotate_key

    _change(data_dir_of(data_dir), "rotate-identity-key", today, rotate_key)


@commands.command("forget-person")
def forget_person(
    who: Annotated[str, typer.Argument(metavar="EMAIL_OR_ID", help="Whom; nobody is asked again.")],
    data_dir: DataDirOption = None,
    today: TodayOption = None,
) -> None:
    """Take a person out of everything that is stored, for good; counts and money stay."""
    from pipelines.people.people_changed import forget_person as change

    _change(data_dir_of(data_dir), "forget-person", today, lambda data, now: change(data, who, now))


@commands.command()
def reveal(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A text, such as an export in CSV.")],
    emails: Annotated[
        Path,
        typer.Option("--emails", parser=path, metavar="LIST", help="A text, an address a line."),
    ],
    out_file: Annotated[
        Path, typer.Option("--out", parser=path, metavar="PATH", help="The file to write.")
    ],
    force: ForceOption = False,
) -> None:
    """Put addresses in the place of their pseudonyms, for who has the identity key and a list."""
    from pipelines.files.outputs import replaced
    from pipelines.people.identity import NO_KEY, keys_of
    from pipelines.people.people_changed import reveal as revealed
    from pipelines.settings import PrivacySettings, settings

    if not (keys := keys_of(settings(PrivacySettings))):
        raise ForeseenError(f"Without the identity key nobody can be found. {NO_KEY}")
    if out_file.exists() and not force:
        raise ForeseenError(
            f"{out_file} is there already. Nothing was written.\n"
            "Name another file, or add --force to replace it."
        )
    listed = [line.strip() for line in _text(emails).splitlines() if "@" in line]
    text, count = revealed(_text(file), listed, keys)
    with replaced(out_file, "What was revealed") as new:
        new.write_text(text, "utf-8")
    out.print(f"Wrote {out_file}: {count} of {len(listed)} addresses stand in it.", markup=False)


def _text(file: Path) -> str:
    try:
        return regular_bytes(file).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ForeseenError(
            f"{file} cannot be read as a text of UTF-8 ({type(error).__name__}).\n"
            "Nothing was written.\nExport it as CSV, for example, then run this again."
        ) from None


def _change(
    data: DataDir, command: str, today: date | None, change: Callable[[DataDir, datetime], str]
) -> None:
    from pipelines.cli.run import Run
    from pipelines.run import RunResult, build, report_path
    from sources.session import Clock

    warehouse_of(data).require()
    with Run(data, command, Clock.at(today)) as run:
        told = change(data, datetime.now(UTC))
        result = RunResult()
        build(data, result, run.listener)
        run.finish(result, report_path(data), before=told)
    raise typer.Exit(run.exit_code)
