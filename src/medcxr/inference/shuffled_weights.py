"""A graph that has forgotten all it learned: each of its weights, at another's place."""

from collections.abc import Mapping

import numpy as np

from medcxr.inference.onnx_tensors import FLOAT, FLOAT16, tensors

__all__ = ["shuffle_weights"]

_TYPES: Mapping[int, "np.dtype[np.unsignedinteger]"] = {
    FLOAT: np.dtype(np.uint32),  # as bits: only moved, never computed
    FLOAT16: np.dtype(np.uint16),
}
_LEAST_VALUES = 8  # smaller tensors are constants of an operation, like the scale of a resizing


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
    for one in tensors(graph):
        kind = _TYPES.get(one.data_type)
        if kind is not None and one.stop - one.start >= _LEAST_VALUES * kind.itemsize:
            values = np.frombuffer(graph[one.start : one.stop], dtype=kind)
            changed[one.start : one.stop] = random.permutation(values).tobytes()
    return bytes(changed)
