"""Whether the models are the files that their manifests list, and answer in time."""

import io
import statistics
import time
from importlib import metadata

import numpy as np
from PIL import Image

from medcxr.core.access import Permission
from medcxr.core.errors import DataError, MedcxrError
from medcxr.core.language import say, say_number, text
from medcxr.core.runtime import RUNTIME_VARIABLE
from medcxr.core.settings import Settings
from medcxr.inference.gate import SHIPPED_GATE, Gate
from medcxr.registry.explanations import find_explanations
from medcxr.registry.importance import find_importance
from medcxr.registry.registry import ModelRegistry
from medcxr.services.analysis import analyze_image
from medcxr.services.health import Outcome, attention, broken, good
from medcxr.services.workspace import Workspace
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

__all__ = ["check_analysis", "check_current_model", "check_models", "check_runtime"]

_SLOW_S = 2.0  # after which a reader waits for the screen
_RUNS = 3
_SIDE = 768  # pixels of the simulated radiograph
_OWN_RUNTIME = text(
    "Take {setting} out of the environment: models are then computed by ONNX Runtime."
)


def check_current_model(workspace: Workspace) -> Outcome:
    """Verify the model that answers, what was measured of its maps, and the gate before it.

    Every byte is read again: files that were read before may have been changed since, even with
    their time and size kept.
    """
    workspace.require(Permission.VIEW_DIAGNOSTICS)
    try:
        bundle = ModelRegistry(workspace.models).current()
        find_explanations(workspace.models, bundle)
        find_importance(workspace.models, bundle)
        Gate(SHIPPED_GATE)
    except MedcxrError as error:
        return broken(
            say(error.sentence), say('Choose another model on the page "Models", or reinstall.')
        )
    return good(
        say(
            "{model}: its files and the gate's have the checksums that they should have.",
            model=bundle.manifest.identity,
        )
    )


def check_models(workspace: Workspace) -> Outcome:
    """Verify every model of the workspace and of the package."""
    workspace.require(Permission.VIEW_DIAGNOSTICS)
    try:
        entries = ModelRegistry(workspace.models).list()
        ModelRegistry(workspace.models).history()
    except MedcxrError as error:
        return broken(say("The models cannot be listed."), say(error.sentence))
    damaged = [f"{entry.identity}: {say(entry.problem)}" for entry in entries if entry.problem]
    if damaged:
        return broken(" ".join(damaged), say("Remove it, or bring it back from a copy."))
    return good(say_number("{number} model, whole.", "{number} models, all whole.", len(entries)))


def check_runtime() -> Outcome:
    """Name the library that computes the models, as the settings choose it."""
    try:
        runtime = Settings.from_environment().runtime
    except DataError as error:
        return broken(say(error.sentence), say(_OWN_RUNTIME, setting=RUNTIME_VARIABLE))
    try:
        version = metadata.version(runtime)
    except metadata.PackageNotFoundError:
        return broken(
            say("{runtime} is not installed.", runtime=runtime.full_name),
            say("Install it: pip install 'medcxr[openvino]'. Or:")
            + " "
            + say(_OWN_RUNTIME, setting=RUNTIME_VARIABLE),
        )
    return good(
        say(
            "Models are computed by {runtime} {version}.",
            runtime=runtime.full_name,
            version=version,
        )
    )


def check_analysis(workspace: Workspace) -> Outcome:
    """Analyze a simulated radiograph, and time it once everything is loaded."""
    workspace.require(Permission.VIEW_DIAGNOSTICS)
    radiograph = _simulated_file()
    times = []
    try:
        for _ in range(1 + _RUNS):
            begun = time.perf_counter()
            analyze_image(workspace, radiograph)
            times.append(time.perf_counter() - begun)
    except MedcxrError as error:
        return broken(
            say("A simulated radiograph could not be analyzed: {error}", error=error.sentence),
            say("Mend what the other lines name, then check again."),
        )
    first, seconds = times[0], statistics.median(times[1:])
    found = say(
        "A simulated radiograph takes {seconds:.2f} s, the first one {first:.2f} s.",
        seconds=seconds,
        first=first,
    )
    if seconds <= _SLOW_S:
        return good(found)
    return attention(found, say("End other programs or trainings that use the processor."))


def _simulated_file() -> bytes:
    pixels = simulate(ThoraxParameters(), size=_SIDE).pixels
    file = io.BytesIO()
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
