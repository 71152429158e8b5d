"""What dlt gets to see: our settings, and nothing of another dlt project or of the home folder.

Its own code fills in paths as patterns; that is mended here.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from dlt.common.configuration.container import Container
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.runtime.run_context import RunContext
from dlt.common.schema import Schema
from dlt.common.storages.live_schema_storage import LiveSchemaStorage
from dlt.common.storages.load_storage import LoadItemStorage
from dlt.extract.storage import ExtractorItemStorage
from dlt.pipeline import trace

RUNTIME = {"dlthub_telemetry": "false", "log_level": "CRITICAL"}
"""dlt's own settings; its messages repeat with a trace what we say."""

Lookup = Callable[[tuple[str, ...], str], str | None]
"""Sections and name of a setting -> its value, if it is one of ours and is set."""


class OwnSettings(ConfigProvider):
    """Values of our settings by their whole name: no section stands in for another."""

    name = "claude-warehouse"
    supports_secrets = True
    supports_sections = True

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def get_value(
        self, key: str, hint: type[Any], pipeline_name: str | None, *sections: str
    ) -> tuple[Any, str]:
        name = ".".join((*filter(None, [pipeline_name]), *sections, key))
        if sections == ("runtime",):
            return RUNTIME.get(key), name
        return None if pipeline_name else self._lookup(sections, key), name


class OwnContext(RunContext):
    """Where dlt reads settings and, by default, writes: nowhere in the home folder."""

    def __init__(self, lookup: Lookup) -> None:
        super().__init__(None)
        self._lookup = lookup
        self._global_dir = self.settings_dir

    @property
    def data_dir(self) -> str:
        return self.settings_dir

    def initial_providers(self) -> list[ConfigProvider]:
        return [OwnSettings(self._lookup)]


def plug_in(lookup: Lookup) -> None:
    """From now on, dlt in this process sees what the lookup gives."""
    Container()[PluggableRunContext] = PluggableRunContext(OwnContext(lookup))
    for storage in (ExtractorItemStorage, LoadItemStorage):
        template = storage._get_data_item_path_template
        storage._get_data_item_path_template = _literal_folder(template)  # type: ignore[method-assign]
    LiveSchemaStorage.__getitem__ = _read_once(LiveSchemaStorage.__getitem__)  # type: ignore[method-assign]
    # Who is told of each step: off or not, telling makes up an id and writes it to a file.
    trace.TRACKING_MODULES.clear()


def _read_once(read: Callable[..., Schema]) -> Callable[..., Schema]:
    """dlt reads, checks and hashes its schema's file whenever it looks at it, some hundred times a
    night: once is enough until the file is another one."""

    def schema(storage: LiveSchemaStorage, name: str) -> Schema:
        seen: dict[str, tuple[int, ...]] = storage.__dict__.setdefault("seen_files", {})
        live = storage.live_schemas.get(name)
        if live is not None and seen.get(name) == _stamp(storage, name):
            return live
        found = read(storage, name)
        seen[name] = _stamp(storage, name)
        return found

    return schema


def _stamp(storage: LiveSchemaStorage, name: str) -> tuple[int, ...]:
    """What tells one writing of the schema's file from another; of none, nothing does."""
    file = storage.storage.make_full_path(storage._file_name_in_store(name, "json"))
    try:
        found = os.stat(file)
    except FileNotFoundError:
        return (time.monotonic_ns(),)
    return found.st_ino, found.st_size, found.st_mtime_ns


def _literal_folder(template: Callable[..., str]) -> Callable[..., str]:
    """dlt fills in a file's name with `%`, over its whole path: not to mean the folder's own."""

    def path(storage: Any, load_id: str, schema_name: str, table_name: str) -> str:
        folder, name = os.path.split(template(storage, load_id, schema_name, table_name))
        return os.path.join(folder.replace("%", "%%"), name)

    return path
