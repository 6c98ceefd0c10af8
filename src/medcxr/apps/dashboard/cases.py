"""The radiographs open in this browser tab: each one analyzed, or refused with its reason."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from medcxr.apps.dashboard.pictures import for_screen
from medcxr.apps.dashboard.words import SYNTHETIC
from medcxr.core.arrays import FloatArray, Pixels
from medcxr.core.errors import MedcxrError
from medcxr.core.findings import Finding
from medcxr.core.geometry import Geometry
from medcxr.core.images import Acquisition
from medcxr.core.language import Sentence, say
from medcxr.core.results import Analysis, FindingResult
from medcxr.explain.report import ExplanationReport
from medcxr.inference.predictor import Prepared
from medcxr.services.analysis import analyze_image
from medcxr.services.workspace import Workspace
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

__all__ = [
    "Case",
    "Reading",
    "Upload",
    "active_findings",
    "forget_cases",
    "open_cases",
    "synthetic_upload",
]

_KEY = "cases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as the browser sent it.

    Attributes:
        label: the file's name, for this user's screen only.
        data: the bytes.
        note: a sentence about where it comes from.
    """

    label: str
    data: bytes
    note: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """What the screen needs of an analyzed radiograph; the full-size pixels are let go.

    Attributes:
        analysis: the figures.
        shown: the radiograph at the screen's size.
        maps: finding -> (h, w), signed evidence.
        geometry: where the original lies under the maps.
        acquisition: how the image was made.
        outlines: organ -> (size, size), 0…1, over the model's input; may be empty.
        prepared: the radiograph as the model saw it.
        tests: what is known of the maps; None if nobody tested them.
    """

    analysis: Analysis
    shown: Pixels
    maps: Mapping[str, FloatArray]
    geometry: Geometry
    acquisition: Acquisition
    outlines: Mapping[str, FloatArray]
    prepared: Prepared
    tests: ExplanationReport | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One file on the screen.

    Attributes:
        label: the file's name, for this user's screen only.
        note: a sentence about where it comes from.
        digest: SHA-256 of the file, hexadecimal.
        reading: its analysis, None if the file was refused.
        error: why it was refused, empty if it was not.
    """

    label: str
    note: str
    digest: str
    reading: Reading | None
    error: str


def open_cases(workspace: Workspace, uploads: Sequence[Upload]) -> list[Case]:
    """Analyze what has not been analyzed yet; one bad file does not stop the others.

    Cases of files that the user has removed are forgotten. The same file twice is one case.
    """
    known: dict[str, Case] = st.session_state.get(_KEY, {})
    keys = [upload.digest for upload in uploads]
    fresh = sum(key not in known for key in keys)
    current: dict[str, Case] = {}
    progress = st.progress(0.0, say("Analyzing")) if fresh else None
    for number, (key, upload) in enumerate(zip(keys, uploads, strict=True)):
        if progress is not None:
            progress.progress(
                number / len(keys), say("Analyzing {number} of {n}", number=number + 1, n=len(keys))
            )
        current[key] = known.get(key) or _analyzed(workspace, upload, key)
    if progress is not None:
        progress.empty()
    st.session_state[_KEY] = current
    return list(current.values())


def forget_cases() -> None:
    """Let the open radiographs be analyzed anew, e.g. since another model answers."""
    st.session_state.pop(_KEY, None)


def active_findings(case: Case) -> list[FindingResult]:
    """Return the findings counted as present, the most probable first; "No Finding" is none."""
    if case.reading is None:
        return []
    present = [
        f for f in case.reading.analysis.findings if f.present and f.finding != Finding.NO_FINDING
    ]
    return sorted(present, key=lambda finding: -finding.probability)


@st.cache_data(show_spinner=False)
def synthetic_upload() -> Upload:
    """Simulate a radiograph as a file, so that it takes the way of every other file."""
    radiograph = simulate(ThoraxParameters(), size=768)
    file = io.BytesIO()
    Image.fromarray(np.rint(radiograph.pixels * 255).astype(np.uint8)).save(file, "PNG")
    return Upload(label=Sentence("Synthetic radiograph"), data=file.getvalue(), note=SYNTHETIC)


def _analyzed(workspace: Workspace, upload: Upload, digest: str) -> Case:
    reading, problem = None, ""
    try:
        reading = _read(workspace, upload.data)
    except MedcxrError as error:
        problem = error.sentence
    return Case(label=upload.label, note=upload.note, digest=digest, reading=reading, error=problem)


def _read(workspace: Workspace, data: bytes) -> Reading:
    result = analyze_image(workspace, data)
    return Reading(
        analysis=result.analysis,
        shown=for_screen(result.image.pixels),
        maps=result.maps,
        geometry=result.geometry,
        acquisition=result.image.acquisition,
        outlines=result.outlines,
        prepared=result.prepared,
        tests=result.tests,
    )
