"""Explain by gradients: three published kinds of map, each on the model's grid."""

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerGradCam, NoiseTunnel, Saliency
from torch import Tensor, nn

from medcxr.core.arrays import FloatArray
from medcxr.core.errors import ModelError
from medcxr.explain.occlusion import blurred
from medcxr.explain.report import GRADCAM_MAP, INTEGRATED_MAP
from medcxr.learning.anatomy import AnatomyGuided
from medcxr.learning.ensemble import Ensemble, Mirrored, spread_out
from medcxr.learning.networks import CNNTransformerHybrid

__all__ = ["GradientMaps", "grad_cam", "integrated_gradients", "smooth_grad", "sum_cells"]

_STEPS = 64  # of the way; what so few leave out is in docs/adr/0015
_COPIES = 16  # with noise
_NOISE = 0.1  # standard deviation, of the image's range (Smilkov et al. 2017, section 3.1)
_BATCH = 4
_SEED = 0  # one radiograph, one map


class GradientMaps:
    """The maps of a network that can be differentiated.

    Gradients are those of the networks that read. What measures of the outlines add to a logit
    jumps where a column of pixels joins the heart, and no gradient tells of a jump: it is taken as
    the difference between the image and the blurred one, and laid over the heart, as in the
    model's own maps.

    Args:
        network: in evaluation mode, on the CPU; gives Evidence.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._grid = max(  # as the model's own maps
            one.grid for one in network.modules() if isinstance(one, CNNTransformerHybrid)
        )

    @torch.inference_mode()
    def logits(self, pixels: FloatArray) -> FloatArray:
        """Return (n_labels,), auxiliary ones included, of an input (C, S, S)."""
        logits = self._network(_tensor(pixels)).logits[0]
        return np.asarray(logits.numpy(), dtype=np.float32)

    def map_of(self, method: str, pixels: FloatArray, column: int) -> FloatArray:
        """Return a map, (grid, grid), signed.

        Args:
            method: one of `GRADIENT_MAPS`.
            pixels: (C, S, S), one input with equal channels.
            column: of the finding.

        Raises:
            ModelError: a gradient is not a number.
        """
        network = self._network
        evidence = np.zeros((self._grid, self._grid), dtype=np.float32)
        slope = 1.0
        if isinstance(network, AnatomyGuided):
            evidence = _measured(network, pixels, column, self._grid)
            slope, network = float(network.slopes[column]), network.reader
        if method == GRADCAM_MAP:
            read = grad_cam(network, pixels, column)
        elif method == INTEGRATED_MAP:
            read = sum_cells(integrated_gradients(network, pixels, column), self._grid)
        else:
            read = sum_cells(smooth_grad(network, pixels, column), self._grid)
        evidence += slope * read
        if not np.isfinite(evidence).all():
            raise ModelError(
                f"The {method} holds values that are not numbers; do not use the model, train it "
                "again."
            )
        return evidence


def grad_cam(network: nn.Module, pixels: FloatArray, column: int) -> FloatArray:
    """Weigh the features that the stem hands to the tokens by their mean gradients.

    The authors cut off what is negative; here it stays, as evidence against the finding. Of
    several networks the maps are averaged as their logits are.

    Args:
        network: one that reads, or an ensemble of such.
        pixels: (C, S, S), one input.
        column: of the finding.

    Returns:
        (grid, grid).

    Source: Selvaraju et al. 2017 (Grad-CAM), section 3, equations 1 and 2 without the ReLU.
    """
    x = _tensor(pixels).requires_grad_()
    return np.asarray(_grad_cam(network, x, column).detach().numpy(), dtype=np.float32)


def integrated_gradients(
    network: nn.Module, pixels: FloatArray, column: int, *, steps: int = _STEPS
) -> FloatArray:
    """Follow the gradients on the straight way from the blurred image to the image.

    The blurred image is what a place is hidden with in the tests of maps.

    Args:
        network: gives Evidence.
        pixels: (C, S, S), one input with equal channels.
        column: of the finding.
        steps: of the way.

    Returns:
        (S, S), whose sum is the image's logit less that of the blurred one, but for what few steps
        leave out.

    Source: Sundararajan et al. 2017 (Integrated Gradients), section 3; the blurred image as its
    beginning: Sturmfels et al. 2020, "Visualizing the impact of feature attribution baselines".
    """
    shares = IntegratedGradients(_OfPlane(network, len(pixels))).attribute(
        _plane(pixels).requires_grad_(),
        baselines=_plane(blurred(pixels)),
        target=column,
        n_steps=steps,
        internal_batch_size=_BATCH,
    )
    return _values(shares)


def smooth_grad(
    network: nn.Module, pixels: FloatArray, column: int, *, copies: int = _COPIES
) -> FloatArray:
    """Average the gradients of noisy copies, and multiply by what blurring would take away.

    So a pixel holds by how much the logit would fall, to first order, when it is blurred.

    Args:
        network: gives Evidence.
        pixels: (C, S, S), one input with equal channels.
        column: of the finding.
        copies: with noise, the same for the same radiograph.

    Returns:
        (S, S).

    Source: Smilkov et al. 2017 (SmoothGrad), section 2.1; the product: section 2, on the
    multiplication with the input.
    """
    tunnel = NoiseTunnel(Saliency(_OfPlane(network, len(pixels))))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        slopes = tunnel.attribute(
            _plane(pixels).requires_grad_(),
            nt_type="smoothgrad",
            nt_samples=copies,
            nt_samples_batch_size=_BATCH,
            stdevs=_NOISE * float(np.ptp(pixels)),
            target=column,
            abs=False,
        )
    return np.asarray(_values(slopes) * (pixels[0] - blurred(pixels)[0]), dtype=np.float32)


def sum_cells(values: FloatArray, grid: int) -> FloatArray:
    """Sum the pixels (S, S) of each cell to (grid, grid); cells as in `explain.occlusion`."""
    size = len(values)
    within = np.arange(size) * grid // size == np.arange(grid)[:, np.newaxis]  # (grid, size)
    return np.asarray(within @ values.astype(np.float64) @ within.T, dtype=np.float32)


class _OfPlane(nn.Module):
    """A network's logits of a plane that it sees in every channel, so that they stay equal."""

    def __init__(self, network: nn.Module, channels: int) -> None:
        super().__init__()
        self.network = network
        self.channels = channels

    def forward(self, plane: Tensor) -> Tensor:
        """(B, 1, S, S) -> (B, n_labels)."""
        logits: Tensor = self.network(plane.expand(-1, self.channels, -1, -1)).logits
        return logits


