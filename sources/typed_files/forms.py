"""Which form a file has, by its content and, for files of a folder, by its name."""

import zipfile
from io import BytesIO
from pathlib import PurePosixPath

AS_CSV = "open it, and save it as CSV UTF-8 or as .xlsx"
ARCHIVE = "an archive; take the files out of it"
OTHER_PROGRAM = {
    ".json": "JSON; export it as CSV",
    ".jsonl": "JSON; export it as CSV",
    ".ndjson": "JSON; export it as CSV",
    ".xls": f"an Excel workbook of before 2007; {AS_CSV}",
    ".xlsb": f"a binary Excel workbook; {AS_CSV}",
    ".xlt": f"an Excel template; {AS_CSV}",
    ".xltx": f"an Excel template; {AS_CSV}",
    ".ods": f"a LibreOffice spreadsheet; {AS_CSV}",
    ".fods": f"a LibreOffice spreadsheet; {AS_CSV}",
    ".numbers": f"a Numbers spreadsheet; {AS_CSV}",
    ".gsheet": f"a link to a Google sheet; {AS_CSV}",
    ".parquet": "Parquet; export it as CSV",
    ".html": f"a web page; {AS_CSV}",
    ".htm": f"a web page; {AS_CSV}",
    ".xml": f"XML; {AS_CSV}",
    **dict.fromkeys((".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar"), ARCHIVE),
}
"""Extension -> what such a file is, and what to do, where it could hold what we read."""

TABLES = (".csv", ".tsv", ".tab", ".xlsx", ".xlsm")
PERHAPS_TABLES = (".txt",)
LEFTOVERS = ("~", ".bak", ".tmp", ".temp", ".part", ".crdownload", ".download", ".swp", ".lock")

MAGIC = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook of before 2007, or one with a password; "
    "take the password away and save it as CSV UTF-8 or as .xlsx",
    b"\x1f\x8b": ARCHIVE,
    b"BZh": ARCHIVE,
    b"7z\xbc\xaf": ARCHIVE,
    b"Rar!": ARCHIVE,
    b"%PDF": "a PDF; export it as CSV",
    b"PAR1": "Parquet; export it as CSV",
    b"\x89PNG": "a picture; export it as CSV",
    b"\xff\xd8\xff": "a picture; export it as CSV",
    b"<": f"a web page or XML; {AS_CSV}",
    b"{": "JSON; export it as CSV",
    b"[{": "JSON; export it as CSV",
    b"[\n": "JSON; export it as CSV",
}
"""How a content begins -> what it is."""

INSIDE = {
    "xl/workbook.bin": OTHER_PROGRAM[".xlsb"],
    "content.xml": OTHER_PROGRAM[".ods"],
    "Index/Document.iwa": OTHER_PROGRAM[".numbers"],
    "Index.zip": OTHER_PROGRAM[".numbers"],
}


def is_hidden(path: str) -> bool:
    """A hidden file, what an editor leaves beside the file that it has open, half a download."""
    pieces = PurePosixPath(path).parts
    return any(piece.startswith(".") and piece not in (".", "..") for piece in pieces) or (
        pieces[-1].startswith(("~", "#")) or pieces[-1].lower().endswith(LEFTOVERS)
    )


def unread_form(content: bytes) -> str | None:
    """What a content is that is neither text nor a workbook of ours; None for one of these."""
    if content.startswith(b"PK\x03\x04"):
        return _archive_form(content)
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    return next((form for magic, form in MAGIC.items() if start.startswith(magic)), None)


def is_workbook(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04")


def _archive_form(content: bytes) -> str | None:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError):
        return f"a damaged archive or workbook; {AS_CSV} again"
    if "xl/workbook.xml" in names:
        return None
    return next((form for name, form in INSIDE.items() if name in names), ARCHIVE)
