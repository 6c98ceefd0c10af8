"""Fill in what docs/technical-specification.md tells of the shipped model and of the code.

Run from the repository, after a new model was shipped or a limit changed:
python docs/make_technical_specification.py

The page is written by hand but for its blocks between "<!-- begin NAME -->" and "<!-- end NAME -->".
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from page_parts import (
    counted,
    further_folders,
    interval,
    manifest_in,
    shipped_folder,
    shipped_manifest,
    table,
)

import medcxr.gates
from medcxr.core.results import Analysis, Anatomy, FindingResult, Lung, Span
from medcxr.explain.measured import MEASURES
from medcxr.imaging import limits
from medcxr.registry.manifest import Manifest
from medcxr.security.passwords import MINIMUM_LENGTH
from medcxr.security.throttle import FREE_FAILURES, LONGEST_WAIT_S, MOST_AT_ONCE, REFILL_S
from medcxr.services.preferences import Preferences

HERE = Path(__file__).parent
PAGE = HERE / "technical-specification.md"
_MIB = 2**20
_BLOCK = re.compile(r"(<!-- begin ([\w-]+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)


def main() -> None:
    """Fill in the page."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), shipped_manifest()), encoding="utf-8")


def page(text: str, manifest: dict[str, Any]) -> str:
    """Return the page's text with its blocks filled in.

    Args:
        text: the page as it is.
        manifest: of the shipped model.
    """

    def filled(match: re.Match[str]) -> str:
        return f"{match[1]}\n{BLOCKS[match[2]](manifest)}\n\n{match[3]}"

    return _BLOCK.sub(filled, text)


def _model(manifest: dict[str, Any]) -> str:
    training = manifest["training"]
    rows = [
        ("Model", f"{manifest['name']} {manifest['version']}"),
        ("Description", manifest["description"]),
        ("Created", manifest["created"]),
        ("Findings", ", ".join(manifest["findings"])),
        ("Organs outlined", ", ".join(manifest["outlines"]) or "none"),
        ("Run", f"`{training['run']}`, trained with medcxr {training['software']}"),
        ("Format of the manifest", str(manifest["format"])),
    ]
    return table(("Fact", "Value"), rows)


def _preprocessing(manifest: dict[str, Any]) -> str:
    rows = [(f"`{name}`", str(value)) for name, value in manifest["preprocessing"].items()]
    return table(("Setting", "Value"), rows)


def _recipes(manifest: dict[str, Any]) -> str:
    rows = []
    for recipe in _all_recipes(manifest):
        network = recipe["network"]
        layers = network["layers"]
        transformer = (
            f"{layers} x {network['heads']} heads, {network['feedforward']} wide"
            if layers
            else "none"
        )
        rows.append(
            (
                f"`{recipe['name']}`",
                f"`{network['stem']}`",
                f"{network['grid']} x {network['grid']} of {network['width']}",
                transformer,
                network["pooling"],
                recipe["stored_weights"],
            )
        )
    heads = ("Recipe", "Stem", "Tokens", "Transformer layers", "Pooling", "Weights stored as")
    look = manifest["quick_look"]
    told = (
        f"{look['of']} networks answer in a whole look, {look['networks']} of them in a quick one."
        if look
        else "The graph has no quick look."
    )
    return f"{table(heads, rows)}\n\n{told}"


def _further(manifest: dict[str, Any]) -> str:
    others = [manifest_in(folder) for folder in further_folders()]
    return beside([manifest, *others]) if others else "The package has no other model."


def beside(manifests: list[dict[str, Any]]) -> str:
    """Return what models are, do and reach, a column for each; the first one answers by itself."""
    findings = dict.fromkeys(name for one in manifests for name in one["findings"])
    rows = [
        ("Version", *(one["version"] for one in manifests)),
        ("Answers by itself", *("no" if number else "yes" for number in range(len(manifests)))),
        ("Networks asked", *(str(_networks(one)) for one in manifests)),
        (
            "Organs outlined and measured",
            *(", ".join(one["outlines"]) or "none" for one in manifests),
        ),
        ("Places of a map", *(f"{grid_of(one)} x {grid_of(one)}" for one in manifests)),
        ("Run", *(f"`{one['training']['run']}`" for one in manifests)),
        ("Measured on", *(_measured_on(one) for one in manifests)),
        ("Command", *(f"`{one['measurements'][0]['command']}`" for one in manifests)),
        *(
            (f"AUC, {finding}", *(interval(_auc(one, finding), digits=3) for one in manifests))
            for finding in findings
        ),
        (
            "Mean AUC",
            *(interval(_report(one)["mean_auc"], digits=3) for one in manifests),
        ),
    ]
    told = "\n".join(f"- {one['name']}: {one['measurements'][0]['method']}" for one in manifests)
    return f"{table(('', *(one['name'] for one in manifests)), rows)}\n\n{told}"


