"""A model's card: everything a reader should know before trusting it, from its manifest alone.

Source: Mitchell et al. 2019, "Model cards for model reporting", for the sections.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from medcxr.core.results import Estimate
from medcxr.evaluation.conformal import ConformalCoverage
from medcxr.evaluation.report import FindingFigures, GroupFigure, ValidationReport
from medcxr.registry.manifest import Manifest, Measurement, OutlineFigures

__all__ = ["model_card"]

_UNKNOWN = "not determined"

_INTENDED_USE = """\
Decision support for trained professionals: a second opinion on frontal chest radiographs (PA or
AP) of adults. Every result needs the reader's own look at the radiograph and the clinical context.

Not for:

- clinical use without a validation on the radiographs of the place where it is to be used;
- emergencies, screening without a reader, or ruling a disease out;
- lateral views, other body parts, children, photographs of films;
- findings other than those listed here: a low probability of all of them is not a normal image.

Probabilities are calibrated on the images of the measurement below. Where a finding is rarer or
more frequent than there, the true share is lower or higher. Heat maps show what moved the model;
they do not outline disease."""

_NO_OUTLINES = """\
The graph outlines no organs: nothing is measured of lungs and heart, so there is no cardiothoracic
ratio, and what a map shows is told in no zones."""

_CALIBRATION_WORDS = """\
Calibration error is the expected calibration error (ECE) over ten bins of equal mass. A calibration
slope of 1 is right; less means that probabilities are too extreme."""

_CANDIDATE_WORDS = """\
Each was fitted to the other folds and measured on the fold left out, on the same logits. The model
uses the one named first: it can be fitted to few images and keeps the ranking."""

_COVERAGE_WORDS = """\
A prediction set holds every answer that is plausible for an image: present, absent, or both, and
then the model abstains. It promises to hold the right answer at the stated rate, for images with
and without the finding alike, as long as new images are like those measured. The figures are means
over divisions of the patients: one half sets the bounds, the other counts."""


def model_card(manifest: Manifest) -> str:
    """Return the card of a model as Markdown."""
    sections = [
        f"# Model card: {manifest.name} {manifest.version}",
        manifest.description or "No description.",
        _facts(manifest),
        "## Intended use and limits",
        _INTENDED_USE,
        "## Training data",
        _training(manifest),
        *_measurements(manifest.measurements),
        *_outlines(manifest),
        *_quick_look(manifest),
        "## Thresholds",
        _thresholds(manifest),
        "## Preprocessing",
        _preprocessing(manifest),
    ]
    return "\n\n".join(sections) + "\n"


def _facts(manifest: Manifest) -> str:
    training = manifest.training
    software = f"medcxr {training.software}" if training else _UNKNOWN
    minutes = f"{training.minutes:.0f} minutes" if training else _UNKNOWN
    rows = [
        ("Created", manifest.created or _UNKNOWN),
        ("Findings", ", ".join(manifest.findings)),
        ("Run", training.run if training else _UNKNOWN),
        ("Trained with", software),
        ("Training time", minutes),
    ]
    return _table(("Fact", "Value"), rows)


def _training(manifest: Manifest) -> str:
    training = manifest.training
    if training is None:
        return f"Where the weights come from: {_UNKNOWN}."
    total = (
        f"{training.n_images:,} radiographs of {training.n_patients:,} patients, as far as the "
        f"tables name them. Fingerprint of the data: `{training.data_fingerprint}`."
    )
    rows = [(name, f"{count:,}") for name, count in training.data.items()]
    table = _table(("Table", "Radiographs learned from"), rows)
    return "\n\n".join([total, table, *_before_the_labels(training.config)])


def _before_the_labels(config: Mapping[str, Any]) -> list[str]:
    """Say what the networks learned before, and from what else, where a recipe asks for it."""
    told = []
    further = config.get("further_companions")
    companions = [config.get("companion"), *(further if isinstance(further, Sequence) else ())]
    for recipe in (config, *companions):
        if not isinstance(recipe, Mapping):
            continue
        whose = "the networks of " + (
            "this recipe" if recipe is config else f"its companion {recipe.get('name', '')}".strip()
        )
        before, beside = recipe.get("pretraining"), recipe.get("simulated")
        task = before.get("task") if isinstance(before, Mapping) else None
        if task == "simulated" and (n := _count(before)):
            told.append(
                f"Before these, {whose} learned the findings of {n} simulated radiographs, which "
                "show no patient."
            )
        if task == "views":
            told.append(
                f"Before these, {whose} learned from the same radiographs, without their labels, "
                "that two views of one show the same."
            )
        if n := _count(beside):
            told.append(
                f"Beside these, {whose} learned from {n} simulated radiographs, which show no "
                "patient."
            )
    return told


def _count(section: object) -> str:
    """Return how many images a section of a recipe names, empty if none."""
    n = section.get("images") if isinstance(section, Mapping) else None
    return f"{n:,}" if isinstance(n, int) and n > 0 else ""


def _measurements(measurements: Sequence[Measurement]) -> list[str]:
    if not measurements:
        return ["## Measured figures", f"How good the model is: {_UNKNOWN}. Do not rely on it."]
    return [text for measurement in measurements for text in _measurement(measurement)]


def _measurement(measurement: Measurement) -> list[str]:
    report = measurement.report
    data = ", ".join(measurement.data) or _UNKNOWN
    how = (
        f"{report.n_images:,} radiographs of {report.n_patients:,} patients. In brackets: "
        f"{report.confidence:.0%} intervals, percentiles of a bootstrap that draws patients "
        f"({report.n_bootstrap:,} resamples, seed {report.seed}). Sensitivity, specificity and F1 "
        f'hold at the operating point "{measurement.operating_point}".'
    )
    sections = [
        f"## Measured figures: {data}",
        measurement.method,
        how,
        _discrimination(report),
        _decisions(report),
        _calibration(report),
        _CALIBRATION_WORDS,
    ]
    if measurement.calibrations:
        sections += ["### Calibrations compared", _CANDIDATE_WORDS, _candidates(measurement)]
    if measurement.coverage:
        sections += ["### Prediction sets", _COVERAGE_WORDS, _coverage(measurement.coverage)]
    if report.groups:
        sections += ["### Groups", _groups(report.groups)]
    return [*sections, "Repeat the measurement:", f"```\n{measurement.command}\n```"]


def _outlines(manifest: Manifest) -> list[str]:
    """Say what is outlined and how well, or that nothing is."""
    if not manifest.outlines:
        return ["## Outlines", _NO_OUTLINES]
    words = f"The graph also outlines: {', '.join(manifest.outlines)}."
    figures = manifest.outline_figures
    if figures is None:
        return ["## Outlines", words]
    how = (
        f"by {figures.folds}-fold cross-validation by patient (each radiograph outlined by a network "
        "trained without its patient; the one in this bundle learned from all of them)"
        if figures.folds
        else "on radiographs of patients that the outlines were not learned from"
    )
    words += (
        f" Compared with what experts drew, {how}: mean Dice coefficients; of the cardiothoracic "
        "ratio the mean absolute error, the error that 95 in 100 do not exceed, the agreement "
        "(intraclass correlation of single readings), and how well it tells whether the expert's "
        "exceeds 0.5."
    )
    rows = [_outline_row("All", figures)]
    rows += [_outline_row(table, one) for table, one in figures.by_table.items()]
    heads = [
        *("Table", "Radiographs", "Dice, lungs", "Hearts", "Dice, heart"),
        *("Ratios", "Off by", "95% within", "ICC", "Over 0.5, AUC"),
    ]
    if figures.n_as_drawn:
        words += (
            " Lungs are compared as far as the heart. Where an expert drew no heart, and lungs that "
            "may go on behind it, that is as far as the outlined heart; the last column counts as "
            "missed whatever was drawn behind it."
        )
        heads.append("Dice, lungs as drawn")
        as_drawn = [one.dice_lungs_as_drawn for one in (figures, *figures.by_table.values())]
        rows = [(*row, _three(value)) for row, value in zip(rows, as_drawn, strict=True)]
    return ["## Outlines", words, _table(heads, rows)]


def _quick_look(manifest: Manifest) -> list[str]:
    """Say whose map a map by occlusion is, where not all networks are asked."""
    look = manifest.quick_look
    if look is None:
        return []
    words = (
        f"They take a look at the radiograph for each place that is hidden. These are quick looks, "
        f"which ask {look.networks} of the {look.of} networks, and neither outline nor measure: "
        "such a map shows what those networks hang on. Whether it is true is tested on the answers "
        "of the whole model."
    )
    return ["## Maps by occlusion", words]


def _three(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _outline_row(table: str, figures: OutlineFigures) -> tuple[str, ...]:
    of_ratios = (
        *(figures.ratio_error, figures.ratio_margin, figures.ratio_icc),
        figures.enlarged_auc,
    )
    lungs, heart, *ratios = map(_three, (figures.dice_lungs, figures.dice_heart, *of_ratios))
    counts = [f"{n:,}" for n in (figures.n_images, figures.n_hearts, figures.n_ratios)]
    return (table, counts[0], lungs, counts[1], heart, counts[2], *ratios)


def _discrimination(report: ValidationReport) -> str:
    heads = (
        "Finding",
        "AUC",
        "AUC, patients alike",
        "Average precision",
        "Radiographs",
        "With the finding",
        "Patients",
    )
    rows: list[tuple[str, ...]] = [
        (
            f.finding,
            _estimate(f.auc),
            _estimate(f.auc_by_patient),
            _estimate(f.average_precision),
            *_counts(f),
        )
        for f in report.findings
    ]
    means = (
        _estimate(report.mean_auc),
        _estimate(report.mean_auc_by_patient),
        _estimate(report.mean_average_precision),
    )
    rows.append(("Mean (mean AUC, mAP)", *means, "", "", ""))
    return _table(heads, rows)


def _candidates(measurement: Measurement) -> str:
    return _table(
        ("Finding", "Calibration", "Calibration error", "Brier score", "Slope"),
        [
            (
                one.finding,
                one.candidate,
                _estimate(one.calibration_error),
                _estimate(one.brier),
                _estimate(one.calibration_slope),
            )
            for one in measurement.calibrations
        ],
    )


def _decisions(report: ValidationReport) -> str:
    return _table(
        ("Finding", "Threshold", "Sensitivity", "Specificity", "F1"),
        [
            (
                f.finding,
                f"{f.threshold:.3f}",
                _estimate(f.sensitivity),
                _estimate(f.specificity),
                _estimate(f.f1),
            )
            for f in report.findings
        ],
    )


def _calibration(report: ValidationReport) -> str:
    return _table(
        ("Finding", "Calibration error (ECE)", "Brier score", "Calibration slope"),
        [
            (
                f.finding,
                _estimate(f.calibration_error),
                _estimate(f.brier),
                _estimate(f.calibration_slope),
            )
            for f in report.findings
        ],
    )


def _coverage(coverage: Mapping[str, ConformalCoverage]) -> str:
    heads = ("Finding", "Promised", "Kept with it", "Kept without it", "Abstained", "Divisions")
    rows = [
        (
            finding,
            f"{kept.level:.0%}",
            f"{kept.present:.1%}",
            f"{kept.absent:.1%}",
            f"{kept.uncertain:.1%}",
            f"{kept.n_resplits:,}",
        )
        for finding, kept in coverage.items()
    ]
    return _table(heads, rows)


def _groups(groups: Sequence[GroupFigure]) -> str:
    heads = ("Group", "Value", "Finding", "AUC", "Radiographs", "With the finding", "Patients")
    rows = [(g.group, g.value, g.finding, _estimate(g.auc), *_counts(g)) for g in groups]
    return _table(heads, rows)


def _thresholds(manifest: Manifest) -> str:
    names = list(dict.fromkeys(p.name for ps in manifest.operating_points.values() for p in ps))
    rows = []
    for finding in manifest.findings:
        known = {point.name: point.threshold for point in manifest.operating_points[finding]}
        rows.append(
            (finding, *(f"{known[n]:.3f}" if n in known else _UNKNOWN for n in names)),
        )
    return (
        "A finding is present where its probability reaches the threshold. "
        f'"{manifest.operating_point}" decides unless another operating point is chosen.\n\n'
        + _table(("Finding", *names), rows)
    )


def _preprocessing(manifest: Manifest) -> str:
    steps = manifest.preprocessing
    return _table(
        ("Setting", "Value"),
        [(field.name, str(getattr(steps, field.name))) for field in fields(steps)],
    )


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None:
        return _UNKNOWN
    return estimate.told(3)


def _counts(figures: FindingFigures | GroupFigure) -> tuple[str, str, str]:
    return f"{figures.n_images:,}", f"{figures.n_positive:,}", f"{figures.n_patients:,}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    """Keep a name from ending its cell or row."""
    return " ".join(text.split()).replace("|", "\\|")
