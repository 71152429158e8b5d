"""What a source gives a run, and what it says of a load: all that runs and screens know of one."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import dlt
from dlt.common.configuration.specs import BaseConfiguration

from sources.organisation import Further
from sources.rules import Rule
from sources.session import Access, Clock, Session

Outcome = Literal["ok", "unavailable", "failed", "not_read"]
"""How an endpoint fared in a run: read, not offered to this key or organisation, failed, or not
asked. A unit of it (a day, a window, a snapshot, a period) is loaded, empty or rejected."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A raw table that a source fills.

    Attributes:
        path: Where the API has it; empty where no API does.
        kind: Engagement is published whole, some days late; money is there at once, and its days
            are incomplete at first. Both are tracked day by day.
        edition: The edition of the API that alone fills it, of those of the source.
        is_older: Stands in for a newer table of its kind where the organisation lacks that.
        is_recent: Only its newest days are read, where that is set: no other one is due.
        key: Columns that name a row of a day.
        columns: Its declared ones, where its rows are compared with what they were.
        measure: Column of cents whose sum says how much a day changed; None: the count of its rows.
    """

    name: str
    path: str = ""
    kind: Literal["engagement", "money", "roster", "feed", "export", "file"]
    edition: str | None = None
    is_older: bool = False
    is_recent: bool = False
    key: Sequence[str] = ()
    columns: Sequence[str] = ()
    measure: str | None = None

    @property
    def is_tracked(self) -> bool:
        """Its days stand in data_coverage_daily."""
        return self.kind in ("engagement", "money")


@dataclass(kw_only=True)
class EndpointReport:
    """How one endpoint of a source fared in a run.

    Attributes:
        message: Why, unless it is ok.
        unit_count: Days, windows, snapshots or periods that were read.
        rejected_called: What its rows are called where some could not be read.
        undeclared: Fields that came and that we have not declared.
        closed_days: Days that the source does not have: too old, or not yet.
    """

    outcome: Outcome = "ok"
    message: str | None = None
    unit_count: int = 0
    row_count: int = 0
    rejected_count: int = 0
    request_count: int = 0
    rejected_called: str | None = None
    undeclared: Collection[str] = ()
    closed_days: Collection[date] = ()


@dataclass(kw_only=True)
class SourceReport:
    """What a load of one source did.

    Attributes:
        summary: What was read, in a sentence; None: nothing to tell.
        details: What else to say of it.
        skipped: Why nothing was asked, though nothing failed.
        fatal: Why nothing more could be read from the source.
        problems: Messages of all that failed, each once.
        changes: Tables whose rows are replaced by others -> what changed, in a sentence's part.
        clock: The lesser of the run's clock and the source's; None: it has told none.
        clock_note: What to say of the difference between them.
        unit: What its endpoints are read by.
        endpoint_runs: The lines of that table that it leaves; the run stores those of all sources.
    """

    endpoints: dict[str, EndpointReport] = field(default_factory=dict)
    unit: Literal["day", "snapshot", "window", "period", "file"]
    summary: str | None = None
    details: list[str] = field(default_factory=list)
    skipped: str | None = None
    fatal: str | None = None
    problems: list[str] = field(default_factory=list)
    changes: dict[str, str] = field(default_factory=dict)
    clock: Clock | None = None
    clock_note: str | None = None
    request_count: int = 0
    endpoint_runs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def unit_count(self) -> int:
        return sum(endpoint.unit_count for endpoint in self.endpoints.values())

    @property
    def row_count(self) -> int:
        return sum(endpoint.row_count for endpoint in self.endpoints.values())

    @property
    def rejected_count(self) -> int:
        return sum(endpoint.rejected_count for endpoint in self.endpoints.values())

    def with_outcome(self, outcome: Outcome) -> dict[str, str]:
        """Endpoints with this outcome, and the reason of each."""
        return {
            name: endpoint.message or ""
            for name, endpoint in self.endpoints.items()
            if endpoint.outcome == outcome
        }

    def note_runs(self, kind: str, run_at: datetime) -> None:
        """Add a line of endpoint_runs for each of these endpoints."""
        self.endpoint_runs += [
            {
                "endpoint": name,
                "kind": kind,
                "run_at": run_at,
                "outcome": endpoint.outcome,
                "message": endpoint.message,
                "request_count": endpoint.request_count,
            }
            for name, endpoint in self.endpoints.items()
        ]


@dataclass(frozen=True)
class Check:
    """One thing that a run needs: how it stands, and what to do if it is not fine.

    `is_fine` is None where something optional is absent.
    """

    name: str
    is_fine: bool | None
    text: str


def no_refusals(settings: Any) -> Iterator[str]:
    """A source that reads nothing of this machine."""
    yield from ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source: one folder in sources/, one line in the registry. `settings` are of its own kind.

    Attributes:
        name: Its section `[sources.<name>]`, folder and `--only` name.
        title: What people call it.
        settings: What dlt resolves its section to.
        rules: What each setting may be.
        tables: The raw tables that it fills.
        missing: Why nothing of it is read, and how to change that; None: a key or file is set.
        refusals: A message for each input on this machine that cannot be read; a run asks before
            it loads anything.
        check: What `doctor` asks: each endpoint once.
        load: Fetch and store what is due. Whatever goes wrong is in the report.
        empty: Resources that make the named ones of its tables, with all columns and no row.
        beside: With which settings a further organisation is read too, given those of the first;
            None: the source has nothing of organisations of its kind.
        is_read_by_table: `--only` names its tables, not the source.
        is_always_read: Whatever `--only` names.
        has_days: `backfill` fetches its days again.
        assistant: What its assistant is called in the marts, if people work with one of its; it
            has three models, `stg_<assistant>__assistant_people`, `_activity` and `_cost`.
        ledger: The table of what was read of it, where `status` has no part of its own for it.
        upgrade: Brings what an earlier release stored into the form of sources/ledger.py; asked
            before each run, and done once.
        standing: SQL for `status`, one row: unit_count, row_count, rejected_row_count, first_date,
            last_date; from the ledger.
        editions: Of its API, which bring the same in tables of their own -> what they are called.
        demo: Its settings for the invented organisation of a Sandbox, whose people write their
            files into the folder; None: no demo reads it.
    """

    name: str
    title: str
    settings: type[BaseConfiguration]
    rules: Mapping[str, Rule]
    tables: Sequence[Table]
    missing: Callable[[Any], str | None]
    refusals: Callable[[Any], Iterator[str]] = no_refusals
    check: Callable[[Access, Any], Iterator[Check]]
    load: Callable[[Session, Any], SourceReport]
    empty: Callable[[Collection[str]], list[Any]]
    beside: Callable[[Any, Further], Any | None] = lambda settings, further: None
    is_read_by_table: bool = False
    is_always_read: bool = False
    has_days: bool = False
    assistant: str | None = None
    ledger: str | None = None
    upgrade: Callable[[dlt.Pipeline], None] = lambda pipeline: None
    standing: str | None = None
    editions: Mapping[str, str] = field(default_factory=dict)
    demo: Callable[[Any, Path], BaseConfiguration] | None = None

    @property
    def choices(self) -> list[str]:
        """What `--only` may name of it."""
        if self.is_always_read:
            return []
        if self.is_read_by_table:
            return list(dict.fromkeys(table.name for table in self.tables))
        return [self.name]

    def is_chosen(self, only: Collection[str]) -> bool:
        return not only or self.is_always_read or bool({*self.choices} & {*only})
