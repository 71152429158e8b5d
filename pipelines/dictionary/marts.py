"""The marts as the transforms declare them: description, key, columns, joins, lineage."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MARTS = "marts"
JOINS = {
    "user_id": "people.user_id",
    "owner_user_id": "people.user_id",
    "charged_user_id": "people.user_id",
    "created_by_user_id": "people.user_id",
    "changed_by_user_id": "people.user_id",
    "department": "departments.department",
    "product": "products.product",
    "model": "models.model",
    "month": "calendar.calendar_date",
    "corrected_month": "calendar.calendar_date",
    "first_active_month": "calendar.calendar_date",
    "connector_name": "connector_audit.connector_name",
    "skill_name": "skill_audit.skill_name",
    "plugin_name": "plugin_audit.plugin_name",
    "api_key_id": "api_key_hygiene.api_key_id",
    "event_id": "security_events.event_id",
    "run_id": "runs.run_id",
}
"""Column -> the mart and key that it joins to. A column whose name ends in _date is one of days."""
DAYS = "calendar.calendar_date"
TYPED = ("employment_end_date", "last_review_date", "retires_date", "reviewed_date")
"""Days that stand in files or at the vendor, and may be before or after the calendar."""
PERIODS = ("valid_from_date", "valid_until_date")


def join_of(mart: str, column: str) -> str | None:
    """What the column joins to, as mart.key; None: nothing, or it is that key."""
    target = JOINS.get(column)
    if target is None and column.endswith("_date") and column not in (*TYPED, *PERIODS):
        target = DAYS
    return None if target is None or target.partition(".")[0] == mart else target


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a mart, and what it joins to."""

    name: str
    description: str
    join: str | None


@dataclass(frozen=True, kw_only=True)
class Mart:
    """A mart: its key, and the marts and raw tables that its rows come from.

    Attributes:
        area: The folder of its model.
        key: Columns, or a column in words, that identify a row.
        sample: A query that shows what it is for.
        read_marts: Other marts that it is built from, directly or by steps between.
        read_tables: Raw tables that it is built from.
    """

    name: str
    area: str
    description: str
    key: Sequence[str]
    columns: Sequence[Column]
    sample: str
    read_marts: Sequence[str]
    read_tables: Sequence[str]

    @property
    def joins(self) -> dict[str, str]:
        """Column -> what it joins to, as mart.key."""
        return {each.name: each.join for each in self.columns if each.join}


def marts_of(manifest: str) -> list[Mart]:
    """Every mart of dbt's manifest, area by area."""
    read = json.loads(manifest)
    nodes: dict[str, Any] = {**read["nodes"], **read["sources"]}
    models = [
        node
        for node in read["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == MARTS
    ]
    keys = _keys(read["nodes"])
    return [
        Mart(
            name=model["name"],
            area=model["fqn"][2],
            description=" ".join(model["description"].split()),
            key=keys.get(model["unique_id"], ()),
            columns=[
                Column(
                    name=name,
                    description=" ".join(column["description"].split()),
                    join=join_of(model["name"], name),
                )
                for name, column in model["columns"].items()
            ],
            sample=(model["config"].get("meta") or {}).get("sample", "").strip(),
            read_marts=_read(model, nodes, is_mart=True),
            read_tables=_read(model, nodes, is_mart=False),
        )
        for model in sorted(models, key=lambda node: (_place(node["fqn"][2]), node["name"]))
    ]


AREAS = ("dimensions", "adoption", "seats", "money", "governance", "audit", "operations")


def _place(area: str) -> tuple[int, str]:
    return (AREAS.index(area) if area in AREAS else len(AREAS), area)


def _keys(nodes: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Model -> the columns of its first test of uniqueness."""
    keys: dict[str, Sequence[str]] = {}
    for node in nodes.values():
        test = node.get("test_metadata") or {}
        if test.get("name") == "unique_by":
            columns = [_column(text) for text in test["kwargs"]["columns"]]
            keys.setdefault(node["attached_node"], columns)
    return keys


def _column(text: str) -> str:
    """A column of a key; of an expression over columns, in words."""
    if re.fullmatch(r"\w+", text):
        return text
    first, *others = [
        word for word in re.findall(r"[a-z]\w+", text) if word not in ("coalesce", "name_key")
    ]
    return f"{first} (else {others[0]})" if others else first


def _read(model: Mapping[str, Any], nodes: Mapping[str, Any], *, is_mart: bool) -> list[str]:
    """What the model is built from: marts, up to the first on each way, or raw tables."""
    found: set[str] = set()
    seen: set[str] = set()
    ways = list(model["depends_on"]["nodes"])
    while ways:
        way = ways.pop()
        if way in seen or way not in nodes:
            continue
        seen.add(way)
        node = nodes[way]
        if node["resource_type"] == "source":
            if not is_mart and not node["name"].startswith("_dlt"):
                found.add(node["name"])
            continue
        if is_mart and node["fqn"][1] == MARTS:
            found.add(node["name"])
            continue
        ways += node["depends_on"]["nodes"]
    return sorted(found)
