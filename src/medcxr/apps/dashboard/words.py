"""The sentences that explain the figures; one place, so that a clinician can review them."""

from medcxr.anatomy.words import BLUNT_DEGREES
from medcxr.core.language import Sentence, text
from medcxr.core.sentences import DISCLAIMER, PLAUSIBLE
from medcxr.explain.report import EVIDENCE_MAP, JOINT_MAP, OCCLUSION_MAP, THOROUGH_MAP

__all__ = [
    "CASE_MAP",
    "CHANGE_NOTICE",
    "DISCLAIMER",
    "EXPLAIN_EMPTY",
    "EXPLANATIONS",
    "HEAT_MAP",
    "IMPORTANCE",
    "IMPORTANCE_OPEN",
    "IMPORTANCE_TABLE",
    "JOINT",
    "MAPS",
    "MAP_KINDS",
    "MAP_TESTS",
    "MARGIN",
    "NO_CASES",
    "NO_IMPORTANCE",
    "NO_ZONES",
    "OCCLUSION",
    "OUTLINES",
    "PLAUSIBLE",
    "SIMULATED_CASES",
    "SYNTHETIC",
    "TABLE_CASES",
    "TESTED_MAPS",
    "THOROUGH",
    "THOROUGH_OFFER",
    "TRAIN",
    "TRAIN_BESIDE",
    "TRAIN_NO_DATA",
    "TRAIN_NO_PAIR",
    "TRAIN_NO_TABLES",
    "TRAIN_PAIRED",
    "TRAIN_SETTINGS",
    "TRAIN_USE",
    "WHAT_IF",
    "ZONES",
]

CHANGE_NOTICE = text(
    "The password that you have signed in by was given by somebody else, or is the public initial "
    "one. Nothing else is shown before you have chosen your own."
)

HEAT_MAP = text(
    "Red-orange regions speak for the finding more than in an ordinary radiograph, blue ones less; "
    "the stronger the color, the more, each finding on a scale of its own. The map shows what moved "
    "the model, which is not an outline of disease: do not rely on it for where a disease lies. "
    "For Cardiomegaly, what the measured width of the heart adds lies over the heart."
)

OCCLUSION = text(
    "Each place was hidden in turn and the model asked again: the redder a place, the more the "
    "finding's score falls without it; blue where it rises. It is no outline of disease."
)

JOINT = text(
    "Red-orange where the model counts evidence for the finding and its score also falls when the "
    "place is hidden: the mean of both kinds of map, the strongest places of each counting alike. "
    "It is no outline of disease."
)

THOROUGH = text(
    "Each place was hidden in turn and the whole model asked again, all of its networks with what "
    "they outline and measure: the redder a place, the more the finding's score falls without it; "
    "blue where it rises. It is no outline of disease."
)

THOROUGH_OFFER = text(
    "The thorough map hides each of {n} places in turn and asks the whole model again, which takes a "
    "few seconds: it is drawn when you ask for it."
)

MAP_KINDS = {
    EVIDENCE_MAP: HEAT_MAP,
    OCCLUSION_MAP: OCCLUSION,
    JOINT_MAP: JOINT,
    THOROUGH_MAP: THOROUGH,
}
"""Kind of map -> what it is."""

OUTLINES = text(
    "Lungs (blue: right, green: left) and heart (orange) as the model sees them, with the widths "
    "whose ratio is given. In adults a ratio over 0.5 in a PA view suggests an enlarged heart; AP "
    "views magnify the heart."
)

SYNTHETIC = text(
    "Simulated by the program: no patient, no anatomy to read. It shows how results look."
)

TESTED_MAPS = text(
    "Tested shows a map that was shown to be true of the finding on this model: its probability "
    "hangs on the places that the map names more than on those of an ellipse in the middle or of "
    "chance, and where the place of the finding is known, it points there more often. Without such a "
    "map none is shown. The others are for research."
)

