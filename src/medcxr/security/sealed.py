"""Encrypt a stream under a passphrase, in pieces, so that a file of any size needs little memory.

Each piece is sealed by AES-256-GCM under a nonce that counts the pieces and marks the last one, so
that none can be changed, moved, left out or cut off unseen.

Source: Hoang, Reyhanitabar, Rogaway and Vizár 2015, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance" (STREAM); NIST SP 800-38D (GCM); RFC 9106, section 4 (argon2id, the
second recommended parameters).
"""

import secrets
import unicodedata

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from medcxr.core.errors import AccessError, DataError
from medcxr.storage.checked_file import Readable, Writable

__all__ = ["MINIMUM_LENGTH", "SEALED_START", "Sealing", "Unsealing", "require_good_passphrase"]

MINIMUM_LENGTH = 12  # characters; whoever has the file may guess as long as they like
_MAXIMUM_LENGTH = 1024

SEALED_START = b"medcxr sealed 1\n"
"""What a sealed stream begins with."""

_SALT_BYTES = 16
_PREFIX_BYTES = 7
_PIECE_BYTES = 2**16
_TAG_BYTES = 16
_MOST_PIECES = 2**32
# Of this format; a file could otherwise ask for any amount of time and memory.
_PASSES, _MEMORY_KIB, _LANES = 3, 2**16, 4


class Sealing:
    """Seal what is written, and write it on.

    Args:
        out: where to.
        passphrase: without it nothing can be read again.

    Raises:
        AccessError: the passphrase is too short.
    """

    def __init__(self, out: Writable, passphrase: str) -> None:
        require_good_passphrase(passphrase)
        start = SEALED_START + secrets.token_bytes(_SALT_BYTES + _PREFIX_BYTES)
        self._out = out
        self._pieces = _Pieces(start, passphrase)
        self._waiting = bytearray()
        out.write(start)

    def write(self, data: bytes, /) -> None:
        """Seal all of it; what fills no piece waits for more."""
        self._waiting += data
        while len(self._waiting) > _PIECE_BYTES:  # the last one is sealed by `finish`
            self._out.write(self._pieces.seal(bytes(self._waiting[:_PIECE_BYTES]), last=False))
            del self._waiting[:_PIECE_BYTES]

    def finish(self) -> None:
        """Seal what waits as the last piece."""
        self._out.write(self._pieces.seal(bytes(self._waiting), last=True))
        self._waiting.clear()


class Unsealing:
    """Read what was sealed; only pieces that are whole are handed on.

    Args:
        source: at the beginning of the sealed stream.
        passphrase: under which it was sealed.

    Raises:
        DataError: the stream is no sealed one, or is cut off.
    """

    def __init__(self, source: Readable, passphrase: str) -> None:
        start = source.read(len(SEALED_START) + _SALT_BYTES + _PREFIX_BYTES)
        if not start.startswith(SEALED_START) or len(start) != len(SEALED_START) + 23:
            raise _not_opened()
        self._source = source
        self._pieces = _Pieces(start, passphrase)
        self._next = source.read(_PIECE_BYTES + _TAG_BYTES)
        if not self._next:  # even of nothing there is a last piece
            raise _not_opened()
        self._opened = bytearray()

    def read(self, n: int, /) -> bytes:
        """Return the next n bytes; fewer at the end alone.

        Raises:
            DataError: the passphrase is another one, or a piece was changed.
        """
        while len(self._opened) < n and self._next:
            sealed, self._next = self._next, self._source.read(_PIECE_BYTES + _TAG_BYTES)
            self._opened += self._pieces.open(sealed, last=not self._next)
        data = bytes(self._opened[:n])
        del self._opened[:n]
        return data


def require_good_passphrase(passphrase: str) -> None:
    """Return if a passphrase may protect a file that others can get hold of.

    Raises:
        AccessError: it is too short, too long or one repeated character.
    """
    n = len(_normalized(passphrase))
    if n < MINIMUM_LENGTH:
        raise AccessError(
            "The passphrase has {n} characters; use at least {minimum_length}, e.g. five words that "
            "have nothing to do with each other.",
            n=n,
            minimum_length=MINIMUM_LENGTH,
        )
    if len(set(passphrase)) == 1:
        raise AccessError("The passphrase repeats one character; mix different ones.")


class _Pieces:
    """Seals and opens pieces in their order."""

    def __init__(self, start: bytes, passphrase: str) -> None:
        salt = start[len(SEALED_START) :][:_SALT_BYTES]
        key = hash_secret_raw(
            _normalized(passphrase).encode(),
            salt,
            time_cost=_PASSES,
            memory_cost=_MEMORY_KIB,
            parallelism=_LANES,
            hash_len=32,
            type=Type.ID,
        )
        self._cipher = AESGCM(key)
        self._start = start
        self._prefix = start[-_PREFIX_BYTES:]
        self._number = 0

    def seal(self, plain: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(last=last), plain, self._start)

    def open(self, sealed: bytes, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(last=last), sealed, self._start)
        except InvalidTag:
            raise _not_opened() from None

    def _nonce(self, *, last: bool) -> bytes:
        if self._number == _MOST_PIECES:
            raise DataError("More than 256 TiB cannot be sealed in one file; leave something out.")
        nonce = self._prefix + self._number.to_bytes(4) + bytes([last])
        self._number += 1
        return nonce


def _not_opened() -> DataError:
    return DataError("The passphrase is another one, or the backup was changed; try again.")


def _normalized(passphrase: str) -> str:
    """Spell composed characters one way, as in `passwords`."""
    if len(passphrase) > _MAXIMUM_LENGTH:
        raise AccessError(
            "The passphrase is longer than {maximum_length} characters; shorten it.",
            maximum_length=_MAXIMUM_LENGTH,
        )
    return unicodedata.normalize("NFC", passphrase)
