"""CSV files of a folder or an object store, through dlt's filesystem source."""

from collections.abc import Iterator
from datetime import datetime

from dlt.common.exceptions import MissingDependencyException
from dlt.common.storages.fsspec_filesystem import FileItemDict
from dlt.extract.exceptions import ResourceExtractionError
from dlt.sources.filesystem import filesystem

from sources.errors import ForeseenError

EXTRAS = {"s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfss": "az", "adl": "az"}
"""Scheme of a store's URL -> our extra that reads it."""


class CsvFile:
    """A file that is there; its name is the path below the folder."""

    def __init__(self, item: FileItemDict) -> None:
        self._item = item
        self.name: str = item["relative_path"]
        self.modified_at: datetime = item["modification_date"]

    def content(self) -> bytes:
        """The file's bytes.

        Raises:
            ForeseenError: It cannot be read.
        """
        try:
            return self._item.read_bytes()
        except OSError as error:
            raise ForeseenError(
                f"The Langdock export {self.name} cannot be read: {error.strerror or error}.\n"
                "Nothing of it was loaded. Check its permissions, then run the command again."
            ) from error


def csv_files(folder: str) -> Iterator[CsvFile]:
    """Every .csv file below the folder, by name; hidden and temporary ones are left out.

    Raises:
        ForeseenError: The folder cannot be listed.
    """
    try:
        items = sorted(
            filesystem(bucket_url=folder, file_glob="**"), key=lambda item: item["relative_path"]
        )
    except MissingDependencyException as error:
        raise ForeseenError(
            f"[sources.langdock] files is {folder!r}, and what reads such a store is not "
            f"installed.\nInstall the extra of that store: "
            f'pip install "claude-warehouse[{EXTRAS.get(folder.partition(":")[0], "s3")}]"'
        ) from error
    except (ResourceExtractionError, OSError, ValueError) as error:
        cause = error.__cause__ or error
        raise ForeseenError(
            f"The Langdock folder {folder} cannot be listed: {cause}\n"
            "It is the setting [sources.langdock] files: a folder, or the URL of an object store; "
            "a relative path starts at the current directory.\n"
            "Correct the setting, or remove it to go on without Langdock's exports."
        ) from error
    for item in items:
        name = item["file_name"]
        if name.lower().endswith(".csv") and not name.startswith((".", "~")):
            yield CsvFile(item)
