"""How to show the radiograph: its window, outlines, the widths measured, and words."""

from collections.abc import Mapping, Sequence

import numpy as np
from highdicom.pr import (
    AnnotationUnitsValues,
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GraphicTypeValues,
    GrayscaleSoftcopyPresentationState,
    TextObject,
)
from pydicom.dataset import Dataset

from medcxr.core.images import GrayScale
from medcxr.core.language import say
from medcxr.core.result_objects import ResultKind, ResultObject
from medcxr.core.results import Span
from medcxr.core.source_header import SourceHeader
from medcxr.interchange.concepts import organ_color
from medcxr.interchange.datasets import equipment, object_of, source_dataset
from medcxr.interchange.gray_pipeline import add_gray_pipeline
from medcxr.interchange.reported import Reported

__all__ = ["presentation_state"]

_KIND = ResultKind.PRESENTATION_STATE
_WIDTHS, _WORDS = "WIDTHS", "WORDS"
_MOST_POINTS = 8000  # of 8 bytes: the length of an element of FL has 16 bits (PS3.5 section 7.1.2)
_LONGEST_TEXT = 1024  # characters of ST

Points = Sequence[tuple[float, float]]
"""(x, y) in fractions of the radiograph's width and height."""


def presentation_state(
    header: SourceHeader,
    reported: Reported,
    lines: Mapping[str, Sequence[Points]],
    words: Sequence[str],
    scale: GrayScale | None,
) -> ResultObject | None:
    """Return a grayscale softcopy presentation state with outlines, widths and words.

    Args:
        header: of the radiograph.
        reported: the result.
        lines: organ -> the lines around it.
        words: sentences to be shown in the picture, one in a line.
        scale: by which the radiograph was read; used where its header states no window.

    Returns:
        The object; None for a radiograph stored in color, to which no grayscale state applies.

    Source: DICOM PS3.3 A.33.1, C.10.4, C.10.5 and C.10.7.
    """
    if not header.is_gray:
        return None
    source = source_dataset(header)
    anatomy = reported.analysis.anatomy
    layers: list[GraphicLayer] = []
    annotations: list[GraphicAnnotation] = []
    for organ, around in lines.items():
        shapes = [_polyline(header, points) for points in around if len(points) > 1]
        if shapes:
            layers.append(_layer(_name(organ), len(layers) + 1, organ))
            annotations.append(GraphicAnnotation([source], layers[-1], graphic_objects=shapes))
    spans = () if anatomy is None else anatomy.spans
    if spans:
        layers.append(_layer(_WIDTHS, len(layers) + 1))
        shapes = [_line(header, span) for span in spans]
        annotations.append(GraphicAnnotation([source], layers[-1], graphic_objects=shapes))
    layers.append(_layer(_WORDS, len(layers) + 1))
    text = [_text(header, words)]
    annotations.append(GraphicAnnotation([source], layers[-1], text_objects=text))
    dataset = GrayscaleSoftcopyPresentationState(
        referenced_images=[source],
        sop_instance_uid=reported.uid(_KIND, reported.language),
        instance_number=1,
        content_label="MEDCXR",
        content_description=say("Chest X-ray decision support")[:64],
        graphic_layers=layers,
        graphic_annotations=annotations,
        series_description=say("Chest X-ray decision support")[:64],
        **equipment(reported, _KIND),
    )
    _show_whole(dataset, header)
    add_gray_pipeline(dataset, header, scale)
    return object_of(header, reported, _KIND, dataset)


def _name(organ: str) -> str:
    """Return an organ's name as a code string."""
    letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in organ.upper())
    return letters[:16]


def _layer(name: str, order: int, organ: str = "") -> GraphicLayer:
    return GraphicLayer(layer_name=name, order=order, display_color=organ_color(organ))


def _polyline(header: SourceHeader, points: Points) -> GraphicObject:
    r"""Return a line, in columns and rows of the radiograph.

    The corner of its first pixel is 0\0 and that of its last Columns\Rows (PS3.3 C.10.5.1.2);
    only the displayed area counts pixels from 1 (C.10.4).
    """
    # every so many points of a line that is longer than an element can be, and its end
    kept = [*points[:: len(points) // _MOST_POINTS + 1], points[-1]]
    return _graphic(header, np.asarray(kept, np.float64) * (header.columns, header.rows))


def _line(header: SourceHeader, span: Span) -> GraphicObject:
    return _graphic(header, np.array([(span.start, span.row), (span.stop, span.row)]))


def _graphic(header: SourceHeader, placed: "np.typing.NDArray[np.float64]") -> GraphicObject:
    # FL holds single precision, which may round up beyond the last column
    inside = np.clip(placed, 0.0, (header.columns, header.rows)).astype(np.float32)
    return GraphicObject(
        graphic_type=GraphicTypeValues.POLYLINE,
        graphic_data=inside.astype(np.float64),
        units=AnnotationUnitsValues.PIXEL,
    )


def _text(header: SourceHeader, words: Sequence[str]) -> TextObject:
    """Return words over the lower edge, where there is least to see."""
    told = "\r\n".join(words)[:_LONGEST_TEXT]
    top = 0.85 * header.rows
    return TextObject(
        text_value=told,
        units=AnnotationUnitsValues.PIXEL,
        bounding_box=(0.0, top, float(header.columns), float(header.rows)),
        text_justification="LEFT",
    )


def _show_whole(dataset: Dataset, header: SourceHeader) -> None:
    """Show all of the radiograph in its proportions (PS3.3 C.10.4)."""
    area = dataset.DisplayedAreaSelectionSequence[0]
    del area.PixelOriginInterpretation  # of whole slides
    if header.spacing_mm is None:
        area.PresentationPixelAspectRatio = list(header.aspect or (1, 1))
    else:
        del area.PresentationPixelAspectRatio
        area.PresentationPixelSpacing = [f"{side:.10g}" for side in header.spacing_mm]
