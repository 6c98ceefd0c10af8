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
from medcxr.learning.branches import choose_look
from medcxr.learning.image_set import ImageSet
from medcxr.learning.quick_look import both_looks, n_quick_networks
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

    Of several networks it can be asked for a quick look too: `medcxr.learning.quick_look`.

    Args:
        network: in evaluation mode, on the CPU.
        path: the file to write.
        images: of which some are run through both, to compare.
        rows: images to choose from.
        n_findings: outputs to keep.
        halve: store weights as float16.
        outlined: the network gives outlines too.

    Returns:
        The largest difference between a logit of the graph and of the network, in either look.

    Raises:
        ModelError: they differ by more than 0.001, or by more than 0.02 with halved weights.
    """
    quick = n_quick_networks(network) > 0
    findings_only = _FindingsOnly(network, n_findings, quick=quick).eval()
    chosen = list(rows)[:: max(1, len(rows) // _PARITY_IMAGES)][:_PARITY_IMAGES]
    inputs = np.stack([images.input(row) for row in chosen])
    example = torch.from_numpy(np.concatenate([inputs[:1], inputs[:1]]))
    outputs = (*MODEL_OUTPUTS, OUTLINES_OUTPUT) if outlined else MODEL_OUTPUTS
    n_quick = len(MODEL_OUTPUTS) if quick else 0
    write_graph(findings_only, path, example, outputs, n_quick=n_quick, halve=halve)
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
    n_quick: int = 0,
    halve: bool = False,
) -> None:
    """Write the graph `image -> outputs` for batches of any size.

    Args:
        network: in evaluation mode, on the CPU; its one argument is called x.
        path: the file to write.
        example: (2, channels, size, size).
        output_names: of what the graph gives, one for each output of the network.
        n_quick: outputs that the network gives besides, which a quick look gives in the place of
            the first ones.
        halve: store weights as float16 and compute with them as float32.

    Raises:
        ModelError: the network cannot be exported.
    """
    names = list(output_names)
    if n_quick:
        names = [
            f"{kind} {name}"
            for kind, some in (("whole", names), ("quick", names[:n_quick]))
            for name in some
        ]
    with _quiet_exporter():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            input_names=["image"],
            output_names=names,
            dynamic_shapes={"x": {0: torch.export.Dim("batch", min=1, max=4096)}},
            verbose=False,
        )
    if program is None:
        raise ModelError("The network could not be exported to ONNX; report the configuration.")
    model = _without_traces(program.model_proto)
    if halve:
        _halve(model.graph)
    if n_quick:
        choose_look(model, output_names, n_quick=n_quick)
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
    def __init__(self, network: nn.Module, n_findings: int, *, quick: bool) -> None:
        super().__init__()
        self.network = network
        self.n_findings = n_findings
        self.quick = quick

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, C, S, S) -> (B, n_findings), (B, n_findings, grid, grid), and any outlines.

        Then logits and maps of the quick look, if there is one.
        """
        if not self.quick:
            return self._kept(self.network(x))
        looks = both_looks(self.network, x)
        return *self._kept(looks.whole), *self._kept(looks.quick)

    def _kept(self, answer: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        logits, maps, *outlines = answer
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
    wanted = [one.numpy() for one in network(torch.from_numpy(inputs))]
    found = session.run(inputs)
    evidence = [(*found[: len(MODEL_OUTPUTS)], wanted[0])]
    if session.has_quick_look:
        evidence.append((*session.run_quickly(inputs), wanted[len(found)]))
    off = [np.abs(logits - expected).max() for logits, _, expected in evidence]
    off += [np.abs(maps.sum(axis=(-2, -1)) - logits).max() for logits, maps, _ in evidence]
    # single pixels at an edge may differ more; what matters is that the whole is the same
    for outlines in range(len(MODEL_OUTPUTS), len(found)):
        off.append(np.abs(found[outlines] - wanted[outlines]).mean())
    return float(np.max(off))
