"""What the environment may set."""

from pathlib import Path

from platformdirs import user_data_path

from medcxr.core.settings import Settings


def test_the_workspace_comes_from_its_variable():
    settings = Settings.from_environment({"MEDCXR_WORKSPACE": "/srv/cxr"})
    assert settings.workspace == Path("/srv/cxr")


def test_the_home_sign_is_expanded():
    settings = Settings.from_environment({"MEDCXR_WORKSPACE": "~/cxr"})
    assert settings.workspace == Path.home() / "cxr"


def test_an_empty_or_missing_variable_means_the_users_data_folder():
    expected = user_data_path("medcxr", appauthor=False)
    assert Settings.from_environment({"MEDCXR_WORKSPACE": " "}).workspace == expected
    assert Settings.from_environment({}).workspace == expected


def test_a_table_to_compare_with_is_handed_on_to_child_processes(tmp_path):
    named = Settings.from_environment({"MEDCXR_CASES": "~/table.csv"}).cases
    assert named == Path.home() / "table.csv"
    assert Settings.from_environment({"MEDCXR_CASES": " "}).cases is None
    child = Settings(workspace=tmp_path, cases=tmp_path / "t.csv").child_environment()
    assert Settings.from_environment(child).cases == tmp_path / "t.csv"


def test_a_folder_to_train_on_is_handed_on_to_child_processes(tmp_path):
    assert Settings.from_environment({"MEDCXR_DATA": "~/data"}).data == Path.home() / "data"
    assert Settings.from_environment({"MEDCXR_DATA": " "}).data is None
    child = Settings(workspace=tmp_path, data=tmp_path / "data").child_environment()
    assert Settings.from_environment(child).data == tmp_path / "data"
