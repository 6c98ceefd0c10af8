"""What names a patient, found again wherever else in a file somebody wrote it.

The profile names attributes; a technician may have typed a patient's name into another one.
"""

import re
from collections.abc import Iterable, Iterator

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import PersonName

__all__ = ["IDENTIFYING", "Residue"]

IDENTIFYING = frozenset(
    {
        "AccessionNumber",
        "AdmissionID",
        "FillerOrderNumberImagingServiceRequest",
        "InstitutionAddress",
        "InstitutionName",
        "IssuerOfPatientID",
        "MedicalRecordLocator",
        "MilitaryRank",
        "OtherPatientIDs",
        "PatientAddress",
        "PatientBirthDate",
        "PatientID",
        "PatientTelephoneNumbers",
        "PlacerOrderNumberImagingServiceRequest",
        "RequestingService",
        "ResponsibleOrganization",
        "StudyID",
    }
)
"""Keywords of attributes whose values are searched for; all names of persons besides."""

_SHORTEST = 4  # characters of what is searched for inside other words
_SHORTEST_IN_BYTES = (
    6  # of what is searched for in compressed pixels, which hold anything by chance
)
_FREE_TEXT = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_BYTES = frozenset({"OB", "OW", "UN"})
_PIXELS = 0x7FE00010
_SAYS_NOTHING = frozenset({"19000101", "anonymous", "removed", "unknown"})


class Residue:
    """What of a file names its patient.

    Args:
        dataset: as it came.
    """

    def __init__(self, dataset: Dataset) -> None:
        whole, parts = set[str](), set[str]()
        for element in _elements(dataset):
            if element.VR == "PN" or element.keyword in IDENTIFYING:
                for text in _texts(element):
                    whole.add(text.strip())
                    parts |= _parts(text) if element.VR == "PN" else set()
        whole = {word for word in whole if word.casefold() not in _SAYS_NOTHING}
        self._whole = [word for word in whole if len(word) >= _SHORTEST_IN_BYTES]
        self._words = sorted(word for word in whole | parts if len(word) >= _SHORTEST)
        # A number is no other number's part.
        self._pattern = re.compile(
            "|".join(rf"(?<!\d){re.escape(word.casefold())}(?!\d)" for word in self._words)
            or r"(?!)"
        )

    def is_in_text(self, words: str) -> bool:
        """Tell whether a text names the patient."""
        return self._pattern.search(words.casefold()) is not None

    def is_in_bytes(self, data: bytes) -> bool:
        """Tell whether bytes do, in any common encoding of their letters."""
        return _are_in(data, [word for word in self._words if len(word) >= _SHORTEST_IN_BYTES])

    def is_whole_in_bytes(self, data: bytes) -> bool:
        """Tell whether bytes hold one of the values as a whole, and not only a part of a name."""
        return _are_in(data, self._whole)

    def is_in(self, element: DataElement) -> bool:
        """Tell whether the value of an element that is not a sequence or pixels does."""
        if element.VR in _FREE_TEXT:
            return any(self.is_in_text(value) for value in _texts(element))
        if element.VR in _BYTES and element.tag != _PIXELS and isinstance(element.value, bytes):
            return self.is_in_bytes(element.value)
        return False


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    """Yield all elements that can be read, those of sequences too."""
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # noqa: BLE001, S112 - whatever cannot be read is not written either  # nosec B112
            continue
        yield element
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _elements(item)


def _parts(name: str) -> set[str]:
    """Return the parts of a person's name."""
    return {part for part in re.split(r"[\^=\s]+", name) if part}


def _are_in(data: bytes, words: Iterable[str]) -> bool:
    """Look for words in bytes; a number is no other number's part."""
    folded = data.lower()
    return any(
        re.search(rb"(?<!\d)" + re.escape(code) + rb"(?!\d)", folded) is not None
        for word in words
        for code in _encodings(word)
    )


def _texts(element: DataElement) -> Iterable[str]:
    value = element.value
    several = value if isinstance(value, (list, tuple)) or _is_multiple(value) else [value]
    for one in several:
        if isinstance(one, PersonName | str | int | float):
            yield str(one)


def _is_multiple(value: object) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, (str, bytes, PersonName))


def _encodings(word: str) -> Iterator[bytes]:
    """Yield a word as bytes, whose letters of ASCII are small."""
    for spelled in {word, word.lower(), word.upper()}:
        for code in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
            try:
                yield spelled.encode(code).lower()
            except UnicodeEncodeError:
                continue
