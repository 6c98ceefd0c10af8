"""An analysis as JSON text, and back."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from cattrs import BaseValidationError
from cattrs.preconf.json import make_converter

from medcxr.core.errors import StorageError
from medcxr.core.language import Sentence
from medcxr.core.results import Analysis

__all__ = ["ANALYSIS_FORMAT", "analysis_from_text", "analysis_to_text"]

ANALYSIS_FORMAT = 1
"""Rises when a field loses its meaning. A new field with a default needs no new format."""


def analysis_to_text(analysis: Analysis) -> str:
    """Return an analysis as JSON."""
    plain = _converter().unstructure(analysis)
    return json.dumps({"format": ANALYSIS_FORMAT, "analysis": plain}, allow_nan=False)


def analysis_from_text(text: str) -> Analysis:
    """Read what `analysis_to_text` wrote.

    Raises:
        StorageError: it is something else, or of another format.
    """
    try:
        kept = json.loads(text)
        if not isinstance(kept, Mapping) or kept.get("format") != ANALYSIS_FORMAT:
            raise StorageError(
                "A remembered analysis is not of format {format}; use the version of medcxr that "
                "wrote it.",
                format=ANALYSIS_FORMAT,
            )
        analysis: Analysis = _converter().structure(kept["analysis"], Analysis)
    except (*_NO_OBJECT, BaseValidationError, KeyError, ValueError, RecursionError) as error:
        raise StorageError(
            "A remembered analysis is damaged ({kind}); delete its case and analyze the file again.",
            kind=type(error).__name__,
        ) from None
    return analysis


_NO_OBJECT = (AttributeError, TypeError)  # of an analysis that is JSON, but no object


@cache
def _converter() -> Any:  # noqa: ANN401 - cattrs gives its converters no useful type
    converter = make_converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(str, _kept)
    converter.register_structure_hook(str, _said)
    return converter


def _kept(words: str) -> str | list[object]:
    """Keep what a sentence was made of, so that it can still be said in any language."""
    return words.parts() if isinstance(words, Sentence) else words


def _said(value: object, kind: type[str]) -> str:
    if kind is not str:  # the words of an enumeration are texts too
        return kind(value)
    return Sentence.of_parts(value) if isinstance(value, list) else str(value)
