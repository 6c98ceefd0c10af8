"""A PostgreSQL server of the tests' own: on a socket in a temporary folder, and gone with them."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

PASSWORD = "p@ss/wörd"  # noqa: S105 - of a server that ends with the tests
ROLE = "medcxr_tests"
_ACCOUNT = "postgres"  # the superuser may not run a server
_SETTINGS = {
    "fsync": "off",  # what is lost with the power is a test's
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "ssl": "on",
    "password_encryption": "scram-sha-256",
}
# Whoever administers comes by the socket; everybody else needs a password, and one may never come.
_HBA = """
local all postgres trust
host locked_out all 127.0.0.1/32 reject
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server that runs.

    Attributes:
        folder: of its socket, its certificate and its log.
        port: of the socket, and on 127.0.0.1.
        programs: the folder of PostgreSQL's programs.
    """

    folder: Path
    port: int
    programs: Path

    def url(self, *, schema: str = "", host: str = "", database: str = "medcxr", **options) -> str:
        """Return a setting that leads to a database on the server; by the socket unless told."""
        words = {"host": host or str(self.folder), **({"schema": schema} if schema else {})}
        query = "&".join(f"{name}={value}" for name, value in {**words, **options}.items())
        return f"postgresql://{ROLE}:{quote(PASSWORD, safe='')}@:{self.port}/{database}?{query}"

    def administer(self, *statements: str, database: str = "medcxr") -> list[tuple]:
        """Run statements as the server's administrator; return the rows of the last one."""
        with psycopg.connect(
            host=str(self.folder),
            port=self.port,
            user=_ACCOUNT,
            dbname=database,
            autocommit=True,
        ) as connection:
            for words in statements:
                found = connection.execute(words)
            return found.fetchall() if found.description else []

    def new_schema(self) -> str:
        """Return the name of a schema that no other test has."""
        return f"test_{uuid4().hex[:16]}"

    @property
    def certificate(self) -> Path:
        """What the server shows, signed by itself, for the name db.hospital.test."""
        return self.folder / "server.crt"


def find_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest one; None where there is none."""
    named = os.environ.get("MEDCXR_POSTGRES", "")
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: int(path.parents[1].name),
    )
    elsewhere = shutil.which("postgres")
    places = [
        *([Path(named)] if named else []),
        *(path.parent for path in reversed(found)),
        *([Path(elsewhere).resolve().parent] if elsewhere else []),
    ]
    return next((place for place in places if (place / "initdb").is_file()), None)


def require_programs() -> Path:
    """Return their folder; without them skip the test, but fail where nobody would notice."""
    programs = find_programs() if sys.platform != "win32" else None
    if programs is None or shutil.which("openssl") is None:
        words = (
            "no PostgreSQL server, or no openssl for its certificate: install postgresql and "
            "openssl, or name the server's programs in MEDCXR_POSTGRES"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    return programs


@contextmanager
def running_server(programs: Path) -> Iterator[PostgresServer]:
    """Run a server as long as the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="medcxr-pg-"))  # short: a socket's path has 107 bytes
    account = {}
    if os.geteuid() == 0:
        import pwd

        owner = pwd.getpwnam(_ACCOUNT)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        account = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = PostgresServer(folder, probe.getsockname()[1], programs)
    process = None
    try:
        _prepare(server, account)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", folder / "data"],
                stdout=log,
                stderr=log,
                cwd=folder,
                **account,
            )
        _wait_until_ready(server, process)
        yield server
    finally:
        if process is not None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(server, account):
    data = server.folder / "data"
    _run(
        [server.programs / "initdb", "-D", data, "-U", _ACCOUNT, "--encoding=UTF8",
         "--locale=C.UTF-8", "--auth=trust", "--no-sync"],
        account,
        server.folder,
    )  # fmt: skip
    _run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=db.hospital.test", "-addext", "subjectAltName=DNS:db.hospital.test",
         "-keyout", data / "server.key", "-out", data / "server.crt"],
        account,
        server.folder,
    )  # fmt: skip
    shutil.copy(data / "server.crt", server.certificate)
    settings = {
        **_SETTINGS,
        "port": server.port,
        "listen_addresses": "'127.0.0.1'",
        "unix_socket_directories": f"'{server.folder}'",
    }
    with (data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = {value}\n" for name, value in settings.items())
    (data / "pg_hba.conf").write_text(_HBA)


def _run(command, account, folder):
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, **account
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _wait_until_ready(server, process):
    until = time.monotonic() + 60
    while True:
        try:
            server.administer(
                f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'",
                f"CREATE DATABASE medcxr OWNER {ROLE} TEMPLATE template0",
                f"CREATE DATABASE locked_out OWNER {ROLE}",
                database="postgres",
            )
        except psycopg.OperationalError:
            log = (server.folder / "log").read_text()
            assert process.poll() is None, log
            assert time.monotonic() < until, log
            time.sleep(0.05)
        else:
            server.administer("CREATE EXTENSION amcheck")
            return
