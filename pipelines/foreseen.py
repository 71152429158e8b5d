"""What any library raises, as three lines: what happened to which file or address, what to do."""

import errno
import os
import re
import shutil
import ssl
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pipelines.redacted import redacted
from sources.errors import ForeseenError

Text = Callable[[str, str], str]

SAFE = "What was committed before is safe; the unfinished part is fetched again."

CAUSES: dict[str, Text] = {
    "full": lambda where, _: (
        f"The disk is full{_at(where)}.\n"
        f"{SAFE}\n"
        "Free some space, or name another folder with --data-dir, then run this again."
    ),
    "too large": lambda where, _: (
        f"A file may not become any larger{_at(where)}.\n"
        f"There is a limit to the size of files: the user's (ulimit -f), or the disk's. {SAFE}\n"
        "Raise it, or name a folder on another disk with --data-dir, then run this again."
    ),
    "read only": lambda where, _: (
        f"The disk cannot be written to{_at(where)}: it is mounted read-only.\n"
        f"{SAFE}\n"
        "Mount it for writing, or name another folder with --data-dir, then run this again."
    ),
    "no permission": lambda where, _: (
        f"Access is refused{_at(where)}.\n"
        "The user who runs this may not read or write there; another user may have made it.\n"
        "Give this user the file and its folder (chown, chmod), then run this again."
    ),
    "too many files": lambda where, _: (
        "This process may not open as many files as it needs"
        f"{_at(where)}.\n"
        f"{SAFE}\n"
        "Raise the limit, for example with: ulimit -n 4096; then run this again."
    ),
    "broken disk": lambda where, what: (
        f"The disk failed{_at(where)}: {what}.\n"
        "A file may be damaged, or a network disk is gone.\n"
        "Check the disk (dmesg, smartctl), then see what is whole with: claude-warehouse doctor"
    ),
    "a folder": lambda where, _: (
        f"A folder stands where a file should be{_at(where)}.\n"
        "Nothing was written there.\n"
        "Move the folder away or name another file, then run this again."
    ),
    "no folder": lambda where, _: (
        f"A file stands where a folder should be{_at(where)}.\n"
        "Nothing was written there.\n"
        "Move the file away or name another folder, then run this again."
    ),
    "missing": lambda where, _: (
        f"A file is not there{_at(where)}.\n"
        "It was moved or removed, perhaps while this ran.\n"
        "Put it back or correct its path, then run this again."
    ),
    "bad name": lambda where, what: (
        f"A path cannot be used{_at(where)}: {what}.\n"
        "The disk does not take such a name.\n"
        "Choose a shorter or simpler one, then run this again."
    ),
    "circle": lambda where, _: (
        f"Links lead in a circle{_at(where)}.\n"
        "Nothing can be read or written there.\n"
        "Remove the link or correct it, then run this again."
    ),
    "not installed": lambda _, what: (
        f"A part of the installation is missing or damaged: {what}.\n"
        "Nothing was changed by it.\n"
        "Install it again with the extras that are used, for example: "
        'pip install --force-reinstall "claude-warehouse[sandbox]"'
    ),
    "memory": lambda *_: (
        "There is too little memory.\n"
        f"{SAFE}\n"
        "Close other programs or give this machine or container more, then run this again."
    ),
    "held open": lambda where, what: (
        f"Another program has the database open{_at(where)}.\n"
        f"{_holder(what)}\n"
        f"Close that program{_way_to_read(where)}, then run this again."
    ),
    "damaged": lambda where, what: f"The database is damaged{_at(where)}.\n{what}\n{_cure(where)}",
    "no database": lambda where, _: (
        f"This is not a database of DuckDB{_at(where)}.\n"
        "It is empty, or another kind of file.\n"
        f"{_cure(where)}"
    ),
    "too new": lambda where, _: (
        f"The database was written by a newer DuckDB than this one{_at(where)}.\n"
        "A newer program wrote it, and this one cannot read it.\n"
        "Install the newest claude-warehouse, or restore the file as it was before."
    ),
    "foreign": lambda where, what: (
        f"The database lacks tables that a run makes{_at(where)}.\n"
        f"{what}\n"
        "If another program made the file, move it away; else run: claude-warehouse transform"
    ),
    "sqlite": lambda where, what: (
        f"A small file of the data folder cannot be used{_at(where)}: {what}.\n"
        "It holds the last minute's requests (rate_budget….sqlite), nothing else.\n"
        "Remove the files rate_budget*.sqlite of the data folder, then run this again."
    ),
    "login": lambda _, what: (
        f"The database server does not let this user in: {what}.\n"
        "Nothing was done there.\n"
        "Correct [postgres] username, password and database (POSTGRES__USERNAME and so on), then "
        "see: claude-warehouse doctor"
    ),
    "no grant": lambda _, what: (
        f"The database server refuses it to this user: {what}.\n"
        "What readers have is as it was.\n"
        "Let the owner grant what docs/warehouses.md lists, then see: claude-warehouse doctor"
    ),
    "server away": lambda _, what: (
        f"The connection to the database server failed: {what}.\n"
        f"{SAFE} Readers keep what they have.\n"
        "See that the server runs and can be reached ([postgres] host and port), then run this "
        "again."
    ),
    "server full": lambda _, what: (
        f"The database server has no room left: {what}.\n"
        f"{SAFE} Readers keep what they have.\n"
        "Make room there, then run this again."
    ),
    "server busy": lambda _, what: (
        f"The database server did not do it in time: {what}.\n"
        f"{SAFE} Readers keep what they have.\n"
        "Somebody may change a table there, or the server's limit is short; run this again."
    ),
    "certificate": lambda _, what: (
        f"The server's certificate is not trusted: {what}.\n"
        "A proxy may stand in between, or this machine does not know who signed it.\n"
        "Name the file of the right certificates in SSL_CERT_FILE, then run this again."
    ),
    "network": lambda where, what: (
        f"The connection failed{_at(where)}: {what}.\n"
        f"{SAFE}\n"
        "Check network and proxy settings (HTTPS_PROXY, NO_PROXY), then run this again."
    ),
    "not UTF-8": lambda where, what: (
        f"A text is not UTF-8{_at(where)}: {what}.\n"
        "A file was saved in another encoding, or is damaged.\n"
        "Save it as UTF-8, then run this again."
    ),
    "other type": lambda _, what: (
        f"A column of the warehouse has another type than what came for it: {what}.\n"
        "Nothing of it was stored: the warehouse would have rounded it or cut something off.\n"
        "Install the release that loaded this folder, or a newer one; please report this."
    ),
    "pending": lambda where, what: (
        f"What dlt keeps between runs is damaged{_at(where)}: {what}.\n"
        "It only holds work that was under way; everything stored is in the warehouse.\n"
        "Move the folder dlt in the data folder away, then run this again."
    ),
}
"""Messages by cause; where it happened and what the library said go into them."""

