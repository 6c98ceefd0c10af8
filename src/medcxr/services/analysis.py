"""Analyze one radiograph with the model in use."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from medcxr.core.access import Permission
from medcxr.core.arrays import FloatArray
from medcxr.core.geometry import Geometry
from medcxr.core.images import CxrImage
from medcxr.core.results import Analysis, FindingResult
from medcxr.explain.report import EVIDENCE_MAP, ExplanationReport
from medcxr.explain.verdict import best_map, is_true
from medcxr.imaging.reading import read_image, within_window
from medcxr.inference.analyzer import Analyzer
from medcxr.inference.deciding import DecisionRule, decision_rule, shared_operating_points
from medcxr.inference.gate import require_fit, shipped_gate
from medcxr.inference.predictor import Prepared
from medcxr.registry.bundle import GRAPH_FILE
from medcxr.registry.manifest import Manifest
from medcxr.services.kept_explanations import kept_report
from medcxr.services.loaded_model import current_bundle, current_predictor
from medcxr.services.model_facts import ModelFacts
from medcxr.services.workspace import Workspace

__all__ = ["AnalyzedImage", "analyze_image", "current_model", "current_rule", "facts_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnalyzedImage:
    """A radiograph and everything that the model says of it.

    Attributes:
        image: the radiograph.
        analysis: the figures.
        maps: finding -> (grid, grid), signed evidence beside that of ordinary radiographs; the
            sum is the finding's logit less theirs.
        geometry: where the radiograph lies under the maps.
        outlines: organ -> (size, size), 0…1, over the model's input; empty if it outlines none.
        prepared: the radiograph as the model saw it.
        tests: what is known of the maps; None if nobody tested them.
    """

    image: CxrImage
    analysis: Analysis
    maps: Mapping[str, FloatArray]
    geometry: Geometry
    outlines: Mapping[str, FloatArray]
    prepared: Prepared
    tests: ExplanationReport | None


def analyze_image(
    workspace: Workspace,
    source: Path | bytes | CxrImage,
    *,
    operating_point: str | None = None,
    gate: bool = True,
) -> AnalyzedImage:
    """Read a radiograph and analyze it with the workspace's current model.

    Args:
        workspace: whose model answers.
        source: path of a file, a file's bytes, or an image that was read, beyond its window or not.
        operating_point: name of the thresholds; None takes the model's own choice.
        gate: whether to refuse what is no upright frontal chest radiograph.

    Raises:
        AccessError: whoever asks may not.
        ImageError: the file cannot be used, or the gate refuses it.
        ModelError: there is no model, it or the test of its maps is damaged, or it has no such
            operating point.
    """
    workspace.require(Permission.ANALYZE)
    predictor = current_predictor(workspace)
    analyzer = Analyzer(predictor, operating_point)
    image = within_window(source) if isinstance(source, CxrImage) else read_image(source)
    verdict = require_fit(shipped_gate(), image) if gate else None
    result = analyzer.analyze(image)
    analysis = result.analysis
    tests = kept_report(workspace)
    if tests is not None and tests.graph != predictor.manifest.files[GRAPH_FILE]:
        tests = None  # meanwhile another model was put in use
    analysis = replace(analysis, findings=tuple(_told(f, tests) for f in analysis.findings))
    if verdict is not None:
        warnings = (*analysis.warnings, *verdict.warnings)
        analysis = replace(analysis, gate=verdict, warnings=warnings)
    return AnalyzedImage(
        image=image,
        analysis=analysis,
        maps=result.maps,
        geometry=result.geometry,
        outlines=result.outlines,
        prepared=result.prepared,
        tests=tests,
    )


def current_model(workspace: Workspace) -> ModelFacts:
    """Return the name and the measured figures of the model that answers.

    Raises:
        AccessError: whoever asks may not.
        ModelError: there is no model, or it is damaged.
    """
    workspace.require(Permission.VIEW_MODELS)
    return facts_of(current_bundle(workspace).manifest)


def facts_of(manifest: Manifest) -> ModelFacts:
    """Return what a model's manifest tells of its name and its measured figures."""
    facts = ModelFacts(
        name=manifest.name,
        version=manifest.version,
        figures=(),
        run=None if manifest.training is None else manifest.training.run,
        operating_points=shared_operating_points(manifest),
        operating_point=manifest.operating_point,
        has_quick_look=manifest.quick_look is not None,
    )
    if not manifest.measurements:
        return facts
    shown = manifest.measurements[0]
    return replace(
        facts,
        figures=shown.report.findings,
        tables=shown.data,
        n_images=shown.report.n_images,
        n_patients=shown.report.n_patients,
        confidence=shown.report.confidence,
    )


def current_rule(workspace: Workspace, operating_point: str) -> DecisionRule:
    """Return the thresholds of the model that answers, to decide its analyses anew.

    Raises:
        AccessError: whoever asks may not.
        ModelError: there is no model, it is damaged, or it has no such operating point.
    """
    workspace.require(Permission.VIEW_MODELS)
    return decision_rule(current_bundle(workspace).manifest, operating_point)


def _told(found: FindingResult, tests: ExplanationReport | None) -> FindingResult:
    """Return a finding with what may be told of its maps."""
    true = is_true(tests, found.finding, EVIDENCE_MAP)
    zones = found.evidence_zones if true else None
    return replace(found, evidence_zones=zones, explained_by=best_map(tests, found.finding))
