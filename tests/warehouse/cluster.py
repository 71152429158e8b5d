"""A server of PostgreSQL that the tests start on this machine, and stop."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

try:
    import psycopg2
except ModuleNotFoundError:
    psycopg2 = None

ADMIN, LOADER, READER = "warden", "loader", "reader"
"""Who made the server, who loads and may not make databases, and who reads the marts."""
PACKAGED = Path("/usr/lib/postgresql")
"""Where Debian's packages have a folder for each version."""
OWNER = "postgres"
"""Whom Debian's package makes; a server refuses to run as root."""
LOCALE = ("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=de-DE")
"""Another one than C: words are sorted as in a dictionary, capitals among small letters."""
ZONE = "Europe/Berlin"


def binaries() -> Path:
    """Where the programs of a server are; a test that wants one is skipped where they are not."""
    found = sorted(
        PACKAGED.glob("*/bin/initdb"), key=lambda file: int(file.parts[-3].split(".")[0])
    )
    on_path = shutil.which("initdb")
    if psycopg2 is None:
        pytest.skip('the extra is not installed: pip install -e ".[postgres]"')
    if not found and not on_path:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return (found[-1] if found else Path(str(on_path))).parent


class Cluster:
    """A running server."""

    def __init__(self, port: int, password: str, programs: Path, data: Path) -> None:
        self.port, self.password, self._programs, self._data = port, password, programs, data
        self._numbers = count()

    def connect(self, database: str = "postgres", user: str = ADMIN, password: str = "") -> Any:
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            dbname=database,
            user=user,
            password=password or self.password,
        )
        connection.autocommit = True
        return connection

    def run(self, sql: str, database: str = "postgres", user: str = ADMIN) -> list[Any]:
        with closing(self.connect(database, user)) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def database(self) -> str:
        """A new one, in which the loader may make schemas."""
        name = f"night_{os.getpid()}_{next(self._numbers)}"
        self.run(f"create database {name}")
        self.run(f"revoke all on database {name} from public")
        self.run(f"grant connect on database {name} to {READER}")
        self.run(f"grant connect, create, temporary on database {name} to {LOADER}")
        return name

    def settings(self, database: str) -> dict[str, str]:
        """What a run is told of it, as variables."""
        return {
            "PIPELINE__DESTINATION": "postgres",
            "POSTGRES__HOST": "127.0.0.1",
            "POSTGRES__PORT": str(self.port),
            "POSTGRES__DATABASE": database,
            "POSTGRES__USERNAME": LOADER,
            "POSTGRES__PASSWORD": self.password,
        }

    def control(self, *words: str) -> None:
        """Start or stop it, as pg_ctl does."""
        _run([str(self._programs / "pg_ctl"), "-D", str(self._data), "-w", *words])

    def start(self) -> None:
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories= "
            f"-c timezone={ZONE} -c fsync=off -c full_page_writes=off -c max_connections=50"
        )
        self.control("-l", str(self._data / "log"), "-o", options, "start")

    def stop(self) -> None:
        self.control("-m", "immediate", "stop")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A server on a free port of this machine alone; nothing of it remains."""
    programs = binaries()
    folder = Path(tempfile.mkdtemp(prefix="cluster"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER)
        data, password = folder / "data", secrets.token_hex(12)
        secret = folder / "password"
        secret.write_text(password)
        _run(
            [
                *(str(programs / "initdb"), "-D", str(data), "-U", ADMIN, "-E", "UTF8", *LOCALE),
                *("-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync"),
            ]
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        running = Cluster(port, password, programs, data)
        running.start()
        try:
            for role in (LOADER, READER):
                running.run(f"create role {role} login nocreatedb password '{password}'")
            yield running
        finally:
            with suppress(subprocess.CalledProcessError):  # A test may have stopped it.
                running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: Sequence[str]) -> None:
    subprocess.run(
        command,
        check=True,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=OWNER if os.geteuid() == 0 else None,
        group=OWNER if os.geteuid() == 0 else None,
    )
