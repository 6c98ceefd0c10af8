"""What int8 and bfloat16 would cost a cross-validated run, and what they would gain.

    python benchmarks/reduced_precision.py RUN DATA [--calibration 60] [--rounds 30] [--out FILE]

Needs the train extra and OpenVINO. For each fold the networks of all recipes that have not seen its
patients are put together as the bundle puts them, written as a graph, quantized (per channel,
calibrated on images that they were trained on) and asked about the fold's patients, as they are and
with fewer bits. The AUCs are compared on the same images, with a bootstrap that draws patients; the
times are of single images on one thread, by turns.
"""

import argparse
import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before it is loaded; see medcxr.inference
import onnxruntime
import openvino
import torch
from measured_times import Ratio, by_turns, machine_facts, ratio
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from torch import nn

from medcxr.core.arrays import FloatArray
from medcxr.evaluation.comparison import compare_auc
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.imaging.reading import read_image
from medcxr.inference.session import MODEL_OUTPUTS, OUTLINES_OUTPUT
from medcxr.learning.checkpoint import CHECKPOINT_FILE, load_checkpoint
from medcxr.learning.export import write_graph
from medcxr.learning.rebuilding import load_network
from medcxr.registry.bundle import ModelBundle

_OUTPUTS = (*MODEL_OUTPUTS, OUTLINES_OUTPUT)
_OPERATIONS = ["Conv", "Clip", "Relu", "Add", "AveragePool", "MaxPool", "Concat"]
_ALLOWED_FALL = 0.002  # of an AUC; more, and the integers are not kept


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description="Measure a run's networks in int8.")
    parser.add_argument("run", type=Path, help="folder of a cross-validated run, with its bundle")
    parser.add_argument("data", type=Path, help="folder of its table: images and manifest.csv")
    parser.add_argument("--calibration", type=int, default=60, help="images")
    parser.add_argument("--rounds", type=int, default=30, help="of the times, in each fold")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    bundle = ModelBundle.open(arguments.run / "bundle")
    rows = _rows(arguments.run)
    inputs = _inputs(
        bundle.manifest.preprocessing, arguments.data, [row["image_path"] for row in rows]
    )
    folds = np.array([int(row["fold"]) for row in rows])
    logits = {kind: np.zeros((len(rows), len(bundle.manifest.findings))) for kind in _KINDS}
    times: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    with tempfile.TemporaryDirectory() as folder:
        for fold in sorted(set(folds)):
            sessions = _sessions(
                Path(folder),
                _network(bundle, arguments.run, fold),
                inputs[folds != fold],
                arguments,
            )
            of_fold = np.flatnonzero(folds == fold)
            for kind, session in sessions.items():
                for row in of_fold:
                    logits[kind][row] = session(inputs[row][None])[0][0]
            image = inputs[:1]
            calls = {kind: partial(session, image) for kind, session in sessions.items()}
            for kind, values in by_turns(calls, arguments.rounds).items():
                times[kind] += values.wall
            print(f"fold {fold}: {len(of_fold)} images", flush=True)
    report = _report(bundle, rows, logits, times)
    report["calibration_images"] = arguments.calibration
    print(json.dumps(report, indent=2))
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for kind, findings in report["auc"].items():
        fall = max(one["difference"]["value"] for one in findings.values())
        kept = "may be kept" if fall < _ALLOWED_FALL else "is not kept"
        print(f"{kind}: the largest fall of an AUC is {fall:.4f}, so it {kept}")


_FLOAT, _FLOAT_OPENVINO = "float32", "float32, OpenVINO"
_ALL, _READERS = "int8", "int8, outlines in float32"
_ALL_OPENVINO, _HALF_OPENVINO = "int8, OpenVINO", "bfloat16, OpenVINO"
_KINDS = (_FLOAT, _FLOAT_OPENVINO, _ALL, _READERS, _ALL_OPENVINO, _HALF_OPENVINO)

_Session = Callable[[FloatArray], Any]


