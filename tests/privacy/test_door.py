"""What becomes of people at the door."""

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.data_dir import DataDir
from pipelines.raw_tables import create_absent_tables, warehouse_pipeline
from sources.door import PSEUDONYMOUS, Door, network
from sources.personal import Kind, kind_of
from sources.typed_files.keys import name_key

KEYS = ["a" * 64]
DOOR = Door(identity=PSEUDONYMOUS, keys=KEYS)


@pytest.mark.parametrize(
    "spelling",
    ["zoë@example.com", "ZOË@Example.com ", " zoe\u0308@example.com", "zoë\u200b@example.com"],
)
def test_an_address_has_one_pseudonym_however_it_is_typed(spelling: str) -> None:
    assert DOOR.email(spelling) == DOOR.email("zoë@example.com") != DOOR.email("zoe@example.com")


@given(st.text(min_size=1))
def test_a_pseudonym_is_its_own_key_and_its_own_pseudonym(text: str) -> None:
    for made in (DOOR.email(text), DOOR.person(text)):
        assert name_key(made) == made
    assert DOOR.email(DOOR.email(text)) == DOOR.email(text)
    assert DOOR.person(DOOR.person(text)) == DOOR.person(text)


def test_another_key_makes_everybody_somebody_else() -> None:
    other = Door(identity=PSEUDONYMOUS, keys=["b" * 64])
    both = Door(identity=PSEUDONYMOUS, keys=[*KEYS, "b" * 64])
    made = {door.email("ana@example.com") for door in (DOOR, other, both)}
    assert len(made) == 3


def test_a_tombstone_stays_one_of_the_same_address() -> None:
    made = DOOR.email("0123456789abcdef0123456789ABCDEFana@example.com")
    assert made[32:] == DOOR.email("ana@example.com")
    assert made[:32] != "0123456789abcdef0123456789abcdef"


def test_nobody_stays_nobody() -> None:
    rows: list[dict[str, str | None]] = [
        {"email": None, "name": None, "id": "user_1"},
        {"email": "", "name": " ", "id": None},
    ]
    stored = DOOR.rows("members", rows)
    assert [(row["email"], row["name"]) for row in stored] == [(None, None), ("", " ")]


def test_columns_and_rows_become_the_same() -> None:
    rows: list[dict[str, str | int | None]] = [
        {"user__id": "user_01A", "user__email_address": "ana@example.com", "web_search_count": 2},
        {"user__id": None, "user__email_address": None, "web_search_count": 1},
        {"user__id": "user_01A", "user__email_address": "ana@example.com", "web_search_count": 7},
    ]
    table = pa.Table.from_pylist(rows)
    assert DOOR.table("users", table).to_pylist() == DOOR.rows("users", rows)
    assert DOOR.table("users", table).schema == table.schema


def test_machines_keep_their_ids() -> None:
    rows = [{"created_by_actor_id": each} for each in ("svac_01A", "apikey_01A", "user_01A")]
    svac, key, person = [row["created_by_actor_id"] for row in DOOR.rows("service_accounts", rows)]
    assert (svac, key, person) == ("svac_01A", "apikey_01A", DOOR.person("user_01A"))


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("192.0.2.17", "192.0.2.0"),
        ("2001:db8:1:2::7", "2001:db8:1::"),
        ("2001:0db8:0001::", "2001:db8:1::"),
        ("ana's laptop", None),
    ],
)
def test_of_an_address_in_a_network_the_network_is_kept(address: str, kept: str | None) -> None:
    assert network(address) == kept


def test_of_an_event_nobody_is_kept_and_what_it_did_is() -> None:
    event = {
        "user_email": "Ana@example.com",
        "deleted_user_id": "user_01ABCDEFG",
        "member_ids": ["user_01ABCDEFG", "svac_01A"],
        "group_id": "rbac_group_01A",
        "filename": "Ana's review.docx",
        "client_ip": "192.0.2.17",
        "current_role": "admin",
        "updates": [{"type": "owner", "previous_value": None, "current_value": "ana@example.com"}],
        "sent_to": "see ana@example.com",
        "by_user": {"ana@example.com": 3},
        "enabled": True,
    }
    [row] = DOOR.rows("activities", [{"attributes": json.dumps(event)}])
    stored = json.loads(row["attributes"])
    email, person = DOOR.email("ana@example.com"), DOOR.person("user_01ABCDEFG")

    assert stored["user_email"] == email and stored["deleted_user_id"] == person
    assert stored["member_ids"] == [person, "svac_01A"]
    assert stored["group_id"] == "rbac_group_01A" and stored["current_role"] == "admin"
    assert stored["updates"][0]["current_value"] == email and stored["enabled"] is True
    assert stored["filename"] == stored["sent_to"] == "(withheld)"
    assert "ana" not in row["attributes"].casefold() and "192.0.2.17" not in row["attributes"]


def test_of_fields_that_nobody_declared_the_names_are_kept() -> None:
    told = json.dumps({"nickname": "Ana", "by_user__ana@example.com": 1})
    [row] = DOOR.rows("users", [{"undeclared_fields": told}])
    first, second = json.loads(row["undeclared_fields"]).items()
    assert (second, "ana" in first[0]) == (("nickname", None), False)


def test_of_a_row_that_could_not_be_read_a_mark_is_kept() -> None:
    row = {"reason": "column 'Ana Example' is no date", "row_json": '{"name": "Ana Example"}'}
    [stored, again] = DOOR.rows("rejected_rows", [row, row])
    assert stored == again and "Ana" not in str(stored)


def test_whoever_was_forgotten_is_nobody_and_all_else_is_as_it_came() -> None:
    known = {DOOR.email("ana@example.com"): "f@x.invalid", DOOR.person("user_01ABCDEFG"): "f"}
    door = Door(keys=KEYS, forgotten=known)
    ana = {"id": "user_01ABCDEFG", "email": "ANA@example.com", "name": "Ana", "role": "user"}
    diana = {"id": "user_01B", "email": "diana@example.com", "name": "Diana", "role": "user"}

    assert door.rows("members", [ana, diana]) == [
        {"id": "f", "email": "f@x.invalid", "name": None, "role": "user"},
        diana,
    ]
    [row] = door.rows("activities", [{"attributes": '{"ids": ["user_01ABCDEFG", "user_01B"]}'}])
    assert row["attributes"] == '{"ids": ["f", "user_01B"]}'


def test_every_text_that_is_stored_says_whether_it_is_about_people(tmp_path: Path) -> None:
    data_dir = DataDir(tmp_path)
    with data_dir.held("test"):
        create_absent_tables(warehouse_pipeline(data_dir))
    with duckdb.connect(str(data_dir.warehouse)) as connection:
        columns = connection.execute(
            """
            select table_name, column_name from duckdb_columns()
            where schema_name = 'claude_raw' and data_type = 'VARCHAR'
                and table_name not like '\\_dlt%' escape '\\'
                and column_name not like '\\_dlt%' escape '\\'
            """
        ).fetchall()
    assert len(columns) > 300
    unsaid = []
    for table, column in columns:
        try:
            kind_of(table, column)
        except KeyError as name:
            unsaid.append(str(name))
    assert unsaid == [], "say in sources/personal.py what these tell of a person"
    assert kind_of("members", "name") is Kind.NAME
    assert kind_of("rbac_groups", "name") is Kind.THING
