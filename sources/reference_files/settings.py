"""The settings of the reference files: a path for each, and how much one may lose."""

from dataclasses import field

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from sources.reference_files.files import FILES


def _settings() -> type[BaseConfiguration]:
    names = {
        "__module__": __name__,
        "__doc__": "`[sources.reference_files]`: the path of each file, one not set is not read; "
        "largest_loss is the part of its people, departments or lines that a file may lose.",
        "__annotations__": {**{file.table: str | None for file in FILES}, "largest_loss": str},
        **{file.table: field(default=None) for file in FILES},
        "largest_loss": "1/3",
    }
    return configspec(type("ReferenceFileSettings", (BaseConfiguration,), names))


ReferenceFileSettings = _settings()
