"""What a cell of an export says: pure rules for numbers, dates and flags in two languages."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Context, Decimal
from typing import NamedTuple

from sources.langdock.entities import Cell
from sources.typed_files.dates import Order, day_problem, readings, without_time
from sources.typed_files.numbers import Number

PLAIN = re.compile(r"[+-]?\d+")
FORMS = {
    mark: re.compile(
        rf"[+-]?(?=.?\d)(?:\d{{1,3}}(?:{other}\d{{3}})+|\d+)?(?:{re.escape(mark)}\d+)?"
        r"(?:[eE][+-]?\d{1,3})?"
    )
    for mark, other in ((".", "[,'’ ]"), (",", r"[.'’ ]"))
}
"""Decimal mark -> numbers written with it."""

SPACES = str.maketrans(dict.fromkeys("\u00a0\u2009\u202f", " "))
LARGEST = 2**63
EXACT = Context(prec=38)
TRUE = {"true", "1", "yes", "wahr", "ja"}
FALSE = {"false", "0", "no", "falsch", "nein"}


class Unreadable(ValueError):
    """What is wrong with a cell, to be read after "it is"."""


class Forms(NamedTuple):
    """How a file writes what can be written in several ways; None where nothing tells it."""

    mark: str | None = None
    order: Order | None = None


def decimal_mark(cells: Iterable[tuple[Cell, str]], delimiter: str) -> str | None:
    """The decimal mark of a file, by its cells; None if 1.234 in it could be either number.

    A count has no fraction, so a mark in it groups thousands. Otherwise a mark that is not
    followed by three digits is the decimal one. Exports with commas between cells come from
    machines and mean a point.
    """
    seen = {".": 0, ",": 0}
    for kind, cell in cells:
        if cell.isdecimal() or isinstance(cell, Number):
            continue
        text = cell.translate(SPACES)
        if PLAIN.fullmatch(text):
            continue
        fits = [mark for mark, form in FORMS.items() if form.fullmatch(text)]
        if len(fits) == 1:
            seen[fits[0]] += 1
        elif kind is Cell.COUNT and len(fits) == 2 and ("." in text) != ("," in text):
            seen["," if "." in text else "."] += 1
    if seen["."] and not seen[","]:
        return "."
    if seen[","] and not seen["."]:
        return ","
    return "." if delimiter == "," else None


def _number(text: str, mark: str | None) -> Decimal:
    if isinstance(text, Number):
        return Decimal(text)
    text = text.translate(SPACES)
    numbers = set()
    for decimal, form in FORMS.items() if mark is None else [(mark, FORMS[mark])]:
        if form.fullmatch(text):
            numbers.add(Decimal(re.sub(rf"[.,'’ ](?<![{decimal}])", "", text).replace(",", ".")))
    if len(numbers) == 2:
        raise Unreadable("not one number: such as 1.234 can be read in two ways")
    if not numbers:
        raise Unreadable("not a number")
    return numbers.pop()


def _decimal(text: str, forms: Forms) -> Decimal:
    number = _number(text, forms.mark)
    if abs(number) >= Decimal("1e26"):
        raise Unreadable("not a number of that size")
    return number.quantize(Decimal("1e-12"), context=EXACT)


def _count(text: str, forms: Forms) -> int:
    if text.isdecimal() and len(text) < 19:  # nearly every cell
        return int(text)
    try:
        number = _number(text, forms.mark)
    except Unreadable:
        # Where nothing tells the mark: a count has no fraction.
        number = _number(re.sub(r"(?<=\d)[.,](?=\d{3}\b)", "", text), forms.mark or ".")
    if number != number.to_integral_value() or abs(number) >= LARGEST:
        raise Unreadable("not a whole number")
    return int(number)


def _date(text: str, forms: Forms) -> date:
    day = without_time(text, any_time=True)
    found = readings(day)
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    if forms.order in found:
        return found[forms.order]
    raise Unreadable(day_problem(day))


def _bool(text: str, _: Forms) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise Unreadable("not true or false")


def _text(text: str, _: Forms) -> str:
    return str(text)


VALUES: dict[Cell, Callable[[str, Forms], object]] = {
    Cell.TEXT: _text,
    Cell.JSON: _text,
    Cell.DATE: _date,
    Cell.COUNT: _count,
    Cell.NUMBER: _decimal,
    Cell.BOOL: _bool,
}
"""How a cell becomes its value, given the file's forms; each raises Unreadable."""


def is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
