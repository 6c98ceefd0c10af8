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
