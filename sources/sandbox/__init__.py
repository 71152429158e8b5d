"""The Analytics API with an invented organisation: for a first try without a key, and for tests."""

from sources.errors import ForeseenError

try:
    from sources.sandbox.server import API_KEY, INPUTS, Received, Sandbox, serve
except ModuleNotFoundError as error:
    library = (error.name or "").partition(".")[0]
    if library not in ("starlette", "uvicorn"):
        raise
    raise ForeseenError(
        f"The invented organisation cannot be served: the library {library} is not installed.\n"
        "It comes with the extra `sandbox`, which loading real data does not need.\n"
        'Run: pip install "claude-warehouse[sandbox]", then this again.'
    ) from None

__all__ = ["API_KEY", "INPUTS", "Received", "Sandbox", "serve"]