ERRNOS = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EFBIG: "too large",
    errno.EROFS: "read only",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EMFILE: "too many files",
    errno.ENFILE: "too many files",
    errno.EIO: "broken disk",
    errno.ESTALE: "broken disk",
    errno.ENXIO: "broken disk",
    errno.EISDIR: "a folder",
    errno.ENOTDIR: "no folder",
    errno.EEXIST: "no folder",
    errno.ENOENT: "missing",
    errno.ENAMETOOLONG: "bad name",
    errno.ELOOP: "circle",
    errno.EINVAL: "bad name",
    errno.EILSEQ: "bad name",
    errno.ENOMEM: "memory",
    errno.ECONNREFUSED: "network",
    errno.ECONNRESET: "network",
    errno.EPIPE: "network",
    errno.ETIMEDOUT: "network",
    errno.EHOSTUNREACH: "network",
    errno.ENETUNREACH: "network",
}

TEXTS = {
    "login": r"password authentication failed|no password supplied|no pg_hba\.conf entry"
    r"|(role|database) \"[^\"]*\" does not exist|not permitted to log in"
    r"|permission denied for database",
    "no grant": r"permission denied for (schema|table|view|relation|function|language|type)"
    r"|must be owner of|cannot execute .* in a read-only transaction",
    "server full": r"could not extend file|could not write to file .*: no space left",
    "server busy": r"canceling statement due to|too many connections|too many clients"
    r"|remaining connection slots|deadlock detected",
    "server away": r"server closed the connection|terminating connection|connection to server"
    r"|could not translate host name|ssl connection has been closed|connection already closed"
    r"|connection not open|could not receive data from server|could not send data to server"
    r"|the database system is (starting up|shutting down|in recovery)|connection timeout expired"
    r"|server does not support ssl|cursor already closed",
    "full": r"no space left on device|disk quota exceeded|out of disk space"
    r"|database or disk is full",
    "too large": r"file too large",
    "read only": r"read-only file system|attempt to write a readonly database",
    "too many files": r"too many open files",
    "held open": r"could not set lock|conflicting lock|unique file handle conflict"
    r"|being used by another process|database is locked",
    "too new": r"storage version|database file with version number|newer version of duckdb",
    "no database": r"not a valid duckdb database file|file is not a database",
    "damaged": r"corrupt|checksum|could not read enough bytes|failed to deserialize"
    r"|database has been invalidated|metadata pointer|malformed|failure while replaying wal",
    "no permission": r"permission denied|operation not permitted",
    "a folder": r"is a directory",
    "no folder": r"not a directory",
    "broken disk": r"input/output error|disk i/o error|stale file handle",
    "memory": r"out of memory|cannot allocate memory|could not allocate|bad_alloc"
    r"|failed to allocate|unable to allocate",
    "missing": r"no such file or directory|database does not exist",
    "certificate": r"certificate verify failed|certificate_verify_failed",
}
"""What libraries write that do not keep the system's own number of an error."""

