"""Days as people and spreadsheets write them."""

import re
from collections.abc import Iterable
from datetime import date
from enum import Enum

YEARS = range(1900, 2200)
"""Of days that are meant: 0001-01-01 and 9999-12-31 stand for no day at all."""
SHORT_YEARS = range(2020, 2050)
"""What a year of two digits is certain to mean."""

YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})")
YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
TIME = re.compile(r"[T ]([0-9]{1,2}:[0-9].*)")
MIDNIGHT = re.compile(r"0?0:00(:00([.,]0+)?)?( ?(Z|\+00:?00|UTC))?")
SERIAL = re.compile(r"[0-9]{5}([.,][0-9]+)?")


class Order(Enum):
    """In which order a day's numbers stand."""

    YEAR_MONTH_DAY = "year, month, day"
    DAY_MONTH_YEAR = "day, month, year"
    MONTH_DAY_YEAR = "month, day, year"


def readings(text: str) -> dict[Order, date]:
    """Every day that the text, without a time, can mean.

    Points stand between day, month and year in this order everywhere; slashes and hyphens do not.
    """
    if match := YEAR_FIRST.fullmatch(text):
        year, _, month, day = match.groups()
        return _days({Order.YEAR_MONTH_DAY: (year, month, day)})
    if match := YEAR_LAST.fullmatch(text):
        first, mark, second, last = match.groups()
        found = {Order.DAY_MONTH_YEAR: (last, second, first)}
        if mark != ".":
            found[Order.MONTH_DAY_YEAR] = (last, first, second)
            if len(last) == 2:
                found[Order.YEAR_MONTH_DAY] = (first, second, last)
        return _days(found)
    return {}


def without_time(text: str, *, any_time: bool = False) -> str:
    """The day's part of a moment at midnight, or of any moment."""
    match = TIME.search(text)
    if match and (any_time or MIDNIGHT.fullmatch(match[1])):
        return text[: match.start()]
    return text


def common_order(texts: Iterable[str]) -> Order | None:
    """The one order in which all of the texts are days, if there is only one: a program wrote all
    of them alike."""
    orders = set(Order)
    for text in texts:
        found = readings(text)
        if found and YEAR_LAST.fullmatch(text):
            orders &= set(found)
    return orders.pop() if len(orders) == 1 else None


def day_problem(text: str) -> str:
    """Why the text is not one day, to be read after "it is"."""
    days = sorted(set(readings(text).values()))
    if len(days) > 1:
        several = " or ".join(map(str, days))
        return f"not a date that means one day: {several}; write it as YYYY-MM-DD"
    if SERIAL.fullmatch(text):
        return "a spreadsheet's number of a day; format the column as a date, YYYY-MM-DD"
    match = YEAR_FIRST.fullmatch(text)
    if match and int(match[1]) not in YEARS:
        return f"not a day that is meant: its year is {int(match[1])}; leave the cell empty"
    return "not a date written as YYYY-MM-DD"


def _days(found: dict[Order, tuple[str, str, str]]) -> dict[Order, date]:
    days = {}
    for order, (year, month, day) in found.items():
        number = int(year) + (2000 if len(year) == 2 else 0)
        if number in (SHORT_YEARS if len(year) == 2 else YEARS):
            try:
                days[order] = date(number, int(month), int(day))
            except ValueError:
                continue
    return days
