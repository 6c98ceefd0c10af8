"""What a study says around its figures: its methods, and the limitations that its figures show."""

from collections.abc import Sequence

from medcxr.core.results import Estimate
from medcxr.evaluation.group_gaps import GroupGap
from medcxr.services.performance import ThresholdsFrom
from medcxr.services.study_data import Included, Overlap, Seen
from medcxr.services.study_figures import StudyFacts
from medcxr.services.study_page import Listing, Part, Words

__all__ = ["limitations_of", "limitations_part", "methods_part", "seen_words"]

_FEW = 100  # with the finding, below which figures are taken as uncertain
_WIDE = 0.10  # width of an interval of an AUC, above which it is told
_ONE_CENTRE = 0.9  # share of the positives from one source

_METHODS = (
    (
        "Unit: radiographs; intervals resample patients with all their radiographs (Field and "
        "Welsh 2007; Efron and Tibshirani 1993, section 13.3), and widen to the exact binomial "
        "bound where a proportion is 0 or 1 (Clopper and Pearson 1934)."
    ),
    (
        "Ranking: AUC, ties counting half (Hanley and McNeil 1982), with DeLong's interval "
        "beside it (DeLong et al. 1988; Sun and Xu 2014); average precision without "
        "interpolation; bands by vertical averaging (Macskassy and Provost 2004)."
    ),
    (
        "Decisions: sensitivity, specificity, PPV, NPV, F1 and accuracy at named thresholds "
        "(Altman and Bland 1994; Youden 1950); other prevalences by prior shift (Saerens et al. "
        "2002)."
    ),
    (
        "Calibration: Cox's slope and intercept (Cox 1958; Van Calster et al. 2019), error over "
        "ten bins of equal mass (Guo et al. 2017), Brier score (Brier 1950)."
    ),
    "Prediction sets: label-conditional conformal prediction (Vovk 2012).",
    "Decision curves: net benefit (Vickers and Elkin 2006).",
    (
        "Subgroups: each against all others on the same resamples; p by these, and by the exact "
        "binomial bound of a side whose figure is 0 or 1; corrected for all gaps together by "
        "Holm's method (Holm 1979). Subgroups are those that the table names; none was chosen after "
        "looking."
    ),
    (
        "Pairs: AUCs by resampling patients and by DeLong; shares by resampling patients and by "
        "Newcombe's method 10 (Newcombe 1998). DeLong's and Newcombe's take radiographs as "
        "independent. An area of exactly 0 or 1 widens the interval of a difference (Zou and Donner "
        "2008). No difference of shares: McNemar's exact test, the readers of each patient's "
        "radiographs exchanged together (McNemar 1947, Obuchowski 1998)."
    ),
    (
        "Sample size: Hanley and McNeil 1982, Obuchowski and McClish 1997, Buderer 1996, Riley "
        "et al. 2021."
    ),
    (
        "Drift: population stability index against what chance gives (Yurdakul and Naranjo "
        "2020), Kolmogorov-Smirnov test, both on one radiograph of each patient, drawn at "
        "random (Follmann et al. 2003), as radiographs of one patient are alike."
    ),
    (
        "Missing: an unknown label takes no part in any figure of its finding; a radiograph "
        "that cannot be read or that the gate refuses is counted and left out."
    ),
)


_ALWAYS = (
    (
        "The reference standard is what the table's labels say; this run cannot tell how right "
        "they are."
    ),
    "Simulated centres are changes of these radiographs, not other hospitals.",
    "No reader took part: what the program does to a reader's decisions was not measured.",
)


def methods_part() -> Part:
    """Return how everything was computed."""
    return Part(
        title="Statistical methods",
        blocks=(Words("All figures are computed by medcxr.evaluation."), Listing(_METHODS)),
    )


def seen_words(overlap: Overlap) -> Words:
    """Return loudly whether the model learned from what it is measured on."""
    rows = f"{overlap.n_rows:,} rows of {overlap.n_patients:,} patients"
    match overlap.seen:
        case Seen.HELD_OUT:
            named = f" ({rows} are named by its training run)" if overlap.n_rows else ""
            return Words(
                f"INTERNAL VALIDATION. The table is the one that the recipe was developed on{named}. "
                "Every score here was given by networks trained "
                "without the patient: the figures are those of the recipe on held-out folds, not of "
                "the shipped networks, and say nothing of another hospital.",
                "warning",
            )
        case Seen.LEARNED:
            return Words(
                "NOT A VALIDATION. The model learned from this table: "
                f"{rows if overlap.n_rows else 'a table of this name is among its training data'}. "
                "Its figures here are too good and tell nothing of new patients. Give --held-out "
                "with the workspace of the training run, or another table.",
                "warning",
            )
        case Seen.OVERLAP:
            return Words(
                f"OVERLAP. {overlap.n_files:,} of the measured files are, byte for byte, among those "
                "that the model learned from. Figures are too good by what they add.",
                "warning",
            )
        case Seen.NONE_FOUND:
            return Words(
                "No measured file is, byte for byte, among those of any table that the model learned "
                "from. Copies in another size or format, and other images of the same patients, "
                "cannot be found this way.",
                "good",
            )
        case Seen.UNKNOWN:
            return Words(
                "NOT KNOWN whether the model learned from these radiographs or patients. Its "
                "manifest keeps a fingerprint of its training data, not their names. Give "
                "--learned-from for each of its training tables to compare files.",
                "warning",
            )


