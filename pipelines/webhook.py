"""Tells a chat how a run went, and a dead man's switch that it took place.

Both addresses are secrets and are in no message.
"""

import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpcore
import httpx

from sources.errors import ForeseenError
from sources.http.answers import Pool
from sources.network import Transport, causes, certificates, proxy_for

TIMEOUT_SECONDS = 10
LAST_SECONDS = 1.5
ATTEMPTS = 2


def post(url: str, text: str, form: str = "text") -> str | None:
    """Send the text to a chat, in the form that it reads; returns what went wrong, or None. Never
    raises."""
    problem = _problem("POST", url, _message(text, form))
    return problem and (
        f"The webhook did not take the message: {problem}.\n"
        "The run itself is not affected.\n"
        "Check [notify] webhook_url, then try it with: claude-warehouse summary --webhook"
    )


def post_once(url: str, text: str, form: str = "text") -> None:
    """Send it if that can be done at once: the process is about to end. Never raises."""
    with _silent_http(), suppress(Exception):
        _status("POST", url, _message(text, form), LAST_SECONDS)


def beat(url: str) -> str | None:
    """Call a dead man's switch; returns what went wrong, or None. Never raises."""
    problem = _problem("GET", url, None)
    return problem and (
        f"The dead man's switch did not take the call: {problem}.\n"
        "The run itself is not affected, but whoever waits for the call hears that it is missing.\n"
        "Check [notify] heartbeat_url."
    )


def _message(text: str, form: str) -> Mapping[str, Any]:
    if form == "text":
        return {"text": text}
    lines = [
        {"type": "TextBlock", "text": line, "wrap": True, "spacing": "Small"}
        for line in text.splitlines()
        if line
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": lines,
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {
        "type": "message",
        "attachments": [{"contentType": kind, "contentUrl": None, "content": card}],
    }


def _problem(method: str, url: str, body: Mapping[str, Any] | None) -> str | None:
    """What went wrong, or None. Redirects are not followed: they would hand the text to an address
    nobody configured."""
    problem = ""
    with _silent_http():
        for _ in range(ATTEMPTS):
            try:
                status = _status(method, url.strip(), body)
            except ForeseenError as error:  # The environment's proxy or certificates.
                return str(error).splitlines()[0].rstrip(".")
            # Whatever it is, its text may hold the address: only its kind is told.
            except Exception as error:
                problem = _reason(error)
            else:
                if 200 <= status < 300:
                    return None
                problem = f"it answered with {status}"
                if status < 500 and status != 429:
                    break
    return problem


def _status(
    method: str, url: str, body: Mapping[str, Any] | None, seconds: float = TIMEOUT_SECONDS
) -> int:
    """The status of the answer; what else it says is not read."""
    proxy = proxy_for(url)
    is_secured = url.lower().startswith("https:") or (proxy and proxy.scheme == "https")
    transport = Transport(proxy, certificates() if is_secured else None)
    transport.end_in(seconds)
    with (
        httpx.Client(transport=Pool(transport.pool), timeout=seconds, trust_env=False) as client,
        client.stream(method, url, json=body) as answer,
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