def _rows(run: Path) -> list[dict[str, str]]:
    """Return the images of the run with labels, patient and fold."""
    with (run / "out_of_fold.csv").open(encoding="utf-8", newline="") as file:
        folds = {row["image_path"]: row["fold"] for row in csv.DictReader(file)}
    with (run / "out_of_fold_labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["image_path"] in folds]
    if len(rows) != len(folds):
        raise SystemExit("out_of_fold.csv and out_of_fold_labels.csv name different images")
    return [{**row, "fold": folds[row["image_path"]]} for row in rows]


def _label(row: dict[str, str], finding: str) -> float:
    if finding in row["labels"].split("|"):
        return 1.0
    return 0.0 if finding in row["absent"].split("|") else float("nan")


def _inputs(preprocessing: Preprocessing, data: Path, paths: Sequence[str]) -> FloatArray:
    return np.stack([preprocessing.apply(read_image(data / path).pixels)[0] for path in paths])


def _network(bundle: ModelBundle, run: Path, fold: int) -> nn.Module:
    """Return the bundle's network with the weights of one fold in every recipe."""
    network: Any = load_network(bundle)
    for number, recipe in enumerate(network.reader.members):
        role = "" if number == 0 else "companion" if number == 1 else f"companion-{number}"
        stored = load_checkpoint(run / role / f"fold-{fold}" / CHECKPOINT_FILE)
        if stored is None or len(recipe.members) != 1:
            raise SystemExit(f"{run.name} lacks the network of fold {fold}, recipe {number + 1}")
        groups, _ = stored
        learned = {
            name.removeprefix("module."): value
            for name, value in groups.get("average", groups["network"]).items()
            if name != "n_averaged"
        }
        recipe.members[0].load_state_dict(learned)
    return network.eval().requires_grad_(requires_grad=False)  # type: ignore[no-any-return]


def _sessions(
    folder: Path, network: nn.Module, trained_on: FloatArray, arguments: argparse.Namespace
) -> dict[str, _Session]:
    exact, folded = folder / "float.onnx", folder / "folded.onnx"
    write_graph(network, exact, torch.from_numpy(trained_on[:2]), _OUTPUTS)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folded)
    onnxruntime.InferenceSession(exact, options, providers=["CPUExecutionProvider"])
    sessions: dict[str, _Session] = {_FLOAT: _session(exact)}
    for kind, left_out in ((_ALL, []), (_READERS, _outlining(folded))):
        path = folder / f"{len(sessions)}.onnx"
        quantize_static(
            folded,
            path,
            _Calibration(trained_on[:: max(1, len(trained_on) // arguments.calibration)]),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=_OPERATIONS,
            nodes_to_exclude=left_out,
        )
        sessions[kind] = _session(path)
        if kind == _ALL:
            sessions[_ALL_OPENVINO] = _in_openvino(path, "f32")
    sessions[_FLOAT_OPENVINO] = _in_openvino(exact, "f32")
    sessions[_HALF_OPENVINO] = _in_openvino(exact, "bf16")
    return sessions


class _Calibration(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime has no types
    def __init__(self, images: FloatArray) -> None:
        self._left: Iterator[FloatArray] = iter(images)

    def get_next(self) -> dict[str, FloatArray] | None:
        """Return the next image as a batch of its own, None at the end."""
        image = next(self._left, None)
        return None if image is None else {"image": image[None]}


def _outlining(path: Path) -> list[str]:
    """Return the nodes that the outlines need, and what is computed of them."""
    graph = onnx.load(path).graph
    needed = {OUTLINES_OUTPUT}
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
    return [node.name for node in graph.node if needed.intersection(node.output)]


def _session(path: Path) -> _Session:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(list(_OUTPUTS), {"image": inputs})


def _in_openvino(path: Path, precision: str) -> _Session:
    core = openvino.Core()
    model = core.read_model(io.BytesIO(path.read_bytes()))
    model.reshape({"image": [1, *model.inputs[0].partial_shape[1:]]})
    compiled = core.compile_model(
        model, "CPU", {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": precision}
    )
    request = compiled.create_infer_request()

    def run(inputs: FloatArray) -> list[FloatArray]:
        answer = request.infer([np.ascontiguousarray(inputs)])
        return [np.array(answer[index]) for index in range(len(_OUTPUTS))]

    return run


def _report(
    bundle: ModelBundle,
    rows: list[dict[str, str]],
    logits: dict[str, np.ndarray],
    times: dict[str, list[float]],
) -> dict[str, Any]:
    patients = [row["patient_id"] for row in rows]
    compared: dict[str, dict[str, Any]] = {}
    for kind in _KINDS[1:]:
        compared[kind] = {}
        for column, finding in enumerate(bundle.manifest.findings):
            labels = [_label(row, finding) for row in rows]
            both = (logits[_FLOAT][:, column], logits[kind][:, column])
            compared[kind][finding] = {
                **asdict(compare_auc(labels, *both, patients=patients)),
                "largest_change_of_a_logit": float(np.abs(both[0] - both[1]).max()),
            }
    faster: dict[str, Ratio] = {k: ratio(times[_FLOAT], times[k]) for k in _KINDS[1:]}
    return {
        "model": bundle.manifest.identity,
        "machine": machine_facts(),
        "auc": compared,
        "times_as_fast": {kind: asdict(one) for kind, one in faster.items()},
    }


if __name__ == "__main__":
    main()
