"""A graph that has forgotten all it learned: each of its weights, at another's place."""

from collections.abc import Iterator

import numpy as np

from medcxr.core.errors import ModelError

__all__ = ["shuffle_weights"]

# Fields of ONNX's protocol buffers (onnx.proto3): ModelProto.graph, GraphProto.initializer, and of
# TensorProto data_type and raw_data; FLOAT and FLOAT16 are the types of weights.
_GRAPH, _INITIALIZER, _DATA_TYPE, _RAW_DATA = 7, 5, 2, 9
_TYPES = {1: np.dtype("<u4"), 10: np.dtype("<u2")}  # as bit patterns: only moved, never computed
_LEAST_VALUES = 8  # smaller tensors are constants of an operation, like the scale of a resizing

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types


def shuffle_weights(graph: bytes, seed: int) -> bytes:
    """Return an ONNX graph in which the values of each tensor of weights are permuted.

    So the weights keep their sizes and what they are made of, and lose what they know. The file is
    changed in place, since the light install cannot write ONNX.

    Args:
        graph: the file's bytes.
        seed: of the permutations.

    Raises:
        ModelError: the bytes are no ONNX file.

    Source: Adebayo et al. 2018, "Sanity checks for saliency maps", section 3 (independent
    randomization, of all layers).
    """
    changed = bytearray(graph)
    random = np.random.default_rng(seed)
    try:
        for start, stop, kind in _weights(graph):
            values = np.frombuffer(graph[start:stop], dtype=kind)
            changed[start:stop] = random.permutation(values).tobytes()
    except (IndexError, ValueError) as error:
        raise ModelError("The model's graph is damaged; reinstall the model.") from error
    return bytes(changed)


def _weights(data: bytes) -> Iterator[tuple[int, int, "np.dtype[np.unsignedinteger]"]]:
    """Yield where the values of each tensor of weights lie, and their type."""
    for field, start, stop in _fields(data, 0, len(data)):
        if field != _GRAPH:
            continue
        for inner, first, last in _fields(data, start, stop):
            if inner != _INITIALIZER:
                continue
            parts = {name: (begin, end) for name, begin, end in _fields(data, first, last)}
            kind = (
                _TYPES.get(_varint(data, parts[_DATA_TYPE][0])[0]) if _DATA_TYPE in parts else None
            )
            begin, end = parts.get(_RAW_DATA, (0, 0))
            if kind is not None and end - begin >= _LEAST_VALUES * kind.itemsize:
                yield begin, end, kind


def _fields(data: bytes, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, begin and end of each field's value.

    Source: the encoding of protocol buffers, protobuf.dev/programming-guides/encoding.
    """
    while start < stop:
        tag, start = _varint(data, start)
        wire = tag & 7
        if wire == _BYTES:
            length, start = _varint(data, start)
        elif wire == _VARINT:
            length = _varint(data, start)[1] - start
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(wire)
        if start + length > stop:
            raise ValueError(length)
        yield tag >> 3, start, start + length
        start += length


def _varint(data: bytes, start: int) -> tuple[int, int]:
    """Return a number and where it ends."""
    value = shift = 0
    while True:
        byte = data[start]
        value |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if not byte & 0x80:
            return value, start
