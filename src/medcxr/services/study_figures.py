"""The figures of a study, section by section: what was measured without changing a pixel."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from medcxr.core.arrays import BoolArray, Statistics
from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.results import Estimate
from medcxr.documents.plots import Bars, Curve, area_chart, interval_chart
from medcxr.evaluation.conformal import fit_conformal
from medcxr.evaluation.coverage import CoverageFigures, coverage_figures
from medcxr.evaluation.decisions import DecisionFigures, decision_figures
from medcxr.evaluation.delong import delong_auc
from medcxr.evaluation.finding_sample import Drawn, FindingSample
from medcxr.evaluation.group_gaps import GroupGap, corrected, group_gaps
from medcxr.evaluation.group_performance import auc_of
from medcxr.evaluation.performance import FindingPerformance
from medcxr.evaluation.shares import share
from medcxr.registry.manifest import Manifest
from medcxr.services.performance import Performance, sample_of, thresholds_of
from medcxr.services.scored_table import ScoredTable
from medcxr.services.study_page import Block, Cell, Figure, Grid, Pair, Part, Picture, Source, Words

__all__ = [
    "StudyFacts",
    "calibration_part",
    "coverage_part",
    "decisions_part",
    "find_gaps",
    "groups_part",
    "net_benefit_part",
    "normal_part",
    "prevalence_part",
    "ranking_part",
    "short",
    "worst_part",
]

_SHOWN_THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)
_SHOWN_PREVALENCES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5)
_DELONG = "DeLong's, which takes images as independent"
_POINT_WORDS = {
    "half": "probability 0.5",
    "youden": "Youden's index",
    "sensitivity_90": "a sensitivity of 90%",
}
_NORMAL = Finding.NO_FINDING.value
_MOST_GROUPS = 14  # rows of a chart that can still be read


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyFacts:
    """What the sections are written from.

    Attributes:
        manifest: of the model whose thresholds decide; None where the table's own do.
        table: the measured rows.
        rows: their numbers in the table, 0 for the first.
        drawn: their patients.
        performance: their figures.
        deciding: name of the operating point that groups and prevalences are told at.
        run: what was measured on what, for sources.
    """

    manifest: Manifest | None
    table: ScoredTable
    rows: tuple[int, ...]
    drawn: Drawn
    performance: Performance
    deciding: str
    run: str

    def source(self, data: str = "", interval: str = "") -> Source:
        """Return where figures come from: all measured rows by resampling, unless told otherwise."""
        everything = (
            f"{len(self.table):,} radiographs of {len(set(self.table.patients)):,} patients"
        )
        by_patients = (
            f"95%, percentiles of {self.drawn.n_bootstrap:,} resamples of patients, "
            f"seed {self.drawn.seed}"
        )
        return Source(run=self.run, data=data or everything, interval=interval or by_patients)

    def sample(self, finding: str) -> tuple[FindingSample, BoolArray]:
        """Return the labeled images of a finding."""
        return sample_of(self.table, finding, self.drawn)

    def thresholds(self, finding: str, known: BoolArray) -> dict[str, Statistics]:
        """Return the threshold of each of these images at each operating point."""
        return thresholds_of(self.table, finding, known, self.manifest)

    def groups(self, known: BoolArray) -> dict[str, list[str]]:
        """Return what divides these images."""
        return {name: np.asarray(v)[known].tolist() for name, v in self.table.groups.items()}


def short(
    estimate: Estimate | None,
    sample: FindingSample,
    *,
    digits: int = 3,
    signed: bool = False,
    interval: str = "",
) -> Figure:
    """Return a figure that rests on a sample."""
    return Figure(
        value=estimate,
        n_images=len(sample),
        n_patients=sample.n_patients(),
        digits=digits,
        signed=signed,
        interval=interval,
    )


def ranking_part(facts: StudyFacts) -> Part:
    """Return how well probabilities rank, with both kinds of intervals and curves."""
    rows: list[tuple[Cell, ...]] = []
    rocs, precisions = [], []
    for one in facts.performance.findings:
        sample, _ = facts.sample(one.finding)
        delong = delong_auc(sample.labels, sample.probabilities)
        rows.append(
            (
                one.finding,
                _of(one, one.auc),
                _of(one, delong, interval=_DELONG),
                _of(one, one.average_precision),
                f"{one.n_positive:,} of {one.n_images:,}",
            )
        )
        rocs.append(_roc(facts, one))
        precisions.append(_precision(facts, one))
    blocks: list[Block] = [
        Grid(
            caption="Area under the ROC curve (AUC) and average precision",
            heads=("Finding", "AUC, by patients", "AUC, DeLong", "Average precision", "With it"),
            rows=tuple(rows),
            source=facts.source(),
        ),
        Words(
            "The interval by patients resamples patients with all their radiographs; DeLong's takes "
            "each radiograph as independent and is too narrow where patients have several. Average "
            "precision by chance is the share with the finding.",
            "quiet",
        ),
        *_pairs(rocs),
        *_pairs(precisions),
    ]
    return Part(title="Ranking: ROC and precision-recall", blocks=tuple(blocks))


def decisions_part(facts: StudyFacts) -> Part:
    """Return what comes of deciding at each operating point."""
    blocks: list[Block] = [Words(_thresholds_words(facts.performance))]
    for point in dict.fromkeys(
        d.point for one in facts.performance.findings for d in one.decisions
    ):
        counts: list[tuple[str, ...]] = []
        shares: list[tuple[Cell, ...]] = []
        for one in facts.performance.findings:
            for decided in one.decisions:
                if decided.point == point:
                    counts.append(_counted(one.finding, decided))
                    shares.append((one.finding, *_shares(one, decided)))
        where = _POINT_WORDS.get(point, point)
        blocks += [
            Grid(
                caption=f"Decided at {where}",
                heads=("Finding", "Sensitivity", "Specificity", "PPV", "NPV", "F1", "Accuracy"),
                rows=tuple(shares),
                source=facts.source(),
            ),
            Grid(
                caption=f"Counts, decided at {where}",
                heads=("Finding", "Threshold", "True positives", "False positives",
                       "False negatives", "True negatives"),
                rows=tuple(counts),
                shares=(2, 1, 1, 1, 1, 1),
            ),
        ]  # fmt: skip
    return Part(title="Operating points", blocks=tuple(blocks))


def normal_part(facts: StudyFacts) -> Part | None:
    """Return how well radiographs with any abnormality are told from those without."""
    by_finding = {one.finding: one for one in facts.performance.findings}
    if _NORMAL not in by_finding:
        return None
    sample, known = facts.sample(_NORMAL)
    abnormal = replace(sample, labels=1 - sample.labels, probabilities=1 - sample.probabilities)
    limits = facts.thresholds(_NORMAL, known)[facts.deciding]
    rules = {f'"{_NORMAL}" is not present': sample.probabilities < limits}
    others = [one for one in by_finding if one != _NORMAL]
    if others:
        called = ~(sample.probabilities >= limits)
        for name in others:
            column = facts.table.findings.index(name)
            inside = facts.sample(name)[1]
            own_limits = facts.thresholds(name, inside)[facts.deciding]
            everywhere = np.full(len(facts.table), own_limits.mean())  # where its label is unknown
            everywhere[inside] = own_limits
            called = called | (facts.table.probabilities[known, column] >= everywhere[known])
        rules[f'any finding is present, or "{_NORMAL}" is not'] = called
    auc = auc_of(abnormal)
    rows = []
    for rule, called in rules.items():
        decided = decision_figures(
            replace(abnormal, probabilities=called.astype(np.float64)), facts.deciding, 0.5
        )
        rows.append(
            (
                f"Abnormal where {rule}",
                short(decided.sensitivity, abnormal),
                short(decided.specificity, abnormal),
                short(decided.ppv, abnormal),
                short(decided.npv, abnormal),
            )
        )
    blocks: tuple[Block, ...] = (
        Grid(
            caption="AUC for any abnormality, by the probability of No Finding",
            heads=("Target", "AUC, by patients", "AUC, DeLong", "Abnormal"),
            rows=(
                (
                    "Abnormal",
                    short(auc, abnormal),
                    short(delong_auc(abnormal.labels, abnormal.probabilities), abnormal,
                          interval=_DELONG),
                    f"{abnormal.n_positive:,} of {len(abnormal):,}",
                ),
            ),
            source=facts.source(),
        ),
        Grid(
            caption=f"Decided at {_POINT_WORDS.get(facts.deciding, facts.deciding)}",
            heads=("Rule", "Sensitivity", "Specificity", "PPV", "NPV"),
            rows=tuple(rows),
            source=facts.source(),
        ),
        Words(
            f'Abnormal is every radiograph whose labels rule "{_NORMAL}" out, whether or not its '
            "finding is one that the model knows.",
            "quiet",
        ),
    )  # fmt: skip
    return Part(title="Normal or abnormal", blocks=blocks)


def prevalence_part(facts: StudyFacts) -> Part:
    """Return predictive values where a finding is rarer or more frequent."""
    rows, charts = [], []
    for one in facts.performance.findings:
        rows += [
            (
                f"{one.finding} at {at.prevalence:.0%}",
                _of(one, at.ppv),
                _of(one, at.npv),
                _of(one, at.mean_probability),
            )
            for at in one.prevalences
            if round(at.prevalence, 3) in _SHOWN_PREVALENCES
        ]
        charts.append(_prevalence_chart(facts, one))
    blocks: list[Block] = [
        Words(
            "As if the finding had another prevalence and nothing else changed. Where a rarer "
            "finding is also a milder one, true values are worse."
        ),
        Grid(
            caption=f"Decided at {_POINT_WORDS.get(facts.deciding, facts.deciding)}",
            heads=("Finding and prevalence", "PPV", "NPV", "Mean probability said"),
            rows=tuple(rows),
            source=facts.source(),
        ),
        *_pairs(charts),
    ]
    return Part(title="Other prevalences", blocks=tuple(blocks))


def calibration_part(facts: StudyFacts) -> Part:
    """Return whether probabilities mean what they say."""
    rows, charts = [], []
    for one in facts.performance.findings:
        rows.append(
            (
                one.finding,
                _of(one, one.calibration_slope),
                _of(one, one.calibration_intercept, signed=True),
                _of(one, one.calibration_error),
                _of(one, one.brier),
            )
        )
        charts.append(_reliability(facts, one))
    blocks: list[Block] = [
        Grid(
            caption="Calibration",
            heads=("Finding", "Slope", "Intercept", "Calibration error (ECE)", "Brier score"),
            rows=tuple(rows),
            source=facts.source(),
        ),
        Words(
            "A slope of 1 and an intercept of 0 are right. A slope below 1: probabilities are too "
            "extreme. An intercept below 0: they are too high. The error of a resample holds the "
            "chance of two samples, so its interval reaches above rather than below.",
            "quiet",
        ),
        *_pairs(charts),
    ]
    return Part(title="Calibration", blocks=tuple(blocks))


def coverage_part(facts: StudyFacts) -> Part:
    """Return what prediction sets kept of their promise."""
    rows: list[tuple[Cell, ...]] = []
    for one in facts.performance.findings:
        found = _coverage(facts, one.finding)
        if found is None:
            rows.append((one.finding, "no sets", "", "", ""))
            continue
        rows.append(
            (
                one.finding,
                f"{found.level:.0%}",
                *(_of(one, value)
                  for value in (found.present, found.absent, found.uncertain)),
            )
        )  # fmt: skip
    by_folds = len(set(facts.table.folds)) > 1
    whose = (
        "Bounds of each fold are set by the other folds."
        if by_folds
        else "Bounds are those of the model."
    )
    return Part(
        title="Prediction sets",
        blocks=(
            Words(
                "A set holds every answer that is plausible at the promised rate; holding both, the "
                f"model abstains. {whose}"
            ),
            Grid(
                caption="Coverage",
                heads=("Finding", "Promised", "With it: set holds present",
                       "Without it: set holds absent", "Abstains"),
                rows=tuple(rows),
                source=facts.source(),
                shares=(1.4, 0.8, 2, 2, 2),
            ),
        ),
    )  # fmt: skip


def net_benefit_part(facts: StudyFacts) -> Part:
    """Return decision curves, and what acting on the model gains over acting on everybody."""
    rows, charts = [], []
    for one in facts.performance.findings:
        sample, _ = facts.sample(one.finding)
        for threshold in _SHOWN_THRESHOLDS:
            benefit, gain = _benefit(sample, threshold)
            rows.append(
                (
                    f"{one.finding}, from {threshold:.0%}",
                    short(benefit, sample, signed=True),
                    short(gain, sample, signed=True),
                )
            )
        charts.append(_benefit_chart(facts, one))
    blocks: list[Block] = [
        Words(
            "Net benefit in true positives per radiograph, needless acts counted against them at the "
            "rate that the threshold stands for. Above both other lines, acting on the model does "
            "most good."
        ),
        *_pairs(charts),
        Grid(
            caption="Net benefit",
            heads=("Finding and threshold", "Acting on the model", "More than acting on everybody"),
            rows=tuple(rows),
            source=facts.source(),
        ),
    ]
    return Part(title="Decision curves", blocks=tuple(blocks))


def find_gaps(facts: StudyFacts) -> tuple[GroupGap, ...]:
    """Return every gap of a subgroup to all others, corrected for how many there are."""
    gaps: list[GroupGap] = []
    for one in facts.performance.findings:
        sample, known = facts.sample(one.finding)
        limits = facts.thresholds(one.finding, known)[facts.deciding]
        gaps += group_gaps(one.finding, sample, limits, facts.groups(known))
    return corrected(gaps)


def groups_part(facts: StudyFacts, gaps: Sequence[GroupGap]) -> Part:
    """Return figures by subgroup, and which gaps chance does not explain."""
    blocks: list[Block] = []
    small = []
    for one in facts.performance.findings:
        kept = [group for group in one.groups if group.group in facts.table.groups]
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (
                f"{group.group}: {group.value}",
                *(Figure(value=value, n_images=group.n_images, n_patients=group.n_patients)
                  for value in (group.auc, group.sensitivity, group.specificity, group.surplus)),
                f"{group.n_positive:,} of {group.n_images:,}",
            )
            for group in kept
        )  # fmt: skip
        n_small = sum(group.group in facts.table.groups for group in one.small_groups)
        if n_small:
            small.append(f"{n_small:,} of {one.finding}")
        if not rows:
            continue
        blocks.append(
            Grid(
                caption=f"{one.finding} by subgroup",
                heads=("Subgroup", "AUC", "Sensitivity", "Specificity", "Probability too high by",
                       "With it"),
                rows=rows,
                source=facts.source(),
            )
        )  # fmt: skip
        bars = [
            Bars(
                name=f"{group.group}: {group.value}",
                value=group.auc.value if group.auc else None,
                low=group.auc.low if group.auc else 0.0,
                high=group.auc.high if group.auc else 0.0,
                told=_told(group.auc),
            )
            for group in kept[:_MOST_GROUPS]
        ]
        blocks.append(
            Picture(
                caption=f"{one.finding}: AUC by subgroup, and of all (dashed)",
                drawing=interval_chart(
                    bars,
                    axis="AUC",
                    mark=one.auc.value if one.auc else None,
                    spoken=f"AUC of {one.finding} by subgroup; the figures stand in the table above.",
                ),
                source=facts.source(),
                wide=True,
            )
        )
    blocks += _gap_blocks(facts, gaps)
    if small:
        blocks.append(
            Words(
                "Subgroups too small to be measured, with fewer than five radiographs with or "
                f"without the finding: {', '.join(small)}.",
                "quiet",
            )
        )
    if not facts.table.groups:
        blocks = [Words("The table names no view, sex, age or source: no subgroup can be measured.",
                        "warning")]  # fmt: skip
    return Part(title="Subgroups and gaps", blocks=tuple(blocks))


def worst_part(facts: StudyFacts, n_worst: int) -> Part:
    """Return what was most wrong, by the number of the table's row and without a picture."""
    blocks: list[Block] = [
        Words(
            "Where probability and label are furthest apart. The row is that of the table, the first "
            "below its heads being 1. A wrong label looks the same as a wrong answer: look at the "
            "radiographs before drawing conclusions."
        )
    ]
    for one in facts.performance.findings:
        sample, known = facts.sample(one.finding)
        numbers = np.flatnonzero(known)
        wrong = np.abs(sample.probabilities - sample.labels)
        order = np.argsort(-wrong, kind="stable")[:n_worst]
        rows = tuple(
            (
                f"{facts.rows[numbers[index]] + 1:,}",
                "present" if sample.labels[index] else "absent",
                f"{sample.probabilities[index]:.1%}",
                ", ".join(
                    f"{name} {values[numbers[index]]}"
                    for name, values in facts.table.groups.items()
                ),
            )
            for index in order.tolist()
        )
        blocks.append(
            Grid(
                caption=f"{one.finding}: the {len(rows)} furthest off",
                heads=("Row", "Labeled", "Probability said", "Who"),
                rows=rows,
                shares=(0.6, 0.8, 1.1, 4.5),
            )
        )
    return Part(title="Failure analysis", blocks=tuple(blocks))


