"""What a trained professional may consider next where a finding is present or undecided.

One place, so that a clinician can review it. Each consideration says no more than its source, and
none of them says what to do with a patient.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from medcxr.core.findings import Finding
from medcxr.core.language import text
from medcxr.core.results import FindingResult

__all__ = ["GUIDANCE", "NOTICE", "Consideration", "Source", "considerations", "is_undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a consideration comes from.

    Attributes:
        title: of the work with who published it; not translated.
        year: of publication.
        place: DOI or publisher, to find it by.
    """

    title: str
    year: int
    place: str

    def __str__(self) -> str:
        """Cite it in one line."""
        return f"{self.title} ({self.year}), {self.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consideration:
    """One sentence, to be handed to `say`, and its source."""

    words: str
    source: Source


NOTICE = text(
    "For consideration by a trained professional, in view of the whole patient and of local "
    "practice. Neither instructions nor a plan of treatment."
)

_PLEURAL_2023 = Source(
    title="British Thoracic Society Guideline for pleural disease",
    year=2023,
    place="doi:10.1136/thorax-2022-219784",
)
_PLEURAL_2010 = Source(
    title="Investigation of a unilateral pleural effusion in adults: British Thoracic Society "
    "pleural disease guideline",
    year=2010,
    place="doi:10.1136/thx.2010.136978",
)
_PNEUMONIA_2007 = Source(
    title="Infectious Diseases Society of America and American Thoracic Society consensus "
    "guidelines on the management of community-acquired pneumonia in adults",
    year=2007,
    place="doi:10.1086/511159",
)
_PNEUMONIA_2009 = Source(
    title="British Thoracic Society guidelines for the management of community acquired pneumonia "
    "in adults: update",
    year=2009,
    place="doi:10.1136/thx.2009.121434",
)
_PNEUMONIA_2019 = Source(
    title="Diagnosis and treatment of adults with community-acquired pneumonia: American Thoracic "
    "Society and Infectious Diseases Society of America",
    year=2019,
    place="doi:10.1164/rccm.201908-1581ST",
)
_QUALITY_1996 = Source(
    title="European guidelines on quality criteria for diagnostic radiographic images, EUR 16260",
    year=1996,
    place="European Commission",
)
_HEART_2021 = Source(
    title="European Society of Cardiology guidelines for the diagnosis and treatment of acute and "
    "chronic heart failure",
    year=2021,
    place="doi:10.1093/eurheartj/ehab368",
)
_SENSITIVITY_2019 = Source(
    title="Bradley and others, Sensitivity of chest X-ray for detecting lung cancer in people "
    "presenting with symptoms: a systematic review, British Journal of General Practice",
    year=2019,
    place="doi:10.3399/bjgp19X706853",
)

GUIDANCE: dict[str, tuple[Consideration, ...]] = {
    Finding.EFFUSION: (
        Consideration(
            words=text(
                "Consider thoracic ultrasound, which the guideline asks for at a patient's first "
                "presentation and again with every pleural procedure."
            ),
            source=_PLEURAL_2023,
        ),
        Consideration(
            words=text(
                "Consider a lateral view where a small effusion is in question: it can show about "
                "50 ml of fluid in the posterior angle, a PA view about 200 ml."
            ),
            source=_PLEURAL_2010,
        ),
    ),
    Finding.PNEUMONIA: (
        Consideration(
            words=text(
                "Correlate with the clinical picture: suggestive clinical features belong to "
                "pneumonia as much as an infiltrate in an image."
            ),
            source=_PNEUMONIA_2007,
        ),
        Consideration(
            words=text(
                "Consider another radiograph after about six weeks where symptoms or signs persist "
                "or the risk of malignancy is higher, as in smokers and over the age of 50."
            ),
            source=_PNEUMONIA_2009,
        ),
        Consideration(
            words=text(
                "Where symptoms have resolved within five to seven days, routine follow-up imaging "
                "of the chest is not suggested."
            ),
            source=_PNEUMONIA_2019,
        ),
    ),
    Finding.CARDIOMEGALY: (
        Consideration(
            words=text(
                "Check projection, inspiration and rotation before judging the heart: the criteria "
                "ask for a PA view in full inspiration, with the thorax shown symmetrically."
            ),
            source=_QUALITY_1996,
        ),
        Consideration(
            words=text(
                "Where heart failure is suspected, consider natriuretic peptides, an ECG and "
                "echocardiography, which the guideline recommends for assessing the heart's function."
            ),
            source=_HEART_2021,
        ),
    ),
    Finding.NO_FINDING: (
        Consideration(
            words=text(
                "No finding does not exclude disease: of people with symptoms whose lung cancer was "
                "found later, about one in five had a radiograph that did not show it."
            ),
            source=_SENSITIVITY_2019,
        ),
    ),
}
"""Finding -> what may be considered."""


def is_undecided(found: FindingResult) -> bool:
    """Tell whether the model abstains: both answers are plausible."""
    return found.prediction_set == "uncertain"


def considerations(findings: Iterable[FindingResult]) -> dict[str, tuple[Consideration, ...]]:
    """Return finding -> what may be considered, for the findings that are present or undecided."""
    return {
        found.finding: GUIDANCE[found.finding]
        for found in findings
        if (found.present or is_undecided(found)) and found.finding in GUIDANCE
    }
