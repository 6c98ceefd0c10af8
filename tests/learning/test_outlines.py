"""Outlines are learned from masks, measured inside the graph, and inform a finding."""

import csv
import io
import shutil
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import nn

from medcxr.core.errors import DataError
from medcxr.datasets.outline_tables import hold_out_patients
from medcxr.datasets.study_table import StudyTable, read_rows
from medcxr.explain.measured import MEASURES
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Predictor
from medcxr.learning.anatomy import AnatomyGuided, Fusion, fit_fusion
from medcxr.learning.config import OutlineConfig, OutlineTableConfig
from medcxr.learning.experiment import Hardware, run_experiment
from medcxr.learning.fitting import Part, build_network
from medcxr.learning.measures import measure
from medcxr.learning.outline_augmentation import augment_outlines
from medcxr.learning.outline_losses import outline_loss
from medcxr.learning.outline_measuring import (
    compare_outlines,
    hardest_outlines,
    outline_figures,
)
from medcxr.learning.outline_moving import move_outlines
from medcxr.learning.outline_network import ORGANS, BothSides, OutlineNetwork
from medcxr.learning.outline_set import OutlineSet
from medcxr.learning.outline_training import fit_outlines
from medcxr.learning.rebuilding import load_network
from small_training import random_images, small_config

pytestmark = pytest.mark.train

TABLE = OutlineTableConfig(path="manifest.csv")
SIZE = 64
FABRIC = Fabric(accelerator="cpu", devices=1)
FITTED = Preprocessing(size=SIZE)
SMALL = OutlineConfig(
    tables=(TABLE,), widths=(16, 16, 8, 8), pretrained=False, epochs=1, batch_size=4
)
OUTLINES = (
    "\n[outlines]\nwidths = [4, 4, 4, 4]\npretrained = false\naverage_decay = 0.5\nepochs = 2\nbatch_size = 8\n"
    "folds = 2\nmirrored = 0.3\nfading = 0.5\nboth_sides = true\n"
    '[[outlines.tables]]\npath = "outlined.csv"\n'
)
CPU = Hardware(accelerator="cpu")


@pytest.fixture(scope="module")
def outlined(sample_data):
    return OutlineSet.load([TABLE], sample_data, FITTED)


def boxes(*, lung=(10, 54), heart=(24, 46), rows=(10, 50)):
    """Return (1, 3, 64, 64): the right lung in the image's left half, a heart of given columns."""
    masks = torch.zeros(1, 3, SIZE, SIZE)
    masks[0, 0, slice(*rows), lung[0] : 32] = 1
    masks[0, 1, slice(*rows), 32 : lung[1]] = 1
    if heart:
        masks[0, 2, 30:50, slice(*heart)] = 1
    return masks


def part_in(folder, train, watched=()):
    return Part(name="outlines", folder=folder, train_rows=tuple(train), watched_rows=watched)


def test_masks_lie_where_the_images_do(outlined, sample_data):
    assert outlined.masks.shape == (40, 3, SIZE, SIZE)
    assert outlined.complete.all()
    with (sample_data / "manifest.csv").open() as stream:
        stated = [float(row["cardiothoracic_ratio"]) for row in csv.DictReader(stream)]
    ratios = measure(torch.from_numpy(outlined.masks).float())[:, 0].numpy()
    assert np.abs(ratios - stated).max() < 0.05  # of 64 pixels
    lungs = outlined.masks[:, :2].any(axis=1)
    # lungs hold air: they are darker than the rest of the body around them
    for square, lung, heart in zip(outlined.squares, lungs, outlined.masks[:, 2], strict=True):
        assert square[lung].mean() < square[heart].mean()


def test_a_mask_of_lungs_alone_knows_no_sides(sample_data):
    table = OutlineTableConfig(path="manifest.csv", contents="lungs")
    alone = OutlineSet.load([table], sample_data, FITTED)

    assert not alone.complete.any()
    assert np.array_equal(alone.masks[:, 0], alone.masks[:, 1])
    assert not alone.masks[:, 2].any()


def test_a_table_that_lacks_masks_is_refused(tmp_path):
    (tmp_path / "manifest.csv").write_text("image_path\na.png\n")

    with pytest.raises(DataError, match="mask_path"):
        OutlineSet.load([TABLE], tmp_path, FITTED)