def _of(
    one: FindingPerformance, value: Estimate | None, *, signed: bool = False, interval: str = ""
) -> Figure:
    return Figure(
        value=value,
        n_images=one.n_images,
        n_patients=one.n_patients,
        signed=signed,
        interval=interval,
    )


def _told(estimate: Estimate | None) -> str:
    if estimate is None:
        return "not determined"
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def _thresholds_words(performance: Performance) -> str:
    origin = str(performance.thresholds_from)
    if origin == "folds":
        return "The thresholds of each fold were chosen on the other folds; the one shown is their mean."
    if origin == "model":
        return f"The thresholds are those of {performance.model}, chosen before this study."
    return (
        "The thresholds were chosen on the measured radiographs themselves, so these figures are a "
        "little too good."
    )


def _counted(finding: str, decided: DecisionFigures) -> tuple[str, ...]:
    return (
        finding,
        f"{decided.threshold:.3f}",
        f"{decided.true_positives:,}",
        f"{decided.false_positives:,}",
        f"{decided.false_negatives:,}",
        f"{decided.true_negatives:,}",
    )


def _shares(one: FindingPerformance, decided: DecisionFigures) -> tuple[Figure, ...]:
    return tuple(
        _of(one, value)
        for value in (
            decided.sensitivity,
            decided.specificity,
            decided.ppv,
            decided.npv,
            decided.f1,
            decided.accuracy,
        )
    )


