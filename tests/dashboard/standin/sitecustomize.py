"""Stand in for the analysis service in tests, only as long as the package has none.

Python imports this file at start where its folder is on PYTHONPATH. Once
medcxr/services/analysis.py exists, nothing here takes effect and the folder can be deleted.
"""

import sys
import time
import types
from importlib.util import find_spec


def install() -> None:
    """Put the stand-in where the dashboard looks for the service."""
    if find_spec("medcxr") is None or find_spec("medcxr.services.analysis") is not None:
        return
    module = types.ModuleType("medcxr.services.analysis")
    module.analyze_image = _analyze_image
    module.current_model = _current_model
    sys.modules[module.__name__] = module


def _analyze_image(_workspace, source):
    """Give figures that depend on nothing but the file's digest."""
    import numpy as np

    from medcxr.core.results import Analysis, FindingResult
    from medcxr.imaging.preprocessing import Preprocessing
    from medcxr.imaging.reading import read_image

    image = read_image(source)
    start = time.perf_counter()
    _, geometry = Preprocessing().apply(image.pixels)
    random = np.random.default_rng(int(image.digest[:8], 16))
    maps, findings = {}, []
    for name in ("Pneumonia", "Effusion", "Cardiomegaly", "No Finding"):
        maps[name] = random.normal(0, 0.1, (14, 14)).astype(np.float32)
        logit = float(maps[name].sum())
        probability = 1 / (1 + float(np.exp(-logit)))
        findings.append(
            FindingResult(
                finding=name,
                logit=logit,
                probability=probability,
                threshold=0.4,
                present=probability >= 0.4,
            )
        )
    analysis = Analysis(
        image_digest=image.digest,
        model="stand-in 0",
        operating_point="balanced",
        findings=tuple(findings),
        image_shape=image.shape,
        view=image.view.value,
        spacing_mm=image.spacing_mm,
        seconds=time.perf_counter() - start,
        warnings=image.warnings,
    )
    return types.SimpleNamespace(image=image, analysis=analysis, maps=maps, geometry=geometry)


def _current_model(_workspace):
    from medcxr.services.model_facts import ModelFacts

    return ModelFacts(name="stand-in", version="0", figures=())


install()
