"""What surrounds the process and is not ours: other tools' variables, and where libraries phone.

It imports neither dlt nor dbt, because both read variables while they are imported.
"""

import os
import sys
import warnings

FOREIGN = ("DBT_", "DLT_")
"""How variables begin that steer the dbt and the dlt of other projects."""

SILENT = {
    "DLT_DISABLE_PLUGINS": "true",  # of other packages in the same environment
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",  # its messages repeat with a trace what we say
}


def shut_out() -> None:
    """Of this process and its children, what others set about dbt, dlt and warnings has no say."""
    for name in [name for name in os.environ if name.upper().startswith(FOREIGN)]:
        del os.environ[name]
    os.environ.update(SILENT)
    if "PYTHONWARNINGS" in os.environ:
        # As errors they would end a run inside a library; a child would get them as options.
        del os.environ["PYTHONWARNINGS"]
        sys.warnoptions.clear()
        warnings.resetwarnings()
        warnings.simplefilter("ignore")


def collector() -> str | None:
    """The collector of OpenTelemetry that the environment names, as it does for every program."""
    return os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip() or None
