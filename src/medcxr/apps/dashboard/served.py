"""Bytes that a component of the page fetches by an address of their own."""

import streamlit as st
from streamlit.runtime import get_instance

__all__ = ["served"]


def served(data: bytes, kind: str, place: str) -> str:
    """Return the address under which the browser gets the bytes as long as the page shows them.

    It is the way that `st.image` takes: the address is a digest that nobody can guess, and a file
    that the next run does not serve again is forgotten. Streamlit has no public name for it.

    Args:
        data: the bytes.
        kind: media type.
        place: where on the page they are used; another file at the same place replaces them.
    """
    address: str = get_instance().media_file_mgr.add(data, kind, place)
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"/{base}{address}" if base else address