def test_measures_of_known_shapes():
    values = dict(zip(MEASURES, measure(boxes())[0].tolist(), strict=True))

    assert values["cardiothoracic ratio"] == pytest.approx(22 / 44)
    assert values["heart area by lung area"] == pytest.approx(20 * 22 / (40 * 44))
    assert values["heart area"] == pytest.approx(20 * 22 / 44**2)
    assert values["right lung area"] == pytest.approx(40 * 22 / 44**2)
    assert values["right by left lung area, logarithm"] == pytest.approx(0, abs=1e-6)
    assert values["heart height"] == pytest.approx(20 / 44)


def test_failed_outlines_give_bounded_measures():
    nothing = measure(torch.zeros(1, 3, SIZE, SIZE))
    everything = measure(torch.ones(1, 3, SIZE, SIZE))
    only_heart = measure(boxes(lung=(32, 32)))

    for values in (nothing, everything, only_heart):
        assert torch.isfinite(values).all()
        assert values.abs().max() <= 3
    assert torch.equal(nothing[:, 0], torch.zeros(1))


def test_augmentation_moves_mask_and_image_alike_and_repeats_itself(outlined):
    masks = torch.from_numpy(outlined.masks[:8]).float()
    images = masks[:, 2:]  # an image that is its own heart

    moved, moved_masks = augment_outlines(images, masks, torch.Generator().manual_seed(5))
    again, _ = augment_outlines(images, masks, torch.Generator().manual_seed(5))

    assert torch.equal(moved, again)
    assert not torch.equal(moved_masks, masks)
    for image, mask in zip(moved[:, 0], moved_masks[:, 2] > 0.9, strict=True):
        assert image[mask].mean() > image[~mask].mean() + 0.2


def test_a_mirrored_chest_has_its_heart_on_the_other_side_and_its_lungs_named_as_ever(outlined):
    masks = torch.from_numpy(outlined.masks[:8]).float()
    images = masks[:, 2:]

    def augmented(share):
        random = torch.Generator().manual_seed(5)
        return augment_outlines(images, masks, random, mirrored=share, strength=0.0)

    (plain, plain_masks), (turned, turned_masks) = augmented(0.0), augmented(1.0)

    around = masks[:, [1, 0, 2]].flip(-1)
    for found, expected in (
        (plain_masks, masks),  # nothing else is left at no strength
        (turned, plain.flip(-1)),
        (turned_masks, around),
    ):
        assert torch.allclose(found, expected, atol=1e-3)


def test_resized_hearts_leave_the_chest_around_them_where_it_is(outlined):
    masks = torch.from_numpy(outlined.masks[:16]).float()
    images = torch.from_numpy(outlined.squares[:16]).float()[:, None]

    def moved(**changes):
        random = torch.Generator().manual_seed(5)
        return move_outlines(images, masks, random, strength=1.0, **changes)[1] > 0.5

    plain, resized = moved(), moved(heart_sizes=0.35)

    def widths(hearts):
        return hearts[:, 2].any(dim=1).sum(dim=1).float()

    change = (widths(resized) / widths(plain)).log()
    assert change.max() > 0.1
    assert change.min() < -0.1
    assert (change.abs() < 0.02).any()  # some hearts are left alone
    frame = torch.ones(SIZE, SIZE, dtype=torch.bool)
    frame[6:-6, 6:-6] = False
    assert (plain ^ resized)[:, :2, frame].float().mean() < 0.02


def test_bending_pulls_the_masks_about_with_the_image(outlined):
    masks = torch.from_numpy(outlined.masks[:8]).float()
    random = torch.Generator().manual_seed(5)
    images, bent = move_outlines(masks[:, 2:], masks, random, strength=1.0, bending=0.05)
    plain = move_outlines(masks[:, 2:], masks, torch.Generator().manual_seed(5), strength=1.0)[1]

    assert torch.equal(images[:, 0], bent[:, 2])
    assert 0.01 < (bent - plain).abs().mean() < 0.1


