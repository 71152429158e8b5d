"""The commands that begin a folder, and keep it."""

import sys
from typing import Annotated

import typer

from pipelines import hints
from pipelines.cli.options import DataDirOption, data_dir_of
from pipelines.cli.told import err, out
from pipelines.warehouse import held, warehouse_of
from sources.errors import ForeseenError

commands = typer.Typer()


@commands.command()
def init() -> None:
    """Write settings, secrets and a template of each reference file into this folder."""
    from pipelines import init as init_run

    is_known, key = init_run.is_key_known(), ""
    if not is_known and not init_run.secrets_exist() and sys.stdin.isatty():
        key = typer.prompt(
            "Key of the Analytics API (not shown; Enter: later)", hide_input=True, default="",
            show_default=False,
        ).strip()  # fmt: skip
    for file in init_run.init(key):
        out.print(f"{'Wrote' if file.is_new else 'Left as it is:'} {file.path}", markup=False)
    out.print("The templates hold one example each, which is no data; fill in those that you need.")
    if not (is_known or key):
        out.print(
            "Put the key into .dlt/secrets.toml: api_key of [sources.claude_analytics].",
            markup=False,
        )
    out.print("Then run: claude-warehouse doctor")


@commands.command()
def backup(
    to: Annotated[
        str,
        typer.Option("--to", metavar="DIR_OR_URL", help="Folder, or an object store's URL."),
    ],
    data_dir: DataDirOption = None,
) -> None:
    """Copy what cannot be fetched again, the warehouse and the closes, into a new folder there."""
    from pipelines.files import backup as backup_run
    from pipelines.raw_tables import finish_pending, warehouse_pipeline

    data = data_dir_of(data_dir)
    warehouse = warehouse_of(data)
    warehouse.require()
    with held(data, "backup"):
        finish_pending(warehouse_pipeline(data))
        made = backup_run.backup(data, warehouse, to)
    out.print(
        f"Wrote {len(made.files)} files ({made.bytes / 2**20:.1f} MiB) to {made.place}.",
        markup=False,
    )


@commands.command()
def restore(
    source: Annotated[
        str,
        typer.Argument(metavar="DIR_OR_URL", help="A backup, or what --to named: the newest."),
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Replace the warehouse that is there.")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Put a backup into the data folder, and publish the marts in it."""
    from pipelines.files import backup as backup_run

    data = data_dir_of(data_dir)
    made = backup_run.found(source)
    with held(data, "restore", replaces=True):
        backup_run.restore(data, source, made, force=force)
        out.print(
            f"Restored {len(made.files)} files of {made.made_at} (claude-warehouse "
            f"{made.version}) to {data.root}.",
            markup=False,
        )
        try:
            warehouse_of(data).publish()
        except ForeseenError as error:
            err.print(hints.pasted(str(error)), style="yellow", markup=False)
    out.print(hints.pasted("Days since then are fetched by: claude-warehouse sync"), markup=False)


@commands.command()
def vacuum(data_dir: DataDirOption = None) -> None:
    """Give back the space of what was deleted, by a fresh file in the place of the warehouse."""
    from pipelines.raw_tables import finish_pending, warehouse_pipeline

    data = data_dir_of(data_dir)
    warehouse = warehouse_of(data)
    warehouse.require()
    with held(data, "vacuum"):
        finish_pending(warehouse_pipeline(data))
        before = warehouse.size()
        warehouse.vacuum()
        after = warehouse.size()
    out.print(f"The warehouse had {before / 2**20:.1f} MiB and has {after / 2**20:.1f} MiB.")
