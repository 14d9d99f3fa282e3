"""What became of a delivery: the facts others hear, and the ids that they name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.deliveries.domain.delivery import (
    About,
    Again,
    Delivery,
    Evidence,
    GivenUp,
    Item,
    Result,
    SetAside,
    State,
    Taken,
    attempts_after,
    delivery_id,
    settle,
)
from shared.contracts.notifications.delivery import Channel, DeliveryAccepted, DeliveryExhausted
from shared.contracts.vocabulary import Visibility
from shared.ids import is_id, uuid7

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
EVENT = "01938a3c-0000-7000-8000-000000000000"
SHOWN = Evidence(started_at=NOON, took_ms=12, status=200)


def an_item(attempts: int = 0) -> Item:
    return Item(
        key=f"whe_1:{EVENT}",
        id=delivery_id(f"whe_1:{EVENT}", EVENT),
        channel=Channel.WEBHOOK,
        target="whe_1",
        recipient="whe_1",
        owner="sys_1",
        about=About(
            event_id=EVENT,
            event_type="partner.suspended.v1",
            subject="ptn_1",
            version=2,
            visibility=Visibility.PARTNER,
            audience=("partner:ptn_1",),
        ),
        content={},
        speaks_for=None,
        lane="whe_1|ptn_1",
        attempts=attempts,
        queued_at=NOON,
        since=NOON,
        lease="lse_1",
        leased_until=NOON + timedelta(seconds=60),
        correlation_id="c",
        trace=None,
    )


def test_a_delivery_that_was_taken_is_a_fact_with_the_instant_and_its_attempts() -> None:
    item = an_item(attempts=2)
    (fact,) = settle(item, Taken(state=State.DELIVERED, evidence=SHOWN), NOON)
    assert isinstance(fact, DeliveryAccepted)
    assert (fact.delivery_id, fact.event_id, fact.about) == (item.id, EVENT, "ptn_1")
    assert (fact.channel, fact.recipient, fact.accepted_at, fact.attempts) == ("webhook", "whe_1", NOON, 3)


def test_a_delivery_that_was_given_up_is_a_fact_with_its_reason() -> None:
    (fact,) = settle(an_item(attempts=9), GivenUp(reason="exhausted", evidence=SHOWN), NOON)
    assert isinstance(fact, DeliveryExhausted)
    assert (fact.reason, fact.at, fact.attempts) == ("exhausted", NOON, 10)


@pytest.mark.parametrize(
    ("result", "attempts"),
    [
        (Taken(state=State.DELIVERED), 4),
        (Again(after_s=5, reason="timeout", evidence=SHOWN), 4),
        (Again(after_s=30, reason="internal", counts=False), 3),
        (GivenUp(reason="refused", evidence=SHOWN), 4),
        (GivenUp(reason="not_disclosed", state=State.SUPPRESSED), 3),
        (SetAside(reason="breaker"), 3),
        (SetAside(reason="disabled", evidence=SHOWN), 4),
    ],
)
def test_only_what_was_attempted_counts_and_what_failed_through_us_does_not(
    result: Result, attempts: int
) -> None:
    assert attempts_after(an_item(attempts=3), result) == attempts


def test_a_replay_that_is_taken_makes_a_given_up_delivery_an_accepted_one() -> None:
    item = an_item()
    (given_up,) = settle(item, GivenUp(reason="exhausted"), NOON)
    (taken,) = settle(replace(item, replays=1), Taken(state=State.DELIVERED), NOON)
    delivery = Delivery.begin(given_up)
    assert not delivery.accepted
    assert delivery.apply(taken) == Delivery(id=item.id, accepted=True, attempts=1)


@given(st.text(max_size=80))
def test_a_deliverys_id_is_an_id_and_follows_from_what_it_is_about(key: str) -> None:
    assert is_id(delivery_id(key, EVENT), "dlv")
    assert delivery_id(key, EVENT) == delivery_id(key, EVENT)


def test_deliveries_of_a_later_event_sort_after_those_of_an_earlier_one() -> None:
    first, later = "01938a3c-0000-7000-8000-000000000000", "01938a3c-0001-7000-8000-000000000000"
    assert delivery_id("zz", first) < delivery_id("aa", later)
    made = {delivery_id(f"rule:{event}", event) for event in (str(uuid7()) for _ in range(1_000))}
    assert len(made) == 1_000
