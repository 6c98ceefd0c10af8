"""What a configuration file may say, and what it is refused for."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.learning.config import TrainingConfig, load_config
from small_training import ROOT


@pytest.fixture
def load(tmp_path):
    """Return a function that reads a configuration from its text."""

    def load(text):
        path = tmp_path / "recipe.toml"
        path.write_text(text, encoding="utf-8")
        return load_config(path)

    return load


def test_the_defaults_are_the_recommended_settings():
    config = load_config(None)

    optimization, network = config.optimization, config.network
    assert (optimization.epochs, optimization.batch_size) == (12, 16)
    assert optimization.learning_rate == 1e-4
    assert optimization.early_stopping
    assert (network.width, network.heads, network.layers) == (256, 8, 4)
    assert config.data.findings == ("Pneumonia", "Effusion", "Cardiomegaly", "No Finding")
    assert config.evaluation.method == "holdout"


def test_an_empty_file_is_the_defaults(load):
    assert load("") == TrainingConfig()


def test_a_file_changes_what_it_names_and_nothing_else(load):
    config = load("[network]\nwidth = 64\n[[data.tables]]\npath = 'a.csv'\nsame_as_column = 'b'\n")

    plain, defaults = config.as_dict(), TrainingConfig().as_dict()
    assert plain["network"] == {**defaults["network"], "width": 64}
    assert [(t.path, t.role, t.same_as_column) for t in config.data.tables] == [
        ("a.csv", "split", "b")
    ]
    for section in ("preprocessing", "augmentation", "optimization", "evaluation"):
        assert plain[section] == defaults[section]


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.toml")))
def test_every_shipped_recipe_is_read_and_written_as_json(path):
    plain = load_config(path).as_dict()

    assert json.loads(json.dumps(plain, allow_nan=False))["name"] == plain["name"]


def test_the_fingerprint_is_of_the_values_and_not_of_the_text(load):
    first = load("seed = 1 # a comment\n[network]\nwidth = 256\n").fingerprint()

    assert load("seed = 1").fingerprint() == first
    assert load("seed = 2").fingerprint() != first
    assert load("seed = 1\n[augmentation]\nnoise = 0.021").fingerprint() != first


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("epoch = 1", "epoch"),
        ("[optimization]\nepoch = 1", "epoch"),
        ("[[data.tables]]\npaht = 'x.csv'", "paht"),
        ("[preprocessing]\nsizes = 64", "sizes"),
    ],
)
def test_an_unknown_key_is_refused_by_its_name(load, text, key):
    with pytest.raises(DataError, match=rf"recipe\.toml: extra fields found \({key}\)"):
        load(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("name = 3", "name"),
        ("seed = 1.5", "seed"),
        ("precision = '8-bit'", "precision"),
        ("data = 1", "data"),
        ("[data]\ntables = 3", "tables"),
        ("[data]\nfindings = 'Effusion'", "findings"),
        ("[data]\nfindings = [1]", "findings"),
        ("[network]\nstem = 'resnet'", "stem"),
        ("[network]\nwidth = 'wide'", "width"),
        ("[network]\nstem_widths = '888'", "stem_widths"),
        ("[optimization]\nepochs = '12'", "epochs"),
        ("[optimization]\nepochs = 2.7", "epochs"),
        ("[optimization]\nearly_stopping = 'false'", "early_stopping"),
        ("[optimization]\nearly_stopping = 0", "early_stopping"),
        ("[optimization]\nlearning_rate = true", "learning_rate"),
        ("[preprocessing]\nsize = 8", "size"),
        ("[evaluation]\nmethod = 'bootstrap'", "method"),
        ("[evaluation]\nshares = [0.5, 0.5]", "shares"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_its_key(load, text, key):
    with pytest.raises(DataError, match=key):
        load(text)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("", "seed", "-1"),
        ("network", "heads", "0"),
        ("network", "width", "0"),
        ("network", "grid", "0"),
        ("network", "layers", "-1"),
        ("network", "frozen_blocks", "-1"),
        ("network", "dropout", "1.5"),
        ("augmentation", "flip_probability", "2.0"),
        ("augmentation", "gamma", "-0.1"),
        ("augmentation", "zoom", "1.1"),
        ("optimization", "epochs", "0"),
        ("optimization", "batch_size", "0"),
        ("optimization", "checkpoint_steps", "0"),
        ("optimization", "patience", "0"),
        ("optimization", "learning_rate", "0.0"),
        ("optimization", "learning_rate", "nan"),
        ("optimization", "learning_rate", "inf"),
        ("optimization", "average_decay", "1.01"),
        ("optimization", "label_smoothing", "nan"),
        ("evaluation", "folds", "1"),
        ("evaluation", "folds", "0"),
        ("outlines", "folds", "1"),
        ("outlines", "mirrored", "1.5"),
        ("outlines", "fading", "-0.1"),
        ("evaluation", "bootstrap", "0"),
    ],
)
def test_a_number_that_would_stop_the_run_later_is_refused_now(load, section, key, value):
    text = f"[{section}]\n{key} = {value}" if section else f"{key} = {value}"
    with pytest.raises(DataError, match=rf"^{key} = {value}"):
        load(text)


@pytest.mark.parametrize("name", ["", "-x", "_x", "modèle", "a/b", "a b", "a" * 81])
def test_a_name_that_no_model_may_have_is_refused_before_training(load, name):
    with pytest.raises(DataError, match="name = "):
        load(f"name = {json.dumps(name)}")


def test_heads_that_do_not_divide_the_width_are_refused(load):
    with pytest.raises(DataError, match="width = 256 is not divisible by heads = 7"):
        load("[network]\nheads = 7")


def test_the_pretrained_stem_takes_three_channels_only(load):
    with pytest.raises(DataError, match="channels = 1 must be 3"):
        load("[preprocessing]\nchannels = 1\n[network]\nstem = 'efficientnet_lite0'")


def test_early_stopping_is_refused_where_it_would_look_at_the_held_out_fold(load):
    text = "[evaluation]\nmethod = 'cross_validation'\n[optimization]\nearly_stopping = "
    with pytest.raises(DataError, match="early_stopping would let the held-out fold choose"):
        load(text + "true")
    assert not load(text + "false").optimization.early_stopping


TABLES = """
[[data.tables]]
path = "measured.csv"

