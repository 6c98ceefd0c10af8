"""Two recipes that are measured together and answer together."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from safetensors.torch import load_file

from medcxr.core.errors import DataError
from medcxr.datasets.study_table import StudyTable, read_rows
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Predictor
from medcxr.learning.checkpoint import CHECKPOINT_FILE, load_checkpoint
from medcxr.learning.config import load_config
from medcxr.learning.experiment import Hardware, run_experiment
from medcxr.learning.quick_look import n_networks
from medcxr.learning.rebuilding import build_together, load_network
from small_training import SMALL_TOML

pytestmark = pytest.mark.train

CPU = Hardware(accelerator="cpu")
BASE = SMALL_TOML.replace("batch_size = 2", "batch_size = 8\nearly_stopping = false").replace(
    "[evaluation]", "[evaluation]\nmethod = 'cross_validation'\nfolds = 3\nship = 'folds'"
)
PLAIN = BASE.replace('name = "small"', 'name = "plain"').replace("layers = 1", "layers = 0")


def write(folder, own, other):
    (folder / "others").mkdir()
    (folder / "others" / "plain.toml").write_text(other)
    path = folder / "own.toml"
    path.write_text('companion = "others/plain.toml"\n' + own)
    return path


def test_the_companion_is_read_from_beside_the_file(tmp_path):
    config = load_config(write(tmp_path, BASE, PLAIN))
    assert config.companion == load_config(tmp_path / "others" / "plain.toml")
    assert config.companion.name == "plain"
    assert json.loads(json.dumps(config.as_dict()))["companion"]["name"] == "plain"
    alone = tmp_path / "alone.toml"
    alone.write_text(BASE)
    assert load_config(alone).fingerprint() != config.fingerprint()


@pytest.mark.parametrize(
    ("own", "other", "words"),
    [
        (BASE, PLAIN.replace("seed = 3", "seed = 4"), "plain differs from small in seed"),
        (BASE, PLAIN.replace("size = 64", "size = 96"), "differs from small in preprocessing"),
        (BASE, PLAIN.replace("folds = 3", "folds = 2"), "differs from small in evaluation"),
        (
            BASE,
            PLAIN.replace("layers = 0", "layers = 0\ngrid = 12"),
            "small have 8 places per side, which does not divide the 12",
        ),
        (BASE, PLAIN.replace('["Mass"]', "[]"), "differs from small in data.auxiliary_findings"),
        (BASE, PLAIN + "[[data.tables]]\npath = 'a.csv'\n", "the tables with the role 'split'"),
        (
            BASE,
            PLAIN + "[[data.tables]]\n[[data.tables]]\npath = 'b.csv'\nrole = 'train'\n",
            "learns from b.csv, which is no table of small",
        ),
        (BASE, PLAIN + "[[outlines.tables]]\npath = 'o.csv'\n", "outlines or paints lesions"),
        (
            BASE.replace("'cross_validation'", "'holdout'"),
            PLAIN.replace("'cross_validation'", "'holdout'"),
            "needs evaluation.method",
        ),
        (BASE, 'companion = "plain.toml"\n' + PLAIN, "name one that names none"),
        ("", "epoch = 1", "epoch"),
    ],
)
def test_a_companion_that_cannot_answer_beside_is_refused(tmp_path, own, other, words):
    with pytest.raises(DataError, match=words):
        load_config(write(tmp_path, own, other))


def test_a_companion_ships_as_the_recipe_beside_which_it_answers(tmp_path):
    config = load_config(write(tmp_path, BASE.replace("ship = 'folds'", "ship = 'refit'"), PLAIN))
    network = build_together(config)
    assert [len(recipe.members) for recipe in network.members] == [1, 1]
    grids = [recipe.members[0].grid for recipe in network.members]
    assert grids == [config.network.grid, config.companion.network.grid]
    assert n_networks(build_together(load_config(tmp_path / "own.toml"))) == 2


def test_a_recipe_more_than_folds_may_ship_by_networks_of_all(tmp_path):
    own = BASE.replace("folds = 3", "folds = 2").replace("'folds'", "'refit'")
    other = PLAIN.replace("folds = 3", "folds = 2")
    path = write(tmp_path, own, other)
    (tmp_path / "others" / "third.toml").write_text(other.replace('"plain"', '"third"'))
    three = 'companion = ["others/plain.toml", "others/third.toml"]\n'
    path.write_text(three + own)
    assert len(load_config(path).companions) == 2
    path.write_text(three + own.replace("'refit'", "'folds'"))
    with pytest.raises(DataError, match="would share 2 folds"):
        load_config(path)


def test_a_missing_companion_is_named(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('companion = "absent.toml"\n' + BASE)
    with pytest.raises(DataError, match=r"absent\.toml cannot be read"):
        load_config(path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, sample_data):
    """Train some parts alone, and then the run; return its folder and bundle."""
    folder = tmp_path_factory.mktemp("companion")
    config = load_config(write(folder, BASE, PLAIN))

    def run(only=None):
        return run_experiment(
            config, sample_data, folder / "runs", command="c", hardware=CPU, only=only
        )

    with pytest.raises(DataError, match=r"'companion-fold-9'.*fold-3, companion-fold-1"):
        run("companion-fold-9")
    assert run("companion-fold-2") is None
    (run_folder,) = (folder / "runs").iterdir()
    assert (run_folder / "companion" / "fold-2" / "held_out.csv").is_file()
    assert not (run_folder / "fold-2" / "checkpoint.safetensors").exists()
    return run_folder, run()


def test_both_are_trained_and_events_tell_them_apart(trained):
    run_folder, bundle = trained
    lines = (run_folder / "events.jsonl").read_text().splitlines()
    parts = {event["part"] for event in map(json.loads, lines) if event["event"] == "epoch"}
    assert parts == {f"{kind}fold-{n}" for kind in ("", "companion-") for n in (1, 2, 3)}
    shares = "this one by the networks of fold 1 and 3, plain by the networks of fold 2"
    assert (
        f"Two recipes answer together in this bundle, by the mean of what each says: {shares}"
        in (bundle.manifest.measurements[0].method)
    )
    assert bundle.manifest.training.config["companion"]["name"] == "plain"


def test_each_image_is_measured_by_one_network_of_each(trained):
    run_folder, bundle = trained
    findings = bundle.manifest.findings
    for folder in (run_folder, run_folder / "companion"):
        tables = [read_rows(path, required=()) for path in sorted(folder.glob("fold-*/*.csv"))]
        named = [{row["image_path"] for row in rows} for rows in tables]
        assert len(set.union(*named)) == sum(map(len, named)) == 40
    own, beside, joint = (
        scores(sorted(folder.glob(pattern)), findings)
        for folder, pattern in (
            (run_folder, "fold-*/held_out.csv"),
            (run_folder / "companion", "fold-*/held_out.csv"),
            (run_folder, "out_of_fold.csv"),
        )
    )
    for fold in {fold for _, fold in joint.values()}:
        images = [image for image, (_, number) in joint.items() if number == fold]
        assert {own[image][1] for image in images} == {fold}  # the same folds in both
        assert {beside[image][1] for image in images} == {fold}
        mean = np.array([logit(own[i][0]) + logit(beside[i][0]) for i in images]) / 2
        calibrated = logit(np.array([joint[i][0] for i in images]))
        for column in range(len(findings)):
            # calibration is a line in the logit, another one for each fold
            assert np.ptp(mean[:, column]) == 0 or abs(
                np.corrcoef(mean[:, column], calibrated[:, column])[0, 1]
            ) == pytest.approx(1, abs=1e-3)


def scores(paths, findings):
    """Return image -> probabilities and fold."""
    rows = [row for path in paths for row in read_rows(path, required=())]
    return {
        row["image_path"]: (np.array([float(row[name]) for name in findings]), row["fold"])
        for row in rows
    }


def logit(p):
    return np.log(p / (1 - p))


def test_the_bundle_holds_odd_folds_of_the_one_and_even_folds_of_the_other(trained, sample_data):
    run_folder, bundle = trained
    weights = load_file(bundle.path("model.safetensors"))
    parts = {
        "members.0.members.0.": run_folder / "fold-1",
        "members.0.members.1.": run_folder / "fold-3",
        "members.1.members.0.": run_folder / "companion" / "fold-2",
    }
    assert {name[: len("members.0.members.0.")] for name in weights} == set(parts)
    for prefix, folder in parts.items():
        groups, _ = load_checkpoint(folder / CHECKPOINT_FILE)
        trained_weights = groups["average"]["module.norm.weight"]
        assert torch.equal(weights[f"{prefix}norm.weight"], trained_weights)
    table = StudyTable.read_csv(sample_data / "manifest.csv", bundle.manifest.findings)
    predictions = Predictor(bundle).predict([read_image(table.path(row)) for row in range(4)])
    assert np.allclose(predictions.maps.sum(axis=(2, 3)), predictions.logits, atol=1e-3)


def three(folder):
    """Write a recipe with two companions, the second in another precision."""
    (folder / "plain.toml").write_text(PLAIN)
    third = PLAIN.replace('name = "plain"', 'name = "third"\nprecision = "bf16-mixed"')
    (folder / "third.toml").write_text(third)
    path = folder / "own.toml"
    path.write_text('companion = ["plain.toml", "third.toml"]\n' + BASE)
    return path


@pytest.fixture(scope="module")
def of_three(tmp_path_factory, sample_data):
    """Train three recipes that answer together; return the run's folder and bundle."""
    folder = tmp_path_factory.mktemp("three")
    config = load_config(three(folder))

    def run(only=None):
        return run_experiment(
            config, sample_data, folder / "runs", command="c", hardware=CPU, only=only
        )

    assert run("companion-2-fold-3") is None
    (run_folder,) = (folder / "runs").iterdir()
    assert (run_folder / "companion-2" / "fold-3" / "held_out.csv").is_file()
    return run_folder, run()


