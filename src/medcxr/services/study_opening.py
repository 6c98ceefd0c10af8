"""The first sections of a study report: what was asked, of whom, of which model."""

from collections.abc import Mapping, Sequence

import numpy as np

from medcxr.documents.plots import Boxes, box_chart
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.shares import share
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.registry.manifest import Manifest
from medcxr.services.study_data import Included, Overlap, StudyInput
from medcxr.services.study_figures import StudyFacts, short
from medcxr.services.study_page import (
    LEAST_LISTED,
    Block,
    Command,
    Figure,
    Grid,
    Part,
    Picture,
    Words,
)
from medcxr.services.study_words import seen_words

__all__ = ["data_part", "model_part", "purpose_part", "repeat_part", "seen_part", "summary_part"]

_LOUDEST = 3  # limitations in the summary
_DEFAULT_QUESTION = (
    "How well does the model tell its findings on the radiographs of this table, how far can its "
    "probabilities be taken at their word, and for whom and under which changes does that hold?"
)
_INTENDED = (
    "Decision support: a second look for trained professionals beside their own look at the "
    "radiograph and the clinical context. Never alone, never for emergencies."
)


def summary_part(
    facts: StudyFacts, overlap: Overlap, limitations: Sequence[str], command: str
) -> Part:
    """Return the study in short."""
    rows = []
    for one in facts.performance.findings:
        decided = next(d for d in one.decisions if d.point == facts.deciding)
        sample, _ = facts.sample(one.finding)
        rows.append(
            (
                one.finding,
                short(one.auc, sample),
                short(decided.sensitivity, sample),
                short(decided.specificity, sample),
                short(one.calibration_slope, sample, digits=2),
                f"{one.n_positive:,} of {one.n_images:,}",
            )
        )
    return Part(
        title="Summary",
        blocks=(
            seen_words(overlap),
            Grid(
                caption=f"In short, decided at the operating point {facts.deciding}",
                heads=(
                    "Finding",
                    "AUC",
                    "Sensitivity",
                    "Specificity",
                    "Calibration slope",
                    "With it",
                ),
                rows=tuple(rows),
                source=facts.source(),
            ),
            Words(" ".join(["Before all else:", *limitations[:_LOUDEST]])),
            Words("The command that repeats it:", "quiet"),
            Command(command),
        ),
    )


def purpose_part(question: str, intended_use: str) -> Part:
    """Return what was asked and for what use."""
    return Part(
        title="Question and intended use",
        blocks=(
            Words(f"Question: {question or _DEFAULT_QUESTION}"),
            Words(f"Intended use: {intended_use or _INTENDED}"),
            Words(
                "Protocol, registration, ethical approval, hypotheses and the clinical setting are "
                "to be written by the investigators.",
                "quiet",
            ),
        ),
    )


def data_part(facts: StudyFacts, study: StudyInput, included: Included) -> Part:
    """Return who was measured, who was not and why, and what is missing."""
    n_patients = len(set(facts.table.patients))
    steps = [
        Boxes(
            text=f"{included.n_rows:,} rows of the table",
            aside=tuple(f"{n:,} {why}" for why, n in included.left_out),
        ),
        Boxes(text=f"{len(included.rows):,} radiographs of {n_patients:,} patients measured"),
    ]
    told = "; ".join(f"{n:,} {why}" for why, n in included.left_out) or "none left out"
    blocks: list[Block] = [
        Words(
            f"Table {study.name}, SHA-256 {study.digest}. "
            + (
                "Findings that a row does not list count as absent."
                if study.policy.complete and "absent" not in study.cells[0]
                else "Findings that a row names neither as present nor as absent are unknown."
            )
        ),
        Picture(
            caption="Flow of the radiographs.",
            drawing=box_chart(steps, spoken=f"{included.n_rows:,} rows; {told}; "
                              f"{len(included.rows):,} measured."),
            source=facts.source(f"all {included.n_rows:,} rows", "none, these are counts"),
            wide=True,
        ),
        _prevalences(facts),
        *_participants(facts, study),
        _missing(study, included),
    ]  # fmt: skip
    if included.n_twice:
        blocks.append(
            Words(
                "Measured files that are, byte for byte, copies of an earlier row: "
                f"{included.n_twice:,}.",
                "warning",
            )
        )
    if included.everything is not None:
        blocks.append(
            Words(
                "Radiographs that the gate refuses get no answer in use and are left out; the "
                "section on ranking has the AUC with them too.",
                "quiet",
            )
        )
    return Part(title="Data", blocks=tuple(blocks))


def seen_part(overlap: Overlap) -> Part:
    """Return what the model learned from, and what of it was found among the measured."""
    rows = [(name, f"{n:,}") for name, n in overlap.training.items()]
    blocks: list[Block] = [seen_words(overlap)]
    if rows:
        blocks.append(
            Grid(
                caption="What the model learned from, as its manifest says",
                heads=("Table", "Radiographs"),
                rows=tuple(rows),
                shares=(3, 1),
            )
        )
    compared = ", ".join(overlap.compared) or "none; give --learned-from"
    blocks.append(
        Grid(
            caption="What was compared",
            heads=("Comparison", "Found"),
            rows=(
                ("Rows that the training run names, by path and patient",
                 f"{overlap.n_rows:,} of {overlap.n_patients:,} patients"),
                ("Files equal byte for byte to one of the tables", f"{overlap.n_files:,}"),
                ("Tables whose files were compared", compared),
                ("Fingerprint of the training data", overlap.fingerprint or "not known"),
            ),
            shares=(2, 3),
        )
    )  # fmt: skip
    return Part(title="What the model has seen", blocks=tuple(blocks))


