"""What a model's answer hangs on, found by hiding place after place."""

from collections.abc import Callable, Mapping

import numpy as np

from medcxr.core.arrays import FloatArray
from medcxr.core.errors import ModelError
from medcxr.explain.occlusion import Scorer, occlusion_maps
from medcxr.inference.predictor import Predictor, Prepared
from medcxr.services.loaded_model import current_predictor
from medcxr.services.workspace import Workspace

__all__ = ["Progress", "explain_by_occlusion", "predictor_of", "scorer"]

Progress = Callable[[int, int], None]


def explain_by_occlusion(
    workspace: Workspace,
    prepared: Prepared,
    *,
    model: str,
    grid: int,
    progress: Progress | None = None,
) -> Mapping[str, FloatArray]:
    """Hide one place of an analyzed radiograph after the other and ask the model again.

    Args:
        workspace: whose model answers.
        prepared: the radiograph as the model saw it.
        model: name and version of the model that analyzed it.
        grid: places per side; grid² + 1 looks are taken.
        progress: called with the looks taken and to take.

    Returns:
        Finding -> (grid, grid): by how much its logit falls when the place is hidden.

    Raises:
        ModelError: there is no model, or meanwhile another one is in use.
    """
    predictor = predictor_of(workspace, model)
    score = scorer(predictor, prepared, "logits")
    if progress is not None:
        score = _counting(score, grid**2 + 1, progress)
    falls = occlusion_maps(score, prepared.pixels, grid=grid)
    return dict(zip(predictor.manifest.findings, falls, strict=True))


def predictor_of(workspace: Workspace, model: str) -> Predictor:
    """Return the model in use, which must be the one that analyzed a radiograph.

    Raises:
        ModelError: there is no model, or meanwhile another one is in use.
    """
    predictor = current_predictor(workspace)
    if predictor.manifest.identity != model:
        raise ModelError(
            f"The radiograph was analyzed by {model}, and {predictor.manifest.identity} is in use "
            "now; analyze it again."
        )
    return predictor


def scorer(predictor: Predictor, prepared: Prepared, kind: str) -> Scorer:
    """Return what scores changed inputs (B, C, S, S) of one radiograph.

    Args:
        predictor: the model.
        prepared: the radiograph as it is.
        kind: "logits" or "probabilities".
    """

    def score(inputs: FloatArray) -> FloatArray:
        batch = [Prepared(pixels=one, geometry=prepared.geometry) for one in inputs]
        return np.asarray(getattr(predictor.predict_prepared(batch), kind), dtype=np.float32)

    return score


def _counting(score: Scorer, total: int, progress: Progress) -> Scorer:
    """Return the same scorer, which tells how many inputs it has scored."""
    done = 0

    def counted(inputs: FloatArray) -> FloatArray:
        nonlocal done
        scores = score(inputs)
        done += len(inputs)
        progress(done, total)
        return scores

    return counted
