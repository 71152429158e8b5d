"""What an answer other than 200 means, in the API's words and in ours."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sources.errors import ApiError, Expired, KeyRefused, NotJson, Refused
from sources.http.answers import Response, json_object
from sources.http.api import Api


@dataclass(frozen=True)
class Refusal:
    """An answer other than 200: its status, the API's own words, and our message; another one where
    it is a page cursor that was refused."""

    status: int
    message: str
    error_code: str
    text: str
    text_of_cursor: str


def refusal_of(
    api: Api, base_url: str, what: str, response: Response, shown: Callable[[str], str]
) -> Refusal:
    """What happened, why, and what to do; `shown` is what may be shown of the API's own words."""
    status = response.status_code
    said, error_code = own_words(response)
    message = shown(said)
    where = f"({status} for {what})"
    says = f'It says "{message}".\n' if message else ""
    of_cursor = (
        "The data was refreshed while its pages were read, so they do not belong together.\n"
        f"{api.if_not_whole} Run again later."
    )
    scopes = re.search(r"Got: \[(.*?)\].*Needed: \[(.*?)\]", message)
    if status == 401:
        text = (
            f"The API does not accept the key {where}.\n"
            f'It says "{message}": the key is wrong, revoked, or was cut when it was copied.\n'
            f"Check {api.key_variable} or api_key in .dlt/secrets.toml."
        )
    elif status == 403 and scopes:
        held, needed = (text.replace("'", "") or "no scope" for text in scopes.groups())
        text = (
            f"The key may not read {api.reads} {where}.\n"
            f"It holds {held}; this API needs {needed}.\n"
            f"Create a key with that scope, then set {api.key_variable}."
        )
    else:
        advice = {
            400: api.if_not_taken,
            402: "An account or billing problem of the organisation; its owner can mend it.",
            403: api.if_forbidden,
            410: of_cursor,
            404: f"{api.what_it_takes},\nor {base_url} is not the API.\n"
            f"Check {api.address}, the plan and the key.",
        }.get(status, f"Check {api.address} ({base_url}).")
        text = f"The API refuses the request {where}.\n{says}{advice}"
    text_of_cursor = f"The API refuses the request {where}.\n{says}{of_cursor}"
    return Refusal(status, message, error_code, text, text_of_cursor)


def error_of(api: Api, refusal: Refusal) -> ApiError:
    if refusal.status in (401, 402):
        return KeyRefused(refusal.text)
    if refusal.status in (403, 404) or refusal.error_code in api.not_for_this_organisation:
        return Refused(refusal.text)
    return Expired(refusal.text) if refusal.status == 410 else ApiError(refusal.text)


def own_words(response: Response) -> tuple[str, str]:
    """The message and error code of an error body; empty text where it has none."""
    try:
        body = json_object(response)
        error = body.get("error") or ""
        if isinstance(error, str):  # as Langdock has it
            return str(body.get("message") or error), error
        details = error.get("details") or {}
        return str(error.get("message", "")), str(details.get("error_code", ""))
    except (NotJson, TypeError, AttributeError, RecursionError):
        return "", ""
