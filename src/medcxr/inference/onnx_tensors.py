"""Where the constants of an ONNX file lie, found without the ONNX library."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from medcxr.core.errors import ModelError

__all__ = ["BOOL", "FLOAT", "FLOAT16", "Tensor", "tensors"]

FLOAT, BOOL, FLOAT16 = 1, 9, 10
"""TensorProto.DataType."""

# Fields of ONNX's protocol buffers (onnx.proto3): ModelProto.graph, GraphProto.node and
# initializer, NodeProto.attribute, AttributeProto.g and graphs, and of TensorProto data_type, name
# and raw_data.
_GRAPH, _NODE, _INITIALIZER, _ATTRIBUTE, _SUBGRAPHS = 7, 1, 5, 5, (6, 11)
_DATA_TYPE, _NAME, _RAW_DATA = 2, 8, 9
_DEEPEST = 16  # graphs within graphs: a file that is made to do harm could nest them without end
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One constant.

    Attributes:
        name: in the graph.
        data_type: of its values, by ONNX's numbers.
        start: of its values in the file.
        stop: after their end.
    """

    name: str
    data_type: int
    start: int
    stop: int


def tensors(graph: bytes) -> Iterator[Tensor]:
    """Yield the constants of an ONNX file, those of the branches within a graph after its own.

    Raises:
        ModelError: the bytes are no ONNX file, or its graphs are nested too deeply.
    """
    try:
        for found in _inside(graph, [(0, len(graph))], _GRAPH):
            yield from _tensors_of(graph, found, _DEEPEST)
    except (IndexError, ValueError) as error:
        raise ModelError("The model's graph is damaged; reinstall the model.") from error


def _tensors_of(graph: bytes, found: tuple[int, int], depth: int) -> Iterator[Tensor]:
    if not depth:
        raise ValueError(depth)
    for first, last in _inside(graph, [found], _INITIALIZER):
        yield _tensor(graph, first, last)
    attributes = _inside(graph, _inside(graph, [found], _NODE), _ATTRIBUTE)
    for inner in _inside(graph, attributes, *_SUBGRAPHS):
        yield from _tensors_of(graph, inner, depth - 1)


def _tensor(graph: bytes, first: int, last: int) -> Tensor:
    parts = {name: (begin, end) for name, begin, end in _fields(graph, first, last)}
    nothing = (first, first)
    name, values = parts.get(_NAME, nothing), parts.get(_RAW_DATA, nothing)
    kind = _varint(graph, parts[_DATA_TYPE][0])[0] if _DATA_TYPE in parts else 0
    return Tensor(
        name=graph[slice(*name)].decode(), data_type=kind, start=values[0], stop=values[1]
    )


def _inside(
    data: bytes, messages: Iterable[tuple[int, int]], *wanted: int
) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the values that messages have in some fields."""
    for start, stop in messages:
        for field, first, last in _fields(data, start, stop):
            if field in wanted:
                yield first, last


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
