"""How a host is reached: the environment's proxies and certificates, and an end to every wait."""

import ipaddress
import os
import re
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies

import certifi
import httpcore

from sources.errors import ForeseenError
from sources.regular import require_regular

PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
KEEP_ALIVE_SECONDS = 4.0


@dataclass(frozen=True)
class Proxy:
    """A proxy of the environment; `variable` names it, and its password is never shown."""

    variable: str
    scheme: str
    host: str
    port: int
    login: tuple[str, str] | None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}, of {self.variable},"


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    address = getattr(address, "ipv4_mapped", None) or address
    return address is not None and address.is_loopback


def proxy_for(url: str) -> Proxy | None:
    """The proxy that the environment names for a URL; none for this machine itself.

    Raises:
        ForeseenError: It is not the address of a proxy, or lacks what it needs.
    """
    target = urlsplit(url)
    host = target.hostname or ""
    proxies = getproxies()
    if is_loopback(host) or _is_exempt(target, re.split(r"[,\s]+", proxies.get("no", ""))):
        return None
    for kind in (target.scheme, "all"):
        if address := proxies.get(kind, "").strip():
            names = (f"{kind}_proxy", f"{kind}_proxy".upper())
            usual = (name for name in names if os.environ.get(name))
            return _proxy(next(usual, "the system's proxy settings"), address, host)
    return None


def certificates(client_certificate: str | None = None, section: str = "") -> ssl.SSLContext:
    """Which servers are trusted, and the certificate that is shown to them, if any.

    Raises:
        ForeseenError: A file is not there, or is none of certificates.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        _load(context, "SSL_CERT_FILE", file)
    elif folder:
        parts = [Path(part) for part in folder.split(os.pathsep) if part]
        if not any(_holds_certificates(part) for part in parts):
            raise ForeseenError(
                f"SSL_CERT_DIR is {folder}, and no certificate is found there.\n"
                "It is a folder whose files are named by hash, as `openssl rehash` makes them.\n"
                "Correct it, or name one PEM file in SSL_CERT_FILE instead."
            )
        context.load_verify_locations(capath=folder)
    else:
        context.load_verify_locations(cafile=certifi.where())
    if client_certificate:
        path = os.path.expanduser(client_certificate)
        try:
            require_regular(path)
            context.load_cert_chain(path, password="")
        except (OSError, ValueError) as error:
            raise ForeseenError(
                f"[sources.{section}] client_certificate is {client_certificate}, "
                f"which cannot be used ({_reason(error)}).\n"
                "It is a PEM file with the certificate and its key, the key without a password.\n"
                "Correct the path or the file, or remove the setting."
            ) from None
    return context


class Transport:
    """Connections to one host, kept for a while; each request ends at its thread's deadline."""

    def __init__(self, proxy: Proxy | None, context: ssl.SSLContext | None) -> None:
        # Plain HTTP needs no authorities; this context knows none.
        context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._deadline = _Deadline()
        shared: dict[str, Any] = {
            "ssl_context": context,
            "max_connections": None,
            "keepalive_expiry": KEEP_ALIVE_SECONDS,
            "network_backend": _Backend(self._deadline),
        }
        self.pool = _pool(proxy, context, shared)

    def end_in(self, seconds: float) -> None:
        """Cut off what this thread asks next, once this time has passed."""
        self._deadline.at = monotonic() + seconds

    @property
    def is_over(self) -> bool:
        return monotonic() >= self._deadline.at


def _pool(
    proxy: Proxy | None, context: ssl.SSLContext, shared: dict[str, Any]
) -> httpcore.ConnectionPool:
    if proxy is None:
        return httpcore.ConnectionPool(**shared)
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    url = f"{proxy.scheme}://{host}:{proxy.port}"
    if proxy.scheme.startswith("socks5"):
        return httpcore.SOCKSProxy(url, proxy_auth=proxy.login, **shared)
    secured: dict[str, Any] = {"proxy_ssl_context": context} if proxy.scheme == "https" else {}
    return httpcore.HTTPProxy(url, proxy_auth=proxy.login, **secured, **shared)


class _Deadline(threading.local):
    """When the request of this thread has to be over, by the monotonic clock."""

    at: float = inf

    def shortened(self, timeout: float | None) -> float:
        left = self.at - monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left if timeout is None else min(left, timeout)


class _Backend(httpcore.SyncBackend):
    """Connections whose every step is cut off at the deadline, so that a drip cannot last."""

    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        shortened = self._deadline.shortened(timeout)
        stream = super().connect_tcp(host, port, shortened, local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.shortened(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.shortened(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        shortened = self._deadline.shortened(timeout)
        secured = self._stream.start_tls(ssl_context, server_hostname, shortened)
        return _Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _proxy(variable: str, address: str, target: str) -> Proxy:
    def unusable(why: str) -> ForeseenError:
        # Its text may hold a password, so it is not shown.
        return ForeseenError(
            f"{variable} is not the address of a proxy: {why}.\n"
            "It is http://host:port, or http://name:password@host:port with %40 for an @.\n"
            f"Correct or unset it, or name {target} in NO_PROXY to go there without it."
        )

    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise unusable("it cannot be read") from None
    if parts.scheme not in PROXY_SCHEMES:
        raise unusable(f"its scheme is none of {', '.join(PROXY_SCHEMES)}")
    labels = host.rstrip(".").split(".")
    readable = host.isascii() and re.fullmatch(r"[\w.:%-]+", host)
    if not readable or not all(0 < len(label) < 64 for label in labels) or port == 0:
        raise unusable("it names no host and port that could exist")
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ForeseenError(
            f"{variable} is a SOCKS proxy, and what speaks to one is not installed.\n"
            "It needs the package socksio beside this program.\n"
            f'Install it (pip install "httpx[socks]"), or name {target} in NO_PROXY.'
        )
    login = None
    if parts.username is not None:
        login = unquote(parts.username), unquote(parts.password or "")
    usual = {"https": 443, "http": 80}.get(parts.scheme, 1080)
    return Proxy(variable, parts.scheme, host, port or usual, login)


def _is_exempt(target: SplitResult, entries: Iterable[str]) -> bool:
    host = (target.hostname or "").rstrip(".")
    port = target.port or {"https": 443}.get(target.scheme, 80)
    address = _address(host)
    for entry in filter(None, entries):
        if entry == "*":
            return True
        scheme, _, name = entry.lower().rpartition("://")
        if scheme not in ("", "all", target.scheme):
            continue
        with suppress(ValueError):
            if address and address in ipaddress.ip_network(name.strip("[]"), strict=False):
                return True
        if named := re.fullmatch(r"(\[.*\]|[^:]*):(\d+)", name):
            name = named[1]
            if int(named[2]) != port:
                continue
        name = name.strip("[]").lstrip("*").strip(".")
        if name and (host == name or host.endswith(f".{name}")):
            return True
    return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _load(context: ssl.SSLContext, variable: str, file: str) -> None:
    try:
        require_regular(file)
        context.load_verify_locations(cafile=file)
    except (OSError, ValueError) as error:
        raise ForeseenError(
            f"{variable} is {file}, which cannot be used ({_reason(error)}).\n"
            "It is a file with the certificates of the authorities that are trusted (PEM).\n"
            f"Correct {variable}, or unset it: the usual authorities are then trusted."
        ) from None


def _holds_certificates(folder: Path) -> bool:
    try:
        return any(re.fullmatch(r"[0-9a-f]{8}\.\d+", path.name) for path in folder.iterdir())
    except OSError:
        return False


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "it holds no usable certificate"
    return getattr(error, "strerror", None) or "it is no path"
