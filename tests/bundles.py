"""A tiny but real model: an ONNX graph, fitted calibrations, thresholds and measured figures."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from medcxr.core.findings import Finding
from medcxr.core.results import Estimate
from medcxr.evaluation.calibration import fit_platt
from medcxr.evaluation.conformal import fit_conformal, measure_coverage
from medcxr.evaluation.operating_points import half, sensitivity_90, youden
from medcxr.evaluation.validation import evaluate
from medcxr.explain.report import (
    OCCLUSION_MAP,
    RIVALS,
    TESTED,
    THOROUGH_MAP,
    CurveFigures,
    ExplanationReport,
    Gain,
)
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.registry.bundle import ModelBundle, write_bundle
from medcxr.registry.explanations import keep_explanations
from medcxr.registry.manifest import Manifest, Measurement, QuickLook, TrainingFacts
from medcxr.registry.registry import ModelRegistry
from medcxr.services.workspace import Workspace

FINDINGS = tuple(finding.value for finding in Finding)
SIZE = 64
GRID = 8

_N_IMAGES = 240


ORGANS = ("right lung", "left lung", "heart")


def outlined_boxes(size: int = SIZE) -> np.ndarray:
    """Return what the outlined tiny graph always outlines: a heart of half the thorax."""
    unit = size // 16
    outlines = np.zeros((3, size, size), dtype=np.float32)
    outlines[0, 3 * unit : 12 * unit, 2 * unit : 7 * unit] = 1
    outlines[1, 3 * unit : 12 * unit, 9 * unit : 14 * unit] = 1
    outlines[2, 7 * unit : 12 * unit, 6 * unit : 12 * unit] = 1
    return outlines


def tiny_graph(
    *,
    n_findings: int = len(FINDINGS),
    size: int = SIZE,
    seed: int = 0,
    channels: int = 3,
    outlined: bool = False,
    two_looks: bool = False,
) -> bytes:
    """Return `image -> logits, maps`: brightness of each patch, a 1x1 convolution, a sum.

    It ranks nothing, but its maps depend on the image and sum to the logits. Outlined, it gives
    the same outlines for every image besides. With two looks, the quick one judges by weights of
    its own.
    """
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    patch = size // GRID
    weights = np.random.default_rng(seed).normal(0, 0.1, (n_findings, channels, 1, 1))
    nodes = [
        helper.make_node(
            "AveragePool", ["image"], ["patches"], kernel_shape=[patch] * 2, strides=[patch] * 2
        ),
        helper.make_node("Relu", ["patches"], ["bright"]),  # or the maps would sum to nearly 0
    ]
    looks = {"whole ": "weights", "quick ": "quick weights"} if two_looks else {"": "weights"}
    for look, judged in looks.items():
        nodes += [
            helper.make_node("Conv", ["bright", judged], [f"{look}maps"]),
            helper.make_node("ReduceSum", [f"{look}maps", "axes"], [f"{look}logits"], keepdims=0),
        ]
    first, *quick = looks
    float_ = onnx.TensorProto.FLOAT
    further_outputs, further_constants = [], []
    if outlined:
        nodes += [
            helper.make_node("Mul", ["image", "zero"], ["nothing"]),
            helper.make_node("Add", ["nothing", "boxes"], [f"{first}outlines"]),
        ]
        shape = ["batch", len(ORGANS), size, size]
        further_outputs = [helper.make_tensor_value_info(f"{first}outlines", float_, shape)]
        further_constants = [
            numpy_helper.from_array(np.zeros(1, dtype=np.float32), "zero"),
            numpy_helper.from_array(outlined_boxes(size)[np.newaxis], "boxes"),
        ]
    if two_looks:
        other = np.random.default_rng((seed, 1)).normal(0, 0.1, weights.shape)
        further_constants.append(numpy_helper.from_array(other.astype(np.float32), "quick weights"))

    def evidence(look: str) -> list[object]:
        maps = ["batch", n_findings, GRID, GRID]
        return [
            helper.make_tensor_value_info(f"{look}logits", float_, maps[:2]),
            helper.make_tensor_value_info(f"{look}maps", float_, maps),
        ]

    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", float_, ["batch", channels, size, size])],
        [
            *evidence(first),
            *further_outputs,
            *(value for look in quick for value in evidence(look)),
        ],
        [
            numpy_helper.from_array(weights.astype(np.float32), "weights"),
            numpy_helper.from_array(np.array([2, 3], dtype=np.int64), "axes"),
            *further_constants,
        ],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10, producer_name="tests"
    )
    if two_looks:
        from medcxr.learning.branches import choose_look

        outputs = ["logits", "maps", *(["outlines"] if outlined else [])]
        choose_look(model, outputs, n_quick=2)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


@cache
def tiny_manifest() -> Manifest:
    """Return a manifest whose figures were measured, on scores drawn at random."""
    random = np.random.default_rng(5)
    labels = (random.random((_N_IMAGES, len(FINDINGS))) < 0.3).astype(np.float64)
    logits = random.normal(1.5 * labels - 1.0, 1.0)
    calibrations = tuple(fit_platt(logits[:, i], labels[:, i]) for i in range(len(FINDINGS)))
    probabilities = np.column_stack(
        [c.predict_proba(logits[:, i]) for i, c in enumerate(calibrations)]
    )
    points = {
        name: (
            half(),
            youden(labels[:, i], probabilities[:, i]),
            sensitivity_90(labels[:, i], probabilities[:, i]),
        )
        for i, name in enumerate(FINDINGS)
    }
    patients = [f"patient {i // 2}" for i in range(_N_IMAGES)]
    report = evaluate(
        labels,
        probabilities,
        findings=FINDINGS,
        thresholds=[points[name][1].threshold for name in FINDINGS],
        patients=patients,
        groups={"view": ["AP" if i % 3 else "PA" for i in range(_N_IMAGES)]},
        n_bootstrap=50,
    )
    return Manifest(
        name="tiny",
        version="1.0.0",
        created="2026-01-02",
        description="Means of patches, weighted at random; for tests of the program only.",
        findings=FINDINGS,
        preprocessing=Preprocessing(size=SIZE),
        calibrations=calibrations,
        operating_points=points,
        operating_point="youden",
        conformal={
            name: fit_conformal(labels[:, i], probabilities[:, i])
            for i, name in enumerate(FINDINGS[:-1])  # the last one makes no promise
        },
        training=TrainingFacts(
            run="run-0",
            software="0.1.0",
            config={"seed": 5},
            data={"random scores": _N_IMAGES},
            n_images=_N_IMAGES,
            n_patients=_N_IMAGES // 2,
            data_fingerprint="0" * 64,
            minutes=0.1,
        ),
        measurements=(
            Measurement(
                method="Scores drawn at random, as a test of the program.",
                data=("random scores",),
                operating_point="youden",
                command="pytest tests/registry",
                report=report,
                coverage={
                    FINDINGS[0]: measure_coverage(
                        labels[:, 0], probabilities[:, 0], patients, n_resplits=20
                    )
                },
            ),
        ),
    )


def tiny_bundle(
    folder: Path, *, seed: int = 0, graph: bytes | None = None, **changes: object
) -> ModelBundle:
    """Write the tiny model as a bundle into a new folder.

    Args:
        folder: of the bundle.
        seed: of the graph's weights.
        graph: another graph instead.
        changes: fields of the manifest.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    source = folder.parent / f".{folder.name}.onnx"
    source.write_bytes(graph if graph is not None else tiny_graph(seed=seed))
    try:
        return write_bundle(folder, replace(tiny_manifest(), **changes), {"model.onnx": source})
    finally:
        source.unlink()


