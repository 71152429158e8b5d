"""Sends a text to the chat's webhook; its address is a secret and is in no message."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

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
                answer = httpx.post(url.strip(), json={"text": text}, timeout=TIMEOUT_SECONDS)
            # Whatever it is, its text may hold the address: only its kind is told.
            except Exception as error:
                problem = _reason(error)
            else:
                if answer.is_success:
                    return None
                problem = f"it answered with {answer.status_code}"
                if answer.status_code < 500 and answer.status_code != 429:
                    break
    return (
        f"The webhook did not take the message: {problem}.\n"
        "The run itself is not affected.\n"
        "Check [notify] webhook_url, then try it with: claude-warehouse summary --webhook"
    )


def post_once(url: str, text: str) -> None:
    """Send it if that can be done at once: the process is about to end. Never raises."""
    with _silent_http(), suppress(Exception):
        httpx.post(url.strip(), json={"text": text}, timeout=LAST_SECONDS)


def _reason(error: Exception) -> str:
    match error:
        case httpx.TimeoutException():
            return f"no answer within {TIMEOUT_SECONDS} s"
        case httpx.ConnectError():
            return "its host cannot be reached"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
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
