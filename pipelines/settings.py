"""The settings of a run; dlt resolves each from the environment, secrets.toml and config.toml."""

from dataclasses import fields
from typing import TypeVar

from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.specs import BaseConfiguration

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
    "overlap_hours": 0,
}
"""The least that a number may be."""

CHOICES = {"cost_api": ("auto", "unified", "reports"), "overlaps": tuple(OVERLAPS)}
"""The words that a setting may be."""

POLICIES = ("seats", "active_days", "messages")


@configspec
class PipelineSettings(BaseConfiguration):
    """`[pipeline]`: data_dir is the folder that holds everything a run writes."""

    data_dir: str = "data"


@configspec
class SeatsSettings(BaseConfiguration):
    """`[seats]`: days without activity until a seat is dormant; days in which a seat is new."""

    dormant_after_days: int = 30
    grace_days: int = 14


@configspec
class ChargebackSettings(BaseConfiguration):
    """`[chargeback]`: how seat fees are split, and what they are if no price list says so."""

    policy: str = "seats"
    monthly_amount_usd: str | None = None


Settings = TypeVar("Settings", bound=BaseConfiguration)

SECTIONS: dict[type[BaseConfiguration], tuple[str, ...]] = {
    PipelineSettings: ("pipeline",),
    AnalyticsSettings: ("sources", "claude_analytics"),
    AdminSettings: ("sources", "claude_admin"),
    LangdockSettings: ("sources", "langdock"),
    ComplianceSettings: ("sources", "claude_compliance"),
    SeatsSettings: ("seats",),
    ChargebackSettings: ("chargeback",),
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
