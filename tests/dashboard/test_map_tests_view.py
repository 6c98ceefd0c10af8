"""The figures behind the choice of a map."""

from dataclasses import replace

import pytest

from bundles import map_tests, tiny_bundle
from medcxr.apps.dashboard.map_tests_view import map_tests_table


@pytest.fixture
def report(tmp_path):
    return map_tests(tiny_bundle(tmp_path / "tiny"), occlusion=("Effusion",))


def test_the_figures_of_the_finding_and_their_verdict_are_listed(report):
    html = map_tests_table(report, "Effusion")

    assert html.count("<tr>") == 4  # heads and three kinds of maps
    assert "0.10 (0.08 to 0.12); 0.10 (0.08 to 0.12)" in html
    assert (html.count("<td>yes</td>"), html.count("<td>no</td>")) == (1, 2)


def test_there_is_no_table_without_a_test(report):
    assert map_tests_table(None, "Effusion") == ""
    assert map_tests_table(report, "Fracture") == ""


def test_a_name_from_a_file_cannot_bring_markup(report):
    hostile = replace(report, curves=(replace(report.curves[0], method="<script>"),))

    assert "<script>" not in map_tests_table(hostile, report.curves[0].finding)
