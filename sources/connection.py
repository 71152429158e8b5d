"""Settings that every source over HTTP has: how its API is reached."""

from typing import TypeVar

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue

from sources.http.api import Connection
from sources.organisation import Further


@configspec
class ConnectionSettings(BaseConfiguration):
    """Part of `[sources.<name>]`.

    Attributes:
        enabled: Whether runs read the source; one that is switched off is not spoken of.
        base_url: Scheme and host.
        api_key: What the source needs to be let in.
        requests_per_minute: At most, in any 60 seconds.
        request_timeout_seconds: Within which a request has to be answered, all its attempts
            together.
        allow_http: Whether base_url may be http:// on another machine.
        client_certificate: PEM file with a certificate and its key, where the server wants one.
    """

    enabled: bool = True
    base_url: str = ""
    api_key: TSecretStrValue | None = None
    requests_per_minute: int = 60
    request_timeout_seconds: int = 600
    allow_http: bool = False
    client_certificate: str | None = None

    @property
    def connection(self) -> Connection:
        return Connection(self.request_timeout_seconds, self.allow_http, self.client_certificate)


Settings = TypeVar("Settings", bound=ConnectionSettings)


def of_further(settings: Settings, further: Further) -> Settings:
    """With a further organisation's key and address, and else as the first one is read."""
    given = settings.copy()
    given.api_key = further.api_key
    given.base_url = further.base_url or settings.base_url
    return given
