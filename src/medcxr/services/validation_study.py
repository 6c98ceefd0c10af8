"""A whole validation study of a model on a table: a report as HTML and PDF, its figures as JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from medcxr import __version__
from medcxr.core.access import Permission
from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError, StorageError
from medcxr.core.runtime import Runtime
from medcxr.core.settings import Settings
from medcxr.datasets.study_table import LabelPolicy, rows_of, unnamed_patient
from medcxr.evaluation.drift import Patients
from medcxr.evaluation.finding_sample import draw_patients
from medcxr.evaluation.group_performance import auc_of
from medcxr.inference.predictor import Predictor
from medcxr.registry.bundle import ModelBundle
from medcxr.registry.manifest import Manifest
from medcxr.registry.registry import ModelRegistry
from medcxr.services.held_out import HeldOutScores, held_out_scores
from medcxr.services.incoming import IMAGE_FACTS, Incoming, compare_incoming
from medcxr.services.measuring_trail import note_measured
from medcxr.services.performance import Performance, measure_table, sample_of
from medcxr.services.scored_table import read_csv_file, row_scores, scored_findings
from medcxr.services.study_checklists import checklist_part
from medcxr.services.study_data import (
    Included,
    Overlap,
    ScoresFrom,
    Seen,
    StudyInput,
    held_out_for,
    include,
    is_its_table,
    overlap_of,
    read_study_table,
)
from medcxr.services.study_figures import (
    StudyFacts,
    calibration_part,
    coverage_part,
    decisions_part,
    find_gaps,
    groups_part,
    net_benefit_part,
    normal_part,
    prevalence_part,
    ranking_part,
    short,
    worst_part,
)
from medcxr.services.study_html import study_html
from medcxr.services.study_opening import (
    data_part,
    model_part,
    purpose_part,
    repeat_part,
    seen_part,
    summary_part,
)
from medcxr.services.study_page import Grid, Part, StudyPage, figures_of
from medcxr.services.study_pdf import study_pdf
from medcxr.services.study_robustness import (
    centres_part,
    drift_part,
    leave_out_part,
    measure_centres,
    mixes_part,
    non_inferiority_part,
    sample_size_part,
)
from medcxr.services.study_scores import StudyRow, score_centres, score_rows
from medcxr.services.study_words import limitations_of, limitations_part, methods_part
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import write_bytes_atomically, write_json_atomically
from medcxr.storage.locks import exclusive
from medcxr.synthetic.centres import CENTRES, centre_named

__all__ = ["CURRENT", "StudyFiles", "StudyPlan", "validate_model"]

CURRENT = "current"
"""Names the model in use."""

_HTML, _PDF, _JSON = "study.html", "study.pdf", "study.json"
_REFERENCE_ROWS = 300  # of a reference table, drawn at random, whose pixels are compared
_NOT_CENTRES = ("image_path", "patient_id", "labels", "absent")  # the report would name patients
_TITLE = "Validation study"
_SCORES_RUNTIME, _CENTRES_RUNTIME = "Runtime of the scores", "Runtime of simulated centres"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """What a study is to measure; all of it stands in the report.

    Attributes:
        scores: file of scores that exist already; None asks the model, or takes those that its run
            kept of held-out folds where the table is its own.
        held_out: True insists on held-out scores, False on the model's own; None takes held-out
            ones where there are.
        learned_from: tables that the model learned from, compared file by file.
        reference: table whose radiographs are the reference of drift; None compares with what the
            model's manifest and run say.
        reader: file of scores of another reader on the same radiographs.
        margin: by which the model may be worse than that reader.
        leave_out: column of the table whose values are left out in turn; empty for none.
        centres: names of simulated centres.
        centres_images: radiographs that are changed; 0 for none.
        complete_labels: whether findings that a row does not list are absent.
        with_refused: whether radiographs that the gate refuses are measured too.
        deciding: operating point of groups, prevalences and summary; empty takes the model's.
        worst: radiographs of each finding in the failure analysis.
        question: of the study, in the investigators' words.
        intended_use: likewise.
        n_bootstrap: resamples of patients.
        seed: of all random numbers.
    """

    scores: Path | None = None
    held_out: bool | None = None
    learned_from: tuple[Path, ...] = ()
    reference: Path | None = None
    reader: Path | None = None
    margin: float = 0.05
    leave_out: str = ""
    centres: tuple[str, ...] = tuple(centre.name for centre in CENTRES)
    centres_images: int = 100
    complete_labels: bool = True
    with_refused: bool = False
    deciding: str = ""
    worst: int = 10
    question: str = ""
    intended_use: str = ""
    n_bootstrap: int = 1000
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFiles:
    """A finished study.

    Attributes:
        html: the report.
        pdf: the same, to print.
        figures: the same as JSON.
        seen: whether the model learned from what was measured.
        n_images: measured.
        n_rows: of the table.
        performance: the figures of each finding.
    """

    html: Path
    pdf: Path
    figures: Path
    seen: Seen
    n_images: int
    n_rows: int
    performance: Performance


def validate_model(
    workspace: Workspace,
    model: str,
    table: Path,
    out: Path,
    *,
    command: str,
    plan: StudyPlan | None = None,
    progress: Progress | None = None,
) -> StudyFiles:
    """Measure a model on a table and write the report into a folder.

    A study that was cut off goes on with the same folder: what was scored is kept there.

    Args:
        workspace: with the models and runs.
        model: name of a model, or "current".
        table: of labeled radiographs.
        out: folder of the report.
        command: what repeats the study, for its reader.
        plan: what to measure.
        progress: called with what is being done, how much of it is done, and of how much.

    Raises:
        AccessError: whoever asks may not.
        DataError: a table or an option is wrong, or nothing can be measured.
        ModelError: there is no such model, or it is damaged.
        StorageError: the folder cannot be written.
    """
    workspace.require(Permission.MEASURE_MODELS)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            "{folder} cannot be made: {reason}; choose another folder.",
            folder=out,
            reason=error.strerror,
        ) from error
    show = progress or (lambda _what, _done, _all: None)
    with exclusive(out / _JSON):  # two studies in one folder would mix what they keep
        return _validate(workspace, model, table, out, command=command, plan=plan, show=show)


def _validate(
    workspace: Workspace,
    model: str,
    table: Path,
    out: Path,
    *,
    command: str,
    plan: StudyPlan | None,
    show: Progress,
) -> StudyFiles:
    plan = plan or StudyPlan()
    bundle = _bundle(workspace, model)
    manifest = bundle.manifest
    predictor = Predictor(bundle, runtime=Settings.from_environment().runtime)
    policy = LabelPolicy(complete=plan.complete_labels)
    study = read_study_table(table, manifest.findings, policy)
    held_out = held_out_for(study, manifest, held_out_scores(workspace))
    own = held_out if held_out is not None and is_its_table(study, held_out) else None
    scores_from, scores = _scores(plan, own)
    rows = score_rows(
        predictor,
        study.table,
        out,
        scored=scores_from is ScoresFrom.MODEL,
        progress=lambda done, n: show("reading radiographs", done, n),
    )
    included = include(
        study, rows, manifest.findings, scores=scores, with_refused=plan.with_refused
    )
    show("measuring", 0, 1)
    overlap = overlap_of(
        study,
        manifest,
        rows,
        scores_from=scores_from,
        held_out=held_out,
        learned_from=plan.learned_from,
    )
    asked = _runtimes(plan, scores_from, predictor.runtime)
    facts = _facts(manifest, study, included, scores_from=scores_from, plan=plan, asked=asked)
    parts = _measured_parts(facts, study, included, plan=plan)
    reference = _reference(predictor, workspace, study, own, out, plan=plan, rows=rows)
    parts.insert(-1, drift_part(reference[0], reference[1], facts.source().data))
    parts += _changed_parts(predictor, facts, study, out, overlap=overlap, plan=plan, show=show)
    gaps = find_gaps(facts)
    parts.insert(_index_of(parts, "Drift of the inputs"), groups_part(facts, gaps))
    limitations = limitations_of(facts, overlap, included, gaps)
    opening = [
        summary_part(facts, overlap, limitations, command),
        purpose_part(plan.question, plan.intended_use),
        data_part(facts, study, included),
        seen_part(overlap),
        model_part(manifest),
        methods_part(),
    ]
    closing = [
        limitations_part(limitations),
        repeat_part(command, _made_with(plan, facts, scores_from, asked)),
    ]
    titles = [part.title for part in (*opening, *parts, *closing)]
    made = datetime.now(UTC)
    page = StudyPage(
        title=_TITLE,
        subtitle=f"{manifest.identity} on {study.name}, {made:%Y-%m-%d}",
        parts=(*opening, *parts, *closing[:1], checklist_part(titles), closing[1]),
    )
    show("writing", 0, 1)
    write_bytes_atomically(out / _HTML, study_html(page).encode())
    write_bytes_atomically(out / _PDF, study_pdf(page, made=made))
    write_json_atomically(
        out / _JSON,
        _plain(
            page,
            facts,
            overlap,
            included,
            asked=asked,
            limitations=limitations,
            command=command,
        ),
    )
    note_measured(workspace, manifest.identity, "study")
    return StudyFiles(
        html=out / _HTML,
        pdf=out / _PDF,
        figures=out / _JSON,
        seen=overlap.seen,
        n_images=len(included.rows),
        n_rows=included.n_rows,
        performance=facts.performance,
    )


def _bundle(workspace: Workspace, model: str) -> ModelBundle:
    registry = ModelRegistry(workspace.models)
    return registry.current() if model == CURRENT else registry.get(model)


def _scores(plan: StudyPlan, held_out: HeldOutScores | None) -> tuple[ScoresFrom, Path | None]:
    if plan.scores is not None:
        if plan.held_out:
            raise DataError("Give either scores or held-out ones, not both.")
        return ScoresFrom.FILE, plan.scores
    if plan.held_out and held_out is None:
        raise DataError(
            "This workspace keeps no held-out scores of the model's run for this table; give the "
            "workspace in which it was trained, or leave --held-out away."
        )
    if held_out is not None and plan.held_out is not False:
        return ScoresFrom.HELD_OUT, held_out.path
    return ScoresFrom.MODEL, None


def _facts(
    manifest: Manifest,
    study: StudyInput,
    included: Included,
    *,
    scores_from: ScoresFrom,
    plan: StudyPlan,
    asked: Mapping[str, str],
) -> StudyFacts:
    deciding = plan.deciding or manifest.operating_point
    drawn = draw_patients(included.scored.patients, n_bootstrap=plan.n_bootstrap, seed=plan.seed)
    performance = measure_table(
        included.scored,
        manifest=manifest,
        deciding=deciding,
        n_bootstrap=plan.n_bootstrap,
        seed=plan.seed,
    )
    run = manifest.training.run if manifest.training else "unknown run"
    whose = {
        ScoresFrom.MODEL: f"model {manifest.identity} by {asked[_SCORES_RUNTIME]}",
        ScoresFrom.HELD_OUT: f"held-out folds of run {run}",
        ScoresFrom.FILE: f"given scores {plan.scores.name if plan.scores else ''}",
    }[scores_from]
    return StudyFacts(
        manifest=manifest,
        table=included.scored,
        rows=included.rows,
        drawn=drawn,
        performance=performance,
        deciding=deciding,
        run=f"{whose} on {study.name}",
    )


def _measured_parts(
    facts: StudyFacts,
    study: StudyInput,
    included: Included,
    *,
    plan: StudyPlan,
) -> list[Part]:
    """Return the sections of figures for which no pixel is changed; the last is that of failures."""
    ranking = ranking_part(facts)
    if included.everything is not None:
        ranking = Part(
            title=ranking.title, blocks=(*ranking.blocks, _with_refused(facts, included, plan))
        )
    normal = normal_part(facts)
    parts = [
        ranking,
        decisions_part(facts),
        *([normal] if normal else []),
        prevalence_part(facts),
        calibration_part(facts),
        coverage_part(facts),
        net_benefit_part(facts),
    ]
    if plan.leave_out:
        parts.append(leave_out_part(facts, plan.leave_out, _column(facts, study, plan.leave_out)))
    return [*parts, worst_part(facts, plan.worst)]


def _with_refused(facts: StudyFacts, included: Included, plan: StudyPlan) -> Grid:
    """Return the AUC of all that can be scored, whatever the gate says."""
    table = included.everything
    if table is None:
        raise ValueError("Nothing was scored whatever the gate says; ask before.")
    drawn = draw_patients(table.patients, n_bootstrap=plan.n_bootstrap, seed=plan.seed)
    lines = []
    for one in facts.performance.findings:
        sample, _ = sample_of(table, one.finding, drawn)
        lines.append((one.finding, short(auc_of(sample), sample), f"{len(sample):,}"))
    patients = len(set(table.patients))
    return Grid(
        caption="AUC with the radiographs that the gate refuses",
        heads=("Finding", "AUC", "Radiographs"),
        rows=tuple(lines),
        source=facts.source(f"{len(table):,} radiographs of {patients:,} patients"),
        shares=(2, 2, 1),
    )


def _column(facts: StudyFacts, study: StudyInput, name: str) -> list[str]:
    columns = [column for column in study.cells[0] if column not in _NOT_CENTRES]
    if name not in columns:
        raise DataError(
            "Table {table} has no column {name!r} to leave out; use one of {names}.",
            table=study.name,
            name=name,
            names=", ".join(columns),
        )
    return [study.cells[row].get(name, "").strip() or "unknown" for row in facts.rows]


def _reference(
    predictor: Predictor,
    workspace: Workspace,
    study: StudyInput,
    held_out: HeldOutScores | None,
    out: Path,
    *,
    plan: StudyPlan,
    rows: Sequence[StudyRow],
) -> tuple[Incoming | None, str]:
    """Compare the measured radiographs with a reference, or say why there is none."""
    if plan.reference is not None:
        return _beside_table(predictor, study, out, plan=plan, rows=rows)
    if held_out is not None:
        return None, (
            "The table is the one that the model was developed on: it is itself the reference, so "
            "nothing can have drifted."
        )
    training = predictor.manifest.training
    own = [one for one in held_out_scores(workspace) if training and one.run == training.run]
    if not own or own[0].labels is None:
        return None, (
            "Nothing to compare with: the model's manifest keeps no radiographs. Give --reference "
            "with the table that it learned from."
        )
    file = read_csv_file(own[0].labels)
    old = rows_of(file.data, file.name, required=("image_path",))
    usable = [row.row for row in rows if not row.error]
    names = _names(old, [study.cells[row] for row in usable])
    whose = (_patients_of(old), [study.table.patients[row] for row in usable])
    found = compare_incoming({}, names, patients=dict.fromkeys(names, whose))
    return found, f"the {len(old):,} held-out radiographs of run {own[0].run}"


def _beside_table(
    predictor: Predictor,
    study: StudyInput,
    out: Path,
    *,
    plan: StudyPlan,
    rows: Sequence[StudyRow],
) -> tuple[Incoming, str]:
    path = plan.reference
    if path is None:
        raise ValueError("There is no table of another reader; ask before.")
    other = read_study_table(path, predictor.manifest.findings, study.policy)
    order = np.random.default_rng(plan.seed).permutation(len(other.table))[:_REFERENCE_ROWS]
    chosen = other.table.select(sorted(order.tolist()))
    read = score_rows(predictor, chosen, out / "reference", scored=False)
    usable = [row for row in rows if not row.error]
    numbers = {
        name: (
            [row.facts[name] for row in read if not row.error],
            [row.facts[name] for row in usable],
        )
        for name in IMAGE_FACTS
    }
    names = _names(other.cells, [study.cells[row.row] for row in usable])
    new_patients = [study.table.patients[row.row] for row in usable]
    of_pixels = [chosen.patients[row.row] for row in read if not row.error]
    patients: dict[str, Patients] = {
        **dict.fromkeys(numbers, (of_pixels, new_patients)),
        **dict.fromkeys(names, (other.table.patients, new_patients)),
    }
    told = (
        f"{len(chosen):,} radiographs of {other.name}, drawn at random (pixels), and all its rows"
    )
    return compare_incoming(numbers, names, patients=patients), told


def _patients_of(rows: Sequence[Mapping[str, str]]) -> list[str]:
    return [row.get("patient_id") or unnamed_patient(row["image_path"]) for row in rows]


def _names(
    old: Sequence[Mapping[str, str]], new: Sequence[Mapping[str, str]]
) -> dict[str, tuple[list[str], list[str]]]:
    return {
        name: ([row.get(name, "") or "unknown" for row in old],
               [row.get(name, "") or "unknown" for row in new])
        for name in ("view", "sex")
        if name in old[0] and name in new[0]
    }  # fmt: skip


def _changed_parts(
    predictor: Predictor,
    facts: StudyFacts,
    study: StudyInput,
    out: Path,
    *,
    overlap: Overlap,
    plan: StudyPlan,
    show: Progress,
) -> list[Part]:
    parts = []
    if plan.centres_images and plan.centres:
        chosen = _chosen(facts, plan)
        rows = score_centres(
            predictor,
            study.table,
            chosen,
            out,
            centres=plan.centres,
            seed=plan.seed,
            progress=lambda done, n: show("simulating centres", done, n),
        )
        labels = {row: study.table.labels[row].tolist() for row in chosen}
        found = measure_centres(
            rows,
            labels,
            predictor.manifest.findings,
            [centre_named(name) for name in plan.centres],
            seed=plan.seed,
        )
        learned = overlap.seen in (Seen.LEARNED, Seen.HELD_OUT, Seen.OVERLAP)
        model = f"{predictor.manifest.identity} by {_full_name(predictor.runtime)}"
        parts.append(centres_part(facts, found, model=model, learned=learned))
    parts += [mixes_part(facts), sample_size_part(facts)]
    if plan.reader is not None:
        scores = _reader_scores(facts, study, plan.reader)
        parts.append(
            non_inferiority_part(
                facts,
                plan.reader.name,
                scores,
                plan.margin,
                learned=overlap.seen in (Seen.LEARNED, Seen.OVERLAP),
            )
        )
    return parts


def _chosen(facts: StudyFacts, plan: StudyPlan) -> list[int]:
    """Draw rows of different patients: half at random, the rest with the rarest findings first."""
    order = np.random.default_rng(plan.seed).permutation(len(facts.rows)).tolist()
    first: dict[str, int] = {}
    for index in order:
        first.setdefault(facts.table.patients[index], index)
    free = list(first.values())
    chosen = free[: (plan.centres_images + 1) // 2]
    rare = sorted(facts.performance.findings, key=lambda one: one.n_positive)
    columns = [facts.table.findings.index(one.finding) for one in rare]
    for turn in range(len(free)):
        if len(chosen) >= min(plan.centres_images, len(free)):
            break
        column = columns[turn % len(columns)]
        left = [index for index in free if index not in set(chosen)]
        wanted = [index for index in left if facts.table.labels[index, column] == 1] or left
        chosen.append(wanted[0])
    return sorted(facts.rows[index] for index in chosen)


def _reader_scores(facts: StudyFacts, study: StudyInput, path: Path) -> dict[str, Statistics]:
    file = read_csv_file(path)
    rows = rows_of(file.data, file.name, required=("image_path",))
    known = scored_findings(file, rows)
    findings = [one.finding for one in facts.performance.findings if one.finding in known]
    by_image = {row["image_path"]: row_scores(file, row, findings) for row in rows}
    missing = [float("nan")] * len(findings)
    given = np.array(
        [by_image.get(study.table.image_paths[row], missing) for row in facts.rows]
    ).reshape(len(facts.rows), len(findings))
    if not findings or np.isnan(given).all():
        raise DataError(
            "Table {table} scores none of the measured radiographs and findings; write the same "
            "paths and finding names into both.",
            table=file.name,
        )
    return {finding: given[:, column] for column, finding in enumerate(findings)}


def _index_of(parts: Sequence[Part], title: str) -> int:
    return next(index for index, part in enumerate(parts) if part.title == title)


def _made_with(
    plan: StudyPlan, facts: StudyFacts, scores_from: ScoresFrom, asked: Mapping[str, str]
) -> dict[str, str]:
    return {
        "medcxr": __version__,
        **asked,
        "Scores": str(scores_from),
        "Operating point": facts.deciding,
        "Thresholds": str(facts.performance.thresholds_from),
        "Resamples of patients": f"{plan.n_bootstrap:,}, seed {plan.seed}",
        "Findings not listed by a row": "absent" if plan.complete_labels else "unknown",
        "Refused by the gate": "measured too" if plan.with_refused else "left out",
        "Simulated centres": f"{len(plan.centres)} of {plan.centres_images} radiographs each",
    }


def _runtimes(plan: StudyPlan, scores_from: ScoresFrom, runtime: Runtime) -> dict[str, str]:
    """Return what computed the scores behind the figures, and those of simulated centres."""
    here = _full_name(runtime)
    of_scores = {
        ScoresFrom.MODEL: here,
        ScoresFrom.HELD_OUT: "PyTorch, in the training run",
        ScoresFrom.FILE: "not known: the file of scores does not say",
    }[scores_from]
    centres = {_CENTRES_RUNTIME: here} if plan.centres and plan.centres_images else {}
    return {_SCORES_RUNTIME: of_scores, **centres}


def _full_name(runtime: Runtime) -> str:
    return f"{runtime.full_name} {metadata.version(runtime)}"


def _plain(
    page: StudyPage,
    facts: StudyFacts,
    overlap: Overlap,
    included: Included,
    *,
    asked: Mapping[str, str],
    limitations: Sequence[str],
    command: str,
) -> dict[str, Any]:
    figures = [
        {
            "section": part.title,
            "table": grid.caption,
            "row": str(row[0]),
            "figure": head,
            "value": one.value.value if one.value else None,
            "low": one.value.low if one.value else None,
            "high": one.value.high if one.value else None,
            "n_images": one.n_images,
            "n_patients": one.n_patients,
            "interval": one.interval or (grid.source.interval if grid.source else ""),
            "source": f"{grid.source.run}; {grid.source.data}" if grid.source else "",
        }
        for part, grid, row, head, one in figures_of(page)
    ]
    whole = {
        "format": 1,
        "title": page.title,
        "subtitle": page.subtitle,
        "software": f"medcxr {__version__}",
        "command": command,
        "runtimes": {
            "scores": asked[_SCORES_RUNTIME],
            "simulated_centres": asked.get(_CENTRES_RUNTIME),
        },
        "overlap": asdict(overlap),
        "n_rows": included.n_rows,
        "n_measured": len(included.rows),
        "left_out": dict(included.left_out),
        "limitations": list(limitations),
        "figures": figures,
        "performance": asdict(facts.performance),
    }
    plain: dict[str, Any] = json.loads(json.dumps(whole, default=str))
    return plain
