"""The sentences of the page "Clinical Analysis"; one place, so that a clinician can review them."""

from medcxr.core.language import text

__all__ = [
    "COMPARED",
    "EMPTY",
    "NOT_FOR_PRIMARY_READING",
    "NOT_REMEMBERED",
    "NO_PRIOR",
    "OPERATING_POINTS",
    "OPERATING_POINT_HELP",
    "VERDICT",
    "VERDICTS",
]

EMPTY = text(
    "Add files or a folder at the left: PNG, JPEG, TIFF or DICOM. Each radiograph is analyzed on "
    "this computer and shown with its findings, their calibrated probabilities and a map of the "
    "evidence. Nothing is sent anywhere, and no picture is written to the disk."
)

NOT_FOR_PRIMARY_READING = text(
    "Shown by a browser on whatever screen this is: not for primary reading. Lengths are of the "
    "plane that the file's pixel spacing is measured in."
)

OPERATING_POINTS = {  # by name in a model's manifest -> what it is called, what it does
    "half": (
        text("Even odds"),
        text("Present where the finding is at least as likely as not: a probability of 50%."),
    ),
    "youden": (
        text("Balanced"),
        text(
            "Present from the probability at which sensitivity and specificity together were "
            "highest on the measured radiographs (Youden's index)."
        ),
    ),
    "sensitivity_90": (
        text("Sensitive"),
        text(
            "Present from the probability that found at least 90% of the measured radiographs with "
            "the finding: fewer are missed, and more are called present that are not."
        ),
    ),
}

OPERATING_POINT_HELP = text(
    "From which probability a finding is called present. The probabilities stay as they are; only "
    "the words Present and Absent change, here and in the worklist and the downloads."
)

VERDICT = text(
    "What you say is kept beside what the model said, in this workspace's database and without the "
    "image. It changes nothing of the model's answer."
)

VERDICTS = {  # by value
    "present": text("Present"),
    "absent": text("Absent"),
    "unsure": text("Unsure"),
}

NOT_REMEMBERED = text(
    "This radiograph is not remembered, so nothing can be kept beside it: either it is simulated, "
    "or the preferences say that cases are not remembered."
)

NO_PRIOR = text(
    "No earlier radiograph of this patient is known. Radiographs are of one patient where their "
    "files name the same patient, or where you say so below; which is earlier is told by the time "
    "in the file."
)

COMPARED = text(
    "Two radiographs differ in projection, inspiration and exposure too. A change of a few points "
    "of probability is no change of the patient."
)
