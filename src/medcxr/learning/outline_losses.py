"""What an outline costs that differs from the expert's."""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["outline_loss"]

_SURE = 0.3  # of a heart, from which on an outline that may include its lung is left alone
_RUN = 5  # rows


def outline_loss(
    logits: Tensor, masks: Tensor, complete: Tensor, *, width_weight: float = 0.0
) -> Tensor:
    """Cross-entropy plus Dice loss, each image weighing alike, and how wide heart and chest are.

    Where only both lungs together are known, their union is compared, and pixels of a heart that
    the outline takes for lung count for nothing.

    Args:
        logits: (B, 3, S, S), of right lung, left lung and heart.
        masks: (B, 3, S, S), 0…1.
        complete: (B,), whether sides and heart are known.
        width_weight: of the columns that hold the heart and the lungs.
    """
    parts = []
    shares = logits.sigmoid()
    if complete.any():
        entropy = F.binary_cross_entropy_with_logits(
            logits[complete], masks[complete], reduction="none"
        ).mean(dim=(1, 2, 3))
        parts.append(entropy + _dice_loss(shares[complete], masks[complete]))
    if not complete.all():
        some = shares[~complete]
        union = 1 - (1 - some[:, :1]) * (1 - some[:, 1:2])
        drawn = masks[~complete][:, :1]
        behind = (drawn > 0.5) & (some[:, 2:].detach() > _SURE)
        counted = (~behind).float()
        entropy = F.binary_cross_entropy(union.clamp(1e-5, 1 - 1e-5), drawn, reduction="none")
        parts.append(
            (entropy * counted).mean(dim=(1, 2, 3)) + _dice_loss(union * counted, drawn * counted)
        )
    loss = torch.cat(parts).mean()
    if width_weight and complete.any():
        loss = loss + width_weight * _width_loss(shares[complete], masks[complete])
    return loss


def _width_loss(shares: Tensor, masks: Tensor) -> Tensor:
    """Compare which columns hold the heart, and which a lung: their ends make the ratio.

    A border's pixels are a hundredth of an organ's, so that Dice hardly feels a heart that is two
    columns too narrow; here they weigh as much as the heart's middle. Runs of a few rows are
    averaged, so that a stray pixel is no width.
    """
    found, drawn = (_columns(one) for one in (shares, masks))
    return F.binary_cross_entropy(found.clamp(1e-4, 1 - 1e-4), drawn.clamp(0.0, 1.0))


def _columns(organs: Tensor) -> Tensor:
    """(B, 3, S, S) -> (B, 2, S): how sure it is that a column holds lung, and heart."""
    lungs = 1 - (1 - organs[:, 0]) * (1 - organs[:, 1])
    both = torch.stack([lungs, organs[:, 2]], dim=1)
    return F.avg_pool2d(both, (_RUN, 1), stride=1).amax(dim=2)


def _dice_loss(shares: Tensor, masks: Tensor) -> Tensor:
    """(B, C, S, S) -> (B,)."""
    both = (shares * masks).sum(dim=(2, 3))
    each = (shares + masks).sum(dim=(2, 3))
    return (1 - (2 * both + 1) / (each + 1)).mean(dim=1)
