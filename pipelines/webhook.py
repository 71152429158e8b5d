"""Sends a text to the chat's webhook; its address is a secret and is in no message."""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpcore
import httpx

from sources.errors import ForeseenError
from sources.http import Pool
from sources.network import Transport, causes, certificates, proxy_for

TIMEOUT_SECONDS = 10
LAST_SECONDS = 1.5
ATTEMPTS = 2


def post(url: str, text: str) -> str | None:
    """Send `{"text": …}`; returns what went wrong, or None. Never raises.

    Redirects are not followed: they would hand the text to an address nobody configured.
    """
    problem = ""
    with _silent_http():
        for _ in range(ATTEMPTS):
            try:
                status = _sent(url.strip(), text)
            except ForeseenError as error:  # The environment's proxy or certificates.
                problem = str(error).splitlines()[0].rstrip(".")
                break
            # Whatever it is, its text may hold the address: only its kind is told.
            except Exception as error:
                problem = _reason(error)
            else:
                if 200 <= status < 300:
                    return None
                problem = f"it answered with {status}"
                if status < 500 and status != 429:
                    break
    return (
        f"The webhook did not take the message: {problem}.\n"
        "The run itself is not affected.\n"
        "Check [notify] webhook_url, then try it with: claude-warehouse summary --webhook"
    )


def post_once(url: str, text: str) -> None:
    """Send it if that can be done at once: the process is about to end. Never raises."""
    with _silent_http(), suppress(Exception):
        _sent(url.strip(), text, LAST_SECONDS)


def _sent(url: str, text: str, seconds: float = TIMEOUT_SECONDS) -> int:
    """The status of the answer; what else it says is not read."""
    proxy = proxy_for(url)
    is_secured = url.lower().startswith("https:") or (proxy and proxy.scheme == "https")
    transport = Transport(proxy, certificates() if is_secured else None)
    transport.end_in(seconds)
    with (
        httpx.Client(transport=Pool(transport.pool), timeout=seconds, trust_env=False) as client,
        client.stream("POST", url, json={"text": text}) as answer,
    ):
        return answer.status_code


def _reason(error: Exception) -> str:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error)):
        return "this machine does not trust its certificate; SSL_CERT_FILE names whom it trusts"
    match error:
        case httpcore.TimeoutException():
            return f"no answer within {TIMEOUT_SECONDS} s"
        case httpcore.ProxyError():
            return f"the proxy of the environment does not let it through ({str(error)[:60]})"
        case httpcore.ConnectError():
            return "its host, or the proxy on the way there, cannot be reached"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpcore.UnsupportedProtocol():
            return "its address is not a web address"
        case _:
            return f"the connection failed ({type(error).__name__})"


@contextmanager
def _silent_http() -> Iterator[None]:
    """Nothing is logged meanwhile: the HTTP library's own log names the address."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
