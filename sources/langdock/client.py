"""The usage export API: a month of an entity as the CSV file that the workspace would export."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from sources.errors import ApiError, ForeseenError, NotWhole
from sources.http import HttpClient
from sources.http.answers import Response, json_object
from sources.http.api import Api, Connection, checked_base_url
from sources.http.refusal import Refusal
from sources.langdock.entities import Entity
from sources.langdock.periods import last_day
from sources.rate_budget import RateBudget

BASE_URL = "https://api.langdock.com"

EXPORTS = Api(
    name="Langdock's usage export API",
    section="langdock",
    reads="usage exports",
    base_url=BASE_URL,
    key_header=("authorization", "Bearer "),
    key_advice="Every request needs one with the scope USAGE_EXPORT_API; a workspace admin "
    "creates it.",
    what_it_takes="The workspace may not have this export, the key may lack the scope "
    "USAGE_EXPORT_API",
    if_forbidden="A workspace admin creates a key with the scope USAGE_EXPORT_API; set it as "
    "SOURCES__LANGDOCK__API_KEY.",
    if_not_taken="A month that the API cannot give can be exported by hand, and its file read: "
    "see [sources.langdock] files.",
    most_megabytes=1,
    if_not_whole="Nothing of this month was stored.",
)
STORAGE = Api(
    name="Langdock's file storage",
    section="langdock",
    reads="the exported file",
    base_url="https://storage.example.com",
    # The address is signed: the key must not go there.
    key_header=None,
    headers={"accept": "text/csv"},
    what_it_takes="The address may not be valid any more",
    address_is="the address that Langdock's export API named for the file",
    most_megabytes=256,
    if_not_whole="Nothing of this month was stored.",
)
EXPORTS_PER_MONTH = 3
"""How often a month is exported if the address of its file has run out."""
DOWNLOADS_PER_MINUTE = 1_000
LONGEST_ADDRESS = 32_000


@dataclass(frozen=True)
class MonthExport:
    """One month of one entity as CSV; no content where the workspace has no usage.

    `record_count` is what the API says: how many rows the file has.
    """

    content: bytes
    record_count: int | None


class _NoData(ApiError):
    """The month has no usage: success with zero rows (reference: section 6.3)."""


class _WithoutDays(ApiError):
    """The key was accepted, and the request, which named no days, was not."""


class _AddressExpired(ApiError):
    """The signed address of an exported file does not work."""


class ExportClient:
    """Asks for exports and downloads them."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        budget: RateBudget,
        clock: datetime | None = None,
        connection: Connection | None = None,
    ) -> None:
        """A base URL may have a path, as dedicated deployments have.

        Raises:
            ForeseenError: No usable key or address.
        """
        url = urlsplit(base_url.strip())
        self._prefix = url.path.rstrip("/")
        # The server that holds files knows nothing of our certificate.
        self._storage = replace(connection or Connection(), client_certificate=None)
        self._http = HttpClient(
            EXPORTS,
            base_url=f"{url.scheme}://{url.netloc}" if url.netloc else base_url,
            api_key=api_key,
            budget=budget,
            clock=clock,
            connection=connection,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.__exit__(kind, error, trace)

    @property
    def server_now(self) -> datetime | None:
        """What the newest answer said that the time is, in UTC."""
        return self._http.server_now

    @property
    def request_count(self) -> int:
        return self._http.request_count

    @property
    def requests_by(self) -> Counter[str]:
        """Requests of each entity's table."""
        return self._http.requests_by

    def check(self, entity: Entity) -> None:
        """See that the key may export this: asked without days, which makes no export.

        Raises:
            ApiError: Why not.
        """
        with suppress(_WithoutDays):
            self._http.ask(
                self._prefix + entity.path,
                body={},
                what=entity.table,
                read=lambda response: None,
                refusal=_without_days,
            )

    def month(self, entity: Entity, month: date) -> MonthExport:
        """One month of an entity.

        Raises:
            ApiError: No answer, a refusal, or one that makes no sense.
        """
        what = f"{entity.table}, month {month:%Y-%m}"
        body = {
            # Read as wall-clock time in the zone, whatever the Z says (reference: section 6.1).
            "from": {"date": f"{month}T00:00:00.000Z", "timezone": "UTC"},
            "to": {"date": f"{last_day(month)}T23:59:59.999Z", "timezone": "UTC"},
        }
        attempts_left = EXPORTS_PER_MONTH
        while True:
            attempts_left -= 1
            try:
                url, record_count = self._http.ask(
                    self._prefix + entity.path,
                    body=body,
                    what=what,
                    read=_address,
                    count_as=entity.table,
                    refusal=_no_data,
                )
                if record_count == 0:
                    return MonthExport(b"", 0)
                return MonthExport(self._download(url, what), record_count)
            except _NoData:
                return MonthExport(b"", 0)
            except _AddressExpired:
                if not attempts_left:
                    raise

    def _download(self, url: str, what: str) -> bytes:
        parts = urlsplit(url)
        with HttpClient(
            STORAGE,
            base_url=f"{parts.scheme}://{parts.netloc}",
            api_key=None,
            budget=RateBudget(Path(":memory:"), DOWNLOADS_PER_MINUTE),
            connection=self._storage,
        ) as storage:
            return storage.ask(
                parts.path,
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                what=f"the file of {what}",
                read=lambda response: response.content,
                refusal=_expired,
            )


def _address(response: Response) -> tuple[str, int | None]:
    """Where the export can be downloaded, and how many rows it has."""
    data = json_object(response).get("data")
    if isinstance(data, dict):
        url, record_count = data.get("downloadUrl"), data.get("recordCount")
        if isinstance(url, str) and _is_usable(url):
            return url, record_count if type(record_count) is int else None
    raise NotWhole(
        "the answer names no address of the exported file (data.downloadUrl), which is not an "
        "empty month"
    )


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        checked_base_url(STORAGE, f"{parts.scheme}://{parts.netloc}", allow_http=True)
    except (ForeseenError, ValueError):
        return False
    return parts.scheme in ("http", "https") and len(url) <= LONGEST_ADDRESS


def _without_days(refusal: Refusal) -> ApiError | None:
    return _WithoutDays(refusal.text) if refusal.status in (400, 422) else None


def _no_data(refusal: Refusal) -> ApiError | None:
    if refusal.status == 404 and "no data" in f"{refusal.error_code} {refusal.message}".lower():
        return _NoData(refusal.text)
    return None


def _expired(refusal: Refusal) -> ApiError | None:
    if refusal.status in (400, 401, 403, 404, 410):
        return _AddressExpired(
            f"The exported file cannot be downloaded ({refusal.status}): its address has expired "
            "or was refused.\nIt was asked for anew each time; nothing of this month was stored.\n"
            "Run again later; if it stays, see whether a proxy changes addresses."
        )
    return None
