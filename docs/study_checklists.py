"""Three checklists of reporting guidelines, each item with where the study answers it.

Sources: Tejani et al. 2024 (CLAIM, 2024 update); Bossuyt et al. 2015 and Sounderajah et al. 2025
(STARD and STARD-AI); Collins et al. 2024 (TRIPOD+AI). Items are told in this project's words.
"""

from page_parts import table

__all__ = ["checklists"]

_PURPOSE = "[Purpose](#purpose)"
_DATA = "[Data and terms](#data-and-terms)"
_REFERENCE = "[Reference standard](#reference-standard)"
_SPLIT = "[Split](#split-and-control-of-leakage)"
_TEST = "[Index test](#index-test)"
_METHODS = "[Statistical methods](#statistical-methods)"
_RESULTS = "[Results](#results)"
_GROUPS = "[By subgroup](#by-subgroup)"
_CALIBRATION = "[Calibration](#calibration)"
_POINTS = "[Operating points](#operating-points)"
_SETS = "[Prediction sets](#prediction-sets)"
_COMPARISON = "[Comparison](#comparison)"
_MAPS = "[Maps](#maps)"
_GATE = "[Gate](#gate)"
_LIMITS = "[Limitations](#limitations)"
_SPECIFICATION = "[Technical specification](technical-specification.md)"
_README = "[README](../README.md)"
_RUNS = "[Experiments](experiments.md)"

_CLAIM = (
    (
        "1",
        "Named as a study of AI, with the kind of technique",
        f"[Head](#validation-study), {_TEST}",
    ),
    ("2", "Structured summary", "[Head](#validation-study), in short; not structured"),
    ("3", "Background, intended use and role", f"{_PURPOSE}, {_README}"),
    ("4", "Aims and hypotheses", f"{_PURPOSE}; no hypothesis"),
    ("5", "Prospective or retrospective", f"{_DATA}: retrospective"),
    ("6", "Goal of the study", _PURPOSE),
    ("7", "Sources of the data", _DATA),
    ("8", "Inclusion and exclusion", f"{_DATA}: what the tables hold; none excluded"),
    ("9", "Preprocessing", f"{_SPECIFICATION}, preprocessing"),
    ("10", "Selection of parts of the data", f"{_DATA}, {_SPLIT}"),
    ("11", "De-identification", "By the publishers of the collections; not checked here"),
    ("12", "Missing data", _METHODS),
    ("13", "Image acquisition", f"{_DATA}: view where named; devices and protocols unknown"),
    ("14", "How the reference standard was obtained", _REFERENCE),
    ("15", "Why this reference standard", f"{_REFERENCE}: no other is public for these images"),
    ("16", "Who annotated", _REFERENCE),
    ("17", "How the test set was annotated", f"{_REFERENCE}: as the rest"),
    ("18", "Variability of annotators", "Not done"),
    ("19", "How data were assigned to partitions", _SPLIT),
    ("20", "Level at which partitions are disjoint", f"{_SPLIT}: patients"),
    ("21", "Intended sample size", f"Not done: {_METHODS}"),
    ("22", "Description of the model", _SPECIFICATION),
    ("23", "Software", f"{_SPECIFICATION}, compatibility"),
    ("24", "Initial parameters", f"{_SPECIFICATION}, network"),
    ("25", "Training", f"{_SPECIFICATION}, how to train it again; {_DATA}"),
    ("26", "How the final model was selected", f"{_SPLIT}, {_RUNS}"),
    ("27", "Ensembling", f"{_SPLIT}, {_SPECIFICATION}"),
    ("28", "Metrics", _METHODS),
    ("29", "Uncertainty and significance", _METHODS),
    ("30", "Robustness or sensitivity", f"Subgroups and gate only: {_GROUPS}, {_GATE}"),
    ("31", "Explainability", _MAPS),
    ("32", "Evaluation on internal data", _RESULTS),
    ("33", "Testing on external data", f"Not done: {_LIMITS}"),
    ("34", "Registration", "Not done"),
    ("35", "Numbers included and excluded", f"{_DATA}, {_RESULTS}"),
    ("36", "Characteristics of the cases by partition", f"{_DATA}, of all folds together"),
    ("37", "Performance with uncertainty", f"{_RESULTS}, {_CALIBRATION}, {_POINTS}, {_SETS}"),
    ("38", "Estimates of accuracy and their precision", f"{_RESULTS}, {_POINTS}"),
    ("39", "Analysis of failures", "A run draws the worst into `failures.png`; not told here"),
    ("40", "Limitations", _LIMITS),
    ("41", "Meaning for practice", f"{_PURPOSE}, {_LIMITS}"),
    ("42", "Protocol or technical details", f"{_SPECIFICATION}; no protocol"),
    ("43", "Availability of software, model and data", f"{_README}; data from their owners"),
    ("44", "Funding", "Not stated"),
)

