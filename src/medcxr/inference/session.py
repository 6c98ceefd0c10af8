"""A model's graph, checked: arrays in, arrays out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medcxr.core.arrays import FloatArray
from medcxr.core.cores import available_cores
from medcxr.core.errors import MissingExtra, ModelError
from medcxr.core.runtime import Runtime
from medcxr.inference.graph_names import IMAGE_INPUT, MODEL_OUTPUTS, OUTLINES_OUTPUT, WHOLE_INPUT
from medcxr.inference.loaded_graph import load_graph

__all__ = ["MODEL_OUTPUTS", "OUTLINES_OUTPUT", "WHOLE_INPUT", "OnnxSession"]


class OnnxSession:
    """A graph `image -> outputs` on the CPU; some can be asked for a quick look too.

    Args:
        path: the ONNX file.
        graph: what to run in the place of the file's bytes; None reads the file.
        outputs: names of what the graph gives, in order.
        threads: cores to use; None uses those that this process may use.
        runtime: what computes it.

    Raises:
        ModelError: the file is no graph, or one with other inputs or outputs.
        MissingExtra: the runtime is not installed.
    """

    def __init__(
        self,
        path: Path,
        *,
        graph: bytes | None = None,
        outputs: Sequence[str] = MODEL_OUTPUTS,
        threads: int | None = None,
        runtime: Runtime = Runtime.ONNX_RUNTIME,
    ) -> None:
        self._outputs = list(outputs)
        try:
            self._graph = load_graph(
                path.read_bytes() if graph is None else graph,
                runtime=runtime,
                threads=threads or available_cores(),
            )
        except MissingExtra:
            raise
        except Exception as error:  # the runtimes' exceptions have no common public class
            raise ModelError(
                "{path} is not a graph that {runtime} can load; reinstall the model.",
                path=path.name,
                runtime=runtime.full_name,
            ) from error
        names, found = self._graph.inputs, self._graph.outputs
        if names != [IMAGE_INPUT] or found != self._outputs:
            raise ModelError(
                "{path} maps {names} to {found} and must map ['{input}'] to "
                "{outputs}; reinstall the model.",
                path=path.name,
                names=names,
                found=found,
                input=IMAGE_INPUT,
                outputs=self._outputs,
            )
        self.has_quick_look = self._graph.has_quick_look

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
        return self._run(inputs, self._outputs, whole=True)

    def run_quickly(self, inputs: FloatArray) -> tuple[FloatArray, ...]:
        """Run a batch through those networks of a model that a quick look asks.

        Args:
            inputs: as for `run`.

        Returns:
            Logits and maps; those of a whole look where the graph has no quick one.

        Raises:
            ModelError: as for `run`.
        """
        return self._run(inputs, MODEL_OUTPUTS, whole=not self.has_quick_look)

    def _run(
        self, inputs: FloatArray, outputs: Sequence[str], *, whole: bool
    ) -> tuple[FloatArray, ...]:
        try:
            results = self._graph.compute(inputs.astype(np.float32), outputs, whole=whole)
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
