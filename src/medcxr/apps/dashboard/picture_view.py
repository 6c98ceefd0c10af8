"""A picture on the page, with words for readers who hear it."""

import io

import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from medcxr.core.arrays import UInt8Array

__all__ = ["png_file", "show_picture"]

# Streamlit's own choice, 6, makes files that are a tenth smaller in four times as long, which is
# longer than an analysis takes.
_COMPRESSION = 2


def show_picture(
    picture: UInt8Array,
    words: str,
    *,
    caption: str | None = None,
    place: DeltaGenerator | None = None,
) -> None:
    """Show a picture as wide as there is room.

    Args:
        picture: (rows, columns) gray or (rows, columns, 3) red, green, blue; 0…255.
        words: what it shows.
        caption: below it, Markdown; None for none.
        place: where; None for where the page is.
    """
    show = st.image if place is None else place.image
    show(png_file(picture), caption=caption, width="stretch", output_format="PNG", alt=words)


def png_file(picture: UInt8Array) -> bytes:
    """Return a picture as a PNG file, which loses nothing."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=_COMPRESSION)
    return file.getvalue()