def _coverage(facts: StudyFacts, finding: str) -> CoverageFigures | None:
    sample, known = facts.sample(finding)
    folds = np.asarray(facts.table.folds)[known] if facts.table.folds else None
    if folds is None or len(set(folds.tolist())) < 2:
        bounds = facts.manifest.conformal.get(finding) if facts.manifest else None
        if bounds is None:
            return None
        n = len(sample)
        return coverage_figures(
            sample,
            np.full(n, bounds.present_from),
            np.full(n, bounds.absent_to),
            level=bounds.level,
        )
    present_from, absent_to = np.empty(len(sample)), np.empty(len(sample))
    level = 0.9
    for fold in np.unique(folds):
        inside = folds == fold
        try:
            bounds = fit_conformal(sample.labels[~inside], sample.probabilities[~inside])
        except DataError:  # too few for the promise
            return None
        present_from[inside], absent_to[inside] = bounds.present_from, bounds.absent_to
        level = bounds.level
    return coverage_figures(sample, present_from, absent_to, level=level)


def _benefit(sample: FindingSample, threshold: float) -> tuple[Estimate | None, Estimate | None]:
    odds = threshold / (1 - threshold)
    has, called = sample.labels == 1, sample.probabilities >= threshold
    cells = [has & called, ~has & called, has, ~has, np.ones(len(sample))]
    tp, fp, positive, negative, n = sample.totals(np.stack(cells, axis=1).astype(np.float64)).T
    benefit = share(tp - fp * odds, n)
    of_everybody = share(positive - negative * odds, n)
    return sample.estimate(benefit), sample.estimate(benefit - of_everybody)


