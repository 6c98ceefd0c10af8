"""Radiographs as the viewer gets them, with every gray level of the file; the last ones are kept."""

from collections.abc import Collection

import streamlit as st

from medcxr.apps.dashboard.file_choice import Upload
from medcxr.apps.dashboard.limits import VIEWED_SIDE
from medcxr.core.images import CxrImage
from medcxr.imaging.reading import read_image
from medcxr.services.display import DisplayImage, display_image

__all__ = ["forget_closed", "keep_for_viewing", "viewed"]

_KEY = "viewed"
_KEPT = 4  # of some 10 MB each; others are read anew from their files


def keep_for_viewing(image: CxrImage) -> None:
    """Keep a radiograph that was just read, as long as it puts no other out of its place."""
    kept = _kept()
    if len(kept) < _KEPT and image.digest not in kept:
        kept[image.digest] = display_image(image, longer_side=VIEWED_SIDE)


def viewed(upload: Upload) -> DisplayImage:
    """Return an open radiograph for the viewer.

    Raises:
        ImageError: the file cannot be read any more.
    """
    kept = _kept()
    image = kept.pop(upload.digest, None)
    if image is None:
        read = read_image(upload.read(), beyond_window=True, name=upload.label)
        image = display_image(read, longer_side=VIEWED_SIDE)
    kept[upload.digest] = image  # the last one in the order
    for oldest in list(kept)[:-_KEPT]:
        del kept[oldest]
    return image


def forget_closed(digests: Collection[str]) -> None:
    """Forget every radiograph but these."""
    st.session_state[_KEY] = {d: image for d, image in _kept().items() if d in digests}


def _kept() -> dict[str, DisplayImage]:
    """Return digest of a file -> image, the one looked at last at the end."""
    kept: dict[str, DisplayImage] = st.session_state.setdefault(_KEY, {})
    return kept
