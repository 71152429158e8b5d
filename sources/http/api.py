"""An API as messages name it, how it is reached, and what its key and address have to be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from sources.errors import ForeseenError
from sources.network import is_loopback


@dataclass(frozen=True, kw_only=True)
class Api:
    """An API as messages name it, and where its settings are.

    Attributes:
        name: As in "the Analytics API".
        section: Its settings are in `[sources.<section>]`.
        within: The section of its key and address, where that is another one.
        reads: What its key is for, as in "The key may not read …".
        base_url: Where it usually is.
        key_header: Header and prefix that carry the key; None: it takes none.
        key_advice: Which key it needs, and who creates it; a whole sentence.
        headers: Sent with every request.
        most_megabytes: A longer answer is refused.
        what_it_takes: What the organisation or key needs for a path not to be answered with 404.
        if_forbidden: What to do about a 403 that names no scope.
        if_not_taken: What to do about a 400.
        if_not_whole: What becomes of what was read of an answer, or of pages, without their end.
        address_is: What names the address, where that is not the setting base_url.
        not_for_this_organisation: Error codes that say so, whatever their status.
        organisation_header: The header of an answer that names the key's organisation.
    """

    name: str
    section: str
    within: str = ""
    reads: str
    base_url: str
    key_header: tuple[str, str] | None
    key_advice: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    most_megabytes: int
    what_it_takes: str
    if_forbidden: str = ""
    if_not_taken: str = ""
    if_not_whole: str
    address_is: str = ""
    not_for_this_organisation: frozenset[str] = frozenset()
    organisation_header: str = ""

    @property
    def address(self) -> str:
        """What to check where the address may be wrong."""
        return self.address_is or f"[{self._settings}] base_url"

    @property
    def key_variable(self) -> str:
        return f"{self._settings.replace('.', '__').upper()}__API_KEY"

    @property
    def _settings(self) -> str:
        return self.within or f"sources.{self.section}"


@dataclass(frozen=True)
class Connection:
    """How an API is reached, beside its address and key.

    Attributes:
        request_timeout_seconds: Within which a request has to be answered, all attempts together.
        allow_http: Whether its address may be http:// on another machine.
        client_certificate: PEM file with a certificate and its key, where the server asks for one.
    """

    request_timeout_seconds: float = 600
    allow_http: bool = False
    client_certificate: str | None = None


def checked_key(api: Api, api_key: str) -> str:
    key = api_key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ForeseenError(
            f"There is {'no' if not key else 'no usable'} API key for {api.name}.\n"
            f"{api.key_advice}\n"
            f"Set {api.key_variable}, or api_key in .dlt/secrets.toml. "
            "To look around without a key: claude-warehouse demo."
        )
    return key


def checked_base_url(api: Api, base_url: str, allow_http: bool) -> str:
    try:
        url = httpx.URL(base_url.strip().rstrip("/"))
        usable = (
            url.scheme in ("http", "https")
            and url.host
            and url.path in ("", "/")
            and not url.query
            and not url.userinfo
            and not url.fragment
            and (url.port is None or 0 < url.port < 65_536)
            # What no name server could be asked for: an empty or too long part of the name.
            and all(0 < len(part) < 64 for part in url.raw_host.rstrip(b".").split(b"."))
        )
    except httpx.InvalidURL:
        usable = False
    if not usable:
        raise ForeseenError(
            f"{api.address} is {_without_login(base_url)!r}.\n"
            "It is scheme and host only; paths are added by each endpoint.\n"
            f"Write it as {api.base_url}."
        )
    if url.scheme == "http" and not is_loopback(url.host) and not allow_http:
        address = api.address[:1].upper() + api.address[1:]
        https = f"Write it as https://{url.netloc.decode()}."
        raise ForeseenError(
            f"{address} is {str(url)!r}, which is not encrypted: everybody "
            f"on the way could read {'the key and ' if api.key_header else ''}the data.\n"
            f"{api.if_not_whole if api.address_is else https}\n"
            f"Where that way is yours alone, set [sources.{api.section}] allow_http = true."
        )
    return str(url)


def _without_login(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//[login]@", url)
