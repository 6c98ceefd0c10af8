"""Write docs/speed.md from what the benchmarks measured.

Run from the repository, after the commands whose lines stand on the page:
python docs/make_speed.py [--check]

With --check nothing is written; it ends with exit code 1 where the page is not that of its records.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from page_parts import interval, table, wrapped, write_or_check

HERE = Path(__file__).parent
RECORD, PRECISION, PAGE = HERE / "speed.json", HERE / "precision.json", HERE / "speed.md"
COMMAND = (
    "python benchmarks/throughput.py --images DATA/nih/images --rounds 20 --out docs/speed.json"
)
COMMAND_WITH_TORCH = COMMAND.replace("--rounds", "--weights RUN/bundle --rounds")
COMMAND_OF_PRECISION = (
    "python benchmarks/reduced_precision.py RUN DATA/nih --rounds 20 --out docs/precision.json"
)
ASKED_TIMES, ASKED_PER_SECOND = 4.0, 12.0
"""What was asked for: so many times as fast as a DenseNet-121, so many files a second on 2 cores."""

_PEER = "DenseNet-121, ONNX Runtime"
_WHOLE, _QUICK = "whole look", "quick look"


def main(words: Sequence[str] | None = None) -> int:
    """Write the page, or compare it; return the exit code."""
    made = page(json.loads(RECORD.read_text()), json.loads(PRECISION.read_text()))
    return write_or_check(PAGE, lambda _before: made, words, script="make_speed.py")


def page(report: dict[str, Any], precision: dict[str, Any]) -> str:
    """Return the page of the two records."""
    parts = [
        "# Speed",
        (
            f"How many radiographs a second {_models(report)} beside a "
            "DenseNet-121, and where the time goes. Written by `python docs/make_speed.py` from "
            "`speed.json` and `precision.json`, the outputs of"
        ),
        f"```sh\n{command(report)}\n{COMMAND_OF_PRECISION}\n```",
        _machine(report),
        (
            "What is compared was measured by turns in one process, so that other work on the machine "
            "hits all alike. A ratio is that of the medians, with the 95% interval of a bootstrap that "
            "draws rounds; above 1 means faster. On a busy machine what takes long waits for a core longer "
            "than its share, and a time alone says little; so the time that cores worked is compared too, "
            "which leaves waiting out: it is what the machine at rest would need on one core."
        ),
        "## Beside a DenseNet-121",
        _answer(report),
        (
            "DenseNet-121 is the size that TorchXRayVision and CheXNet use: MONAI's, 224 pixels, random "
            "weights, written as a graph as the model was. A whole look gives scores, maps and outlines: "
            "it is what every answer rests on. A quick look is what a map by occlusion asks 50 times "
            f"([why](adr/0016-quick-looks-for-maps.md)).{_lacking(report)}"
        ),
        _graphs(report),
        "## Why not more",
        _why(report, precision),
        *_parts(report),
        "## Fewer bits",
        _fewer_bits(precision),
        _precision(precision),
        *_from_file(report),
        *_training(report),
    ]
    return wrapped("\n\n".join(parts) + "\n")


def command(report: dict[str, Any]) -> str:
    """Return what measured a record: rows of torch need the weights."""
    return COMMAND_WITH_TORCH if _alone(report) else COMMAND


def _models(report: dict[str, Any]) -> str:
    further = report.get("further", [])
    if not further:
        return f"the shipped model, {report['model']}, reads"
    return (
        f"the shipped models read, {report['model']}, which answers unless another one is chosen, and "
        f"{' and '.join(further)}, which the [manual](user-manual.md#a-fast-model-for-large-numbers) "
        "names for large numbers,"
    )


def _lacking(report: dict[str, Any]) -> str:
    names = " and ".join(_name(one) for one in report.get("further", []))
    return (
        f" {names} gives scores and maps, and outlines nothing; its map by occlusion asks it as a whole."
        if names
        else ""
    )


def _name(identity: str) -> str:
    return identity.partition(" ")[0]


def _alone(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the model's networks alone; they are measured where weights are given."""
    return [
        one
        for one in report["graphs"]
        if one["what"].endswith("alone") and one["threads"] == 1 and one["batch"] == 1
    ]


def _machine(report: dict[str, Any]) -> str:
    facts = report["machine"]
    versions = ", ".join(f"{name} {one}" for name, one in facts["libraries"].items() if one)
    return (
        f"Measured on {report['date']}: {facts['processor']}, {facts['cores']} cores "
        f"({', '.join(facts['instructions'])}), {facts['system']}, Python {facts['python']}, "
        f"{versions}. Other programs ran beside it: {report['load_before']} processes waited for a "
        f"core at the beginning{_at_the_end(report)}."
    )


