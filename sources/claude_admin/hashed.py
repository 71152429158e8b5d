"""What may hold a secret, told by its hash: texts of managed settings, paths of web addresses."""

import hashlib
from typing import Any
from urllib.parse import urlsplit

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
        return _hash(value)
    return value


def with_hashed_path(address: Any) -> Any:
    """Scheme, host and port of a web address; what else it has, as a hash after them.

    A chat's webhook is its own password, and user names, paths and queries are where others are
    put; a reviewer sees which host is written to, and whether the address changed.
    """
    if not isinstance(address, str):
        return address
    try:
        parts = urlsplit(address)
        host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    except ValueError:
        return _hash(address)
    if not (parts.scheme and parts.netloc):
        return _hash(address)
    return address if address in (host, f"{host}/") else f"{host}/{_hash(address)}"


def _hash(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]}"
