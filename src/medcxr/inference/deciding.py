"""The same probabilities decided anew: what another operating point calls present."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from medcxr.anatomy.disagreement import disagreement
from medcxr.core.findings import Finding
from medcxr.core.images import View
from medcxr.core.results import Analysis, FindingResult
from medcxr.evaluation.threshold_logit import logit_at
from medcxr.registry.manifest import Manifest

__all__ = ["DecisionRule", "decided", "decision_rule", "shared_operating_points"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRule:
    """From where on the findings of a model count as present.

    Attributes:
        model: name and version of the model.
        operating_point: name of the thresholds.
        thresholds: finding -> probability, and the least logit that has it; None where the
            calibration gives every logit the same answer.
    """

    model: str
    operating_point: str
    thresholds: Mapping[str, tuple[float, float | None]]


def shared_operating_points(manifest: Manifest) -> tuple[str, ...]:
    """Return the names of the operating points that every finding has, in the first one's order."""
    named = [[point.name for point in manifest.operating_points[f]] for f in manifest.findings]
    return tuple(name for name in named[0] if all(name in names for names in named))


def decision_rule(manifest: Manifest, operating_point: str) -> DecisionRule:
    """Return the thresholds of one operating point.

    Raises:
        ModelError: the model has no such operating point.
    """
    thresholds = {}
    for finding, calibration in zip(manifest.findings, manifest.calibrations, strict=True):
        threshold = manifest.threshold(finding, operating_point)
        thresholds[finding] = (threshold, logit_at(calibration, threshold))
    return DecisionRule(
        model=manifest.identity, operating_point=operating_point, thresholds=thresholds
    )


def decided(analysis: Analysis, rule: DecisionRule, *, age_years: float | None) -> Analysis:
    """Return an analysis as it would be at another operating point, without asking the model again.

    Args:
        analysis: of the rule's model; one of another model is returned as it is.
        rule: of the operating point.
        age_years: of the patient, None if unknown, as when it was analyzed.
    """
    if analysis.model != rule.model or analysis.operating_point == rule.operating_point:
        return analysis
    changed = replace(
        analysis,
        operating_point=rule.operating_point,
        findings=tuple(_decided(found, rule) for found in analysis.findings),
    )
    return replace(changed, warnings=_warnings(analysis, changed, age_years))


def _decided(found: FindingResult, rule: DecisionRule) -> FindingResult:
    threshold, logit = rule.thresholds[found.finding]
    return replace(
        found,
        threshold=threshold,
        threshold_logit=logit,
        present=found.probability >= threshold,
    )


def _warnings(before: Analysis, after: Analysis, age_years: float | None) -> tuple[str, ...]:
    """Return the warnings, of which one hangs on whether the heart counts as enlarged."""
    old, new = (_disagreement(analysis, age_years) for analysis in (before, after))
    if old == new:
        return before.warnings
    kept = [warning for warning in before.warnings if warning != old]
    if new is not None:  # where the analyzer puts it: behind those of the image
        n_of_gate = 0 if before.gate is None else len(before.gate.warnings)
        kept.insert(len(kept) - n_of_gate, new)
    return tuple(kept)


def _disagreement(analysis: Analysis, age_years: float | None) -> str | None:
    present = {found.finding: found.present for found in analysis.findings}
    enlarged = present.get(Finding.CARDIOMEGALY)
    if analysis.anatomy is None or enlarged is None:
        return None
    view = View(analysis.view)
    return disagreement(analysis.anatomy, view, cardiomegaly=enlarged, age_years=age_years)
