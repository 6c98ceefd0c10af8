"""How near outlines come to those that experts drew."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import nn

from medcxr.anatomy.measuring import measure_anatomy, organ_masks
from medcxr.core.arrays import BoolArray, FloatArray, UInt8Array
from medcxr.core.geometry import Geometry
from medcxr.evaluation.agreement import agreement
from medcxr.evaluation.metrics import auc
from medcxr.explain.outline_sheet import outline_sheet
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.learning.outline_network import ORGANS, outline_input
from medcxr.learning.outline_set import Content, OutlineSet
from medcxr.registry.manifest import OutlineFigures

__all__ = ["Outlined", "compare_outlines", "hardest_outlines", "outline_figures"]

_HEART = 2
_MOST = 0.95  # of the ratios, whose error lies within the margin
_ENLARGED = 0.5  # Danzer 1919: a heart wider than half the chest
_HARDEST = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlined:
    """One image as a network outlines it beside what an expert drew.

    Attributes:
        row: of the image.
        group: its table, and whether lungs are diseased where the table tells it.
        lungs: Dice coefficient of both lungs together, as far as the heart.
        lungs_as_drawn: where the expert drew no heart, and lungs that may go on behind it, the same
            with all of that counted as missed; None otherwise.
        heart: that of the heart; None where no expert drew it.
        ratios: cardiothoracic ratio as outlined and as drawn; None where either is unknown.
        found: (organs, size, size), packed to bits.
    """

    row: int
    group: str
    lungs: float
    lungs_as_drawn: float | None
    heart: float | None
    ratios: tuple[float, float] | None
    found: UInt8Array

    @property
    def agreement(self) -> float:
        """Return the mean of the Dice coefficients that are known."""
        return self.lungs if self.heart is None else (self.lungs + self.heart) / 2


@torch.inference_mode()
def compare_outlines(
    networks: Iterable[tuple[nn.Module, Sequence[int]]],
    images: OutlineSet,
    preprocessing: Preprocessing,
) -> list[Outlined]:
    """Outline rows by networks that have not seen them.

    Organs are compared as a reader sees them: in one piece, without holes. Lungs end at the heart;
    where no expert drew it and a lung may go on behind it, that is at the outlined one.

    Args:
        networks: each with its rows; of a cross-validation, each row stands beside one of them.
        images: with the experts' masks.
        preprocessing: how inputs are made.
    """
    return [
        _compare(network, images, row, preprocessing) for network, rows in networks for row in rows
    ]


def outline_figures(compared: Sequence[Outlined], *, folds: int = 0) -> OutlineFigures | None:
    """Return how near the outlines come; None if nothing was compared.

    Args:
        compared: each image once.
        folds: of the cross-validation; 0 if one network is measured.
    """
    if not compared:
        return None
    groups = sorted({one.group for one in compared})
    by_group = {g: _figures([one for one in compared if one.group == g], folds) for g in groups}
    whole = _figures(compared, folds)
    return whole if len(by_group) == 1 else replace(whole, by_table=by_group)


def hardest_outlines(compared: Sequence[Outlined], images: OutlineSet) -> bytes:
    """Return a PNG of the ten radiographs whose outlines agree least: the expert's at the right.

    It shows patients' images: it stays in the run's folder and goes into no bundle.
    """
    hardest = sorted(compared, key=lambda one: one.agreement)[:_HARDEST]
    rows = []
    for one in hardest:
        masks = images.masks[one.row]
        found = np.unpackbits(one.found, count=masks.size).reshape(masks.shape).astype(np.bool_)
        heart = "" if one.heart is None else f", heart {one.heart:.2f}"
        words = f"{one.group}: Dice of lungs {one.lungs:.2f}{heart}"
        rows.append((words, images.squares[one.row].astype(np.float32), (found, masks)))
    file = io.BytesIO()
    Image.fromarray(outline_sheet(rows)).save(file, "PNG")
    return file.getvalue()


def _compare(
    network: nn.Module, images: OutlineSet, row: int, preprocessing: Preprocessing
) -> Outlined:
    content, drawn = images.contents[row], images.masks[row]
    looked_at = outline_input(images.squares[row], content, preprocessing)
    shares = network(looked_at[None]).sigmoid()[0].numpy()
    found = organ_masks(shares, ORGANS)
    lungs, drawn_lungs = (organs[0] | organs[1] for organs in (found, drawn))
    as_drawn, heart, ratios = None, None, None
    if not images.complete[row]:
        as_drawn = _overlap(lungs, drawn_lungs)
        lungs, drawn_lungs = (organ & ~found[_HEART] for organ in (lungs, drawn_lungs))
    else:
        heart = _overlap(found[_HEART], drawn[_HEART])
        pair = [_ratio(outlines, content) for outlines in (shares, drawn.astype(np.float32))]
        if pair[0] is not None and pair[1] is not None:
            ratios = (pair[0], pair[1])
    return Outlined(
        row=row,
        group=images.groups[row],
        lungs=_overlap(lungs, drawn_lungs),
        lungs_as_drawn=as_drawn,
        heart=heart,
        ratios=ratios,
        found=np.packbits(found),
    )


def _figures(compared: Sequence[Outlined], folds: int) -> OutlineFigures:
    hearts = [one.heart for one in compared if one.heart is not None]
    ratios = [one.ratios for one in compared if one.ratios is not None]
    as_drawn = [one.lungs_as_drawn for one in compared if one.lungs_as_drawn is not None]
    pairs = np.array(ratios, dtype=np.float64).reshape(-1, 2)
    errors = np.abs(pairs[:, 0] - pairs[:, 1])
    enlarged = pairs[:, 1] > _ENLARGED
    told = auc(enlarged, pairs[:, 0])
    return OutlineFigures(
        n_images=len(compared),
        n_hearts=len(hearts),
        dice_lungs=round(float(np.mean([one.lungs for one in compared])), 4),
        dice_heart=round(float(np.mean(hearts)), 4) if hearts else None,
        n_as_drawn=len(as_drawn),
        dice_lungs_as_drawn=round(float(np.mean(as_drawn)), 4) if as_drawn else None,
        n_ratios=len(pairs),
        ratio_error=round(float(errors.mean()), 4) if ratios else None,
        ratio_margin=round(float(np.quantile(errors, _MOST)), 4) if ratios else None,
        ratio_icc=round(agreement(pairs), 4) if len(pairs) > 1 else None,
        folds=folds,
        n_enlarged=int(enlarged.sum()),
        enlarged_auc=None if told is None else round(told, 4),
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
