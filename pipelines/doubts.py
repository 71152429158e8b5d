"""The table of what is doubted: read when a run begins, written when something of it changed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dlt
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.data_types import TDataType

from pipelines.data_dir import DataDir
from pipelines.raw_tables import name_schema, warehouse_pipeline
from sources.contract import Source
from sources.doubts import Doubt, Doubts, Known
from sources.errors import ForeseenError
from sources.hints import typed_columns
from sources.ledger import COMPLETE, store, stored
from sources.organisation import Owner

DOUBT: dict[str, TDataType] = {
    "what": "text",
    "rule": "text",
    "outcome": "text",
    "sentence": "text",
    "claim": "text",
    "confirms_itself": "bool",
}
"""The columns that a rule fills."""

QUERY = f"select * from claude_raw.doubts where {COMPLETE} order by doubt_number"


def doubts_of(pipeline: dlt.Pipeline, now: datetime) -> Doubts:
    """What the warehouse doubts when a run begins; `now` is the run's clock."""
    return Doubts(known_doubts(stored(pipeline, QUERY)), now)


def known_doubts(rows: Sequence[Mapping[str, Any]]) -> dict[str, Known]:
    """What was noted last of each thing that was ever doubted, of the rows of the table."""
    return {row["what"]: _known(row) for row in rows}


def keep_doubts(pipeline: dlt.Pipeline, doubts: Doubts) -> None:
    """Store what changed in a run; most change nothing."""
    if doubts.new:
        name_schema(pipeline)
        store(pipeline, doubt_rows(doubts.new))


def accept(data_dir: DataDir, now: datetime, what: str) -> tuple[Known, list[Known]]:
    """Confirm what is doubted; it, and all that is doubted still. The caller holds the warehouse.

    Raises:
        ForeseenError: Nothing of this name is.
    """
    pipeline = warehouse_pipeline(data_dir)
    found = doubts_of(pipeline, now)
    try:
        accepted = found.accept(what)
    except KeyError:
        names = ", ".join(each.doubt.what for each in found.open)
        raise ForeseenError(
            f"Nothing called {what!r} waits to be accepted.\n"
            f"{f'What waits: {names}.' if names else 'Nothing is doubted now.'}\n"
            "claude-warehouse status says what is doubted, since when, and why."
        ) from None
    keep_doubts(pipeline, found)
    return accepted, found.open


def gone_source(pipeline: dlt.Pipeline, source: Source, given: BaseConfiguration) -> Doubt | None:
    """What to say of a source that was read before, and has no key or file any more."""
    why = source.missing(given)
    names = ", ".join(f"'{table.name}'" for table in source.tables)
    query = f"select 1 from endpoint_runs where endpoint in ({names}) and outcome = 'ok' limit 1"
    if not why or source.is_always_read or not stored(pipeline, query):
        return None
    return Doubt(
        what=source.name,
        rule="source_that_is_gone",
        outcome="said",
        claim=why,
        sentence=(
            f"{source.title} was read before, and nothing that it takes is set any more.\n"
            "What is stored of it stays, grows old, and goes on to be shown.\n"
            "Set its key or files again: a shell may lack what the nightly run has. If it is meant:"
            f" [sources.{source.name}] enabled = false"
        ),
    )


def gone_organisation(owner: Owner) -> Doubt:
    """What to say of a further organisation that was read before, and is not set any more."""
    return Doubt(
        what=owner.source,
        rule="source_that_is_gone",
        outcome="said",
        claim="not set",
        sentence=(
            f"{owner.organisation} was read before, and [{owner.source}] is not set any more.\n"
            "What is stored of it stays in the bill of its days, and no later day is asked for.\n"
            "Set it again, if that is not meant: a shell may lack what the nightly run has."
        ),
    )


def _known(row: Mapping[str, Any]) -> Known:
    return Known(
        number=row["doubt_number"],
        doubt=Doubt(**{name: row[name] for name in DOUBT}),
        state=row["state"],
        since=row["since"].astimezone(UTC),
        said_at=row["said_at"].astimezone(UTC),
    )


@dlt.resource(
    name="doubts",
    write_disposition="append",
    columns={
        **typed_columns(
            doubt_number="bigint", state="text", since="timestamp", said_at="timestamp"
        ),
        **typed_columns(**DOUBT),
    },
)
def doubt_rows(known: Sequence[Known] = ()) -> Iterator[Any]:
    """One row per change of a doubt: claimed, accepted, taken, no longer claimed."""
    yield dlt.mark.materialize_table_schema()
    yield [_row(each) for each in known]


def _row(known: Known) -> dict[str, Any]:
    return {
        "doubt_number": known.number,
        "state": known.state,
        "since": known.since,
        "said_at": known.said_at,
        **{name: getattr(known.doubt, name) for name in DOUBT},
    }