def _pairs(pictures: Sequence[Picture]) -> list[Block]:
    return [Pair(tuple(pictures[start : start + 2])) for start in range(0, len(pictures), 2)]


def _roc(facts: StudyFacts, one: FindingPerformance) -> Picture:
    return Picture(
        caption=f"{one.finding}: ROC curve with the band of 95 in 100 resamples.",
        drawing=area_chart(
            [
                Curve(name="", points=[(0, 0), (1, 1)], tone="quiet", dashed=True),
                Curve(
                    name="model",
                    points=[(p.x, p.value) for p in one.roc],
                    band=[(p.x, p.low, p.high) for p in one.roc],
                ),
                Curve(name="chance", points=[], tone="quiet", dashed=True),
            ],
            axes=("False positive rate (1 - specificity)", "Sensitivity"),
            spoken=f"ROC curve of {one.finding}; AUC {_told(one.auc)}.",
        ),
        source=facts.source(_n(one)),
    )


def _precision(facts: StudyFacts, one: FindingPerformance) -> Picture:
    prevalence = one.n_positive / one.n_images
    return Picture(
        caption=f"{one.finding}: precision-recall curve with its band.",
        drawing=area_chart(
            [
                Curve(name="chance", points=[(0, prevalence), (1, prevalence)], tone="quiet",
                      dashed=True),
                Curve(
                    name="model",
                    points=[(p.x, p.value) for p in one.precision_recall],
                    band=[(p.x, p.low, p.high) for p in one.precision_recall],
                ),
            ],
            axes=("Recall (sensitivity)", "Precision (PPV)"),
            spoken=(
                f"Precision-recall curve of {one.finding}; average precision "
                f"{_told(one.average_precision)}."
            ),
        ),
        source=facts.source(_n(one)),
    )  # fmt: skip


