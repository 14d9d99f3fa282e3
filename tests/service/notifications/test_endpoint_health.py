"""Endpoints that hang, refuse or are switched off: nobody else notices, and nothing of theirs is lost."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.webhooks.commands import DisableEndpoint, EnableEndpoint, RotateSecret
from services.notifications.webhooks.documents import endpoints
from services.notifications.webhooks.handlers import (
    Premises,
    disable_endpoint,
    enable_endpoint,
    rotate_secret,
)
from shared.context import Actor
from shared.contracts.notifications.delivery import Channel
from shared.contracts.vocabulary import Grant, Role
from shared.errors import NotFound, Refusal
from shared.ids import new_id
from shared.storage.repository import Unit
from tests.service.notifications.desk import KEYS, Database, Desk, registered, suspended, toggles
from tests.service.notifications.sending import GATE
from tests.support.receiver import Receiver
from tests.support.road import until

pytestmark = pytest.mark.asyncio

PREMISES = Premises(gate=GATE, keys=KEYS)


class Ahead:
    """A clock that a test moves forward."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    def real(self) -> datetime:
        return datetime.now(UTC) + self.by


def system(id: str) -> Actor:
    return Actor(id=id, grants=(Grant(Role.EXTERNAL_SYSTEM),))


async def switch(desk: Desk, endpoint_id: str, owner: str, *, on: bool) -> None:
    async def work(unit: Unit) -> None:
        if on:
            await enable_endpoint(EnableEndpoint(endpoint_id=endpoint_id, reason="Repaired"), unit)
        else:
            await disable_endpoint(DisableEndpoint(endpoint_id=endpoint_id, reason="Being moved"), unit)

    await desk.perform(work, system(owner))
    await desk.ways.book.look()


async def test_endpoints_that_hang_or_refuse_delay_nobody_else(desk: Desk, receiver: Receiver) -> None:
    for number in range(6):
        await desk.endpoint(receiver.url(f"/hang?{number}"), "partner.*")
        await desk.endpoint(receiver.url(f"/status/500?{number}"), "partner.*")
    healthy = await desk.endpoint(receiver.url("/ok"), "partner.*")
    await desk.start(Channel.WEBHOOK)
    loop, started = desk.runtime.clock, desk.runtime.clock.real()
    for _ in range(4):
        await desk.hear(*(registered(new_id("ptn")) for _ in range(30)))
    await until(lambda: _delivered(desk, healthy.endpoint_id, 120))
    assert loop.real() - started < timedelta(seconds=8)
    assert receiver.under_way_max["/hang"] <= 6 * 10


async def _delivered(desk: Desk, endpoint_id: str, count: int) -> bool:
    return (await desk.states(target=endpoint_id))["delivered"] == count


async def test_a_failing_endpoint_is_left_in_peace_and_gets_all_of_it_when_it_is_well(
    database: Database, receiver: Receiver
) -> None:
    clock = Ahead()
    desk = await database.desk(clock=clock)
    receiver.answers("/sick", 500)
    await desk.endpoint(receiver.url("/sick"), "partner.*")
    await desk.start(Channel.WEBHOOK)
    partners = [new_id("ptn") for _ in range(40)]
    await desk.hear(*(registered(partner) for partner in partners))
    await until(lambda: _parked(desk, "breaker"))
    tried = len(receiver.requests)
    assert tried < 40, "it was not asked for each of them"
    receiver.answers("/sick", 200)
    clock.by = timedelta(hours=3)
    await desk.until_states(channel="webhook", delivered=40, within_s=20)
    assert len(receiver.requests) == tried + 40


async def _parked(desk: Desk, reason: str) -> bool:
    parked = await desk.deliveries(state="parked")
    return any(one["reason"] == reason for one in parked)


