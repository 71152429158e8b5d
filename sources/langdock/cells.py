"""What a cell of an export says: pure rules for numbers, dates and flags in two languages."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Context, Decimal

from sources.langdock.entities import Cell

PLAIN = re.compile(r"[+-]?\d+")
FORMS = {
    mark: re.compile(
        rf"[+-]?(?=.?\d)(?:\d{{1,3}}(?:{other}\d{{3}})+|\d+)?(?:{re.escape(mark)}\d+)?"
        r"(?:[eE][+-]?\d{1,3})?"
    )
    for mark, other in ((".", "[,'’ ]"), (",", r"[.'’ ]"))
}
"""Decimal mark -> numbers written with it."""

ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ]\d\d:.*)?")
GERMAN_DATE = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})(?: \d\d:.*)?")
SPACES = str.maketrans(dict.fromkeys("\u00a0\u2009\u202f", " "))
LARGEST = 2**63
EXACT = Context(prec=38)
TRUE = {"true", "1", "yes", "wahr", "ja"}
FALSE = {"false", "0", "no", "falsch", "nein"}


class Unreadable(ValueError):
    """What a cell should be and is not."""


def decimal_mark(cells: Iterable[tuple[Cell, str]], delimiter: str) -> str | None:
    """The decimal mark of a file, by its cells; None if 1.234 in it could be either number.

    A count has no fraction, so a mark in it groups thousands. Otherwise a mark that is not
    followed by three digits is the decimal one. Exports with commas between cells come from
    machines and mean a point.
    """
    seen = {".": 0, ",": 0}
    for kind, cell in cells:
        if cell.isdecimal():
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
    text = text.translate(SPACES)
    numbers = set()
    for decimal, form in FORMS.items() if mark is None else [(mark, FORMS[mark])]:
        if form.fullmatch(text):
            numbers.add(Decimal(re.sub(rf"[.,'’ ](?<![{decimal}])", "", text).replace(",", ".")))
    if len(numbers) == 2:
        raise Unreadable("one number: such as 1.234 can be read in two ways")
    if not numbers:
        raise Unreadable("a number")
    return numbers.pop()


def _decimal(text: str, mark: str | None) -> Decimal:
    number = _number(text, mark)
    if abs(number) >= Decimal("1e26"):
        raise Unreadable("a number of that size")
    return number.quantize(Decimal("1e-12"), context=EXACT)


def _count(text: str, mark: str | None) -> int:
    if text.isdecimal() and len(text) < 19:  # nearly every cell
        return int(text)
    try:
        number = _number(text, mark)
    except Unreadable:
        # Where nothing tells the mark: a count has no fraction.
        number = _number(re.sub(r"(?<=\d)[.,](?=\d{3}\b)", "", text), mark or ".")
    if number != number.to_integral_value() or abs(number) >= LARGEST:
        raise Unreadable("a whole number")
    return int(number)


def _date(text: str, _: str | None) -> date:
    iso = ISO_DATE.fullmatch(text)
    german = None if iso else GERMAN_DATE.fullmatch(text)
    found = iso.groups() if iso else german.groups()[::-1] if german else ()
    try:
        return date(*map(int, found))
    except (TypeError, ValueError):
        raise Unreadable("a date written as YYYY-MM-DD or DD.MM.YYYY") from None


def _bool(text: str, _: str | None) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise Unreadable("true or false")


def _text(text: str, _: str | None) -> str:
    return text


VALUES: dict[Cell, Callable[[str, str | None], object]] = {
    Cell.TEXT: _text,
    Cell.JSON: _text,
    Cell.DATE: _date,
    Cell.COUNT: _count,
    Cell.NUMBER: _decimal,
    Cell.BOOL: _bool,
}
"""How a cell becomes its value, given the file's decimal mark; each raises Unreadable."""


def is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
