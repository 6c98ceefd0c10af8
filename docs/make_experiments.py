"""Keep what runs found, and write docs/experiments.md from it.

Run from the repository:
python docs/make_experiments.py [--against RUN_FOLDER] [--labels TABLE] [RUN_FOLDER ...]

Each run folder named, in a workspace's runs/, is first recorded in docs/experiments/ as a JSON
file of the run's name; a run that was cut off, or whose parts were trained alone, is recorded as
far as it got. With labels, a finished run's scores as a whole are compared with those of its
networks alone; against another run, the scores of the folds that both have held out are compared,
and those of both as a whole. The page is then written from all records.
"""

import argparse
import json
import tempfile
import textwrap
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from page_parts import interval, table

from medcxr.learning.config import TrainingConfig, load_config
from medcxr.services.comparison import compare_scores
from medcxr.storage.events import EventLog

HERE = Path(__file__).parent
RECORDS, PAGE = HERE / "experiments", HERE / "experiments.md"
CONFIGS = HERE.parent / "configs"
SHIPPED = CONFIGS / "hybrid_lite0.toml"
HELD_OUT, WHOLE = "held_out.csv", "out_of_fold.csv"
FINDINGS = ("Pneumonia", "Effusion", "Cardiomegaly", "No Finding")
_PEER_MEAN = 0.830  # of jrzech/reproduce-chexnet on the test set of these findings
_QUIET = ("name", "description", "evaluation.bootstrap", "outlines.tables")


def main() -> None:
    """Record the named runs, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("--against", type=Path, help="folder of the run to compare with")
    parser.add_argument("--labels", type=Path, help="table with the labels of both runs' images")
    chosen = parser.parse_args()
    RECORDS.mkdir(exist_ok=True)
    for folder in chosen.runs:
        record = read_run(folder)
        if chosen.against is not None and not record["config"].get("companion"):
            record["against"] = compare_runs(folder, chosen.against, chosen.labels)
        if chosen.labels is not None:
            record["whole"] = compare_whole(folder, chosen.against, chosen.labels)
        (RECORDS / f"{record['run']}.json").write_text(json.dumps(record, indent=1) + "\n")
    PAGE.write_text(page(load_records()), encoding="utf-8")


def read_run(folder: Path) -> dict[str, Any]:
    """Return what a run's folder tells: its settings and the last figures of each part."""
    run = json.loads((folder / "run.json").read_text())
    parts: dict[str, Any] = {}
    for event in EventLog(folder / "events.jsonl").read():
        if event["event"] == "epoch" and event.get("auc"):
            kept = ("epoch", "epochs", "auc", "seconds")
            parts[event["part"]] = {name: event[name] for name in kept}
        if event["event"] == "outlines":
            kept = ("dice_lungs", "dice_heart", "ratio_error")
            found = {name: event[name] for name in kept}
            parts[event["part"]] = found | {"images": event.get("n_images", event.get("images"))}
    record = {"run": folder.name, "created": run["created"], "config": run["config"]}
    record["parts"] = dict(sorted(parts.items()))
    manifest = folder / "bundle" / "manifest.json"
    if manifest.is_file():
        whole = json.loads(manifest.read_text())
        report = whole["measurements"][0]["report"]
        record["minutes"] = whole["training"]["minutes"]
        record["report"] = {
            "n_images": report["n_images"],
            "n_patients": report["n_patients"],
            "mean_auc": report["mean_auc"],
            "mean_auc_by_patient": report.get("mean_auc_by_patient"),
            "findings": [
                {name: f.get(name) for name in ("finding", "auc", "auc_by_patient", "n_positive")}
                for f in report["findings"]
            ],
            "groups": [
                {name: g[name] for name in ("group", "value", "finding", "n_positive", "auc")}
                for g in report["groups"]
                if g["auc"]
            ],
        }
    return record


def compare_runs(folder: Path, other: Path, labels: Path) -> dict[str, Any]:
    """Return how far a run ranks better than another on the folds that both have held out."""
    folds = sorted(
        {path.parent.name for path in folder.glob(f"fold-*/{HELD_OUT}")}
        & {path.parent.name for path in other.glob(f"fold-*/{HELD_OUT}")}
    )
    differences = compare_tables(
        *(joined([run / fold / HELD_OUT for fold in folds]) for run in (folder, other)), labels
    )
    return {
        "run": other.name,
        "folds": [int(name.removeprefix("fold-")) for name in folds],
        "differences": differences,
    }


