"""Write docs/explanations.md, and what ships with the model, from what explain-check printed.

Run from the repository, after the command whose line stands on the page:
python docs/make_explanations.py
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from page_parts import further_folders, interval, shipped_folder, table

from medcxr.explain.verdict import best_map
from medcxr.registry.bundle import ModelBundle
from medcxr.registry.explanations import explanations_from_plain, keep_explanations
from medcxr.registry.shipped import SHIPPED_MODELS

HERE = Path(__file__).parent
RECORD, PAGE = HERE / "explanations.json", HERE / "explanations.md"
COMMAND = (
    "medcxr explain-check DATA/nih/manifest.csv --boxes DATA/nih/boxes.csv --images 200 "
    "--simulated 60 --json"
)


def main() -> None:
    """Write the page, and the file that decides which maps of the model in use are shown."""
    report = json.loads(RECORD.read_text())
    PAGE.write_text(page(report, further_reports()), encoding="utf-8")
    if "graph" in report:  # a record from before it was bound to a graph decides nothing
        bundle = ModelBundle.open(shipped_folder())
        keep_explanations(SHIPPED_MODELS, bundle, explanations_from_plain(report)).chmod(0o644)


def further_reports() -> list[dict[str, Any]]:
    """Return the tests of the package's other models, as they lie beside them."""
    paths = [one.with_name(f"{one.name}.explanations.json") for one in further_folders()]
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]
    return [{key: one[key] for key in one if key != "format"} for one in kept]


def page(report: dict[str, Any], further: Sequence[dict[str, Any]] = ()) -> str:
    """Return the page of a report.

    Args:
        report: on the model that answers by itself.
        further: reports on the package's other models.
    """
    return "\n".join(
        [
            "# Are the maps true?",
            "",
            f"Measured on the shipped model, {report['model']}, which has learned from the labels of",
            "most of these radiographs but never from a box; written by",
            "`python docs/make_explanations.py` from `explanations.json`, the output of",
            "",
            f"```sh\n{COMMAND}\n```",
            "",
            "The evidence map is the model's own, whose sum is the logit. The occlusion map hides one",
            "place after the other and notes how far the logit falls, in quick looks of some of the",
            "networks where the model card names them ([why](adr/0016-quick-looks-for-maps.md)); the",
            "probabilities below are always the whole model's. The joint map is the mean of both",
            "([why](adr/0021-where-both-maps-agree.md)). The thorough map asks the whole model at each",
            "place. Where a model offers quick looks, it was tested of the findings that none of the",
            "other three is true of: a fourth try on the same radiographs, for which no interval is",
            "corrected ([why](adr/0043-a-thorough-map-on-request.md)). Maps by occlusion hide places as",
            "deletion and insertion do, and so are judged by what they are made of; the evidence map is",
            "not. The ellipse and the random map know nothing of the image: a map that is no better",
            "than they are explains nothing, and is not shown",
            "([why](adr/0013-only-maps-shown-to-be-true.md)). Intervals are 95% bootstraps over",
            "images, one of each patient.",
            "",
            "## Does the probability hang on what the map names?",
            "",
            "Deletion: mean probability while places are hidden, those of most evidence first (low is",
            "good). Insertion: mean probability while they are shown again (high is good). A place is",
            "one of the occlusion, of a finer map the sum over it.",
            "",
            _curves(report),
            "",
            *_gains(report),
            *_randomized(report),
            "## Does the map lie where the finding is?",
            "",
            "Hits: how often the strongest place lies in the finding. Inside: share of the evidence",
            "for the finding that does. Area: share of the image that the finding takes up, which is",
            "what chance would give. More than: hits less those of the ellipse; of the random map.",
            "Boxes were drawn by readers; simulated lesions lie where the simulator put them. The",
            "model has learned from other radiographs of the same simulator, of their places too, so",
            "hits there say less than hits in boxes.",
            "",
            _places(report),
            "",
            *(line for one in further for line in _further(one)),
        ]
    )


def _curves(report: dict[str, Any]) -> str:
    return table(
        ("Finding", "Map", "Images", "Deletion", "Insertion"),
        [
            (
                one["finding"],
                one["method"],
                str(one["n_images"]),
                interval(one["deletion"]),
                interval(one["insertion"]),
            )
            for one in report["curves"]
        ],
    )


def _places(report: dict[str, Any]) -> str:
    return table(
        ("Places", "Finding", "Map", "Images", "Hits", "More than", "Inside", "Area"),
        [
            (
                one["places"],
                one["finding"],
                one["method"],
                str(one["n_images"]),
                interval(one["hits"]),
                "; ".join(interval(gain["hits"]) for gain in one.get("gains", [])),
                interval(one["energy"]),
                f"{one['area']:.2f}",
            )
            for one in report["places"]
        ],
    )


def _further(report: dict[str, Any]) -> list[str]:
    name = report["model"].partition(" ")[0]
    findings = dict.fromkeys(one["finding"] for one in report["curves"] if one.get("gains"))
    images = max(one["n_images"] for one in report["curves"])
    lesions = [one["n_images"] for one in report["places"] if one["places"] == "simulated"]
    numbers = f"`--images {images} --simulated {max(lesions, default=0)}`"
    return [
        f"## The maps of {name}",
        "",
        f"Measured likewise on {report['model']}, which comes with the package too, by the command",
        f"above after `medcxr models use {name}`, with {numbers}. It outlines no organs, so what its",
        "maps show is told in no zones.",
        "",
        *(f"- {_verdict(report, finding)}" for finding in findings),
        "",
        _curves(report),
        "",
        _places(report),
        "",
    ]


def _gains(report: dict[str, Any]) -> list[str]:
    rows = [
        (
            one["finding"],
            one["method"],
            gain["rival"],
            interval(gain["deletion"]),
            interval(gain["insertion"]),
        )
        for one in report["curves"]
        for gain in one.get("gains", [])
    ]
    if not rows:
        return []
    return [
        "Differences on the same images. A map may be shown when none of its four intervals holds 0,",
        "and none of those of its hits in the last table on at least 20 images.",
        "",
        table(("Finding", "Map", "Rival", "Deletion lower by", "Insertion higher by"), rows),
        "",
        *(f"- {_verdict(report, finding)}" for finding in dict.fromkeys(row[0] for row in rows)),
        "",
    ]


def _verdict(report: dict[str, Any], finding: str) -> str:
    shown = best_map(explanations_from_plain(report), finding)
    return f"{finding}: {f'the {shown} is shown' if shown else 'no map is shown'}."


def _randomized(report: dict[str, Any]) -> list[str]:
    found = report.get("randomized", [])
    if not found:
        return []
    return [
        "## Does the map forget what the model forgets?",
        "",
        "Rank correlation of each map with the one that the same graph gives when the values of each",
        "of its tensors of weights are shuffled (Adebayo et al. 2018). Near 0 is good: a map that",
        "stays when all that was learned is gone does not show what was learned.",
        "",
        table(
            ("Finding", "Map", "Images", "Rank correlation"),
            [
                (
                    one["finding"],
                    one["method"],
                    str(one["n_images"]),
                    interval(one["correlation"]),
                )
                for one in found
            ],
        ),
        "",
    ]


if __name__ == "__main__":
    main()