KINDS = {
    "MemoryError": "memory",
    "ImportError": "not installed",
    "duckdb.OutOfMemoryException": "memory",
    "duckdb.SerializationException": "damaged",
    "duckdb.FatalException": "damaged",
    "duckdb.InternalException": "damaged",
    "duckdb.CatalogException": "foreign",
    "duckdb.BinderException": "foreign",
    "duckdb.ResourceInUseException": "held open",
    "duckdb.ConnectionException": "held open",
    "sqlite3.Error": "sqlite",
    "psycopg2.OperationalError": "server away",
    "psycopg2.InterfaceError": "server away",
    "psycopg2.UndefinedTable": "foreign",
    "psycopg2.UndefinedColumn": "foreign",
    "ssl.SSLError": "network",
    "httpx.HTTPError": "network",
    "httpx.InvalidURL": "network",
    "requests.RequestException": "network",
    "UnicodeError": "not UTF-8",
    "dlt.DataValidationError": "other type",
    "dlt.StorageException": "pending",
    "dlt.SchemaException": "pending",
    "dlt.CannotRestorePipelineException": "pending",
    "dlt.PipelineStateEngineNoUpgradePathException": "pending",
    "dlt.PipelineConfigMissing": "pending",
    "dlt.DatabaseUndefinedRelation": "foreign",
}
"""Kinds of errors by the library and the name of their class, so that none is imported for this."""

OF_OTHER_FILES = {
    *("not UTF-8", "not installed", "certificate", "network", "memory"),
    *("login", "no grant", "server away", "server full", "server busy"),
}
"""Causes that lie elsewhere than in the file that was worked on."""

NEARLY_FULL_BYTES = 16 * 2**20

HOLDER = re.compile(r"lock is held in (.+) \(PID (\d+)\)")

HEADINGS = re.compile(r"\w+ Error( in \w+ \w+ \(.*\))?$|Pipeline execution failed|<class ")
"""Lines with which dbt and dlt begin, before they say what happened."""

PATH = re.compile(r"""["'](/[^"'\n]+)["']|\bfile (/\S+)""")


def foreseen(
    error: BaseException, folder: Path | None = None, *, file: Path | None = None
) -> ForeseenError:
    """The error as a message; what nobody foresaw is told by its kind, its trace in a file.

    `file` is the one that was worked on, which not every library names.
    """
    told = explained(error, file=file, folder=folder)
    return told or ForeseenError(_unforeseen(error, folder))


def explained(
    error: BaseException, *, file: Path | None = None, folder: Path | None = None
) -> ForeseenError | None:
    """The error as a message if its cause is known."""
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, ForeseenError):
            return each
    for cause_of in (_by_number, _by_text, _by_kind):
        for each in reversed(chain):
            cause = cause_of(each)
            if cause:
                where = _where(each) or str(file if file and cause not in OF_OTHER_FILES else "")
                if cause == "full" and not where:
                    where = _full_folder(folder)
                return ForeseenError(CAUSES[cause](where, redacted(_said(each))))
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, the first cause last."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        each = todo.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = [getattr(each, name, None) for name in ("exception", "client_exception")]
        inner += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            inner += each.exceptions
        todo += [cause for cause in inner if isinstance(cause, BaseException)]


