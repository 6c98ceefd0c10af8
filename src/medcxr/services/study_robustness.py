"""How far the figures of a study would move: at other centres, with other patients, with more images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.documents.plots import Bars, interval_chart
from medcxr.evaluation.bootstrap import estimated_mean
from medcxr.evaluation.calibration import fit_platt
from medcxr.evaluation.comparison import compare_auc
from medcxr.evaluation.decisions import decision_figures
from medcxr.evaluation.delong import delong_auc
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.non_inferiority import (
    NonInferiority,
    non_inferior_auc,
    non_inferior_share,
)
from medcxr.evaluation.operating_points import youden
from medcxr.evaluation.paired_shares import paired_counts, paired_difference
from medcxr.evaluation.patient_mix import MixFigures, mix_figures, more_of, with_prevalence
from medcxr.evaluation.performance import FindingPerformance, probability_figures
from medcxr.evaluation.sample_size import (
    SampleSize,
    images_for_auc,
    images_for_share,
    images_of_riley,
)
from medcxr.evaluation.validation import MINIMUM_PER_GROUP_CLASS
from medcxr.services.incoming import Incoming
from medcxr.services.study_figures import StudyFacts, short
from medcxr.services.study_page import (
    LEAST_LISTED,
    Block,
    Cell,
    Figure,
    Grid,
    Part,
    Picture,
    Source,
    Words,
)
from medcxr.services.study_scores import UNCHANGED, CentreRow
from medcxr.synthetic.centres import SimulatedCentre

__all__ = [
    "CentreFinding",
    "SimulatedStudy",
    "centres_part",
    "drift_part",
    "leave_out_part",
    "measure_centres",
    "mixes_part",
    "non_inferiority_part",
    "sample_size_part",
]

_LEARNED_READER = (
    "The model learned from radiographs that are compared here, which favors it over any reader who did "
    "not: no verdict is given. Compare held-out scores, or other radiographs."
)
_RESAMPLES = 500
_MARGIN = 0.05  # half the width of the interval that a study should reach
_PAIRED = "95%, Newcombe's score interval for pairs (refusals); else 500 resamples of patients"


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreFinding:
    """One finding at one simulated centre beside the unchanged radiographs.

    Attributes:
        centre: name of the centre.
        finding: the name.
        auc: there; None where a class has fewer than five radiographs.
        difference: in AUC, changed less unchanged.
        shift: mean probability, changed less unchanged.
        n_images: radiographs.
        n_positive: with the finding.
    """

    centre: str
    finding: str
    auc: Estimate | None
    difference: Estimate | None
    shift: Estimate
    n_images: int
    n_positive: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedStudy:
    """What simulated centres did to the answers.

    Attributes:
        centres: that were simulated.
        findings: figures of each finding at each.
        refused: centre -> share that the gate refuses there less the share unchanged.
        n_refused: centre -> how many it refuses there; "unchanged" too.
        n_images: radiographs, each of another patient.
        seed: of the choice and the noise.
    """

    centres: tuple[SimulatedCentre, ...]
    findings: tuple[CentreFinding, ...]
    refused: Mapping[str, Estimate]
    n_refused: Mapping[str, int]
    n_images: int
    seed: int


def measure_centres(
    rows: Sequence[CentreRow],
    labels: Mapping[int, Sequence[float]],
    findings: Sequence[str],
    centres: Sequence[SimulatedCentre],
    *,
    seed: int,
) -> SimulatedStudy:
    """Compare each centre with the unchanged radiographs, pair by pair.

    Args:
        rows: what the model said of each radiograph at each centre, and unchanged.
        labels: row -> label of each finding, 1, 0 or NaN.
        findings: of the probabilities and labels.
        centres: that were simulated.
        seed: of the resamples.
    """
    by_centre: dict[str, dict[int, CentreRow]] = {}
    for row in rows:
        by_centre.setdefault(row.centre, {})[row.row] = row
    order = sorted(by_centre[UNCHANGED])
    truth = np.array([labels[row] for row in order], dtype=np.float64)
    said = {
        name: np.array([of[row].probabilities for row in order]) for name, of in by_centre.items()
    }
    out = {
        name: np.array([bool(of[row].refused) for row in order]) for name, of in by_centre.items()
    }
    found = [
        _centre_finding(centre.name, finding, truth[:, c], said[centre.name][:, c],
                        said[UNCHANGED][:, c])
        for centre in centres
        for c, finding in enumerate(findings)
        if np.isfinite(truth[:, c]).sum() > 1
    ]  # fmt: skip
    return SimulatedStudy(
        centres=tuple(centres),
        findings=tuple(found),
        refused={
            centre.name: paired_difference(paired_counts(out[centre.name], out[UNCHANGED]))
            for centre in centres
        },
        n_refused={name: int(values.sum()) for name, values in out.items()},
        n_images=len(order),
        seed=seed,
    )


def centres_part(facts: StudyFacts, study: SimulatedStudy, *, model: str, learned: bool) -> Part:
    """Return what simulated centres do to ranking, probabilities and the gate."""
    source = Source(
        run=f"model {model} on {facts.table.labels_name}",
        data=f"{study.n_images:,} radiographs, each of another patient, scored changed and unchanged "
        f"(seed {study.seed})",
        interval=_PAIRED,
    )
    blocks: list[Block] = [
        Words(
            "Each of these radiographs was changed as another exposure, detector or positioning "
            "might have made it, before any preprocessing, and scored again. The difference to the "
            "unchanged radiograph is what counts. No simulated centre stands for a real one, and "
            "mirrored radiographs are left out on purpose: the gate warns of them. Half of the "
            "radiographs were drawn at random, the others so that rare findings are among them: "
            "findings are more frequent here than in the table, and calibration is not measured. Where "
            "a difference in AUC has an interval from 0 to 0, no pair of these radiographs changed its "
            "order, which does not say that none would among more of them."
        )
    ]
    if learned:
        blocks.append(
            Words(
                "The model learned from these radiographs: their AUC is too good, and they may be "
                "more robust than new ones. Read differences, not levels.",
                "warning",
            )
        )
    blocks.append(
        Grid(
            caption="Simulated centres and how many the gate refuses",
            heads=("Centre", "What is changed", "Refused", "More than unchanged"),
            rows=(
                (UNCHANGED, "nothing", _share_of(study, UNCHANGED), ""),
                *(
                    (
                        centre.name,
                        f"{centre.kind}: {centre.told}",
                        _share_of(study, centre.name),
                        Figure(value=study.refused[centre.name], n_images=study.n_images,
                               n_patients=study.n_images, signed=True),
                    )
                    for centre in study.centres
                ),
            ),
            source=source,
            shares=(1.0, 2.9, 0.9, 1.7),
        )
    )  # fmt: skip
    for finding in dict.fromkeys(one.finding for one in study.findings):
        of = [one for one in study.findings if one.finding == finding]
        blocks += [
            Grid(
                caption=f"{finding}: {of[0].n_positive:,} of {of[0].n_images:,} with it",
                heads=("Centre", "AUC there", "AUC, difference", "Mean probability, difference"),
                rows=tuple(
                    (one.centre, *(_of_centre(one, value, signed=signed) for value, signed in (
                        (one.auc, False), (one.difference, True), (one.shift, True))))
                    for one in of
                ),
                source=source,
            ),
        ]  # fmt: skip
        if any(one.difference is not None for one in of):
            blocks.append(
                Picture(
                    caption=f"{finding}: AUC at each simulated centre less unchanged",
                    drawing=interval_chart(
                        [_bar(one.centre, one.difference) for one in of],
                        axis="Difference in AUC",
                        mark=0.0,
                        spoken=f"Differences in AUC of {finding}; the figures stand in the table above.",
                    ),
                    source=source,
                    wide=True,
                )
            )
    return Part(title="Simulated centres", blocks=tuple(blocks))


def mixes_part(facts: StudyFacts) -> Part:
    """Return figures of other mixes of the same patients."""
    blocks: list[Block] = [
        Words(
            "The same radiographs, counted as often as they would come in another mix of patients. "
            "Differences are to the mix that was measured, on the same resamples. How frequent a finding "
            "is changes predictive values and the mean probability; AUC, sensitivity and specificity it "
            "cannot change, as radiographs of each class keep their weights among each other."
        )
    ]
    for one in facts.performance.findings:
        sample, known = facts.sample(one.finding)
        limits = facts.thresholds(one.finding, known)[facts.deciding]
        mixes = _mixes(one.finding, sample, facts.groups(known), limits)
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (
                mix.mix,
                *(
                    Figure(value=mix.differences[name], n_images=mix.n_images,
                           n_patients=mix.n_patients, signed=True)
                    for name in ("auc", "sensitivity", "specificity", "ppv", "surplus")
                ),
            )
            for mix in mixes
        )  # fmt: skip
        if rows:
            blocks.append(
                Grid(
                    caption=f"{one.finding}: difference to the measured mix",
                    heads=("Mix", "AUC", "Sensitivity", "Specificity", "PPV",
                           "Probability too high by"),
                    rows=rows,
                    source=facts.source(),
                )
            )  # fmt: skip
    return Part(title="Simulated patient mixes", blocks=tuple(blocks))


def leave_out_part(facts: StudyFacts, column: str, values: Sequence[str]) -> Part:
    """Return what holds at each centre of what was fitted at all others.

    Args:
        facts: of the study.
        column: of the table, that names centres.
        values: (n_images,), the centre of each measured row.
    """
    blocks: list[Block] = [
        Words(
            f"Each value of the column {column} is left out in turn. Fitted anew on all others: per "
            "finding one calibration (Platt's line on the log odds of the probability) and one "
            "threshold (Youden's index). Not fitted anew: the networks, their weights, the fusion "
            "with measures of lungs and heart, and the preprocessing. It is an internal-external "
            "validation of what comes after the network alone; the network itself may have learned "
            "from the left-out centre. A training with evaluation.centre_column trains networks "
            "without each centre. Intervals take what was fitted as given: how it would change with "
            "other patients to learn from is not in them."
        )
    ]
    for one in facts.performance.findings:
        sample, known = facts.sample(one.finding)
        names = np.asarray(values, dtype=np.str_)[known]
        patients = np.asarray(facts.table.patients)[known]
        rows: list[tuple[Cell, ...]] = []
        small, n_rare = [], 0
        for name in np.unique(names).tolist():
            inside = names == name
            row = _left_out(sample, inside, patients)
            if inside.sum() < LEAST_LISTED:
                n_rare += 1
            elif row is None:
                small.append(
                    f"{name} ({int(sample.labels[inside].sum()):,} of {int(inside.sum()):,})"
                )
            else:
                rows.append((name, *row))
        if rows:
            blocks.append(
                Grid(
                    caption=f"{one.finding}, each {column} left out",
                    heads=("Left out", "AUC", "Sensitivity", "Specificity", "Slope, refitted",
                           "Intercept, refitted", "Intercept, as it was"),
                    rows=tuple(rows),
                    source=facts.source(),
                )
            )  # fmt: skip
        if n_rare:
            small.append(f"{n_rare:,} others with fewer than {LEAST_LISTED} radiographs each")
        if small:
            blocks.append(
                Words(f"{one.finding}, too few on a side at: {'; '.join(small)}.", "quiet")
            )
    return Part(title="Leave one centre out", blocks=tuple(blocks))


def drift_part(incoming: Incoming | None, reference: str, data: str) -> Part:
    """Return whether the measured radiographs are like those of the reference.

    Args:
        incoming: the comparison; None where there is nothing to compare with.
        reference: what it was compared with, in words, or why it was not.
        data: what is measured, in words.
    """
    title = "Drift of the inputs"
    if incoming is None:
        return Part(title=title, blocks=(Words(reference, "quiet"),))
    rows = tuple(
        (
            str(one.fact),
            f"{one.psi:.2f} (by chance up to {one.psi_by_chance:.2f})",
            _p(one.p_psi),
            "" if one.ks is None or one.p_ks is None else _p(one.p_ks),
            "differs" if one.is_drifted else "as by chance",
            _drawn(one.n_current, one.n_current_images),
            _drawn(one.n_reference, one.n_reference_images),
        )
        for one in incoming.figures
    )
    blocks: list[Block] = [
        Words(
            f"Compared with {reference}. The stability index is 0 where nothing differs; what chance "
            "gives is the 95th percentile of samples of this size drawn from the reference. "
            "Radiographs of one patient are alike: one of each patient is drawn at random, and all "
            "that is told here rests on these alone."
        ),
        Grid(
            caption="Stability index of each fact",
            heads=(
                "Fact",
                "Index",
                "p",
                "p, Kolmogorov-Smirnov",
                "Verdict",
                "Patients here",
                "Patients of the reference",
            ),
            rows=rows,
            source=Source(
                run="comparison of inputs", data=data, interval="range by chance, 2,000 simulations"
            ),
        ),
    ]
    if incoming.reasons:
        told = "; ".join(f"{name}: {why}" for name, why in incoming.reasons.items())
        blocks.append(Words(f"Not compared: {told}", "quiet"))
    return Part(title=title, blocks=tuple(blocks))


def sample_size_part(facts: StudyFacts) -> Part:
    """Return what a study of these findings needs, beside what this one has."""
    rows: list[tuple[str, ...]] = []
    for one in facts.performance.findings:
        prevalence = one.n_positive / one.n_images
        auc = one.auc.value if one.auc else 0.0
        deciding = next(d for d in one.decisions if d.point == facts.deciding)
        rows += [
            (
                f"{one.finding}: {size.figure}",
                size.aim,
                size.method,
                f"{size.n_images:,}",
                f"{size.n_positive:,}",
                f"{one.n_images:,}, {one.n_positive:,}",
                _reached(size.n_images, one),
            )
            for size in _sizes(prevalence, auc, deciding.sensitivity, deciding.specificity)
        ]
    return Part(
        title="Sample size",
        blocks=(
            Words(
                "How many radiographs of different patients a study of like patients needs, planned "
                "with the figures that were measured here: half-widths of 0.05 for AUC, sensitivity "
                "and specificity, and the targets of Riley et al. 2021. Several radiographs of a "
                "patient count for less than as many of different patients: reached means by as "
                "many patients."
            ),
            Grid(
                caption="What is needed, and what this study has",
                heads=("Finding and figure", "Aim", "Method", "Needed", "With it",
                       "Here, with it", "Verdict"),
                rows=tuple(rows),
                shares=(2.2, 1.5, 1.9, 0.8, 0.7, 1.1, 1.0),
            ),
        ),
    )  # fmt: skip


def non_inferiority_part(
    facts: StudyFacts,
    reader: str,
    scores: Mapping[str, Statistics],
    margin: float,
    *,
    learned: bool,
) -> Part:
    """Return whether the model is no worse than another reader by more than a margin.

    Args:
        facts: of the study.
        reader: what the other is called.
        scores: finding -> (n_images,) of the measured rows, NaN where it has none.
        margin: by which the model may be worse.
        learned: whether the model learned from some of the radiographs and was scored on them all the
            same; then there is no verdict.
    """
    rows = []
    for finding, given in scores.items():
        column = facts.table.findings.index(finding)
        labels = np.where(np.isnan(given), np.nan, facts.table.labels[:, column])
        rows += [
            (
                f"{finding}: {found.figure}",
                Figure(
                    value=found.difference,
                    n_images=found.n_images,
                    n_patients=found.n_patients,
                    signed=True,
                    interval=found.method,
                ),
                found.method,
                _p(found.p_equal),
                f"{found.n_images:,} of {found.n_patients:,} patients",
                "no verdict: learned from" if learned else _shown(found),
            )
            for found in _compared(facts, finding, labels, np.nan_to_num(given), margin)
        ]
    return Part(
        title="Non-inferiority",
        blocks=(
            *([Words(_LEARNED_READER, "warning")] if learned else []),
            Words(
                f"The model less {reader}, on the radiographs that both scored. Non-inferiority is "
                f"shown where the interval lies wholly above -{margin:g}; the margin is to be stated "
                "before looking. DeLong's and Newcombe's intervals take radiographs as independent, "
                "and are too narrow where patients have several. Nothing is corrected for how many "
                "findings are compared. A reader who says only yes or no is compared by sensitivity "
                "and specificity: the area under one point would favor the model. The p of no "
                "difference is that of the same method: of an AUC by the resamples or DeLong's test; "
                "of a share by McNemar's exact test, in which the readers of a patient's radiographs "
                "are exchanged together where patients are drawn."
            ),
            Grid(
                caption=f"The model less {reader}",
                heads=(
                    "Finding and figure",
                    "Difference",
                    "Method",
                    "p of no difference",
                    "Radiographs",
                    "Non-inferior",
                ),
                rows=tuple(rows),
                source=facts.source("radiographs that both scored", "95%, by the method named"),
            ),
        ),
    )


def _centre_finding(
    centre: str, finding: str, truth: Statistics, said: Statistics, before: Statistics
) -> CentreFinding:
    known = ~np.isnan(truth)
    labels, now, then = truth[known], said[known], before[known]
    auc = difference = None
    if min(labels.sum(), len(labels) - labels.sum()) >= MINIMUM_PER_GROUP_CLASS:
        patients = [str(number) for number in range(len(labels))]
        gap = compare_auc(labels, now, then, patients=patients, n_bootstrap=_RESAMPLES)
        difference = gap.difference
        auc = delong_auc(labels, now)
    return CentreFinding(
        centre=centre,
        finding=finding,
        auc=auc,
        difference=difference,
        shift=estimated_mean(now - then),
        n_images=len(labels),
        n_positive=int(labels.sum()),
    )


def _share_of(study: SimulatedStudy, centre: str) -> str:
    return f"{study.n_refused[centre]:,} of {study.n_images:,}"


def _of_centre(one: CentreFinding, value: Estimate | None, *, signed: bool) -> Figure:
    return Figure(value=value, n_images=one.n_images, n_patients=one.n_images, signed=signed)


def _bar(name: str, value: Estimate | None) -> Bars:
    if value is None:
        return Bars(name=name, value=None, low=0.0, high=0.0, told="not determined")
    told = f"{value.value:+.3f} ({value.low:+.3f} to {value.high:+.3f})"
    return Bars(name=name, value=value.value, low=value.low, high=value.high, told=told)


def _mixes(
    finding: str,
    sample: FindingSample,
    groups: Mapping[str, Sequence[str]],
    limits: Statistics,
) -> list[MixFigures]:
    prevalence = sample.n_positive / len(sample)
    weights = {
        f"{finding} half as frequent ({prevalence / 2:.0%})": with_prevalence(
            sample.labels, prevalence / 2
        )
    }
    if 2 * prevalence < 0.95:
        twice = with_prevalence(sample.labels, 2 * prevalence)
        weights[f"{finding} twice as frequent ({2 * prevalence:.0%})"] = twice
    for name, values in groups.items():
        if name == "source":
            continue
        column = np.asarray(values, dtype=np.str_)
        for value in np.unique(column).tolist():
            members = column == value
            if value != "unknown" and LEAST_LISTED <= members.sum() < len(members):
                weights[f"{name} {value} three times as often"] = more_of(members, 3.0)
    return [mix_figures(name, sample, weight, limits) for name, weight in weights.items()]


def _left_out(
    sample: FindingSample, inside: np.ndarray, patients: np.ndarray
) -> tuple[Figure, ...] | None:
    """Fit on the patients without an image at the centre, and measure at the centre."""
    others = ~np.isin(patients, patients[inside])
    held, learned = sample.where(inside), sample.where(others)
    classes = (held.n_positive, held.n_negative, learned.n_positive, learned.n_negative)
    if min(classes) < MINIMUM_PER_GROUP_CLASS:
        return None
    clipped = np.clip(sample.probabilities, 1e-6, 1 - 1e-6)
    log_odds = np.log(clipped / (1 - clipped))
    try:
        line = fit_platt(log_odds[others], sample.labels[others])
        point = youden(sample.labels[others], line.predict_proba(log_odds[others]))
    except DataError:
        return None
    refitted = replace(held, probabilities=line.predict_proba(log_odds[inside]))
    ranked, plain = probability_figures(refitted), probability_figures(held)
    decided = decision_figures(refitted, point.name, point.threshold)
    return tuple(
        short(value, held)
        for value in (
            ranked["auc"],
            decided.sensitivity,
            decided.specificity,
            ranked["calibration_slope"],
            ranked["calibration_intercept"],
            plain["calibration_intercept"],
        )
    )


def _sizes(
    prevalence: float,
    auc: float,
    sensitivity: Estimate | None,
    specificity: Estimate | None,
) -> list[SampleSize]:
    """Return what is needed for the figures as they are told, with three digits."""
    sizes: list[SampleSize] = []
    expected = round(auc, 3)
    if 0.5 < expected < 1:
        sizes += [
            images_for_auc(expected, prevalence, _MARGIN),
            images_for_auc(expected, prevalence, _MARGIN, method="obuchowski"),
        ]
    for name, value in (("sensitivity", sensitivity), ("specificity", specificity)):
        if value is not None and 0 < round(value.value, 3) < 1:
            share = round(value.value, 3)
            sizes.append(images_for_share(name, share, _MARGIN, prevalence=prevalence))
    if 0.5 < expected < 1:
        sizes += images_of_riley(prevalence, expected)
    return sizes


def _shown(found: NonInferiority) -> str:
    if not found.is_shown:
        return "not shown"
    told = f"shown at a margin of {found.margin:g}"
    alone = found.method.startswith("bootstrap") or found.n_patients == found.n_images
    return told if alone else f"{told}, were radiographs independent"


def _reached(n_needed: int, one: FindingPerformance) -> str:
    if one.n_patients >= n_needed:
        return "reached"
    return "by radiographs, not by patients" if one.n_images >= n_needed else "not reached"


def _compared(
    facts: StudyFacts, finding: str, labels: Statistics, given: Statistics, margin: float
) -> list[NonInferiority]:
    """Compare AUCs, or shares where the other reader decides instead of scoring.

    Who decides has one point in the place of a curve. The area under straight lines through it is
    the least that the reader's curve could have, so a comparison would favor the model.
    """
    column = facts.table.findings.index(finding)
    said = facts.table.probabilities[:, column]
    known = ~np.isnan(labels)
    if min((labels == 1).sum(), (labels == 0).sum()) < MINIMUM_PER_GROUP_CLASS:
        return []
    patients = facts.table.patients
    if not set(np.unique(given[known]).tolist()) <= {0.0, 1.0}:
        return [
            non_inferior_auc(labels, said, given, patients=patients, margin=margin, by=by)
            for by in ("patients", "delong")
        ]
    limits = np.full(len(labels), np.nan)
    own = facts.sample(finding)[1]
    limits[own] = facts.thresholds(finding, own)[facts.deciding]
    found = []
    for figure, label in (("sensitivity", 1.0), ("specificity", 0.0)):
        of = labels == label
        owners = np.asarray(patients)[of].tolist()
        right = (said[of] >= limits[of]) == bool(label), (given[of] == 1) == bool(label)
        found += [
            non_inferior_share(figure, *right, margin=margin, patients=owners, by=by)
            for by in ("patients", "newcombe")
        ]
    return found


def _drawn(n_patients: int, n_images: int) -> str:
    return f"{n_patients:,}, of {n_images:,} radiographs"


def _p(p: float) -> str:
    return "under 0.001" if p < 0.001 else f"{p:.3f}"
