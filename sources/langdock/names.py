"""What the name of an export's file says of its period."""

import re
from calendar import monthrange
from datetime import date
from pathlib import PurePosixPath

DAY = re.compile(r"(?<!\d)(20\d\d)([-_.]?)(\d\d)\2(\d\d)(?!\d)")
MONTH = re.compile(r"(?<!\d)(20\d\d)[-_.](\d\d)(?![-_.]?\d)")
WORDS = re.compile(r"([a-zä]+)[-_. ]*(20\d\d)(?!\d)|(?<!\d)(20\d\d)[-_. ]*([a-zä]+)")
MONTHS = {
    name: number
    for number, names in enumerate(
        [
            ("january", "januar", "jan"), ("february", "februar", "feb"),
            ("march", "märz", "maerz", "mar"), ("april", "apr"), ("may", "mai"),
            ("june", "juni", "jun"), ("july", "juli", "jul"), ("august", "aug"),
            ("september", "sep", "sept"), ("october", "oktober", "oct", "okt"),
            ("november", "nov"), ("december", "dezember", "dec", "dez"),
        ],
        start=1,
    )
    for name in names
}  # fmt: skip


def period_of_name(name: str) -> tuple[date, date] | None:
    """The first and the last day, where a file is named for two days or for one month.

    One day alone is as likely the one of the export, and tells nothing.
    """
    stem = PurePosixPath(name).stem.lower()
    try:
        days = [date(int(year), int(month), int(day)) for year, _, month, day in DAY.findall(stem)]
        if days:
            return (days[0], days[1]) if len(days) == 2 and days[0] <= days[1] else None
        months = [(int(year), int(month)) for year, month in MONTH.findall(stem)]
        months += [
            (int(before or after), MONTHS[word or other])
            for word, before, after, other in WORDS.findall(stem)
            if (word or other) in MONTHS
        ]
        if len(months) != 1:
            return None
        year, month = months[0]
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    except ValueError:
        return None
