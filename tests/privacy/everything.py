"""Everything that stands in the files of a folder, as text: to look for people in it."""

import base64
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import duckdb
import pyarrow.parquet as pq

CHUNK = 2000


def texts(folder: Path, left_out: Iterable[Path] = ()) -> Iterator[tuple[str, str]]:
    """Where it stands, and what: the bytes of every file as text, and what they are the form of."""
    out = {path.resolve() for path in left_out}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or any(parent in out for parent in (path.resolve(), *path.parents)):
            continue
        name = str(path.relative_to(folder))
        yield f"name of {name}", name
        yield from of_content(name, path.read_bytes(), path)


def of_content(name: str, content: bytes, path: Path | None = None) -> Iterator[tuple[str, str]]:
    # Not UTF-8 everywhere; letters of one byte are searched faster.
    is_text = b"\0" not in content
    yield name, content.decode("utf-8" if is_text else "latin-1", "replace")
    if content[:2] == b"\x1f\x8b":
        yield from of_content(f"{name} unpacked", gzip.decompress(content))
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            for part in parts.namelist():
                yield from of_content(f"{name}, {part}", parts.read(part))
    elif content[:4] == b"PAR1":
        yield f"{name} read", str(pq.read_table(io.BytesIO(content)).to_pylist())
    elif content[8:12] == b"DUCK" and path:
        yield from of_database(name, path)
    elif content[:16].startswith(b"SQLite format 3"):
        yield f"{name} in UTF-16", content.decode("utf-16-le", "replace")


def of_database(name: str, file: Path) -> Iterator[tuple[str, str]]:
    """Every table as text, comments too; dlt's state unpacked."""
    with duckdb.connect() as connection, TemporaryDirectory() as folder:
        connection.execute(f"set temp_directory = '{folder}'")
        connection.execute(f"attach '{file}' as asked (read_only)")
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'asked'"
        ).fetchall():
            found = connection.execute(f'from asked."{schema}"."{table}"')
            names = [column[0] for column in found.description or ()]
            part = 0
            while rows := found.fetchmany(CHUNK):
                part += 1
                yield f"{name}, {schema}.{table}", "\n".join(map(str, [names, *rows]))
                if table == "_dlt_pipeline_state":
                    for row in rows:
                        with suppress(Exception):
                            state = zlib.decompress(base64.b64decode(row[names.index("state")]))
                            yield f"{name}, state", json.dumps(json.loads(state))
        for (comment,) in connection.execute(
            "select comment from duckdb_columns() where comment is not null"
        ).fetchall():
            yield f"{name}, a comment", comment


def forms(word: str) -> set[str]:
    """How the word may be written."""
    # As they stand among bytes that are no text.
    raw = word.encode().decode("latin-1")
    ascii_json = json.dumps(word)[1:-1]
    return {
        form.casefold()
        for form in (
            word,
            raw,
            raw.lower(),
            ascii_json,
            quote(word),
            "".join(letter if letter.isascii() else f"&#{ord(letter)};" for letter in word),
        )
    }


def hits(folder: Path, words: Iterable[str], left_out: Iterable[Path] = ()) -> dict[str, set[str]]:
    """Word -> where it stands."""
    by_anchor: dict[str, dict[str, str]] = {}
    for word in words:
        for form in forms(word):
            by_anchor.setdefault(anchor(form), {})[form] = word
    found: dict[str, set[str]] = {}
    for where, text in texts(folder, left_out):
        folded = text.casefold()
        for part, looked_for in by_anchor.items():
            if part in folded:
                for form, word in looked_for.items():
                    if form in folded:
                        found.setdefault(word, set()).add(where)
    return found


def anchor(form: str) -> str:
    """A part that many forms share, so that a long text is not searched for each of them."""
    if form.startswith("user_"):
        return "user_"
    at = max(form.find("@"), form.find("%40"))
    return form[at:] if at > 0 else form
