"""All checks together, whatever is broken."""

from datetime import UTC, datetime

import pytest

from certificates import DAY, write_certificate
from medcxr.core.language import speaking
from medcxr.services.diagnostics import run_diagnostics
from medcxr.services.health import Health, told_size, worst


def test_a_whole_installation_needs_at_most_attention(tiny_workspace):
    steps = []
    checks = run_diagnostics(tiny_workspace.folder, progress=lambda *step: steps.append(step))
    keys = [one.key for one in checks]
    assert len(keys) == len(set(keys))
    assert {"disk", "model in use", "permissions", "analysis"} < set(keys)
    assert "port" not in keys
    assert worst(checks) is not Health.BROKEN
    assert [done for done, _ in steps] == list(range(len(checks)))
    for one in checks:
        assert bool(one.outcome.remedy) == (one.outcome.health is not Health.GOOD)


def test_a_certificate_is_looked_at_that_the_settings_name(tiny_workspace, tmp_path, monkeypatch):
    def looked_at():
        checks = run_diagnostics(tiny_workspace.folder)
        (outcome,) = [one.outcome for one in checks if one.key == "certificate"]
        return outcome

    assert looked_at().health is Health.GOOD
    for days, health in ((60, Health.GOOD), (20, Health.ATTENTION), (-1, Health.BROKEN)):
        begin, end = datetime.now(UTC) - 2 * DAY, datetime.now(UTC) + days * DAY
        certificate, key = write_certificate(tmp_path, name=f"in {days}", begin=begin, end=end)
        monkeypatch.setenv("MEDCXR_TLS_CERTIFICATE", str(certificate))
        monkeypatch.setenv("MEDCXR_TLS_KEY", str(key))
        assert looked_at().health is health
        assert certificate.name in looked_at().found


def test_what_is_broken_stops_no_other_check(tiny_workspace):
    (tiny_workspace.models / "history.json").write_text("{")
    known = {one.key: one.outcome for one in run_diagnostics(tiny_workspace.folder, port=70000)}
    broken = [key for key, outcome in known.items() if outcome.health is Health.BROKEN]
    assert broken == ["port", "model in use", "models", "analysis"]
    assert "70000" in known["port"].found


def test_a_file_in_the_place_of_the_workspace_leaves_the_checks_of_the_computer(tmp_path):
    (tmp_path / "workspace").write_text("a file")
    checks = run_diagnostics(tmp_path / "workspace")
    assert checks[0].outcome.health is Health.BROKEN
    assert "a file stands in its place" in checks[0].outcome.found
    assert [one.key for one in checks[1:3]] == ["python", "libraries"]
    assert "model in use" not in [one.key for one in checks]


def test_a_path_is_not_turned_around_in_arabic(tiny_workspace):
    with speaking("ar"):
        found = run_diagnostics(tiny_workspace.folder)[0].outcome.found
    assert found == f"\u2066{tiny_workspace.folder}\u2069"  # isolated, from left to right


@pytest.mark.parametrize(
    ("n_bytes", "told"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (99_960, "100 kB"),
        (999_600, "1.0 MB"),
        (49_200_000_000, "49.2 GB"),
        (271_000_000_000, "271 GB"),
        (5e15, "5000 TB"),
    ],
)
def test_sizes_are_told_in_powers_of_a_thousand(n_bytes, told):
    assert told_size(n_bytes) == told