async def test_a_receiver_that_is_gone_is_disabled_and_what_comes_is_kept(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.answers("/gone", 410)
    owner = await desk.register_system()
    made = await desk.endpoint(receiver.url("/gone"), "partner.*", owner=owner)
    await desk.start(Channel.WEBHOOK)
    partner = new_id("ptn")
    await desk.hear(registered(partner))
    await desk.until_states(channel="webhook", parked=1)
    await desk.hear(suspended(partner), registered(new_id("ptn")))
    await desk.until_states(channel="webhook", parked=2, waiting=1)
    state, _, _ = await endpoints.replay(desk.mongo, made.endpoint_id)
    assert state["disabled_because"] == "gone"
    assert len(receiver.requests) == 1
    receiver.answers("/gone", 200)
    await switch(desk, made.endpoint_id, owner, on=True)
    await desk.until_states(channel="webhook", delivered=3)


async def test_what_comes_while_an_endpoint_is_off_goes_out_in_order_when_it_is_on(
    desk: Desk, receiver: Receiver
) -> None:
    owner = await desk.register_system()
    made = await desk.endpoint(receiver.url("/ok"), "partner.*", owner=owner)
    await desk.start(Channel.WEBHOOK)
    await switch(desk, made.endpoint_id, owner, on=False)
    partner = new_id("ptn")
    await desk.hear(registered(partner), *toggles(partner, 3))
    await desk.until_states(channel="webhook", parked=1, waiting=3)
    assert receiver.requests == []
    await switch(desk, made.endpoint_id, owner, on=True)
    await desk.until_states(channel="webhook", delivered=4)


async def test_what_was_kept_for_a_week_of_repairs_is_as_good_as_new(
    database: Database, receiver: Receiver
) -> None:
    clock = Ahead()
    desk = await database.desk(clock=clock)
    owner = await desk.register_system()
    made = await desk.endpoint(receiver.url("/hook"), "partner.*", owner=owner)
    await switch(desk, made.endpoint_id, owner, on=False)
    await desk.hear(registered(new_id("ptn")))
    await desk.until_states(channel="webhook", parked=1)
    clock.by = timedelta(days=8)
    receiver.answers("/hook", 503, 200)
    await switch(desk, made.endpoint_id, owner, on=True)
    await desk.start(Channel.WEBHOOK)
    await desk.try_again_now(attempts=1)
    await desk.until_states(channel="webhook", delivered=1)


async def test_nothing_is_kept_for_a_disabled_endpoint_for_ever(
    database: Database, receiver: Receiver
) -> None:
    clock = Ahead()
    desk = await database.desk(clock=clock)
    owner = await desk.register_system()
    made = await desk.endpoint(receiver.url("/ok"), "partner.*", owner=owner)
    await switch(desk, made.endpoint_id, owner, on=False)
    partner = new_id("ptn")
    await desk.hear(registered(partner), suspended(partner))
    await desk.start(Channel.WEBHOOK)
    await desk.until_states(channel="webhook", parked=1, waiting=1)
    clock.by = timedelta(days=31)
    await desk.until_states(channel="webhook", dead=2)
    assert {one["reason"] for one in await desk.deliveries(channel="webhook")} == {"expired"}
    assert receiver.requests == []


async def test_an_endpoint_that_asks_to_be_left_alone_is(desk: Desk, receiver: Receiver) -> None:
    await desk.endpoint(receiver.url("/throttled"), "partner.*")
    await desk.start(Channel.WEBHOOK)
    await desk.hear(registered(new_id("ptn")))
    await desk.until_states(channel="webhook", pending=1)
    await desk.try_again_now(attempts=1)
    await until(lambda: _parked(desk, "paused"))
    await desk.hear(registered(new_id("ptn")))
    await desk.until_states(channel="webhook", parked=2)
    assert len(receiver.requests) == 1


async def test_a_backlog_larger_than_memory_holds_goes_out_all_the_same(
    desk: Desk, receiver: Receiver
) -> None:
    await desk.endpoint(receiver.url("/ok"), "partner.*")
    await desk.hear(*(registered(new_id("ptn")) for _ in range(250)))
    await desk.start(Channel.WEBHOOK)
    await desk.until_states(channel="webhook", delivered=250)
    assert len(receiver.requests) == 250


async def test_both_secrets_sign_until_the_grace_ends(database: Database, receiver: Receiver) -> None:
    clock = Ahead()
    desk = await database.desk(clock=clock)
    owner = await desk.register_system()
    old = await desk.endpoint(receiver.url("/ok"), "partner.*", owner=owner)
    command = RotateSecret(endpoint_id=old.endpoint_id, grace_s=3_600)
    new = await desk.perform(lambda unit: rotate_secret(command, unit, PREMISES), system(owner))
    await desk.ways.book.look()
    await desk.start(Channel.WEBHOOK)
    await desk.hear(registered(new_id("ptn")))
    await desk.until_states(channel="webhook", delivered=1)
    secrets = [old.secret.get_secret_value(), new.secret.get_secret_value()]
    assert [receiver.requests[0].is_signed_by(secret) for secret in secrets] == [True, True]
    clock.by = timedelta(seconds=3_601)
    await desk.hear(registered(new_id("ptn")))
    await desk.until_states(channel="webhook", delivered=2)
    signatures = receiver.requests[1].headers["webhook-signature"].split()
    assert len(signatures) == 1


async def test_an_endpoint_is_its_owners(desk: Desk, receiver: Receiver) -> None:
    owner = await desk.register_system()
    made = await desk.endpoint(receiver.url("/ok"), owner=owner)
    with pytest.raises(NotFound) as refusal:
        await switch(desk, made.endpoint_id, "sys_stranger", on=False)
    assert refusal.value.code == "endpoint_not_found"


async def test_the_same_url_is_registered_once_by_its_owner(desk: Desk, receiver: Receiver) -> None:
    owner = await desk.register_system()
    await desk.endpoint(receiver.url("/ok"), owner=owner)
    with pytest.raises(Refusal) as refusal:
        await desk.endpoint(receiver.url("/ok"), owner=owner)
    assert refusal.value.code == "endpoint_exists"
    assert await desk.endpoint(receiver.url("/ok"))
