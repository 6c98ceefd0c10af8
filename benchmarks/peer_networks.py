"""A DenseNet-121 to compare with, and the model's own networks, in torch and as graphs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from monai.networks.nets import DenseNet121
from torch import nn

from medcxr.core.arrays import FloatArray
from medcxr.inference.session import MODEL_OUTPUTS
from medcxr.learning.export import write_graph
from medcxr.learning.rebuilding import load_network
from medcxr.registry.bundle import ModelBundle

__all__ = [
    "Graph",
    "densenet_graph",
    "densenet_in_torch",
    "network_in_torch",
    "parts_of",
    "use_threads",
]

_LABELS = 14  # as CheXNet has


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A written graph.

    Attributes:
        path: of the file.
        outputs: that it gives.
    """

    path: Path
    outputs: tuple[str, ...]


def use_threads(threads: int) -> None:
    """Let torch compute on so many cores."""
    torch.set_num_threads(threads)


def densenet_graph(folder: Path) -> Path:
    """Write the DenseNet-121 as a graph, unless it is there."""
    path = folder / "densenet121.onnx"
    if not path.exists():
        write_graph(_densenet(), path, torch.zeros(2, 3, 224, 224), ["logits"])
    return path


def densenet_in_torch() -> Callable[[FloatArray], object]:
    """Return the same network, computed by torch."""
    return _computed(_densenet())


def network_in_torch(bundle: ModelBundle) -> Callable[[FloatArray], object]:
    """Return what the bundle's graph was written from, computed by torch."""
    return _computed(load_network(bundle))


def parts_of(bundle: ModelBundle, inputs: FloatArray, folder: Path) -> dict[str, Graph]:
    """Write the parts of which the model is made, each as a graph of its own, unless they are there.

    Returns:
        Name -> graph: each recipe's networks, and the network that outlines.
    """
    network: Any = load_network(bundle)
    parts: dict[str, tuple[nn.Module, tuple[str, ...]]] = {
        f"recipe {number} in ONNX Runtime, alone": (member, MODEL_OUTPUTS)
        for number, member in enumerate(network.reader.members, start=1)
    }
    parts["outlines in ONNX Runtime, alone"] = (network.outliner, ("outlines",))
    graphs = {}
    for index, (name, (part, outputs)) in enumerate(parts.items()):
        graphs[name] = Graph(path=folder / f"part-{index}.onnx", outputs=outputs)
        if not graphs[name].path.exists():
            write_graph(part, graphs[name].path, torch.from_numpy(inputs[:2]), outputs)
    return graphs


class _Named(nn.Module):
    """A network whose argument is called x, as `write_graph` needs it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> Any:  # noqa: ANN401 - whatever the network gives
        """Return what the network gives."""
        return self.network(x)


def _densenet() -> nn.Module:
    torch.manual_seed(0)
    return _Named(DenseNet121(spatial_dims=2, in_channels=3, out_channels=_LABELS)).eval()


def _computed(network: nn.Module) -> Callable[[FloatArray], object]:
    @torch.inference_mode()
    def compute(inputs: FloatArray) -> object:
        return network(torch.from_numpy(inputs))

    return compute
