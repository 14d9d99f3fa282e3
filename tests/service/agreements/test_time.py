"""What time does, by real timers: each at its instant, at the effective time, once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.agreements.instruments.domain.dates import end_of, start_of
from services.agreements.instruments.domain.states import Status
from shared.contracts.agreements.agreement import AgreementEnteredIntoForce, AgreementExpired
from shared.contracts.envelope import open_envelope
from shared.contracts.notifications.task import TaskDone
from shared.storage.event_log import read_stream
from tests.service.agreements.desk import SIGNATORY, Desk

pytestmark = pytest.mark.asyncio

ZONE = "Africa/Nairobi"
MOMENT = timedelta(milliseconds=1)
FIRST_DAY = date(2027, 3, 1)
FIRST_MOMENT = start_of(FIRST_DAY, ZONE)


async def test_a_round_that_nobody_completes_lapses_when_it_closes(desk: Desk) -> None:
    agreement = await desk.sent(await desk.register())
    await desk.sign(agreement, SIGNATORY)
    closes_at = agreement.sent_round.closes_at
    await desk.move_to(closes_at - MOMENT)
    assert (await desk.read(agreement.id)).status is Status.IN_SIGNATURE
    await desk.move_to(closes_at)
    assert (await desk.read(agreement.id)).status is Status.LAPSED
    done = [event.outcome for event in await desk.events(agreement.id) if isinstance(event, TaskDone)]
    assert done == ["signed", "lapsed"]


async def test_a_signed_agreement_enters_into_force_as_its_first_day_begins(desk: Desk) -> None:
    agreement = await desk.signed(await desk.sent(await desk.register(), starts_on=FIRST_DAY))
    await desk.move_to(FIRST_MOMENT - MOMENT)
    assert (await desk.read(agreement.id)).status is Status.SIGNED
    await desk.move_to(FIRST_MOMENT)
    entered = await desk.read(agreement.id)
    assert (entered.status, entered.effective_on) == (Status.IN_FORCE, FIRST_DAY)


async def test_an_agreement_expires_when_its_last_day_is_over(desk: Desk) -> None:
    agreement = await desk.signed(await desk.sent(await desk.register()))
    over = end_of(agreement.term.ends_on, ZONE)
    await desk.move_to(over - MOMENT)
    assert (await desk.read(agreement.id)).status is Status.IN_FORCE
    await desk.move_to(over)
    assert (await desk.read(agreement.id)).status is Status.EXPIRED


async def test_what_a_long_downtime_delayed_happens_as_of_when_it_was_due(desk: Desk) -> None:
    signed = await desk.signed(await desk.sent(await desk.register(), starts_on=FIRST_DAY))
    await desk.move_to(datetime(2031, 6, 1, tzinfo=UTC))
    opened = [open_envelope(event.body) for event in await read_stream(desk.mongo, signed.id)]
    times = {envelope.type: envelope.time for envelope in opened}
    assert times[AgreementEnteredIntoForce.type] == FIRST_MOMENT
    assert times[AgreementExpired.type] == end_of(signed.term.ends_on, ZONE)


async def test_an_agreement_on_hold_on_its_first_day_enters_into_force_when_the_hold_closes(
    desk: Desk,
) -> None:
    partner_id = await desk.register()
    agreement = await desk.signed(await desk.sent(partner_id, starts_on=FIRST_DAY))
    await desk.suspend(partner_id)
    await desk.move_to(FIRST_MOMENT + timedelta(days=3))
    assert (await desk.read(agreement.id)).status is Status.SIGNED
    await desk.reinstate(partner_id)
    await desk.let_timers_fire()
    entered = await desk.read(agreement.id)
    assert (entered.status, entered.effective_on) == (Status.IN_FORCE, date(2027, 3, 4))


async def test_a_first_day_that_comes_while_the_hold_is_still_on_its_way_is_not_lost(desk: Desk) -> None:
    partner_id = await desk.register()
    agreement = await desk.signed(await desk.sent(partner_id, starts_on=FIRST_DAY))
    desk.clock.at = FIRST_MOMENT + timedelta(hours=1)
    await desk.suspend(partner_id)
    await desk.let_timers_fire()
    await desk.reinstate(partner_id)
    await desk.let_timers_fire()
    assert (await desk.read(agreement.id)).status is Status.IN_FORCE


async def test_a_hold_keeps_nothing_alive(desk: Desk) -> None:
    partner_id = await desk.register()
    round_open = await desk.sent(partner_id)
    in_force = await desk.signed(await desk.sent(partner_id))
    waiting = await desk.signed(await desk.sent(partner_id, starts_on=FIRST_DAY))
    await desk.suspend(partner_id)
    await desk.move_to(datetime(2031, 6, 1, tzinfo=UTC))
    ended = [(await desk.read(agreement.id)).status for agreement in (round_open, in_force, waiting)]
    assert ended == [Status.LAPSED, Status.EXPIRED, Status.EXPIRED]


async def test_timers_are_those_that_the_state_asks_for(desk: Desk) -> None:
    agreement = await desk.sent(await desk.register(), starts_on=FIRST_DAY)
    assert await desk.timer_kinds(agreement.id) == ["lapse_agreement"]
    await desk.signed(agreement)
    assert await desk.timer_kinds(agreement.id) == ["expire_agreement", "put_agreement_into_force"]
    await desk.move_to(FIRST_MOMENT)
    assert await desk.timer_kinds(agreement.id) == ["expire_agreement"]
    await desk.move_to(end_of(agreement.term.ends_on, ZONE))
    assert await desk.timer_kinds(agreement.id) == []
