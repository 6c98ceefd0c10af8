"""The loss of a network that answers several yes-or-no questions, some labels unknown."""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["masked_bce"]


def masked_bce(
    logits: Tensor, labels: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0
) -> Tensor:
    """Binary cross-entropy with logits over the known labels.

    Args:
        logits: (B, F).
        labels: (B, F), 0…1 (soft labels are allowed), NaN for unknown.
        weights: (F,), of each column; None weights all alike.
        smoothing: pulls labels by this share toward one half.

    Returns:
        The sum over known labels divided by their weights, counted as 1 where they are less in
        all: 0 with a gradient of 0 if none is known.
    """
    known = ~torch.isnan(labels)
    targets = torch.nan_to_num(labels, nan=0.5) * (1 - smoothing) + smoothing / 2
    losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    share = known.to(losses.dtype)
    if weights is not None:
        share = share * weights
    return (losses * share).sum() / share.sum().clamp(min=1.0)
