"""What would change the answer to a finding of an analyzed radiograph."""

from collections.abc import Mapping

from medcxr.core.access import Permission
from medcxr.core.arrays import FloatArray
from medcxr.core.errors import DataError
from medcxr.explain.report import OCCLUSION_MAP
from medcxr.explain.what_if import WhatIf, smallest_occlusion
from medcxr.services.occlusion import predictor_of, scorer
from medcxr.services.shown_map import Analyzable, maps_of
from medcxr.services.workspace import Workspace

__all__ = ["what_if"]


def what_if(
    workspace: Workspace,
    analyzed: Analyzable,
    finding: str,
    *,
    maps: Mapping[str, FloatArray] | None = None,
) -> WhatIf:
    """Find the smallest part of a radiograph without which the answer is another.

    Quick looks may order the places, as in the map; the answers are those of the whole model.

    Args:
        workspace: whose model analyzed it.
        analyzed: the radiograph.
        finding: whose answer is to change.
        maps: its maps by occlusion if they are known, which saves the looks.

    Raises:
        AccessError: whoever asks may not.
        DataError: the model has no such finding.
        ModelError: meanwhile another model is in use.
    """
    workspace.require(Permission.ANALYZE)
    answers = {found.finding: found for found in analyzed.analysis.findings}
    if finding not in answers:
        raise DataError(
            "The model has no finding {finding!r}; use one of {names}.",
            finding=finding,
            names=", ".join(answers),
        )
    falls = maps if maps is not None else maps_of(workspace, analyzed, OCCLUSION_MAP)
    predictor = predictor_of(workspace, analyzed.analysis.model)
    return smallest_occlusion(
        scorer(predictor, analyzed.prepared, "probabilities"),
        analyzed.prepared.pixels,
        falls[finding],
        answers[finding],
        predictor.manifest.findings.index(finding),
    )
