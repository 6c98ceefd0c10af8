"""ONNX Runtime's home: the runtime that is always there."""

from collections.abc import Sequence

import numpy as np
import onnxruntime

from medcxr.core.arrays import FloatArray
from medcxr.inference.graph_names import IMAGE_INPUT, WHOLE_INPUT

__all__ = ["OnnxRuntimeGraph"]

onnxruntime.disable_telemetry_events()  # on Windows, where no variable of the environment asks for it


class OnnxRuntimeGraph:
    """A graph in ONNX Runtime, on the CPU.

    Args:
        graph: the ONNX file's bytes.
        threads: cores to use.
    """

    def __init__(self, graph: bytes, *, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that wait for each other within a run spin for 0.1 ms and then sleep, and sleep after
        # it: waking costs a tenth of a map's time at rest, and spinning on would take a core from
        # whoever else is analyzing or training, and from each other (docs/adr/0037).
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.add_session_config_entry("session.intra_op.spin_duration_us", "100")
        options.log_severity_level = 3  # errors; warnings about shapes help nobody
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self.inputs = [value.name for value in self._session.get_inputs()]
        self.outputs = [value.name for value in self._session.get_outputs()]
        chosen = [(one.name, one.type) for one in self._session.get_overridable_initializers()]
        self.has_quick_look = (WHOLE_INPUT, "tensor(bool)") in chosen

    def compute(
        self, inputs: FloatArray, outputs: Sequence[str], *, whole: bool
    ) -> list[FloatArray]:
        """Run a batch; as `LoadedGraph` says."""
        choice = {} if whole else {WHOLE_INPUT: np.zeros((), dtype=np.bool_)}
        results: list[FloatArray] = self._session.run(
            list(outputs), {IMAGE_INPUT: inputs, **choice}
        )
        return results