@torch.inference_mode()
def test_both_sides_are_outlined_alike(outlined):
    torch.manual_seed(3)
    alone = OutlineNetwork((4, 4, 4, 4), pretrained=False).eval()
    both = BothSides(alone).eval()
    x = torch.from_numpy(outlined.squares[:2].astype(np.float32))[:, None].expand(-1, 3, -1, -1)
    around = [1, 0, 2]  # the right lung is the one on the image's left side

    found = both(x)

    assert not torch.allclose(alone(x.flip(-1))[:, around].flip(-1), alone(x), atol=1e-3)
    assert torch.allclose(both(x.flip(-1))[:, around].flip(-1), found, atol=1e-5)
    expected = (alone(x) + alone(x.flip(-1))[:, around].flip(-1)) / 2
    assert torch.allclose(found, expected, atol=1e-5)


def test_each_image_is_measured_by_the_network_beside_it(outlined):
    class Known(OutlineNetwork):
        """Outlines as drawn, or nothing: it sees an image of which it knows the masks."""

        def __init__(self, rows, *, right):
            super().__init__((4, 4, 4, 4), pretrained=False)
            self.rows, self.right = iter(rows), right

        def forward(self, x):
            masks = (
                torch.from_numpy(outlined.masks[next(self.rows)]).float().expand(len(x), -1, -1, -1)
            )
            return (masks * self.right - 0.5) * 20

    good, bad = range(30), range(30, 40)
    networks = [(Known(good, right=1.0), good), (Known(bad, right=0.0), bad)]

    compared = compare_outlines(networks, outlined, FITTED)
    figures = outline_figures(compared, folds=2)

    assert (figures.folds, figures.n_images, figures.n_hearts) == (2, 40, 40)
    assert figures.dice_lungs == pytest.approx(0.75, abs=0.01)  # of holes that are filled
    assert figures.dice_heart == pytest.approx(0.75, abs=0.01)
    assert figures.n_ratios == 30  # where nothing is outlined there is no ratio
    assert figures.ratio_error < 0.002
    assert outline_figures([]) is None
    drawn = [one.ratios[1] for one in compared if one.ratios is not None]
    assert figures.n_enlarged == sum(ratio > 0.5 for ratio in drawn)
    assert figures.enlarged_auc == (1.0 if 0 < figures.n_enlarged < 30 else None)

    def drawn_sheet(ones):
        return np.asarray(Image.open(io.BytesIO(hardest_outlines(ones, outlined))))

    hardest = [one for one in compared if one.row in bad]
    assert (drawn_sheet(compared) == drawn_sheet(hardest)).all()
    assert drawn_sheet(compared).shape != drawn_sheet(hardest[:4]).shape


def test_lungs_without_a_drawn_heart_are_compared_as_far_as_the_outlined_one(sample_data):
    lungs_only = OutlineSet.load(
        [OutlineTableConfig(path="manifest.csv", contents="lungs")], sample_data, FITTED
    )
    whole = OutlineSet.load([TABLE], sample_data, FITTED)
    rows = range(6)

    class Expert(nn.Module):
        """Outlines lungs and heart as they were drawn, the heart twice as wide where asked."""

        def __init__(self, *, wide=0):
            super().__init__()
            self.rows, self.wide = iter(rows), wide

        def forward(self, x):
            rows = [next(self.rows) for _ in x]
            masks = torch.from_numpy(whole.masks[rows]).float()
            heart = torch.nn.functional.max_pool2d(
                masks[:, 2:], (1, 2 * self.wide + 1), 1, (0, self.wide)
            )
            lungs = masks[:, :2] * (1 - heart)
            return (torch.cat([lungs, heart], dim=1) - 0.5) * 20

    def figures(images, **how):
        return outline_figures(compare_outlines([(Expert(**how), rows)], images, FITTED))

    # what was drawn behind the heart is missed by nobody, and counted where asked
    told = figures(lungs_only)
    assert (told.n_as_drawn, told.n_hearts) == (6, 0)
    assert told.dice_lungs > 0.99
    wide = figures(lungs_only, wide=6)
    assert wide.dice_lungs > 0.99
    assert wide.dice_lungs_as_drawn < told.dice_lungs_as_drawn - 0.03
    # where the heart was drawn, too large a one takes from the lungs
    complete = figures(whole, wide=6)
    assert (complete.n_as_drawn, complete.dice_lungs_as_drawn) == (0, None)
    assert complete.dice_lungs < figures(whole).dice_lungs - 0.03