def _grad_cam(network: nn.Module, x: Tensor, column: int) -> Tensor:
    """(1, C, S, S) -> (grid, grid)."""
    if isinstance(network, Ensemble):  # whose logit is linear in those of its members
        maps = [_grad_cam(member, x, column)[None, None] for member in network.members]
        finest = max(one.shape[-1] for one in maps)
        return torch.stack([spread_out(one, finest)[0, 0] for one in maps]).mean(dim=0)
    if isinstance(network, Mirrored):
        turned = _grad_cam(network.network, x.flip(-1), column).flip(-1)
        return (_grad_cam(network.network, x, column) + turned) / 2
    score = _OfPlane(network, x.shape[1])
    cam: Tensor = LayerGradCam(score, network.stem).attribute(x[:, :1], target=column)
    return cam[0, 0]


@torch.inference_mode()
def _measured(network: AnatomyGuided, pixels: FloatArray, column: int, grid: int) -> FloatArray:
    """Return what the measures add beyond those of the blurred image, over the heart."""
    if not network.weights[column].any():
        return np.zeros((grid, grid), dtype=np.float32)
    outlines = network.outliner(_tensor(np.stack([pixels, blurred(pixels)])))
    added, places = network.measured(outlines, grid)
    shares = (added[0, column] - added[1, column]) * places[0, 0]
    return np.array(shares.numpy(), dtype=np.float32)


def _tensor(pixels: FloatArray) -> Tensor:
    """(C, S, S) or (B, C, S, S) -> (B, C, S, S)."""
    return torch.from_numpy(np.array(pixels.reshape(-1, *pixels.shape[-3:])))


def _plane(pixels: FloatArray) -> Tensor:
    """(C, S, S) -> (1, 1, S, S)."""
    return _tensor(pixels[:1])


def _values(attributions: Tensor) -> FloatArray:
    """(1, 1, S, S) -> (S, S)."""
    return np.asarray(attributions.detach()[0, 0].numpy(), dtype=np.float32)