def model_part(manifest: Manifest) -> Part:
    """Return which model was measured."""
    one = manifest.preprocessing
    training = manifest.training
    rows = [
        ("Model", manifest.identity),
        ("What it is", manifest.description),
        ("Trained", f"{manifest.created}, run {training.run}" if training else "not known"),
        ("Findings", ", ".join(manifest.findings)),
        (
            "Input",
            _input(one),
        ),
        ("Output", "a calibrated probability per finding, present from a threshold"),
        *((f"SHA-256 of {name}", digest) for name, digest in sorted(manifest.files.items())),
    ]
    points = tuple(
        (
            finding,
            *(
                f"{p.name}: {p.threshold:.3f}"
                for p in manifest.operating_points.get(finding, ())[:3]
            ),
        )
        for finding in manifest.findings
    )
    width = max(len(row) for row in points)
    return Part(
        title="Model",
        blocks=(
            Grid(caption="The model", heads=("Fact", "Value"), rows=tuple(rows), shares=(1, 3.4)),
            Grid(
                caption="Thresholds of the model, as its manifest says",
                heads=("Finding", *(f"Operating point {n}" for n in range(1, width))),
                rows=tuple((*row, *[""] * (width - len(row))) for row in points),
            ),
        ),
    )


def repeat_part(command: str, facts: Mapping[str, str], *, kept: bool = True) -> Part:
    """Return how the report is made again.

    Args:
        command: what is typed.
        facts: with what it was made.
        kept: whether scores and figures lie beside the report.
    """
    beside = (
        " They stand in study.json too; scores.csv and centres.csv beside it keep what was scored."
        if kept
        else ""
    )
    return Part(
        title="How to repeat it",
        blocks=(
            Words(
                "The same command on the same table, files and model gives the same figures."
                + beside
            ),
            Command(command),
            Grid(
                caption="With what this report was made",
                heads=("Fact", "Value"),
                rows=tuple(facts.items()),
                shares=(1, 3),
            ),
        ),
    )


def _prevalences(facts: StudyFacts) -> Grid:
    rows = []
    for one in facts.performance.findings:
        sample, _ = facts.sample(one.finding)
        totals = sample.totals(np.stack([sample.labels, np.ones(len(sample))], axis=1))
        frequent = sample.estimate(share(totals[:, 0], totals[:, 1]), sample.n_patients())
        rows.append(
            (
                one.finding,
                f"{one.n_positive:,}",
                f"{one.n_images - one.n_positive:,}",
                f"{len(facts.table) - one.n_images:,}",
                short(frequent, sample),
                f"{sample.n_patients(sample.labels == 1):,} of {one.n_patients:,}",
            )
        )
    return Grid(
        caption="How frequent each finding is",
        heads=("Finding", "With it", "Without it", "Unknown", "Share of radiographs",
               "Patients with it"),
        rows=tuple(rows),
        source=facts.source(),
    )  # fmt: skip


def _participants(facts: StudyFacts, study: StudyInput) -> list[Block]:
    patients = np.asarray(facts.table.patients)
    rows: list[tuple[str | Figure, ...]] = []
    ages = np.array([_years(study.cells[row].get("age", "")) for row in facts.rows])
    known = np.isfinite(ages)
    if known.any():
        owners = facts.drawn.owners[known]
        sample = FindingSample(
            labels=np.zeros(int(known.sum())),
            probabilities=np.zeros(int(known.sum())),
            owners=owners,
            draws=facts.drawn.draws,
            confidence=0.95,
        )
        sums = sample.totals(np.stack([ages[known], np.ones(int(known.sum()))], axis=1))
        mean = sample.estimate(share(sums[:, 0], sums[:, 1]))
        rows.append(("Mean age, years", short(mean, sample, digits=1), f"{len(set(owners)):,}"))
    for name, values in facts.table.groups.items():
        column = np.asarray(values)
        names, counts = np.unique(column, return_counts=True)
        rare = 0
        for at in np.argsort(-counts, kind="stable").tolist():
            if counts[at] < LEAST_LISTED:
                rare += 1
                continue
            of_value = patients[column == names[at]]
            rows.append(
                (f"{name}: {names[at]}", f"{counts[at]:,}", f"{len(set(of_value.tolist())):,}")
            )
        if rare:
            n = int(counts[counts < LEAST_LISTED].sum())
            rows.append((f"{name}: {rare:,} others, fewer than {LEAST_LISTED} each", f"{n:,}", ""))
    if not rows:
        return [Words("The table says nothing of age, sex, view or source.", "warning")]
    return [
        Grid(
            caption="Who was measured; a patient with radiographs in two rows counts in both",
            heads=("Characteristic", "Radiographs", "Patients"),
            rows=tuple(rows),
            source=facts.source(),
            shares=(2.6, 1.6, 1),
        )
    ]


def _missing(study: StudyInput, included: Included) -> Grid:
    columns = [name for name in study.cells[0] if name not in ("image_path", "labels", "absent")]
    rows = tuple(
        (
            name,
            _counted(
                sum(not study.cells[row].get(name, "").strip() for row in included.rows),
                len(included.rows),
            ),
        )
        for name in columns
    )
    return Grid(
        caption="Missing values of the measured rows",
        heads=("Column", "Empty"),
        rows=rows,
        shares=(2, 1),
    )


def _counted(n: int, n_all: int) -> str:
    return f"{n:,} of {n_all:,}"


def _input(one: Preprocessing) -> str:
    return (
        f"{one.size} by {one.size} gray values, fitted without stretching, percentiles "
        f"{one.low_percentile:g} to {one.high_percentile:g}, histogram equalization "
        f"{one.equalization:g}"
    )


def _years(text: str) -> float:
    """Return an age in years, NaN where the text is none or says an impossible one."""
    try:
        years = float(text)
    except ValueError:
        return float("nan")
    return years if 0 <= years <= 120 else float("nan")