def test_several_companions_share_the_folds_of_a_bundle(of_three):
    run_folder, bundle = of_three

    weights = load_file(bundle.path("model.safetensors"))
    parts = {
        "members.0.members.0.": run_folder / "fold-1",
        "members.1.members.0.": run_folder / "companion" / "fold-2",
        "members.2.members.0.": run_folder / "companion-2" / "fold-3",
    }
    assert {name[: len("members.0.members.0.")] for name in weights} == set(parts)
    for prefix, folder in parts.items():
        groups, _ = load_checkpoint(folder / CHECKPOINT_FILE)
        assert torch.equal(weights[f"{prefix}norm.weight"], groups["average"]["module.norm.weight"])
    told = bundle.manifest.measurements[0].method
    assert "Three recipes answer together" in told
    assert "this one by the networks of fold 1, plain by the networks of fold 2, third by" in told
    recipe = bundle.manifest.training.config
    assert recipe["companion"]["name"] == "plain"
    assert [one["name"] for one in recipe["further_companions"]] == ["third"]


def test_all_of_several_recipes_are_measured_together(of_three):
    run_folder, bundle = of_three
    findings = bundle.manifest.findings
    each = [
        scores(sorted((run_folder / folder).glob("fold-*/held_out.csv")), findings)
        for folder in (".", "companion", "companion-2")
    ]
    joint = scores([run_folder / "out_of_fold.csv"], findings)
    first = [image for image, (_, fold) in joint.items() if fold == "1"]
    mean = np.mean([[logit(one[image][0]) for image in first] for one in each], axis=0)
    calibrated = logit(np.array([joint[image][0] for image in first]))

    for column in range(len(findings)):
        assert np.ptp(mean[:, column]) == 0 or abs(
            np.corrcoef(mean[:, column], calibrated[:, column])[0, 1]
        ) == pytest.approx(1, abs=1e-3)