def compare_whole(folder: Path, other: Path | None, labels: Path) -> list[dict[str, Any]]:
    """Return how much better a finished run ranks as a whole than its networks, and another run.

    As a whole: with what was measured of the outlines, its companion, and its calibration.
    """
    if not (folder / WHOLE).is_file():
        return []
    whole = (folder / WHOLE).read_text()
    alone = joined(sorted(folder.glob(f"fold-*/{HELD_OUT}")))
    found = [{"less": "its networks alone", "differences": compare_tables(whole, alone, labels)}]
    if other is not None and (other / WHOLE).is_file():
        beside = (other / WHOLE).read_text()
        differences = compare_tables(whole, beside, labels)
        found.append({"less": f"`{other.name}` as a whole", "differences": differences})
    return found


def compare_tables(first: str, second: str, labels: Path) -> dict[str, dict[str, float]]:
    """Return the differences in AUC by finding of two CSV files of scores, and of their mean."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = []
        for number, text in enumerate((first, second)):
            paths.append(Path(scratch) / f"{number}.csv")
            paths[-1].write_text(text)
        compared = compare_scores(paths[0], paths[1], labels)
    gaps = {name: one.difference for name, one in compared.findings.items()}
    if compared.mean_difference is not None:
        gaps["Mean"] = compared.mean_difference
    return {
        name: {"value": gap.value, "low": gap.low, "high": gap.high} for name, gap in gaps.items()
    }


def joined(tables: Sequence[Path]) -> str:
    """Return several CSV files of the same columns as one."""
    texts = [path.read_text().splitlines(keepends=True) for path in tables]
    return "".join([*texts[0], *(line for lines in texts[1:] for line in lines[1:])])


def load_records() -> list[dict[str, Any]]:
    """Return all records, oldest first."""
    records = [json.loads(path.read_text()) for path in RECORDS.glob("*.json")]
    return sorted(records, key=lambda record: (record["created"], record["run"]))


def page(records: list[dict[str, Any]]) -> str:
    """Return the page of these records."""
    shipped = settings(load_config(SHIPPED).as_dict())
    whole = [record for record in records if "report" in record]
    lines = [
        "# Experiments",
        "",
        "Every run that was kept, by the command `medcxr train CONFIG --data DATA`; this page is",
        "written from their records in `experiments/` by `python docs/make_experiments.py`. A run",
        "is named by what decides it, and differs from `configs/hybrid_lite0.toml` as said.",
        "",
        "## Cross-validated",
        "",
        "AUC by patient-grouped cross-validation on `nih/`, with 95% intervals of a bootstrap that",
        "draws patients. Patients alike: each patient counts once, however many images it has.",
        "Minutes are those of all parts one after the other, as long as each took.",
        "",
        table(
            ("Run", *FINDINGS, "Mean", "Mean, patients alike", "Images", "Minutes"),
            [whole_row(record) for record in whole],
        ),
        "",
    ]
    if whole:
        latest = [one for one in whole if settings(one["config"]) == shipped][-1]
        lines += [
            f"## By collection and view: {latest['run']}",
            "",
            "AUC in groups with at least five images with and five without the finding.",
            "",
            table(("Group", "Value", *FINDINGS), group_rows(latest)),
            "",
        ]
    lines += ideas(records)
    compared = [record for record in records if "against" in record]
    if compared:
        lines += [
            "## Run by run",
            "",
            "AUC of a run less that of another one, on the same images of the folds that both have",
            "held out, by their networks alone; 95% intervals of a bootstrap that draws patients.",
            "An interval that holds 0 shows no difference. What each run tried is said below.",
            "",
            table(
                ("Run", "Less", "Folds", *FINDINGS, "Mean"),
                [compared_row(record) for record in compared],
            ),
            "",
        ]
    if any(record.get("whole") for record in records):
        lines += [
            "## Together",
            "",
            "AUC of a run as a whole, with its companion and the measures of its outlines, on all",
            "images, less that of something else.",
            "",
            table(
                ("Run", "Less", *FINDINGS, "Mean"),
                [row for record in records for row in whole_rows(record)],
            ),
            "",
        ]
    lines += [
        "## Fold by fold",
        "",
        "AUC on the held-out fold at the last epoch that was reached. Folds of runs with the same",
        "number of folds and the same auxiliary findings hold the same patients and may be",
        "compared; a run with one fold was given up because that fold said enough.",
        "",
        table(
            ("Run", "Fold", "Epoch", *FINDINGS, "Minutes"),
            [row for record in records for row in fold_rows(record)],
        ),
        "",
        "## How the runs differ",
        "",
    ]
    notes = tomllib.loads((RECORDS / "notes.toml").read_text())
    for record in records:
        lines += [f"### {record['run']}", ""]
        if record["run"] in notes:
            lines += [notes[record["run"]].strip(), ""]
        lines += [*differences(record, shipped), ""]
    return "\n".join(lines)


def ideas(records: list[dict[str, Any]]) -> list[str]:
    """Return what each idea gained, in the order of ideas.toml, of those that have a record."""
    known = {record["run"]: record for record in records}
    rows = [
        row
        for idea in tomllib.loads((RECORDS / "ideas.toml").read_text())["ideas"]
        if idea["run"] in known and (row := idea_row(idea, known[idea["run"]]))
    ]
    return [
        "## Idea by idea",
        "",
        "What each idea that was tried gained: the difference in AUC to the same recipe without it,",
        "on the same held-out images, with 95% intervals of a bootstrap that draws patients. Most",
        "were given one fold of five, and kept only where more folds bore them out.",
        "",
        table(("Idea", "Run", "Less", "Folds", *FINDINGS, "Mean", "Shown", "Kept"), rows),
        "",
        *held_back(records),
    ]


def held_back(records: list[dict[str, Any]]) -> list[str]:
    """Return what the runs say of how far the shipped one is from what a larger one reached."""
    name = load_config(SHIPPED).name
    whole = [one for one in records if "report" in one and one["config"]["name"] == name]
    every = [
        one["against"]["differences"]
        for one in records
        if "against" in one
        and len(one["against"]["folds"]) == one["config"]["evaluation"]["folds"]
        and not one["config"].get("companion")
    ]
    if not whole or not every:
        return []
    mean = whole[-1]["report"]["mean_auc"]
    place = "above" if mean["high"] < _PEER_MEAN else "within"
    most = {
        finding: max(gaps[finding]["value"] for gaps in every if finding in gaps)
        for finding in FINDINGS
    }
    gains = ", ".join(f"{finding} {gain:+.3f}" for finding, gain in most.items())
    words = (
        f"The shipped run's mean is {interval(mean, digits=3)}. A published reader that learned from "
        "some 78,000 radiographs of the same hospital reached a mean of "
        f"{_PEER_MEAN:.3f} on other patients of it, which lies {place} this interval. The most that "
        f"one recipe gained over another on all five folds was {gains}: what helps teaches the "
        "heart, of which simulated chests and outlines know more than the few labels do. Neither "
        "larger networks and images nor losses, augmentation, sampling, soft labels or "
        "self-supervision are shown to help the other findings, which are learned from some 2,500 "
        "radiographs with labels mined from reports. More of these, or labels by readers, were not "
        "to be had."
    )
    return [*textwrap.wrap(words, 96), ""]


def idea_row(idea: dict[str, Any], record: dict[str, Any]) -> tuple[str, ...] | None:
    """Return an idea with its differences; None where none were recorded."""
    run, less, folds = f"`{record['run']}`", "", "all"
    if "less" in idea:
        found = [one for one in record.get("whole", []) if idea["less"] in one["less"]]
        if not found:
            return None
        gaps, less = found[0]["differences"], found[0]["less"]
    elif "against" in record:
        against = record["against"]
        gaps, less = against["differences"], f"`{against['run']}`"
        if len(against["folds"]) < record["config"]["evaluation"]["folds"]:
            folds = f"{len(against['folds'])} of {record['config']['evaluation']['folds']}"
    else:
        return None
    if idea.get("reversed"):
        run, less = less, run
        gaps = {
            name: {"value": -gap["value"], "low": -gap["high"], "high": -gap["low"]}
            for name, gap in gaps.items()
        }
    mean = gaps["Mean"]
    shown = "better" if mean["low"] > 0 else "worse" if mean["high"] < 0 else "no difference"
    return (
        idea["idea"],
        run,
        less,
        folds,
        *(signed(gaps.get(name)) for name in (*FINDINGS, "Mean")),
        shown,
        "yes" if idea["kept"] else "no",
    )


def whole_row(record: dict[str, Any]) -> tuple[str, ...]:
    """Return the figures of a finished run."""
    report = record["report"]
    by_name = {one["finding"]: one for one in report["findings"]}
    return (
        f"`{record['run']}`",
        *(interval(by_name[name]["auc"], digits=3) for name in FINDINGS),
        interval(report["mean_auc"], digits=3),
        interval(report["mean_auc_by_patient"], digits=3),
        f"{report['n_images']:,}",
        f"{record['minutes']:.0f}",
    )


def compared_row(record: dict[str, Any]) -> tuple[str, ...]:
    """Return the differences to the other run."""
    against = record["against"]
    gaps = against["differences"]
    return (
        f"`{record['run']}`",
        f"`{against['run']}`",
        ", ".join(map(str, against["folds"])),
        *(signed(gaps.get(name)) for name in (*FINDINGS, "Mean")),
    )


def whole_rows(record: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return what a run as a whole was compared with."""
    return [
        (
            f"`{record['run']}`",
            one["less"],
            *(signed(one["differences"].get(name)) for name in (*FINDINGS, "Mean")),
        )
        for one in record.get("whole", [])
    ]


