"""Results as the objects that hospitals exchange: DICOM instances and a FHIR bundle."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from medcxr.core.access import Permission
from medcxr.core.result_objects import ResultKind, ResultObject
from medcxr.services.analysis import AnalyzedImage
from medcxr.services.workspace import Workspace

__all__ = ["ResultKind", "ResultObject", "dicom_results", "fhir_results"]

ALL_KINDS = frozenset(ResultKind)


def dicom_results(
    workspace: Workspace,
    source: bytes,
    analyzed: AnalyzedImage,
    *,
    kinds: Collection[ResultKind] = ALL_KINDS,
    language: str | None = None,
    made: datetime | None = None,
) -> list[ResultObject]:
    """Return what an analysis says as DICOM objects in the study of the radiograph.

    The same radiograph, model, operating point and language give the same instances. Some kinds
    may be missing: the model outlines nothing, or the radiograph is stored in color.

    Args:
        workspace: whose model analyzed the radiograph.
        source: the DICOM file that was analyzed.
        analyzed: the radiograph.
        kinds: what to make.
        language: code of the language of texts and of the document; None for the one in use.
        made: when they are made, with its time zone; None for now.

    Raises:
        AccessError: whoever asks may not.
        ImageError: the file is no DICOM file, another one than was analyzed, or states no UIDs.
        MissingExtra: the libraries of the extra "hospital" are not installed.
        ModelError: meanwhile another model is in use.
    """
    workspace.require(Permission.EXPORT_CASES)
    raise NotImplementedError


def fhir_results(
    workspace: Workspace,
    source: bytes | None,
    analyzed: AnalyzedImage,
    *,
    made: datetime | None = None,
) -> dict[str, Any]:
    """Return what an analysis says as a FHIR R4 bundle with a diagnostic report.

    Args:
        workspace: whose model analyzed the radiograph.
        source: the DICOM file that was analyzed; None, or a file of another format, for a report
            that names neither patient nor study.
        analyzed: the radiograph.
        made: when it is made, with its time zone; None for now.

    Raises:
        AccessError: whoever asks may not.
        ImageError: the DICOM file is another one than was analyzed, or states no UIDs.
    """
    workspace.require(Permission.EXPORT_CASES)
    raise NotImplementedError
