"""The report for people as an encapsulated document."""

from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage

from medcxr.core.language import say
from medcxr.core.result_objects import ResultKind, ResultObject
from medcxr.core.source_header import SourceHeader
from medcxr.interchange.datasets import new_instance, object_of, referring_to
from medcxr.interchange.reported import Reported

__all__ = ["encapsulated_pdf"]

_KIND = ResultKind.ENCAPSULATED_PDF


def encapsulated_pdf(header: SourceHeader, reported: Reported, document: bytes) -> ResultObject:
    """Return a PDF document as a DICOM object in the study.

    Args:
        header: of the radiograph.
        reported: the result.
        document: the PDF.

    Source: DICOM PS3.3 A.45.1, C.24.1 and C.24.2.
    """
    uid = reported.uid(_KIND, reported.language)
    made = new_instance(reported, _KIND, EncapsulatedPDFStorage, modality="DOC", uid=uid)
    made.AcquisitionDateTime = ""
    # the radiograph is in the document; only its own header can say that nothing is written in it
    made.BurnedInAnnotation = "NO" if header.burned_in == "NO" else "YES"
    made.DocumentTitle = say("Chest X-ray decision support")[:64]
    made.ConceptNameCodeSequence = [_title()]
    made.SourceInstanceSequence = [referring_to(header)]
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    made.EncapsulatedDocumentLength = len(document)
    return object_of(header, reported, _KIND, made)


def _title() -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = "18748-4", "LN"
    item.CodeMeaning = "Diagnostic imaging study"
    return item
