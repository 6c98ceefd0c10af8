"""From one radiograph to the values that every door shows."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from medcxr.anatomy.disagreement import disagreement
from medcxr.anatomy.measuring import measure_anatomy
from medcxr.anatomy.zones import zone_masks
from medcxr.core.arrays import BoolArray, FloatArray
from medcxr.core.findings import Finding
from medcxr.core.geometry import Geometry
from medcxr.core.images import CxrImage
from medcxr.core.results import Analysis, FindingResult
from medcxr.evaluation.threshold_logit import logit_at
from medcxr.explain.zones import evidence_by_zone
from medcxr.inference.predictor import Predictions, Predictor, Prepared

__all__ = ["Analyzed", "Analyzer"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analyzed:
    """An analysis with the arrays that belong to it.

    Attributes:
        analysis: the figures.
        maps: finding -> (grid, grid), signed evidence beside that of ordinary radiographs; the
            sum is the finding's logit less theirs.
        geometry: where the original lies under the maps.
        outlines: organ -> (size, size), 0…1, over the model's input; empty if it outlines none.
        prepared: the radiograph as the model saw it.
    """

    analysis: Analysis
    maps: Mapping[str, FloatArray]
    geometry: Geometry
    outlines: Mapping[str, FloatArray]
    prepared: Prepared


class Analyzer:
    """A loaded model with the thresholds of one operating point.

    Args:
        predictor: the model.
        operating_point: name of the thresholds; None takes the model's own choice.

    Raises:
        ModelError: the model has no such operating point.
    """

    def __init__(self, predictor: Predictor, operating_point: str | None = None) -> None:
        manifest = predictor.manifest
        self._predictor = predictor
        self._operating_point = operating_point or manifest.operating_point
        self._thresholds = [
            manifest.threshold(finding, self._operating_point) for finding in manifest.findings
        ]
        self._threshold_logits = [
            logit_at(calibration, threshold)
            for calibration, threshold in zip(manifest.calibrations, self._thresholds, strict=True)
        ]

    def analyze(self, image: CxrImage) -> Analyzed:
        """Analyze one radiograph.

        Raises:
            ModelError: graph and manifest disagree, or a result is not a number.
        """
        start = time.perf_counter()
        prepared = self._predictor.prepare(image)
        predictions = self._predictor.predict_prepared([prepared])
        organs = self._predictor.manifest.outlines
        zones: dict[str, BoolArray] = {}
        if predictions.outlines is not None:
            zones = zone_masks(predictions.outlines[0], organs, predictions.geometries[0])
        maps = self._predictor.beside_ordinary(predictions.maps)[0]
        findings = self._findings(predictions, maps, zones)
        outlines, anatomy = predictions.outlines, None
        if outlines is not None:
            anatomy = measure_anatomy(
                outlines[0], organs, predictions.geometries[0], image.spacing_mm
            )
            figures = self._predictor.manifest.outline_figures
            if anatomy is not None and figures is not None:
                anatomy = replace(anatomy, ratio_margin=figures.ratio_margin)
        warnings = image.warnings
        enlarged = {found.finding: found.present for found in findings}.get(Finding.CARDIOMEGALY)
        if anatomy is not None and enlarged is not None:
            age = image.acquisition.age_years
            word = disagreement(anatomy, image.view, cardiomegaly=enlarged, age_years=age)
            warnings = warnings if word is None else (*warnings, word)
        analysis = Analysis(
            image_digest=image.digest,
            model=self._predictor.manifest.identity,
            operating_point=self._operating_point,
            findings=findings,
            image_shape=image.shape,
            view=image.view.value,
            spacing_mm=image.spacing_mm,
            seconds=time.perf_counter() - start,
            warnings=warnings,
            anatomy=anatomy,
        )
        names = self._predictor.manifest.findings
        return Analyzed(
            analysis=analysis,
            maps=dict(zip(names, maps, strict=True)),
            geometry=predictions.geometries[0],
            outlines={} if outlines is None else dict(zip(organs, outlines[0], strict=True)),
            prepared=prepared,
        )

    def _findings(
        self, predictions: Predictions, maps: FloatArray, zones: Mapping[str, BoolArray]
    ) -> tuple[FindingResult, ...]:
        rows = zip(
            self._predictor.manifest.findings,
            predictions.logits[0].tolist(),
            predictions.probabilities[0].tolist(),
            self._thresholds,
            self._threshold_logits,
            maps,
            strict=True,
        )
        return tuple(
            FindingResult(
                finding=finding,
                logit=logit,
                probability=probability,
                threshold=threshold,
                threshold_logit=threshold_logit,
                present=probability >= threshold,
                prediction_set=self._answer(finding, probability),
                evidence_zones=(
                    None if finding == Finding.NO_FINDING else evidence_by_zone(evidence, zones)
                ),
            )
            for finding, logit, probability, threshold, threshold_logit, evidence in rows
        )

    def _answer(self, finding: str, probability: float) -> str | None:
        bounds = self._predictor.manifest.conformal.get(finding)
        return None if bounds is None else bounds.answer(probability).value
