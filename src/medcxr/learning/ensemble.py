"""Several networks that answer as one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from medcxr.learning.networks import Evidence

__all__ = ["Ensemble"]


class Ensemble(nn.Module):
    """The mean of the members' logits, and of their maps, which still sum to the logits.

    Networks that learned from different parts of the data err differently; their mean ranks
    better than they do one by one (Lakshminarayanan et al. 2017, section 2.4).

    Args:
        members: networks of the same outputs, at least one.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Tensor) -> Evidence:
        """(B, C, S, S) -> the members' mean evidence."""
        parts = [member(x) for member in self.members]
        logits, maps = (torch.stack(each).mean(dim=0) for each in zip(*parts, strict=True))
        return Evidence(logits, maps)
