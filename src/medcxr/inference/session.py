"""ONNX Runtime's only home: arrays in, arrays out."""

import os
from pathlib import Path

import numpy as np
import onnxruntime

from medcxr.core.arrays import FloatArray
from medcxr.core.errors import ModelError

__all__ = ["OnnxSession"]

_INPUT = "image"
_OUTPUTS = ["logits", "maps"]


class OnnxSession:
    """A graph `image -> logits, maps` on the CPU.

    Args:
        path: the ONNX file.
        threads: cores to use; None uses those that this process may use.

    Raises:
        ModelError: the file is no graph, or one with other inputs or outputs.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or _available_cores()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; warnings about shapes help nobody
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's exceptions have no common public class
            raise ModelError(
                f"{path.name} is not a graph that ONNX Runtime can load; reinstall the model."
            ) from error
        inputs = [value.name for value in self._session.get_inputs()]
        outputs = [value.name for value in self._session.get_outputs()]
        if inputs != [_INPUT] or outputs != _OUTPUTS:
            raise ModelError(
                f"{path.name} maps {inputs} to {outputs} and must map ['{_INPUT}'] to {_OUTPUTS}; "
                "reinstall the model."
            )

    def run(self, inputs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Run a batch.

        Args:
            inputs: (B, channels, size, size), as `Preprocessing.apply` makes each.

        Returns:
            Logits (B, findings) and maps (B, findings, grid, grid); a map's sum is its logit.

        Raises:
            ModelError: the shape does not fit the graph, or a result is not a number.
        """
        try:
            logits, maps = self._session.run(_OUTPUTS, {_INPUT: inputs.astype(np.float32)})
        except Exception as error:  # as above
            raise ModelError(
                f"The model cannot take an input of shape {inputs.shape}; its manifest and its "
                "graph disagree. Reinstall the model."
            ) from error
        if not (np.isfinite(logits).all() and np.isfinite(maps).all()):
            raise ModelError(
                "The model gave a result that is not a number; do not use it, reinstall the model."
            )
        return logits, maps


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
