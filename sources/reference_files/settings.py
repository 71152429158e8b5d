"""The settings of the reference files: a path for each."""

from dataclasses import field

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from sources.reference_files.files import FILES


def _settings() -> type[BaseConfiguration]:
    names = {
        "__module__": __name__,
        "__doc__": "`[sources.reference_files]`: the path of each file; one not set is not read.",
        "__annotations__": {file.table: str | None for file in FILES},
        **{file.table: field(default=None) for file in FILES},
    }
    return configspec(type("ReferenceFileSettings", (BaseConfiguration,), names))


ReferenceFileSettings = _settings()
