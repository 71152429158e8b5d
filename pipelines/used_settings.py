"""The settings that the published marts were built with, beside those of today."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import dlt

from pipelines.run_settings import DEFAULTS, origin, transform_variables
from pipelines.warehouse.dbt import SETTING_OF
from sources.doubts import Doubt, Doubts
from sources.hints import typed_columns
from sources.ledger import COMPLETE, store, stored

QUERY = f"""
    select name, setting_value, origin from claude_raw.used_settings where {COMPLETE}
    order by used_at
"""


@dataclass(kw_only=True)
class Used:
    """What a build uses, and what was published before.

    Attributes:
        variables: dbt's, by name.
        earlier: The same of the last publication; empty before the first.
        changes: A sentence for each setting that differs.
        refusals: What is not believed: a setting that is gone.
    """

    variables: dict[str, str]
    earlier: Mapping[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    rows: Sequence[Mapping[str, Any]] = ()


def used_settings(pipeline: dlt.Pipeline, doubts: Doubts) -> Used:
    """What is set today; a setting that was set and is gone keeps its value until that is
    confirmed."""
    before = {row["name"]: row for row in stored(pipeline, QUERY)}
    used = Used(
        variables=dict(transform_variables()),
        earlier={name: row["setting_value"] or "" for name, row in before.items()},
    )
    rows = []
    for name, value in used.variables.items():
        known, place = before.get(name), origin(name)
        doubt = _gone(name, value, place, known) if known else None
        if doubt is None:
            doubts.none(what(name))
        elif not doubts.allows(doubt):
            used.variables[name] = used.earlier[name]
            used.refusals.append(doubts.text(doubt.what))
            continue
        if known and used.earlier[name] != value:
            used.changes.append(_changed(name, used.earlier[name], value))
        if not known or (used.earlier[name], known["origin"]) != (value, place):
            rows.append({"name": name, "setting_value": value, "origin": place})
    used.rows = rows
    return used


def what(name: str) -> str:
    """What `accept` is told of a dbt variable's setting."""
    return ".".join(SETTING_OF[name])


def keep_used(pipeline: dlt.Pipeline, used: Used, now: datetime) -> None:
    """Remember what was published; most runs change nothing."""
    if used.rows:
        pipeline.activate()  # A trial may have made another one.
        store(pipeline, used_rows([{**row, "used_at": now} for row in used.rows]))
        used.rows = ()


def _gone(name: str, value: str, place: str, known: Mapping[str, Any]) -> Doubt | None:
    """The doubt about a setting that was set in one place, and is a default by another or none."""
    earlier = known["setting_value"] or ""
    is_default = value == DEFAULTS[name] != earlier
    if not is_default or known["origin"] in ("", None, place):
        return None
    section, own = SETTING_OF[name]
    variable = f"{section}__{own}".upper()
    return Doubt(
        what=what(name),
        rule="setting_that_is_gone",
        outcome="refused",
        sentence=(
            f"[{section}] {own} was {earlier} ({known['origin']}), which is not there any more.\n"
            f"{earlier} goes on to count; without it, {value or 'nothing'} would.\n"
            f"Set it again (or {variable}): a shell may lack what the nightly run has."
        ),
        claim=f"not {earlier}",
    )


def _changed(name: str, earlier: str, value: str) -> str:
    section, own = SETTING_OF[name]
    past = "every day and month shown is reckoned with it from now on"
    if section == "chargeback":
        past = "open months are billed with it; a closed one keeps what it was closed with"
    return f"[{section}] {own} is {value or 'not set'} and was {earlier or 'not set'}: {past}."


@dlt.resource(
    name="used_settings",
    write_disposition="append",
    columns=typed_columns(name="text", setting_value="text", origin="text", used_at="timestamp"),
)
def used_rows(rows: Sequence[Mapping[str, Any]] = ()) -> Iterator[Any]:
    """One row per setting and publication that was the first with this value."""
    yield dlt.mark.materialize_table_schema()
    yield list(rows)
