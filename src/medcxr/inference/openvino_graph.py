"""OpenVINO's home: another runtime, for whoever installs it."""

import io
import sys
from collections.abc import Sequence
from threading import Lock
from typing import Any, TypeAlias

import numpy as np

from medcxr.core.arrays import FloatArray
from medcxr.core.errors import MissingExtra
from medcxr.core.runtime import RUNTIME_VARIABLE
from medcxr.inference.graph_names import IMAGE_INPUT, WHOLE_INPUT
from medcxr.inference.onnx_tensors import BOOL, tensors

__all__ = ["OpenVinoGraph"]

_CONVERTERS = "openvino.tools.ovc"
_FIRST_USE = Lock()
_Kind: TypeAlias = "tuple[tuple[str, ...], tuple[int, ...], bool]"


class OpenVinoGraph:
    """A graph in OpenVINO, on the CPU and in float32 where the processor would take less too.

    Each image is computed alone: a graph of a fixed shape is quicker than one for batches of any
    size, and a batch is no quicker on a CPU than its images one by one.

    Args:
        graph: the ONNX file's bytes.
        threads: cores to use.

    Raises:
        MissingExtra: OpenVINO is not installed.
    """

    def __init__(self, graph: bytes, *, threads: int) -> None:
        self._library = _openvino()
        self._core = self._library.Core()
        self._graph, self._threads = graph, threads
        model = self._read(graph)
        self.inputs = [one.any_name for one in model.inputs]
        self.outputs = [one.any_name for one in model.outputs]
        # the input with a default is a constant to OpenVINO, which only the file can change
        self._choice = _place_of_choice(graph)
        self.has_quick_look = self._choice is not None
        self._compiling = Lock()
        self._compiled: dict[_Kind, Any] = {}

    def compute(
        self, inputs: FloatArray, outputs: Sequence[str], *, whole: bool
    ) -> list[FloatArray]:
        """Run a batch; as `LoadedGraph` says."""
        kind = (tuple(outputs), (1, *inputs.shape[1:]), whole)
        with self._compiling:  # so that threads that come together compile it once
            if kind not in self._compiled:
                self._compiled[kind] = self._compile(*kind)
        request = self._compiled[kind].create_infer_request()  # one takes one thread at a time
        rows = []
        for image in inputs:
            answer = request.infer([np.ascontiguousarray(image[np.newaxis])])
            rows.append([np.array(answer[index]) for index in range(len(outputs))])
        return [np.concatenate(column) for column in zip(*rows, strict=True)]

    def _read(self, graph: bytes) -> Any:  # noqa: ANN401 - another runtime's class
        return self._core.read_model(io.BytesIO(graph))

    def _compile(self, outputs: tuple[str, ...], shape: tuple[int, ...], whole: bool) -> Any:  # noqa: ANN401, FBT001
        model = self._read(self._graph if whole else self._quick())
        results = [model.get_results()[self.outputs.index(name)] for name in outputs]
        wanted = self._library.Model(results, model.get_parameters(), IMAGE_INPUT)
        if not wanted.inputs[0].partial_shape.compatible(self._library.PartialShape(shape)):
            raise ValueError(shape)  # to reshape would make another graph
        wanted.reshape({IMAGE_INPUT: list(shape)})
        compiled = self._core.compile_model(
            wanted,
            "CPU",
            {
                "INFERENCE_NUM_THREADS": self._threads,
                "NUM_STREAMS": 1,
                "INFERENCE_PRECISION_HINT": "f32",
                "ENABLE_CPU_PINNING": False,  # others share the cores
            },
        )
        # What the library makes when it is first used, it makes holding Python's lock: threads that
        # come together for the first time could wait for each other for ever.
        with _FIRST_USE:
            answer = compiled.create_infer_request().infer([np.zeros(shape, np.float32)])
            np.array(answer[0])
        return compiled

    def _quick(self) -> bytes:
        changed = bytearray(self._graph)
        if self._choice is not None:
            changed[self._choice] = 0
        return bytes(changed)


def _openvino() -> Any:  # noqa: ANN401 - a module
    """Load the library without its converters, which bring what sends telemetry with them."""
    sys.modules.setdefault(_CONVERTERS, None)  # type: ignore[arg-type]  # makes its import fail
    try:
        import openvino  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "The runtime OpenVINO was asked for and is not installed; install the extra: "
            "pip install 'medcxr[openvino]', or take {setting} out of the environment.",
            setting=RUNTIME_VARIABLE,
        ) from error
    return openvino


def _place_of_choice(graph: bytes) -> int | None:
    """Return where the file says that a look is whole unless a quick one is asked for."""
    found = [one for one in tensors(graph) if (one.name, one.data_type) == (WHOLE_INPUT, BOOL)]
    return found[0].start if [one.stop - one.start for one in found] == [1] else None
