"""What a killed run left in dlt's folder, brought back to where each step began."""

import os
from contextlib import suppress

import dlt
from dlt.common.destination import LOADER_FILE_FORMATS
from dlt.common.schema import Schema
from dlt.common.storages import (
    LoadStorage,
    LoadStorageConfiguration,
    NormalizeStorage,
    NormalizeStorageConfiguration,
    PackageStorage,
)
from dlt.common.storages.load_package import WORKING_FOLDERS
from dlt.destinations.exceptions import DatabaseUndefinedRelation

ROW_FORMATS = LOADER_FILE_FORMATS - {"reference"}
"""Formats of the files that hold rows; a load makes the other files itself."""


def set_back(pipeline: dlt.Pipeline) -> None:
    """Undo half-done steps, so that every package goes through its next step from the beginning.

    dlt itself goes on file by file. A file that was written when the run was killed, but not yet
    noted as written, it would write again, and so store its rows twice. A package that is loaded
    whole stores them once: it replaces days and tables, and what it adds is deleted here first.
    """
    # As their owner: a folder that was made in part is completed.
    extracting = NormalizeStorage(
        True, NormalizeStorageConfiguration(os.path.join(pipeline.working_dir, "normalize"))
    )
    loading = LoadStorage(
        True, (), LoadStorageConfiguration(os.path.join(pipeline.working_dir, "load"))
    )
    for folder in extracting.storage.list_folder_dirs("."):
        if os.path.basename(folder) != extracting.EXTRACTED_FOLDER:
            extracting.storage.delete_folder(folder, recursively=True)
    schemas = pipeline.schemas.storage
    for file in schemas.list_folder_files("."):
        # Not yet renamed to its name; dlt would take it for a schema.
        if not file.endswith(".schema.json"):
            schemas.delete(file)
    extracted, normalized = extracting.extracted_packages, loading.normalized_packages
    for load_id in extracted.list_packages():
        if load_id in normalized.list_packages():
            # Normalizing had ended, but for its input.
            extracted.delete_package(load_id)
        else:
            # Extracting commits the package first and its schema after it.
            pipeline.schemas.save_schema(extracted.load_schema(load_id))
    for load_id in normalized.list_packages():
        if not normalized.has_abort_flag(load_id):
            _set_back_files(normalized, load_id)
            _delete_added(pipeline, normalized.load_schema(load_id), load_id)


def _set_back_files(packages: PackageStorage, load_id: str) -> None:
    for state in WORKING_FOLDERS:
        folder = packages.get_job_state_folder_path(load_id, state)
        for name in packages.storage.list_folder_files(folder, to_root=False):
            file = packages.get_job_file_path(load_id, state, name)
            if name.removesuffix(".gz").rpartition(".")[2] in ROW_FORMATS:
                new = packages.get_job_file_path(load_id, "new_jobs", name)
                packages.storage.atomic_rename(file, new)
            else:
                packages.storage.delete(file)
    for name in packages.list_pending_transitions(load_id):
        packages.clear_pending_transition(load_id, name)
    if packages.is_package_completed(load_id):
        packages.storage.delete(os.path.join(load_id, packages.PACKAGE_COMPLETED_FILE_NAME))
    # Only for a package with this file does dlt empty the staging tables. The update in it may be
    # empty: which columns the warehouse lacks is found by looking there.
    packages.storage.save(os.path.join(load_id, packages.SCHEMA_UPDATES_FILE_NAME), "{}")


def _delete_added(pipeline: dlt.Pipeline, schema: Schema, load_id: str) -> None:
    """Delete what the load wrote to tables that nothing replaces, dlt's line about it included."""
    columns = {schema.loads_table_name: "load_id"} | {
        name: "_dlt_load_id"
        for name, table in schema.tables.items()
        if table.get("write_disposition") == "append" and "_dlt_load_id" in table["columns"]
    }
    with pipeline.sql_client() as warehouse:
        for table, column in columns.items():
            name = warehouse.make_qualified_table_name(table)
            with suppress(DatabaseUndefinedRelation):
                warehouse.execute_sql(f"delete from {name} where {column} = %s", load_id)
