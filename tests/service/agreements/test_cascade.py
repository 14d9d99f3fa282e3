"""A partner's suspension reaches every agreement that has not ended, exactly once, whatever happens."""

import asyncio

import pytest

from services.agreements.instruments.commands import SendForSignature
from services.agreements.instruments.documents import agreements
from shared.contracts.agreements.agreement import (
    AgreementHoldClosed,
    AgreementHoldOpened,
    AgreementSignedByParty,
)
from shared.errors import OnHold
from shared.storage.timers import TIMERS, OnDue, Timer
from tests.service.agreements.desk import OFFICER, SIGNATORY, Desk, user_of

pytestmark = pytest.mark.asyncio

MANY = 250


class ProcessDied(BaseException):
    """What ends a process ends what it was doing: nobody catches it."""


async def test_a_suspension_reaches_250_agreements_though_the_process_dies_half_way(desk: Desk) -> None:
    partner_id = await desk.register()
    drafts = await asyncio.gather(*(desk.draft(partner_id) for _ in range(MANY)))
    bystander = await desk.draft(await desk.register())
    cause = await desk.suspend(partner_id)
    chunks = 0

    async def die_in_the_second_chunk(timer: Timer, handler: OnDue) -> None:
        nonlocal chunks
        chunks += 1
        if chunks == 2:
            await desk.perform(lambda unit: _stage_and_die(handler, timer, unit))
        await desk.perform_timer(timer, handler)

    dying = desk.timers(die_in_the_second_chunk)
    assert await dying.fire_due() == 1
    with pytest.raises(ProcessDied):
        await dying.fire_due()
    assert await _held(desk, partner_id) == 100
    await desk.let_claims_run_out()
    await desk.let_timers_fire()
    for draft in drafts:
        assert [
            e.cause_event_id for e in await desk.events(draft.id) if isinstance(e, AgreementHoldOpened)
        ] == [cause]
    assert (await desk.read(bystander.id)).holds == ()


async def _stage_and_die(handler: OnDue, timer: Timer, unit: object) -> None:
    await handler(timer, unit)  # type: ignore[arg-type]
    raise ProcessDied


async def _held(desk: Desk, partner_id: str) -> int:
    query = {"partner_id": partner_id, "held_for": {"$ne": None}}
    return int(await desk.mongo[agreements.collection].count_documents(query))


async def test_a_reinstatement_lifts_every_hold_of_that_suspension(small_steps: Desk) -> None:
    desk = small_steps
    partner_id = await desk.register()
    drafts = [await desk.draft(partner_id) for _ in range(7)]
    await desk.suspend(partner_id)
    await desk.let_timers_fire()
    assert await _held(desk, partner_id) == 7
    await desk.reinstate(partner_id)
    await desk.let_timers_fire()
    assert await _held(desk, partner_id) == 0
    assert [await desk.count(draft.id, AgreementHoldClosed) for draft in drafts] == [1] * 7


async def test_a_reinstatement_that_overtakes_the_suspension_leaves_no_hold(small_steps: Desk) -> None:
    desk = small_steps
    partner_id = await desk.register()
    for _ in range(7):
        await desk.draft(partner_id)
    await desk.suspend(partner_id)
    await desk.timers().fire_due()
    await desk.reinstate(partner_id)
    await desk.let_timers_fire()
    assert await _held(desk, partner_id) == 0


async def test_a_chunk_that_fits_exactly_is_followed_by_one_that_finds_nothing(small_steps: Desk) -> None:
    desk = small_steps
    partner_id = await desk.register()
    for _ in range(6):
        await desk.draft(partner_id)
    await desk.suspend(partner_id)
    await desk.let_timers_fire()
    assert await _held(desk, partner_id) == 6
    assert await desk.mongo[TIMERS].count_documents({}) == 0


async def test_what_has_ended_gets_no_hold(desk: Desk) -> None:
    partner_id = await desk.register()
    lapsed, in_force = await desk.sent(partner_id), await desk.sent(partner_id)
    await desk.signed(in_force)
    await desk.move_to(lapsed.sent_round.closes_at)
    await desk.suspend(partner_id)
    await desk.let_timers_fire()
    assert (await desk.read(lapsed.id)).holds == ()
    assert len((await desk.read(in_force.id)).holds) == 1


async def test_nothing_slips_past_a_suspension_that_is_being_recorded(small_steps: Desk) -> None:
    """Drafting, sending and signing race the suspension; whoever is too late is refused, the rest is held."""
    desk = small_steps
    partner_id = await desk.register()
    drafts = [await desk.draft(partner_id) for _ in range(10)]
    sent = [await desk.sent(partner_id) for _ in range(10)]
    work = [
        *(desk.draft(partner_id) for _ in range(10)),
        *(desk.send(draft) for draft in drafts),
        *(desk.sign(agreement, SIGNATORY) for agreement in sent),
        *(desk.sign(agreement, user_of(partner_id)) for agreement in sent),
    ]
    half = len(work) // 2
    answers = await asyncio.gather(
        *work[:half], desk.suspend(partner_id), *work[half:], desk.let_timers_fire(), return_exceptions=True
    )
    refused = {type(answer) for answer in answers if isinstance(answer, BaseException)}
    assert refused <= {OnHold}
    await desk.let_timers_fire()
    query = {"partner_id": partner_id}
    ids = [found["_id"] async for found in desk.mongo[agreements.collection].find(query, {"_id": 1})]
    for id in ids:
        events = await desk.events(id)
        assert sum(isinstance(event, AgreementHoldOpened) for event in events) == 1
        held_from = next(n for n, event in enumerate(events) if isinstance(event, AgreementHoldOpened))
        assert not any(isinstance(event, AgreementSignedByParty) for event in events[held_from:])
    assert await _held(desk, partner_id) == len(ids)


async def test_a_decision_that_a_suspension_overtakes_is_decided_anew_and_refused(desk: Desk) -> None:
    partner_id = await desk.register()
    draft, sent = await desk.draft(partner_id), await desk.sent(partner_id)
    overtaken = [
        (desk.drafting(partner_id), OFFICER),
        (SendForSignature(agreement_id=draft.id), OFFICER),
        (desk.signing(sent, SIGNATORY), SIGNATORY),
    ]
    for command, actor in overtaken:
        with pytest.raises(OnHold, match="on_hold"):
            await desk.overtaken(command, actor, lambda: desk.suspend(partner_id))
        await desk.reinstate(partner_id)


async def test_nothing_is_signed_or_drafted_once_the_suspension_is_recorded(desk: Desk) -> None:
    partner_id = await desk.register()
    agreement = await desk.sent(partner_id)
    await desk.suspend(partner_id)
    for attempt in (desk.sign(agreement, SIGNATORY), desk.draft(partner_id)):
        with pytest.raises(OnHold, match="on_hold"):
            await attempt
