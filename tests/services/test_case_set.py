"""Cases to compare with."""

from dataclasses import replace

import numpy as np
import pytest

from bundles import FINDINGS
from medcxr.core.errors import DataError, ModelError
from medcxr.datasets.study_table import StudyTable
from medcxr.services.analysis import analyze_image
from medcxr.services.case_map import place_case
from medcxr.services.case_set import simulated_cases, table_cases


@pytest.fixture
def simulated(tiny_workspace):
    return simulated_cases(tiny_workspace, n_images=12)


@pytest.fixture
def analyzed(tiny_workspace, sample_data):
    table = StudyTable.read_csv(sample_data / "manifest.csv", FINDINGS)
    return analyze_image(tiny_workspace, table.path(3), gate=False)


def test_simulated_chests_have_known_findings_in_turn(simulated):
    assert simulated.model == "tiny 1.0.0"
    assert simulated.unreadable == 0
    assert len({one.name for one in simulated.cases}) == len(simulated.cases) == 12
    present = [
        [name for name, label in zip(FINDINGS, one.labels, strict=True) if label]
        for one in simulated.cases
    ]
    assert [len(one) for one in present] == [1] * 12
    assert {one[0] for one in present} == set(FINDINGS)
    assert np.ptp([one.logits[0] for one in simulated.cases]) > 0


def test_the_same_seed_simulates_the_same_chests(tiny_workspace, simulated):
    again = simulated_cases(tiny_workspace, n_images=12)
    for one, other in zip(simulated.cases, again.cases, strict=True):
        assert np.array_equal(one.evidence, other.evidence)


def test_a_tables_cases_carry_its_names_and_unusable_files_are_counted(
    tiny_workspace, sample_data, tmp_path
):
    whole = table_cases(tiny_workspace, sample_data / "manifest.csv", n_images=6)
    assert len(whole.cases) == 6
    assert all(one.name.startswith("images/") for one in whole.cases)
    (tmp_path / "bad.png").write_text("not an image")
    (tmp_path / "t.csv").write_text("image_path\nbad.png\n")
    nothing = table_cases(tiny_workspace, tmp_path / "t.csv")
    assert (len(nothing.cases), nothing.unreadable) == (0, 1)


def test_a_case_is_placed_by_the_model_that_saw_the_others(tiny_workspace, simulated, analyzed):
    placed = place_case(tiny_workspace, analyzed, simulated, "Effusion", named="them")
    assert placed.found.n_cases == len(placed.labels) == len(placed.cases) == 12
    assert len(placed.found.neighbors) == 5
    nearest = placed.cases[placed.placement.neighbors[0]]
    assert placed.found.neighbors[0].image_path == nearest.name
    other = replace(simulated, model="another 1.0.0")
    with pytest.raises(ModelError, match="compare again"):
        place_case(tiny_workspace, analyzed, other, "Effusion", named="them")
    few = replace(simulated, cases=simulated.cases[:9])
    with pytest.raises(DataError, match="10 are needed"):
        place_case(tiny_workspace, analyzed, few, "Effusion", named="them")
