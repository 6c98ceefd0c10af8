"""The page "Explainable AI", run by Streamlit's own test runner."""

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from bundles import ORGANS, keep_map_tests, tiny_graph, use_thorough_model, use_tiny_model
from medcxr.apps.dashboard.words import NO_CASES, NO_IMPORTANCE, NO_ZONES
from medcxr.core.sentences import NO_OUTLINES
from medcxr.registry.registry import ModelRegistry
from medcxr.services.importance import NO_ZONES_KNOWN, measure_importance
from medcxr.services.kept_importance import keep_importance_report
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate
from signing_in import enter

ADDRESS = "explainable-ai"


@pytest.fixture
def outlined(workspace):
    """Let a model that outlines lungs and heart answer, with maps of three findings shown to be true."""
    use_tiny_model(workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0")
    keep_map_tests(
        workspace, evidence=("Pneumonia", "Effusion"), occlusion=("Pneumonia", "Cardiomegaly")
    )
    return workspace


@pytest.fixture
def app(workspace, server_address, app_file):  # noqa: ARG001 - the settings name the workspace
    """Return the page as whoever types its address meets it."""
    server_address("127.0.0.1")
    app = AppTest.from_file(str(app_file), default_timeout=300)
    app._page_hash = calc_hash(ADDRESS)  # the runner switches to pages in files only
    return app.run()


def sign_in(app):
    return enter(app)


def press(app, words):
    next(b for b in app.button if words in b.label).click()
    app.run()
    assert not app.exception
    return app


def choose(app, label, value):
    next(g for g in app.button_group if g.label == label).set_value(value)
    app.run()
    assert not app.exception
    return app


def texts(app):
    return "\n".join(
        one.value.replace("\\", "")
        for kind in (app.markdown, app.caption, app.info, app.warning, app.error)
        for one in kind
    )


def html(app):
    return "\n".join(one.proto.body for one in app.main.get("html"))


def radiograph(seed):
    file = io.BytesIO()
    pixels = simulate(ThoraxParameters(), size=128, seed=seed).pixels
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_its_address_shows_nothing_before_sign_in(app):
    assert not app.exception
    assert [b.label for b in app.button] == ["Sign in"]
    assert not app.header
    assert "Explainable AI" not in [t.value for t in app.title]


def test_without_a_radiograph_it_says_what_to_do(app):
    sign_in(app)
    assert [t.value for t in app.title] == ["Explainable AI"]
    assert "Open a radiograph to see its answers explained" in [s.value for s in app.header]
    assert "Add one or more files at the left" in texts(app)


@pytest.mark.slow
def test_a_radiograph_is_explained_section_by_section(outlined, app):  # noqa: ARG001
    sign_in(app)
    press(app, "Try a synthetic radiograph")
    choose(app, "Explain", "Pneumonia")
    assert [h.value for h in app.header] == [
        "Distance to the threshold",
        "Maps side by side",
        "What would change the answer",
        "Among other cases",
        "What answers hang on over many radiographs",
    ]
    assert "its threshold of" in texts(app)
    assert "% of the evidence for Pneumonia lies" in texts(app)
    assert html(app).count("Share of the evidence for Pneumonia") == 1
    assert "<b>Cardiothoracic ratio</b>0.50" in html(app)

    press(app, "Make the occlusion map")
    assert html(app).count("Share of the evidence for Pneumonia") == 2
    press(app, "Find what would change the answer")
    assert "Pneumonia has a probability of" in texts(app)
    press(app, "Compare with these cases")
    assert "most alike of 24 cases" in texts(app)
    assert NO_CASES in texts(app)
    assert NO_IMPORTANCE in texts(app)

    # Computed once: nothing is offered again, and the occlusion map serves every finding.
    choose(app, "Explain", "Cardiomegaly")
    assert not [b for b in app.button if "occlusion" in b.label or "Compare" in b.label]
    assert "The evidence map of Cardiomegaly is not shown to be true" in texts(app)
    assert html(app).count("Share of the evidence for Cardiomegaly") == 1  # of the true map only


def test_a_thorough_map_stands_beside_the_others_where_a_model_takes_quick_looks(app, workspace):
    use_thorough_model(workspace)
    keep_map_tests(workspace, thorough=("Pneumonia",))
    sign_in(app)
    press(app, "Try a synthetic radiograph")
    choose(app, "Explain", "Pneumonia")
    assert "Thorough map" in [one.value for one in app.subheader]
    press(app, "Make the thorough map")
    assert html(app).count("Share of the evidence for Pneumonia") == 1
    choose(app, "Explain", "Effusion")
    assert "The thorough map of Effusion is not shown to be true" in texts(app)
    assert not [b for b in app.button if "thorough" in b.label]


def test_a_model_without_outlines_says_so_in_their_place(app, workspace):
    sign_in(app)
    press(app, "Try a synthetic radiograph")
    assert "Thorough map" not in [one.value for one in app.subheader]  # as is its occlusion map
    model = ModelRegistry(workspace.models).current().manifest.identity
    assert f"<b>Lungs and heart</b>{NO_OUTLINES}" in html(app)
    assert NO_ZONES_KNOWN.format(model=model) in texts(app)
    assert "Measured on" not in [group.label for group in app.button_group]
    assert NO_IMPORTANCE not in texts(app)


def test_where_nothing_speaks_for_a_finding_the_page_says_so(outlined, app):  # noqa: ARG001
    sign_in(app)
    press(app, "Try a synthetic radiograph")
    choose(app, "Explain", "Effusion")  # its weights are negative, so all is against it
    assert NO_ZONES in texts(app)
    assert "Share of the evidence for" not in html(app)


def test_kept_importance_is_shown(outlined, app, sample_data):
    table = sample_data / "manifest.csv"
    keep_importance_report(outlined, measure_importance(outlined, table, n_images=3))
    sign_in(app)
    press(app, "Try a synthetic radiograph")
    told = texts(app)
    assert f"on 3 radiographs of {sample_data.name}/manifest.csv, one of each patient" in told
    assert "hangs most on the zone" in told


def test_importance_is_measured_on_open_radiographs_one_of_each_patient(outlined, app):  # noqa: ARG001
    sign_in(app)
    files = [(f"{n}.png", radiograph(n), "image/png") for n in range(3)]
    app.sidebar.file_uploader[0].set_value(files)
    app.run()
    choose(app, "Measured on", "The open radiographs")
    assert [b for b in app.button if b.label == "Measure on 3 open radiographs"]
    table = b"image_path,patient_id\nimages/0.png,a\nimages/1.png,a\n"
    app.main.file_uploader[0].set_value(("table.csv", table, "text/csv"))
    app.run()
    press(app, "Measure on 2 open radiographs")
    assert "on 2 radiographs of the open radiographs" in texts(app)


def test_the_table_of_whoever_runs_the_dashboard_is_compared_with(
    outlined,  # noqa: ARG001
    app,
    sample_data,
    monkeypatch,
):
    monkeypatch.setenv("MEDCXR_CASES", str(sample_data / "manifest.csv"))
    sign_in(app)
    press(app, "Try a synthetic radiograph")
    press(app, "Compare with these cases")
    assert "most alike of 40 cases" in texts(app)
    assert NO_CASES not in texts(app)
