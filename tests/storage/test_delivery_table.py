"""Deliveries as the database keeps them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from medcxr.core.deliveries import DeliveryState
from medcxr.storage import delivery_table, undelivered_table
from medcxr.storage.delivery_table import NewDelivery

NOW = datetime(2026, 3, 4, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


def new(number, destination="pacs", urgency_rank=3):
    return NewDelivery(
        result_uid=f"1.2.{number}",
        destination=destination,
        kind="structured report",
        digest=f"{number:064x}",
        n_bytes=10,
        urgency_rank=urgency_rank,
    )


def due(connection, now=NOW, destination="pacs", limit=10):
    latest = now + timedelta(hours=1)
    return delivery_table.due_deliveries(connection, destination, now, latest, limit)


@pytest.fixture
def writing(opened):
    with opened().writing() as connection:
        yield connection


def test_the_most_urgent_comes_first_and_each_destination_has_its_own(writing):
    results = [new(1), new(2, urgency_rank=0), new(3), new(4, "other")]
    delivery_table.add_deliveries(writing, results, NOW)
    assert [row.result_uid for row in due(writing)] == ["1.2.2", "1.2.1", "1.2.3"]
    assert [row.result_uid for row in due(writing, limit=1)] == ["1.2.2"]
    assert [row.result_uid for row in due(writing, destination="other")] == ["1.2.4"]


def test_what_failed_waits_for_its_time_and_what_was_sent_for_none(writing):
    delivery_table.add_deliveries(writing, [new(1), new(2)], NOW)
    first, second = due(writing)
    delivery_table.set_failed(writing, first, attempts=1, reason="refused", next_try_at=LATER)
    assert delivery_table.set_sent(writing, [second], NOW) == 1
    assert due(writing) == []
    (again,) = due(writing, LATER)
    assert (again.result_uid, again.attempts) == ("1.2.1", 1)
    assert delivery_table.needed_digests(writing, [first.digest, second.digest]) == {first.digest}
    waiting, sent = sorted(
        delivery_table.standings(writing), key=lambda one: one.state != "waiting"
    )
    assert (waiting.n, waiting.since, waiting.last_error) == (1, NOW, "refused")
    assert (sent.state, sent.n, sent.last_error) == (DeliveryState.SENT, 1, None)


def test_a_clock_that_was_set_back_holds_up_no_result(writing):
    delivery_table.add_deliveries(writing, [new(1), new(2)], NOW)
    first, second = due(writing)
    in_a_year, soon = NOW + timedelta(days=365), LATER
    for row, moment in ((first, in_a_year), (second, soon)):
        delivery_table.set_failed(writing, row, attempts=1, reason="silent", next_try_at=moment)
    assert [row.result_uid for row in due(writing)] == [first.result_uid]


def test_what_waits_for_a_destination_that_is_none_any_more_is_given_up_untried(writing):
    delivery_table.add_deliveries(writing, [new(1), new(2, "removed")], NOW)
    assert delivery_table.give_up(writing, NOW, LATER, ["pacs"]) == 0
    assert delivery_table.give_up(writing, LATER, LATER, ["pacs"]) == 1
    assert [len(due(writing, LATER, one)) for one in ("pacs", "removed")] == [1, 0]


def test_a_result_that_is_made_anew_is_sent_again_and_not_taken_for_the_old_one(writing):
    delivery_table.add_deliveries(writing, [new(1)], NOW)
    (old,) = due(writing)
    delivery_table.add_deliveries(writing, [replace(new(1), digest="f" * 64)], LATER)
    assert delivery_table.set_sent(writing, [old], LATER) == 0
    (current,) = due(writing, LATER)
    assert current.digest == "f" * 64
    assert delivery_table.set_sent(writing, [current], LATER) == 1


def test_what_was_tried_too_long_is_given_up_until_somebody_says_otherwise(writing):
    delivery_table.add_deliveries(writing, [new(1), new(2)], NOW)
    (tried, untried) = due(writing)
    delivery_table.set_failed(writing, tried, attempts=1, reason="refused", next_try_at=NOW)
    assert delivery_table.give_up(writing, LATER, LATER, ["pacs"]) == 1
    assert [row.result_uid for row in due(writing)] == [untried.result_uid]
    assert delivery_table.needed_digests(writing, [tried.digest]) == {tried.digest}
    assert undelivered_table.try_again(writing, LATER) == 2
    assert len(due(writing, LATER)) == 2
    assert delivery_table.give_up(writing, LATER, LATER, ["pacs"]) == 0


def test_what_was_confirmed_is_forgotten_after_some_time(writing):
    delivery_table.add_deliveries(writing, [new(1), new(2)], NOW)
    delivery_table.set_sent(writing, due(writing)[:1], NOW)
    assert delivery_table.forget_sent(writing, NOW) == 0
    assert delivery_table.forget_sent(writing, LATER) == 1
    assert len(due(writing)) == 1
