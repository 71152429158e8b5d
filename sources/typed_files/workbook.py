"""The cells of an Excel workbook's sheets, as text, as they are seen."""

import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from typing import Any

from sources.typed_files.numbers import Number

MOST_BYTES = 500_000_000
"""Of a workbook that is unpacked."""
UNSAVED_RESULT = re.compile(
    rb'<(?:\w+:)?c r="([A-Z]+[0-9]+)"[^>]*>\s*<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)'
    rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
MERGED = re.compile(rb'<(?:\w+:)?mergeCell ref="([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"')
ZEROS = re.compile(r"0+")


class Unreadable(Exception):
    """Why a workbook cannot be read, and what to do."""


class Sheet:
    """A visible sheet: its rows as text, and what makes them doubtful."""

    def __init__(self, name: str, rows: list[list[str]], xml: bytes) -> None:
        self.name = name
        self.rows = rows
        self._xml = xml

    def problems(self, header: int) -> list[tuple[int, str]]:
        """Rows, counted from 1, from the header on, that do not say what they show."""
        found = []
        for match in UNSAVED_RESULT.finditer(self._xml):
            cell = match[1].decode()
            text = f"cell {cell}: the result of its formula was not saved; open the file, save it"
            found.append((int(re.sub(r"\D", "", cell)), text))
        for match in MERGED.finditer(self._xml):
            first, top, last, bottom = (part.decode() for part in match.groups())
            if int(bottom) > header or first != last:
                text = f"cells {first}{top} to {last}{bottom} are merged; unmerge them"
                found.append((int(top), text))
        return [(row, text) for row, text in found if row >= header]


def sheets(content: bytes) -> list[Sheet]:
    """The visible sheets that have cells.

    Raises:
        Unreadable: It is damaged, has a password, or unpacks to more than fits.
    """
    import openpyxl

    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > MOST_BYTES:
                raise Unreadable(
                    f"it unpacks to {size / 1e6:,.0f} MB; save only the sheet that is meant"
                )
            with warnings.catch_warnings():
                # Of parts of a workbook that have no cells, such as drop-down lists.
                warnings.simplefilter("ignore")
                book = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=True)
                found = [
                    Sheet(sheet.title, list(_rows(sheet)), archive.read(sheet._worksheet_path))
                    for sheet in book.worksheets
                    if sheet.sheet_state == "visible"
                ]
                book.close()
    except Unreadable:
        raise
    except Exception as error:  # openpyxl lets through whatever its parts raise.
        raise Unreadable(
            "the workbook is damaged, or its file was not copied to its end; save it again"
        ) from error
    return [sheet for sheet in found if any(any(row) for row in sheet.rows)]


def _rows(sheet: Any) -> Iterator[list[str]]:
    # What the file says of its size is often wrong; a gap is a row of no cells.
    sheet.reset_dimensions()
    for row in sheet.iter_rows():
        yield [_text(cell) for cell in row]


def _text(cell: Any) -> str:
    value = cell.value
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case int() | float():
            return _number(value, cell.number_format or "General")
        case datetime():
            return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M:%S}"
        case date():
            return f"{value:%Y-%m-%d}"
    return str(value)


def _number(value: float, form: str) -> str:
    """A number as it is seen: 420 in the form 00000 is 00420. A workbook keeps 15 digits of it."""
    if "%" in form:
        return f"{value * 100:.13g}%"
    if ZEROS.fullmatch(form) and value == int(value) and value >= 0:
        return f"{int(value):0{len(form)}d}"
    if abs(value) < 1e15:
        return Number(f"{Decimal(f'{value:.15g}'):f}")
    return f"{value:.15g}"