def _at_the_end(report: dict[str, Any]) -> str:
    return f", {report['load_after']} at the end" if "load_after" in report else ""


def _row(report: dict[str, Any], what: str, threads: int, batch: int) -> dict[str, Any]:
    key = (what, threads, batch)
    return next(
        one for one in report["graphs"] if (one["what"], one["threads"], one["batch"]) == key
    )


def _answer(report: dict[str, Any]) -> str:
    threads = sorted({one["threads"] for one in report["graphs"]})[0]
    runtime = "ONNX Runtime"
    rates = {_name(report["model"]): _row(report, f"{_WHOLE}, {runtime}", threads, 1)}
    rates |= {
        _name(one): _row(report, f"{_name(one)}, {runtime}", threads, 1)
        for one in report.get("further", [])
    }
    quick = _row(report, f"{_QUICK}, {runtime}", threads, 1)["of_processor"]
    first, *others = rates
    told = [f"a whole look of {first} is {interval(rates[first]['of_processor'])} times as fast"]
    told.append(f"a quick look {interval(quick)} times")
    told += [f"{name} {interval(rates[name]['of_processor'])} times" for name in others]
    return (
        f"Asked for were {ASKED_TIMES:g} times as many radiographs a second as a DenseNet-121 in ONNX "
        f"Runtime on the same cores. **{_verdict(rates)}** On one core and image by image, by the time "
        f"that it worked, {', '.join(told[:-1])} and {told[-1]}; what a whole look is made of stands "
        "below."
    )


def _verdict(rates: dict[str, dict[str, Any]]) -> str:
    """Return which models reach what was asked for, the whole interval of each."""
    reached = [name for name, row in rates.items() if row["of_processor"]["low"] >= ASKED_TIMES]
    missed = [name for name in rates if name not in reached]
    if not reached or not missed:
        return "That is reached." if reached else "That is not reached."
    return f"That is reached by {' and '.join(reached)}, and not by {' and '.join(missed)}."


def _graphs(report: dict[str, Any]) -> str:
    heads = (
        *("What", "Threads", "Batch", "Rounds", "ms per image", "Images/s"),
        *("By the clock, DenseNet-121 = 1", "By cores' work"),
    )
    rows = [
        (
            one["what"],
            str(one["threads"]),
            str(one["batch"]),
            str(one["time"]["n"]),
            f"{one['time']['median_ms'] / one['batch']:.1f}",
            f"{one['images_per_second']:.1f}",
            *(
                ("1", "1")
                if one["what"] == _PEER
                else (interval(one["times_as_fast"]), interval(one["of_processor"]))
            ),
        )
        for one in report["graphs"]
        if not one["what"].endswith("alone")
    ]
    return table(heads, rows)


def _why(report: dict[str, Any], precision: dict[str, Any]) -> str:
    same = precision["auc"]["float32, OpenVINO"].values()
    off = max(one["largest_change_of_a_logit"] for one in same)
    return (
        f"A whole look asks {_networks(report)} networks, one of each recipe, and one that outlines lungs "
        f"and heart of the image and of its mirror image. {_of_one(report)} The runtime has joined their convolutions, "
        "norms and activations, and nothing is computed that was not asked for, so what is left is the "
        "arithmetic. The runtime OpenVINO does it a little faster: no score of the images of "
        f"`precision.json` then changes by more than {off:.1g} of a logit. To ask fewer networks "
        f"{_fewer(report)}"
    )


def _networks(report: dict[str, Any]) -> int:
    alone = [one for one in _alone(report) if one["what"].startswith("recipe")]
    return len(alone) if alone else int(report["networks"])


def _of_one(report: dict[str, Any]) -> str:
    """Say how fast one of the networks is."""
    n = _networks(report)
    alone = [one for one in _alone(report) if one["what"].startswith("recipe")]
    if alone:
        found = [one["of_processor"]["value"] for one in alone]
        return (
            f"Each of the {n} is {min(found):.1f} to {max(found):.1f} times as fast as a DenseNet-121; "
            f"{n} of them cannot be."
        )
    return f"Each of the {n} takes about as long as a model of one network; {n} of them cannot be as fast."


def _fewer(report: dict[str, Any]) -> str:
    names = " and ".join(_name(one) for one in report.get("further", []))
    if not names:
        return "would be another model, with other scores."
    return (
        f"is another model, with other scores: {names} "
        "([why](adr/0039-a-second-model-for-large-numbers.md))."
    )


def _parts(report: dict[str, Any]) -> list[str]:
    rows = [
        (
            one["what"].partition(" in ")[0],
            f"{one['processor']['median_ms']:.1f}",
            str(one["time"]["n"]),
            interval(one["of_processor"]),
        )
        for one in _alone(report)
    ]
    heads = ("Alone, one image, one thread", "ms of work", "Rounds", "DenseNet-121 = 1")
    return [table(heads, rows)] if rows else []


