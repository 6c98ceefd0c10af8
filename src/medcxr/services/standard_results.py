"""Results as the objects that hospitals exchange: DICOM instances and a FHIR bundle."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from medcxr.core.access import Permission
from medcxr.core.errors import DataError, ImageError, MissingExtra
from medcxr.core.language import LANGUAGES, speaking, text
from medcxr.core.language import language as spoken
from medcxr.core.result_objects import ResultKind, ResultObject
from medcxr.core.source_header import SourceHeader
from medcxr.imaging.reading import read_header
from medcxr.interchange.fhir import fhir_bundle
from medcxr.interchange.reported import Reported
from medcxr.services.analysis import AnalyzedImage, current_model
from medcxr.services.pdf_report import pdf_report
from medcxr.services.result_parts import organ_lines, organ_masks_of, pictures, words_in_picture
from medcxr.services.true_maps import TrueMaps, draw_true_maps
from medcxr.services.workspace import Workspace

__all__ = ["ALL_KINDS", "ResultKind", "ResultObject", "dicom_results", "fhir_results"]

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

    The same radiograph, model, operating point and language give the same instances. There may be
    several secondary captures, and some kinds may be missing: a segmentation where the model
    outlines nothing, captures where there is nothing to draw, a presentation state where the
    radiograph is stored in color.

    Args:
        workspace: whose model analyzed the radiograph.
        source: the DICOM file that was analyzed.
        analyzed: the radiograph.
        kinds: what to make.
        language: code of the language of texts and of the document; None for the one in use.
        made: when they are made, with its time zone; None for now.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such language.
        ImageError: the file is no DICOM file, another one than was analyzed, or states no UIDs.
        MissingExtra: the libraries of the extra "hospital" are not installed.
        ModelError: meanwhile another model is in use.
    """
    workspace.require(Permission.EXPORT_CASES)
    if find_spec("highdicom") is None:
        raise MissingExtra(_NEEDED, name="highdicom")
    code = language or spoken()
    if code not in LANGUAGES:
        raise DataError(
            "There is no such language; use one of {codes}.", codes=", ".join(LANGUAGES)
        )
    header = _header(source, analyzed)
    if header is None:
        raise ImageError(_NO_DICOM)
    with speaking(code):
        return _made(workspace, header, _reported(header, analyzed, made), analyzed, kinds)


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
        ImageError: the file is another one than was analyzed, or states no UIDs.
    """
    workspace.require(Permission.EXPORT_CASES)
    header = None if source is None else _header(source, analyzed)
    return fhir_bundle(header, _reported(header, analyzed, made))


_NO_DICOM = text(
    "DICOM objects repeat patient and study from the radiograph's header, and this file has none: it "
    "is not in DICOM's format. Analyze the DICOM file itself, or ask for FHIR, which needs no patient."
)
_OTHER_FILE = text(
    "The file is another one than was analyzed, so that its results would be filed under another "
    "patient; give the file that was analyzed."
)
_NEEDED = text(
    "Results as DICOM objects need {name}, which is not installed; install the extra: pip install "
    "'medcxr[hospital]'."
)


def _header(source: bytes, analyzed: AnalyzedImage) -> SourceHeader | None:
    if hashlib.sha256(source).hexdigest() != analyzed.analysis.image_digest:
        raise ImageError(_OTHER_FILE)
    return read_header(source)


def _reported(
    header: SourceHeader | None, analyzed: AnalyzedImage, made: datetime | None
) -> Reported:
    return Reported(
        identity=analyzed.analysis.image_digest if header is None else header.sop_instance_uid,
        analysis=analyzed.analysis,
        made=made or datetime.now().astimezone(),
    )


_WITH_MAPS = frozenset({ResultKind.SECONDARY_CAPTURE, ResultKind.ENCAPSULATED_PDF})


def _made(
    workspace: Workspace,
    header: SourceHeader,
    reported: Reported,
    analyzed: AnalyzedImage,
    kinds: Collection[ResultKind],
) -> list[ResultObject]:
    # The light install has no highdicom.
    from medcxr.interchange.presentation import presentation_state  # noqa: PLC0415
    from medcxr.interchange.report_sr import structured_report  # noqa: PLC0415
    from medcxr.interchange.segmentation import segmentation  # noqa: PLC0415

    objects: list[ResultObject | None] = []
    if ResultKind.STRUCTURED_REPORT in kinds:
        objects.append(structured_report(header, reported))
    if ResultKind.SEGMENTATION in kinds:
        objects.append(segmentation(header, reported, organ_masks_of(analyzed)))
    if ResultKind.PRESENTATION_STATE in kinds:
        words = words_in_picture(analyzed.analysis)
        lines, scale = organ_lines(analyzed), analyzed.image.gray_scale
        objects.append(presentation_state(header, reported, lines, words, scale))
    if _WITH_MAPS & set(kinds):
        maps = draw_true_maps(workspace, analyzed)
        if ResultKind.SECONDARY_CAPTURE in kinds:
            objects += _captures(header, reported, analyzed, maps)
        if ResultKind.ENCAPSULATED_PDF in kinds:
            objects.append(_document(workspace, header, reported, analyzed, maps))
    return [one for one in objects if one is not None]


def _captures(
    header: SourceHeader, reported: Reported, analyzed: AnalyzedImage, maps: TrueMaps
) -> list[ResultObject]:
    from medcxr.interchange.capture import secondary_capture  # noqa: PLC0415

    return [
        secondary_capture(
            header, reported, picture, shows=shows, description=description, number=number
        )
        for number, (shows, description, picture) in enumerate(pictures(analyzed, maps), start=1)
    ]


def _document(
    workspace: Workspace,
    header: SourceHeader,
    reported: Reported,
    analyzed: AnalyzedImage,
    maps: TrueMaps,
) -> ResultObject:
    from medcxr.interchange.document import encapsulated_pdf  # noqa: PLC0415

    model, pixels = current_model(workspace), analyzed.image.pixels
    report = pdf_report(analyzed, pixels, maps, model=model, made=reported.made)
    return encapsulated_pdf(header, reported, report)
