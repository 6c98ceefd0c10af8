"""How near outlines come to those that experts drew."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from medcxr.anatomy.measuring import measure_anatomy, organ_masks
from medcxr.core.arrays import BoolArray, FloatArray
from medcxr.core.geometry import Geometry
from medcxr.evaluation.agreement import agreement
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.learning.outline_network import ORGANS, OutlineNetwork, outline_input
from medcxr.learning.outline_set import Content, OutlineSet
from medcxr.registry.manifest import OutlineFigures

__all__ = ["outline_figures"]

_HEART = 2
_MOST = 0.95  # of the ratios, whose error lies within the margin


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """One image: Dice coefficients, and the ratio as found and as drawn; None where unknown."""

    table: str
    lungs: float
    heart: float | None
    ratios: tuple[float, float] | None


@torch.inference_mode()
def outline_figures(
    networks: Iterable[tuple[OutlineNetwork, Sequence[int]]],
    images: OutlineSet,
    preprocessing: Preprocessing,
    *,
    folds: int = 0,
) -> OutlineFigures | None:
    """Measure each network on rows that it has not seen; None if there are none.

    Organs are compared as a reader sees them: in one piece, without holes.

    Args:
        networks: each with its rows; of a cross-validation, each row stands beside one of them.
        images: with the experts' masks.
        preprocessing: how inputs are made.
        folds: of the cross-validation; 0 if one network is measured.
    """
    compared = [
        _compare(network, images, row, preprocessing) for network, rows in networks for row in rows
    ]
    if not compared:
        return None
    tables = dict.fromkeys(images.tables[row] for row in range(len(images)))
    of_table = {table: [one for one in compared if one.table == table] for table in tables}
    by_table = {table: _figures(ones, folds) for table, ones in of_table.items() if ones}
    whole = _figures(compared, folds)
    return whole if len(by_table) == 1 else replace(whole, by_table=by_table)


def _compare(
    network: OutlineNetwork, images: OutlineSet, row: int, preprocessing: Preprocessing
) -> _Compared:
    content, drawn = images.contents[row], images.masks[row]
    looked_at = outline_input(images.squares[row], content, preprocessing)
    shares = network(looked_at[None]).sigmoid()[0].numpy()
    found = organ_masks(shares, ORGANS)
    heart, ratios = None, None
    if images.complete[row]:
        heart = _overlap(found[_HEART], drawn[_HEART])
        pair = [_ratio(outlines, content) for outlines in (shares, drawn.astype(np.float32))]
        if pair[0] is not None and pair[1] is not None:
            ratios = (pair[0], pair[1])
    return _Compared(
        table=images.tables[row],
        lungs=_overlap(found[0] | found[1], drawn[0] | drawn[1]),
        heart=heart,
        ratios=ratios,
    )


def _figures(compared: Sequence[_Compared], folds: int) -> OutlineFigures:
    hearts = [one.heart for one in compared if one.heart is not None]
    ratios = [one.ratios for one in compared if one.ratios is not None]
    pairs = np.array(ratios, dtype=np.float64).reshape(-1, 2)
    errors = np.abs(pairs[:, 0] - pairs[:, 1])
    return OutlineFigures(
        n_images=len(compared),
        n_hearts=len(hearts),
        dice_lungs=round(float(np.mean([one.lungs for one in compared])), 4),
        dice_heart=round(float(np.mean(hearts)), 4) if hearts else None,
        n_ratios=len(pairs),
        ratio_error=round(float(errors.mean()), 4) if ratios else None,
        ratio_margin=round(float(np.quantile(errors, _MOST)), 4) if ratios else None,
        ratio_icc=round(agreement(pairs), 4) if len(pairs) > 1 else None,
        folds=folds,
    )


def _ratio(outlines: FloatArray, content: Content) -> float | None:
    """Measure (organs, S, S) as the reader of an analysis sees it measured."""
    top, left, bottom, right = content
    geometry = Geometry(
        original_shape=(bottom - top, right - left), model_size=outlines.shape[-1], content=content
    )
    measured = measure_anatomy(outlines, ORGANS, geometry)
    return None if measured is None else measured.cardiothoracic_ratio


def _overlap(found: BoolArray, drawn: BoolArray) -> float:
    """Dice coefficient of two masks; 1 if both are empty."""
    total = int(found.sum() + drawn.sum())
    return 2 * int((found & drawn).sum()) / total if total else 1.0