_STARD = (
    ("1, 2", "Title and abstract", "[Head](#validation-study)"),
    ("3, 4", "Background, aims and hypotheses", _PURPOSE),
    ("5", "Whether data were collected before the tests", f"{_DATA}: before"),
    (
        "6 to 9",
        "Eligibility, and how, when and where participants were found",
        f"{_DATA}; dates unknown",
    ),
    ("10a, 10b", "Index test and reference standard in enough detail", f"{_TEST}, {_REFERENCE}"),
    ("11", "Why this reference standard", _REFERENCE),
    ("12a, 12b", "Thresholds, and whether chosen in advance", f"{_POINTS}: on other folds"),
    ("13a, 13b", "What each test knew of the other", _TEST),
    ("14", "How accuracy is estimated and compared", _METHODS),
    ("15", "Results that could not be told apart", f"{_SETS}"),
    ("16", "Missing data", _METHODS),
    ("17", "Variability of accuracy", f"{_GROUPS}; groups were named before measuring"),
    ("18", "Sample size", "Not done"),
    ("19", "Flow of participants", f"{_DATA}; no diagram"),
    ("20", "Who the participants were", _DATA),
    ("21a, 21b", "Severity, and what those without the finding had", "Not known"),
    ("22", "Time between the tests", "Same radiograph; report written when it was made"),
    (
        "23",
        "Counts of index test by reference standard",
        f"By rates and counts: {_POINTS}, {_RESULTS}",
    ),
    ("24", "Estimates with their precision", f"{_RESULTS}, {_POINTS}"),
    ("25", "Harm by the tests", "None: the radiographs were there"),
    ("26, 27", "Limitations, and meaning for practice", f"{_LIMITS}, {_PURPOSE}"),
    ("28 to 30", "Registration, protocol, funding", "Not done, none, not stated"),
    ("AI", "Source, collection and terms of the data sets", _DATA),
    ("AI", "Annotation of the data sets", _REFERENCE),
    ("AI", "Preparation of the data", f"{_SPECIFICATION}, preprocessing"),
    ("AI", "How data were divided for training and testing", _SPLIT),
    (
        "AI",
        "Version of the index test, inputs, outputs and their use",
        f"{_TEST}, {_SPECIFICATION}",
    ),
    ("AI", "Images that the test cannot take", f"{_GATE}, {_SPECIFICATION}"),
    ("AI", "Fairness over groups", f"{_GROUPS}; ethnicity and income unknown"),
    ("AI", "Errors looked at", "Not told here"),
    ("AI", "Whether others can use and test it", f"{_README}: source, model and commands"),
    ("AI", "Commercial interests", "Not stated"),
)

_STARD_WORDS = (
    "Items numbered as in STARD 2015 (Bossuyt et al. 2015); AI: what STARD-AI (Sounderajah et al. 2025) "
    "adds, by topic and without its numbers."
)

_TRIPOD = (
    ("1, 2", "Title and abstract", "[Head](#validation-study)"),
    (
        "3a to 3c",
        "Context, target population, inequalities",
        f"{_PURPOSE}; inequalities not examined",
    ),
    ("4", "Objectives: development, evaluation or both", f"{_PURPOSE}: both"),
    ("5a, 5b", "Sources and dates of the data", f"{_DATA}; dates unknown"),
    ("6a to 6c", "Setting, eligibility, treatment", f"{_DATA}; treatment unknown"),
    ("7", "Preparation of the data", f"{_SPECIFICATION}, preprocessing"),
    ("8a to 8c", "Outcome, who assessed it, what they knew", _REFERENCE),
    ("9a to 9c", "Predictors", f"Pixels alone: {_TEST}"),
    ("10", "Sample size", "Not done"),
    ("11", "Missing data", _METHODS),
    ("12a", "How data were used", _SPLIT),
    ("12b, 12c", "Predictors, kind of model, building it", _SPECIFICATION),
    ("12d", "Differences between clusters", f"{_GROUPS}"),
    ("12e", "Measures of performance", _METHODS),
    ("12f", "Updating", f"{_CALIBRATION}"),
    ("12g", "How predictions are computed", _SPECIFICATION),
    (
        "13",
        "Class imbalance",
        f"{_SPECIFICATION}, how to train it again; recalibrated: {_CALIBRATION}",
    ),
    ("14", "Fairness", f"{_GROUPS}; nothing was done to equalize groups"),
    ("15", "Output of the model", f"{_TEST}, {_POINTS}"),
    ("16", "Differences between training and evaluation data", f"{_DATA}, {_SPLIT}"),
    ("17", "Ethical approval", "Not sought: public, de-identified data"),
    (
        "18a to 18f",
        "Funding, interests, protocol, registration, data, code",
        f"Not stated, none, none; data from their owners; code here: {_README}",
    ),
    ("19", "Patients and public", "Not involved"),
    ("20a to 20c", "Participants", f"{_DATA}; differences from a target population not known"),
    ("21", "Participants and events in each analysis", f"{_RESULTS}, {_GROUPS}"),
    ("22", "The full model", f"The shipped file; {_SPECIFICATION}"),
    ("23a, 23b", "Performance with intervals, and its heterogeneity", f"{_RESULTS}, {_GROUPS}"),
    ("24", "Results of updating", f"{_CALIBRATION}"),
    ("25", "Interpretation", f"{_COMPARISON}, {_LIMITS}"),
    ("26", "Limitations", _LIMITS),
    (
        "27a to 27c",
        "Poor inputs, interaction, next steps",
        f"{_GATE}, [User manual](user-manual.md); next: external validation",
    ),
)


def checklists() -> list[str]:
    """Return the checklists as lines of Markdown."""
    heads = ("Item", "Asks for", "Where, or why not")
    lines = [
        "## Checklists",
        "",
        "Items of three guidelines in this project's words, with where they are answered. Who reports",
        "by one of them should go by its own text.",
        "",
    ]
    for title, words, rows in (
        (
            "CLAIM, update of 2024",
            "Tejani et al. 2024, Radiology: Artificial Intelligence.",
            _CLAIM,
        ),
        (
            "STARD-AI",
            _STARD_WORDS,
            _STARD,
        ),
        ("TRIPOD+AI", "Collins et al. 2024, BMJ.", _TRIPOD),
    ):
        lines += [f"### {title}", "", words, "", table(heads, list(rows)), ""]
    return lines
