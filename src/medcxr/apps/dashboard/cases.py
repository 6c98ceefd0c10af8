"""The radiographs open in this browser tab: each one analyzed, or refused with its reason."""

import io
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from PIL import Image

from medcxr.apps.dashboard.file_choice import Upload, upload_of
from medcxr.apps.dashboard.pictures import for_screen
from medcxr.apps.dashboard.viewed import keep_for_viewing
from medcxr.apps.dashboard.words import SYNTHETIC
from medcxr.core.arrays import FloatArray, Pixels
from medcxr.core.errors import ImageError, MedcxrError
from medcxr.core.geometry import Geometry
from medcxr.core.images import Acquisition
from medcxr.core.language import Sentence
from medcxr.core.results import Analysis, FindingResult
from medcxr.explain.report import ExplanationReport
from medcxr.imaging.reading import read_image
from medcxr.inference.deciding import DecisionRule, decided
from medcxr.inference.predictor import Prepared
from medcxr.services.analysis import AnalyzedImage, analyze_image
from medcxr.services.analysis_trail import note_refused
from medcxr.services.case_records import record_case
from medcxr.services.workspace import Workspace
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

__all__ = [
    "Case",
    "Reading",
    "active_findings",
    "analyze_some",
    "forget_cases",
    "forget_unrecorded",
    "known_cases",
    "redecided",
    "synthetic_upload",
]

_KEY = "cases"


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
        upload: the file.
        reading: its analysis, None if the file was refused or cannot be recorded.
        error: why there is no analysis, empty if there is one.
        case_id: of what is remembered of it; None if nothing is.
        is_unrecorded: whether it was analyzed and is not shown, because neither database nor audit
            trail can be told of it; it may be tried again.
    """

    upload: Upload
    reading: Reading | None
    error: str = ""
    case_id: int | None = None
    is_unrecorded: bool = False

    @property
    def label(self) -> str:
        """Return the file's name, for this user's screen only."""
        return self.upload.label

    @property
    def note(self) -> str:
        """Return a sentence about where it comes from."""
        return self.upload.note

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the file, hexadecimal."""
        return self.upload.digest


def known_cases(uploads: Sequence[Upload]) -> tuple[list[Case], list[Upload]]:
    """Return the cases of files that were analyzed, and the files that were not.

    Cases of files that the user has removed are forgotten. The same file twice is one case.
    """
    known: dict[str, Case] = st.session_state.get(_KEY, {})
    wanted = {upload.digest: upload for upload in uploads}
    # The file may have been sent anew, so that the place of its bytes is another.
    current = {
        digest: replace(known[digest], upload=upload)
        for digest, upload in wanted.items()
        if digest in known
    }
    st.session_state[_KEY] = current
    waiting = [upload for digest, upload in wanted.items() if digest not in current]
    return list(current.values()), waiting


def analyze_some(
    workspace: Workspace,
    waiting: Sequence[Upload],
    *,
    patience_s: float,
    told: Callable[[int, float], None] = lambda _done, _seconds: None,
) -> None:
    """Analyze the first file and as many more as time allows; one bad file does not stop the rest.

    Args:
        workspace: whose model answers.
        waiting: files that were not analyzed yet.
        patience_s: after which no further file is begun.
        told: called before each file with the number done and the seconds since the start.
    """
    begun = time.monotonic()
    for done, upload in enumerate(waiting):
        seconds = time.monotonic() - begun
        if done and seconds > patience_s:
            return
        told(done, seconds)
        # Kept one by one: a click ends this run, and what is done stays done.
        st.session_state[_KEY][upload.digest] = _analyzed(workspace, upload)


def forget_cases() -> None:
    """Let the open radiographs be analyzed anew, e.g. since another model answers."""
    st.session_state.pop(_KEY, None)


def forget_unrecorded() -> None:
    """Let radiographs be analyzed anew that could not be recorded, in the next run."""
    known: dict[str, Case] = st.session_state.get(_KEY, {})
    st.session_state[_KEY] = {
        digest: case for digest, case in known.items() if not case.is_unrecorded
    }


def redecided(case: Case, rule: DecisionRule) -> Case:
    """Return a case as another operating point decides it."""
    if case.reading is None:
        return case
    age = case.reading.acquisition.age_years
    analysis = decided(case.reading.analysis, rule, age_years=age)
    return replace(case, reading=replace(case.reading, analysis=analysis))


def active_findings(analysis: Analysis) -> list[FindingResult]:
    """Return the findings counted as present, the most probable first; "No Finding" is none."""
    return sorted(analysis.active, key=lambda finding: -finding.probability)


def synthetic_upload() -> Upload:
    """Simulate a radiograph as a file, so that it takes the way of every other file."""
    return upload_of(_simulated(), label=Sentence("Synthetic radiograph"), note=SYNTHETIC)


@st.cache_data(show_spinner=False)
def _simulated() -> bytes:
    radiograph = simulate(ThoraxParameters(), size=768)
    file = io.BytesIO()
    Image.fromarray(np.rint(radiograph.pixels * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _analyzed(workspace: Workspace, upload: Upload) -> Case:
    try:
        image = read_image(upload.read(), beyond_window=True, name=upload.label)
        result = analyze_image(workspace, image)
    except MedcxrError as error:
        _tell_of_refusal(workspace, upload, error)
        return Case(upload=upload, reading=None, error=error.sentence)
    try:
        case_id = _recorded(workspace, upload, result)
    except MedcxrError as error:
        return Case(upload=upload, reading=None, error=error.sentence, is_unrecorded=True)
    keep_for_viewing(image)
    return Case(upload=upload, reading=_read(result), case_id=case_id)


def _tell_of_refusal(workspace: Workspace, upload: Upload, error: MedcxrError) -> None:
    if upload.is_of_patient and isinstance(error, ImageError):
        with suppress(MedcxrError):  # the page "Dashboard" says what is wrong with the database
            note_refused(workspace, error)


def _recorded(workspace: Workspace, upload: Upload, result: AnalyzedImage) -> int | None:
    """Return the number of the case, None where none is kept; the trail is told of either."""
    if not upload.is_of_patient:
        return None
    record = record_case(workspace, result, label=upload.label)
    return None if record is None else record.case_id


def _read(result: AnalyzedImage) -> Reading:
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
