"""Takes keys and addresses of people out of a text that is kept or shown."""

import re
from contextlib import suppress

from sources.errors import ForeseenError

SECRETS = (
    "api_key",
    "org_admin_token",
    "webhook_url",
    "heartbeat_url",
    "identity_key",
    "password",
)
"""Names of settings whose values nobody may see."""
PATTERNS = (
    (re.compile(r"\bsk-[A-Za-z0-9_-]{8,}"), "<key>"),
    (re.compile(r"(?i)\b(bearer|x-api-key[\"']?:)\s+\S+"), r"\1 <key>"),
    (re.compile(r"(https?://)[^/\s:@]+:[^/\s@]+@"), r"\1"),
    (re.compile(r"[\w.+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "<address>"),
)
SHORTEST_SECRET = 8


def redacted(text: str) -> str:
    """The text without the keys of the settings, and without e-mail addresses."""
    for secret in sorted(_secrets(), key=len, reverse=True):
        text = text.replace(secret, "<key>")
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return text


def _secrets() -> set[str]:
    from pipelines.settings import (  # Slow to load, and rarely needed.
        SECTIONS,
        organizations,
        settings,
    )

    found = set()
    for kind in SECTIONS:
        with suppress(ForeseenError):  # A value that cannot be read was not used either.
            section = settings(kind)
            found |= {str(getattr(section, name, None) or "").strip() for name in SECRETS}
    with suppress(ForeseenError):
        found |= {further.api_key for further in organizations()}
    return {secret for secret in found if len(secret) >= SHORTEST_SECRET}
