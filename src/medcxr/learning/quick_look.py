"""A look of some of a model's networks, for questions that are asked many times of one image."""

from typing import NamedTuple

from torch import Tensor, nn

from medcxr.learning.anatomy import AnatomyGuided
from medcxr.learning.ensemble import Ensemble, mean_evidence
from medcxr.learning.networks import Evidence

__all__ = ["Looks", "both_looks", "n_networks", "n_quick_networks"]


_RECIPES = 2  # a map of one follows the whole model's much less; more keep a reader waiting


class Looks(NamedTuple):
    """What a model says of a batch.

    Attributes:
        whole: logits, maps and any outlines, of all networks: the model's answer.
        quick: of the quick networks alone.
    """

    whole: tuple[Tensor, ...]
    quick: Evidence


def both_looks(network: nn.Module, x: Tensor) -> Looks:
    """Take a whole look and a quick one at the same inputs; the quick networks run once.

    The first network of an ensemble is quick; of an ensemble of ensembles the first of each of the
    first two, so that two recipes take part. A quick look outlines and measures nothing: its logits
    are those of a radiograph with ordinary measures.

    Args:
        network: with several networks: `n_quick_networks` is not 0.
        x: (B, C, S, S).
    """
    if isinstance(network, AnatomyGuided):
        whole, quick = _looks(network.reader, x)
        return Looks(network.joined(whole, x), network.unmeasured(quick))
    return Looks(*_looks(network, x))


def n_networks(network: nn.Module) -> int:
    """Return how many networks answer in a whole look; one that outlines is not counted."""
    if isinstance(network, AnatomyGuided):
        return n_networks(network.reader)
    if isinstance(network, Ensemble):
        return sum(n_networks(member) for member in network.members)
    return 1


def n_quick_networks(network: nn.Module) -> int:
    """Return how many networks answer in a quick look, 0 where that would be all of them."""
    reader = network.reader if isinstance(network, AnatomyGuided) else network
    quick = _n_first(reader)
    return quick if quick < n_networks(reader) else 0


def _n_first(network: nn.Module) -> int:
    if not isinstance(network, Ensemble):
        return 1
    return sum(_n_first(member) for member in _quick_members(network))


def _quick_members(network: Ensemble) -> list[nn.Module]:
    members = list(network.members)
    of_recipes = all(isinstance(member, Ensemble) for member in members)
    return members[:_RECIPES] if of_recipes else members[:1]


def _looks(network: nn.Module, x: Tensor) -> tuple[Evidence, Evidence]:
    if not isinstance(network, Ensemble):
        evidence = network(x)
        return evidence, evidence
    looks = [_looks(member, x) for member in network.members]
    n_quick = len(_quick_members(network))
    whole = mean_evidence([whole for whole, _ in looks])
    return whole, mean_evidence([quick for _, quick in looks[:n_quick]])
