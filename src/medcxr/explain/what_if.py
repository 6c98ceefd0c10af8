"""The smallest part of a radiograph that the answer hangs on: hide it, and the answer is another."""

from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import BoolArray, FloatArray
from medcxr.core.language import say, say_number, text
from medcxr.core.results import FindingResult
from medcxr.explain.occlusion import Scorer, batches, blurred, cell_masks, hidden

__all__ = ["WhatIf", "hidden_places", "smallest_occlusion", "told_what_if"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What it takes to change the answer to one finding.

    Attributes:
        finding: its name.
        present: the answer to the whole radiograph.
        threshold: probability from which the finding counts as present.
        probability: of the whole radiograph.
        changes: whether the answer changed before everything was hidden.
        changed_probability: with the places hidden.
        grid: places per side.
        places: (row, column) of each hidden place, in the order in which they were hidden.
        share: of all places that had to be hidden, 0…1.
    """

    finding: str
    present: bool
    threshold: float
    probability: float
    changes: bool
    changed_probability: float
    grid: int
    places: tuple[tuple[int, int], ...]
    share: float


def smallest_occlusion(
    score: Scorer, x: FloatArray, falls: FloatArray, found: FindingResult, column: int
) -> WhatIf:
    """Hide ever more places until the answer changes.

    The places come in the order of the occlusion map: those that speak most for the answer first.
    So it is the smallest part in this order; another choice of as many places may do it too.

    Args:
        score: probabilities of inputs.
        x: (C, S, S), one input.
        falls: (grid, grid), by how much the finding's logit falls when the place is hidden.
        found: the answer to the whole radiograph.
        column: of the finding in the scores.
    """
    grid = falls.shape[0]
    order = np.argsort(-falls.reshape(-1) if found.present else falls.reshape(-1), kind="stable")
    cells, haze = cell_masks(x.shape[-1], grid), blurred(x)
    masks = (np.any(cells[order[:count]], axis=0) for count in range(1, len(order) + 1))
    probability, count = found.probability, 0
    for batch in batches(hidden(x, haze, mask) for mask in masks):
        for value in score(batch)[:, column].tolist():
            probability, count = value, count + 1
            if (probability >= found.threshold) != found.present:
                return _result(found, grid, order[:count].tolist(), probability, changes=True)
    return _result(found, grid, order.tolist(), probability, changes=False)


def hidden_places(what: WhatIf) -> BoolArray:
    """Return (grid, grid): the places that were hidden."""
    mask = np.zeros((what.grid, what.grid), dtype=np.bool_)
    for row, column in what.places:
        mask[row, column] = True
    return mask


def told_what_if(what: WhatIf) -> str:
    """Say in a sentence what would change the answer."""
    whole = say(
        _IS_PRESENT if what.present else _IS_ABSENT,
        finding=say(what.finding),
        probability=what.probability,
        threshold=what.threshold,
    )
    if not what.changes:
        unchanged = say(
            "Hiding places does not change this: with the whole image hidden it is {changed:.1%}.",
            changed=what.changed_probability,
        )
        return f"{whole} {unchanged}"
    changed = say_number(
        "Hiding the {number} place that speaks most for this answer ({share:.0%} of the image) makes "
        "it {changed:.1%}, {answer}.",
        "Hiding the {number} places that speak most for this answer ({share:.0%} of the image) makes "
        "it {changed:.1%}, {answer}.",
        len(what.places),
        share=what.share,
        changed=what.changed_probability,
        answer=say("absent") if what.present else say("present"),
    )
    return f"{whole} {changed}"


_IS_PRESENT = text(
    "{finding} has a probability of {probability:.1%} and counts as present (present from "
    "{threshold:.1%})."
)
_IS_ABSENT = text(
    "{finding} has a probability of {probability:.1%} and counts as absent (present from "
    "{threshold:.1%})."
)


def _result(
    found: FindingResult, grid: int, order: list[int], probability: float, *, changes: bool
) -> WhatIf:
    return WhatIf(
        finding=found.finding,
        present=found.present,
        threshold=found.threshold,
        probability=found.probability,
        changes=changes,
        changed_probability=probability,
        grid=grid,
        places=tuple((place // grid, place % grid) for place in order),
        share=len(order) / grid**2,
    )