def test_diseased_lungs_are_measured_apart_where_the_table_tells(sample_data, tmp_path):
    rows = read_rows(sample_data / "manifest.csv", required=("image_path", "mask_path"))
    words = ("normal", "Pneumonia", "")
    for row in rows[:6]:
        for name in (row["image_path"], row["mask_path"]):
            (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name).write_bytes((sample_data / name).read_bytes())
    lines = [f"{r['image_path']},{r['mask_path']},{words[n % 3]}" for n, r in enumerate(rows[:6])]
    (tmp_path / "told.csv").write_text("image_path,mask_path,finding\n" + "\n".join(lines) + "\n")

    told = OutlineSet.load([replace(TABLE, path="told.csv")], tmp_path, FITTED)

    assert told.groups == ("told.csv, normal", "told.csv, diseased", "told.csv") * 2
    network = OutlineNetwork((4, 4, 4, 4), pretrained=False).eval()
    figures = outline_figures(compare_outlines([(network, range(6))], told, FITTED))
    assert {name: one.n_images for name, one in figures.by_table.items()} == dict.fromkeys(
        told.groups, 2
    )


def test_the_digest_is_of_masks_as_they_are_learned_from(sample_data, outlined):
    lungs = OutlineSet.load(
        [OutlineTableConfig(path="manifest.csv", contents="lungs")], sample_data, FITTED
    )
    assert lungs.digest != outlined.digest  # of the same files
    assert OutlineSet.load([TABLE], sample_data, FITTED).digest == outlined.digest


@pytest.mark.timeout(900)  # two trainings, maybe beside other work
def test_training_learns_to_outline_and_goes_on_exactly(outlined, tmp_path):
    train, watched = hold_out_patients(outlined.patients, 0.25, seed=0)
    assert {outlined.patients[r] for r in train}.isdisjoint(outlined.patients[r] for r in watched)
    config = OutlineConfig(
        tables=(TABLE,),
        widths=(32, 32, 16, 8),
        pretrained=False,
        epochs=30,
        batch_size=4,
        average_decay=0.9,
        learning_rate=1e-2,
    )
    events = []

    def emit(kind, **values):
        events.append((kind, values))
        if kind == "step" and values["step"] == 120:  # what is there if it is killed now
            shutil.copytree(tmp_path / "whole", tmp_path / "cut")

    (tmp_path / "whole").mkdir()
    network, seconds = fit_outlines(
        config,
        outlined,
        FITTED,
        part_in(tmp_path / "whole", train, watched),
        emit,
        seed=1,
        fabric=FABRIC,
    )
    figures = dict(events)["outlines"]
    fresh = OutlineNetwork(config.widths, pretrained=False).eval()
    untrained = outline_figures(compare_outlines([(fresh, watched)], outlined, FITTED))
    assert seconds > 0
    assert figures["dice_lungs"] > 0.6 > untrained.dice_lungs
    assert figures["dice_heart"] > 0.2 > untrained.dice_heart

    steps = []
    resumed, _ = fit_outlines(
        config,
        outlined,
        FITTED,
        part_in(tmp_path / "cut", train, watched),
        lambda kind, **values: steps.append(values["step"]) if kind == "step" else None,
        seed=1,
        fabric=FABRIC,
    )
    assert steps[0] == 110  # after its last checkpoint, of step 100
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_hearts_are_needed(sample_data, tmp_path):
    table = OutlineTableConfig(path="manifest.csv", contents="lungs")
    alone = OutlineSet.load([table], sample_data, FITTED)

    with pytest.raises(DataError, match="heart"):
        fit_outlines(
            SMALL,
            alone,
            FITTED,
            part_in(tmp_path, range(40)),
            lambda *_a, **_k: None,
            seed=0,
            fabric=FABRIC,
        )


def test_a_lung_that_may_reach_behind_the_heart_says_nothing_of_the_heart():
    masks = boxes().expand(2, -1, -1, -1).clone()
    masks[1, :2] = masks[1, :2].amax(dim=0)  # both lungs together, in either channel
    complete = torch.tensor([True, False])
    logits = ((masks - 0.5) * 4).requires_grad_()

    outline_loss(logits, masks, complete).backward()
    assert logits.grad[0, 2].abs().max() > 0
    assert logits.grad[1, 2].abs().max() == 0  # nothing is known of this heart
    assert logits.grad[1, :2].abs().max() > 0

    # found lungs end at the heart, while the drawn ones go on behind it
    found = ((masks[1:] - 0.5) * 8).clone()
    found[:, :2, 30:50, 24:46] = -4
    sure, unsure = found.clone(), found.clone()
    sure[:, 2, 30:50, 24:46] = 4
    unsure[:, 2] = -4
    assert 10 * outline_loss(sure, masks[1:], complete[1:]) < outline_loss(
        unsure, masks[1:], complete[1:]
    )