def _networks(manifest: dict[str, Any]) -> int:
    look = manifest["quick_look"]
    if look:
        return int(look["of"])
    chosen = manifest["training"]["config"]["evaluation"]
    return int(chosen["folds"]) if chosen["ship"] == "folds" else 1


def _measured_on(manifest: dict[str, Any]) -> str:
    report = _report(manifest)
    return (
        f"{counted(report['n_images'], 'radiograph')} of {counted(report['n_patients'], 'patient')}"
    )


def _auc(manifest: dict[str, Any], finding: str) -> dict[str, float] | None:
    for one in _report(manifest)["findings"]:
        if one["finding"] == finding:
            auc: dict[str, float] | None = one["auc"]
            return auc
    return None


def _report(manifest: dict[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = manifest["measurements"][0]["report"]
    return report


def _training(manifest: dict[str, Any]) -> str:
    rows = []
    for recipe in _all_recipes(manifest):
        chosen, before = recipe["optimization"], recipe.get("pretraining") or {}
        beside = recipe.get("simulated") or {}
        simulated = [f"{before['images']:,} before"] if before.get("task") == "simulated" else []
        simulated += [f"{beside['images']:,} beside"] if beside.get("images") else []
        rows.append(
            (
                f"`{recipe['name']}`",
                str(chosen["epochs"]),
                str(chosen["batch_size"]),
                f"{chosen['learning_rate']:g}",
                f"{chosen['weight_decay']:g}",
                f"{chosen['average_decay']:g}",
                f"{chosen['sampling_power']:g}",
                recipe["precision"],
                ", ".join(simulated) or "none",
            )
        )
    heads = (
        *(
            "Recipe",
            "Epochs",
            "Batch",
            "Learning rate",
            "Weight decay",
            "Average",
            "Sampling power",
        ),
        *("Precision", "Simulated radiographs"),
    )
    return table(heads, rows)


def _graph(manifest: dict[str, Any]) -> str:
    shape = manifest["preprocessing"]
    size, n = shape["size"], len(manifest["findings"])
    grid = grid_of(manifest)
    rows = [
        (
            "input",
            "`image`",
            f"batch x {shape['channels']} x {size} x {size}",
            "float32",
            "standardized, as above",
        ),
    ]
    if manifest["quick_look"]:
        rows.append(
            ("input", "`whole`", "scalar", "bool", "true by default; false asks for a quick look")
        )
    rows += [
        (
            "output",
            "`logits`",
            f"batch x {n}",
            "float32",
            "before calibration, findings in the manifest's order",
        ),
        (
            "output",
            "`maps`",
            f"batch x {n} x {grid} x {grid}",
            "float32",
            "signed evidence; a map's sum is its logit",
        ),
    ]
    if manifest["outlines"]:
        organs = len(manifest["outlines"])
        rows.append(
            (
                "output",
                "`outlines`",
                f"batch x {organs} x {size} x {size}",
                "float32",
                "0 to 1; empty in a quick look",
            )
        )
    return table(("", "Name", "Shape", "Type", "What"), rows)


def grid_of(manifest: dict[str, Any]) -> int:
    """Return the places per side of the maps: those of the finest recipe."""
    return max(recipe["network"]["grid"] for recipe in _all_recipes(manifest))


def _files(manifest: dict[str, Any]) -> str:
    folder = shipped_folder()
    rows = [
        (f"`{name}`", f"{(folder / name).stat().st_size:,}", f"`{digest}`")
        for name, digest in manifest["files"].items()
    ]
    gate = Path(medcxr.gates.__path__[0])
    facts = json.loads((gate / "gate.json").read_text())
    rows.append(
        (
            "gate: `gate.onnx`",
            f"{(gate / 'gate.onnx').stat().st_size:,}",
            f"`{facts['graph_sha256']}`",
        )
    )
    return table(("File", "Bytes", "SHA-256"), rows)


def _fields(manifest: dict[str, Any]) -> str:  # noqa: ARG001 - all blocks are asked alike
    return _attributes(Manifest)


def _calibration(manifest: dict[str, Any]) -> str:
    rows = []
    for finding, calibration in zip(manifest["findings"], manifest["calibrations"], strict=True):
        numbers = [
            f"{name.replace('_', ' ')} {value:.4f}"
            if isinstance(value, float)
            else f"{name}: {len(value)} points"
            for name, value in calibration.items()
            if name != "kind"
        ]
        rows.append((finding, calibration["kind"], ", ".join(numbers)))
    return table(("Finding", "Calibration", "Numbers"), rows)


def _thresholds(manifest: dict[str, Any]) -> str:
    points = manifest["operating_points"]
    names = list(dict.fromkeys(one["name"] for each in points.values() for one in each))
    rows = []
    for finding in manifest["findings"]:
        known = {one["name"]: f"{one['threshold']:.3f}" for one in points[finding]}
        rows.append((finding, *(known.get(name, "") for name in names)))
    told = f'"{manifest["operating_point"]}" decides unless another is asked for.'
    return f"{table(('Finding', *names), rows)}\n\n{told}"


def _conformal(manifest: dict[str, Any]) -> str:
    rows = []
    for finding in manifest["findings"]:
        bounds = manifest["conformal"].get(finding)
        if bounds is None:
            rows.append((finding, "no promise", "", ""))
            continue
        numbers = (f"{bounds['present_from']:.3f}", f"{bounds['absent_to']:.3f}")
        rows.append((finding, f"{bounds['level']:.0%}", *numbers))
    return table(
        ("Finding", "Promised", "Present is plausible from", "Absent is plausible to"), rows
    )


def _measures(manifest: dict[str, Any]) -> str:
    informed = ", ".join(manifest["training"]["config"]["outlines"]["informs"])
    told = f"In the shipped model they inform: {informed if manifest['outlines'] else 'nothing'}."
    return "\n".join([*(f"{n}. {name}" for n, name in enumerate(MEASURES, start=1)), "", told])


def _gate(manifest: dict[str, Any]) -> str:  # noqa: ARG001 - all blocks are asked alike
    facts = json.loads((Path(medcxr.gates.__path__[0]) / "gate.json").read_text())
    steps = ", ".join(f"`{name}` {value}" for name, value in facts["preprocessing"].items())
    rows = [
        ("Kinds told apart", ", ".join(facts["kinds"])),
        ("Preprocessing", steps),
        ("Accepted from", f"{facts['accepted_from']:g} for frontal and mirrored together"),
        ("Learned from", f"{facts['n_images']:,} images, {facts['settings']['folds']} folds"),
    ]
    return table(("Fact", "Value"), rows)


def _limits(manifest: dict[str, Any]) -> str:  # noqa: ARG001 - all blocks are asked alike
    rows = [
        ("File", f"at most {limits.MAX_FILE_BYTES // _MIB} MiB, also when inflated"),
        ("Image", f"at most {limits.MAX_PIXELS:,} pixels and {limits.MAX_SAMPLES:,} samples"),
        ("Shorter side", f"at least {limits.MIN_SIDE} pixels"),
        ("Time to read a file", f"{limits.TIMEOUT_S:g} seconds"),
        (
            "Memory to read a file (Linux)",
            f"{limits.MEMORY_BYTES // _MIB} MiB beyond what the decoder's libraries take",
        ),
        (
            "Sign-in",
            f"ends after {Preferences().idle_minutes} minutes without activity and after {Preferences().signed_in_hours} hours, unless an administrator sets other limits",
        ),
        ("Password", f"at least {MINIMUM_LENGTH} characters"),
        (
            "Wrong passwords",
            f"{FREE_FAILURES} in a row, then a wait that doubles, at most {LONGEST_WAIT_S / 60:.0f} minutes",
        ),
        (
            "Wrong passwords of all names together",
            f"{MOST_AT_ONCE}, then one every {REFILL_S:g} seconds",
        ),
    ]
    return table(("Limit", "Value"), rows)


def _libraries(manifest: dict[str, Any]) -> str:  # noqa: ARG001 - all blocks are asked alike
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = [("Python", project["requires-python"])]
    rows.append(("to analyze", _listed(project["dependencies"])))
    rows += [
        (f"extra `{name}`", _listed(needed))
        for name, needed in project["optional-dependencies"].items()
        if name in {"train", "docs", "postgres"}
    ]
    return table(("For", "Needed"), rows)


def _results(manifest: dict[str, Any]) -> str:  # noqa: ARG001 - all blocks are asked alike
    parts = []
    for kind in (Analysis, FindingResult, Anatomy, Lung, Span):
        parts += [f"`{kind.__name__}`:", "", _attributes(kind), ""]
    return "\n".join(parts).rstrip()


def _attributes(kind: type) -> str:
    """Return the attributes of a class as its docstring tells them."""
    _, _, told = (kind.__doc__ or "").partition("Attributes:\n")
    found: list[tuple[str, str]] = []
    for line in told.splitlines():
        start = re.match(r"        (\w+): (.*)", line)
        if start:
            found.append((f"`{start[1]}`", start[2]))
        elif line.startswith("            ") and found:
            name, text = found[-1]
            found[-1] = (name, f"{text} {line.strip()}")
    return table(("Field", "What"), [(name, text.replace("|", "\\|")) for name, text in found])


def _all_recipes(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    config = manifest["training"]["config"]
    beside: Iterable[Any] = [config.get("companion"), *(config.get("further_companions") or ())]
    return [config, *(one for one in beside if one)]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


BLOCKS: dict[str, Callable[[dict[str, Any]], str]] = {
    "model": _model,
    "preprocessing": _preprocessing,
    "recipes": _recipes,
    "further": _further,
    "training": _training,
    "graph": _graph,
    "files": _files,
    "fields": _fields,
    "calibration": _calibration,
    "thresholds": _thresholds,
    "conformal": _conformal,
    "measures": _measures,
    "gate": _gate,
    "limits": _limits,
    "libraries": _libraries,
    "results": _results,
}
"""Name -> what writes it."""

if __name__ == "__main__":
    main()
