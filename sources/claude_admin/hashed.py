"""Managed settings without their secrets: a text is told by its hash, but for words we know."""

import hashlib
from typing import Any

SHOWN = frozenset(
    {
        "autoUpdatesChannel", "forceLoginMethod", "model", "outputStyle",
        "permissions.defaultMode", "permissions.disableBypassPermissionsMode",
    }
)  # fmt: skip
"""Settings whose texts are words of the product, by their path."""


def with_hashed_texts(value: Any, path: str = "") -> Any:
    """The same document, each text in it as `sha256:` and the first 16 digits of its hash.

    Names of settings, numbers and switches stay, so that a reviewer sees what is set, and whether
    it changed; commands, environment variables, rules and addresses may hold secrets.
    """
    if isinstance(value, dict):
        return {
            name: with_hashed_texts(each, f"{path}.{name}" if path else str(name))
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [with_hashed_texts(each, path) for each in value]
    if isinstance(value, str) and path not in SHOWN:
        return f"sha256:{hashlib.sha256(value.encode(errors='replace')).hexdigest()[:16]}"
    return value
