"""How many radiographs a second, beside a DenseNet-121 on the same cores.

    python benchmarks/throughput.py [--images FOLDER] [--weights BUNDLE] [--rounds 40] [--out FILE]

Every model of the package is measured, the one that answers by itself first. Everything that is
compared is measured by turns in one process, so that other work on the machine hits all alike; a ratio is that of the medians, with a 95% interval of a bootstrap that draws rounds.
On a busy machine what takes long also waits long, so the time that cores worked is compared besides.
DenseNet-121 is MONAI's, at 224 pixels as TorchXRayVision and CheXNet use it, with random weights:
its time does not depend on them. It and the training step need the train extra, OpenVINO its own;
what is not installed is left out and named. The rows of torch and of each network alone are made
where the bundle of the first model is given with its weights, as its run keeps it. Files are simulated radiographs
unless a folder is given.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from measured_times import by_turns, load, machine_facts, ratio, timed
from radiograph_variants import write_variants

from medcxr.core.arrays import FloatArray
from medcxr.core.cores import available_cores
from medcxr.core.runtime import Runtime
from medcxr.imaging.reading import read_image
from medcxr.imaging.sniffing import file_format
from medcxr.imaging.worker import decode
from medcxr.inference.predictor import Predictor
from medcxr.inference.session import MODEL_OUTPUTS, OUTLINES_OUTPUT, OnnxSession
from medcxr.registry.bundle import GRAPH_FILE, ModelBundle
from medcxr.registry.registry import ModelRegistry
from medcxr.services.analysis import analyze_image
from medcxr.services.workspace import Workspace

_BATCHES = (1, 8, 32)
_PEER = "DenseNet-121, ONNX Runtime"
_WHOLE, _QUICK = "whole look", "quick look"
_LARGEST_BATCH = {"torch": 8, "alone": 1}  # what stands there to explain is not measured at length
_FILES_PER_ROUND = 8  # radiographs of the whole path

_Calls = dict[str, Callable[[], object]]


def main() -> None:
    """Measure, print and write."""
    arguments = _arguments()
    absent = [one for one in ("monai", "onnx", "openvino", "torch") if find_spec(one) is None]
    report: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine_facts(),
        "not_installed": absent,
        "load_before": load(),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = Workspace.open(folder / "workspace")
        bundle, *further = _bundles(workspace)
        report["model"] = bundle.manifest.identity
        report["networks"] = getattr(bundle.manifest.quick_look, "of", 1)
        report["further"] = [one.manifest.identity for one in further]
        inputs = _inputs(bundle, arguments.images, folder)
        report["graphs"] = _graphs(bundle, further, arguments, inputs, folder)
        _write(report, arguments.out)
        report["files"] = _files(folder, arguments)
        report["path"] = [
            row for one in (bundle, *further) for row in _path(workspace, one, folder, arguments)
        ]
        recipe = bundle.manifest.training
        if recipe is not None and not {"torch", "monai"} & set(absent):
            from training_speed import training_speed

            report["training"] = training_speed(recipe.config, inputs, arguments.rounds)
    report["load_after"] = load()
    print(json.dumps(report, indent=2))
    _write(report, arguments.out)


def _write(report: dict[str, Any], out: Path | None) -> None:
    if out is not None:
        out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure images per second beside DenseNet-121.")
    parser.add_argument("--images", type=Path, help="folder of radiographs to use")
    parser.add_argument(
        "--weights", type=Path, help="the first model's bundle with its weights, for rows of torch"
    )
    parser.add_argument(
        "--rounds", type=int, default=40, help="of single images; batches have fewer"
    )
    parser.add_argument("--out", type=Path, help="JSON file to write")
    return parser.parse_args()


def _bundles(workspace: Workspace) -> list[ModelBundle]:
    """Return the package's models, the one that answers by itself first."""
    registry = ModelRegistry(workspace.models)
    shipped = [entry for entry in registry.list() if entry.is_shipped]
    shipped.sort(key=lambda entry: not entry.is_current)
    return [registry.get(entry.identity) for entry in shipped]


def _inputs(bundle: ModelBundle, images: Path | None, folder: Path) -> FloatArray:
    """Return (32, channels, size, size): what the model sees of radiographs."""
    predictor = Predictor(bundle, threads=1)
    files = sorted(images.iterdir())[: max(_BATCHES)] if images else _simulated(folder)
    prepared = [predictor.prepare(read_image(path)).pixels for path in files]
    return np.stack([prepared[index % len(prepared)] for index in range(max(_BATCHES))])


def _simulated(folder: Path) -> list[Path]:
    from radiographs import radiograph_files

    return radiograph_files(folder, 4, source=None, side=1024)


