"""How the DICOM node is set: `node.toml` in the workspace, which a person writes.

| table              | says                                                          |
|--------------------|---------------------------------------------------------------|
| `[node]`           | AE title, address, port, limits                               |
| `[[callers]]`      | who may send: AE title, and from which addresses              |
| `[tls]`            | certificate and key by which connections are encrypted        |
| `[rules]`, `[triage]`, `[reading]`, `[[destinations]]`, `[delivery]`, `[dicomweb]`, `[folder]` | what the modules of these say |
"""

import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from cattrs import BaseValidationError, transform_error

from medcxr.core.errors import DataError
from medcxr.core.exact import exact_converter
from medcxr.core.loopback import is_loopback
from medcxr.services.ports import DEFAULT_ADDRESS
from medcxr.services.workspace import Workspace

__all__ = [
    "OTHER_TABLES",
    "CallerSettings",
    "ListenSettings",
    "NodeSettings",
    "TlsSettings",
    "node_settings",
]

OTHER_TABLES = (
    "rules",
    "triage",
    "reading",
    "destinations",
    "delivery",
    "dicomweb",
    "folder",
)
"""Tables that other modules read."""

_TITLE_LENGTH = 16  # PS3.5 section 6.2, AE
_LEAST_PDU, _MOST_PDU = 4096, 2**20
_MOST_PROCESSES, _MOST_ASSOCIATIONS, _MOST_OBJECT_MIB, _LONGEST_S = 32, 500, 1024, 3600.0
_MOST_DAYS, _MOST_RESERVE_MIB = 3650, 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenSettings:
    """`[node]`: where and how the node listens.

    Attributes:
        title: its AE title.
        address: to listen at; one that other computers reach needs callers.
        port: to listen at; 104 is DICOM's own, for which some systems ask for rights.
        require_title: whether senders must call it by its title.
        processes: that receive side by side.
        most_associations: at once, all processes together.
        pdu_bytes: the longest PDU that is received.
        most_object_mib: the largest data set that is kept.
        request_s: for an association to be requested.
        idle_s: between two messages.
        message_s: for a whole message.
        reserve_mib: of the disk that stays free; with less, what is sent is refused for now, and
            nothing is taken from a folder or a PACS.
        remember_days: after which what was received and read is forgotten, so that it would be read
            again if it came again.
    """

    title: str = "MEDCXR"
    address: str = DEFAULT_ADDRESS
    port: int = 11112
    require_title: bool = True
    processes: int = 1
    most_associations: int = 25
    pdu_bytes: int = 2**17
    most_object_mib: int = 128
    request_s: float = 10.0
    idle_s: float = 60.0
    message_s: float = 120.0
    reserve_mib: int = 500
    remember_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSettings:
    """One of `[[callers]]`: who may send.

    Attributes:
        title: the calling AE title.
        addresses: or networks from which it may; none: from any.
    """

    title: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """`[tls]`: how connections are encrypted. Relative paths begin in the workspace's `node/`.

    Attributes:
        certificate: PEM file with the node's certificate, and those between it and the root.
        key: PEM file with its private key, without a passphrase.
        callers: PEM file with the certificates that sign those of callers, who must have one then;
            empty: callers need none.
    """

    certificate: str
    key: str
    callers: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """All of `node.toml`.

    Attributes:
        node: where and how the node listens.
        callers: who may send; none: everybody, which only an address of this computer allows.
        tls: how connections are encrypted; None: not at all.
        tables: name -> table, of those in `OTHER_TABLES` that the file has.
    """

    node: ListenSettings = field(default_factory=ListenSettings)
    callers: tuple[CallerSettings, ...] = ()
    tls: TlsSettings | None = None
    tables: Mapping[str, Any] = field(default_factory=dict)

    def table(self, name: str) -> Mapping[str, Any]:
        """Return one of `OTHER_TABLES`, empty where the file does not have it.

        Raises:
            DataError: it is no table.
        """
        found = self.tables.get(name, {})
        if not isinstance(found, Mapping):
            raise DataError("[{name}] of the node's settings is no table; make it one.", name=name)
        return found


