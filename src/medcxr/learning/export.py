"""From a trained network to files that run without torch, proved equal to it."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save
from torch import Tensor, nn

from medcxr.core.errors import ModelError
from medcxr.inference.session import MODEL_OUTPUTS, OUTLINES_OUTPUT, OnnxSession
from medcxr.learning.image_set import ImageSet
from medcxr.storage.atomic import write_bytes_atomically

__all__ = ["export_onnx", "export_weights", "round_weights", "write_graph"]

_TOLERANCE = 1e-3  # of a logit; float32 sums in another order differ by about 1e-5
_HALVED_TOLERANCE = (
    0.02  # weights rounded to 1 part in 2,000; 0.02 is 0.5% of a probability at most
)
_PARITY_IMAGES = 8
_WORTH_HALVING = 4096  # values; the small filters and norms stay exact, which matters more
_EXPORTER_LOGGER = "torch.onnx._internal.exporter._registration"
_DEPRECATED_INSIDE_TORCH = r"`isinstance\(treespec, LeafSpec\)` is deprecated"


def export_onnx(
    network: nn.Module,
    path: Path,
    *,
    images: ImageSet,
    rows: Sequence[int],
    n_findings: int,
    halve: bool = False,
    outlined: bool = False,
) -> float:
    """Write the graph `image -> logits, maps` without the auxiliary outputs.

    Args:
        network: in evaluation mode, on the CPU.
        path: the file to write.
        images: of which some are run through both, to compare.
        rows: images to choose from.
        n_findings: outputs to keep.
        halve: store weights as float16.
        outlined: the network gives outlines too.

    Returns:
        The largest difference between a logit of the graph and of the network.

    Raises:
        ModelError: they differ by more than 0.001, or by more than 0.02 with halved weights.
    """
    findings_only = _FindingsOnly(network, n_findings).eval()
    chosen = list(rows)[:: max(1, len(rows) // _PARITY_IMAGES)][:_PARITY_IMAGES]
    inputs = np.stack([images.input(row) for row in chosen])
    example = torch.from_numpy(np.concatenate([inputs[:1], inputs[:1]]))
    outputs = (*MODEL_OUTPUTS, OUTLINES_OUTPUT) if outlined else MODEL_OUTPUTS
    write_graph(findings_only, path, example, outputs, halve=halve)
    difference = _largest_difference(findings_only, path, inputs, outputs)
    tolerance = _HALVED_TOLERANCE if halve else _TOLERANCE
    if not difference <= tolerance:  # nor if it is not a number
        path.unlink()
        raise ModelError(
            f"The exported graph differs from the network by {difference:g} in a logit, more than "
            f"{tolerance:g}; it was not kept. Update torch and onnxruntime, then run again."
        )
    return difference


def write_graph(
    network: nn.Module,
    path: Path,
    example: Tensor,
    output_names: Sequence[str],
    *,
    halve: bool = False,
) -> None:
    """Write the graph `image -> outputs` for batches of any size.

    Args:
        network: in evaluation mode, on the CPU; its one argument is called x.
        path: the file to write.
        example: (2, channels, size, size).
        output_names: one for each output of the network.
        halve: store weights as float16 and compute with them as float32.

    Raises:
        ModelError: the network cannot be exported.
    """
    with _quiet_exporter():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            input_names=["image"],
            output_names=list(output_names),
            dynamic_shapes={"x": {0: torch.export.Dim("batch", min=1, max=4096)}},
            verbose=False,
        )
    if program is None:
        raise ModelError("The network could not be exported to ONNX; report the configuration.")
    model = _without_traces(program.model_proto)
    if halve:
        _halve(model.graph)
    write_bytes_atomically(path, model.SerializeToString())


def round_weights(network: nn.Module) -> None:
    """Round the weights that a halved graph rounds, so that both compute with the same ones."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.numel() >= _WORTH_HALVING:
                parameter.copy_(parameter.half().float())


def export_weights(network: nn.Module, path: Path) -> None:
    """Write all weights, auxiliary outputs included, to start another training from."""
    state = {k: v.detach().cpu().contiguous().clone() for k, v in network.state_dict().items()}
    write_bytes_atomically(path, save(state))


class _FindingsOnly(nn.Module):
    def __init__(self, network: nn.Module, n_findings: int) -> None:
        super().__init__()
        self.network = network
        self.n_findings = n_findings

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, C, S, S) -> (B, n_findings), (B, n_findings, grid, grid), and any outlines."""
        logits, maps, *outlines = self.network(x)
        return logits[:, : self.n_findings], maps[:, : self.n_findings], *outlines


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Hold back what the exporter says to its own developers."""
    logger = logging.getLogger(_EXPORTER_LOGGER)
    logger.addFilter(_is_of_use)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", _DEPRECATED_INSIDE_TORCH, FutureWarning)
            yield
    finally:
        logger.removeFilter(_is_of_use)


def _is_of_use(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("torchvision is not installed")


def _without_traces(model: Any) -> Any:  # noqa: ANN401 - protobuf's classes have no useful types
    """Take out the notes of where each node comes from: they name folders of this computer."""
    graph = model.graph
    parts = (graph.node, graph.value_info, graph.input, graph.output, graph.initializer)
    for noted in (model, graph, *(one for part in parts for one in part)):
        noted.ClearField("metadata_props")
    return model


def _halve(graph: Any) -> None:  # noqa: ANN401 - as above
    """Store large float32 constants as float16, each behind a cast that the runtime folds away."""
    for index, initializer in enumerate(graph.initializer):
        values = numpy_helper.to_array(initializer)
        if values.dtype != np.float32 or values.size < _WORTH_HALVING:
            continue
        name = initializer.name
        half = numpy_helper.from_array(values.astype(np.float16), f"{name}.half")
        graph.initializer[index].CopyFrom(half)
        cast = helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT)
        graph.node.insert(0, cast)


@torch.inference_mode()
def _largest_difference(
    network: nn.Module, path: Path, inputs: np.ndarray, outputs: Sequence[str]
) -> float:
    """Return NaN if any difference is NaN."""
    session = OnnxSession(path, outputs=outputs)
    # one at a time and all at once: the batch must not matter
    together = [image[np.newaxis] for image in inputs] + [inputs]
    return float(np.max([_difference(network, session, batch) for batch in together]))


def _difference(network: nn.Module, session: OnnxSession, inputs: np.ndarray) -> float:
    expected, _, *drawn = network(torch.from_numpy(inputs))
    logits, maps, *outlines = session.run(inputs)
    off = [np.abs(logits - expected.numpy()).max(), np.abs(maps.sum(axis=(-2, -1)) - logits).max()]
    # single pixels at an edge may differ more; what matters is that the whole is the same
    off += [
        np.abs(found - wanted.numpy()).mean() for found, wanted in zip(outlines, drawn, strict=True)
    ]
    return float(np.max(off))
