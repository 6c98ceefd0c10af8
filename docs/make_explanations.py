"""Write docs/explanations.md from what `medcxr explain-check` printed.

Run from the repository, after the command whose line stands on the page:
python docs/make_explanations.py
"""

import json
from pathlib import Path
from typing import Any

from page_parts import interval, table

HERE = Path(__file__).parent
RECORD, PAGE = HERE / "explanations.json", HERE / "explanations.md"
COMMAND = (
    "medcxr explain-check DATA/nih/manifest.csv --boxes DATA/nih/boxes.csv --images 30 "
    "--simulated 60 --json"
)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(json.loads(RECORD.read_text())), encoding="utf-8")


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
            "The evidence map is the model's own, the one that is shown. The occlusion map hides one",
            "place after the other and notes how far the logit falls. The ellipse and the random map",
            "know nothing of the image: a map that is no better than they are explains nothing.",
            "Intervals are 95% bootstraps over images, one of each patient.",
            "",
            "## Does the probability hang on what the map names?",
            "",
            "Deletion: mean probability while places are hidden, those of most evidence first (low is",
            "good). Insertion: mean probability while they are shown again (high is good).",
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
            "## Does the map lie where the finding is?",
            "",
            "Hits: how often the strongest place lies in the finding. Inside: share of the evidence",
            "for the finding that does. Area: share of the image that the finding takes up, which is",
            "what chance would give. Boxes were drawn by readers; simulated lesions lie where the",
            "simulator put them.",
            "",
            table(
                ("Places", "Finding", "Map", "Images", "Hits", "Inside", "Area"),
                [
                    (
                        one["places"],
                        one["finding"],
                        one["method"],
                        str(one["n_images"]),
                        interval(one["hits"]),
                        interval(one["energy"]),
                        f"{one['area']:.2f}",
                    )
                    for one in report["places"]
                ],
            ),
            "",
        ]
    )


if __name__ == "__main__":
    main()
