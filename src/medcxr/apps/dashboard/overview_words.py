"""What the page "Dashboard" says of cases and urgency."""

from medcxr.core.language import text
from medcxr.core.urgency import UrgencyLevel

__all__ = [
    "DELETE",
    "EMPTY",
    "LEVELS",
    "NOT_REMEMBERED",
    "NO_MODEL",
    "PATIENT",
    "REASONS",
    "URGENCY",
]

EMPTY = text(
    "Add one or more files at the left: PNG, JPEG, TIFF or DICOM. Each is analyzed on this computer "
    "and listed here by urgency. Its figures and file name are remembered on this computer, its "
    "pixels are not; nothing is sent anywhere."
)

NOT_REMEMBERED = text(
    "Radiographs are analyzed but not remembered, as the preferences of this workspace say, so no "
    "case is added here."
)

NO_MODEL = text("No model answers; the page of models says which ones there are.")

URGENCY = text(
    "Urgent is a radiograph in which the model calls an acute finding (pneumonia, effusion) present; "
    "undecided one in which it abstains, contradicts itself or meets an unusual image, so that only "
    "a reader can tell; soon one with another finding; routine any other, which may still be "
    "abnormal: this sorts the list, unread ones first, and hides nothing."
)

LEVELS = {
    UrgencyLevel.URGENT: text("Urgent"),
    UrgencyLevel.UNDECIDED: text("Undecided"),
    UrgencyLevel.SOON: text("Soon"),
    UrgencyLevel.ROUTINE: text("Routine"),
}

REASONS = {
    UrgencyLevel.URGENT: text("The model calls an acute finding present and does not abstain."),
    UrgencyLevel.UNDECIDED: text(
        "The model abstains from an acute finding, contradicts itself or meets an image unlike those "
        "it was measured on: read it yourself before its figures."
    ),
    UrgencyLevel.SOON: text("The model calls a finding present that is not acute."),
    UrgencyLevel.ROUTINE: text(
        "The model calls no finding present, which does not mean that there is none."
    ),
}

PATIENT = text(
    "The file does not say whose radiograph this is. Type what you call the patient, so that "
    "radiographs of the same patient find each other: only a key made from it is kept, from which "
    "nobody can tell who it is."
)

DELETE = text(
    "Forget this case with all figures, verdicts and comments? Its results that wait for other systems "
    "are not sent any more. The file itself is not touched."
)