def test_a_heart_that_is_too_narrow_costs_more_than_one_that_is_too_low():
    drawn = boxes()
    narrow, low = drawn.clone(), drawn.clone()
    narrow[0, 2, :, 44:46] = 0  # 2 columns of 20 rows
    low[0, 2, 48:50, 26:46] = 0  # 2 rows of as many pixels
    complete = torch.tensor([True])

    def cost(masks, weight):
        return outline_loss(20 * masks - 10, drawn, complete, width_weight=weight)

    assert cost(narrow, 0.0) == pytest.approx(float(cost(low, 0.0)), rel=0.01)
    assert cost(narrow, 1.0) > 1.5 * cost(low, 1.0)
    assert cost(drawn, 1.0) < 0.01


def test_a_mask_of_another_kind_or_shape_is_refused(sample_data, tmp_path):
    image = next(f"images/{path.name}" for path in (sample_data / "images").glob("*.png"))
    (tmp_path / "images").mkdir()
    shutil.copy(sample_data / image, tmp_path / image)

    def load(mask):
        Image.fromarray(mask).save(tmp_path / "mask.png")
        (tmp_path / "manifest.csv").write_text(f"image_path,mask_path\n{image},mask.png\n")
        return OutlineSet.load([TABLE], tmp_path, FITTED)

    white = np.zeros((96, 96), dtype=np.uint8)
    white[20:80, 20:80] = 255
    with pytest.raises(DataError, match="both lungs"):
        load(white)
    with pytest.raises(DataError, match="no lungs"):
        load((white > 0).astype(np.uint8) * 4)
    with pytest.raises(DataError, match="another shape"):
        load(np.repeat(white, 2, axis=0))


def test_a_measure_that_tells_the_finding_is_used_and_one_that_does_not_is_not():
    random = np.random.default_rng(0)
    labels = (random.random((400, 2)) < 0.3).astype(float)
    logits = random.normal(size=(400, 2)).astype(np.float32)
    measures = random.normal(size=(400, 2)).astype(np.float32)
    measures[:, 0] += 2 * labels[:, 1]

    fusion = fit_fusion(logits, measures, labels, (1,), np.ones(400))

    assert fusion.weights[1, 0] > 1 > 5 * abs(fusion.weights[1, 1])
    fused = fusion.apply(logits, measures)
    assert np.array_equal(fused[:, 0], logits[:, 0])  # not informed
    assert np.corrcoef(fused[:, 1], labels[:, 1])[0, 1] > 0.6


