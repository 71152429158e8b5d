"""Folders and buckets, reached the same way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.exceptions import MissingDependencyException
from dlt.common.storages import FilesystemConfiguration, fsspec_from_config

from pipelines.foreseen import foreseen
from pipelines.settings import CREDENTIALS, absolute
from sources.errors import ForeseenError

EXTRAS = {"s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfss": "az"}


@dataclass(frozen=True)
class Store:
    """A folder or bucket.

    Attributes:
        files: Its file system, of fsspec's.
        root: Its path there.
        url: Its URL, without a slash at its end.
        credentials: What opens it, in dlt's form; None: it is a folder of this machine.
    """

    files: Any
    root: str
    url: str
    credentials: Any


@contextmanager
def opened(where: str) -> Iterator[Store]:
    """The folder or URL.

    Raises:
        ForeseenError: It cannot be reached, read or written.
    """
    place = absolute(where)
    scheme = place.partition("://")[0] if "://" in place else "file"
    url = place if "://" in place else Path(place).as_uri()
    try:
        given = resolve_configuration(FilesystemConfiguration(url), sections=CREDENTIALS)
        files, root = fsspec_from_config(given)
        credentials = None if scheme == "file" else given.credentials
        yield Store(files, root.rstrip("/"), url.rstrip("/"), credentials)
    except MissingDependencyException as error:
        raise ForeseenError(
            f"{where} cannot be used: what reads and writes such a store is not installed.\n"
            "It is an extra of claude-warehouse.\n"
            f'Install it: pip install "claude-warehouse[{EXTRAS.get(scheme, "s3")}]"'
        ) from error
    except ConfigurationException as error:
        raise ForeseenError(
            f"{where} cannot be used: its credentials are not set.\n"
            f"{str(error).splitlines()[0]}\n"
            "Set them in .dlt/secrets.toml, section [sources.filesystem.credentials]."
        ) from error
    except ForeseenError:
        raise
    except (OSError, ValueError) as error:
        raise foreseen(error) from error
