"""From a trained network to files that run without torch, proved equal to it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from medcxr.core.errors import ModelError
from medcxr.inference.session import OnnxSession
from medcxr.learning.image_set import ImageSet
from medcxr.storage.atomic import write_bytes_atomically

__all__ = ["export_onnx", "export_weights"]

_TOLERANCE = 1e-3  # of a logit; float32 sums in another order differ by about 1e-5
_PARITY_IMAGES = 8


def export_onnx(
    network: nn.Module,
    path: Path,
    *,
    images: ImageSet,
    rows: Sequence[int],
    n_findings: int,
) -> float:
    """Write the graph `image -> logits, maps` without the auxiliary outputs.

    Args:
        network: in evaluation mode, on the CPU.
        path: the file to write.
        images: of which some are run through both, to compare.
        rows: images to choose from.
        n_findings: outputs to keep.

    Returns:
        The largest difference between a logit of the graph and of the network.

    Raises:
        ModelError: they differ by more than 0.001.
    """
    findings_only = _FindingsOnly(network, n_findings).eval()
    chosen = list(rows)[:: max(1, len(rows) // _PARITY_IMAGES)][:_PARITY_IMAGES]
    inputs = np.stack([images.input(row) for row in chosen])
    example = torch.from_numpy(np.concatenate([inputs[:1], inputs[:1]]))
    program = torch.onnx.export(
        findings_only,
        (example,),
        dynamo=True,
        input_names=["image"],
        output_names=["logits", "maps"],
        dynamic_shapes={"x": {0: torch.export.Dim("batch", min=1, max=4096)}},
        verbose=False,
    )
    if program is None:
        raise ModelError("The network could not be exported to ONNX; report the configuration.")
    write_bytes_atomically(path, program.model_proto.SerializeToString())
    return _largest_difference(findings_only, path, inputs)


def export_weights(network: nn.Module, path: Path) -> None:
    """Write all weights, auxiliary outputs included, to start another training from."""
    state = {k: v.detach().cpu().contiguous().clone() for k, v in network.state_dict().items()}
    write_bytes_atomically(path, save(state))


class _FindingsOnly(nn.Module):
    def __init__(self, network: nn.Module, n_findings: int) -> None:
        super().__init__()
        self.network = network
        self.n_findings = n_findings

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, S, S) -> (B, n_findings), (B, n_findings, grid, grid)."""
        logits, maps = self.network(x)
        return logits[:, : self.n_findings], maps[:, : self.n_findings]


@torch.inference_mode()
def _largest_difference(network: nn.Module, path: Path, inputs: np.ndarray) -> float:
    session = OnnxSession(path)
    worst = 0.0
    for image in inputs:  # one at a time and all at once: the batch must not matter
        worst = max(worst, _difference(network, session, image[np.newaxis]))
    worst = max(worst, _difference(network, session, inputs))
    if not worst <= _TOLERANCE:
        raise ModelError(
            f"The exported graph differs from the network by {worst:g} in a logit, more than "
            f"{_TOLERANCE:g}; it was not kept. Update torch and onnxruntime, then run again."
        )
    return worst


def _difference(network: nn.Module, session: OnnxSession, inputs: np.ndarray) -> float:
    expected, _ = network(torch.from_numpy(inputs))
    logits, maps = session.run(inputs)
    off = np.abs(logits - expected.numpy()).max()
    return float(max(off, np.abs(maps.sum(axis=(-2, -1)) - logits).max()))
