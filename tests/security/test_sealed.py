"""Sealed streams: read again with the passphrase alone, and only as they were written."""

import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.core.errors import AccessError, DataError
from medcxr.security import sealed as module
from medcxr.security.sealed import SEALED_START, Sealing, Unsealing

PASSPHRASE = "five words of nobody else"  # noqa: S105 - of these tests alone
PIECE = module._PIECE_BYTES


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Derive keys in no time; the real parameters have a test of their own."""
    monkeypatch.setattr(module, "_PASSES", 1)
    monkeypatch.setattr(module, "_MEMORY_KIB", 64)


def seal(plain, passphrase=PASSPHRASE):
    out = io.BytesIO()
    sealing = Sealing(out, passphrase)
    sealing.write(plain)
    sealing.finish()
    return out.getvalue()


def unseal(sealed, passphrase=PASSPHRASE):
    source = Unsealing(io.BytesIO(sealed), passphrase)
    plain = bytearray()
    while piece := source.read(10_000):
        plain += piece
    return bytes(plain)


@pytest.mark.parametrize("n", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 5])
def test_what_was_sealed_is_read_again(n):
    plain = bytes(n % 251 for n in range(n))
    assert unseal(seal(plain)) == plain


@given(st.lists(st.binary(max_size=2 * PIECE), max_size=5))
@settings(max_examples=20)
def test_however_it_is_written_it_is_the_same(pieces):
    out = io.BytesIO()
    sealing = Sealing(out, PASSPHRASE)
    for piece in pieces:
        sealing.write(piece)
    sealing.finish()
    assert unseal(out.getvalue()) == b"".join(pieces)


def test_nothing_of_it_can_be_read_without_the_passphrase():
    sealed = seal(b"a patient's name" * 100)
    assert b"patient" not in sealed
    with pytest.raises(DataError, match="passphrase is another one"):
        unseal(sealed, "another five words of nobody")


def test_the_same_content_is_never_sealed_the_same_way():
    assert len({seal(b"x")[len(SEALED_START) :][:23] for _ in range(20)}) == 20


def test_every_change_is_noticed():
    sealed = seal(bytes(2 * PIECE + 100))
    for n in [*range(60), PIECE, PIECE + 70, len(sealed) - 1, len(sealed) - 17]:
        changed = bytearray(sealed)
        changed[n] ^= 1
        with pytest.raises(DataError):
            unseal(bytes(changed))


def test_pieces_that_are_cut_off_moved_doubled_or_added_are_noticed():
    sealed = seal(bytes(3 * PIECE + 100))
    start, size = len(SEALED_START) + 23, PIECE + 16
    pieces = [sealed[n : n + size] for n in range(start, len(sealed), size)]
    assert len(pieces) == 4
    for wrong in (
        pieces[:3],
        pieces[:1],
        [],
        pieces[1:],
        [pieces[1], pieces[0], *pieces[2:]],
        [pieces[0], *pieces],
        [*pieces, pieces[3]],
        [*pieces[:3], pieces[3][:-1]],
    ):
        with pytest.raises(DataError):
            unseal(sealed[:start] + b"".join(wrong))


def test_a_stream_whose_last_piece_is_missing_altogether_is_refused():
    sealed = seal(b"x")
    with pytest.raises(DataError):
        Unsealing(io.BytesIO(sealed[: len(SEALED_START) + 23]), PASSPHRASE).read(1)


@pytest.mark.parametrize("weak", ["", "short", "x" * 40, "eleven-char"])
def test_a_weak_passphrase_is_refused(weak):
    with pytest.raises(AccessError):
        Sealing(io.BytesIO(), weak)


def test_a_passphrase_may_be_typed_on_any_keyboard():
    assert unseal(seal(b"x", "café au lait für zwei"), "cafe\u0301 au lait fu\u0308r zwei") == b"x"


def test_the_key_is_that_of_rfc_9106(monkeypatch):
    from argon2.low_level import Type, hash_secret_raw

    asked = {}

    def derive(secret, salt, **parameters):
        asked.update(parameters)
        return hash_secret_raw(secret, salt, **(parameters | {"memory_cost": 64}))

    monkeypatch.undo()
    monkeypatch.setattr(module, "hash_secret_raw", derive)
    seal(b"x")
    assert asked == {
        "time_cost": 3,
        "memory_cost": 65536,
        "parallelism": 4,
        "hash_len": 32,
        "type": Type.ID,
    }


def test_a_large_file_needs_little_memory():
    class Nowhere:
        def write(self, data):
            pass

    sealing = Sealing(Nowhere(), PASSPHRASE)
    tracemalloc.start()
    for _ in range(64):
        sealing.write(bytes(2**20))
    sealing.finish()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20
