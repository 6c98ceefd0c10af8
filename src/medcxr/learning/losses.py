"""The loss of a network that answers several yes-or-no questions, some labels unknown."""

import torch
import torch.nn.functional as F
from torch import Tensor

from medcxr.learning.loading import onto
from medcxr.learning.networks import pool_to_grid

__all__ = ["finding_loss", "stray_evidence"]

_NO_EVIDENCE = 1e-3  # of a logit
_FOCUS = 2.0  # Lin et al. 2017, section 4
_FOCUS_NEGATIVE, _EASY = 4.0, 0.05  # Ridnik et al. 2021, section 4: exponent and margin


def finding_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    kind: str = "cross_entropy",
    weights: Tensor | None = None,
    positive_weights: Tensor | None = None,
    smoothing: float = 0.0,
) -> Tensor:
    """Return how far logits are from the known labels.

    Args:
        logits: (B, F).
        labels: (B, F), 0…1 (soft labels are allowed), NaN for unknown.
        kind: "cross_entropy"; "focal", where what is already told well counts less (Lin et al.
            2017); "asymmetric", where only absences that are told well do, and very easy ones not
            at all (Ridnik et al. 2021).
        weights: (F,), of each column; None weights all alike.
        positive_weights: (F,), of a finding's presence against its absence; None weighs both alike.
        smoothing: pulls labels by this share toward one half.

    Returns:
        The sum over known labels divided by their weights, counted as 1 where they are less in
        all: 0 with a gradient of 0 if none is known.
    """
    known = ~torch.isnan(labels)
    targets = torch.nan_to_num(labels, nan=0.5) * (1 - smoothing) + smoothing / 2
    if kind == "cross_entropy":
        losses = F.binary_cross_entropy_with_logits(
            logits, targets, reduction="none", pos_weight=positive_weights
        )
    else:
        present, absent = _focused(logits, kind)
        if positive_weights is not None:
            present = present * positive_weights
        losses = -(targets * present + (1 - targets) * absent)
    share = known.to(losses.dtype)
    if weights is not None:
        share = share * weights
    return (losses * share).sum() / share.sum().clamp(min=1.0)


def _focused(logits: Tensor, kind: str) -> tuple[Tensor, Tensor]:
    """Return the weighted log likelihoods of presence and absence: (B, F) each."""
    told = logits.sigmoid()
    if kind == "focal":
        return (
            F.logsigmoid(logits) * (1 - told) ** _FOCUS,
            F.logsigmoid(-logits) * told**_FOCUS,
        )
    left = (told - _EASY).clamp(min=0)
    return F.logsigmoid(logits), torch.log1p(-left) * left**_FOCUS_NEGATIVE


def stray_evidence(maps: Tensor, places: Tensor, painted: Tensor) -> Tensor:
    """Return the share of the evidence for painted findings that lies beside them.

    The energy in the box (Wang et al. 2020, Score-CAM, section 4.3) as a loss.

    Args:
        maps: (B, F, grid, grid), signed evidence; only what speaks for a finding counts.
        places: (B, S, S), 0…1, where the finding was painted; on any device.
        painted: (B,), which finding, -1 for none; on the device of the places.

    Returns:
        Mean over the painted images, 0…1; 0 with a gradient of 0 if there is none. An image
        without any evidence for its finding counts as 1.
    """
    chosen = torch.nonzero(painted >= 0).squeeze(1)
    if not len(chosen):
        return maps.sum() * 0
    covered = pool_to_grid(places[chosen][:, None], maps.shape[-1]).flatten(1)
    # a lesion smaller than a token must be able to hold all evidence
    covered = onto(maps.device, covered / covered.amax(dim=1, keepdim=True).clamp(min=1e-6))
    images, findings = (onto(maps.device, one) for one in (chosen, painted[chosen]))
    evidence = maps[images, findings].clamp(min=0).flatten(1)
    inside = (evidence * covered).sum(dim=1) / (evidence.sum(dim=1) + _NO_EVIDENCE)
    return 1 - inside.mean()
