"""Several networks, or several looks of one, that answer as one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from medcxr.learning.networks import Evidence

__all__ = ["Ensemble", "Mirrored", "mean_evidence", "one_each", "side_by_side", "spread_out"]


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
        return mean_evidence([member(x) for member in self.members])


def side_by_side(recipes: Sequence[Sequence[nn.Module]]) -> Ensemble:
    """Let the networks of several recipes answer together, each recipe counting alike.

    Of n recipes each gives every n-th of its networks, the first one the first, so that the bundle
    is no larger for having several.

    Args:
        recipes: for each its networks, by fold.
    """
    n = len(recipes)
    return Ensemble([Ensemble(members[first::n]) for first, members in enumerate(recipes)])


def one_each(recipes: Sequence[nn.Module]) -> Ensemble:
    """Let one network of each recipe answer together, built as `side_by_side` builds its bundles.

    Args:
        recipes: for each its network.
    """
    return Ensemble([Ensemble([network]) for network in recipes])


class Mirrored(nn.Module):
    """A network's mean answer for an image and its mirror image; its maps still sum to its logits.

    Args:
        network: whose answers.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Evidence:
        """(B, C, S, S) -> the mean evidence, with the mirror image's maps turned back."""
        own, mirrored = self.network(x), self.network(x.flip(-1))
        return Evidence((own.logits + mirrored.logits) / 2, (own.maps + mirrored.maps.flip(-1)) / 2)


def mean_evidence(parts: Sequence[Evidence]) -> Evidence:
    """Return the mean of the logits and of the maps, which still sum to the logits.

    Maps of coarser grids are brought to the finest one, of which theirs are divisors.
    """
    finest = max(part.maps.shape[-1] for part in parts)
    logits = torch.stack([part.logits for part in parts]).mean(dim=0)
    maps = torch.stack([spread_out(part.maps, finest) for part in parts]).mean(dim=0)
    return Evidence(logits, maps)


def spread_out(maps: Tensor, grid: int) -> Tensor:
    """Share each place's evidence out evenly among its parts on a finer grid.

    Args:
        maps: (B, F, h, h).
        grid: a multiple of h.

    Returns:
        (B, F, grid, grid), with the same sums.
    """
    own = maps.shape[-1]
    if own == grid:
        return maps
    times = grid // own
    parts = maps[:, :, :, None, :, None].expand(-1, -1, own, times, own, times)
    return parts.reshape(*maps.shape[:2], grid, grid) / times**2
