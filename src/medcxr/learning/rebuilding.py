"""The network of a bundle again: built by its configuration, filled with its weights."""

from dataclasses import replace

import torch
from cattrs import BaseValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from medcxr.core.errors import DataError, ModelError
from medcxr.explain.measured import MEASURES
from medcxr.learning.anatomy import AnatomyGuided, Fusion
from medcxr.learning.config import TrainingConfig, config_from_plain
from medcxr.learning.ensemble import Ensemble, Mirrored, one_each, side_by_side
from medcxr.learning.fitting import build_network
from medcxr.learning.outline_network import OutlineNetwork, build_outliner
from medcxr.registry.bundle import WEIGHTS_FILE, ModelBundle

__all__ = ["build_together", "load_network"]

_LEAST_VALUES = 8  # smaller tensors stay as they are, as in `inference.shuffled_weights`


def load_network(bundle: ModelBundle, *, shuffled: int | None = None) -> nn.Module:
    """Return the network whose graph a bundle holds, in evaluation mode, on the CPU.

    Its weights take no gradients; what is asked of it is asked of its input.

    Args:
        bundle: with its weights.
        shuffled: seed by which the values of each tensor are permuted, for tests of maps alone:
            such a network knows nothing. None leaves them as they were learned.

    Raises:
        ModelError: the bundle has no weights or no configuration, or the two do not fit.
    """
    identity, training = bundle.manifest.identity, bundle.manifest.training
    path = bundle.path(WEIGHTS_FILE)
    if training is None:
        raise ModelError(
            f"Model {identity} does not say how it was trained, so its network cannot be built "
            "again; train one with `medcxr train`."
        )
    try:
        network = build_together(config_from_plain(training.config))
        state = load_file(path)
        network.load_state_dict(state if shuffled is None else _shuffled(state, shuffled))
    except (BaseValidationError, DataError, SafetensorError, OSError, RuntimeError) as error:
        raise ModelError(
            f"The weights of model {identity} cannot be used: configuration and {WEIGHTS_FILE} "
            f"are not those of a network of this version ({type(error).__name__}). Use the version "
            f"that trained it, {training.software}, or train again."
        ) from error
    return network.eval().requires_grad_(requires_grad=False)


def build_together(config: TrainingConfig) -> nn.Module:
    """Return what a configuration's bundle computes, with weights that are still to be filled in.

    Args:
        config: the resolved configuration.
    """
    reader = _reader(config)
    if not config.outlines.tables:
        return reader
    n_labels = len(config.data.findings) + len(config.data.auxiliary_findings)
    outliner = build_outliner(
        config.outlines, OutlineNetwork(config.outlines.widths, pretrained=False)
    )
    return AnatomyGuided(reader, outliner, Fusion.none(n_labels, len(MEASURES)))


def _reader(config: TrainingConfig) -> nn.Module:
    settings = config.evaluation
    if settings.method == "holdout" or settings.ship == "refit":
        recipes = [_member(one) for one in (config, *config.companions)]
        return one_each(recipes) if config.companions else recipes[0]
    own = [_member(config) for _ in range(settings.folds)]
    if not config.companions:
        return Ensemble(own)
    others = [[_member(one) for _ in range(settings.folds)] for one in config.companions]
    return side_by_side([own, *others])


def _member(config: TrainingConfig) -> nn.Module:
    # ImageNet weights would be replaced at once
    network = build_network(replace(config, network=replace(config.network, pretrained=False)))
    return Mirrored(network) if config.evaluation.mirrored else network


def _shuffled(state: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    """Permute the values of each tensor of weights.

    Source: Adebayo et al. 2018, "Sanity checks for saliency maps", section 3.
    """
    random = torch.Generator().manual_seed(seed)
    return {
        name: values.flatten()[torch.randperm(values.numel(), generator=random)].view_as(values)
        if values.numel() >= _LEAST_VALUES
        else values
        for name, values in state.items()
    }
