"""What engines write in their own words gives the same on each of them."""

import json
import re
from hashlib import sha256
from typing import Any

import pytest

from pipelines.warehouse import ENGINES
from pipelines.warehouse.base import Warehouse
from pipelines.warehouse.dbt import PROJECT, run_dbt
from sources.claude_compliance.activities import row_of
from sources.errors import ForeseenError

DIALECT = PROJECT / "macros" / "dialect"
MACROS = sorted(file.stem for file in DIALECT.glob("*.sql") if file.stem != "no_body")

VALUES = r"""
select
    'größe' as name,
    '{"a": {"b c": [1, "x \" y"]}, "n": 7, "t": "wörd", "l": ["x", {"k": 1}], "no": null}'
        as object,
    cast('2026-03-29 01:30:00.12' as timestamp) as moment,
    cast('2026-03-29 03:30:00+02:00' as timestamp with time zone) as zoned,
    cast('2026-02-27' as date) as first,
    cast('2026-03-01' as date) as last,
    cast('123456789012.12345678' as decimal(38, 8)) as large,
    cast('-0.00000002' as decimal(38, 8)) as credit,
    cast('-12.5' as decimal(38, 12)) as cents,
    cast('12345678901234.567890' as decimal(38, 12)) as many_cents,
    cast('0.000001' as decimal(38, 12)) as few_cents
"""
ASKED = {
    "{{ days_from('first', 'last') }}": "2",
    "(select count(*) from (select {{ days_between('first', 'last') }} as day) as days)": "3",
    "(select max(day) from (select {{ days_between('first', 'last') }} as day) as days)": (
        "2026-03-01"
    ),
    "{{ json_text('object', 't') }}": "wörd",
    "{{ json_text('object', 'n') }}": "7",
    "{{ json_text('object', 'a') }}": r'{"b c":[1,"x \" y"]}',
    "{{ json_text('object', 'no') }}": None,
    "{{ json_text('object', 'absent') }}": None,
    "(select count(*) from (select {{ json_elements('object', 'l') }} as each) as them)": "2",
    "(select max(each) from (select {{ json_elements('object', 'l') }} as each) as them"
    " where left(each, 1) <> '{')": "x",
    # What is no list, and what is not there, has no elements.
    "(select count(*) from (select {{ json_elements('object', 'a') }} as each) as them)": "0",
    "(select count(*) from (select {{ json_elements('object', 'gone') }} as each) as them)": "0",
    "(select max(part) from (select {{ parts_of_text(\"'a, c, b'\", ', ') }} as part) as parts)": (
        "c"
    ),
    "{{ sha256_hex('name') }}": sha256("größe".encode()).hexdigest(),
    "{{ moment_as_text('moment') }}": "2026-03-29T01:30:00.120000Z",
    "{{ moment_as_text(utc_timestamp('zoned')) }}": "2026-03-29T01:30:00.000000Z",
    "{{ exact_integer(\"'\" ~ '9' * 38 ~ \"'\") }}": "9" * 38,
    "{{ quotient(exact_integer(\"'99999999999999999999'\"), '2') }}": "49999999999999999999",
    "{{ quotient(days_from('first', 'last'), '3') }}": "0",
    "{{ cents_to_usd('cents') }}": "-0.12500000",
    "{{ cents_to_usd('many_cents') }}": "123456789012.34567890",
    "{{ cents_to_usd('few_cents') }}": "0.00000001",
    "{{ usd_to_units('large') }}": "12345678901212345678",
    "{{ usd_to_units('credit') }}": "-2",
    "{{ units_to_usd(exact_integer(\"'-12345678901212345678'\")) }}": "-123456789012.12345678",
    "{{ units_to_usd('-1') }}": "-0.00000001",
    "{{ quantity_to_units('few_cents') }}": "1000000",
    "{{ quantity_to_units('cast(9300000 as bigint)') }}": "9300000000000000000",
    "{{ units_to_quantity(exact_integer(\"'1234567890123456789012345'\")) }}": (
        "1234567890123.456789012345"
    ),
    "{{ usd_per('large', '3') }}": "41152263004.04115226",
    "{{ usd_per('credit', '3') }}": "-0.00000001",
    "{{ usd_per('credit', '0') }}": None,
    "{{ sign_of('credit') }}": "-1",
    "{{ network_of(\"'192.168.17.4'\") }}": "192.168.17.0/24",
    "{{ network_of(\"'2001:db8:85a3:8d3::1'\") }}": "2001:db8:85a3::/48",
    "{{ network_of(\"'::1'\") }}": "0:0:0::/48",
    "{{ network_of(\"'nowhere'\") }}": None,
    "{{ network_of(\"'300.1.1'\") }}": None,
    "(select {{ median_of('number') }} from (select 1 as number union all select 4) as numbers)": (
        "2.5"
    ),
    "cast(cast(16777217 as {{ float_type() }}) as bigint)": "16777217",
    "large - cast('0.12345679' as decimal(38, 8))": "123456789011.99999999",
}
"""What every engine is asked -> what each answers, as text."""


