"""What of the marts readers see who are to see no people: the second served file."""

import re
from collections.abc import Mapping, Sequence

from pipelines.settings import PrivacySettings, settings

OF_ONE = frozenset(
    {
        "user_id", "email", "actor_id", "subject_id", "person_key", "account_key", "line_name",
        "ResourceId", "x_ActorId",
    }
)  # fmt: skip
"""Columns by which each row of a mart is about somebody: such a mart is left out."""
OF_GROUPS = frozenset({"department", "cost_center"})
"""Columns by which it is about a group that may be one person: left out too, but for those whose
groups have at least `[privacy] min_group_size` people."""
LARGE_ENOUGH = frozenset({"team_adoption_monthly"})
NAMED = re.compile(
    r"(\w+_)?(user_id|email|actor_id|owner_id|ip_address|user_agent|owner|reviewer)"
    r"|resolved_by_id|attributes"
)
"""Columns that name somebody in a mart about something else: these alone are left out."""
SUMMED = {
    "spend_daily": (
        ("activity_date", "actor_type", "product", "model", "cost_type", "is_settled"),
        (
            "spend_usd", "list_price_usd", "request_count", "uncached_input_tokens",
            "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens",
        ),
    ),
    "chargeback_monthly": (("month", "cost_pool", "is_settled"), ("amount_usd", "list_price_usd")),
}  # fmt: skip
"""Marts that are shown summed: their keys without people and groups, and what is added up."""

NAMED_IF_LARGE = {"project_usage_daily": ("project_name", "project_id", "distinct_user_count")}
"""Mart -> a name that may be a person's, of what, and how many people use that on a day: shown of
what at least `[privacy] min_group_size` people used on some day, like in the report."""


def selection(mart: str, types: Mapping[str, str]) -> str | None:
    """A mart's columns as readers see them, in SQL; None: they see nothing of it. `types` are its
    columns with their types."""
    chosen = _chosen(mart, types)
    return None if chosen is None else ", ".join(chosen)


def _chosen(mart: str, types: Mapping[str, str]) -> Sequence[str] | None:
    if mart in SUMMED:
        keys, sums = SUMMED[mart]
        return [
            *(f'"{name}"' for name in keys if name in types),
            # A sum of whole numbers is a HUGEINT, which many readers do not know.
            *(
                f'cast(sum("{name}") as {types[name]}) as "{name}"'
                for name in sums
                if name in types
            ),
        ]
    if types.keys() & OF_ONE or (types.keys() & OF_GROUPS and mart not in LARGE_ENOUGH):
        return None
    shown = {name: f'"{name}"' for name in types if not NAMED.fullmatch(name)}
    if mart in NAMED_IF_LARGE:
        name, thing, people = NAMED_IF_LARGE[mart]
        smallest = settings(PrivacySettings).min_group_size
        is_large = f'max("{people}") over (partition by "{thing}") >= {smallest}'
        shown |= {name: f'case when {is_large} then "{name}" end as "{name}"'}
    return list(shown.values())


def grouping(mart: str) -> str:
    """What stands behind the mart's name."""
    return "group by all" if mart in SUMMED else ""
