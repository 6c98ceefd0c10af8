"""Test whether the maps of the model in use are true, against maps that know nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcxr.core.access import Permission
from medcxr.core.arrays import Statistics
from medcxr.datasets.study_table import StudyTable
from medcxr.evaluation.bootstrap import estimated_mean
from medcxr.explain.faithfulness import deletion_area, ends, in_places, insertion_area
from medcxr.explain.occlusion import places_per_side
from medcxr.explain.report import (
    EVIDENCE_MAP,
    FURTHER_WORDS,
    RIVALS,
    TESTED,
    THOROUGH_MAP,
    CurveFigures,
    ExplanationReport,
    Gain,
    RandomizedFigures,
    joined,
)
from medcxr.explain.similarity import rank_correlation
from medcxr.explain.verdict import LEAST_IMAGES, best_map, curves_of
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Predictor, Prepared
from medcxr.registry.bundle import GRAPH_FILE, ModelBundle
from medcxr.services.explanation_places import Progress, check_places
from medcxr.services.loaded_model import current_bundle, current_predictor
from medcxr.services.measuring_trail import note_measured
from medcxr.services.occlusion import require_quick_look, scorer
from medcxr.services.tested_maps import ExplainedModel, rival_maps
from medcxr.services.workspace import Workspace

__all__ = ["METHODS", "check_explanations"]

METHODS = (*TESTED, *RIVALS)
"""What is tested unasked of every finding."""

_AREAS = (deletion_area, insertion_area)


def check_explanations(
    workspace: Workspace,
    labels: Path | None = None,
    *,
    boxes: Path | None = None,
    n_images: int = 20,
    n_simulated: int = 40,
    n_randomized: int = 10,
    further: Sequence[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> ExplanationReport:
    """Run the test on the model in use.

    Where quick looks gave no map that is true of a finding, and images enough to show one, the
    thorough map is tested too.

    Args:
        workspace: whose model answers.
        labels: table with labels; its images with a finding get deletion and insertion curves.
        boxes: CSV file with image_path, finding, x, y, width and height as shares of the image.
        n_images: images for each finding, drawn at random, one of each patient.
        n_simulated: simulated radiographs for each kind of lesion.
        n_randomized: of the images with curves, those whose maps are also compared with the maps
            of the graph with shuffled weights.
        further: kinds of map among `FURTHER_WORDS` to test of every finding, beside those that
            every model has.
        seed: of what is drawn.
        progress: called with what is done, how much of it, and of how much.

    Raises:
        AccessError: whoever asks may not.
        DataError: a table is wrong, or thorough maps are asked for of a model without quick looks.
        ImageError: an image cannot be read.
        ModelError: there is no model, it is damaged, or maps by gradients are asked for and it has
            no weights.
        MissingExtra: maps by gradients are asked for without the training libraries.
    """
    workspace.require(Permission.MEASURE_MODELS)
    test = _Test(
        predictor=current_predictor(workspace),
        bundle=current_bundle(workspace),
        labels=labels,
        boxes=boxes,
        n_images=n_images,
        n_simulated=n_simulated,
        n_randomized=n_randomized,
        seed=seed,
        show=progress or (lambda _what, _done, _total: None),
    )
    if THOROUGH_MAP in further:
        require_quick_look(test.predictor)
    findings = test.predictor.manifest.findings
    methods = (*TESTED, *(one for one in FURTHER_WORDS.values() if one in further))
    report = test.run(methods, findings)
    left = [finding for finding in findings if _lacks_a_map(report, finding)]
    # without quick looks every map by occlusion is thorough
    if left and test.predictor.manifest.quick_look and THOROUGH_MAP not in methods:
        report = joined(report, test.run((THOROUGH_MAP,), left))
    note_measured(workspace, report.model, "maps")
    return report


def _lacks_a_map(report: ExplanationReport, finding: str) -> bool:
    """Say whether no map of a finding is true although there were images enough to show one."""
    curves = curves_of(report, finding, TESTED[0])
    is_tested = curves is not None and curves.n_images >= LEAST_IMAGES
    return is_tested and best_map(report, finding) is None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Test:
    """What maps are tested on; attributes as the arguments of `check_explanations`."""

    predictor: Predictor
    bundle: ModelBundle
    labels: Path | None
    boxes: Path | None
    n_images: int
    n_simulated: int
    n_randomized: int
    seed: int
    show: Progress

    def run(self, methods: Sequence[str], findings: Sequence[str]) -> ExplanationReport:
        """Test some kinds of map on some of the model's findings, on the same images each time."""
        model = ExplainedModel.of(self.bundle, methods, predictor=self.predictor)
        curves: list[CurveFigures] = []
        randomized: list[RandomizedFigures] = []
        if self.labels is not None:
            table = StudyTable.read_csv(self.labels, self.predictor.manifest.findings)
            forgetful = None
            if self.n_randomized:
                forgetful = ExplainedModel.of(self.bundle, methods, shuffled=self.seed)
            for column, finding in enumerate(table.findings):
                if finding not in findings:
                    continue
                tests = self._curves(model, forgetful, table, column)
                if tests:
                    curves += _curve_figures(finding, model.methods, tests)
                    randomized += _randomized_figures(finding, model.methods, tests)
        places = check_places(
            model,
            self.boxes,
            self.n_simulated,
            findings=findings,
            seed=self.seed,
            show=self.show,
        )
        return ExplanationReport(
            model=self.predictor.manifest.identity,
            graph=self.predictor.manifest.files[GRAPH_FILE],
            curves=tuple(curves),
            places=tuple(places),
            randomized=tuple(randomized),
        )

    def _curves(
        self,
        model: ExplainedModel,
        forgetful: ExplainedModel | None,
        table: StudyTable,
        column: int,
    ) -> "list[_Tested]":
        order = np.random.default_rng((self.seed, column)).permutation(len(table)).tolist()
        present = [row for row in order if table.labels[row, column] == 1]
        chosen = table.one_of_each_patient(present)[: self.n_images]
        tests = []
        for number, row in enumerate(chosen):
            self.show(f"Curves of {table.findings[column]}", number, len(chosen))
            prepared = model.predictor.prepare(read_image(table.path(row)))
            rival = forgetful if number < self.n_randomized else None
            tests.append(_tested(model, rival, prepared, column, seed=row))
        return tests


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Tested:
    """What one image says of the maps.

    Attributes:
        areas: (methods, 2), of deletion and insertion.
        likeness: method -> rank correlation with the map of shuffled weights; empty if not asked.
    """

    areas: Statistics
    likeness: Mapping[str, float]


