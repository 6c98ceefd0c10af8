"""Where a PostgreSQL server is that keeps a workspace's database, and how it is spoken to."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from medcxr.core.errors import DataError

__all__ = ["DEFAULT_SCHEMA", "ServerAddress", "server_address"]

DEFAULT_SCHEMA = "medcxr"

_FORM = "postgresql://USER:PASSWORD@HOST/DATABASE"
_SCHEMES = ("postgresql", "postgres")
# What may stand behind the "?", as PostgreSQL's own client library names it.
_OPTIONS = ("host", "hostaddr", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")  # needs no quotes in a statement
_VERIFIES = "verify-full"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """A database on a server. What it says of itself never tells the password.

    Attributes:
        host: name, address, or folder of a socket; empty for the system's own socket.
        port: None for PostgreSQL's own.
        user: who signs in; empty for the name of the process's user.
        password: None where the server asks for none, or a file of PostgreSQL's client has it.
        database: its name.
        schema: the folder of tables within it, one for each workspace.
        options: further ones of PostgreSQL's client library, by name.
    """

    host: str
    port: int | None
    user: str
    password: str | None = field(repr=False)
    database: str
    schema: str = DEFAULT_SCHEMA
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Name it in a message."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"postgresql://{host}{port}/{self.database} ({self.schema})"

    @property
    def is_remote(self) -> bool:
        """Tell whether what is sent leaves this computer."""
        if not self.host or self.host.startswith("/") or self.host == "localhost":
            return False
        try:
            return not ip_address(self.host).is_loopback
        except ValueError:
            return True

    @property
    def verifies_server(self) -> bool:
        """Tell whether no other computer can pass for the server."""
        return dict(self.options).get("sslmode") == _VERIFIES


def server_address(words: str, *, named: str, schema: str | None = None) -> ServerAddress:
    """Read an address such as `postgresql://user:password@host:5432/name?sslmode=verify-full`.

    Args:
        words: the address. User and password are percent-encoded where they hold such characters
            as "@" and "/".
        named: the setting that it comes from, for messages.
        schema: of another setting, where the address names none.

    Raises:
        DataError: it is no such address; no message repeats it, as it may hold a password.
    """
    try:
        parts = urlsplit(words)
        port = parts.port
        given = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise DataError(
            "{setting} is no address; write {form}.", setting=named, form=_FORM
        ) from None
    database = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in _SCHEMES or not database or "/" in database or parts.fragment:
        raise DataError("{setting} is no address; write {form}.", setting=named, form=_FORM)
    chosen = given.pop("schema", "") or schema or DEFAULT_SCHEMA
    if not _SCHEMA.fullmatch(chosen) or chosen.startswith("pg_"):
        raise DataError(
            "{setting} names a schema that cannot be; use lower-case letters, digits and _, at "
            "most 63, and do not begin with a digit or pg_.",
            setting=named,
        )
    unknown = sorted(set(given) - set(_OPTIONS))
    if unknown:
        raise DataError(
            "{setting} has unknown options: {unknown}; known are schema, {known}.",
            setting=named,
            unknown=", ".join(unknown),
            known=", ".join(_OPTIONS),
        )
    return ServerAddress(
        host=given.pop("host", "") or _host(parts),
        port=port,
        user=unquote(parts.username or ""),
        password=None if parts.password is None else unquote(parts.password),
        database=database,
        schema=chosen,
        options=tuple(sorted(given.items())),
    )


def _host(parts: SplitResult) -> str:
    return unquote(parts.hostname or "")
