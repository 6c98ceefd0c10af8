"""The gate lets upright frontal chest radiographs pass, and nothing else."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

import medcxr.gates
from medcxr.core.errors import ImageError, ModelError
from medcxr.core.gate import ImageKind
from medcxr.core.images import Acquisition, CxrImage
from medcxr.imaging.reading import read_image
from medcxr.inference.gate import Gate, require_fit, shipped_gate
from medcxr.synthetic import sample_parameters, simulate

FOLDER = Path(medcxr.gates.__path__[0])
TURNS = {
    ImageKind.TURNED_LEFT: lambda pixels: np.rot90(pixels, 1),
    ImageKind.UPSIDE_DOWN: lambda pixels: np.rot90(pixels, 2),
    ImageKind.TURNED_RIGHT: lambda pixels: np.rot90(pixels, 3),
    ImageKind.INVERTED: lambda pixels: 1 - pixels,
}


def image(pixels, *, age_years=None):
    return CxrImage(
        pixels=np.ascontiguousarray(pixels, dtype=np.float32),
        digest="0" * 64,
        acquisition=Acquisition(source_format="PNG", age_years=age_years),
    )


@pytest.fixture(scope="module")
def radiographs():
    random = np.random.default_rng(11)
    return [simulate(sample_parameters(random), size=256, seed=900 + i).pixels for i in range(12)]


def test_simulated_radiographs_pass(radiographs):
    verdicts = [shipped_gate().check(image(pixels)) for pixels in radiographs]
    assert [v.accepted for v in verdicts] == [True] * len(radiographs)
    assert all(v.probability >= 0.5 and not v.reason for v in verdicts)


@pytest.mark.parametrize("kind", TURNS, ids=str)
def test_a_turned_or_inverted_radiograph_is_told_as_such(radiographs, kind):
    verdicts = [shipped_gate().check(image(TURNS[kind](pixels))) for pixels in radiographs]
    told = [v.kind is kind and not v.accepted for v in verdicts]
    assert sum(told) >= len(told) - 1


def test_the_refusal_says_what_to_do(radiographs):
    with pytest.raises(ImageError, match="turn it by 90 degrees to the right"):
        require_fit(shipped_gate(), image(np.rot90(radiographs[0], 1)))


def test_a_mirrored_radiograph_passes_with_a_warning(radiographs):
    verdicts = [shipped_gate().check(image(pixels[:, ::-1])) for pixels in radiographs]
    assert all(v.accepted for v in verdicts)
    assert sum("mirrored" in " ".join(v.warnings) for v in verdicts) >= len(verdicts) - 2
    plain = [shipped_gate().check(image(pixels)) for pixels in radiographs]
    assert sum("mirrored" in " ".join(v.warnings) for v in plain) <= 2


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((200, 200)),
        np.ones((300, 200)),
        np.tile(np.linspace(0, 1, 256), (256, 1)),
        np.random.default_rng(0).random((256, 256)),
        np.indices((256, 256)).sum(axis=0) // 32 % 2,
    ],
    ids=["black", "white", "ramp", "noise", "checkers"],
)
def test_a_picture_of_nothing_is_refused(pixels):
    assert not shipped_gate().check(image(pixels)).accepted


def test_children_pass_with_a_warning(radiographs):
    child = shipped_gate().check(image(radiographs[0], age_years=4))
    assert child.accepted
    assert "4 years old" in " ".join(child.warnings)
    assert "years old" not in " ".join(
        shipped_gate().check(image(radiographs[0], age_years=40)).warnings
    )


def test_the_size_of_the_image_does_not_matter(radiographs):
    large = np.kron(radiographs[0], np.ones((5, 5)))
    small = shipped_gate().check(image(radiographs[0])).probability
    assert shipped_gate().check(image(large)).probability == pytest.approx(small, abs=0.1)


def test_real_images_are_told_apart(real_data):
    """Learned from, so no measurement; `medcxr gate figures` shows those on held-out images."""
    refused = 0
    with (real_data / "not_frontal_cxr" / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))[::7]
    for row in rows:
        try:
            verdict = shipped_gate().check(
                read_image(real_data / "not_frontal_cxr" / row["image_path"])
            )
            refused += not verdict.accepted
        except ImageError:
            refused += 1
    assert refused >= 0.96 * len(rows)
    with (real_data / "nih" / "manifest.csv").open() as file:
        frontal = [row["image_path"] for row in csv.DictReader(file)][::30]
    accepted = sum(
        shipped_gate().check(read_image(real_data / "nih" / path)).accepted for path in frontal
    )
    assert accepted >= 0.96 * len(frontal)


def test_the_figures_hold_what_the_gate_promises():
    figures = {row.what: row for row in shipped_gate().figures}
    assert figures["other images"].share >= 0.98
    assert figures["frontal radiographs"].share <= 0.02
    tilted = [row.share for what, row in figures.items() if "tilted" in what]
    assert tilted
    assert max(tilted) <= 0.02
    for row in figures.values():
        assert row.share == pytest.approx(row.n_refused / row.n_images)
        assert row.low <= row.share <= row.high


@pytest.mark.parametrize("name", ["gate.onnx", "gate.json"])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_gate_is_refused(tmp_path, name, damage):
    for file in ("gate.onnx", "gate.json"):
        shutil.copyfile(FOLDER / file, tmp_path / file)
    if damage == "missing":
        (tmp_path / name).unlink()
    else:
        data = bytearray((tmp_path / name).read_bytes())
        data[len(data) // 2] ^= 0xFF
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match="reinstall"):
        Gate(tmp_path)