def _graphs(
    bundle: ModelBundle,
    further: list[ModelBundle],
    arguments: argparse.Namespace,
    inputs: FloatArray,
    folder: Path,
) -> list[dict[str, Any]]:
    found = []
    others = {one.manifest.name: _inputs(one, arguments.images, folder) for one in further}
    for threads in sorted({1, available_cores()}):
        sessions = _sessions(bundle, arguments.weights, inputs, folder, threads)
        for one in further:
            sessions |= _whole_looks(one, one.manifest.name, threads)
        for batch in _BATCHES:
            rounds = max(6, arguments.rounds // batch)
            calls: _Calls = {
                name: partial(
                    call, np.ascontiguousarray(others.get(name.partition(", ")[0], inputs)[:batch])
                )
                for name, call in sessions.items()
                if batch <= _LARGEST_BATCH.get(name.partition(", ")[2], max(_BATCHES))
            }
            seconds = by_turns(calls, rounds)
            for name, values in seconds.items():
                row: dict[str, Any] = {"what": name, "threads": threads, "batch": batch}
                row |= {"time": asdict(timed(values.wall))}
                row["processor"] = asdict(timed(values.processor))
                row["images_per_second"] = 1000 * batch / row["time"]["median_ms"]
                if _PEER in seconds:
                    peer = seconds[_PEER]
                    row["times_as_fast"] = asdict(ratio(peer.wall, values.wall))
                    row["of_processor"] = asdict(ratio(peer.processor, values.processor))
                found.append(row)
            print(f"{threads} thread(s), batch of {batch}: done, load {load()}", flush=True)
    return found


_Session = Callable[[FloatArray], object]


def _sessions(
    bundle: ModelBundle, weights: Path | None, inputs: FloatArray, folder: Path, threads: int
) -> dict[str, _Session]:
    sessions: dict[str, _Session] = {}
    if find_spec("monai") and find_spec("onnx"):
        import peer_networks

        peer_networks.use_threads(threads)
        path = peer_networks.densenet_graph(folder)
        sessions[_PEER] = OnnxSession(path, outputs=["logits"], threads=threads).run
        if weights is not None:
            sessions["DenseNet-121, torch"] = peer_networks.densenet_in_torch()
            own = ModelBundle.open(weights)
            if own.manifest.identity != bundle.manifest.identity:
                raise SystemExit(f"{weights} is {own.manifest.identity}, another model")
            sessions[f"{_WHOLE}, torch"] = peer_networks.network_in_torch(own)
            for name, graph in peer_networks.parts_of(own, inputs, folder).items():
                sessions[name] = OnnxSession(graph.path, outputs=graph.outputs, threads=threads).run
    return sessions | _whole_looks(bundle, _WHOLE, threads)


def _whole_looks(bundle: ModelBundle, named: str, threads: int) -> dict[str, _Session]:
    """Return a model's graph in each engine, and its quick look where it has one."""
    sessions: dict[str, _Session] = {}
    outputs = (*MODEL_OUTPUTS, OUTLINES_OUTPUT) if bundle.manifest.outlines else MODEL_OUTPUTS
    runtimes = {Runtime.ONNX_RUNTIME: "ONNX Runtime"}
    if find_spec("openvino"):
        runtimes[Runtime.OPENVINO] = "OpenVINO"
    for runtime, name in runtimes.items():
        session = OnnxSession(
            bundle.path(GRAPH_FILE), outputs=outputs, threads=threads, runtime=runtime
        )
        sessions[f"{named}, {name}"] = session.run
        if bundle.manifest.quick_look is not None:
            sessions[f"{_QUICK}, {name}"] = session.run_quickly
    return sessions


def _files(folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Time the decoding of each sort of file: in this process, and in one of its own."""
    files = write_variants(folder / "variants")
    calls: _Calls = {}
    for name, path in files.items():
        data = path.read_bytes()
        calls[f"{name}|decoded"] = partial(decode, data, file_format(data))
        calls[f"{name}|read"] = partial(read_image, path)
    seconds = by_turns(calls, max(5, arguments.rounds // 4))
    return [
        {
            "what": name,
            "bytes": path.stat().st_size,
            "decoded": asdict(timed(seconds[f"{name}|decoded"].wall)),
            "read": asdict(timed(seconds[f"{name}|read"].wall)),
        }
        for name, path in files.items()
    ]


def _path(
    workspace: Workspace, bundle: ModelBundle, folder: Path, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    """Time file -> gate -> preprocessing -> model -> JSON, by one and by two workers.

    One model after the other: a process holds one, so to take turns would be to load them.
    """
    ModelRegistry(workspace.models).use(bundle.manifest.identity)
    sorts: Mapping[str, list[Path]] = {
        name: [path] * _FILES_PER_ROUND
        for name, path in write_variants(folder / "variants").items()
    }
    if arguments.images is not None:
        given = sorted(arguments.images.iterdir())[:_FILES_PER_ROUND]
        sorts = {"files given": given, **sorts}
    calls: _Calls = {
        f"{name}|{workers}": partial(_answer_all, workspace, files, workers)
        for name, files in sorts.items()
        for workers in (1, 2)
    }
    seconds = by_turns(calls, max(3, arguments.rounds // 8))
    rows = []
    for name, values in seconds.items():
        what, _, workers = name.partition("|")
        time = asdict(timed(values.wall))
        rows.append(
            {
                "model": bundle.manifest.identity,
                "what": what,
                "workers": int(workers),
                "images": _FILES_PER_ROUND,
                "time": time,
                "images_per_second": 1000 * _FILES_PER_ROUND / time["median_ms"],
            }
        )
    return rows


def _answer_all(workspace: Workspace, files: list[Path], workers: int) -> int:
    with ThreadPoolExecutor(workers) as pool:
        return sum(len(answer) for answer in pool.map(partial(_answer, workspace), files))


def _answer(workspace: Workspace, path: Path) -> str:
    return json.dumps(asdict(analyze_image(workspace, path).analysis), allow_nan=False)


if __name__ == "__main__":
    main()
