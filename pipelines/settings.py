"""The settings of a run; dlt resolves each from the environment, secrets.toml and config.toml."""

from dataclasses import fields
from typing import TypeVar

from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue

from sources.claude_admin import AdminSettings
from sources.claude_analytics import AnalyticsSettings
from sources.claude_compliance import ComplianceSettings
from sources.errors import ForeseenError
from sources.langdock import POLICIES as OVERLAPS
from sources.langdock import LangdockSettings

LEAST = {
    "window_days": 1,
    "cost_window_days": 1,
    "lag_days": 0,
    "revision_days": 0,
    "requests_per_minute": 1,
    "dormant_after_days": 1,
    "grace_days": 0,
    "downgrade_active_days": 0,
    "min_group_size": 1,
    "overlap_hours": 0,
}
"""The least that a number may be."""

CHOICES = {"cost_api": ("auto", "unified", "reports"), "overlaps": tuple(OVERLAPS)}
"""The words that a setting may be."""

POLICIES = {
    "policy": ("seats", "active_days", "messages", "proportional", "even", "fixed", "none"),
    "metered_policy": ("direct", "proportional", "even", "fixed", "none"),
    "shared_policy": ("proportional", "even", "fixed", "none"),
    "cost_centers_from": ("org_chart", "groups"),
}
"""What a setting of [chargeback] may be; the first is its default."""


@configspec
class PipelineSettings(BaseConfiguration):
    """`[pipeline]`: data_dir is the folder that holds everything a run writes."""

    data_dir: str = "data"


@configspec
class SeatsSettings(BaseConfiguration):
    """`[seats]`: when a seat is dormant, until when it is new, and when a cheaper one would do."""

    dormant_after_days: int = 30
    grace_days: int = 14
    downgrade_active_days: int = 4


@configspec
class PrivacySettings(BaseConfiguration):
    """`[privacy]`: the smallest department that adoption marts show by name."""

    min_group_size: int = 5


@configspec
class ChargebackSettings(BaseConfiguration):
    """`[chargeback]`: how each cost pool is split, and what seats cost if no price list says so.

    Attributes:
        policy: Of seat fees; `seats_policy`, named like the others, wins over it. There, `direct`
            means the same as `seats`.
        cost_centers_from: `org_chart`, or the RBAC groups of the reference file cost_center_groups.
    """

    policy: str = "seats"
    seats_policy: str | None = None
    metered_policy: str = "direct"
    shared_policy: str = "proportional"
    cost_centers_from: str = "org_chart"
    monthly_amount_usd: str | None = None


@configspec
class ReportSettings(BaseConfiguration):
    """`[report]`: whether a run writes the report, and where; a relative path is in data_dir."""

    enabled: bool = False
    out: str = "report.html"


@configspec
class NotifySettings(BaseConfiguration):
    """`[notify]`: webhook_url is the chat's address to which a run tells how it went; a secret."""

    webhook_url: TSecretStrValue | None = None


Settings = TypeVar("Settings", bound=BaseConfiguration)

SECTIONS: dict[type[BaseConfiguration], tuple[str, ...]] = {
    PipelineSettings: ("pipeline",),
    AnalyticsSettings: ("sources", "claude_analytics"),
    AdminSettings: ("sources", "claude_admin"),
    LangdockSettings: ("sources", "langdock"),
    ComplianceSettings: ("sources", "claude_compliance"),
    SeatsSettings: ("seats",),
    PrivacySettings: ("privacy",),
    ChargebackSettings: ("chargeback",),
    ReportSettings: ("report",),
    NotifySettings: ("notify",),
}


def settings(kind: type[Settings]) -> Settings:
    """One section of the settings.

    Raises:
        ForeseenError: A value is not of its type.
    """
    sections = SECTIONS[kind]
    try:
        found = resolve_configuration(kind(), sections=sections)
        _check(found)
        return found
    except (ConfigurationException, ValueError, TypeError) as error:
        names = ", ".join(field.name for field in fields(kind) if not field.name.startswith("_"))
        raise ForeseenError(
            f"A setting in [{'.'.join(sections)}] cannot be read: {error}\n"
            f"Its settings are {names}.\n"
            f"Check .dlt/config.toml and the variables {'__'.join(sections).upper()}__…"
        ) from None


def _check(found: BaseConfiguration) -> None:
    """Refuse numbers with which a run would do nothing, or wait for ever.

    Raises:
        ValueError: Which setting, and what it has to be.
    """
    for name, words in CHOICES.items():
        value = getattr(found, name, None)
        if value is not None and value not in words:
            raise ValueError(f"{name} is {value!r}; it is one of {', '.join(words)}.")
    for name, least in LEAST.items():
        value = getattr(found, name, None)
        if value is None or (name == "lag_days" and value == "auto"):
            continue
        if not str(value).lstrip("-").isdecimal():
            raise ValueError(f'{name} is {value!r}; it is a number of days, or "auto".')
        if int(value) < least:
            raise ValueError(f"{name} is {value}; it is at least {least}.")