MAP_TESTS = text(
    "Deletion is the mean probability while places are hidden, those that the map calls most "
    "important first: low is good. Insertion is the mean while they are shown again: high is good. A "
    "map is shown when it beats the ellipse and chance on both, by 95% intervals of the paired "
    "difference that exclude 0."
)

WHAT_IF = text(
    "Places are hidden one after the other, those that speak most for the answer first, until the "
    "probability is on the other side of its threshold. A yellow line surrounds the hidden places. "
    "The fewer they are, the more the answer hangs on one spot."
)

EXPLAIN_EMPTY = text(
    "Add one or more files at the left; each is analyzed on this computer. Then this page shows, "
    "for each finding, how far the answer is from its opposite, the maps and what their tests "
    "found, what would change the answer, the most similar cases, and what such answers hang on "
    "over many radiographs. Nothing is sent anywhere, and no picture is written to the disk."
)

MARGIN = text(
    "A point is one percent of probability. The logit is the model's output before calibration, "
    "in which distances are even; few points from the threshold the two answers say little."
)

MAPS = text(
    "All maps of the finding, whether they were shown to be true of it or not; one that was not "
    "says so within the picture, and its places are not told in zones."
)

ZONES = text(
    "Of what speaks for the finding in this map. Sides are the patient's; each lung is divided into "
    "three zones of equal height. What lies over the image's padding belongs to no zone."
)

NO_ZONES = text(
    "No zones are told: nothing in this map speaks for the finding, the lungs were not outlined, or "
    "it is No Finding, which lies nowhere."
)

CASE_MAP = text(
    "Cases are alike here if the model found similar evidence in them, which need not be what a "
    "reader would call alike. Across is the finding's logit, with a dashed line at the threshold; "
    "up is what else varies most. The cross is this radiograph; rings mark the most similar cases."
)

SIMULATED_CASES = text(
    "Simulated chests, whose findings are known exactly. They are no patients: they show on which "
    "side of the line the model puts such chests, not what patients like this one had."
)

TABLE_CASES = text(
    "Radiographs drawn at random from the table that whoever runs this dashboard chose, with the "
    "labels of that table, which may be wrong."
)

NO_CASES = text(
    "No radiographs of patients come with medcxr. Whoever runs this dashboard can name a table of "
    "them: `medcxr dashboard --cases TABLE`."
)

IMPORTANCE = text(
    "Each zone of the chest is hidden in turn, and each measure of lungs and heart is exchanged "
    "between radiographs; the more the logit moves, the more such answers hang on it. A large zone "
    "moves more than a small one. This is about the model, not about this radiograph."
)

IMPORTANCE_TABLE = text(
    "Radiographs drawn at random from this dashboard's table, one of each patient."
)

IMPORTANCE_OPEN = text(
    "The radiographs open at the left. Without a table each counts as a patient of its own; files "
    "are matched by name. A handful says little of others."
)

NO_IMPORTANCE = text(
    "This was not measured of the model in use; `medcxr importance TABLE --keep` measures it, and "
    "it is shown here from then on. Or measure it on the open radiographs."
)

TRAIN = text(
    "A training runs by itself on this computer: it goes on when this page is closed, after "
    "signing out and when the dashboard ends. What it makes is a model of its own; the model in "
    "use stays in use until somebody decides otherwise."
)

TRAIN_NO_DATA = text(
    "No radiographs to train on were named. Whoever runs this dashboard can name a folder of "
    "labeled tables: `medcxr dashboard --data FOLDER`."
)

TRAIN_NO_TABLES = text(
    "The data folder has no labeled table. A table is a CSV file with the columns `image_path` and "
    "`labels`, in the folder or up to two folders below it."
)

