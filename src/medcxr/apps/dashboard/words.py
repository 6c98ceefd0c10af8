"""The sentences that explain the figures; one place, so that a clinician can review them."""

from medcxr.anatomy.words import BLUNT_DEGREES

__all__ = [
    "CHANGE_NOTICE",
    "DISCLAIMER",
    "EXPLANATIONS",
    "HEAT_MAP",
    "OCCLUSION",
    "OUTLINES",
    "PLAUSIBLE",
    "SYNTHETIC",
    "TESTED_MAPS",
    "WHAT_IF",
]

DISCLAIMER = (
    "Decision support for trained professionals. Not for emergency use. Every result requires "
    "clinical correlation and a reader's own look at the radiograph. Research software, not a "
    "certified medical device."
)

CHANGE_NOTICE = (
    "The public initial password is still in use; until it is changed, only this computer can "
    "connect."
)

HEAT_MAP = (
    "Red-orange regions speak for the finding more than in an ordinary radiograph, blue ones less; "
    "the stronger the color, the more, each finding on a scale of its own. The map shows what moved "
    "the model, which is not an outline of disease: do not rely on it for where a disease lies. "
    "For Cardiomegaly, what the measured width of the heart adds lies over the heart."
)

OCCLUSION = (
    "Each place was hidden in turn and the model asked again: the redder a place, the more the "
    "finding's score falls without it; blue where it rises. It is no outline of disease."
)

OUTLINES = (
    "Lungs (blue: right, green: left) and heart (orange) as the model sees them, with the widths "
    "whose ratio is given. In adults a ratio over 0.5 in a PA view suggests an enlarged heart; AP "
    "views magnify the heart."
)

SYNTHETIC = "Simulated by the program: no patient, no anatomy to read. It shows how results look."

TESTED_MAPS = (
    "Tested shows a map that was shown to be true of the finding on this model: its probability "
    "hangs on the places that the map names more than on those of an ellipse in the middle or of "
    "chance. Without such a map none is shown. The other two are for research."
)

WHAT_IF = (
    "Places are hidden one after the other, those that speak most for the answer first, until the "
    "probability is on the other side of its threshold. A yellow line surrounds the hidden places. "
    "The fewer they are, the more the answer hangs on one spot."
)

PLAUSIBLE = {  # by prediction set
    "present": "present",
    "absent": "absent",
    "uncertain": "either, undecided",
    "atypical": "neither, unusual image",
}

EXPLANATIONS = {
    "Probability": (
        "Calibrated: among radiographs like those the model was measured on, about 30 in 100 of "
        "those given 30% had the finding. Where the finding is rarer or more frequent than there, "
        "the true share is lower or higher."
    ),
    "Present / Absent": (
        "Present means that the probability reached the threshold of the operating point named in "
        "the model; close to the threshold the two words say little."
    ),
    "Plausible": (
        "Every answer that cannot be ruled out, chosen so that it holds the right one for nine in "
        "ten radiographs with the finding and nine in ten without it, among those like the measured "
        "ones. Where both answers are plausible the model abstains."
    ),
    "AUC": (
        "How often the model ranks a random radiograph with the finding above a random one without "
        "it: 0.5 is chance, 1.0 is perfect. Measured by cross-validation, always on patients that "
        "the model had not been trained on."
    ),
    "95% interval": (
        "Where the AUC would plausibly lie for other patients of the same kind. It says nothing "
        "about other hospitals or devices."
    ),
    "Seconds": "From the decoded pixels to the result, on this computer.",
    "Tested maps": TESTED_MAPS,
    "Evidence map": HEAT_MAP,
    "Occlusion map": OCCLUSION,
    "What would change the answer": WHAT_IF,
    "Cardiothoracic ratio": OUTLINES,
    "Lungs": (
        "Areas of the two lung fields beside heart and mediastinum, in the plane that the file's "
        "pixel spacing is measured in. Lung hidden by fluid or white with disease may be missing."
    ),
    "Costophrenic angles": (
        "Between chest wall and diaphragm, in the lateral lower corner of each outlined lung. It is "
        f"called blunt from {BLUNT_DEGREES:.0f}° on; fluid blunts it, and so do old scars, a "
        "cut-off image and an outline that misses the corner."
    ),
}