def test_maps_still_sum_to_their_logits_and_measures_lie_over_the_heart(tmp_path):
    config = small_config(tmp_path)
    reader = build_network(config).eval()
    outliner = OutlineNetwork((4, 4, 4, 4), pretrained=False).eval()
    outliner.forward = lambda x: (boxes().expand(len(x), -1, -1, -1) - 0.5) * 40
    plain, informed = (Fusion.none(5, len(MEASURES)) for _ in range(2))
    informed.weights[2, 0] = 4.0
    informed.center[0] = 0.25
    informed.intercepts[2] = -3.2
    x = torch.from_numpy(np.stack([random_images(2).input(i) for i in range(2)]))

    with torch.inference_mode():
        before = AnatomyGuided(reader, outliner, plain)(x)
        after = AnatomyGuided(reader, outliner, informed)(x)

    assert torch.allclose(after.maps.sum(dim=(2, 3)), after.logits, atol=1e-4)
    added = after.maps - before.maps
    gained = after.logits[:, 2] - before.logits[:, 2]
    assert torch.allclose(gained, torch.tensor(4 * (0.5 - 0.25) - 3.2), atol=1e-3)
    assert torch.allclose(added[:, [0, 1, 3, 4]], torch.zeros(()), atol=1e-6)
    grid = added.shape[-1]
    heart = torch.nn.functional.avg_pool2d(boxes()[:, 2:], SIZE // grid)[0, 0]
    constant = -3.2 / grid**2  # lies everywhere alike
    assert torch.allclose(added[0, 2] - constant, heart / heart.sum(), atol=1e-3)


@pytest.fixture(scope="module")
def guided(tmp_path_factory, sample_data):
    """Train the parts of a run one by one, as several processes would, and then the run."""
    folder = tmp_path_factory.mktemp("guided")
    changes = {
        "batch_size = 2": "batch_size = 8\nearly_stopping = false",
        "[evaluation]": "[evaluation]\nmethod = 'cross_validation'\nfolds = 2\nship = 'folds'",
        "bootstrap = 20\n": "bootstrap = 20\n" + OUTLINES + "[lesions]\nshare = 0.5\n",
        "sampling_power = 0.5": "sampling_power = 0.5\npatient_power = 0.5",
    }
    config = small_config(folder, changes)
    data = shutil.copytree(sample_data, folder / "data")
    shutil.copy(data / "manifest.csv", data / "outlined.csv")

    def run(only=None):
        return run_experiment(config, data, folder / "runs", command="c", hardware=CPU, only=only)

    with pytest.raises(
        DataError,
        match=r"no part 'fold-9'.*fold-1, fold-2, outlines-fold-1, outlines-fold-2, outlines",
    ):
        run("fold-9")
    alone = ("outlines", "fold-2", "fold-1", "outlines-fold-2", "outlines-fold-1")
    assert [run(name) for name in alone] == [None] * 5
    (run_folder,) = (folder / "runs").iterdir()
    before = {path: path.stat().st_mtime_ns for path in run_folder.glob("*/checkpoint.safetensors")}
    assert len(before) == 5
    held_out = [
        read_rows(path, required=("fold",))
        for path in sorted(run_folder.glob("fold-*/held_out.csv"))
    ]
    named = [row["image_path"] for rows in held_out for row in rows]
    assert len(held_out) == 2
    assert sorted(named) == sorted(
        row["image_path"] for row in read_rows(data / "manifest.csv", required=())
    )
    bundle = run()
    assert {path: path.stat().st_mtime_ns for path in before} == before  # nothing trained twice
    return bundle


def test_the_shipped_graph_outlines_what_it_reads(guided, sample_data):
    assert guided.manifest.outlines == ORGANS
    figures = guided.manifest.outline_figures
    assert (figures.folds, figures.n_images, figures.n_hearts) == (2, 40, 40)  # all are measured
    assert "2-fold cross-validation by patient (each" in guided.path("model_card.md").read_text()
    predictor = Predictor(guided)
    images = [read_image(path) for path in sorted((sample_data / "images").iterdir())[:3]]

    predictions = predictor.predict(images)

    assert predictions.outlines.shape == (3, 3, SIZE, SIZE)
    assert predictions.outlines.min() >= 0
    assert predictions.outlines.max() <= 1
    assert np.allclose(predictions.maps.sum(axis=(2, 3)), predictions.logits, atol=1e-3)


def test_the_network_is_built_again_with_its_outlines_and_measures(guided, sample_data):
    predictor, network = Predictor(guided), load_network(guided)
    paths = sorted((sample_data / "images").iterdir())[:2]
    inputs = [predictor.prepare(read_image(path)) for path in paths]

    with torch.inference_mode():
        found = network(torch.from_numpy(np.stack([one.pixels for one in inputs])))

    expected = predictor.predict_prepared(inputs)
    n_findings = expected.logits.shape[1]
    assert np.allclose(found.logits[:, :n_findings].numpy(), expected.logits, atol=1e-3)
    assert np.allclose(found.outlines.numpy(), expected.outlines, atol=1e-2)


def test_maps_are_shown_against_those_of_images_without_findings(guided, sample_data):
    predictor = Predictor(guided)
    table = StudyTable.read_csv(sample_data / "manifest.csv", guided.manifest.findings)
    healthy = [
        read_image(table.path(row))
        for row in range(len(table))
        if table.labels[row].tolist() == [0, 0, 0, 1]
    ]

    maps = predictor.predict(healthy).maps

    assert len(healthy) > 3
    shown = predictor.beside_ordinary(maps)
    assert np.abs(shown.mean(axis=0)).max() < 0.02 + 0.01 * np.abs(maps).max()  # rounded weights
    assert not np.allclose(shown, 0, atol=1e-3)


def test_the_networks_of_the_folds_answer_together(guided):
    assert "networks of all folds answer together" in guided.manifest.measurements[0].method
    assert guided.manifest.measurements[0].report.n_images == 40
