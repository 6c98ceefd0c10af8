"""The network of a bundle is built again and answers as its graph does."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from safetensors.torch import load_file

from bundles import tiny_bundle
from medcxr.core.errors import ModelError
from medcxr.datasets.study_table import StudyTable
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Predictor
from medcxr.learning.config import config_from_plain
from medcxr.learning.rebuilding import build_together, load_network
from medcxr.registry.bundle import WEIGHTS_FILE, ModelBundle, write_bundle
from small_training import small_config

pytestmark = pytest.mark.train


def require_equal_answers(bundle, sample_data):
    """Fail unless the rebuilt network and the graph of a bundle give the same logits."""
    predictor, network = Predictor(bundle), load_network(bundle)
    table = StudyTable.read_csv(sample_data / "manifest.csv", bundle.manifest.findings)
    inputs = [predictor.prepare(read_image(table.path(row))) for row in range(3)]
    with torch.inference_mode():
        found = network(torch.from_numpy(np.stack([one.pixels for one in inputs]))).logits
    logits = predictor.predict_prepared(inputs).logits
    np.testing.assert_allclose(found[:, : logits.shape[1]].numpy(), logits, atol=1e-3)
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.slow
def test_the_network_of_a_holdout_answers_as_its_graph(trained, sample_data):
    require_equal_answers(ModelBundle.open(trained.model_folder), sample_data)


@pytest.mark.slow
def test_shuffled_weights_keep_their_values_and_forget_their_places(trained):
    bundle = ModelBundle.open(trained.model_folder)
    weights = load_file(bundle.path(WEIGHTS_FILE))

    shuffled = load_network(bundle, shuffled=1).state_dict()

    moved = 0
    for name, values in weights.items():
        assert torch.equal(values.flatten().sort().values, shuffled[name].flatten().sort().values)
        moved += not torch.equal(values, shuffled[name])
    assert moved > len(weights) / 3  # the others are all equal, or too small
    again = load_network(bundle, shuffled=1).state_dict()
    other = load_network(bundle, shuffled=2).state_dict()
    name = "position"
    assert torch.equal(again[name], shuffled[name])
    assert not torch.equal(other[name], shuffled[name])


@pytest.mark.parametrize(
    ("lines", "prefixes"),
    [
        ({}, {""}),
        ({"[evaluation]": "[evaluation]\nmirrored = true"}, {"network."}),
        (
            {"[evaluation]": "[evaluation]\nmethod = 'cross_validation'\nfolds = 3"},
            {""},  # the network that was trained once more on everything
        ),
        (
            {
                "[evaluation]": "[evaluation]\nmethod = 'cross_validation'\nfolds = 3\n"
                "ship = 'folds'\nmirrored = true"
            },
            {f"members.{n}.network." for n in range(3)},
        ),
        (
            {
                "bootstrap = 20\n": "bootstrap = 20\n[outlines]\nwidths = [4, 4, 4, 4]\n"
                "[[outlines.tables]]\npath = 'o.csv'\n"
            },
            {"reader."},
        ),
    ],
)
def test_each_shape_of_run_has_its_networks(tmp_path, lines, prefixes):
    changes = {"batch_size = 2": "batch_size = 2\nearly_stopping = false", **lines}
    config = small_config(tmp_path, changes)

    names = build_together(config_from_plain(config.as_dict())).state_dict()

    assert {
        name.removesuffix("position") for name in names if name.endswith("position")
    } == prefixes


def test_a_configuration_is_read_back_as_it_was(tmp_path):
    by_folds = "method = 'cross_validation'\nship = 'folds'"
    changes = {
        "batch_size = 2": "batch_size = 2\nearly_stopping = false",
        "[evaluation]": f"[evaluation]\n{by_folds}",
    }
    config = small_config(tmp_path, changes)
    whole = replace(config, companion=replace(config, name="other"))
    assert config_from_plain(whole.as_dict()) == whole


def test_a_bundle_without_weights_cannot_be_built_again(tmp_path):
    with pytest.raises(ModelError, match=r"tiny 1\.0\.0 has no file 'model\.safetensors'"):
        load_network(tiny_bundle(tmp_path / "tiny"))


@pytest.mark.slow
@pytest.mark.parametrize("change", ["weights", "width", "unknown key"])
def test_weights_that_do_not_fit_are_refused(trained, tmp_path, change):
    bundle = ModelBundle.open(trained.model_folder)
    config = bundle.manifest.training.config
    weights = bundle.path(WEIGHTS_FILE)
    if change == "weights":
        weights = tmp_path / "damaged.safetensors"
        weights.write_bytes(bundle.path(WEIGHTS_FILE).read_bytes()[:1000])
    elif change == "width":
        config = {**config, "network": {**config["network"], "width": 32}}
    else:
        config = {**config, "surprise": 1}
    training = replace(bundle.manifest.training, config=config)
    other = write_bundle(
        tmp_path / "other",
        replace(bundle.manifest, training=training),
        {"model.onnx": bundle.path("model.onnx"), WEIGHTS_FILE: weights},
    )
    with pytest.raises(ModelError, match="Use the version that trained it"):
        load_network(other)
