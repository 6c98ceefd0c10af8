"""What a server that receives is told, and what it hands on; needs no library."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address

from medcxr.network.dimse import Command

__all__ = [
    "IMPLEMENTATION_CLASS_UID",
    "IMPLEMENTATION_VERSION",
    "VERIFICATION",
    "Caller",
    "Limits",
    "Receiver",
    "ServerSettings",
    "Sink",
    "StoreRequest",
]

IMPLEMENTATION_CLASS_UID = "2.25.103045670945603827568302047358177967992"
"""Made once from a random UUID (PS3.5 section B.2)."""
IMPLEMENTATION_VERSION = "MEDCXR"
VERIFICATION = "1.2.840.10008.1.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who may send.

    Attributes:
        title: the calling AE title.
        networks: from which addresses; none: from any.
    """

    title: str
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def may_be_at(self, address: str) -> bool:
        """Tell whether it may send from an address, which may be IPv4 in IPv6's form."""
        peer = ip_address(address.partition("%")[0])
        mapped = getattr(peer, "ipv4_mapped", None)
        forms = (peer,) if mapped is None else (peer, mapped)
        return not self.networks or any(form in one for one in self.networks for form in forms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds an association.

    Attributes:
        pdu_bytes: the longest PDU that is received (PS3.8 annex D.1).
        object_bytes: the largest data set that is kept.
        request_s: for an association to be requested, and for TLS to be agreed on.
        idle_s: between two messages.
        message_s: for a whole message.
    """

    pdu_bytes: int = 2**17
    object_bytes: int = 2**27
    request_s: float = 10.0
    idle_s: float = 60.0
    message_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRequest:
    """A C-STORE that has come.

    Attributes:
        command: of it.
        transfer_syntax_uid: in which the data set is written.
        calling_title: who sends.
    """

    command: Command
    transfer_syntax_uid: str
    calling_title: str


class Sink:
    """Takes the data set of one C-STORE piece by piece; what it is handed is not kept."""

    def write(self, data: memoryview, /) -> None:
        """Take the next bytes."""
        raise NotImplementedError

    def finish(self) -> tuple[int, str]:
        """Keep what was written, and return status and comment of the response."""
        raise NotImplementedError

    def discard(self) -> None:
        """Forget what was written."""
        raise NotImplementedError


Receiver = Callable[[StoreRequest], Sink]
"""Begins to receive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """How the server answers.

    Attributes:
        title: its AE title; empty answers to any.
        callers: who may send; none: everybody who reaches it.
        syntaxes: abstract syntax -> transfer syntaxes, the preferred ones first.
        most_associations: at once.
        limits: of each association.
        tls: how connections are encrypted; None leaves them as they are.
    """

    title: str
    callers: tuple[Caller, ...] = ()
    syntaxes: Mapping[str, tuple[str, ...]]
    most_associations: int = 25
    limits: Limits = field(default_factory=Limits)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
