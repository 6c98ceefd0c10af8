"""One association as its acceptor: negotiated, then read without copies to spare.

A library's reactor polls two threads for each association and copies a data set some five times
(ADR 0032); so here one thread waits for one connection, and what it waits for has bounds: the
length of a PDU, the bytes of a message, and the time for each.
"""

import logging
import socket
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING

from medcxr.network.dimse import Command, CommandField, Status, encoded_response, read_command
from medcxr.network.negotiation import (
    APPLICATION_CONTEXT,
    AssociationRequest,
    encoded_abort,
    encoded_acceptance,
    encoded_rejection,
    negotiated,
    read_request,
)
from medcxr.network.receiving import (
    VERIFICATION,
    Caller,
    Limits,
    Receiver,
    Sink,
    StoreRequest,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

__all__ = ["Association"]

_LOG = logging.getLogger(__name__)

_RQ, _DATA, _RELEASE_RQ, _ABORT = 0x01, 0x04, 0x05, 0x07  # types of PDU, PS3.8 section 9.3
_HEAD = struct.Struct(">BxL")
_ITEM = struct.Struct(">LBB")  # length, context and control header of a PDV, PS3.8 section 9.3.5.1
_RELEASE_RP = b"\x06\x00\x00\x00\x00\x04\x00\x00\x00\x00"
_IS_COMMAND, _IS_LAST = 0x01, 0x02  # PS3.8 section E.2
_MOST_REQUEST_BYTES = 2**17  # of an A-ASSOCIATE-RQ: 128 contexts of some dozen syntaxes
_MOST_COMMAND_BYTES = 2**14
_BUFFER = 2**16
_LAST_WORD_S = 2.0  # in which a peer closes the connection after an association's end
_LOOK_UP_S = 0.25  # after which who waits looks whether it is to end; closing a half would end TLS

# PS3.8 table 9-21: result, source, reason
_CALLING_NOT_RECOGNIZED = (1, 1, 3)
_CALLED_NOT_RECOGNIZED = (1, 1, 7)
_CONTEXT_NAME_NOT_SUPPORTED = (1, 1, 2)
_TOO_MANY = (2, 3, 2)


@dataclass(slots=True, kw_only=True)
class _Message:
    """A message that comes in pieces."""

    context_id: int
    command: bytearray = field(default_factory=bytearray)
    read: Command | None = None
    sink: Sink | None = None
    n_bytes: int = 0
    refusal: tuple[int, str] | None = None


class _TimedReader(RawIOBase):
    """Reads from a connection until a moment, however slowly its bytes come.

    Args:
        connection: to read from.
        look_up: called now and then while nothing comes; may raise.
    """

    def __init__(self, connection: socket.socket, look_up: Callable[[], None]) -> None:
        super().__init__()
        self._connection = connection
        self._look_up = look_up
        self._until = 0.0

    def allow(self, seconds: float) -> None:
        """Let what is read from now on take so long in all."""
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, view: "Buffer", /) -> int:
        """Read what there is, at least one byte; none at the end."""
        while True:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(min(left, _LOOK_UP_S))
            with suppress(TimeoutError):
                return self._connection.recv_into(view)
            self._look_up()


class _EndedError(Exception):
    """The association is over; the reason is for the log."""


