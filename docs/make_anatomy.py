"""Write docs/anatomy.md from what `medcxr anatomy-check` printed.

Run from the repository, after the command whose line stands on the page:
python docs/make_anatomy.py
"""

import json
from pathlib import Path
from typing import Any

from page_parts import interval, table

HERE = Path(__file__).parent
RECORD, PAGE = HERE / "anatomy.json", HERE / "anatomy.md"
COMMAND = (
    "medcxr anatomy-check nih/manifest.csv wingspan/manifest.csv jsrt/manifest.csv --data DATA "
    "--worst worst.png --json"
)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(json.loads(RECORD.read_text())), encoding="utf-8")


def page(report: dict[str, Any]) -> str:
    """Return the page of a report."""
    return "\n".join(
        [
            "# What are the measures worth?",
            "",
            f"Measured with the shipped model, {report['model']}; written by",
            "`python docs/make_anatomy.py` from `anatomy.json`, the output of",
            "",
            f"```sh\n{COMMAND}\n```",
            "",
            "Its outlines were learned from the tables `jsrt`, `wingspan` and `lungs`, without one",
            'patient in ten: of these tables only the lines "held out" say what to expect of other',
            'patients, and "all" and "learned from" are there to compare. No outline was learned from',
            "`nih`, nor does a measure know any label. Intervals are 95% bootstraps that draw patients.",
            "The ten radiographs held out whose outlines agree least with the expert's are drawn into",
            "`worst.png`, which shows patients and is not kept here.",
            "",
            "## Does a measure alone tell what a reader sees?",
            "",
            "The cardiothoracic ratio should tell Cardiomegaly as reports name it, and a ratio over 0.5",
            "as an expert measured it; the larger of the two costophrenic angles should tell Effusion.",
            "AUC: how often the measure is larger in a radiograph with it than in one without. Images",
            "whose outlines give no measure are counted, and left out.",
            "",
            _rankings(report),
            "",
            "## How near do the outlines come to an expert's?",
            "",
            "Dice coefficients of both lungs together and of the heart (1 is the same outline), and the",
            "mean absolute difference of the cardiothoracic ratios that both outlines give.",
            "",
            _agreements(report),
            "",
        ]
    )


def _rankings(report: dict[str, Any]) -> str:
    heads = ("Table", "Images", "Measure", "Tells", "n", "With it", "Not measured", "AUC")
    return table(
        heads,
        [
            (
                _name(one["table"]),
                one["group"],
                one["measure"],
                one["target"],
                _count(one),
                str(one["n_positive"]),
                str(one["n_unmeasured"]),
                interval(one["auc"]) or "too few",
            )
            for one in report["rankings"]
        ],
    )


def _agreements(report: dict[str, Any]) -> str:
    heads = ("Table", "Images", "n", "Dice of lungs", "Dice of heart", "Ratio off by")
    return table(
        heads,
        [
            (
                _name(one["table"]),
                one["group"],
                _count(one),
                interval(one["dice_lungs"]),
                interval(one["dice_heart"]),
                _error(one["ratio_error"]),
            )
            for one in report["agreements"]
        ],
    )


def _error(estimate: dict[str, float] | None) -> str:
    """Return an error of a ratio, whose interval needs a third digit."""
    if estimate is None:
        return ""
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def _name(path: str) -> str:
    return path.removesuffix("/manifest.csv")


def _count(one: dict[str, Any]) -> str:
    images, patients = one["n_images"], one["n_patients"]
    return f"{images:,}" if images == patients else f"{images:,} of {patients:,} patients"


if __name__ == "__main__":
    main()
