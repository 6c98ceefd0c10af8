"""Agree on an association as its acceptor: what is asked for read, and the answer written (PS3.8 9.3).

A request names some hundred presentation contexts, and a sender may open an association for every
image. A library that makes an object of each of them takes 30 ms of computing (ADR 0032), so their
bytes are followed here, by lengths alone.
"""

import struct
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from medcxr.network.receiving import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION

__all__ = [
    "APPLICATION_CONTEXT",
    "AssociationRequest",
    "ProposedContext",
    "encoded_abort",
    "encoded_acceptance",
    "encoded_rejection",
    "negotiated",
    "read_request",
]

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
"""The only one that there is (PS3.7 section A.2.1)."""

_HEAD = struct.Struct(">BxL")
_ITEM = struct.Struct(">BxH")
_FIXED = struct.Struct(
    ">H2x16s16s32s"
)  # of a request and an acceptance, PS3.8 tables 9-11 and 9-17
_CONTEXT = struct.Struct(">BxBx")
_LENGTH = struct.Struct(">L")

_ACCEPTANCE, _REJECTION, _ABORT = 0x02, 0x03, 0x07  # types of PDU
_APPLICATION, _PROPOSED, _ANSWERED = 0x10, 0x20, 0x21  # types of items
_ABSTRACT, _TRANSFER, _USER = 0x30, 0x40, 0x50
_LONGEST, _CLASS, _VERSION = 0x51, 0x52, 0x55
_ACCEPTED, _ABSTRACT_NOT_SUPPORTED, _TRANSFER_NOT_SUPPORTED = 0, 3, 4  # PS3.8 table 9-18
_VERSION_1 = 0x0001


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedContext:
    """A presentation context that is asked for.

    Attributes:
        context_id: by which messages name it, odd.
        abstract_syntax: the SOP class.
        transfer_syntaxes: in which its data sets may be written, at least one.
    """

    context_id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationRequest:
    """An A-ASSOCIATE-RQ.

    Attributes:
        called_title: whom the sender calls.
        calling_title: who it says that it is.
        application_context: what it takes the protocol for.
        contexts: that it asks for.
        longest_pdu: bytes of the longest PDU that it takes; 0 takes any.
        fixed: the fields that an acceptance repeats.
    """

    called_title: str
    calling_title: str
    application_context: str
    contexts: tuple[ProposedContext, ...]
    longest_pdu: int
    fixed: bytes = field(repr=False)


def read_request(body: bytes) -> AssociationRequest:
    """Read an A-ASSOCIATE-RQ without its first 6 bytes.

    Raises:
        ValueError: it is none.
    """
    if len(body) < _FIXED.size:
        raise ValueError("a request that is cut off")
    _, called, calling, _ = _FIXED.unpack_from(body)
    application, longest = "", 0
    contexts: dict[int, ProposedContext] = {}
    for kind, value in _items(memoryview(body)[_FIXED.size :]):
        if kind == _APPLICATION:
            application = _uid(value)
        elif kind == _PROPOSED:
            context = _proposed(value)
            if context.context_id in contexts:
                raise ValueError("two presentation contexts of one number")
            contexts[context.context_id] = context
        elif kind == _USER:
            longest = _longest_pdu(value)
    return AssociationRequest(
        called_title=_title(called),
        calling_title=_title(calling),
        application_context=application,
        contexts=tuple(contexts.values()),
        longest_pdu=longest,
        fixed=body[: _FIXED.size],
    )


def negotiated(
    contexts: Sequence[ProposedContext], supported: Mapping[str, tuple[str, ...]]
) -> dict[int, tuple[str, str]]:
    """Return of what is agreed on: number of the context -> abstract and transfer syntax.

    Args:
        contexts: that are asked for.
        supported: abstract syntax -> transfer syntaxes, the preferred ones first.
    """
    agreed: dict[int, tuple[str, str]] = {}
    for one in contexts:
        for transfer in supported.get(one.abstract_syntax, ()):
            if transfer in one.transfer_syntaxes:
                agreed[one.context_id] = (one.abstract_syntax, transfer)
                break
    return agreed


