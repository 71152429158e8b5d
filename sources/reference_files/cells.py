"""What a cell of a reference file says, or why it does not say it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

import pyarrow as pa

from sources.typed_files.dates import YEAR_LAST, day_problem, readings, without_time
from sources.typed_files.keys import name_key, shown_name
from sources.typed_files.numbers import NotOneNumber, decimal_number

Value = str | date | Decimal | int


class NotMeant(ValueError):
    """What is wrong with a cell, to be read after it."""


@dataclass(frozen=True, kw_only=True)
class CellType:
    """How a cell, which is text, becomes a value.

    Attributes:
        value: The value of a cell that is not blank, given what parts the file's cells; raises
            NotMeant.
        arrow: How the value is stored.
        key: What values are compared by.
        is_name: A word for a missing value would be taken for a name.
    """

    value: Callable[[str, str], Value]
    arrow: pa.DataType
    key: Callable[[Value], object] = lambda value: value
    is_name: bool = False


ERROR = re.compile(r"#[¡¿]?[A-ZÄÖÜÉ/0-9_]+[!?]|#N/?[ADV]|#{2,}|Err:[0-9]+|#GETTING_DATA")
NOTHING = {
    "null", "(null)", "<null>", "n/a", "#n/a", "na", "<na>", "n.a.", "nan", "nat", "none", "nil",
    "undefined", "\\n", "(blank)", "(leer)", "-", "–", "—", "?", "??", "???",
}  # fmt: skip
"""Words by which programs and people say that a value is missing."""

ADDRESS = re.compile(
    r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\"./]+(\.[^\s@<>()\[\]\\,;:\"./]+)*"
)
MONTHS = "Jan|Feb|Mar|Mär|Mrz|Apr|May|Mai|Jun|Jul|Aug|Sep|Oct|Okt|Nov|Dec|Dez"
FORMULA = re.compile(r'=\s*("[^"]*"|\$?[A-Za-z]{1,3}\$?[0-9]+)')
AS_TEXT = re.compile("['’]([0-9]+)")
AS_NUMBER = re.compile(r"([0-9]+)[.,]0+")
SHORTENED = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+[0-9]+|[0-9]+[.,][0-9]+[eE]-?[0-9]+")
GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+")
AS_DAY = re.compile(rf"({MONTHS})[- ][0-9]{{2}}|[0-9]{{1,2}}(-|\. ?)({MONTHS})")
RESERVED = {"other", "unmapped", "unattributed"}
"""Departments that stand for what no department bears."""
LOADED = {"claude", "langdock"}
"""Assistants that have sources of their own."""
ALWAYS = date(1970, 1, 1)
"""A day up to which `valid_from` says no more than an empty cell."""


# Cells repeat; a workbook's number is not the text that looks like it.
@lru_cache(maxsize=100_000, typed=True)
def meant(type_: CellType, text: str, delimiter: str) -> Value:
    """The value of a cell that is not blank.

    Raises:
        NotMeant: It is a failure of the program that wrote it, or not of the type.
    """
    if ERROR.fullmatch(text):
        raise NotMeant("is an error of a spreadsheet, not a value; correct the cell or clear it")
    if "\ufffd" in text:
        raise NotMeant("has letters that were lost when it was saved in another encoding")
    if type_.is_name and name_key(text) in NOTHING:
        raise NotMeant("is a word for a missing value; clear the cell, or write a name in full")
    return type_.value(text, delimiter)


def _free(text: str, _: str) -> str:
    return str(text)


def _name(text: str, _: str) -> str:
    shown = shown_name(text)
    if FORMULA.fullmatch(shown):
        raise NotMeant("is a formula, not what it finds; save the file as values")
    if right := _wrongly_decoded(shown):
        raise NotMeant(f'is "{right}" in another encoding; save the file as "CSV UTF-8"')
    return shown


def _wrongly_decoded(text: str) -> str | None:
    """What a UTF-8 text was before it was read as Windows-1252."""
    if text.isascii():
        return None
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None


def _code(text: str, delimiter: str) -> str:
    name = _name(text, delimiter)
    if match := AS_TEXT.fullmatch(name):
        raise NotMeant(f'has a spreadsheet\'s mark of text before it; write "{match[1]}"')
    if match := AS_NUMBER.fullmatch(name):
        raise NotMeant(f'was a number to a spreadsheet; write "{match[1]}", in a column of text')
    if SHORTENED.fullmatch(name):
        raise NotMeant("is a number that a spreadsheet cut short; write all its digits, as text")
    if GROUPED.fullmatch(name):
        raise NotMeant(f'was a number to a spreadsheet; write "{name.replace(",", "")}"')
    if readings(without_time(name)) or AS_DAY.fullmatch(name):
        raise NotMeant("is a day that a spreadsheet made of a code; write it in a column of text")
    if not any(map(str.isalnum, name)):
        raise NotMeant("has no letter and no digit")
    return name


def _department(text: str, delimiter: str) -> str:
    name = _code(text, delimiter)
    if name_key(name) in RESERVED:
        raise NotMeant("stands for what belongs to no department; give the department another name")
    return name


def _email(text: str, _: str) -> str:
    address = shown_name(text)
    if not ADDRESS.fullmatch(address) or address.strip("'’") != address:
        raise NotMeant("is not one e-mail address and nothing else")
    return address


def _date(text: str, _: str) -> date:
    day = without_time(text)
    found = set(readings(day).values())
    if YEAR_LAST.fullmatch(day) and "." not in day and not re.search("[0-9]{4}", day):
        raise NotMeant("is not a date written as YYYY-MM-DD; its year has two digits")
    if len(found) != 1:
        raise NotMeant(f"is {day_problem(day)}")
    return found.pop()


def _month(text: str, delimiter: str) -> date:
    if match := re.fullmatch("([0-9]{4})-([0-9]{2})", text):
        return _date(f"{match[1]}-{match[2]}-01", delimiter)
    return _date(text, delimiter).replace(day=1)


def _vendor(text: str, delimiter: str) -> str:
    name = _name(text, delimiter)
    if name_key(name) in LOADED:
        raise NotMeant("is loaded by itself; its lines here would count it twice")
    return name


def _amount(form: str) -> Callable[[str, str], Decimal]:
    def value(text: str, delimiter: str) -> Decimal:
        try:
            return decimal_number(text, delimiter)
        except NotOneNumber as problem:
            raise NotMeant(str(problem) or f"is not {form}") from None

    return value


def _whole_number(text: str, _: str) -> int:
    if not re.fullmatch("-?[0-9]{1,15}", text):
        raise NotMeant("is not a whole number written as 10")
    return int(text)


def _same_name(value: Value) -> object:
    return name_key(str(value))


def _from_when(value: Value) -> object:
    return None if isinstance(value, date) and value <= ALWAYS else value


def _names(value: Callable[[str, str], str]) -> CellType:
    return CellType(value=value, arrow=pa.string(), key=_same_name, is_name=True)


TEXT = CellType(value=_free, arrow=pa.string())
NAME, CODE, DEPARTMENT, EMAIL, VENDOR = map(_names, (_name, _code, _department, _email, _vendor))
DATE = CellType(value=_date, arrow=pa.date32(), key=_from_when)
MONTH = CellType(value=_month, arrow=pa.date32())
USD = CellType(
    value=_amount("an amount of US dollars written as 60.00"), arrow=pa.decimal128(38, 8)
)
PERCENTAGE = CellType(value=_amount("a percentage written as 12.5"), arrow=pa.decimal128(38, 8))
WHOLE_NUMBER = CellType(value=_whole_number, arrow=pa.int64())


def one_of(*choices: str) -> CellType:
    """One of these words, in any spelling."""
    words: Mapping[str, str] = {name_key(choice): choice for choice in choices}

    def value(text: str, _: str) -> str:
        if name_key(text) not in words:
            raise NotMeant(f"is not one of {', '.join(choices[:-1])} or {choices[-1]}")
        return words[name_key(text)]

    return CellType(value=value, arrow=pa.string())
