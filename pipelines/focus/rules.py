"""The rules of a file of Cost and Usage: those of each column by itself, and those of rules.toml.

A rule is data: what holds, in words that are its name, how much it binds, and what finds the rows
that break it. A file is judged by those of its version whose columns it has.
"""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pipelines.focus.columns import CUSTOM, FOLDER, Column, columns_of, subcategories
from pipelines.warehouse.base import identifier, literal

LEVELS = ("MUST", "READ", "SHOULD")
"""The text is plain; it is a MUST as we read it; it is recommended."""

TOLERANCE = "1e-9"
"""What a product may differ from its amount, as a part of it."""

WRITTEN = " as written"
"""What the name of a column ends in that has the text which another one was read from."""

FOR_NOTHING = ("", "null", "n/a", "nan", "not applicable", "unmapped", "undefined")
"""Words that stand for what is absent, in small letters."""

NUMBER = r"-?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE]-?[0-9]+)?"
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z"
UNIT = r"([0-9]+ )?[A-Z][A-Za-z0-9]*([- ][A-Z][A-Za-z0-9]*)*([/-][A-Z][A-Za-z0-9]*)?"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What must hold.

    Attributes:
        name: What holds, in words.
        demands: Names that the published requirements of 1.4 have for it.
        columns: What it needs, and what an example shows.
        broken: SQL that is true for a row that breaks it.
        of, same: Instead: `same` has one value in all rows in which the columns of `of` are alike.
        of_values: It is about the values of its one column, however many rows have them: `broken`
            is SQL over `value`.
    """

    level: str
    name: str
    demands: Sequence[str] = ()
    columns: Sequence[str]
    broken: str = ""
    of: Sequence[str] = ()
    same: str = ""
    of_values: bool = False


def rules_of(version: str) -> list[Rule]:
    """Every rule that a query over rows can decide, of a version."""
    own = [rule for column in columns_of(version) for rule in _of_column(column)]
    return [*own, *(rule for since, rule in _between_columns() if since <= version)]


def with_columns(sql: str, present: Collection[str]) -> str:
    """The rule's SQL; a column in braces may be absent, and is null then."""
    found = sql.replace("{tolerance}", TOLERANCE)
    found = found.replace("{subcategories}", _listed(subcategories()))
    found = found.replace(
        "{pairs}", _listed([f"{own} / {parent}" for own, parent in subcategories().items()])
    )
    return re.sub(
        r"\{([A-Z]\w+)\}",
        lambda match: identifier(match[1]) if match[1] in present else "cast(null as varchar)",
        found,
    )


def _listed(values: Sequence[str] | Mapping[str, str]) -> str:
    return "(" + ", ".join(map(literal, values)) + ")"


@cache
def _words(name: str) -> tuple[str, ...]:
    """Those of a list beside this: codes of currencies, units and keys that FOCUS spells."""
    return tuple((FOLDER / f"{name}.txt").read_text(encoding="utf-8").split())


@cache
def _between_columns() -> list[tuple[str, Rule]]:
    with (FOLDER / "rules.toml").open("rb") as file:
        found = tomllib.load(file)
    return [
        (
            rule.get("since", ""),
            Rule(
                level=rule["level"],
                name=name.replace("_", " "),
                demands=rule["demands"],
                columns=rule["columns"],
                broken=rule.get("broken", ""),
                of=rule.get("of", ()),
                same=next(iter(rule.get("same", ())), ""),
            ),
        )
        for name, rule in found.items()
    ]


