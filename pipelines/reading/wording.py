"""Numbers, days and changes as people write them."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

Number = int | float | Decimal


class Unit(Enum):
    """What a number counts; it decides how the number is written."""

    COUNT = "count"
    RATE = "rate"
    USD = "usd"
    RATIO = "ratio"


UNKNOWN = "unknown"
SCALES = ((1_000_000_000, "B"), (1_000_000, "M"))


def number(value: Number | None, unit: Unit = Unit.COUNT, *, short: bool = False) -> str:
    """`12,345`, `92%`, `$1,234.50`; `short` writes millions as `1.2M`. Null is `unknown`."""
    if value is None:
        return UNKNOWN
    if unit is Unit.RATE:
        percent = _rounded(Decimal(str(value)) * 100, 0)
        return f"{'−' if percent < 0 else ''}{abs(percent):,}%"
    sign = "−" if value < 0 else ""
    size = abs(Decimal(str(value)))
    prefix = "$" if unit is Unit.USD else ""
    if short:
        for least, letter in SCALES:
            if size >= least:
                return f"{sign}{prefix}{_rounded(size / least, 1):,}{letter}"
    is_whole = size >= 100 or size == int(size)
    places = {Unit.USD: 0 if short and is_whole else 2, Unit.RATIO: 2}.get(unit, 0)
    return f"{sign}{prefix}{_rounded(size, places):,}"


def exact_usd(value: Decimal) -> str:
    """Dollars and cents, and every further digit that is not 0."""
    digits = max(2, -int(value.normalize().as_tuple().exponent))
    return f"{'−' if value < 0 else ''}${abs(value):,.{digits}f}"


def change(
    value: Number | None, before: Number | None, unit: Unit, than: str, *, short: bool = True
) -> str | None:
    """`3 more than the week before`; None if one of them is not known."""
    if value is None or before is None:
        return None
    difference = Decimal(str(value)) - Decimal(str(before))
    if unit is Unit.RATE:
        points = _rounded(abs(difference) * 100, 1)
        points = points.quantize(Decimal(1)) if points == int(points) else points
        size, is_same = f"{points} {'point' if points == 1 else 'points'}", points == 0
    else:
        size = number(abs(difference), unit, short=short)
        is_same = size in {number(0, unit), number(0, unit, short=short)}
        percent = _rounded(abs(difference / Decimal(str(before))) * 100, 0) if before > 0 else 0
        if percent and not is_same:
            size += f" ({percent:,}%)"
    if is_same:
        return f"the same as {than}"
    return f"{size} {'more' if difference > 0 else 'less'} than {than}"


def arrow(value: Number | None, before: Number | None) -> str:
    """▲ or ▼ where the number moved."""
    if value is None or before is None or value == before:
        return ""
    return "▲" if value > before else "▼"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 seat`, `2 seats`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def day(value: date) -> str:
    """`12 June 2026`."""
    return f"{value.day} {value:%B %Y}"


def short_day(value: date) -> str:
    """`12 Jun`."""
    return f"{value.day} {value:%b}"


def weekday(value: date) -> str:
    """`Fri 12 Jun 2026`."""
    return f"{value:%a} {value.day} {value:%b %Y}"


def month(value: date) -> str:
    """`June 2026`."""
    return f"{value:%B %Y}"


def ranges(days: Iterable[date]) -> str:
    """Days as `2026-06-01 to 2026-06-03, 2026-06-05`."""
    found: list[list[date]] = []
    for each in days:
        if found and each - found[-1][1] == timedelta(days=1):
            found[-1][1] = each
        else:
            found.append([each, each])
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in found)


def listed(texts: Sequence[str], *, most: int = 3) -> str:
    """`a, b and c`, or `a, b, c and 4 more`."""
    shown, rest = list(texts[:most]), len(texts) - most
    if rest > 0:
        shown.append(f"{number(rest)} more")
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def label(name: str) -> str:
    """A column's or product's name as a reader would say it."""
    text = KNOWN.get(name) or name.replace("_", " ")
    return text[:1].upper() + text[1:]


KNOWN = {
    "chat": "Chat",
    "claude_code": "Claude Code",
    "cowork": "Cowork",
    "office_agent": "Office",
    "claude_design": "Design",
    "science": "Science",
    "claude_tag": "Claude in Slack",
    "chat_cowork_unified": "Unified chat and Cowork",
    "cc_security_autopatch": "Claude Code security patches",
    "claude_in_chrome": "Claude in Chrome",
    "messages_api": "Messages API",
    "chat_projects": "Chat projects",
    "dormant": "Not used in a while",
    "never_active": "Never used",
    "unknown": "Not known yet",
    "new": "New, not used yet",
    "seats": "Seat fees",
    "metered": "Metered usage",
    "shared": "Shared spend",
    "unexplained": "Unexplained",
}


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