def encoded_acceptance(
    request: AssociationRequest,
    agreed: Mapping[int, tuple[str, str]],
    *,
    known: Container[str],
    longest_pdu: int,
) -> bytes:
    """Return the A-ASSOCIATE-AC that answers a request.

    Args:
        request: that is answered.
        agreed: of `negotiated`.
        known: abstract syntaxes that would be agreed on in another transfer syntax.
        longest_pdu: bytes of the longest PDU that is taken.
    """
    _, called, calling, reserved = _FIXED.unpack(request.fixed)
    body = bytearray(_FIXED.pack(_VERSION_1, called, calling, reserved))
    body += _item(_APPLICATION, APPLICATION_CONTEXT.encode())
    for one in request.contexts:
        # Of one that is refused the transfer syntax means nothing, but must be there.
        transfer, result = one.transfer_syntaxes[0], _ABSTRACT_NOT_SUPPORTED
        if one.context_id in agreed:
            transfer, result = agreed[one.context_id][1], _ACCEPTED
        elif one.abstract_syntax in known:
            result = _TRANSFER_NOT_SUPPORTED
        body += _item(
            _ANSWERED,
            _CONTEXT.pack(one.context_id, result) + _item(_TRANSFER, transfer.encode("ascii")),
        )
    body += _item(
        _USER,
        _item(_LONGEST, _LENGTH.pack(longest_pdu))
        + _item(_CLASS, IMPLEMENTATION_CLASS_UID.encode())
        + _item(_VERSION, IMPLEMENTATION_VERSION.encode()),
    )
    return _HEAD.pack(_ACCEPTANCE, len(body)) + bytes(body)


def encoded_rejection(result: int, source: int, reason: int) -> bytes:
    """Return an A-ASSOCIATE-RJ; what is told is of PS3.8 table 9-21."""
    return _HEAD.pack(_REJECTION, 4) + bytes((0, result, source, reason))


def encoded_abort(source: int, reason: int) -> bytes:
    """Return an A-ABORT; what is told is of PS3.8 table 9-26."""
    return _HEAD.pack(_ABORT, 4) + bytes((0, 0, source, reason))


def _items(view: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield type and value of the items that follow each other."""
    position = 0
    while position < len(view):
        if position + _ITEM.size > len(view):
            raise ValueError("an item that is cut off")
        kind, length = _ITEM.unpack_from(view, position)
        start = position + _ITEM.size
        position = start + length
        if position > len(view):
            raise ValueError("an item that is cut off")
        yield kind, view[start:position]


def _proposed(value: memoryview) -> ProposedContext:
    if len(value) < _CONTEXT.size:
        raise ValueError("a presentation context that is cut off")
    context_id, _ = _CONTEXT.unpack_from(value)
    abstract = ""
    transfers: list[str] = []
    for kind, words in _items(value[_CONTEXT.size :]):
        if kind == _ABSTRACT:
            abstract = _uid(words)
        elif kind == _TRANSFER:
            transfers.append(_uid(words))
    if not (context_id % 2 and abstract and transfers):
        raise ValueError("a presentation context that is none")
    return ProposedContext(
        context_id=context_id, abstract_syntax=abstract, transfer_syntaxes=tuple(transfers)
    )


def _longest_pdu(value: memoryview) -> int:
    for kind, data in _items(value):
        if kind == _LONGEST:
            if len(data) != _LENGTH.size:
                raise ValueError("a length that is none")
            return int(_LENGTH.unpack(data)[0])
    return 0


def _item(kind: int, value: bytes) -> bytes:
    return _ITEM.pack(kind, len(value)) + value


def _title(value: bytes) -> str:
    return value.decode("ascii").strip(" \0")


def _uid(value: memoryview) -> str:
    return bytes(value).decode("ascii").rstrip(" \0")  # which some senders pad to an even length
