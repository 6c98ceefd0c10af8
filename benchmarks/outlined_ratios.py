"""How near a cross-validated run's cardiothoracic ratios come to those that experts state.

    python benchmarks/outlined_ratios.py CONFIG RUN DATA [--out FILE]

Needs the train extra. A run compares its ratios with those of the masks that experts drew
(`medcxr train`, docs/anatomy.md). A table may also state the ratio itself, in a column
`cardiothoracic_ratio`, and not of every radiograph. Here each radiograph is outlined by the fold's
network that has not seen its patient, and its ratio compared with the mask's and with the stated one.
Intervals are 95% bootstraps over patients. `docs/make_anatomy.py` writes the JSON file into its page.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn
from torch.optim.swa_utils import AveragedModel

from medcxr.core.arrays import Statistics
from medcxr.core.results import Estimate
from medcxr.datasets.outline_tables import outlined_patient, patient_folds
from medcxr.datasets.study_table import read_rows
from medcxr.evaluation.agreement import agreement
from medcxr.learning.checkpoint import CHECKPOINT_FILE, load_checkpoint
from medcxr.learning.config import OutlineConfig, load_config
from medcxr.learning.outline_measuring import compare_outlines
from medcxr.learning.outline_network import OutlineNetwork, build_outliner
from medcxr.learning.outline_set import OutlineSet

_STATED = "cardiothoracic_ratio"
_RESAMPLES = 1000
_FIGURES = ("error", "agreement")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Compare a run's ratios with stated ones.")
    parser.add_argument("config", type=Path, help="that the run was trained by")
    parser.add_argument("run", type=Path, help="its folder, with a checkpoint of each fold")
    parser.add_argument("data", type=Path, help="folder of the tables")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    outlined = OutlineSet.load(config.outlines.tables, arguments.data, config.preprocessing)
    folds = patient_folds(
        outlined.patients, outlined.tables, config.outlines.folds, seed=config.seed
    )
    networks = [
        (_network(config.outlines, arguments.run / f"outlines-fold-{number}"), rows)
        for number, rows in enumerate(folds, start=1)
    ]
    compared = compare_outlines(networks, outlined, config.preprocessing)
    pairs: dict[str, tuple[float, float]] = {}
    for one in compared:
        if one.ratios is not None:
            pairs[outlined.patients[one.row]] = one.ratios
    of_table = dict(zip(outlined.patients, outlined.tables, strict=True))
    stated = _stated(arguments.data, sorted(set(outlined.tables)))
    told = {p: (found, stated[p]) for p, (found, _) in pairs.items() if p in stated}
    states = {of_table[patient] for patient in told}
    rows = []
    for table in sorted({of_table[patient] for patient in pairs}):
        drawn = {p: pair for p, pair in pairs.items() if of_table[p] == table}
        rows.append(_row(table, "drawn", drawn.values()))
        if table in states:
            of_it = {p: pair for p, pair in told.items() if p in drawn}
            rows += [
                _row(table, "stated", of_it.values()),
                _row(table, "drawn, none stated", [drawn[p] for p in drawn if p not in of_it]),
            ]
    elsewhere = {p: pair for p, pair in pairs.items() if of_table[p] not in states}
    rows += [
        _row("all", "drawn", pairs.values()),
        _row("all", "stated, drawn where a table states none", {**elsewhere, **told}.values()),
    ]
    for row in rows:
        told_row = ", ".join(f"{name} {row[name].told(4, of_bounds=4)}" for name in _FIGURES)
        print(f"{row['table']:24} {row['by_experts']:40} {row['n']:4} {told_row}")
    if arguments.out is not None:
        outlined_as, by_expert = max(pairs.values(), key=lambda pair: abs(pair[0] - pair[1]))
        record = {
            "run": arguments.run.name,
            "folds": len(folds),
            "rows": [row | {name: asdict(row[name]) for name in _FIGURES} for row in rows],
            "farthest": {"outlined": outlined_as, "drawn": by_expert},
        }
        arguments.out.write_text(json.dumps(record) + "\n", encoding="utf-8")


def _network(config: OutlineConfig, folder: Path) -> nn.Module:
    checkpoint = load_checkpoint(folder / CHECKPOINT_FILE)
    if checkpoint is None:
        raise SystemExit(f"{folder} has no checkpoint; finish the run with `medcxr train`.")
    network = OutlineNetwork(config.widths, pretrained=False)
    average = AveragedModel(network, use_buffers=True)
    average.load_state_dict(checkpoint[0]["average"])
    network.load_state_dict(average.module.state_dict())
    return build_outliner(config, network)


def _stated(data: Path, tables: Sequence[str]) -> dict[str, float]:
    """Return patient -> stated ratio."""
    return {
        outlined_patient(table, row): float(row[_STATED])
        for table in tables
        for row in read_rows(data / table, required=("image_path",))
        if row.get(_STATED)
    }


def _row(table: str, by_experts: str, pairs: Iterable[tuple[float, float]]) -> dict[str, Any]:
    """Return how near ratios come to those of experts.

    Args:
        table: of the radiographs.
        by_experts: where the experts' ratios are from.
        pairs: ratios as outlined and by experts.
    """
    values = np.array(list(pairs), dtype=np.float64)
    return {
        "table": table,
        "by_experts": by_experts,
        "n": len(values),
        "error": _estimate(values, _error),
        "agreement": _estimate(values, agreement),
    }


def _error(pairs: Statistics) -> float:
    return float(np.abs(pairs[:, 0] - pairs[:, 1]).mean())


def _estimate(pairs: Statistics, statistic: Callable[[Statistics], float]) -> Estimate:
    random, n = np.random.default_rng(0), len(pairs)
    drawn = [statistic(pairs[random.integers(0, n, n)]) for _ in range(_RESAMPLES)]
    low, high = np.quantile(drawn, (0.025, 0.975)).tolist()
    return Estimate(value=statistic(pairs), low=low, high=high)


if __name__ == "__main__":
    main()
