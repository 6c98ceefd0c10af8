"""The page "Models", run by Streamlit's own test runner."""

import re

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from bundles import ORGANS, tiny_bundle, tiny_graph
from medcxr.apps.dashboard.card_view import Kind, card_blocks
from medcxr.registry.model_card import model_card
from medcxr.registry.registry import ModelRegistry
from signing_in import enter

ADDRESS = "models"
HOSTILE = "<script>alert(1)</script> ![x](http://example.org/x.png) **bold**"


@pytest.fixture
def models(workspace):
    """Add a second model with a hostile description, and a damaged one."""
    tiny_bundle(
        workspace.models / "other-2.0.0",
        name="other",
        version="2.0.0",
        description=HOSTILE,
        graph=tiny_graph(outlined=True),
        outlines=ORGANS,
    )
    tiny_bundle(workspace.models / "bad-1.0.0", name="bad")
    (workspace.models / "bad-1.0.0" / "model.onnx").write_bytes(b"changed")
    return workspace


@pytest.fixture
def app(models, server_address, app_file):  # noqa: ARG001 - the settings name the workspace
    server_address("127.0.0.1")
    app = AppTest.from_file(str(app_file), default_timeout=300)
    app._page_hash = calc_hash(ADDRESS)  # the runner switches to pages in files only
    app.run()
    enter(app)
    assert not app.exception
    return app


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.success, app.warning, app.error)
    return "\n".join(one.value.replace("\\", "") for kind in kinds for one in kind)


def html(app):
    return "\n".join(one.proto.body for one in app.main.get("html"))


def pick(app, label, identity):
    field = next(one for one in app.selectbox if one.label == label)
    field.set_value(field.options.index(identity))
    app.run()
    assert not app.exception


def press(app, label):
    next(b for b in app.button if b.label == label).click()
    app.run()
    assert not app.exception


def test_all_models_are_listed_and_a_damaged_one_with_its_error(app):
    listed = html(app)
    for identity in ("tiny 1.0.0", "other 2.0.0", "bad 1.0.0"):
        assert identity in listed
    assert "damaged" in listed
    assert "AUC, Effusion" in listed
    assert "is not the file that its manifest lists" in texts(app)
    assert all("bad 1.0.0" not in one.options for one in app.selectbox)


def test_a_card_is_shown_and_its_text_stays_text(app):
    pick(app, "Model", "other 2.0.0")
    assert HOSTILE in texts(app)
    unescaped = re.compile(r"(?<!\\)[<\[]")
    assert not any(unescaped.search(one.value) for one in app.markdown)
    assert "Intended use and limits" in [one.value for one in app.subheader]
    assert "Repeat: medcxr models show other 2.0.0" in texts(app)


def test_a_model_is_put_in_use_and_the_choice_taken_back_only_when_ticked(app, models):
    registry = ModelRegistry(models.models)
    pick(app, "Model to put in use", "other 2.0.0")
    press(app, "Put in use")
    assert "tick the box above first" in texts(app)
    assert registry.current().manifest.identity == "tiny 1.0.0"
    app.checkbox(key="sure_other 2.0.0").check()
    app.run()
    press(app, "Put in use")
    assert registry.current().manifest.identity == "other 2.0.0"
    assert "other 2.0.0 answers now." in texts(app)
    assert [one.model for one in registry.history()] == ["other 2.0.0", "tiny 1.0.0"]

    press(app, "Roll back")
    assert "tick the box above first" in texts(app)
    assert registry.current().manifest.identity == "other 2.0.0"
    app.checkbox(key="back_2").check()
    app.run()
    press(app, "Roll back")
    assert registry.current().manifest.identity == "tiny 1.0.0"
    assert "tiny 1.0.0 answers again." in texts(app)


def test_two_models_are_paired_where_their_runs_kept_scores(app, models):
    pick(app, "First model", "tiny 1.0.0")
    pick(app, "Second model", "other 2.0.0")
    assert "left no scores in this workspace" in texts(app)
    outlined = (
        "<td>Organs outlined and measured</td><td>none</td><td>right lung, left lung, heart</td>"
    )
    assert outlined in html(app)
    folder = models.runs / "run-0"  # of which both tell
    folder.mkdir()
    rows = [f"{i}.png,{i / 40},{1 + i % 2}" for i in range(40)]
    (folder / "out_of_fold.csv").write_text("image_path,Effusion,fold\n" + "\n".join(rows))
    labels = [f"{i}.png,{'Effusion' if i % 3 else 'No Finding'},p{i}" for i in range(40)]
    (folder / "out_of_fold_labels.csv").write_text(
        "image_path,labels,patient_id\n" + "\n".join(labels)
    )
    app.run()
    press(app, "Compare on the same radiographs")
    assert "+0.000 (+0.000 to +0.000)" in html(app)  # the same run twice
    assert "Repeat: medcxr compare WORKSPACE/runs/run-0/out_of_fold.csv" in texts(app)


def test_the_blocks_of_a_card_are_those_of_its_markdown(tmp_path):
    card = model_card(tiny_bundle(tmp_path / "tiny", description="a | b").manifest)
    blocks = card_blocks(card)
    kinds = [block.kind for block in blocks]
    assert set(kinds) == set(Kind)
    assert blocks[0].lines == ("Model card: tiny 1.0.0",)
    headings = [b.lines[0] for b in blocks if b.kind is Kind.HEADING]
    assert headings == [line.lstrip("# ") for line in card.splitlines() if line.startswith("#")]
    tables = [b for b in blocks if b.kind is Kind.TABLE]
    assert not any("---" in line for b in tables for line in b.lines)
