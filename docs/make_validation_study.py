"""Write docs/validation-study.md: how the shipped model was measured, as a study tells it.

Run from the repository, after a new model was shipped and its pages were renewed:
python docs/make_validation_study.py [--run RUN_FOLDER --peer SCORES --labels TABLE]

Every figure is read from the shipped manifest, the gate's file, docs/anatomy.json,
docs/explanations.json, docs/experiments/ and docs/peer.json. With a finished run, another reader's
scores and a table of labels, the comparison with that reader is made anew and kept in
docs/peer.json first.
"""

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from make_anatomy import COMMAND as ANATOMY_COMMAND
from make_explanations import COMMAND as EXPLANATIONS_COMMAND
from page_parts import counted, interval, shipped_manifest, table, wrapped
from study_checklists import checklists
from study_words import DATA_WORDS, LIMITATIONS, METHODS, OWN_STUDY, PURPOSE, REFERENCE

import medcxr.gates
from medcxr.explain.verdict import LEAST_IMAGES, best_map
from medcxr.registry.explanations import explanations_from_plain
from medcxr.services.comparison import compare_scores

HERE = Path(__file__).parent
PAGE, PEER = HERE / "validation-study.md", HERE / "peer.json"
SCORES = "out_of_fold.csv"


class Sources(NamedTuple):
    """What the page is written from, each as plain values.

    Attributes:
        manifest: of the shipped model.
        gate: of the shipped gate.
        anatomy: the test of the measures.
        explanations: the test of the maps.
        runs: the records of the experiments.
        peer: the comparison with another reader; None if there is none.
    """

    manifest: dict[str, Any]
    gate: dict[str, Any]
    anatomy: dict[str, Any]
    explanations: dict[str, Any]
    runs: list[dict[str, Any]]
    peer: dict[str, Any] | None