def node_settings(workspace: Workspace) -> NodeSettings:
    """Read the settings of a workspace's node; what they leave out keeps its default.

    Raises:
        DataError: the file cannot be read, is no TOML, has an unknown key or a wrong value.
    """
    path = workspace.node_settings
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        plain = {}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            "{path} cannot be read ({kind}); let this user read it, as UTF-8.",
            path=path,
            kind=type(error).__name__,
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise DataError(
            "{path} is no TOML: {error}. Correct it.", path=path, error=error
        ) from error
    tables = {name: plain.pop(name) for name in OTHER_TABLES if name in plain}
    try:
        found = exact_converter(int, float, bool, str).structure(_whole(plain), NodeSettings)
    except BaseValidationError as error:
        reasons = "; ".join(transform_error(error, path=path.name))
        raise DataError("{reasons}. Correct the key.", reasons=reasons) from error
    tls = None if found.tls is None else _located(found.tls, workspace.node)
    settings = NodeSettings(node=found.node, callers=found.callers, tls=tls, tables=tables)
    _check(settings)
    return settings


def _located(tls: TlsSettings, folder: Path) -> TlsSettings:
    """Return where the files lie, whatever folder the node is started in."""
    named = {name: getattr(tls, name) for name in tls.__slots__}
    return TlsSettings(
        **{
            name: str(folder.absolute() / Path(value).expanduser()) if value else value
            for name, value in named.items()
        }
    )


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """Return how connections are encrypted: TLS 1.2 or later, as PS3.15 section B.12 asks.

    Raises:
        DataError: a file cannot be read, or is none of its kind.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # A key with a passphrase would ask for it on the terminal.
        context.load_cert_chain(settings.certificate, settings.key, password=_no_passphrase)
        if settings.callers:
            context.load_verify_locations(settings.callers)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        raise DataError(
            "The files in [tls] of the node's settings cannot be used ({kind}); name PEM files with "
            "a certificate and its key, without a passphrase.",
            kind=type(error).__name__,
        ) from error
    return context


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase")


def _whole(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return seconds as decimal numbers: TOML's 10 is meant as 10.0."""
    whole = dict(plain)
    node = whole.get("node")
    if isinstance(node, dict):
        whole["node"] = {
            name: float(value) if name.endswith("_s") and type(value) is int else value
            for name, value in node.items()
        }
    if "tables" in whole:
        whole["[tables]"] = whole.pop("tables")  # no key of the file
    return whole


def _check(settings: NodeSettings) -> None:
    node = settings.node
    _require_title("title in [node]", node.title)
    for name, least, most in (
        ("port", 1, 65535),
        ("processes", 1, _MOST_PROCESSES),
        ("most_associations", 1, _MOST_ASSOCIATIONS),
        ("pdu_bytes", _LEAST_PDU, _MOST_PDU),
        ("most_object_mib", 1, _MOST_OBJECT_MIB),
        ("request_s", 1.0, _LONGEST_S),
        ("idle_s", 1.0, _LONGEST_S),
        ("message_s", 1.0, _LONGEST_S),
        ("reserve_mib", 0, _MOST_RESERVE_MIB),
        ("remember_days", 1, _MOST_DAYS),
    ):
        value = getattr(node, name)
        if not least <= value <= most:
            raise DataError(
                "{name} in [node] of the node's settings is {value}; give {least} to {most}.",
                name=name,
                value=value,
                least=least,
                most=most,
            )
    for caller in settings.callers:
        _require_title("title in [[callers]]", caller.title)
        for address in caller.addresses:
            _require_network(address)
    if not settings.callers and not is_loopback(node.address):
        raise DataError(
            "The node's address {address} lets other computers send; name them in [[callers]] of "
            "{file}, or listen at 127.0.0.1.",
            address=node.address or "(all)",
            file="node.toml",
        )


def _require_title(what: str, title: str) -> None:
    """Return if it is an AE title (PS3.5 section 6.2)."""
    is_plain = title.isascii() and title.isprintable() and "\\" not in title
    if not is_plain or not 1 <= len(title) <= _TITLE_LENGTH or title != title.strip():
        raise DataError(
            "{what} of the node's settings is no AE title; give 1 to {most} letters, digits or "
            "signs, without spaces at the ends.",
            what=what,
            most=_TITLE_LENGTH,
        )


def _require_network(address: str) -> None:
    try:
        ip_network(address)
    except ValueError as error:
        raise DataError(
            "{address} in [[callers]] is no address or network; write it like 10.1.2.3 or "
            "10.1.0.0/16.",
            address=address,
        ) from error