def _prevalence_chart(facts: StudyFacts, one: FindingPerformance) -> Picture:
    def curve(name: str, tone: str) -> Curve:
        found = [(at.prevalence, getattr(at, name)) for at in one.prevalences]
        known = [(x, e) for x, e in found if e is not None]
        return Curve(
            name=name.upper(),
            points=[(x, e.value) for x, e in known],
            band=[(x, e.low, e.high) for x, e in known],
            tone=tone,  # type: ignore[arg-type]
        )

    return Picture(
        caption=f"{one.finding}: predictive values by prevalence, with bands.",
        drawing=area_chart(
            [curve("ppv", "first"), curve("npv", "second")],
            axes=("Prevalence", "Predictive value"),
            across=(0.0, 0.8),
            spoken=f"Predictive values of {one.finding} by prevalence; some stand in the table.",
        ),
        source=facts.source(_n(one)),
    )


def _reliability(facts: StudyFacts, one: FindingPerformance) -> Picture:
    bins = [(b.mean_probability, b.observed) for b in one.reliability if b.observed is not None]
    top = max([0.2, *(x for x, _ in bins), *(e.high for _, e in bins)])
    top = min(1.0, np.ceil(top * 10) / 10)
    return Picture(
        caption=f"{one.finding}: reliability in ten bins of equal size.",
        drawing=area_chart(
            [
                Curve(
                    name="as it should be", points=[(0, 0), (top, top)], tone="quiet", dashed=True
                ),
                Curve(
                    name="found, with intervals",
                    points=[(x, e.value) for x, e in bins],
                    band=[(x, e.low, e.high) for x, e in bins],
                    dots=True,
                ),
            ],
            axes=("Probability said", "Share with the finding"),
            across=(0.0, float(top)),
            up=(0.0, float(top)),
            spoken=f"Reliability of {one.finding}; calibration slope {_told(one.calibration_slope)}.",
        ),
        source=facts.source(_n(one)),
    )