def use_tiny_model(workspace: Workspace, **changes: object) -> ModelBundle:
    """Put the tiny model into a workspace and let it answer; arguments as for `tiny_bundle`."""
    name, version = changes.get("name", "tiny"), changes.get("version", "1.0.0")
    tiny_bundle(workspace.models / f"{name}-{version}", **changes)
    return ModelRegistry(workspace.models).use(str(name), str(version))


def use_thorough_model(workspace: Workspace) -> None:
    """Let a model answer that outlines, and whose quick looks are others than its whole ones."""
    use_tiny_model(
        workspace,
        version="2.1.0",
        graph=tiny_graph(outlined=True, two_looks=True),
        outlines=ORGANS,
        quick_look=QuickLook(networks=1, of=2),
    )


def map_tests(bundle: ModelBundle, **true: tuple[str, ...]) -> ExplanationReport:
    """Make up what a test of a model's maps found.

    Args:
        bundle: the model.
        true: "evidence", "occlusion", "joint" or "thorough" -> findings of which such maps were
            shown to be true; of the others the intervals hold zero. Thorough maps were tested only
            if they are named.
    """

    def around(value: float) -> Estimate:
        return Estimate(value=value, low=value - 0.02, high=value + 0.02)

    curves = []
    for finding in bundle.manifest.findings:
        for method in (*TESTED, *([THOROUGH_MAP] if "thorough" in true else [])):
            gain = around(0.1 if finding in true.get(method.split()[0], ()) else 0.0)
            gains = tuple(Gain(rival=rival, deletion=gain, insertion=gain) for rival in RIVALS)
            curves.append(
                CurveFigures(
                    finding=finding,
                    method=method,
                    n_images=30,
                    deletion=around(0.1),
                    insertion=around(0.4 if method == OCCLUSION_MAP else 0.3),
                    gains=gains,
                )
            )
    return ExplanationReport(
        model=bundle.manifest.identity,
        graph=bundle.manifest.files["model.onnx"],
        curves=tuple(curves),
        places=(),
    )


def keep_map_tests(workspace: Workspace, **true: tuple[str, ...]) -> None:
    """Let the model in use have true maps; arguments as for `map_tests`."""
    bundle = ModelRegistry(workspace.models).current()
    keep_explanations(workspace.models, bundle, map_tests(bundle, **true))
