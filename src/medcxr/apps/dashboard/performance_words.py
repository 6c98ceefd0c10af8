"""The sentences of the page "Performance Analytics"; one place, so that they can be reviewed."""

from medcxr.core.language import text

__all__ = [
    "CALIBRATION",
    "CENTERS",
    "COLLECTIONS",
    "DECISIONS",
    "DRIFT",
    "FOLDS",
    "GROUPS",
    "INTRODUCTION",
    "NET_BENEFIT",
    "NO_LABELS",
    "NO_RUNS",
    "OF_MANIFEST",
    "PRECISION_RECALL",
    "PREVALENCE",
    "ROC",
    "SCORES_HELP",
    "THRESHOLDS",
]

INTRODUCTION = text(
    "Every figure here is computed from scores and labels, with an interval that draws patients. It "
    "holds for radiographs like those of its table, and says nothing of other hospitals or devices."
)
OF_MANIFEST = text(
    "What was measured when the model was made and travels with it. Curves, and intervals of "
    "predictive values, need the score of each radiograph, which a model does not carry: choose a "
    "run or a table of scores for them."
)
SCORES_HELP = text(
    "Scores: a CSV file with image_path and a column for each finding, as `medcxr predict` writes "
    "it. Labels: a table with image_path and labels (findings separated by '|'), or one column of 1 "
    "and 0 for each finding; patient_id, view, sex, age and source are used where they are there. "
    "Leave the labels out where the scores have a column labels themselves. The files stay in this "
    "computer's memory and are forgotten when you sign out."
)
NO_RUNS = text(
    "No run of this workspace kept scores; `medcxr train` with cross-validation keeps those of every "
    "radiograph that a network had not learned from."
)
NO_LABELS = text(
    "The scores of this run need the labels of the table that it was measured on: add that table "
    "here, or start the dashboard with `medcxr dashboard --cases TABLE`."
)
THRESHOLDS = {
    "folds": text(
        "Thresholds: for each fold chosen on the other folds, so no radiograph helped to choose its "
        "own."
    ),
    "model": text(
        "Thresholds: those of the model named, chosen before these radiographs were scored."
    ),
    "table": text(
        "Thresholds: chosen on these very radiographs, so figures at them are a little too good."
    ),
}
ROC = text(
    "Each threshold finds a share of those with the finding (up) at the price of a share of false "
    "alarms (across); the band is the 95% interval at each point, the dashed line is guessing."
)
PRECISION_RECALL = text(
    "Of those called present, the share that has the finding (up), by the share of all with it that "
    "are found (across); the band is the 95% interval at each point, the dashed line is the share "
    "that has it, which is guessing."
)
DECISIONS = text(
    "What comes of deciding at each operating point; predictive values hold for the share of "
    "findings in this table."
)
CALIBRATION = text(
    "Ten bins of equal size: on the dashed line what was said is what was found; below it the model "
    "says too much."
)
NET_BENEFIT = text(
    "Found patients less needless acts, each weighed by how sure one wants to be before acting "
    "(Vickers and Elkin 2006): the model is worth asking where its line lies above both others; the band is the "
    "95% interval at each point."
)
GROUPS = text(
    "The same figures in parts of the table; small parts have wide intervals, and among many parts "
    "one may stand out by chance."
)
FOLDS = text(
    "Each fold was scored by a network that had not learned from its patients; how far folds differ "
    "is no interval, since the networks share most of what they learned from."
)
CENTERS = text(
    "No hospital was visited: centers are simulated from the scores of this table alone, in the two "
    "ways below."
)
COLLECTIONS = text(
    "Simulated: each public collection that the radiographs came through is taken as a center of its "
    "own, with the model, scores and thresholds unchanged."
)
PREVALENCE = text(
    "Simulated: radiographs with and without the finding are weighed so that it has another "
    "prevalence. Only the mix changes: both kinds score as in this table, so sensitivity and "
    "specificity stay, and where a rarer disease is also a milder one the truth is worse. The dashed "
    "line is the prevalence of the table."
)
DRIFT = text(
    "Whether the radiographs open at the left differ from a reference: the population stability "
    "index over ten bins, beside what chance gives samples of this size, and the Kolmogorov-Smirnov "
    "test. Radiographs of one patient are alike: of each patient of the reference one is drawn at "
    "random, and each open one counts as another patient's, so open one of each. A difference does "
    "not say that answers are wrong, but that the figures above may not hold."
)