def limitations_of(
    facts: StudyFacts, overlap: Overlap, included: Included, gaps: Sequence[GroupGap]
) -> tuple[str, ...]:
    """Return what the study's own figures say against it."""
    told = [_of_overlap(overlap)]
    if facts.performance.thresholds_from is ThresholdsFrom.TABLE:
        told.append("Thresholds were chosen on the measured radiographs: decisions look too good.")
    told += [line for one in facts.performance.findings for line in _of_finding(facts, one.finding)]
    if facts.performance.left_out:
        names = ", ".join(facts.performance.left_out)
        told.append(f"Not measured for want of radiographs with and without it: {names}.")
    n_left = included.n_rows - len(included.rows)
    if n_left > 0.05 * included.n_rows:
        told.append(
            f"{n_left:,} of {included.n_rows:,} rows are left out; if they differ from the rest, "
            "figures do not hold for them."
        )
    if included.n_twice:
        told.append(
            f"Files that are copies of an earlier row, and count more than once: {included.n_twice:,}."
        )
    told += _of_groups(facts)
    left = [gap for gap in gaps if gap.p_corrected < 0.05]
    if left:
        names = ", ".join(
            dict.fromkeys(f"{gap.finding} {gap.figure} at {gap.group} {gap.value}" for gap in left)
        )
        told.append(f"Subgroups differ by more than chance, after correction: {names}.")
    told += list(_ALWAYS)
    return tuple(line for line in told if line)


def limitations_part(limitations: Sequence[str]) -> Part:
    """Return the limitations as a section."""
    return Part(
        title="Limitations",
        blocks=(
            Words("Found by rule in the figures above; others are for the investigators to add."),
            Listing(tuple(limitations)),
        ),
    )


def _of_overlap(overlap: Overlap) -> str:
    return {
        Seen.HELD_OUT: "Internal validation only: patients are new, the collection is not.",
        Seen.LEARNED: "The model learned from these radiographs: no figure here is a validation.",
        Seen.OVERLAP: "Some of the measured files are among those learned from.",
        Seen.UNKNOWN: "Whether the model learned from these patients is not known.",
        Seen.NONE_FOUND: "",
    }[overlap.seen]


def _of_finding(facts: StudyFacts, finding: str) -> list[str]:
    one = next(found for found in facts.performance.findings if found.finding == finding)
    told = []
    fewer = min(one.n_positive, one.n_images - one.n_positive)
    if fewer < _FEW:
        side = "with" if fewer == one.n_positive else "without"
        told.append(f"{finding}: only {fewer:,} radiographs {side} it.")
    if one.auc is None:
        told.append(f"{finding}: its AUC is not determined.")
    elif one.auc.high - one.auc.low > _WIDE:
        told.append(f"{finding}: the interval of its AUC is wide, {_range(one.auc)}.")
    if one.auc is not None and one.auc.low <= 0.5:
        told.append(f"{finding}: its AUC may be no better than chance, {_range(one.auc)}.")
    slope, intercept = one.calibration_slope, one.calibration_intercept
    if slope is not None and not slope.low <= 1 <= slope.high:
        kind = "extreme" if slope.value < 1 else "timid"
        told.append(f"{finding}: probabilities are too {kind}, slope {_range(slope)}.")
    if intercept is not None and not intercept.low <= 0 <= intercept.high:
        kind = "high" if intercept.value < 0 else "low"
        told.append(f"{finding}: probabilities are too {kind}, intercept {_range(intercept)}.")
    sources = facts.table.groups.get("source", ())
    if sources:
        labels = facts.table.labels[:, facts.table.findings.index(finding)]
        of = [name for name, label in zip(sources, labels, strict=True) if label == 1]
        top = max(set(of), key=of.count) if of else ""
        if of and of.count(top) > _ONE_CENTRE * len(of):
            told.append(
                f"{finding}: {of.count(top):,} of {len(of):,} radiographs with it come from one "
                f"source ({top}); a model can learn the source instead."
            )
    return told


def _of_groups(facts: StudyFacts) -> list[str]:
    told = []
    for name in ("view", "sex", "age band", "source"):
        values = facts.table.groups.get(name)
        if values is None:
            told.append(f"The table names no {name}: it cannot be told whether figures hold alike.")
        elif values.count("unknown") > 0.2 * len(values):
            told.append(f"The {name} is unknown of {values.count('unknown'):,} radiographs.")
    young = facts.table.groups.get("age band", ()).count("under 18")
    if young:
        told.append(
            f"{young:,} radiographs are of patients under 18; the models learn from adults."
        )
    return told


def _range(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"