TRAIN_SETTINGS = {
    "table": text("The radiographs to learn from, with their labels; they are divided by patient."),
    "complete": text(
        "On: a finding that a row does not list is absent. Off: it is unknown and not learned from."
    ),
    "name": text("What the run and its model are called: letters, digits, '.', '-' and '_'."),
    "architecture": text(
        "Pretrained starts from a network that knows photographs and needs fewer radiographs; the "
        "plain one starts from random weights."
    ),
    "epochs": text("How often each radiograph is learned from; with early stopping, at most."),
    "batch_size": text("How many radiographs a step learns from together; more need more memory."),
    "learning_rate": text("How far a step moves the weights; too much and nothing is learned."),
    "width": text("Numbers that describe each place of the image; a multiple of the heads."),
    "heads": text("In how many ways the transformer relates places to each other at once."),
    "layers": text("How often the transformer relates the places, one time after the other."),
    "early_stopping": text(
        "Stops when held-out patients are ranked no better for four epochs, and keeps the best one."
    ),
    "method": text(
        "Holdout trains once and measures on about a seventh of the patients; cross-validation "
        "trains once per fold, takes that much longer and measures on all patients."
    ),
    "folds": text(
        "Into how many parts the patients are divided; each is left out of one training."
    ),
}

TRAIN_BESIDE = text(
    "Each model's figures were measured on its own held-out radiographs. Where these differ, so "
    "does what the figures mean, and they do not say which model is better."
)

TRAIN_PAIRED = text(
    "On the same radiographs, each scored by networks that had not seen its patient. p is by a "
    "bootstrap that draws patients; DeLong's test takes radiographs as independent. With several "
    "findings, one small p is less than it seems."
)

TRAIN_NO_PAIR = text(
    "There is no fair paired comparison. To have one, score a table of radiographs that neither "
    "model has learned from with both (`medcxr predict`), and compare the scores "
    "(`medcxr compare`)."
)

TRAIN_USE = text(
    "I have read these figures. From now on this model is to answer for everybody who uses this "
    "workspace."
)

EXPLANATIONS = {
    text("Probability"): text(
        "Calibrated: among radiographs like those the model was measured on, about 30 in 100 of "
        "those given 30% had the finding. Where the finding is rarer or more frequent than there, "
        "the true share is lower or higher."
    ),
    text("Present / Absent"): text(
        "Present means that the probability reached the threshold of the operating point named in "
        "the model; close to the threshold the two words say little."
    ),
    text("Plausible"): text(
        "Every answer that cannot be ruled out, chosen so that it holds the right one for nine in "
        "ten radiographs with the finding and nine in ten without it, among those like the measured "
        "ones. Where both answers are plausible the model abstains."
    ),
    text("AUC"): text(
        "How often the model ranks a random radiograph with the finding above a random one without "
        "it: 0.5 is chance, 1.0 is perfect. Measured by cross-validation, always on patients that "
        "the model had not been trained on."
    ),
    text("95% interval"): text(
        "Where the AUC would plausibly lie for other patients of the same kind. It says nothing "
        "about other hospitals or devices."
    ),
    text("Seconds"): text("From the decoded pixels to the result, on this computer."),
    text("Tested maps"): TESTED_MAPS,
    text("Evidence map"): HEAT_MAP,
    text("Occlusion map"): OCCLUSION,
    text("Joint map"): JOINT,
    text("Thorough map"): THOROUGH,
    text("What would change the answer"): WHAT_IF,
    text("Cardiothoracic ratio"): OUTLINES,
    text("Lungs"): text(
        "Areas of the two lung fields beside heart and mediastinum, in the plane that the file's "
        "pixel spacing is measured in. Lung hidden by fluid or white with disease may be missing."
    ),
    text("Costophrenic angles"): Sentence(
        "Between chest wall and diaphragm, in the lateral lower corner of each outlined lung. It is "
        "called blunt from {degrees:.0f}° on; fluid blunts it, and so do old scars, a "
        "cut-off image and an outline that misses the corner.",
        degrees=BLUNT_DEGREES,
    ),
}
