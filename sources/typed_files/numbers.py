"""Numbers as people type them, where they mean one thing."""

import re
import unicodedata
from decimal import Decimal

PLACES = 8
LARGEST = Decimal("1e15")
POINT = re.compile(r"[+-]?([0-9]+|[1-9][0-9]{0,2}([,'’ ][0-9]{3})+)?(\.[0-9]+)?")
COMMA = re.compile(r"[+-]?([0-9]+|[1-9][0-9]{0,2}([.'’ ][0-9]{3})+)?(,[0-9]+)?")
TWO_THINGS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
"""1.234 is a little more than one to some and more than a thousand to others."""


class Number(str):
    """A cell that a workbook holds as a number: its decimal mark is a point, and means that."""

    def strip(self, chars: str | None = None, /) -> "Number":
        return self


class NotOneNumber(ValueError):
    """Why a text is no number, to be read after the text."""


def decimal_number(text: str, delimiter: str) -> Decimal:
    """The number, of 8 decimal places at most.

    A comma is a decimal mark only in files whose cells it does not part.

    Raises:
        NotOneNumber: It is none, or could be two.
    """
    if not isinstance(text, Number):
        text = unicodedata.normalize("NFKC", text)
    if not isinstance(text, Number) and TWO_THINGS.fullmatch(text):
        plain = re.sub("[.,]", "", text)
        point, more = re.sub("[.,]", ".", text), "0"
        raise NotOneNumber(f"can be read in two ways: write {plain}, or {point}{more}")
    forms = [POINT] if delimiter == "," or isinstance(text, Number) else [POINT, COMMA]
    numbers = {
        Decimal(re.sub("[,'’ ]", "", text) if form is POINT else _with_point(text))
        for form in forms
        if re.search("[0-9]", text) and _grouped_alike(text) and form.fullmatch(text)
    }
    if len(numbers) != 1:
        raise NotOneNumber("")
    number = numbers.pop()
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > PLACES:
        raise NotOneNumber(f"has more than {PLACES} digits after its decimal mark")
    if abs(number) >= LARGEST:
        raise NotOneNumber("is larger than any amount that can be meant")
    return number


def _with_point(text: str) -> str:
    return re.sub("[.'’ ]", "", text).replace(",", ".")


def _grouped_alike(text: str) -> bool:
    """Thousands are parted by one kind of mark."""
    return len(set(re.findall("['’ ]", text))) <= 1
