"""The settings of the Analytics API."""

from dlt.common.configuration import configspec

from sources.anthropic import BASE_URL
from sources.connection import ConnectionSettings


@configspec
class AnalyticsSettings(ConnectionSettings):
    """`[sources.claude_analytics]`, resolved by dlt: environment, secrets.toml, config.toml.

    Attributes:
        base_url: Scheme and host.
        api_key: An Enterprise key with the scope read:analytics.
        window_days: How many days back the API answers.
        lag_days: Days until the API answers for a day, or "auto": ask the API.
        revision_days: Days a published day may still change; unset: each endpoint's own.
        cost_window_days: How many days back the API answers for cost and usage, today included.
        cost_api: "unified" is the newer API of cost and usage, "reports" the older one, "auto"
            the newer where the organisation has it.
        hourly: Whether cost and usage of the last 72 hours are read by the hour too.
        requests_per_minute: The organisation's limit, in any 60 seconds.
    """

    base_url: str = BASE_URL
    window_days: int = 90
    lag_days: str = "3"
    revision_days: int | None = None
    cost_window_days: int = 365
    cost_api: str = "auto"
    hourly: bool = False
    requests_per_minute: int = 60
