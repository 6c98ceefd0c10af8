"""The report of a table of scores alone: all of a study that needs no radiograph."""

from dataclasses import dataclass
from datetime import UTC, datetime

from medcxr import __version__
from medcxr.core.access import Permission
from medcxr.evaluation.finding_sample import draw_patients
from medcxr.registry.manifest import Manifest
from medcxr.services.measuring_trail import note_scores_measured
from medcxr.services.performance import N_BOOTSTRAP, SEED, measure_table
from medcxr.services.scored_table import ScoredTable
from medcxr.services.study_checklists import checklist_part
from medcxr.services.study_data import Included, Overlap, Seen
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
)
from medcxr.services.study_html import study_html
from medcxr.services.study_opening import repeat_part, summary_part
from medcxr.services.study_page import StudyPage
from medcxr.services.study_pdf import study_pdf
from medcxr.services.study_robustness import mixes_part, sample_size_part
from medcxr.services.study_words import limitations_of, limitations_part, methods_part
from medcxr.services.workspace import Workspace

__all__ = ["ScoresReport", "report_scores"]

_TITLE = "Report of scores"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresReport:
    """A report in English, as two files.

    Attributes:
        html: one file that loads nothing.
        pdf: the same, to print.
    """

    html: bytes
    pdf: bytes


def report_scores(
    workspace: Workspace,
    table: ScoredTable,
    *,
    source: str,
    command: str,
    manifest: Manifest | None,
    deciding: str = "youden",
) -> ScoresReport:
    """Report a table of scores: figures, subgroups, mixes, sample size, limitations.

    Args:
        workspace: in which it is asked for.
        table: scores with labels.
        source: what they are, in words.
        command: what measures them again.
        manifest: of the model whose thresholds decide; None chooses them on the table.
        deciding: operating point of groups, prevalences and summary.

    Raises:
        AccessError: whoever asks may not.
        DataError: no finding has both classes, or there is only one patient.
    """
    workspace.require(Permission.MEASURE_MODELS)
    drawn = draw_patients(table.patients, n_bootstrap=N_BOOTSTRAP, seed=SEED)
    performance = measure_table(table, manifest=manifest, deciding=deciding)
    rows = tuple(range(len(table)))
    facts = StudyFacts(
        manifest=manifest,
        table=table,
        rows=rows,
        drawn=drawn,
        performance=performance,
        deciding=deciding,
        run=source,
    )
    held_out = len(set(table.folds)) > 1
    overlap = Overlap(
        seen=Seen.HELD_OUT if held_out else Seen.UNKNOWN,
        training={},
        fingerprint="",
        compared=(),
        n_files=0,
        n_rows=0,
        n_patients=0,
    )
    n_rows = len(table) + table.n_unlabeled + table.n_unscored
    left_out = (("without a label", table.n_unlabeled), ("without a score", table.n_unscored))
    included = Included(
        scored=table, rows=rows, everything=None, left_out=left_out, n_rows=n_rows, n_twice=0
    )
    gaps = find_gaps(facts)
    limitations = limitations_of(facts, overlap, included, gaps)
    normal = normal_part(facts)
    parts = [
        summary_part(facts, overlap, limitations, command),
        methods_part(),
        ranking_part(facts),
        decisions_part(facts),
        *([normal] if normal else []),
        prevalence_part(facts),
        calibration_part(facts),
        coverage_part(facts),
        net_benefit_part(facts),
        groups_part(facts, gaps),
        mixes_part(facts),
        sample_size_part(facts),
        limitations_part(limitations),
    ]
    made = datetime.now(UTC)
    facts_of_report = {
        "medcxr": __version__,
        "Operating point": deciding,
        "Thresholds": str(performance.thresholds_from),
        "Resamples of patients": f"{N_BOOTSTRAP:,}, seed {SEED}",
    }
    page = StudyPage(
        title=_TITLE,
        subtitle=f"{source}, {made:%Y-%m-%d}",
        parts=(
            *parts,
            checklist_part([part.title for part in parts]),
            repeat_part(command, facts_of_report, kept=False),
        ),
    )
    note_scores_measured(workspace, len(table))
    return ScoresReport(html=study_html(page).encode(), pdf=study_pdf(page, made=made))
