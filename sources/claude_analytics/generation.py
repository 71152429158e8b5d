"""Which API brings cost and usage: the newer one, or the older reports (reference: 8 and 9)."""

from dataclasses import dataclass
from datetime import date
from typing import TypeGuard

from sources.claude_analytics.client import Client, NotAvailable, NotTaken
from sources.claude_analytics.endpoints import Endpoint
from sources.claude_analytics.kinds import Generations
from sources.errors import ApiError, KeyRefused, Refused

WORDS = {
    "unified": "the newer API (/cost and /usage)",
    "reports": "the older reports (/cost_report and its sisters)",
}
"""Where cost and usage come from."""


@dataclass(frozen=True)
class Generation:
    """What was chosen.

    Attributes:
        name: One of GENERATIONS; None: this organisation has neither.
        refusal: Why it is not the newer one, by the API's answer of this run.
        is_changed: Another one brought what the warehouse has.
    """

    name: str | None
    refusal: ApiError | None = None
    is_changed: bool = False


def choose(
    client: Client, generations: Generations, wanted: str, known: str | None, day: date
) -> Generation:
    """The API to read from tonight, of those that there are for an organisation of its kind.

    `wanted` is the setting, `known` what brought this warehouse's cost and usage so far. It takes
    two answers that agree: cost and usage of the newer API are both refused and the older reports
    answer, or both answer again. One refusal of an API that has answered before changes nothing.
    """
    if wanted != "auto" or "reports" not in generations:
        wanted = "unified" if wanted == "auto" else wanted
        return Generation(wanted, is_changed=known not in (None, wanted))
    if known == "unified":
        return Generation("unified")
    cost, usage, *_ = generations["unified"]
    first = _error(client, cost, day)
    if known == "reports":
        if first or _error(client, usage, day):
            return Generation("reports", first)
        return Generation("unified", is_changed=True)
    if not _is_refusal(first):
        return Generation("unified")
    second = _error(client, usage, day)
    if second is None or not _is_refusal(second) or second.status != first.status:
        return Generation("unified")
    older, *_ = generations["reports"]
    return Generation(None if _is_refusal(_error(client, older, day)) else "reports", first)


def _error(client: Client, endpoint: Endpoint, day: date) -> ApiError | None:
    """Why the endpoint does not answer; a word about its days is an answer."""
    try:
        next(client.pages(endpoint, day, day))
    except NotAvailable:
        return None
    except ApiError as error:
        return error
    return None


def _is_refusal(error: ApiError | None) -> TypeGuard[ApiError]:
    """It is about this organisation or key, not a fault that may pass."""
    return isinstance(error, Refused | NotTaken) and not isinstance(error, KeyRefused)
