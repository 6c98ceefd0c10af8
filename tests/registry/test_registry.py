"""Which model answers: chosen, taken back, and never disturbed by a damaged neighbor."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import tiny_bundle, tiny_graph
from medcxr.core.errors import ModelError, StorageError
from medcxr.registry.bundle import ModelBundle
from medcxr.registry.registry import ModelRegistry
from medcxr.registry.shipped import DEFAULT_FILE, SHIPPED_MODELS, default_model


@pytest.fixture
def shipped(tmp_path):
    folder = tmp_path / "shipped"
    tiny_bundle(folder / "careful-1.0.0", name="careful", created="2026-01-01")
    tiny_bundle(folder / "quick-1.0.0", name="quick", created="2026-05-01")
    (folder / DEFAULT_FILE).write_text('{"model": "careful-1.0.0"}')
    return folder


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def registry(models, shipped):
    return ModelRegistry(models, shipped)


@pytest.fixture
def built(tmp_path):
    """Return a function that builds bundles elsewhere, ready to be registered."""
    return lambda version="1.0.0", **changes: tiny_bundle(
        tmp_path / "built" / version, version=version, **changes
    )


def current(registry):
    return registry.current().manifest.identity


def test_the_model_that_the_package_names_answers_at_first_however_old_it_is(registry):
    assert current(registry) == "careful 1.0.0"


@pytest.mark.parametrize(
    "stated",
    [None, "", "{}", "[]", '{"model": 3}', '{"model": "absent-1.0.0"}', '{"model": "../models"}'],
)
def test_of_several_shipped_models_none_answers_by_luck(models, shipped, stated):
    (shipped / DEFAULT_FILE).unlink()
    if stated is not None:
        (shipped / DEFAULT_FILE).write_text(stated)
    registry = ModelRegistry(models, shipped)
    with pytest.raises(ModelError, match="which of its models answers"):
        registry.current()
    assert [entry.is_current for entry in registry.list()] == [False, False]
    assert registry.use("quick").manifest.identity == "quick 1.0.0"
    assert current(registry) == "quick 1.0.0"


def test_the_only_shipped_model_needs_no_name(tmp_path):
    only = tiny_bundle(tmp_path / "one" / "tiny-1.0.0").folder
    assert default_model(tmp_path / "one") == only
    assert default_model(tmp_path / "absent") is None


def test_another_shipped_model_is_chosen_by_its_name_and_taken_back(registry, models, shipped):
    registry.use("quick")
    assert current(ModelRegistry(models, shipped)) == "quick 1.0.0"
    assert registry.roll_back().manifest.identity == "careful 1.0.0"


def test_the_package_names_its_careful_model():
    folder = default_model()
    assert folder is not None
    assert folder.parent == SHIPPED_MODELS
    assert ModelBundle.open(folder).manifest.outlines


def test_without_any_model_the_user_is_told_what_to_do(models, tmp_path):
    for shipped in (None, tmp_path / "absent", models):
        with pytest.raises(ModelError, match="medcxr models list"):
            ModelRegistry(models, shipped).current()


def test_registering_copies_and_does_not_change_who_answers(registry, models, built):
    source = built()
    registered = registry.register(source.folder)
    assert registered.folder == models / "tiny-1.0.0"
    assert registered.manifest == source.manifest
    assert current(registry) == "careful 1.0.0"
    assert registry.register(source) == registered


def test_a_damaged_bundle_is_not_registered(registry, models, built):
    source = built()
    source.path("model.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="changed or damaged"):
        registry.register(source)
    assert list(models.iterdir()) == []


def test_a_different_model_of_the_same_identity_is_refused(registry, built, tmp_path):
    registry.register(built())
    other = tiny_bundle(tmp_path / "other", graph=tiny_graph(seed=9))
    with pytest.raises(ModelError, match="another name or version"):
        registry.register(other)
    twin = tiny_bundle(tmp_path / "twin", name="careful", graph=tiny_graph(seed=9))
    with pytest.raises(ModelError, match="came with the package"):
        registry.register(twin)


def test_a_shipped_model_is_not_copied(registry, shipped, models):
    assert registry.register(shipped / "careful-1.0.0").folder == shipped / "careful-1.0.0"
    assert list(models.iterdir()) == []


def test_the_chosen_model_answers_in_a_new_process_too(registry, models, shipped, built):
    registry.register(built())
    assert registry.use("tiny", "1.0.0").manifest.identity == "tiny 1.0.0"
    assert current(ModelRegistry(models, shipped)) == "tiny 1.0.0"


def test_a_name_alone_is_enough_where_it_has_one_version(registry, built):
    registry.register(built("1.0.0"))
    assert registry.get("tiny").manifest.version == "1.0.0"
    registry.register(built("2.0.0"))
    with pytest.raises(ModelError, match=r"tiny 1\.0\.0, tiny 2\.0\.0; say which"):
        registry.get("tiny")
    assert registry.get("tiny 2.0.0").manifest.version == "2.0.0"


@pytest.mark.parametrize("name", ["absent", "../shipped/careful-1.0.0", "", ".", "careful-1.0.0"])
def test_an_unknown_model_is_refused_and_the_choice_stays(registry, name):
    with pytest.raises(ModelError, match="no model"):
        registry.use(name)
    assert current(registry) == "careful 1.0.0"


def test_a_damaged_model_is_not_chosen(registry, built):
    registry.register(built()).path("model.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="changed or damaged"):
        registry.use("tiny")
    assert current(registry) == "careful 1.0.0"


def test_rolling_back_returns_step_by_step_to_the_shipped_model(registry, built):
    for version in ("1.0.0", "2.0.0"):
        registry.register(built(version))
        registry.use("tiny", version)
    assert registry.roll_back().manifest.identity == "tiny 1.0.0"
    assert current(registry) == "tiny 1.0.0"
    assert registry.roll_back().manifest.identity == "careful 1.0.0"
    assert current(registry) == "careful 1.0.0"
    with pytest.raises(ModelError, match="no earlier model"):
        registry.roll_back()


def test_choosing_the_same_model_twice_is_one_choice(registry, built):
    registry.register(built())
    registry.use("tiny")
    registry.use("tiny")
    assert registry.roll_back().manifest.identity == "careful 1.0.0"


def test_without_a_shipped_model_the_first_choice_cannot_be_taken_back(models, built):
    registry = ModelRegistry(models, None)
    registry.register(built())
    registry.use("tiny")
    with pytest.raises(ModelError, match="No model was in use before tiny"):
        registry.roll_back()
    assert current(registry) == "tiny 1.0.0"


def test_rolling_back_to_a_damaged_model_changes_nothing(registry, built):
    for version in ("1.0.0", "2.0.0"):
        registry.register(built(version))
        registry.use("tiny", version)
    registry.get("tiny", "1.0.0").path("model.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="changed or damaged"):
        registry.roll_back()
    assert current(registry) == "tiny 2.0.0"


@given(steps=st.lists(st.sampled_from(["1", "2", "3", "back"]), max_size=8))
@settings(max_examples=15)
def test_choices_and_their_taking_back_follow_a_stack(history_registry, steps):
    registry, history = history_registry
    history.unlink(missing_ok=True)
    chosen = []
    for step in steps:
        if step == "back":
            if not chosen:
                continue
            chosen.pop()
            registry.roll_back()
        else:
            registry.use("tiny", step)
            if chosen[-1:] != [step]:
                chosen.append(step)
        assert current(registry) == (f"tiny {chosen[-1]}" if chosen else "tiny 0")


@pytest.fixture(scope="module")
def history_registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history")
    tiny_bundle(folder / "shipped" / "tiny-0", version="0")
    for version in "123":
        tiny_bundle(folder / "models" / f"tiny-{version}", version=version)
    return ModelRegistry(folder / "models", folder / "shipped"), folder / "models" / "history.json"


def test_the_history_keeps_every_step(registry, models, built):
    registry.register(built())
    registry.use("tiny")
    registry.roll_back()
    events = json.loads((models / "history.json").read_text())["events"]
    assert [(e["action"], e["model"]) for e in events] == [
        ("use", "tiny 1.0.0"),
        ("roll back", "careful 1.0.0"),
    ]


def test_choices_at_the_same_time_all_reach_the_history(registry, models, built):
    for version in ("1", "2", "3", "4"):
        registry.register(built(version))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda v: registry.use("tiny", v), ["1", "2", "3", "4"]))
    events = json.loads((models / "history.json").read_text())["events"]
    assert sorted(e["model"] for e in events) == ["tiny 1", "tiny 2", "tiny 3", "tiny 4"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"events": 3}',
        '{"events": [{"action": "use", "model": 3}]}',
        '{"events": [{"action": "delete", "model": "tiny 1"}]}',
        '{"events": ["use"]}',
        "\ufeff[",
    ],
)
def test_a_damaged_history_is_explained(registry, models, text):
    (models / "history.json").write_text(text, encoding="utf-8")
    with pytest.raises(StorageError, match="damaged; delete it"):
        registry.current()


def test_the_list_names_every_model_and_marks_the_current_one(registry, built):
    registry.register(built())
    registry.use("tiny")
    entries = {entry.identity: entry for entry in registry.list()}
    assert list(entries) == ["tiny 1.0.0", "quick 1.0.0", "careful 1.0.0"]
    assert [e.is_current for e in entries.values()] == [True, False, False]
    assert [e.is_shipped for e in entries.values()] == [False, True, True]
    tiny = entries["tiny 1.0.0"]
    assert tiny.created == "2026-01-02"
    assert tiny.problem == ""
    assert tiny.mean_auc == registry.get("tiny").manifest.measurements[0].report.mean_auc


def test_damaged_models_are_listed_with_the_reason_and_hinder_no_other(registry, models, built):
    registry.register(built("1.0.0")).path("model.onnx").write_bytes(b"x")
    registry.register(built("2.0.0"))
    (models / "empty").mkdir()
    (models / "torn").mkdir()
    (models / "torn" / "manifest.json").write_text('{"format": 1, "na')
    problems = {entry.identity: entry.problem for entry in registry.list()}
    assert "changed or damaged" in problems["tiny 1.0.0"]
    assert "no manifest" in problems["empty"]
    assert "manifest is wrong" in problems["torn"]
    assert problems["tiny 2.0.0"] == ""
    assert registry.use("tiny", "2.0.0").manifest.version == "2.0.0"


def test_a_current_model_that_was_deleted_is_named(registry, built):
    folder = registry.register(built()).folder
    registry.use("tiny")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with pytest.raises(ModelError, match="no model 'tiny"):
        registry.current()
    assert not any(entry.is_current for entry in registry.list())
    assert registry.roll_back().manifest.identity == "careful 1.0.0"


def test_the_list_tells_sizes_and_figures_and_the_history_the_choices(tmp_path):
    folder = tmp_path / "models"
    first = tiny_bundle(folder / "tiny-1.0.0")
    tiny_bundle(folder / "tiny-2.0.0", version="2.0.0")
    registry = ModelRegistry(folder, shipped=None)
    assert registry.history() == []
    for version in ("1.0.0", "2.0.0"):
        registry.use("tiny", version)
    registry.roll_back()
    made = [(one.action, one.model) for one in registry.history()]
    assert made == [("roll back", "tiny 1.0.0"), ("use", "tiny 2.0.0"), ("use", "tiny 1.0.0")]
    assert all(one.time.endswith("+00:00") for one in registry.history())
    entry = next(one for one in registry.list() if one.identity == "tiny 1.0.0")
    assert entry.n_bytes == sum(path.stat().st_size for path in first.folder.iterdir())
    report = first.manifest.measurements[0].report
    assert entry.aucs == {one.finding: one.auc for one in report.findings}
