"""What a client says of an API: why it is not reached or not read, and what to do about it."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sources.errors import ApiError, NotNow, NotTheApi, Unreachable, Untrusted
from sources.http.answers import Response, printable
from sources.http.api import Api
from sources.network import Proxy

_UNKNOWN_AUTHORITY = (
    "that this machine does not trust",
    "A company's proxy often signs with an authority of its own; base_url may also be wrong.\n"
    "Set SSL_CERT_FILE to a PEM file with that authority's certificate, then run again.",
)
_CERTIFICATES = {
    9: (
        "that is not valid yet",
        "The clock of this machine may be wrong, or the server's certificate is.\n"
        "Check the clock. Trust in another authority is set with SSL_CERT_FILE.",
    ),
    10: (
        "that has expired",
        "The clock of this machine may be wrong, or the server's owner has to renew it.\n"
        "Check the clock. Trust in another authority is set with SSL_CERT_FILE.",
    ),
    62: (
        "of another name",
        "Something else answers there, or base_url is wrong.\n"
        "Check {address}. Trust in another authority is set with SSL_CERT_FILE.",
    ),
    64: (
        "of another address",
        "Something else answers there, or base_url is wrong.\n"
        "Check {address}. Trust in another authority is set with SSL_CERT_FILE.",
    ),
}
"""OpenSSL's code of a certificate that is refused -> what it is, and what to do."""


