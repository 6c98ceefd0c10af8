"""What a control group and a process may use."""

import sys
from pathlib import Path

import pytest

from medcxr.services.resources import available_memory, usable_cores

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has control groups")


@pytest.fixture
def groups(tmp_path) -> Path:
    """Return a folder like the one in which a container finds its group (cgroup v2)."""
    (tmp_path / "memory.max").write_text("700000000\n")
    (tmp_path / "memory.current").write_text("300000000\n")
    (tmp_path / "memory.stat").write_text("anon 100000000\ninactive_file 150000000\n")
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    return tmp_path


def test_a_group_bounds_memory_and_cores(groups):
    assert available_memory(groups) == 700_000_000 - 300_000_000 + 150_000_000
    assert usable_cores(groups) == 0.5


def test_a_group_without_limits_bounds_nothing(groups, tmp_path):
    (groups / "memory.max").write_text("max\n")
    (groups / "cpu.max").write_text("max 100000\n")
    nothing = tmp_path / "nothing"
    assert available_memory(groups) == pytest.approx(available_memory(nothing), rel=0.1)
    assert usable_cores(groups) == usable_cores(nothing)
