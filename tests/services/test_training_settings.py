"""What a person may choose becomes the recipe that was chosen, or words that say why not."""

import math
import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.learning.config import load_config
from medcxr.services.training_settings import (
    BATCH_SIZES,
    EPOCHS,
    HEADS,
    LAYERS,
    WIDTHS,
    TrainingSettings,
    find_problems,
    recipe_of,
)
from small_training import ROOT

SETTINGS = TrainingSettings(name="ours", table="nih/manifest.csv")


def config_of(settings, folder):
    path = folder / "recipe.toml"
    path.write_text(recipe_of(settings), encoding="utf-8")
    return load_config(path)


def test_the_settings_reach_the_recipe(tmp_path):
    config = config_of(replace(SETTINGS, complete_labels=False), tmp_path)
    assert config.name == "ours"
    (table,) = config.data.tables
    assert (table.path, table.role, table.complete_labels) == ("nih/manifest.csv", "split", False)
    chosen = config.optimization
    assert (chosen.epochs, chosen.batch_size, chosen.learning_rate) == (12, 16, 1e-4)
    assert chosen.early_stopping
    network = config.network
    assert (network.width, network.heads, network.layers) == (256, 8, 4)
    assert config.evaluation.method == "holdout"


def test_the_hybrid_is_that_of_the_shipped_recipe(tmp_path):
    shipped = load_config(ROOT / "configs" / "hybrid_lite0.toml")
    config = config_of(replace(SETTINGS, layers=shipped.network.layers), tmp_path)
    assert config.network == shipped.network
    assert config.preprocessing == shipped.preprocessing
    assert config.augmentation == shipped.augmentation
    assert config.stored_weights == shipped.stored_weights


def test_the_plain_one_is_that_of_the_baseline(tmp_path):
    baseline = load_config(ROOT / "configs" / "experiments" / "seed_baseline.toml")
    chosen = replace(
        SETTINGS, architecture="plain", method="cross_validation", early_stopping=False
    )
    config = config_of(chosen, tmp_path)
    for section in ("network", "preprocessing", "augmentation", "optimization", "evaluation"):
        assert getattr(config, section) == getattr(baseline, section), section


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"heads": 3}, "3 attention heads cannot share a width of 256"),
        ({"method": "cross_validation"}, "turn early stopping off"),
        ({"name": "../x"}, "rename the run"),
        ({"epochs": 0}, "number of epochs must lie in 1…200"),
        ({"learning_rate": math.nan}, "learning rate"),
        ({"learning_rate": -1.0}, "learning rate"),
        ({"batch_size": 10**9}, "batch size"),
        ({"heads": 0}, "attention heads must lie"),
        ({"folds": 1}, "folds"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_words(changes, words):
    settings = replace(SETTINGS, **changes)
    (problem,) = find_problems(settings)
    assert words in problem
    with pytest.raises(DataError, match=r"rename|change it|choose|turn"):
        recipe_of(settings)


@given(
    table=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    epochs=st.integers(*EPOCHS),
    batch_size=st.integers(*BATCH_SIZES),
    width=st.integers(*WIDTHS),
    heads=st.integers(*HEADS),
    layers=st.integers(*LAYERS),
    architecture=st.sampled_from(["hybrid", "plain"]),
    method=st.sampled_from(["holdout", "cross_validation"]),
)
def test_every_accepted_choice_is_a_recipe(tmp_path_factory, table, **chosen):
    settings = replace(SETTINGS, table=table, early_stopping=False, **chosen)
    if find_problems(settings):
        return
    plain = tomllib.loads(recipe_of(settings))
    assert plain["data"]["tables"][0]["path"] == table
    config = config_of(settings, tmp_path_factory.mktemp("recipe"))
    assert config.network.width == chosen["width"]