@dataclass(frozen=True)
class Words:
    """Of one API at one address, reached through a proxy or without one."""

    api: Api
    base_url: str
    proxy: Proxy | None

    @property
    def section(self) -> str:
        return f"[sources.{self.api.section}]"

    @property
    def way(self) -> str:
        return f"The proxy {self.proxy}" if self.proxy else self.base_url

    def not_yet(self, why: object, seconds_left: float) -> str:
        return f"{self.way} cannot be reached yet ({why}); trying for {seconds_left:.0f} s more."

    def pause(self, seconds: float, status: int) -> str:
        return f"{_opening(self.api.name)} asks for a pause of {seconds:.0f} s ({status})."

    def unreachable(self, why: object, seconds: float) -> Unreachable:
        through = f", on the way to {self.base_url}," if self.proxy else ""
        check = self.proxy.variable if self.proxy else self.api.address
        return Unreachable(
            f"{self.way} cannot be reached{through} ({why}), tried for {seconds:.0f} s.\n"
            "The name may be wrong, or the network, a proxy or the service is down.\n"
            f"Check {check} and the network, then run again; what was loaded stays."
        )

    def still_unreachable(self, why: object) -> Unreachable:
        return Unreachable(
            f"{self.way} still cannot be reached ({why}), so {self.api.name} was not tried for "
            "long.\n"
            f"Its settings are in {self.section}; what was loaded stays."
        )

    def untrusted(self, error: ssl.SSLError) -> Untrusted | None:
        """The final error of a certificate or protocol that stays as it is."""
        reason = str(error.reason or "").upper()
        code = getattr(error, "verify_code", None)
        if code is not None:
            why, advice = _CERTIFICATES.get(code, _UNKNOWN_AUTHORITY)
            said = str(getattr(error, "verify_message", "") or "no reason given")
            text = (
                f"{self.base_url} shows a certificate {why} ({said}).\n"
                f"{advice.format(address=self.api.address)}"
            )
        elif "CERTIFICATE" in reason or "HANDSHAKE_FAILURE" in reason:
            text = (
                f"{self.base_url} refuses the connection: it asks for a certificate of ours, or "
                f"does not take the one it was shown ({reason.replace('_', ' ').lower()}).\n"
                "Some companies let only known machines through.\n"
                f"Set {self.section} client_certificate to a PEM file with the certificate and "
                "its key."
            )
        elif reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"):
            text = (
                f"{self.base_url} does not answer with TLS ({reason.replace('_', ' ').lower()}).\n"
                "Its port serves plain http, or something that is no web server.\n"
                f"Check {self.api.address} and its port."
            )
        else:
            return None
        return Untrusted(text)

    def refused_by_proxy(self, said: str) -> Unreachable | None:
        """What it means that the proxy does not let the request through, where that is final."""
        assert self.proxy
        way, target = self.way, urlsplit(self.base_url).hostname
        variable, status = self.proxy.variable, said[:3]
        if status == "407" or "auth" in said.lower():
            return Unreachable(
                f"{way} wants a name and a password, or does not take those it was given "
                f"({said}).\nWrite them in {variable} as http://name:password@host:port, with %40 "
                f"for an @.\nOr name {target} in NO_PROXY to go there without it."
            )
        if status.isdecimal() and status < "500" and status not in ("408", "429"):
            return Unreachable(
                f"{way} refuses to connect to {target} ({said}).\n"
                "Requests go through it because the environment says so.\n"
                f"Let its owner allow {target}, or name {target} in NO_PROXY."
            )
        return None

    def too_slow(self, what: str, seconds: float) -> ApiError:
        return ApiError(
            f"{what}: no complete answer within {seconds:.0f} s.\n"
            f"The connection is very slow, or something holds answers back. "
            f"{self.api.if_not_whole}\n"
            f"Run again later; a longer time can be set in {self.section} "
            "request_timeout_seconds."
        )

    def too_long(self, what: str, how_long: object) -> ApiError:
        return ApiError(
            f"{what}: the answer is longer than {self.api.most_megabytes} MB{how_long}, and none "
            f"of {self.api.name} is so long.\n"
            f"It was not read any further. {self.api.if_not_whole}\n"
            f"Check that {self.base_url} is {self.api.name}; if it is, please report it."
        )

    def not_now(self, seconds: float, kept_in: Path) -> NotNow:
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        return NotNow(
            f"{_opening(self.api.name)} asks not to be called again before "
            f"{until:%Y-%m-%d %H:%M} UTC (in {_length(seconds)}).\n"
            "No run waits that long, so nothing more of it was read; what was loaded stays.\n"
            f"Run again then. If the API did not mean it: the time is kept in {kept_in}, "
            "which may be removed."
        )

    def redirected(self, what: str, response: Response) -> NotTheApi:
        location = response.headers.get("location", "")
        try:
            target = urlsplit(location).hostname
        except ValueError:
            target = None
        elsewhere = "another path of the same host" if location else "an address it does not name"
        where = printable(target) if target else elsewhere
        return NotTheApi(
            f"{what}: {self.base_url} sends on to {where} ({response.status_code}), which is not "
            "followed: the key belongs to the configured host alone.\n"
            "A sign-in page or a proxy stands before the API, or base_url is not its address.\n"
            f"Check {self.api.address} and the network, then run again."
        )

    def web_page(self, what: str) -> NotTheApi:
        return NotTheApi(
            f"{what}: {self.base_url} answers with a web page, not JSON.\n"
            "A proxy or a sign-in page stands before the API, or base_url is wrong.\n"
            f"Check {self.api.address} and the network, then run again."
        )

    def not_whole(self, what: str, why: object, times: int) -> ApiError:
        return ApiError(
            f"{what}: {why}, {times} times in a row.\n"
            "Nobody can tell from that whether everything is there. "
            f"{self.api.if_not_whole}\n"
            f"Run again later. If it stays: {self.base_url} may not be {self.api.name}, or has "
            "a fault that its support should know."
        )

    def in_vain(self, what: str, why: object, times: int) -> ApiError:
        return ApiError(
            f"{what}: {why}, {times} times in a row at most.\n"
            f"The service at {self.base_url} has a fault, or it is not {self.api.name},\n"
            f"or it allows fewer requests than {self.section} says.\n"
            "Run again later; what is missing stays planned until it is loaded."
        )


def _opening(name: str) -> str:
    return name[:1].upper() + name[1:]


def _length(seconds: float) -> str:
    minutes = -int(-seconds // 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "days"), (hours, "h"), (minutes, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
