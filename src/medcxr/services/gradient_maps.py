"""Maps by gradients of a model that came with its weights, where the training libraries are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from medcxr.core.access import Permission
from medcxr.core.arrays import FloatArray
from medcxr.core.errors import DataError, MissingExtra, ModelError
from medcxr.inference.predictor import Predictor, Prepared
from medcxr.registry.bundle import WEIGHTS_FILE, ModelBundle
from medcxr.services.loaded_model import current_bundle
from medcxr.services.occlusion import predictor_of
from medcxr.services.workspace import Workspace

if TYPE_CHECKING:
    from medcxr.learning.gradient_maps import GradientMaps

__all__ = ["explain_by_gradients", "gradient_maps", "require_agreement"]

_TOLERANCE = 0.05  # of a logit, 1% of a probability at most; a halved graph may be off by 0.02


def explain_by_gradients(
    workspace: Workspace, prepared: Prepared, *, model: str, method: str, finding: str
) -> Mapping[str, FloatArray]:
    """Ask the model's network which pixels or features its logit follows.

    Args:
        workspace: whose model answers.
        prepared: the radiograph as the model saw it.
        model: name and version of the model that analyzed it.
        method: one of `GRADIENT_MAPS`.
        finding: whose logit; each finding needs looks of its own.

    Returns:
        The finding -> (grid, grid), signed.

    Raises:
        AccessError: whoever asks may not.
        DataError: the model has no such finding.
        ModelError: there is no model, meanwhile another one is in use, or it has no weights.
        MissingExtra: the training libraries are not installed.
    """
    workspace.require(Permission.ANALYZE)
    predictor = predictor_of(workspace, model)
    findings = predictor.manifest.findings
    if finding not in findings:
        raise DataError(f"The model has no finding {finding!r}; use one of {', '.join(findings)}.")
    gradients = gradient_maps(current_bundle(workspace))
    require_agreement(predictor, gradients, prepared)
    return {finding: gradients.map_of(method, prepared.pixels, findings.index(finding))}


def gradient_maps(bundle: ModelBundle, *, shuffled: int | None = None) -> "GradientMaps":
    """Return what draws a model's maps by gradients.

    Args:
        bundle: the model.
        shuffled: as for `Predictor`.

    Raises:
        ModelError: it has no weights, or they do not fit.
        MissingExtra: the training libraries are not installed.
    """
    if WEIGHTS_FILE not in bundle.manifest.files:
        raise ModelError(
            f"Model {bundle.manifest.identity} came without {WEIGHTS_FILE}, and its graph alone "
            "gives no gradients; train its recipe with `medcxr train` and choose that model with "
            "`medcxr models use`, or ask for another kind of map."
        )
    try:
        from medcxr.learning.gradient_maps import (  # noqa: PLC0415 - the light install has none
            GradientMaps,
        )
        from medcxr.learning.rebuilding import load_network  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"Maps by gradients need {error.name}, which is not installed; "
            "install the extra: pip install 'medcxr[train]'."
        ) from error
    return GradientMaps(load_network(bundle, shuffled=shuffled))


def require_agreement(predictor: Predictor, gradients: "GradientMaps", prepared: Prepared) -> None:
    """Refuse to explain the answer of a graph by a network that answers otherwise.

    Raises:
        ModelError: they differ by more than 0.05 in a logit.
    """
    logits = predictor.predict_prepared([prepared]).logits[0]
    difference = float(np.abs(logits - gradients.logits(prepared.pixels)[: len(logits)]).max())
    if not difference <= _TOLERANCE:  # nor if it is not a number
        raise ModelError(
            f"The network built again from the weights of model {predictor.manifest.identity} "
            f"differs from its graph by {difference:g} in a logit, so it cannot explain it; use "
            "the version of medcxr that trained it, or train again."
        )