def group_rows(record: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return AUC by group, one row for each value of each group."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for one in record["report"]["groups"]:
        rows.setdefault((one["group"], one["value"]), {})[one["finding"]] = interval(
            one["auc"], digits=3
        )
    return [(*key, *(found.get(name, "") for name in FINDINGS)) for key, found in rows.items()]


def fold_rows(record: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return AUC by fold."""
    folds = record["config"]["evaluation"]["folds"]
    return [
        (
            f"`{record['run']}`",
            f"{name.removeprefix('fold-')} of {folds}",
            f"{part['epoch']} of {part['epochs']}",
            *(f"{part['auc'][finding]:.3f}" for finding in FINDINGS),
            f"{part['seconds'] / 60:.0f}",
        )
        for name, part in record["parts"].items()
        if name.startswith("fold-")
    ]


def differences(record: dict[str, Any], shipped: dict[str, Any]) -> list[str]:
    """Return one line for each setting that is not the shipped one."""
    own = settings(TrainingConfig().as_dict()) | settings(record["config"])
    if not own["outlines.tables"]:
        own = {key: value for key, value in own.items() if not key.startswith("outlines.")}
        shipped = {key: value for key, value in shipped.items() if not key.startswith("outlines.")}
    teacher = own.get("teacher.name")
    if teacher is not None:  # a recipe of its own, with settings of its own
        own = {key: value for key, value in own.items() if not key.startswith("teacher.")}
    lines = [
        f"- `{key}`: {shown(own.get(key))} instead of {shown(shipped.get(key))}"
        for key in sorted(own.keys() | shipped.keys())
        if key not in _QUIET and own.get(key, _MISSING) != shipped.get(key, _MISSING)
    ]
    if teacher is not None:
        lines.append(f"- taught by the answers of `{teacher}`")
    outlines = record["parts"].get("outlines")
    if not own.get("outlines.tables"):
        lines.append("- without outlines and their measures")
    if outlines:
        lines.append(
            f"- outlines of {outlines['images']} held-out images: Dice {outlines['dice_lungs']} "
            f"(lungs), {outlines['dice_heart']} (heart); mean error of the cardiothoracic ratio "
            f"{outlines['ratio_error']}"
        )
    return lines or ["- the shipped settings"]


_MISSING = "not there"


def settings(config: dict[str, Any]) -> dict[str, Any]:
    """Return settings by dotted name, a companion by its own."""
    beside = [config.get("companion"), *config.get("further_companions", ())]
    names = ", ".join(one["name"] for one in beside if one)
    return flat({**config, "companion": names or None, "further_companions": None})


def flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return settings by dotted name."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            found |= flat(value, f"{name}.")
        else:
            found[name] = list(value) if isinstance(value, tuple) else value
    return found


def shown(value: Any) -> str:  # noqa: ANN401 - settings are of any kind
    """Return a setting as the reader would write it."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return ", ".join(str(one.get("path")) for one in value)
    return "nothing" if value is None else f"`{value}`"


def signed(gap: dict[str, float] | None) -> str:
    """Return a difference with its interval."""
    if gap is None:
        return ""
    return f"{gap['value']:+.3f} ({gap['low']:+.3f} to {gap['high']:+.3f})"


if __name__ == "__main__":
    main()
