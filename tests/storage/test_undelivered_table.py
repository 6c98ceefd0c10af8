"""What was not delivered, as the database keeps it, also over a state that is put in its place."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import select

from medcxr.core.deliveries import UNDELIVERED, DeliveryState
from medcxr.storage import delivery_table, undelivered_table
from medcxr.storage.carried_deliveries import all_deliveries, carry_over
from medcxr.storage.delivery_table import NewDelivery
from medcxr.storage.tables import deliveries

NOW = datetime(2026, 3, 4, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def new(number, destination="pacs"):
    return NewDelivery(
        result_uid=f"1.2.{number}",
        destination=destination,
        kind="structured report",
        digest=f"{number:064x}",
        n_bytes=10,
        urgency_rank=3,
    )


@pytest.fixture
def writing(opened):
    with opened().writing() as connection:
        yield connection


def states(connection):
    rows = connection.execute(select(deliveries.c.result_uid, deliveries.c.state))
    return {uid: DeliveryState(state) for uid, state in rows}


def put(connection, number, state):
    delivery_table.add_deliveries(connection, [new(number)], NOW)
    same = deliveries.c.result_uid == f"1.2.{number}"
    connection.execute(deliveries.update().where(same).values(state=state.value, attempts=9))


def test_results_are_tried_again_and_discarded_by_their_numbers(writing):
    for number, state in enumerate(DeliveryState):
        put(writing, number, state)
    found = undelivered_table.undelivered_rows(writing, UNDELIVERED, 10)
    assert [one.state for one in found] == [DeliveryState.WAITING, DeliveryState.GIVEN_UP]
    (given_up,) = undelivered_table.undelivered_rows(writing, {DeliveryState.GIVEN_UP}, 10)
    every = list(range(1, 100))
    assert undelivered_table.try_again(writing, LATER, [given_up.number]) == 1
    assert undelivered_table.try_again(writing, LATER, every) == 2
    n, digests = undelivered_table.discard(writing, LATER, [given_up.number])
    assert (n, digests) == (1, [f"{2:064x}"])
    assert undelivered_table.try_again(writing, LATER, every) == 1
    assert states(writing) == {
        "1.2.0": DeliveryState.WAITING,
        "1.2.1": DeliveryState.SENT,
        "1.2.2": DeliveryState.DISCARDED,
        "1.2.3": DeliveryState.DISCARDED,
    }
    assert delivery_table.needed_digests(writing, digests) == set()
    assert delivery_table.forget_sent(writing, LATER + timedelta(1)) == 3


def test_a_file_is_needed_as_long_as_another_destination_waits_for_it(writing):
    delivery_table.add_deliveries(writing, [new(1), new(1, "other")], NOW)
    first, _ = undelivered_table.undelivered_rows(writing, UNDELIVERED, 10)
    _, digests = undelivered_table.discard(writing, NOW, [first.number])
    assert delivery_table.needed_digests(writing, digests) == set(digests)


def test_what_is_dropped_of_a_radiograph_is_what_was_not_sent(writing):
    image = "a" * 64
    results = [replace(new(number), image_digest=image) for number in range(4)]
    delivery_table.add_deliveries(writing, [*results, new(9)], NOW)
    for number, state in enumerate(DeliveryState):
        same = deliveries.c.result_uid == f"1.2.{number}"
        writing.execute(deliveries.update().where(same).values(state=state.value))
    n, digests = undelivered_table.drop_undelivered(writing, image)
    assert (n, sorted(digests)) == (2, [f"{0:064x}", f"{2:064x}"])
    assert set(states(writing)) == {"1.2.1", "1.2.3", "1.2.9"}
    assert writing.execute(select(deliveries.c.image_digest)).scalars().all() == [None] * 3


def test_nothing_owed_is_lost_and_nothing_done_waits_again_over_an_earlier_state(writing):
    """Every pair of what an earlier state says of a result, and what is known of it later."""
    pairs = list(product((None, *DeliveryState), repeat=2))
    for number, (_, known) in enumerate(pairs):
        if known is not None:
            put(writing, number, known)
    later = all_deliveries(writing)
    writing.execute(deliveries.delete())
    for number, (earlier, _) in enumerate(pairs):
        if earlier is not None:
            put(writing, number, earlier)
    carry_over(writing, later, LATER)
    found = states(writing)
    for number, (earlier, known) in enumerate(pairs):
        assert found.get(f"1.2.{number}") == (known or earlier)
    # However old the state is, what waits of it begins anew.
    assert delivery_table.give_up(writing, LATER - timedelta(days=7), LATER, ["pacs"]) == 0
