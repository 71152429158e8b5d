"""The settings that transforms/ reads."""

from pipelines.settings import (
    CalendarSettings,
    ChargebackSettings,
    PrivacySettings,
    SeatsSettings,
    found,
    settings,
)
from pipelines.warehouse.dbt import SETTING_OF


def _variables(
    seats: SeatsSettings,
    privacy: PrivacySettings,
    calendar: CalendarSettings,
    chargeback: ChargebackSettings,
) -> dict[str, str]:
    seats_policy = chargeback.seats_policy or chargeback.policy
    return {
        "dormant_after_days": str(seats.dormant_after_days),
        "grace_days": str(seats.grace_days),
        "downgrade_active_days": str(seats.downgrade_active_days),
        "min_group_size": str(privacy.min_group_size),
        "fiscal_year_start_month": str(calendar.fiscal_year_start_month),
        "chargeback_policy": {"direct": "seats"}.get(seats_policy, seats_policy),
        "chargeback_metered_policy": chargeback.metered_policy,
        "chargeback_shared_policy": chargeback.shared_policy,
        "chargeback_cost_centers_from": chargeback.cost_centers_from,
        "chargeback_monthly_amount_usd": chargeback.monthly_amount_usd or "",
    }


DEFAULTS = _variables(SeatsSettings(), PrivacySettings(), CalendarSettings(), ChargebackSettings())
"""As dbt variables, like those that are set."""


def transform_variables() -> dict[str, str]:
    """As dbt variables."""
    return _variables(
        settings(SeatsSettings),
        settings(PrivacySettings),
        settings(CalendarSettings),
        settings(ChargebackSettings),
    )


def origin(variable: str) -> str:
    """Where its setting is set; blank: nowhere."""
    section, name = SETTING_OF[variable]
    names = ["seats_policy", name] if variable == "chargeback_policy" else [name]
    values = [value for each in names if (value := found(((section,), each)))]
    return values[0].origin if values else ""
