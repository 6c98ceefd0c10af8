"""How far a training is and how long it still takes, by events alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.learning.config import TrainingConfig
from medcxr.services.training_progress import parts_of, progress_of, told_left

FOLDS = ("fold-1", "fold-2")


def started(time=0.0):
    return {"event": "started", "time": time}


def step(time, number, *, part="fold-1", epoch=1, steps=10):
    event = {"event": "step", "time": time, "part": part, "epoch": epoch}
    return event | {"step": number, "steps": steps, "loss": 0.5}


def epoch(time, number, *, part="fold-1", **figures):
    event = {"event": "epoch", "time": time, "part": part, "epoch": number, "epochs": 4}
    return event | {"loss": 0.6} | figures


def stopped(time, part="fold-1"):
    return {"event": "stopped", "time": time, "part": part, "kept_epoch": 1}


def progress(events, *, now, parts=FOLDS, epochs=4):
    return progress_of(events, parts=parts, epochs=epochs, now=now)


def test_before_the_first_step_nothing_is_claimed():
    for events in ([], [started()], [started(), step(9.0, 10)]):
        told = progress(events, now=10.0)
        assert told.seconds_left is None
        assert told.doing == ("Training" if len(events) == 2 else "Preparing")
    assert progress([], now=0.0).part_number == 0


def test_the_speed_of_the_steps_tells_the_time_left():
    events = [started(), step(10.0, 2), step(20.0, 4)]  # 0.2 epochs in 10 s
    told = progress(events, now=20.0)
    assert (told.part, told.part_number, told.n_parts) == ("fold-1", 1, 2)
    assert (told.epoch, told.step, told.steps) == (1, 4, 10)
    assert told.share == pytest.approx(0.4 / 8)
    assert told.seconds_left == pytest.approx((8 - 0.4) * 50)
    assert progress(events, now=30.0).seconds_left == pytest.approx((8 - 0.4) * 50 - 10)
    assert progress(events, now=1e6).seconds_left == 0


def test_a_moment_says_nothing_of_the_speed():
    assert progress([started(), step(1.0, 1), step(2.0, 2)], now=2.0).seconds_left is None


def test_a_pause_between_two_starts_does_not_count():
    before = [started(), step(10.0, 2), step(20.0, 4)]
    after = [started(5000.0), step(5010.0, 6), step(5020.0, 8)]
    assert progress([*before, started(5000.0)], now=5000.0).seconds_left is None
    told = progress([*before, *after], now=5020.0)
    assert told.seconds_left == pytest.approx((8 - 0.8) * 50)


def test_epochs_that_early_stopping_spares_are_not_taken_for_speed():
    events = [started(), step(0.0, 5), epoch(25.0, 1), stopped(25.0)]
    events += [step(75.0, 10, part="fold-2")]
    told = progress(events, now=75.0)
    assert told.share == pytest.approx(5 / 8)
    assert told.seconds_left == pytest.approx(3 * 50)


def test_the_figures_of_each_epoch_are_kept_once():
    first = epoch(1.0, 1, val_loss=0.7, map=0.3, auc={"Effusion": 0.8})
    events = [started(), first, started(), first, epoch(9.0, 2, map=None)]
    one, two = progress(events, now=9.0).figures
    assert (one.epoch, one.loss, one.val_loss, one.mean_precision) == (1, 0.6, 0.7, 0.3)
    assert one.aucs == {"Effusion": 0.8}
    assert (two.epoch, two.val_loss, two.mean_precision, two.aucs) == (2, None, None, {})


def test_other_parts_and_events_are_passed_over():
    events = [
        started(),
        step(9.0, 3, part="pretraining"),
        {"event": "outlines", "part": "outlines"},
    ]
    assert progress(events, now=9.0).part == ""
    events.append({"event": "measuring", "time": 10.0, "images": 4})
    assert progress(events, now=9.0).doing == "Measuring"


@given(st.lists(st.floats(0.01, 1e4), min_size=2, max_size=100), st.floats(0, 1e6))
def test_the_share_grows_and_the_time_left_is_never_negative(gaps, wait):
    events, time, shares = [started()], 0.0, []
    for number, gap in enumerate(gaps):
        time += gap
        events.append(step(time, number % 10 + 1, epoch=number // 10 + 1, part="holdout"))
        told = progress(events, now=time + wait, parts=("holdout",), epochs=10)
        shares.append(told.share)
        assert told.seconds_left is None or told.seconds_left >= 0
    assert shares == sorted(shares)
    assert shares[-1] <= 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "measuring"),
        (0.0, "less than a minute"),
        (61.0, "about 2 min"),
        (3600.0, "about 1 h 00 min"),
        (5400.5, "about 1 h 31 min"),
    ],
)
def test_an_estimate_is_told_as_exactly_as_it_may_be(seconds, words):
    assert told_left(seconds) == words


def test_the_parts_of_a_run_are_those_that_its_events_name():
    assert parts_of(TrainingConfig()) == ("holdout",)