def test_recipes_that_cannot_share_the_folds_are_refused(tmp_path):
    path = three(tmp_path)
    path.write_text('companion = ["plain.toml", "plain.toml"]\n' + BASE)
    with pytest.raises(DataError, match="Two recipes that answer together are named plain"):
        load_config(path)
    path.write_text('companion = ["plain.toml", "third.toml"]\n' + BASE.replace("= 3", "= 2"))
    with pytest.raises(DataError, match="3 recipes would share 2 folds"):
        load_config(path)
    path.write_text("companion = ['plain.toml', 3]\n" + BASE)
    with pytest.raises(DataError, match="must be the path of another configuration"):
        load_config(path)


def test_the_network_is_built_again_from_the_bundle(trained, sample_data):
    _, bundle = trained
    predictor, network = Predictor(bundle), load_network(bundle)
    table = StudyTable.read_csv(sample_data / "manifest.csv", bundle.manifest.findings)
    inputs = [predictor.prepare(read_image(table.path(row))) for row in range(2)]
    with torch.inference_mode():
        found = network(torch.from_numpy(np.stack([one.pixels for one in inputs]))).logits
    logits = predictor.predict_prepared(inputs).logits
    np.testing.assert_allclose(found[:, : logits.shape[1]].numpy(), logits, atol=1e-3)
