"""What a model's answer hangs on, found by hiding place after place."""

from collections.abc import Callable, Mapping
from threading import Lock

import numpy as np

from medcxr.core.access import Permission
from medcxr.core.arrays import FloatArray
from medcxr.core.errors import DataError, ModelError
from medcxr.explain.occlusion import Scorer, occlusion_maps, places_per_side
from medcxr.inference.predictor import Predictor, Prepared
from medcxr.services.loaded_model import current_predictor
from medcxr.services.workspace import Workspace

__all__ = [
    "Progress",
    "explain_by_occlusion",
    "falls_of",
    "predictor_of",
    "require_quick_look",
    "scorer",
]

Progress = Callable[[int, int], None]
"""Takes the looks taken and those to take."""

# Of several maps that are made at once, one takes its next looks at a time: whoever waits for an
# answer goes before all of them.
_LOOKING = Lock()


def explain_by_occlusion(
    workspace: Workspace,
    prepared: Prepared,
    *,
    model: str,
    grid: int,
    thoroughly: bool = False,
    progress: Progress | None = None,
) -> Mapping[str, FloatArray]:
    """Hide one place of an analyzed radiograph after the other and ask the model again.

    Args:
        workspace: whose model answers.
        prepared: the radiograph as the model saw it.
        model: name and version of the model that analyzed it.
        grid: tokens per side of the model's own maps; a look is taken at the whole and one at each
            of `places_per_side`².
        thoroughly: take whole looks, even where the model offers quick ones.
        progress: called with the looks taken and to take.

    Returns:
        Finding -> (places, places): by how much its logit falls when the place is hidden.

    Raises:
        AccessError: whoever asks may not.
        DataError: thorough looks are asked for of a model that has no others.
        ModelError: there is no model, or meanwhile another one is in use.
    """
    workspace.require(Permission.ANALYZE)
    predictor = predictor_of(workspace, model)
    if thoroughly:
        require_quick_look(predictor)
    falls = falls_of(predictor, prepared, grid=grid, thoroughly=thoroughly, progress=progress)
    return dict(zip(predictor.manifest.findings, falls, strict=True))


def falls_of(
    predictor: Predictor,
    prepared: Prepared,
    *,
    grid: int,
    thoroughly: bool = False,
    progress: Progress | None = None,
) -> FloatArray:
    """Return the map by occlusion that readers are shown, and that is tested.

    Its looks are quick ones where the model offers them, of some of its networks: the whole model
    takes several times as long. Only the whole model outlines what is left to see, and measures it.

    Args:
        predictor: the model.
        prepared: the radiograph as the model saw it.
        grid: tokens per side of the model's own maps.
        thoroughly: take whole looks, even where the model offers quick ones.
        progress: called with the looks taken and to take.

    Returns:
        (n_findings, places, places): by how much a logit falls when the place is hidden.
    """
    look = scorer(predictor, prepared, "logits") if thoroughly else _quick(predictor, prepared)

    def score(inputs: FloatArray) -> FloatArray:
        with _LOOKING:
            return look(inputs)

    places = places_per_side(grid)
    looks = score if progress is None else _counting(score, places**2 + 1, progress)
    return occlusion_maps(looks, prepared.pixels, grid=places)


def require_quick_look(predictor: Predictor) -> None:
    """Refuse a thorough map where it would be the map by occlusion under another name.

    Raises:
        DataError: the model offers no quick looks.
    """
    if predictor.manifest.quick_look is None:
        raise DataError(
            "Model {model} takes no quick looks, so that its occlusion map is as thorough as can be; "
            "ask for that one.",
            model=predictor.manifest.identity,
        )


def predictor_of(workspace: Workspace, model: str) -> Predictor:
    """Return the model in use, which must be the one that analyzed a radiograph.

    Raises:
        AccessError: whoever asks may not.
        ModelError: there is no model, or meanwhile another one is in use.
    """
    workspace.require(Permission.VIEW_MODELS)
    predictor = current_predictor(workspace)
    if predictor.manifest.identity != model:
        raise ModelError(
            "The radiograph was analyzed by {model}, and {current} is in use "
            "now; analyze it again.",
            model=model,
            current=predictor.manifest.identity,
        )
    return predictor


def scorer(predictor: Predictor, prepared: Prepared, kind: str) -> Scorer:
    """Return what scores changed inputs (B, C, S, S) of one radiograph by whole looks.

    Args:
        predictor: the model.
        prepared: the radiograph as it is.
        kind: "logits" or "probabilities".
    """

    def score(inputs: FloatArray) -> FloatArray:
        found = predictor.predict_prepared(_beside(prepared, inputs))
        return np.asarray(getattr(found, kind), dtype=np.float32)

    return score


def _quick(predictor: Predictor, prepared: Prepared) -> Scorer:
    return lambda inputs: predictor.quick_logits(_beside(prepared, inputs))


def _beside(prepared: Prepared, inputs: FloatArray) -> list[Prepared]:
    return [Prepared(pixels=one, geometry=prepared.geometry) for one in inputs]


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