def _full_folder(folder: Path | None) -> str:
    """Which disk it is, where the library does not say: the data folder's or the temporary one."""
    for each in (folder, Path(tempfile.gettempdir())):
        with suppress(OSError):
            if each and shutil.disk_usage(each).free < NEARLY_FULL_BYTES:
                return str(each)
    return ""


def _by_number(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    return ERRNOS.get(error.errno or 0) if isinstance(error, OSError) else None


def _by_text(error: BaseException) -> str | None:
    text = str(error).lower()
    return next((cause for cause, pattern in TEXTS.items() if re.search(pattern, text)), None)


def _by_kind(error: BaseException) -> str | None:
    for kind in type(error).__mro__:
        library = kind.__module__.split(".")[0].lstrip("_")
        name = kind.__name__ if library == "builtins" else f"{library}.{kind.__name__}"
        if name in KINDS:
            return KINDS[name]
    return None


def _where(error: BaseException) -> str:
    names = [getattr(error, name, None) for name in ("filename", "filename2")]
    named = [os.fsdecode(name) for name in names if isinstance(name, str | bytes | Path)]
    found = PATH.search(str(error))
    if isinstance(error, IsADirectoryError):
        named.reverse()  # It was to be replaced by the other.
    where = named[0] if named else next(filter(None, found.groups()), "") if found else ""
    return _file_among(where) if isinstance(error, NotADirectoryError) else where


def _file_among(path: str) -> str:
    """The part of the path that is a file, where a folder was looked for."""
    return next((str(each) for each in Path(path).parents if each.is_file()), path)


def _holder(said: str) -> str:
    """Which program, without the engine's own advice."""
    held = HOLDER.search(said)
    return f"It is {held[1]}, process {held[2]}." if held else said


def _way_to_read(where: str) -> str:
    if where.endswith("serving.duckdb"):
        return ", or let it open the file read-only"
    return " (readers open serving.duckdb, never warehouse.duckdb)"


def _cure(where: str) -> str:
    """How a broken database comes back; which file it is, is not always known."""
    of_readers = "run: claude-warehouse publish"
    of_runs = "restore it from a backup; claude-warehouse doctor reads every block of it"
    match where.rpartition("/")[2]:
        case "serving.duckdb":
            return f"To make it anew, {of_readers}"
        case "warehouse.duckdb":
            return f"{of_runs[0].upper()}{of_runs[1:]}."
    return f"If it is serving.duckdb, {of_readers}. If it is warehouse.duckdb, {of_runs}."


def _at(where: str) -> str:
    return f" ({where})" if where else ""


def _said(error: BaseException) -> str:
    """The library's own words, its first line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not HEADINGS.match(line)]
    return lines[0].rstrip(".")[:300] if lines else type(error).__name__


def _unforeseen(error: BaseException, folder: Path | None) -> str:
    kind = type(error).__name__
    file = write_trace(error, folder) or write_trace(error, _temporary())
    told = (
        f"Its trace is in {file}; it holds no keys and no data."
        if file
        else "Its trace could not be written: neither the data folder nor the temporary one takes "
        "a file."
    )
    return (
        f"This ended with an error that nobody foresaw ({kind}).\n"
        f"{told}\n"
        "Nothing that was committed is lost. Run it again; if it stays, please report it with that "
        "file."
    )


def _temporary() -> Path | None:
    """A folder for the trace, where the data folder does not exist yet or takes no file."""
    try:
        return Path(tempfile.mkdtemp(prefix="claude-warehouse-"))
    except OSError:
        return None


def write_trace(error: BaseException, folder: Path | None) -> Path | None:
    """The file in the data folder that the trace was added to, without any value of a variable."""
    if folder is None or not folder.is_dir():
        return None
    file = folder / "errors.log"
    lines = traceback.TracebackException.from_exception(error, capture_locals=False).format()
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{moment}\n{redacted(''.join(lines))}\n")
    except OSError:
        return None
    return file