def _benefit_chart(facts: StudyFacts, one: FindingPerformance) -> Picture:
    shown = [point for point in one.decision_curve if point.threshold <= 0.8]
    top = max(0.02, *(point.high for point in shown)) if shown else 1.0
    everybody = [(p.threshold, p.treat_all) for p in shown if p.treat_all >= -0.25 * top]
    return Picture(
        caption=f"{one.finding}: decision curve with its band.",
        drawing=area_chart(
            [
                Curve(
                    name="model",
                    points=[(p.threshold, p.value) for p in shown],
                    band=[(p.threshold, p.low, p.high) for p in shown],
                ),
                Curve(name="everybody", points=everybody, tone="second", dashed=True),
                Curve(name="nobody", points=[(0, 0), (0.8, 0)], tone="quiet", dashed=True),
            ],
            axes=("Threshold probability", "Net benefit"),
            across=(0.0, 0.8),
            up=(-0.25 * top, top),
            spoken=f"Decision curve of {one.finding}; some of its figures stand in the table.",
        ),
        source=facts.source(_n(one)),
    )


def _n(one: FindingPerformance) -> str:
    return (
        f"{one.n_images:,} radiographs of {one.n_patients:,} patients, {one.n_positive:,} with the "
        "finding"
    )


def _gap_blocks(facts: StudyFacts, gaps: Sequence[GroupGap]) -> list[Block]:
    if not gaps:
        return []
    shown = [gap for gap in gaps if gap.p < 0.05 or gap.p_corrected < 0.05]
    beyond = [gap for gap in gaps if gap.p_corrected < 0.05]
    words = (
        f"{len(gaps):,} gaps between a subgroup and all other radiographs were looked at. "
        f"{len(shown):,} have a p below 0.05, of which about {0.05 * len(gaps):.0f} would by chance "
        f"alone; {len(beyond):,} remain after Holm's correction for all of them. Subgroups may "
        "differ in how ill their patients are: a gap is no proof of unfairness, and none found is "
        "no proof of fairness."
    )
    blocks: list[Block] = [Words(words, "warning" if beyond else "plain")]
    if shown:
        blocks.append(
            Grid(
                caption="Gaps with p below 0.05 before correction: subgroup less all others",
                heads=("Finding and subgroup", "Figure", "Difference", "p", "p, corrected",
                       "Radiographs"),
                rows=tuple(
                    (
                        f"{gap.finding}, {gap.group}: {gap.value}",
                        gap.figure,
                        Figure(value=gap.difference, n_images=gap.n_images,
                               n_patients=gap.n_patients, signed=True),
                        _p(gap.p),
                        _p(gap.p_corrected),
                        f"{gap.n_images:,}",
                    )
                    for gap in sorted(shown, key=lambda one: (one.p_corrected, one.p))
                ),
                source=facts.source(),
            )
        )  # fmt: skip
    return blocks


def _p(p: float) -> str:
    if p < 0.001:
        return "under 0.001"
    return f"{p:.3f}" if p < 0.01 else f"{p:.2f}"
