"""Write docs/anatomy.md from what `medcxr anatomy-check` printed.

Run from the repository, after the command whose line stands on the page:
python docs/make_anatomy.py
"""

import json
from pathlib import Path
from typing import Any

from page_parts import interval, table

HERE = Path(__file__).parent
RECORD, RATIOS, PAGE = (HERE / name for name in ("anatomy.json", "ratios.json", "anatomy.md"))
COMMAND = (
    "medcxr anatomy-check nih/manifest.csv wingspan/manifest.csv jsrt/manifest.csv --data DATA "
    "--worst worst.png --json"
)
RATIOS_COMMAND = (
    "python benchmarks/outlined_ratios.py configs/hybrid_lite0.toml RUN DATA --out docs/ratios.json"
)


def main() -> None:
    """Write the page."""
    report, ratios = (json.loads(path.read_text()) for path in (RECORD, RATIOS))
    PAGE.write_text(page(report, ratios), encoding="utf-8")


def page(report: dict[str, Any], ratios: dict[str, Any]) -> str:
    """Return the page of a report.

    Args:
        report: what `medcxr anatomy-check` printed.
        ratios: what `benchmarks/outlined_ratios.py` wrote of the model's run.
    """
    return "\n".join(
        [
            "# What are the measures worth?",
            "",
            f"Measured with the shipped model, {report['model']}; written by",
            "`python docs/make_anatomy.py` from `anatomy.json`, the output of",
            "",
            f"```sh\n{COMMAND}\n```",
            "",
            *_learned(report),
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
            # records from before lungs were cut at the heart lack the key
            *(
                ["An expert's lungs are compared as far as the heart."]
                * ("cross_validated" in report)
            ),
            "",
            _agreements(report),
            "",
            *_cross_validated(report),
            *_stated(ratios),
        ]
    )


def _learned(report: dict[str, Any]) -> list[str]:
    """Return what the outlines were learned from, and what that makes of the figures."""
    held_out = report.get("cross_validated") is None
    if held_out:
        lines = [
            "Its outlines were learned from the tables `jsrt`, `wingspan` and `lungs`, without one",
            'patient in ten: of these tables only the lines "held out" say what to expect of other',
            'patients, and "all" and "learned from" are there to compare. No outline was learned from',
        ]
    else:
        lines = [
            "Its outlines were learned from all of the tables `jsrt`, `wingspan` and `lungs`: what to",
            "expect of other patients is said by the cross-validation below, and figures of these tables",
            "above it are there to compare. No outline was learned from",
        ]
    return [
        *lines,
        "`nih`, nor does a measure know any label. Intervals are 95% bootstraps that draw patients.",
        f"The ten radiographs{' held out' if held_out else ''} whose outlines agree least with the",
        "expert's are drawn into `worst.png`, which shows patients and is not kept here.",
    ]


def _cross_validated(report: dict[str, Any]) -> list[str]:
    """Return the figures of networks that had not seen the patients, where there are any."""
    whole = report.get("cross_validated")
    if whole is None:
        return []
    rows = [_cross_validated_row("all", whole)]
    rows += [_cross_validated_row(_name(path), one) for path, one in whole["by_table"].items()]
    heads = ("Table", "n", "Dice of lungs", "Lungs as drawn", "Hearts", "Dice of heart")
    return [
        "## How near do they come on other patients?",
        "",
        f"By {whole['folds']}-fold cross-validation: each radiograph was outlined by a network of the",
        "same recipe that had not seen its patient. The ratio's AUC is for telling the radiographs",
        "whose ratio exceeds 0.5 as the expert drew it. The experts of `lungs` drew no heart, and in",
        "diseased chests the lung goes on behind it: there no pixel of the outlined heart counts for",
        'the lungs. "As drawn" counts as missed whatever they drew behind the outlined heart.',
        "",
        table(
            (
                *heads,
                *("Ratio off by", "95 in 100 within", "Agreement (ICC)"),
                "Over 0.5, AUC",
            ),
            rows,
        ),
        "",
    ]


def _cross_validated_row(name: str, one: dict[str, Any]) -> tuple[str, ...]:
    figures = ("dice_lungs", "dice_lungs_as_drawn", "dice_heart")
    ratios = ("ratio_error", "ratio_margin", "ratio_icc", "enlarged_auc")
    lungs, as_drawn, heart, *rest = (
        "" if one.get(key) is None else f"{one[key]:.3f}" for key in (*figures, *ratios)
    )
    return (name, f"{one['n_images']:,}", lungs, as_drawn, f"{one['n_hearts']:,}", heart, *rest)


def _stated(ratios: dict[str, Any]) -> list[str]:
    """Return how near the ratios of a cross-validation come to those that experts state."""
    farthest = ratios["farthest"]
    return [
        "## How near does the ratio come to the one that experts state?",
        "",
        "The authors of `wingspan` state a ratio themselves, and not of every radiograph that they",
        "outlined. Of those without, one is the chest in which the expert drew a large structure that",
        f"holds gas as heart: its drawn ratio is {farthest['drawn']:.2f}, and the outlined one",
        f"{farthest['outlined']:.2f}, the farthest of all. Each radiograph was",
        f"outlined by the network of run `{ratios['run']}` that had not seen its patient",
        f"({ratios['folds']} folds). Intervals are 95% bootstraps that draw patients. Repeated by",
        "",
        f"```sh\n{RATIOS_COMMAND}\n```",
        "",
        table(
            ("Table", "Ratio by experts", "n", "Ratio off by", "Agreement (ICC)"),
            [
                (
                    _name(one["table"]),
                    one["by_experts"],
                    f"{one['n']:,}",
                    _error(one["error"], digits=4),
                    _error(one["agreement"]),
                )
                for one in ratios["rows"]
            ],
        ),
        "",
    ]


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


def _error(estimate: dict[str, float] | None, *, digits: int = 3) -> str:
    """Return an error of a ratio, whose interval needs a third digit at least."""
    if estimate is None:
        return ""
    value, low, high = (f"{estimate[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _name(path: str) -> str:
    return path.replace("/manifest.csv", "")


def _count(one: dict[str, Any]) -> str:
    images, patients = one["n_images"], one["n_patients"]
    return f"{images:,}" if images == patients else f"{images:,} of {patients:,} patients"


if __name__ == "__main__":
    main()