def _tested(
    model: ExplainedModel,
    forgetful: ExplainedModel | None,
    prepared: Prepared,
    column: int,
    *,
    seed: int,
) -> _Tested:
    maps = model.maps(prepared, column)
    score, x = scorer(model.predictor, prepared, "probabilities"), prepared.pixels
    known = ends(score, x, column)
    places = places_per_side(len(maps[EVIDENCE_MAP]))
    named = {method: in_places(maps[method], places) for method in model.methods}
    every = {**named, **rival_maps(places, seed)}
    areas = [
        [area(score, x, every[method], column, known=known) for area in _AREAS]
        for method in (*model.methods, *RIVALS)
    ]
    likeness = {}
    if forgetful is not None:
        forgotten = forgetful.maps(prepared, column)
        likeness = {
            method: rank_correlation(maps[method], forgotten[method]) for method in model.methods
        }
    return _Tested(areas=np.array(areas), likeness=likeness)


def _curve_figures(
    finding: str, methods: tuple[str, ...], tests: Sequence[_Tested]
) -> list[CurveFigures]:
    areas = np.stack([one.areas for one in tests], axis=2)  # (methods, 2, images)
    of = dict(zip((*methods, *RIVALS), areas, strict=True))
    return [
        CurveFigures(
            finding=finding,
            method=method,
            n_images=len(tests),
            deletion=estimated_mean(of[method][0]),
            insertion=estimated_mean(of[method][1]),
            gains=tuple(
                Gain(
                    rival=rival,
                    deletion=estimated_mean(of[rival][0] - of[method][0]),
                    insertion=estimated_mean(of[method][1] - of[rival][1]),
                )
                for rival in (RIVALS if method in methods else ())
            ),
        )
        for method in of
    ]


def _randomized_figures(
    finding: str, methods: tuple[str, ...], tests: Sequence[_Tested]
) -> list[RandomizedFigures]:
    asked = [one.likeness for one in tests if one.likeness]
    return [
        RandomizedFigures(
            finding=finding,
            method=method,
            n_images=len(asked),
            correlation=estimated_mean(np.array([one[method] for one in asked])),
        )
        for method in (methods if asked else ())
    ]