def asked(warehouse: Warehouse, sql: str) -> dict[str, Any]:
    """The only row that the engine gives for SQL with macros in it."""
    [result] = run_dbt(["show", "--inline", sql, "--limit", "1"], warehouse.target, {})
    table = result.agate_table
    return dict(zip(table.column_names, table.rows[0], strict=True))


def test_each_of_them_gives_the_same_on_every_engine(warehouse: Warehouse) -> None:
    columns = ",\n    ".join(
        f"cast({asked} as {{{{ dbt.type_string() }}}}) || '.' as answer_{number}"
        for number, asked in enumerate(ASKED)
    )
    answers = asked(warehouse, f"select\n    {columns}\nfrom ({VALUES}) as given")

    told = {
        question: answer and answer.removesuffix(".")
        for question, answer in zip(ASKED, answers.values(), strict=True)
    }
    assert told == ASKED


NUMBERS = "[1.50, 100.0, -0.1, 1e22, 1e-7, 12345678901234567890123, 0, 9223372036854775807, true]"


def test_a_number_of_an_event_is_the_same_text_on_every_engine(warehouse: Warehouse) -> None:
    told = {f"n{place}": number for place, number in enumerate(json.loads(NUMBERS))}
    event = {"id": "a", "type": "b", "created_at": "2026-01-05T00:00:00Z", **told}
    stored = row_of(event)["attributes"]
    columns = ", ".join(f"{{{{ json_text('object', '{key}') }}}} || '.' as {key}" for key in told)

    answers = asked(warehouse, f"select {columns} from (select '{stored}' as object) as given")

    assert [text.removesuffix(".") for text in answers.values()] == [
        *("1.5", "100.0", "-0.1", "1e+22", "1e-07", "12345678901234567890123", "0"),
        *("9223372036854775807", "true"),
    ]


@pytest.mark.parametrize("name", MACROS)
def test_each_of_them_has_its_words_for_every_engine_and_none_for_others(name: str) -> None:
    text = (DIALECT / f"{name}.sql").read_text()

    assert set(re.findall(rf"macro (\w+?)__{name}\(", text)) == {"default", *ENGINES}
    assert re.search(rf"macro default__{name}\([^)]*\) -%}}\s+{{{{ no_body\('{name}'\) }}}}", text)
    is_asked = any(f"{name}(" in question for question in ASKED)
    assert is_asked or name == "chained_hashes"  # It is a part of a query: test_evidence asks it.


def test_an_engine_that_has_no_words_ends_the_build_and_names_the_file(
    warehouse: Warehouse,
) -> None:
    with pytest.raises(ForeseenError):
        asked(warehouse, "select {{ default__days_from('a', 'b') }} as days")

    log = warehouse.target.folder / "dbt" / "logs" / "dbt.log"
    assert "macros/dialect/days_from.sql has no body for" in log.read_text()