[[data.tables]]
path = "other.csv"
role = "{role}"
same_patients_as = "{path}"
"""


@pytest.mark.parametrize(
    ("role", "path"),
    [("train", "absent.csv"), ("train", "other.csv"), ("split", "measured.csv")],
)
def test_same_patients_as_must_lead_from_a_training_table_to_a_split_one(load, role, path):
    with pytest.raises(DataError, match=f"same_patients_as = '{path}' of other.csv"):
        load(TABLES.format(role=role, path=path))
    load(TABLES.format(role="train", path="measured.csv"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[data]\nfindings = ['A', 'B', 'A']", "findings names 'A' twice"),
        ("[data]\nfindings = ['A']\nauxiliary_findings = ['A']", "findings names 'A' twice"),
        ("[[data.tables]]\n[[data.tables]]\nrole = 'train'", "path names 'manifest.csv' twice"),
        ("[data]\nfindings = []", "names no table or no finding"),
        ("[data]\ntables = []", "names no table or no finding"),
    ],
)
def test_a_table_or_finding_named_twice_or_not_at_all_is_refused(load, text, words):
    with pytest.raises(DataError, match=words):
        load(text)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"\xff\xfe",
        b"name = ",
        b"[a]\n[a]",
        b"seed = " + b"[" * 5000,
        b"seed = " + b"9" * 5000,
    ],
    ids=range(6),
)
def test_a_file_that_is_no_toml_is_refused(tmp_path, content):
    path = tmp_path / "recipe.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"Configuration recipe\.toml cannot be read"):
        load_config(path)


@given(text=st.text(max_size=40))
@settings(max_examples=60)
def test_any_text_is_a_configuration_or_a_data_error(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("config") / "recipe.toml"
    path.write_text(text, encoding="utf-8", newline="")
    with suppress(DataError):
        assert isinstance(load_config(path), TrainingConfig)


OTHER_TABLE = "[[data.tables]]\n[[data.tables]]\npath = 'other.csv'\nrole = 'train'\n"


def test_a_table_may_teach_some_labels_only(load):
    config = load(OTHER_TABLE + "teaches = ['Effusion']\n")
    assert [table.teaches for table in config.data.tables] == [None, ("Effusion",)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (OTHER_TABLE + "teaches = ['Mass']\n", "teaches of other.csv names 'Mass'"),
        (OTHER_TABLE + "teaches = []\n", "teaches of other.csv names 'nothing'"),
        (OTHER_TABLE + "teaches = 'Effusion'\n", "teaches"),
        ("[[data.tables]]\nteaches = ['Effusion']\n", "whose images are measured"),
    ],
)
def test_what_a_table_teaches_must_be_learned(load, text, words):
    with pytest.raises(DataError, match=words):
        load(text)


OUTLINED = "[[outlines.tables]]\npath = 'outlined.csv'\n"


def test_lesions_are_painted_into_outlined_lungs(load):
    assert load(OUTLINED + "[lesions]\nshare = 0.5\n").lesions.share == 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[lesions]\nshare = 0.5\n", "lesions.share is above 0, but lesions are painted into"),
        (OUTLINED + "[lesions]\nshare = 1.5\n", "share = 1.5"),
        (OUTLINED + "[lesions]\nmap_weight = -1.0\n", "map_weight = -1.0"),
        (
            "[data]\nfindings = ['Cardiomegaly', 'No Finding']\n"
            + OUTLINED
            + "[lesions]\nshare = 0.5\n",
            "only Pneumonia and Effusion are painted",
        ),
        (
            "[data]\nfindings = ['Cardiomegaly', 'Effusion']\n"
            + OUTLINED
            + "[lesions]\nshare = 0.5\n",
            "only Pneumonia and Effusion are painted",
        ),
    ],
)
def test_lesions_that_could_not_be_painted_are_refused(load, text, words):
    with pytest.raises(DataError, match=words):
        load(text)


BELOW = """
name = "below"
description = "Below."
seed = 5
[optimization]
epochs = 3
batch_size = 4
[[data.tables]]
path = "a.csv"
[[data.tables]]
path = "b.csv"
"""
ABOVE = """
extends = "below.toml"
name = "above"
description = "Above."
[optimization]
epochs = 9
[[data.tables]]
path = "c.csv"
"""


def test_a_recipe_that_extends_another_says_only_what_differs(load, tmp_path):
    (tmp_path / "below.toml").write_text(BELOW)
    config = load(ABOVE)
    assert (config.name, config.seed) == ("above", 5)
    assert (config.optimization.epochs, config.optimization.batch_size) == (9, 4)
    assert [table.path for table in config.data.tables] == ["c.csv"]


@pytest.mark.parametrize(
    ("above", "below", "message"),
    [
        (ABOVE, "extends = 'recipe.toml'\n" + BELOW, "does not extend this one"),
        (ABOVE.replace("below.toml", "recipe.toml"), BELOW, "does not extend this one"),
        (ABOVE.replace('"below.toml"', "3"), BELOW, "does not extend this one"),
        (ABOVE.replace("below.toml", "absent.toml"), BELOW, r"absent\.toml cannot be read"),
        (ABOVE.replace('name = "above"', ""), BELOW, "give it a name"),
        ("teacher = 1\n" + ABOVE, BELOW, "teacher of recipe.toml must be the path"),
        ("teacher = 'below.toml'\n" + ABOVE, BELOW, "A teacher needs evaluation.method"),
        (ABOVE + "[soft_labels]\nshare = 1.5\n", BELOW, r"share = 1\.5 must lie in 0…1"),
        (ABOVE + "[pretraining]\nimages = 0\n", BELOW, "images = 0 must be 1 or more"),
        (ABOVE + "[pretraining]\ntask = 'all'\n", BELOW, "task"),
    ],
)
def test_a_recipe_that_cannot_extend_or_learn_so_is_refused(load, tmp_path, above, below, message):
    (tmp_path / "below.toml").write_text(below)
    with pytest.raises(DataError, match=message):
        load(above)


CROSSED = """
[evaluation]
method = "cross_validation"
[optimization]
early_stopping = false
"""


def test_a_teacher_must_have_seen_the_same_folds(load, tmp_path):
    (tmp_path / "teacher.toml").write_text('name = "teacher"\nseed = 4\n' + CROSSED)
    with pytest.raises(DataError, match="differs from cnn-transformer-hybrid in seed"):
        load('teacher = "teacher.toml"\n' + CROSSED)
    with pytest.raises(DataError, match="both give soft labels"):
        load('teacher = "teacher.toml"\nseed = 4\n' + CROSSED + '[soft_labels]\npath = "s.csv"\n')
    assert load('teacher = "teacher.toml"\nseed = 4\n' + CROSSED).teacher is not None


def test_a_path_is_relative_to_the_file_that_names_it(load, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "teacher.toml").write_text('name = "t"\n' + CROSSED)
    (tmp_path / "deep" / "below.toml").write_text('teacher = "teacher.toml"\n' + CROSSED)
    above = 'extends = "deep/below.toml"\nname = "a"\ndescription = "A."\n'
    teacher = load(above).teacher
    assert teacher is not None
    assert teacher.name == "t"
    assert load(above + 'teacher = ""\n').teacher is None


def test_settings_that_came_later_change_no_name_until_they_are_used(load):
    plain = load("").as_dict()
    assert "loss" not in plain["optimization"]
    assert not {"teacher", "soft_labels", "pretraining"} & plain.keys()
    assert not {"folds", "mirrored", "fading"} & plain["outlines"].keys()
    assert load("[outlines]\nfolds = 0\n").fingerprint() == load("").fingerprint()
    used = load("[optimization]\nloss = 'focal'\n")
    assert used.as_dict()["optimization"]["loss"] == "focal"
    assert used.fingerprint() != load("").fingerprint()


def test_centres_as_folds_change_no_name_unless_asked_for(load):
    assert "centre_column" not in load("").as_dict()["evaluation"]
    by_centre = load(
        "[evaluation]\nmethod = 'cross_validation'\ncentre_column = 'source'\n"
        "[optimization]\nearly_stopping = false\n"
    )
    assert by_centre.as_dict()["evaluation"]["centre_column"] == "source"
    assert by_centre.fingerprint() != load("").fingerprint()


def test_centres_as_folds_need_a_cross_validation(load):
    with pytest.raises(DataError, match="centre_column"):
        load("[evaluation]\ncentre_column = 'source'\n")
