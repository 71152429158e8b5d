"""What each kind of organisation is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sources.claude_analytics.endpoints import (
    CLAUDE_CODE_API,
    CONSOLE_REPORTS_API,
    COST_API,
    ENDPOINTS,
    HOURLY_API,
    PARENT_API,
    REPORTS_API,
    WORKSPACE_API,
    Endpoint,
)

Generations = Mapping[str, Sequence[Endpoint]]
"""The endpoints that bring cost and usage, by the API that has them; first their totals."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The endpoints of a kind of organisation."""

    engagement: Sequence[Endpoint] = ()
    generations: Generations
    hourly: Sequence[Endpoint] = ()


KINDS: Mapping[str, Kind] = {
    "enterprise": Kind(
        engagement=ENDPOINTS,
        generations={"unified": COST_API, "reports": REPORTS_API},
        hourly=HOURLY_API,
    ),
    "console": Kind(
        engagement=CLAUDE_CODE_API,
        generations={"unified": (*COST_API, *WORKSPACE_API), "reports": CONSOLE_REPORTS_API},
        hourly=HOURLY_API,
    ),
    "parent": Kind(generations={"unified": PARENT_API}),
}