def _fewer_bits(precision: dict[str, Any]) -> str:
    return (
        f"Every fold's networks of the run of {precision['model']} were asked about the patients that they had not "
        "seen, as they are and with fewer bits; int8 was calibrated on "
        f"{precision['calibration_images']} images that they had learned from. A fall of an AUC is "
        "positive; intervals are bootstraps that draw patients. int8 was to be kept only if no AUC "
        "loses two thousandths or more. **It is not kept**, nor is bfloat16, which moves logits by more "
        "than rounding and so would need thresholds, calibration and tests of maps of its own "
        "([decision](adr/0037-a-second-engine-and-no-fewer-bits.md))."
    )


def _precision(precision: dict[str, Any]) -> str:
    heads = (
        "Bits",
        "Finding",
        "n",
        "With it",
        "AUC in float32",
        "AUC",
        "Fall",
        "A logit by",
        "Times as fast",
    )
    rows = []
    for kind, findings in precision["auc"].items():
        for finding, one in findings.items():
            fall = one["difference"]
            rows.append(
                (
                    kind,
                    finding,
                    f"{one['n_images']:,}",
                    str(one["n_positive"]),
                    f"{one['first']:.3f}",
                    f"{one['second']:.3f}",
                    f"{fall['value']:.4f} ({fall['low']:.4f} to {fall['high']:.4f})",
                    f"{one['largest_change_of_a_logit']:.2g}",
                    interval(precision["times_as_fast"][kind]),
                )
            )
    return table(heads, rows)


def _from_file(report: dict[str, Any]) -> list[str]:
    if "path" not in report:  # a run that was cut off after the graphs
        return []
    return [
        "## From the file to the answer",
        _path_words(report),
        _path(report),
        (
            "Files of 2,048 pixels a side, simulated; those given are 512 pixels. Decoded: in the process "
            "that asks. Read: in a process of its own, as the program does, with the way of the pixels "
            "back ([why](adr/0001-decode-in-a-bounded-process.md))."
        ),
        _files(report),
    ]


def _path_words(report: dict[str, Any]) -> str:
    by_model: dict[str, list[float]] = {}
    for one in report["path"]:
        if one["workers"] == 2:
            rates = by_model.setdefault(one.get("model", report["model"]), [])
            rates.append(one["images_per_second"])
    reached = [
        f"{sum(rate >= ASKED_PER_SECOND for rate in rates)} of {len(rates)} sorts of files"
        f"{f' with {_name(model)}' if len(by_model) > 1 else ''}"
        for model, rates in by_model.items()
    ]
    return (
        "The whole path: read the file, ask the gate, prepare, ask the model, measure the outlines "
        "where it has any, write JSON. Asked for were "
        f"{ASKED_PER_SECOND:g} a second on 2 cores; in this run, with the "
        f"other programs that ran beside it, two workers reached that with {' and '.join(reached)}."
    )


def _path(report: dict[str, Any]) -> str:
    rows = [
        (
            _name(one.get("model", report["model"])),
            one["what"],
            str(one["workers"]),
            f"{one['time']['n']} x {one['images']}",
            f"{one['images_per_second']:.1f}",
            f"{1000 * one['images'] / one['time']['low_ms']:.1f}",
        )
        for one in report["path"]
    ]
    heads = ("Model", "File", "Workers", "Rounds x files", "Files/s, median", "Files/s, best")
    return table(heads, rows)


def _files(report: dict[str, Any]) -> str:
    rows = [
        (
            one["what"],
            f"{one['bytes'] / 2**20:.1f}",
            str(one["decoded"]["n"]),
            f"{one['decoded']['median_ms']:.0f}",
            f"{one['read']['median_ms']:.0f}",
        )
        for one in report["files"]
    ]
    return table(("File", "MiB", "Rounds", "Decoded, ms", "Read, ms"), rows)


def _training(report: dict[str, Any]) -> list[str]:
    one = report.get("training")
    if one is None:
        return []
    share = one["batch"]["median_ms"] / (one["batch"]["median_ms"] + one["step"]["median_ms"])
    return [
        "## A training step and its images",
        (
            f"A step on {one['batch_size']} images takes {one['step']['median_ms'] / 1000:.1f} s here, the "
            f"images for it {one['batch']['median_ms'] / 1000:.2f} s (n = {one['step']['n']}): they take "
            f"{share:.0%} of the time of both, so the loader keeps up. A step takes "
            f"{interval(one['steps_per_batch'])} times as long as its images; beside an accelerator that "
            "is faster than that by more, images are made by processes of their own."
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
