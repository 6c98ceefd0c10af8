"""Two checklists of reporting guidelines, each item with where the report answers it, or that it does not.

Items are told in this project's words; who reports by a guideline goes by its own text.

Source: Tejani et al. 2024, "Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024
update", Radiology: Artificial Intelligence 6:e240300; Collins et al. 2024, "TRIPOD+AI statement", BMJ
385:e078378.
"""

from collections.abc import Collection, Mapping

from medcxr.services.study_page import Block, Grid, Part, Words

__all__ = ["NOT_REPORTED", "checklist_part"]

NOT_REPORTED = "not reported by this run; to be written by the investigators"

_SUMMARY, _PURPOSE, _DATA = "Summary", "Question and intended use", "Data"
_SEEN, _MODEL, _METHODS = "What the model has seen", "Model", "Statistical methods"
_RANKING, _CALIBRATION = "Ranking: ROC and precision-recall", "Calibration"
_POINTS, _GROUPS, _SETS = "Operating points", "Subgroups and gaps", "Prediction sets"
_CENTRES, _MIXES, _LEFT = "Simulated centres", "Simulated patient mixes", "Leave one centre out"
_SIZE, _WORST, _LIMITS = "Sample size", "Failure analysis", "Limitations"
_BENEFIT, _REPEAT, _DRIFT = "Decision curves", "How to repeat it", "Drift of the inputs"
_NORMAL, _PREVALENCE = "Normal or abnormal", "Other prevalences"
_CARD = "the model's card and manifest"

_CLAIM: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("1", "Named in the title as a study of AI, with the technique", (_SUMMARY,)),
    ("2", "Structured summary of design, methods, results, conclusions", (_SUMMARY,)),
    ("3", "Background, intended use and clinical role", (_PURPOSE,)),
    ("4", "Aims and hypotheses", ()),
    ("5", "Prospective or retrospective", ()),
    ("6", "Goal of the study", (_PURPOSE,)),
    ("7", "Sources of the data", (_DATA,)),
    ("8", "Who and what was included and excluded", (_DATA,)),
    ("9", "Preprocessing", (_MODEL,)),
    ("10", "Choice of parts of the data", (_DATA,)),
    ("11", "De-identification", ()),
    ("12", "Missing data and what was done about them", (_DATA,)),
    ("13", "How the images were acquired", ()),
    ("14", "How the reference standard was obtained", ()),
    ("15", "Why this reference standard", ()),
    ("16", "Who annotated, and their training", ()),
    ("17", "How the test set was annotated", ()),
    ("18", "Variability of the annotators", ()),
    ("19", "How data were assigned to training and test", (_SEEN,)),
    ("20", "Level at which these are disjoint", (_SEEN,)),
    ("21", "Intended size of the sample", (_SIZE,)),
    ("22", "Description of the model, inputs and outputs", (_MODEL,)),
    ("23", "Software", (_REPEAT,)),
    ("24", "Initial parameters", (_CARD,)),
    ("25", "Training", (_CARD,)),
    ("26", "How the final model was chosen", (_CARD,)),
    ("27", "Ensembling", (_CARD,)),
    ("28", "Metrics", (_METHODS,)),
    ("29", "Uncertainty and significance", (_METHODS,)),
    ("30", "Robustness and sensitivity", (_CENTRES, _MIXES, _GROUPS)),
    ("31", "Explainability", ()),
    ("32", "Evaluation on internal data", (_SEEN,)),
    ("33", "Testing on external data", (_SEEN,)),
    ("34", "Registration of a trial", ()),
    ("35", "Numbers included and excluded, with a flow diagram", (_DATA,)),
    ("36", "Characteristics of the cases", (_DATA,)),
    ("37", "Performance with uncertainty", (_RANKING, _POINTS, _CALIBRATION)),
    ("38", "Estimates of accuracy and their precision", (_POINTS, _PREVALENCE, _SETS)),
    ("39", "Analysis of failures", (_WORST,)),
    ("40", "Limitations", (_LIMITS,)),
    ("41", "Meaning for practice", (_BENEFIT,)),
    ("42", "Protocol or further technical details", ()),
    ("43", "Availability of software, model and data", (_REPEAT,)),
    ("44", "Funding and the role of funders", ()),
)

