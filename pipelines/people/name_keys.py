"""The keys of names that engines do not fold alike: made here, read by the transforms."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import dlt

from sources.ledger import known_tables, store, stored
from sources.typed_files.keys import name_key

TABLE = "name_keys"
OF_EMAILS = ("email", "email_address")
"""How columns of e-mails end, in every raw table."""
NAMED = {
    "rbac_groups": ("id", "name"),
    "cost_center_groups": ("rbac_group", "department", "cost_center"),
    "org_chart": ("department", "cost_center", "seat_tier"),
    "fixed_shares": ("department", "cost_center"),
    "seat_prices": ("seat_tier",),
    "budgets": ("cost_center",),
    "closed_months": ("department", "cost_center"),
    "closed_charges": ("department", "cost_center"),
    "closed_settings": ("setting_name", "department", "cost_center"),
    "approved_connectors": ("name",),
    "approved_skills": ("name",),
    "approved_plugins": ("name",),
    "connectors": ("connector_name", "connector_display_name"),
    "skills": ("skill_name", "skill_display_name"),
    "plugins": ("plugin_id", "plugin_name"),
    "organization_plugins": ("id", "name"),
}
"""Raw table -> its columns of other names that people type somewhere."""
TOMBSTONE = re.compile("[0-9a-fA-F]{32}(?=[^@])")
"""What a directory puts before an address on deletion, as the macro `is_tombstone` knows it too."""
PLAIN = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def store_name_keys(pipeline: dlt.Pipeline) -> None:
    """Key the names that came since; the table is there then.

    Only those that differ from what the macro `name_key` makes of plain names by itself.
    """
    is_known = TABLE in known_tables(pipeline)
    known = set()
    if is_known:
        known = {row["name"] for row in stored(pipeline, f"select name from {TABLE}")}
    new = [row for row in _keys(_names(pipeline)) if row["name"] not in known]
    if new or not is_known:
        store(pipeline, name_keys(new))


@dlt.resource(
    name=TABLE,
    write_disposition="append",
    columns={"name": {"data_type": "text"}, "name_key": {"data_type": "text"}},
)
def name_keys(rows: Iterable[dict[str, str]]) -> Iterator[Any]:
    """One row per name whose key is not the name in ASCII's lower case. A load that broke off can
    have stored a row twice."""
    yield dlt.mark.materialize_table_schema()
    yield list(rows)


def _keys(names: Iterable[str]) -> Iterator[dict[str, str]]:
    for name in names:
        key = name_key(name)
        if key != name.strip(" ").translate(PLAIN):
            yield {"name": name, "name_key": key}


def _names(pipeline: dlt.Pipeline) -> list[str]:
    columns = stored(
        pipeline,
        f"""
        select table_name, column_name
        from information_schema.columns
        where table_schema = '{pipeline.dataset_name}'
        """,
    )
    named = [
        f"select distinct {column} as name from {table}"
        for table, column in ((row["table_name"], row["column_name"]) for row in columns)
        if column.endswith(OF_EMAILS) or column in NAMED.get(table, ())
    ]
    if not named:
        return []
    query = f"select distinct name from ({' union all '.join(named)}) as names"
    names = [row["name"] for row in stored(pipeline, query) if isinstance(row["name"], str)]
    behind = (name[32:] for name in names if TOMBSTONE.match(name))
    return [*dict.fromkeys([*names, *behind])]
