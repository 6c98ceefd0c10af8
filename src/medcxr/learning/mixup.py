"""Blend pairs of training images with their labels."""

import numpy as np
import torch
from torch import Tensor

__all__ = ["blend"]


def blend(
    inputs: Tensor, labels: Tensor, *, strength: float, seed: int
) -> tuple[Tensor, Tensor, float]:
    """Add to each image of a batch a share of another, and to its labels the same share.

    Source: Zhang et al. 2018, "mixup: beyond empirical risk minimization".

    Args:
        inputs: (B, C, S, S).
        labels: (B, n_labels), 0…1, NaN for unknown; unknown in either is unknown in both.
        strength: both parameters of the Beta distribution that the share is drawn from.
        seed: decides share and pairs.

    Returns:
        Inputs and labels of the same shapes, and the share that each image kept.
    """
    random = np.random.default_rng(seed)
    share = float(random.beta(strength, strength))
    others = torch.from_numpy(random.permutation(len(inputs)))
    blended = (torch.lerp(both[others], both, share) for both in (inputs, labels))
    return *blended, share  # type: ignore[return-value]
