"""Options that more than one command has, and what their words are read as."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines import hints, project
from pipelines.data_dir import DataDir
from sources.days import FIRST_DAY

if TYPE_CHECKING:
    from sources.contract import Source


def loadable() -> "dict[str, Source]":
    """What --only may name, and whose it is."""
    from pipelines.registry import SOURCES

    return {name: source for source in SOURCES for name in source.choices}


def name_to_load(text: str) -> str:
    if text not in (known := loadable()):
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(known)}.")
    return text


def path(text: str | Path) -> Path:
    """A shell leaves `~` as it is in `--out=~/report.html`."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise typer.BadParameter(f"{text} names a home folder, and there is none.") from None


def day(text: str | date) -> date:
    try:
        return text if isinstance(text, date) else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day; write it as 2026-06-15.") from None


def today(text: str | date) -> date:
    moment = day(text)
    if moment < FIRST_DAY:
        raise typer.BadParameter(f"{moment} is before {FIRST_DAY}, the first day that the API has.")
    return moment


def moment(text: str | datetime) -> datetime:
    """A moment in UTC; of a day alone, its end."""
    try:
        if isinstance(text, datetime):
            return text
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is not a moment; write it as 2026-01-31 or 2026-01-31T06:00 (UTC)."
        ) from None


def month(text: str | date) -> date:
    try:
        return text if isinstance(text, date) else datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a month; write it as 2026-05.") from None


def project_dir(folder: Path | None) -> Path | None:
    """Choose the project's folder, before anything asks for a setting."""
    if folder is not None:
        if not folder.is_dir():
            raise typer.BadParameter(f"{folder} is no folder.")
        project.choose((project.started_in() / folder).resolve())
    return folder


ProjectDirOption = Annotated[
    Path | None,
    typer.Option(
        "--project-dir",
        parser=path,
        callback=project_dir,
        is_eager=True,
        expose_value=False,
        metavar="PATH",
        help="Folder with .dlt, from which relative paths of settings start. Variable: "
        f"{project.VARIABLE}.",
        show_default="where this is started",
    ),
]
DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        parser=path,
        metavar="PATH",
        help="Folder that holds everything a run writes. Setting: pipeline.data_dir.",
        show_default="data",
    ),
]
TodayOption = Annotated[
    date | None,
    typer.Option(
        "--today",
        parser=today,
        metavar="YYYY-MM-DD",
        help="The day the run takes place on.",
        show_default="today, in UTC",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file of another kind, too.")]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        parser=name_to_load,
        metavar="NAME",
        help="Load only this endpoint or source; may be repeated. Any other word tells which "
        "there are.",
    ),
]
NoTransformOption = Annotated[
    bool,
    typer.Option("--no-transform", help="Load only; build and publish no marts."),
]


def data_dir_of(option: Path | None, *, checked: bool = True) -> DataDir:
    """The folder that a command works in, once its settings are known to be usable.

    Messages that name a command name the folder too.
    """
    from pipelines.settings import PipelineSettings, require_settings, settings

    if option:
        hints.use(option, is_given=True)
    if checked:
        require_settings()
    folder = option or Path(settings(PipelineSettings).data_dir)
    hints.use(folder, is_given=option is not None)
    data_dir = DataDir(folder)
    data_dir.require_files()
    return data_dir
