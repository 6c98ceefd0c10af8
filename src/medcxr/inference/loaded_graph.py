"""A graph that a runtime has loaded, whichever runtime that is."""

from collections.abc import Sequence
from typing import Protocol

from medcxr.core.arrays import FloatArray
from medcxr.core.runtime import Runtime
from medcxr.inference.onnx_runtime import OnnxRuntimeGraph
from medcxr.inference.openvino_graph import OpenVinoGraph

__all__ = ["LoadedGraph", "load_graph"]


class LoadedGraph(Protocol):
    """Arrays in, arrays out; several threads may use it at once.

    Attributes:
        inputs: names of what must be given.
        outputs: names of what it gives.
        has_quick_look: whether it can be asked for a quick look.
    """

    inputs: list[str]
    outputs: list[str]
    has_quick_look: bool

    def compute(
        self, inputs: FloatArray, outputs: Sequence[str], *, whole: bool
    ) -> list[FloatArray]:
        """Run a batch.

        Args:
            inputs: (B, channels, size, size), of the input.
            outputs: names of those that are wanted; no others are computed.
            whole: False asks for a quick look, of a graph that has one.
        """
        ...


def load_graph(graph: bytes, *, runtime: Runtime, threads: int) -> LoadedGraph:
    """Load an ONNX file.

    Args:
        graph: the file's bytes.
        runtime: what is to compute it.
        threads: cores to use.

    Raises:
        MissingExtra: the runtime is not installed.
    """
    if runtime is Runtime.OPENVINO:
        return OpenVinoGraph(graph, threads=threads)
    return OnnxRuntimeGraph(graph, threads=threads)