def _of_column(column: Column) -> list[Rule]:
    name, quoted = column.name, identifier(column.name)
    written = identifier(name + WRITTEN)
    found: list[Rule] = []

    def holds(level: str, words: str, broken: str, *demands: str, **given: object) -> None:
        rule = Rule(
            level=level,
            name=f"{name} {words}",
            demands=[
                f"{name}-{demand}" if demand.startswith("C-") else demand for demand in demands
            ],
            columns=given.pop("columns", [name]),  # type: ignore[arg-type]
            broken=broken,
            **given,  # type: ignore[arg-type]
        )
        found.append(rule)

    # Whether a sub type is there is asked beside what it is of.
    if not column.may_be_null and name != "BillingAccountType":
        holds("MUST", "is never null", f"{quoted} is null", "C-003")
    if column.allowed:
        broken = f"{quoted} not in {_listed(column.allowed)}"
        holds("MUST", f"is one of {', '.join(column.allowed)}", broken, "C-003")
    if column.is_of_price:
        use = (
            "ChargeCategory in ('Usage', 'Purchase') and ChargeClass is distinct from 'Correction'"
        )
        needs = [name, "ChargeCategory", "ChargeClass"]
        broken = f"{quoted} is null and {use}"
        words = "is there for use and purchases, unless they correct"
        holds("MUST", words, broken, "C-005", columns=needs)
        broken = f"{quoted} is not null and ChargeCategory = 'Tax'"
        holds("MUST", "is null for taxes", broken, "C-004", columns=needs[:2])
    if column.kind == "price":
        holds("MUST", "is never negative", f"{quoted} < 0", "C-008")
    if column.kind in ("decimal", "price"):
        broken = f"not regexp_full_match({written}, '{NUMBER}')"
        words = "is a plain number, without signs for plus, thousands or a currency"
        holds("MUST", words, broken, "NumericFormat-A-003", columns=[name + WRITTEN])
    if column.kind == "moment":
        broken = f"not regexp_full_match({written}, '{MOMENT}') or {quoted} is null"
        words = "is written as 2026-05-31T00:00:00Z"
        holds("MUST", words, broken, "DateTimeFormat-A-003", columns=[name + WRITTEN])
    if column.kind in ("text", "unit", "currency") and name != "ChargeDescription":
        broken = f"lower(trim({quoted})) in {_listed(FOR_NOTHING)}"
        holds("MUST", "has no word that stands for nothing", broken, "NullHandling-A-002")
    if column.kind == "currency":
        broken = f"{quoted} not in {_listed(_words('currencies'))}"
        level = "MUST" if name == "BillingCurrency" else "READ"  # A pricing one may be virtual.
        holds(level, "is a currency's code", broken, "CurrencyFormat-A-001")
    if column.kind == "unit":
        words = "writes the specification's units as it does"
        spelt = _listed([unit.lower() for unit in _words("units")])
        same = _listed(_words("units"))
        parts = "regexp_split_to_array(value, '[-/ ]')"
        other = f"lower(part) in {spelt} and part not in {same}"
        broken = f"len(list_filter({parts}, lambda part: {other})) > 0"
        holds("MUST", words, broken, "UnitFormat-A-003", of_values=True)
        broken = f"not regexp_full_match(value, '{UNIT}')"
        holds("SHOULD", "has the form of a unit", broken, "UnitFormat-A-001", of_values=True)
    if column.kind in ("pairs", "json"):

        def if_object(sql: str) -> str:
            # Not with `and`: the other side is looked at all the same.
            return f"case when not {is_object} then false else {sql} end"

        is_object = "case when json_valid(value) then json_type(value) = 'OBJECT' else false end"
        broken = f"not {is_object}" if column.kind == "pairs" else "not json_valid(value)"
        holds("MUST", "is JSON", broken, "KeyValueFormat-A-001", of_values=True)
    if column.kind == "pairs":
        keys = "json_keys(value)"
        broken = if_object(f"len({keys}) > len(list_distinct({keys}))")
        holds("MUST", "names each key once", broken, "KeyValueFormat-A-002", of_values=True)
        broken = if_object(
            "len(list_filter(json_extract(value, '$.*'),"
            " lambda item: json_type(item) in ('OBJECT', 'ARRAY'))) > 0"
        )
        holds("MUST", "has no value within a value", broken, "KeyValueFormat-A-004", of_values=True)
    if name == "SkuPriceDetails":
        own = f"starts_with(key, '{CUSTOM}')"
        foreign = f"not {own} and key not in {_listed(_words('price_properties'))}"
        broken = if_object(f"len(list_filter({keys}, lambda key: {foreign})) > 0")
        words = "begins keys of its own with x_"
        holds("MUST", words, broken, "C-013", of_values=True)
        odd = f"{own} and not regexp_full_match(key, 'x_([A-Z][A-Za-z0-9]*)+')"
        broken = if_object(f"len(list_filter({keys}, lambda key: {odd})) > 0")
        holds("SHOULD", "writes keys in PascalCase", broken, "C-002", of_values=True)
    return found