class Association:
    """The acceptor's side of one association.

    Args:
        connection: accepted; it is closed at the end.
        title: the called AE title; empty takes any.
        callers: who may send; none: everybody.
        syntaxes: abstract syntax -> transfer syntaxes, the preferred ones first.
        limits: what bounds it.
        receiver: begins to receive a C-STORE.
        is_full: whether as many associations as may be are open without this one.
    """

    def __init__(
        self,
        connection: socket.socket,
        *,
        title: str,
        callers: tuple[Caller, ...],
        syntaxes: Mapping[str, tuple[str, ...]],
        limits: Limits,
        receiver: Receiver,
        is_full: bool = False,
    ) -> None:
        self._connection = connection
        self._peer = str(connection.getpeername()[0])
        self._title = title
        self._callers = callers
        self._syntaxes = syntaxes
        self._limits = limits
        self._receiver = receiver
        self._is_full = is_full
        self._calling_title = ""
        self._peer_pdu_bytes = 0
        self._contexts: dict[int, tuple[str, str]] = {}
        self._timed = _TimedReader(connection, self._end_if_asked)
        self._file = BufferedReader(self._timed, _BUFFER)
        self._buffer = bytearray(limits.pdu_bytes)
        self._message: _Message | None = None
        self._is_ending = False

    def serve(self) -> None:
        """Negotiate, and answer requests until the association ends."""
        try:
            self._negotiate()
            while self._serve_pdu():
                pass
        except _EndedError as ended:
            _LOG.info("An association ended: %s.", ended)
        except TimeoutError:
            _LOG.info("An association was aborted: its peer fell silent.")
            self._abort()
        except OSError as error:
            _LOG.info("An association was lost: %s.", type(error).__name__)
        except Exception:
            self._abort(source=2)
            raise
        finally:
            if self._message is not None and self._message.sink is not None:
                self._message.sink.discard()
            self._close()

    def end_soon(self) -> None:
        """Let it end after the message that is being received, at once if there is none."""
        self._is_ending = True

    def _negotiate(self) -> None:
        self._timed.allow(self._limits.request_s)
        kind, length = self._head()
        if kind != _RQ or length > _MOST_REQUEST_BYTES:
            self._abort(source=2, reason=2)
            raise _EndedError("no association was requested")
        body = self._file.read(length)
        try:
            request = read_request(body)
        except ValueError as error:
            self._abort(source=2, reason=6)
            raise _EndedError("the request for it is damaged") from error
        refusal = self._refusal(request)
        if refusal is not None:
            self._send(encoded_rejection(*refusal))
            raise _EndedError(f"refused {refusal}")
        self._calling_title = request.calling_title
        self._peer_pdu_bytes = request.longest_pdu
        self._contexts = negotiated(request.contexts, self._syntaxes)
        self._send(
            encoded_acceptance(
                request,
                self._contexts,
                known=self._syntaxes,
                longest_pdu=self._limits.pdu_bytes,
            )
        )

    def _refusal(self, request: AssociationRequest) -> tuple[int, int, int] | None:
        if request.application_context != APPLICATION_CONTEXT:
            return _CONTEXT_NAME_NOT_SUPPORTED
        if self._callers and not any(
            one.title == request.calling_title and one.may_be_at(self._peer)
            for one in self._callers
        ):
            return _CALLING_NOT_RECOGNIZED
        if self._title and request.called_title != self._title:
            return _CALLED_NOT_RECOGNIZED
        return _TOO_MANY if self._is_full else None

    def _serve_pdu(self) -> bool:
        """Receive one PDU and do what it asks; return whether the association goes on."""
        if self._message is None:
            self._end_if_asked()
            self._timed.allow(self._limits.idle_s)
        kind, length = self._head()
        if kind == _DATA:
            self._receive(length)
            return True
        if kind == _RELEASE_RQ and self._message is None:
            self._send(_RELEASE_RP)
            return False
        if kind != _ABORT:
            self._abort(source=2, reason=2)
        return False

    def _end_if_asked(self) -> None:
        if self._is_ending and self._message is None:
            self._abort()
            raise _EndedError("the node stops")

    def _receive(self, length: int) -> None:
        if length > self._limits.pdu_bytes:
            self._abort(source=2, reason=6)
            raise _EndedError("a PDU is longer than was agreed on")
        whole = memoryview(self._buffer)[:length]
        self._read_into(whole)
        position = 0
        while position < length:
            if length - position < _ITEM.size:
                self._invalid()
            n_bytes, context_id, control = _ITEM.unpack_from(whole, position)
            end = position + 4 + n_bytes
            if n_bytes < 2 or end > length:
                self._invalid()
            self._take(context_id, control, whole[position + _ITEM.size : end])
            position = end

    def _take(self, context_id: int, control: int, data: memoryview) -> None:
        """Take a presentation data value."""
        message = self._message
        if message is None:
            message = self._message = _Message(context_id=context_id)
            self._timed.allow(self._limits.message_s)
        if message.context_id != context_id or context_id not in self._contexts:
            self._invalid()
        if control & _IS_COMMAND:
            self._take_command(message, data, is_last=bool(control & _IS_LAST))
        else:
            self._take_data(message, data, is_last=bool(control & _IS_LAST))

    def _take_command(self, message: _Message, data: memoryview, *, is_last: bool) -> None:
        message.command += data
        if message.read is not None or len(message.command) > _MOST_COMMAND_BYTES:
            self._invalid()
        if not is_last:
            return
        try:
            message.read = read_command(bytes(message.command))
        except ValueError:
            self._invalid()
        else:
            self._begin(message, message.read)

    def _begin(self, message: _Message, command: Command) -> None:
        abstract, transfer = self._contexts[message.context_id]
        if command.kind == CommandField.C_STORE and command.has_data_set:
            if abstract == VERIFICATION:
                message.refusal = (Status.SOP_CLASS_NOT_SUPPORTED, "")
            elif abstract != command.sop_class_uid:
                message.refusal = (Status.DOES_NOT_MATCH_CLASS, "Another SOP class was agreed on")
            else:
                request = StoreRequest(
                    command=command,
                    transfer_syntax_uid=transfer,
                    calling_title=self._calling_title,
                )
                message.sink = self._receiver(request)
        elif command.kind == CommandField.C_ECHO and abstract == VERIFICATION:
            message.refusal = (Status.SUCCESS, "")
        else:
            message.refusal = (Status.UNRECOGNIZED_OPERATION, "")
        if not command.has_data_set:
            self._answer(message)

    def _take_data(self, message: _Message, data: memoryview, *, is_last: bool) -> None:
        if message.read is None:
            self._invalid()
        message.n_bytes += len(data)
        if message.n_bytes > self._limits.object_bytes and message.sink is not None:
            message.sink.discard()
            message.sink = None
            message.refusal = (Status.OUT_OF_RESOURCES, "The object is larger than is received")
        if message.sink is not None:
            message.sink.write(data)
        if is_last:
            self._answer(message)

    def _answer(self, message: _Message) -> None:
        sink, message.sink = message.sink, None
        status, comment = message.refusal or (Status.PROCESSING_FAILURE, "")
        if sink is not None:
            status, comment = sink.finish()
        self._message = None
        command = message.read
        if command is None or command.kind == CommandField.C_CANCEL:  # which has no response
            return
        body = encoded_response(command, status, comment)
        self._send(_data_pdus(message.context_id, body, self._peer_pdu_bytes))

    def _head(self) -> tuple[int, int]:
        head = self._file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise _EndedError("the connection was closed")
        kind, length = _HEAD.unpack(head)
        return kind, length

    def _read_into(self, view: memoryview) -> None:
        position = 0
        while position < len(view):
            n_bytes = self._file.readinto(view[position:])
            if not n_bytes:
                raise _EndedError("the connection was closed within a message")
            position += n_bytes

    def _send(self, data: bytes) -> None:
        self._connection.settimeout(self._limits.idle_s)
        self._connection.sendall(data)

    def _invalid(self) -> None:
        self._abort(source=2, reason=6)
        raise _EndedError("what was sent is no message")

    def _abort(self, *, source: int = 0, reason: int = 0) -> None:
        """Send an A-ABORT; source and reason as in PS3.8 table 9-26."""
        with suppress(OSError):
            self._connection.settimeout(1.0)
            self._connection.sendall(encoded_abort(source, reason))

    def _close(self) -> None:
        """Say that nothing more comes, and give the peer time to read what came last.

        A connection that is closed before its peer has closed it may take a rejection or an abort
        with it (PS3.8, section 9.2: state 13 and the ARTIM timer).
        """
        self._file.close()
        until = time.monotonic() + _LAST_WORD_S
        with suppress(OSError):  # the peer may have gone
            self._connection.shutdown(socket.SHUT_WR)
            while (left := until - time.monotonic()) > 0:
                self._connection.settimeout(left)
                if not self._connection.recv_into(self._buffer):
                    break
        self._connection.close()


def _data_pdus(context_id: int, command: bytes, longest: int) -> bytes:
    """Return a command as P-DATA-TF PDUs that are no longer than the peer takes; 0 takes any."""
    room = max(longest - _ITEM.size, 2) if longest else len(command)
    pieces = [command[start : start + room] for start in range(0, len(command), room)]
    encoded = bytearray()
    for number, piece in enumerate(pieces, start=1):
        control = _IS_COMMAND | (_IS_LAST if number == len(pieces) else 0)
        encoded += _HEAD.pack(_DATA, len(piece) + _ITEM.size)
        encoded += _ITEM.pack(len(piece) + 2, context_id, control) + piece
    return bytes(encoded)
