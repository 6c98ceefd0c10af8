"""Write docs/explanations.md, and what ships with the model, from what explain-check printed.

Run from the repository, after the command whose line stands on the page:
python docs/make_explanations.py
"""

import json
from pathlib import Path
from typing import Any

from page_parts import interval, table

from medcxr.explain.verdict import best_map
from medcxr.registry.bundle import ModelBundle
from medcxr.registry.explanations import explanations_from_plain, keep_explanations
from medcxr.registry.registry import SHIPPED_MODELS

HERE = Path(__file__).parent
RECORD, PAGE = HERE / "explanations.json", HERE / "explanations.md"
COMMAND = (
    "medcxr explain-check DATA/nih/manifest.csv --boxes DATA/nih/boxes.csv --images 200 "
    "--simulated 60 --json"
)


def main() -> None:
    """Write the page, and the file that decides which maps of the shipped model are shown."""
    report = json.loads(RECORD.read_text())
    PAGE.write_text(page(report), encoding="utf-8")
    if "graph" in report:  # a record from before it was bound to a graph decides nothing
        bundle = ModelBundle.open(
            next(path.parent for path in SHIPPED_MODELS.glob("*/manifest.json"))
        )
        keep_explanations(SHIPPED_MODELS, bundle, explanations_from_plain(report)).chmod(0o644)


def page(report: dict[str, Any]) -> str:
    """Return the page of a report."""
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
            "([why](adr/0021-where-both-maps-agree.md)). The ellipse and the random map know nothing",
            "of the image: a map that is no better than they are explains nothing, and is not shown",
            "([why](adr/0013-only-maps-shown-to-be-true.md)). Intervals are 95% bootstraps over",
            "images, one of each patient.",
            "",
            "## Does the probability hang on what the map names?",
            "",
            "Deletion: mean probability while places are hidden, those of most evidence first (low is",
            "good). Insertion: mean probability while they are shown again (high is good). A place is",
            "one of the occlusion, of a finer map the sum over it.",
            "",
            table(
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
            ),
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
            table(
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
            ),
            "",
        ]
    )


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
