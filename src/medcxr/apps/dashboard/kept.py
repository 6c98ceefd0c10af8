"""What was computed of radiographs in this browser tab, or asked for: nothing is computed twice."""

from collections.abc import Callable, Collection
from typing import TypeVar

import streamlit as st

from medcxr.apps.dashboard.cases import Reading

__all__ = ["find_kept", "forget", "forget_others", "keep"]

_KEY = "kept"

_Value = TypeVar("_Value")


def keep(reading: Reading, name: str, make: Callable[[], _Value]) -> _Value:
    """Return something computed of a radiograph, computing it the first time only.

    Args:
        reading: the radiograph, with the model that analyzed it.
        name: of what is computed.
        make: computes it.
    """
    known = st.session_state.setdefault(_KEY, {})
    key = _key(reading, name)
    if key not in known:
        known[key] = make()
    value: _Value = known[key]
    return value


def find_kept(reading: Reading, name: str, kind: type[_Value]) -> _Value | None:
    """Return something computed of a radiograph earlier, None if it was not.

    Args:
        reading: the radiograph, with the model that analyzed it.
        name: of what was computed.
        kind: its class.
    """
    key = _key(reading, name)
    value = st.session_state.get(_KEY, {}).get(key)
    return value if isinstance(value, kind) else None


def forget(reading: Reading, name: str) -> None:
    """Forget something that was computed of a radiograph, if it was."""
    key = _key(reading, name)
    st.session_state.get(_KEY, {}).pop(key, None)


def forget_others(digests: Collection[str]) -> None:
    """Forget what was computed of radiographs other than these."""
    known = st.session_state.get(_KEY, {})
    st.session_state[_KEY] = {key: value for key, value in known.items() if key[0] in digests}


def _key(reading: Reading, name: str) -> tuple[str, str, str]:
    return reading.analysis.image_digest, reading.analysis.model, name
