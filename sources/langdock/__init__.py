"""The dlt source of Langdock's usage exports: files of a folder, and the export API."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.configuration import configspec
from dlt.common.data_types import TDataType
from dlt.common.schema.typing import TColumnSchema
from dlt.extract import DltResource

from sources.connection import ConnectionSettings
from sources.contract import EndpointReport
from sources.errors import ForeseenError, KeyRefused, Refused, read_before_words
from sources.hints import REJECTED_ROWS, typed_columns
from sources.langdock.client import BASE_URL, ExportClient
from sources.langdock.collect import Collected, LedgerRow, Source, collect
from sources.langdock.entities import ENTITIES, Entity
from sources.langdock.folder import listing
from sources.langdock.periods import POLICIES, last_day, months_to_ask
from sources.langdock.reader import Slot, raw_schema
from sources.ledger import numbers
from sources.session import CLOSE_ENOUGH

__all__ = [
    "ENTITIES",
    "LEDGER",
    "POLICIES",
    "Collected",
    "ExportClient",
    "LangdockSettings",
    "api_sources",
    "collect",
    "file_sources",
    "langdock",
]

TEXT, COUNT, MOMENT, DATE = pa.string(), pa.int64(), pa.timestamp("us", tz="UTC"), pa.date32()

LEDGER = pa.schema(
    [
        pa.field("export_id", TEXT, nullable=False),
        pa.field("entity", TEXT),
        pa.field("org_id", TEXT),
        pa.field("period_start", DATE),
        pa.field("period_end", DATE),
        pa.field("group_by", TEXT),
        pa.field("slot", TEXT),
        pa.field("source_name", TEXT),
        pa.field("file_hash", TEXT),
        pa.field("outcome", TEXT),
        pa.field("message", TEXT),
        pa.field("row_count", COUNT),
        pa.field("skipped_row_count", COUNT),
        pa.field("skipped_reasons", TEXT),
        pa.field("columns_present", TEXT),
        pa.field("undeclared_fields", TEXT),
        pa.field("exported_at", MOMENT),
        pa.field("read_at", MOMENT),
    ]
)
"""One row per file or answer of the API, per workspace and period that it tells of, and per change
of what is known of that; the newest counts. Beside them stand the columns of every ledger: the rows
of a period are those of its slot and `version`, which all periods share that one file told of.

`outcome`: loaded; replaced (a newer export tells of the same period); overlapping (left out);
empty, rejected (no row could be read). `skipped_row_count` is that of the whole file.
"""

USERS = "langdock_users"

log = logging.getLogger(__name__)


@configspec
class LangdockSettings(ConnectionSettings):
    """`[sources.langdock]`, resolved by dlt: environment, secrets.toml, config.toml.

    Attributes:
        files: Folder with exported files (CSV, .xlsx), or an object store's URL; none: not used.
        overlaps: What happens to periods that overlap without being the same: one of POLICIES.
        api_key: A workspace key with the scope USAGE_EXPORT_API; none: the API is not asked.
        base_url: Scheme and host; a dedicated deployment's path may follow.
        revision_days: Days after its end in which a month is asked for again.
        requests_per_minute: At most, in any 60 seconds; 500 are shared by the whole workspace.
    """

    files: str | None = None
    overlaps: str = "refuse"
    base_url: str = BASE_URL
    revision_days: int = 7
    requests_per_minute: int = 60


def file_sources(folder: str | None, refusals: list[str]) -> Iterator[Source]:
    """The folder's exports; a message in `refusals` about what is there and cannot be read."""
    if not folder:
        return
    try:
        found = listing(folder)
    except ForeseenError as refusal:
        refusals.append(str(refusal))
        return
    if found.refusal:
        refusals.append(found.refusal)
    if found.note:
        log.warning(found.note)
    for file in found.files:
        yield Source(name=file.name, exported_at=file.modified_at, content=file.content)


def api_sources(
    client: ExportClient,
    ledger: Sequence[LedgerRow],
    *,
    now: Callable[[], datetime],
    revision_days: int,
    endpoints: Mapping[str, EndpointReport],
) -> Iterator[Source]:
    """The months that the API may have more to say about, newest first.

    `now` is the lesser of the run's clock and the API's, as far as that has told its own.
    A workspace may lack one of the exports; without that of users, nothing else is asked for.
    `endpoints` then say which could not be read, and why.
    """
    for entity in sorted(ENTITIES, key=lambda entity: entity.table != USERS):
        read = {
            row["period_start"]: row["read_at"].date()
            for row in sorted(ledger, key=lambda row: row["read_at"])
            if row["period_start"]
            and row["source_name"] == _name(entity, row["period_start"])
            and row["read_at"] <= now() + CLOSE_ENOUGH
        }
        for month in months_to_ask(now().date(), read, revision_days):
            try:
                export = client.month(entity, month)
            except Refused as refusal:
                if entity.table == USERS or isinstance(refusal, KeyRefused):
                    for endpoint in endpoints.values():
                        endpoint.outcome, endpoint.message = "failed", str(refusal)
                    return
                endpoint = endpoints[entity.table]
                endpoint.outcome, endpoint.message = "unavailable", str(refusal)
                if read:
                    endpoint.outcome = "failed"
                    endpoint.message = read_before_words(f"Langdock's {entity.path}", refusal)
                elif entity.is_legacy:
                    endpoint.outcome = "not_read"
                break
            except ForeseenError as refusal:
                endpoints[entity.table].outcome = "failed"
                endpoints[entity.table].message = str(refusal)
                break
            if last_day(month) >= now().date():
                continue  # Asked for by a clock that is ahead: it goes on still.
            yield Source(
                name=_name(entity, month),
                exported_at=now(),
                content=partial(_same, export.content),
                empty_slot=Slot(entity.table, "", month, last_day(month), ""),
                record_count=export.record_count,
            )


def _name(entity: Entity, month: date) -> str:
    return f"{entity.path} {month:%Y-%m}"


def _same(content: bytes) -> bytes:
    return content


@dlt.source(name="langdock")
def langdock(collected: Collected) -> list[DltResource]:
    """What was collected: a table per entity, the ledger, and the lines that could not be read.
    Every table is made, also with nothing to write."""
    return [
        *(
            dlt.resource(
                [
                    pa.Table.from_pylist(
                        collected.rows.get(entity.table, []), schema=raw_schema(entity)
                    )
                ],
                name=entity.table,
                write_disposition="append",
            )
            for entity in ENTITIES
        ),
        dlt.resource(
            # As rows, not as Arrow: the ledger counts only with the id of a complete load.
            [*collected.ledger, dlt.mark.materialize_table_schema()],
            name="langdock_exports",
            write_disposition="append",
            columns={**numbers(), **typed_columns(noted_at="timestamp"), **_hints(LEDGER)},
        ),
        _rejected_rows(collected.rejected),
    ]


def _rejected_rows(rows: Sequence[Mapping[str, Any]]) -> DltResource:
    """Lines that could not be read."""

    @dlt.resource(name="langdock_rejected_lines")
    def rejected_lines() -> Iterator[Any]:
        yield dlt.mark.with_hints(
            list(rows) or dlt.mark.materialize_table_schema(),
            REJECTED_ROWS,
            create_table_variant=True,
        )

    return rejected_lines


def _hints(schema: pa.Schema) -> dict[str, TColumnSchema]:
    kinds: dict[pa.DataType, TDataType] = {
        TEXT: "text",
        COUNT: "bigint",
        DATE: "date",
        MOMENT: "timestamp",
    }
    return {field.name: {"data_type": kinds[field.type]} for field in schema}
