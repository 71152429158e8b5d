"""The marts of two folders beside each other: all that is not the name of a person."""

from pathlib import Path

import duckdb

NOT_COMPARED = {"runs"}
"""Marts that tell of runs."""
REDUCED = {"ip_address", "row_hash", "previous_hash", "reason"}
"""Columns of which pseudonyms leave less: a network, no free text, a hash over both."""
PSEUDONYM = r"person_[0-9a-f]{32}|@pseudonym\.invalid|Person [0-9a-f]{16}|device_[0-9a-f]{16}"


def marts(file: Path) -> dict[str, dict[str, str]]:
    """Mart -> column -> type."""
    with duckdb.connect(str(file), read_only=True) as connection:
        found: dict[str, dict[str, str]] = {}
        for mart, column, kind in connection.execute(
            "select table_name, column_name, data_type from duckdb_columns()"
            " where schema_name = 'claude_marts'"
        ).fetchall():
            found.setdefault(mart, {})[column] = kind
    return found


OF_PEOPLE = {"user_id", "subject_id", "actor_id"}
"""Columns by which a mart has rows of people."""


def differences(one: Path, other: Path, *, texts_of_people: bool = True) -> dict[str, int]:
    """Marts of two folders that are not the same, but for columns in which the other has
    pseudonyms, and for moments of runs: how many rows differ. Of marts about people, all but their
    texts are compared on demand."""
    found: dict[str, int] = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one (read_only)")
        connection.execute(f"attach '{other}' as other (read_only)")
        for mart, columns in marts(one).items():
            if mart in NOT_COMPARED:
                continue
            rows_of = f"other.claude_marts.{mart}"
            shown = [
                f'"{name}"'
                for name, kind in columns.items()
                if not name.endswith("_at")
                and name not in REDUCED
                and not (kind == "VARCHAR" and _has_pseudonyms(connection, rows_of, name))
                and (texts_of_people or kind != "VARCHAR" or not {*columns} & OF_PEOPLE)
            ]
            names = ", ".join(shown) or "1"  # As many rows, at least.
            [(count,)] = connection.execute(
                f"""
                select count(*) from (
                    (select {names} from one.claude_marts.{mart}
                    except all select {names} from {rows_of})
                    union all
                    (select {names} from {rows_of}
                    except all select {names} from one.claude_marts.{mart})
                )
                """
            ).fetchall()
            if count:
                found[mart] = count
    return found


def _has_pseudonyms(connection: duckdb.DuckDBPyConnection, rows_of: str, column: str) -> bool:
    query = f"""select 1 from {rows_of} where regexp_matches("{column}", ?) limit 1"""
    return bool(connection.execute(query, [PSEUDONYM]).fetchall())