def main() -> None:
    """Compare anew if asked to, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="folder of the shipped model's run")
    parser.add_argument("--peer", type=Path, help="scores of another reader")
    parser.add_argument("--labels", type=Path, help="table with the labels of both")
    chosen = parser.parse_args()
    if chosen.run and chosen.peer and chosen.labels:
        record = json.loads(PEER.read_text()) | {"run": chosen.run.name}
        found = asdict(compare_scores(chosen.run / SCORES, chosen.peer, chosen.labels))
        PEER.write_text(json.dumps(record | found, indent=1) + "\n")
    PAGE.write_text(page(load_sources()), encoding="utf-8")


def load_sources() -> Sources:
    """Read everything that the page is written from."""
    gate = Path(medcxr.gates.__path__[0]) / "gate.json"
    return Sources(
        manifest=shipped_manifest(),
        gate=json.loads(gate.read_text()),
        anatomy=json.loads((HERE / "anatomy.json").read_text()),
        explanations=json.loads((HERE / "explanations.json").read_text()),
        runs=[json.loads(path.read_text()) for path in sorted(HERE.glob("experiments/*.json"))],
        peer=json.loads(PEER.read_text()) if PEER.is_file() else None,
    )


def page(sources: Sources) -> str:
    """Return the page."""
    manifest = sources.manifest
    measured = manifest["measurements"]
    lines = [*_head(manifest), "## Purpose", "", PURPOSE, ""]
    lines += ["## Data and terms", "", *_data(manifest), "## Reference standard", "", REFERENCE, ""]
    lines += ["## Split and control of leakage", "", *_split(manifest)]
    lines += ["## Index test", "", *_index_test(manifest)]
    if measured:
        report = measured[0]["report"]
        lines += ["## Statistical methods", "", METHODS.format(**_method_facts(report)), ""]
        lines += _results(measured[0], manifest)
    else:
        lines += ["## Results", "", "Not measured: do not rely on this model.", ""]
    lines += ["## Comparison", "", *_other_runs(sources), *_peer(sources)]
    lines += ["## Outlines and measures", "", *_anatomy(sources)]
    lines += ["## Maps", "", *_maps(sources), "## Gate", "", *_gate(sources.gate)]
    lines += ["## Limitations", "", LIMITATIONS, "", *checklists()]
    lines += ["## The same study on your own radiographs", "", OWN_STUDY, ""]
    return wrapped("\n".join(lines))


def _head(manifest: dict[str, Any]) -> list[str]:
    lines = [
        "# Validation study",
        "",
        f"How the shipped model, {_identity(manifest)}, was measured, and what was found. Written by",
        "`python docs/make_validation_study.py` from the model's manifest and the records of its",
        "tests; no figure is typed by hand. It is a study of research software by those who made it,",
        "on public data, not reviewed by anybody else.",
        "",
    ]
    measured = manifest["measurements"]
    if not measured:
        return lines
    first = measured[0]
    report = first["report"]
    n_with = {one["finding"]: one["n_positive"] for one in report["findings"]}
    return [
        *lines,
        f"In short: on {_count(report)} of {_tables(first['data'])}, each scored by networks that had",
        f"not seen its patient, the mean area under the ROC curve over {len(n_with)} findings was",
        f"{interval(report['mean_auc'], digits=3)}, and each patient counting alike",
        f"{interval(report['mean_auc_by_patient'], digits=3)}. In brackets, here and below:",
        f"{report['confidence']:.0%} intervals. The command that repeats it, with the data in `DATA`:",
        "",
        f"```sh\n{first['command']}\n```",
        "",
        "What it would find on radiographs of your own, one command measures",
        "([how](#the-same-study-on-your-own-radiographs)).",
        "",
    ]


def _data(manifest: dict[str, Any]) -> list[str]:
    training = manifest["training"]
    config = training["config"]
    outlined = {one["path"] for one in config["outlines"]["tables"]}
    measured = {name for one in manifest["measurements"] for name in one["data"]}
    rows = []
    for path in dict.fromkeys([*training["data"], *sorted(outlined)]):
        what, terms = DATA_WORDS.get(_short(path), ("not described", "those of its owner"))
        uses = ["findings learned"] * (path in training["data"])
        uses += ["measured"] * (path in measured) + ["outlines learned"] * (path in outlined)
        n = training["data"].get(path)
        rows.append((f"`{_short(path)}`", what, f"{n:,}" if n else "", ", ".join(uses), terms))
    heads = ("Table", "What", "Radiographs learned from", "Used for", "Terms")
    return [
        "Retrospective, on what public collections offer: a sample of convenience. Radiographs were",
        "not selected by hand for the measurement; every row of the measured table counts.",
        "",
        table(heads, rows),
        "",
        f"In all {training['n_images']:,} radiographs of {training['n_patients']:,} patients, as far",
        "as the tables name them. Fingerprint of images, labels and patients:",
        f"`{training['data_fingerprint']}`.",
        "",
        *_before(config),
        *_who(manifest),
    ]


def _before(config: dict[str, Any]) -> list[str]:
    """Say which recipes learned from simulated radiographs, which are no patients."""
    told = []
    for recipe in _recipes(config):
        before, beside = recipe.get("pretraining") or {}, recipe.get("simulated") or {}
        if before.get("task") == "simulated":
            told.append(f"`{recipe['name']}` before the labels from {before['images']:,}")
        if beside.get("images"):
            told.append(f"`{recipe['name']}` beside the labels from {beside['images']:,}")
    if not told:
        return []
    return [
        f"Simulated radiographs, which show no patient, were learned from too: {'; '.join(told)}.",
        "",
    ]


def _who(manifest: dict[str, Any]) -> list[str]:
    """Describe the measured patients by what their groups tell."""
    if not manifest["measurements"]:
        return []
    report = manifest["measurements"][0]["report"]
    rows = [
        (one["group"], one["value"], f"{one['n_images']:,}", f"{one['n_patients']:,}")
        for one in report["groups"]
        if one["finding"] == report["findings"][0]["finding"] and one["group"] != "source"
    ]
    sources = [one for one in report["groups"] if one["group"] == "source"]
    lines = [
        "Who was measured:",
        "",
        table(("Group", "Value", "Radiographs", "Patients"), rows),
        "",
    ]
    told = []
    for finding in report["findings"]:
        of = [one for one in sources if one["finding"] == finding["finding"]]
        if of:
            top = max(of, key=lambda one: one["n_positive"])
            told.append(
                (
                    finding["finding"],
                    f"{finding['n_positive']:,} of {finding['n_images']:,}",
                    f"{top['n_positive']:,} from {top['value']}",
                )
            )
    if told:
        lines += [
            "How frequent each finding is, and from which collection most of its examples come. Where",
            "nearly all come from one, a model can learn that collection's look:",
            "",
            table(("Finding", "With it", "Most of these"), told),
            "",
        ]
    return lines


def _split(manifest: dict[str, Any]) -> list[str]:
    config = manifest["training"]["config"]
    lines = [one["method"] + "\n" for one in manifest["measurements"]]
    rules = ["- All images of a patient are on one side of every split."]
    for one in config["data"]["tables"]:
        name = f"`{_short(one['path'])}`"
        if one["role"] == "train":
            rules.append(f"- {name} is only learned from and never measured on.")
        if one.get("same_as_column"):
            rules.append(
                f"- Rows of {name} that its column `{one['same_as_column']}` names as copies of a "
                "held-out image are left out while that image is held out."
            )
        if one.get("same_patients_as"):
            rules.append(
                f"- Rows of {name} of a held-out patient of `{_short(one['same_patients_as'])}` are "
                "left out while that patient is held out."
            )
    rules += [
        "- Calibration, thresholds and prediction sets of a measured image come from the scores of the",
        "  other folds; no epoch, threshold or calibration is chosen on the images it is measured on.",
        "- Folds are balanced by the rarest finding of each row, and are the same for runs with the same",
        "  number of folds, so that runs can be compared on the same images.",
        "",
        "What this does not exclude: the recipes were chosen after looking at cross-validated figures of",
        "many runs on these very patients ([experiments](experiments.md)), so the figures lean to the",
        "good side by what such a choice gains. Copies that no column names may have stayed.",
        "",
    ]
    return [*lines, *rules]


def _index_test(manifest: dict[str, Any]) -> list[str]:
    config = manifest["training"]["config"]
    names = ", ".join(f"`{one['name']}`" for one in _recipes(config))
    version = manifest["training"]["software"]
    return [
        f"{manifest['description']} Recipes that answer together: {names}. Trained with medcxr",
        f"{version}. Input, network, calibration and outputs are told exactly in the",
        "[technical specification](technical-specification.md). A finding counts as present where its",
        f'probability reaches the threshold of the operating point "{manifest["operating_point"]}". The',
        "test knew nothing of the reference standard of a measured image, of the patient's sex or age, or",
        "of any report; the reference standard was made without the test.",
        "",
    ]


def _method_facts(report: dict[str, Any]) -> dict[str, str]:
    return {
        "confidence": f"{report['confidence']:.0%}",
        "n_bootstrap": f"{report['n_bootstrap']:,}",
        "seed": str(report["seed"]),
    }


def _results(measured: dict[str, Any], manifest: dict[str, Any]) -> list[str]:
    report = measured["report"]
    lines = [
        "## Results",
        "",
        f"On {_count(report)} of {_tables(measured['data'])}.",
        "",
        table(
            (
                "Finding",
                "AUC",
                "AUC, patients alike",
                "Average precision",
                "Radiographs",
                "With it",
            ),
            [
                *(
                    (
                        one["finding"],
                        _told(one["auc"]),
                        _told(one["auc_by_patient"]),
                        _told(one["average_precision"]),
                        f"{one['n_images']:,}",
                        f"{one['n_positive']:,}",
                    )
                    for one in report["findings"]
                ),
                (
                    "Mean",
                    _told(report["mean_auc"]),
                    _told(report["mean_auc_by_patient"]),
                    _told(report["mean_average_precision"]),
                    "",
                    "",
                ),
            ],
        ),
        "",
        "## By subgroup",
        "",
        *_groups(report),
    ]
    lines += ["## Calibration", "", *_calibration(measured)]
    lines += ["## Operating points", "", *_decisions(measured, manifest)]
    return [*lines, "## Prediction sets", "", *_sets(measured)]


def _groups(report: dict[str, Any]) -> list[str]:
    names = [one["finding"] for one in report["findings"]]
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for one in report["groups"]:
        rows.setdefault((one["group"], one["value"]), {})[one["finding"]] = one
    shown = [
        (
            *key,
            *(_told(found[n]["auc"]) or "too few" for n in names),
            f"{found[names[0]]['n_images']:,}",
        )
        for key, found in rows.items()
        if any(one["auc"] for one in found.values())
    ]
    left_out = len(rows) - len(shown)
    return [
        "AUC by view, sex, collection and age band where the table names them. Groups with fewer than",
        "five radiographs with a finding, or five without it, have no figure for it;",
        f"{counted(left_out, 'group')} without any figure stand in the model card alone. No correction for many",
        "comparisons was made: with so many groups some differ by chance.",
        "",
        table(("Group", "Value", *names, "Radiographs"), shown),
        "",
    ]


def _calibration(measured: dict[str, Any]) -> list[str]:
    report = measured["report"]
    figures = ("calibration_error", "brier", "calibration_slope", "calibration_intercept")
    lines = [
        "Of the calibration in use, fitted to the other folds. A slope of 1 and an intercept of 0 are",
        "right; a slope under 1 means that probabilities are too extreme.",
        "",
        table(
            ("Finding", "Calibration error (ECE)", "Brier score", "Slope", "Intercept"),
            [
                (one["finding"], *(_told(one[name]) for name in figures))
                for one in report["findings"]
            ],
        ),
        "",
    ]
    if measured["calibrations"]:
        lines += [
            "Other calibrations of the same logits, on the same folds:",
            "",
            table(
                ("Finding", "Calibration", "Calibration error (ECE)", "Brier score", "Slope"),
                [
                    (one["finding"], one["candidate"], *(_told(one[name]) for name in figures[:3]))
                    for one in measured["calibrations"]
                ],
            ),
            "",
        ]
    return lines


def _decisions(measured: dict[str, Any], manifest: dict[str, Any]) -> list[str]:
    report = measured["report"]
    names = list(
        dict.fromkeys(p["name"] for points in manifest["operating_points"].values() for p in points)
    )
    rows = []
    for finding in manifest["findings"]:
        known = {p["name"]: p["threshold"] for p in manifest["operating_points"][finding]}
        rows.append((finding, *(f"{known[n]:.3f}" if n in known else "" for n in names)))
    return [
        f'Measured at "{measured["operating_point"]}", with thresholds chosen on the other folds; the',
        "threshold shown is their mean.",
        "",
        table(
            ("Finding", "Threshold", "Sensitivity", "Specificity", "F1", "Accuracy"),
            [
                (
                    one["finding"],
                    f"{one['threshold']:.3f}",
                    *(
                        _told(one[name])
                        for name in ("sensitivity", "specificity", "f1", "accuracy")
                    ),
                )
                for one in report["findings"]
            ],
        ),
        "",
        "Thresholds of the shipped model, chosen on all measured images together. What they reach on",
        "other patients was not measured of them, but of those above, which were chosen alike.",
        "",
        table(("Finding", *names), rows),
        "",
    ]


def _sets(measured: dict[str, Any]) -> list[str]:
    if not measured["coverage"]:
        return ["Not measured.", ""]
    n = max(one["n_resplits"] for one in measured["coverage"].values())
    return [
        "A prediction set holds every answer that is plausible: present, absent, or both, and then the",
        f"model abstains. Means over {n:,} divisions of the patients, one half setting the bounds and the",
        "other counting; so these have no intervals, and the spread between divisions is not told.",
        "",
        table(
            ("Finding", "Promised", "Kept with the finding", "Kept without it", "Abstained"),
            [
                (
                    finding,
                    f"{one['level']:.0%}",
                    f"{one['present']:.1%}",
                    f"{one['absent']:.1%}",
                    f"{one['uncertain']:.1%}",
                )
                for finding, one in measured["coverage"].items()
            ],
        ),
        "",
    ]


def _other_runs(sources: Sources) -> list[str]:
    run = sources.manifest["training"]["run"]
    record = next((one for one in sources.runs if one["run"] == run), {})
    compared = record.get("whole", [])
    lines = [
        "### With other recipes",
        "",
        f"AUC of the shipped run, `{run}`, as a whole, less that of something else on the same images.",
        "All runs that were tried are in the [experiments](experiments.md).",
        "",
    ]
    if not compared:
        return [*lines, "Not recorded for this run.", ""]
    names = (*sources.manifest["findings"], "Mean")
    rows = [(one["less"], *(_signed(one["differences"].get(n)) for n in names)) for one in compared]
    return [*lines, table(("Less", *names), rows), ""]


def _peer(sources: Sources) -> list[str]:
    lines = ["### With a peer reader", ""]
    peer = sources.peer
    if peer is None:
        return [*lines, "Not done.", ""]
    run = sources.manifest["training"]["run"]
    whose = "the shipped run" if peer["run"] == run else f"an earlier run, not the shipped `{run}`"
    rows = [
        (
            finding,
            f"{one['first']:.3f}",
            f"{one['second']:.3f}",
            _signed(one["difference"]),
            f"{one['p_bootstrap']:.3f}",
            f"{one['p_delong']:.3f}",
            f"{one['n_images']:,} of {one['n_patients']:,} patients",
            f"{one['n_positive']:,}",
        )
        for finding, one in peer["findings"].items()
    ]
    if peer["mean_difference"]:
        rows.append(("Mean", "", "", _signed(peer["mean_difference"]), "", "", "", ""))
    heads = ("Finding", "This", "Peer", "Difference", "p", "p, DeLong", "Radiographs", "With it")
    return [
        *lines,
        f"The peer is {peer['reader']}. AUC of `{peer['run']}`, {whose}, on held-out folds, less the",
        "peer's, on the radiographs that both scored. Both learned from labels of the same kind. Below 0",
        "the peer ranks better; an interval that holds 0 shows no difference. The two AUCs have no",
        "intervals of their own here.",
        "",
        table(heads, rows),
        "",
        _peer_verdict(peer),
        "",
        "```sh",
        f"medcxr compare {SCORES} peer_scores.csv --labels nih/manifest.csv",
        "```",
        "",
    ]


def _peer_verdict(peer: dict[str, Any]) -> str:
    """Say in a sentence for which findings the intervals show a difference."""
    gaps = {finding: one["difference"] for finding, one in peer["findings"].items()}
    worse = [finding for finding, gap in gaps.items() if gap["high"] < 0]
    better = [finding for finding, gap in gaps.items() if gap["low"] > 0]
    open_ = [finding for finding in gaps if finding not in {*worse, *better}]
    told = [
        f"{words} {', '.join(names)}"
        for words, names in (
            ("the peer ranks better on", worse),
            ("this model ranks better on", better),
            ("no difference is shown on", open_),
        )
        if names
    ]
    return f"So {'; '.join(told)}."


def _anatomy(sources: Sources) -> list[str]:
    report, figures = sources.anatomy, sources.manifest["outline_figures"]
    lines = [*_of_another(report["model"], sources)]
    if figures:
        how = (
            f"by {figures['folds']}-fold cross-validation by patient"
            if figures["folds"]
            else "on radiographs of patients held out from learning"
        )
        by_table = [("All", figures), *((_short(p), f) for p, f in figures["by_table"].items())]
        dice = ("dice_lungs", "dice_lungs_as_drawn", "dice_heart")
        keys = (*dice, "ratio_error", "ratio_margin", "ratio_icc")
        lines += [
            f"Outlines beside an expert's, {how}: Dice coefficients, and of the cardiothoracic ratio the",
            "mean absolute error, the error that 95 in 100 do not exceed, and the agreement (ICC). Lungs are",
            'compared as far as the heart, where no expert drew it as far as the outlined one; "as drawn" counts',
            "as missed what was drawn behind that. From the",
            "manifest, which keeps no intervals of these; they are on the page",
            "[of the measures](anatomy.md).",
            "",
            table(
                (
                    *("Table", "n", "Dice, lungs", "As drawn", "Dice, heart"),
                    *("Ratio off by", "95% within", "ICC"),
                ),
                [
                    (name, f"{one['n_images']:,}", *(_plain(one.get(key)) for key in keys))
                    for name, one in by_table
                ],
            ),
            "",
        ]
    rows = [
        (
            _short(one["table"]),
            one["group"],
            one["measure"],
            one["target"],
            f"{one['n_images']:,}",
            f"{one['n_positive']:,}",
            interval(one["auc"]) or "too few",
        )
        for one in report["rankings"]
    ]
    heads = ("Table", "Images", "Measure", "Tells", "n", "With it", "AUC")
    lines += ["What a measure alone tells, without the network:", "", table(heads, rows), ""]
    return [*lines, f"```sh\n{ANATOMY_COMMAND}\n```", ""]


def _maps(sources: Sources) -> list[str]:
    report = sources.explanations
    if "graph" not in report:
        return ["Not told: the record is from before maps were compared pair by pair.", ""]
    told = explanations_from_plain(report)
    rows = []
    for finding in sources.manifest["findings"]:
        shown = best_map(told, finding)
        curves = [c for c in report["curves"] if (c["finding"], c["method"]) == (finding, shown)]
        gains = curves[0]["gains"] if curves else [{}]
        rows += [
            (
                finding,
                shown or "none",
                gain.get("rival", ""),
                interval(gain.get("deletion")),
                interval(gain.get("insertion")),
                f"{curves[0]['n_images']:,}" if curves else "",
            )
            for gain in gains
        ]
    hits = [
        (one["places"], one["finding"], one["method"], str(one["n_images"]), interval(one["hits"]))
        for one in report["places"]
        if one["n_images"] >= LEAST_IMAGES
    ]
    heads = ("Finding", "Map shown", "Rival", "Deletion lower by", "Insertion higher by", "Images")
    return [
        *_of_another(report["model"], sources),
        "A map is shown where hiding its places first lowers the probability more, and showing them first",
        "raises it more, than those of rivals that know nothing of the image, and where it points into",
        "the finding more often than they do, wherever its place is known of enough radiographs",
        "([why](adr/0013-only-maps-shown-to-be-true.md), [and why it must point](adr/0018-a-map-must-point-too.md)). All that was tested is on the page",
        "[of the maps](explanations.md).",
        "",
        table(heads, rows),
        "",
        "How often the strongest place of a map lies in the finding, where at least",
        f"{LEAST_IMAGES} radiographs tell its place:",
        "",
        table(("Places", "Finding", "Map", "Images", "Hits"), hits),
        "",
        f"```sh\n{EXPLANATIONS_COMMAND}\n```",
        "",
    ]


def _gate(gate: dict[str, Any]) -> list[str]:
    rows = [
        (
            one["what"],
            f"{one['n_refused']:,} of {one['n_images']:,}",
            f"{one['share']:.1%} ({one['low']:.1%} to {one['high']:.1%})",
        )
        for one in gate["measured"]
    ]
    return [
        "How many images of each sort the gate refused that had not learned from them, with exact",
        f"binomial 95% intervals; by {gate['settings']['folds']}-fold cross-validation. Frontal",
        "radiographs should pass, everything else be refused.",
        "",
        table(("Images", "Refused", "Share"), rows),
        "",
        f"```sh\n{gate['command']}\n```",
        "",
    ]


def _of_another(model: str, sources: Sources) -> list[str]:
    """Say so where a record is of another model than the shipped one."""
    if model == _identity(sources.manifest):
        return []
    return [f"Measured of {model}, not of the shipped model: to be measured anew.", ""]


def _recipes(config: dict[str, Any]) -> Iterable[dict[str, Any]]:
    beside = [config.get("companion"), *(config.get("further_companions") or ())]
    return [config, *(one for one in beside if one)]


def _identity(manifest: dict[str, Any]) -> str:
    return f"{manifest['name']} {manifest['version']}"


def _count(report: dict[str, Any]) -> str:
    return f"{report['n_images']:,} radiographs of {report['n_patients']:,} patients"


def _tables(paths: Iterable[str]) -> str:
    return ", ".join(f"`{_short(path)}`" for path in paths)


def _short(path: str) -> str:
    return path.replace("/manifest.csv", "")


def _told(estimate: dict[str, float] | None) -> str:
    return interval(estimate, digits=3)


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _signed(gap: dict[str, float] | None) -> str:
    if gap is None:
        return ""
    return f"{gap['value']:+.3f} ({gap['low']:+.3f} to {gap['high']:+.3f})"


if __name__ == "__main__":
    main()