_TRIPOD: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("1", "Title: model, target population and outcome", (_SUMMARY,)),
    ("2", "Abstract by its own list", ()),
    ("3a", "Medical context and why the model is evaluated", (_PURPOSE,)),
    ("3b", "Target population, and place in the course of care", ()),
    ("3c", "Known inequalities between groups", ()),
    ("4", "Objectives: development, evaluation or both", (_PURPOSE,)),
    ("5a", "Sources of the data and how they represent the target", (_DATA,)),
    ("5b", "Dates of the data", ()),
    ("6a", "Setting: number and place of centres", ()),
    ("6b", "Eligibility", (_DATA,)),
    ("6c", "Treatments received", ()),
    ("7", "Preparation of the data, alike in all groups", (_MODEL,)),
    ("8a", "Outcome, its time, and how it was assessed", ()),
    ("8b", "Who assessed it", ()),
    ("8c", "What they knew", ()),
    ("9a", "Choice of predictors", (_MODEL,)),
    ("9b", "Definition of predictors", (_MODEL,)),
    ("9c", "Who assessed predictors", (_MODEL,)),
    ("10", "How the size of the study was arrived at", (_SIZE,)),
    ("11", "Missing data", (_DATA,)),
    ("12a", "How data were used, and in which parts", (_SEEN, _DATA)),
    ("12b", "How predictors were handled", (_CARD,)),
    ("12c", "Kind of model, and how it was built", (_CARD,)),
    ("12d", "Differences between clusters, such as hospitals", (_LEFT, _GROUPS)),
    ("12e", "Measures of performance and why", (_METHODS,)),
    ("12f", "Updating of the model", (_LEFT,)),
    ("12g", "How predictions were computed", (_MODEL, _REPEAT)),
    ("13", "Class imbalance and recalibration", (_CALIBRATION,)),
    ("14", "What was done for fairness", ()),
    ("15", "Output of the model, classes and thresholds", (_MODEL, _POINTS)),
    ("16", "Differences between training and evaluation data", (_SEEN, _DRIFT)),
    ("17", "Ethical approval and consent", ()),
    ("18a", "Funding", ()),
    ("18b", "Conflicts of interest", ()),
    ("18c", "Where the protocol is", ()),
    ("18d", "Registration", ()),
    ("18e", "Availability of the data", ()),
    ("18f", "Availability of the code", (_REPEAT,)),
    ("19", "Part that patients and the public took", ()),
    ("20a", "Flow of participants, with and without the outcome", (_DATA,)),
    ("20b", "Characteristics, dates, predictors, missing data", (_DATA,)),
    ("20c", "Comparison with the development data", (_DRIFT,)),
    ("21", "Participants and outcomes in each analysis", (_RANKING, _GROUPS)),
    ("22", "The full model, so that others can use it", (_REPEAT,)),
    ("23a", "Performance with intervals, in key subgroups too", (_RANKING, _CALIBRATION, _GROUPS)),
    ("23b", "Differences in performance between clusters", (_LEFT, _GROUPS)),
    ("24", "Results of updating", (_LEFT,)),
    ("25", "Interpretation, fairness and earlier studies", ()),
    ("26", "Limitations", (_LIMITS,)),
    ("27a", "How poor or missing inputs are handled in use", (_DATA, _CENTRES)),
    ("27b", "Whether users must interact, and with what expertise", ()),
    ("27c", "Next steps", ()),
)

_WHY_NOT: Mapping[str, str] = {
    _LEFT: "give --leave-out COLUMN",
    _CENTRES: "give --centres-images",
}


def checklist_part(sections: Collection[str]) -> Part:
    """Return both checklists.

    Args:
        sections: titles that the report has; an item that only others would answer counts as not
            reported.
    """
    blocks: list[Block] = [
        Words(
            "Each item in this project's words, and the section of this report that bears on it. "
            "A section named here gives what a run can know; whether it satisfies an item is for "
            "the investigators to judge. The guidelines' own texts decide: CLAIM, 2024 update "
            "(Tejani et al. 2024, Radiology: Artificial Intelligence 6:e240300), and TRIPOD+AI "
            "(Collins et al. 2024, BMJ 385:e078378)."
        )
    ]
    for name, items in (("CLAIM, 2024 update", _CLAIM), ("TRIPOD+AI", _TRIPOD)):
        rows = tuple((number, asks, _answered(where, sections)) for number, asks, where in items)
        n_open = sum(NOT_REPORTED in answer for _, _, answer in rows)
        blocks += [
            Grid(
                caption=f"{name}: {len(rows) - n_open} of {len(rows)} items have a section",
                heads=("Item", "Asks for", "Where, or why not"),
                rows=rows,
                shares=(0.5, 3, 3),
            )
        ]
    return Part(title="Checklists", blocks=tuple(blocks))


def _answered(where: tuple[str, ...], sections: Collection[str]) -> str:
    there = [name for name in where if name in sections or name == _CARD]
    if there:
        return "; ".join(there)
    wanted = [_WHY_NOT[name] for name in where if name in _WHY_NOT]
    return "; ".join([NOT_REPORTED, *wanted])
