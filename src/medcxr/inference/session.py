"""ONNX Runtime's only home: arrays in, arrays out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from medcxr.core.arrays import FloatArray
from medcxr.core.cores import available_cores
from medcxr.core.errors import ModelError

__all__ = ["MODEL_OUTPUTS", "OUTLINES_OUTPUT", "WHOLE_INPUT", "OnnxSession"]

_INPUT = "image"
WHOLE_INPUT = "whole"  # true by default; false asks for a quick look
MODEL_OUTPUTS = ("logits", "maps")
OUTLINES_OUTPUT = "outlines"


class OnnxSession:
    """A graph `image -> outputs` on the CPU; some can be asked for a quick look too.

    Args:
        path: the ONNX file.
        graph: what to run in the place of the file's bytes; None reads the file.
        outputs: names of what the graph gives, in order.
        threads: cores to use; None uses those that this process may use.

    Raises:
        ModelError: the file is no graph, or one with other inputs or outputs.
    """

    def __init__(
        self,
        path: Path,
        *,
        graph: bytes | None = None,
        outputs: Sequence[str] = MODEL_OUTPUTS,
        threads: int | None = None,
    ) -> None:
        self._outputs = list(outputs)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.inter_op_num_threads = 1
        # Threads spin within a run, which saves a tenth of a map's time, and sleep after it: spinning
        # on, they would take a core from whoever else is analyzing.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.log_severity_level = 3  # errors; warnings about shapes help nobody
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes() if graph is None else graph,
                options,
                providers=["CPUExecutionProvider"],
            )
        except Exception as error:  # ONNX Runtime's exceptions have no common public class
            raise ModelError(
                "{path} is not a graph that ONNX Runtime can load; reinstall the model.",
                path=path.name,
            ) from error
        names = [value.name for value in self._session.get_inputs()]
        found = [value.name for value in self._session.get_outputs()]
        if names != [_INPUT] or found != self._outputs:
            raise ModelError(
                "{path} maps {names} to {found} and must map ['{input}'] to "
                "{outputs}; reinstall the model.",
                path=path.name,
                names=names,
                found=found,
                input=_INPUT,
                outputs=self._outputs,
            )
        chosen = [(one.name, one.type) for one in self._session.get_overridable_initializers()]
        self.has_quick_look = (WHOLE_INPUT, "tensor(bool)") in chosen

    def run(self, inputs: FloatArray) -> tuple[FloatArray, ...]:
        """Run a batch.

        Args:
            inputs: (B, channels, size, size), as `Preprocessing.apply` makes each.

        Returns:
            The outputs in order; of a model logits (B, findings) and maps (B, findings, grid,
            grid), where a map's sum is its logit, and outlines if it has them.

        Raises:
            ModelError: the shape does not fit the graph, or a result is not a number.
        """
        return self._run(inputs, self._outputs, {})

    def run_quickly(self, inputs: FloatArray) -> tuple[FloatArray, ...]:
        """Run a batch through those networks of a model that a quick look asks.

        Args:
            inputs: as for `run`.

        Returns:
            Logits and maps; those of a whole look where the graph has no quick one.

        Raises:
            ModelError: as for `run`.
        """
        choice = {WHOLE_INPUT: np.zeros((), dtype=np.bool_)} if self.has_quick_look else {}
        return self._run(inputs, MODEL_OUTPUTS, choice)

    def _run(
        self, inputs: FloatArray, outputs: Sequence[str], choice: Mapping[str, np.ndarray]
    ) -> tuple[FloatArray, ...]:
        feeds = {_INPUT: inputs.astype(np.float32), **choice}
        try:
            results = self._session.run(list(outputs), feeds)
        except Exception as error:  # as above
            raise ModelError(
                "The model cannot take an input of shape {shape}; its manifest and its "
                "graph disagree. Reinstall the model.",
                shape=inputs.shape,
            ) from error
        if not all(np.isfinite(result).all() for result in results):
            raise ModelError(
                "The model gave a result that is not a number; do not use it, reinstall the model."
            )
        return tuple(results)
