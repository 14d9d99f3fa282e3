"""Reference numbers: no gap and no twin, however many are sent at once."""

import asyncio
from datetime import UTC, date, datetime

import pytest

from services.agreements.instruments.commands import SendForSignature
from services.agreements.instruments.documents import counters
from shared.errors import Invalid, OnHold
from tests.service.agreements.desk import OFFICER, Desk

pytestmark = pytest.mark.asyncio


async def test_fifty_sent_at_once_get_fifty_numbers_without_a_gap(desk: Desk) -> None:
    partner_id = await desk.register()
    drafts = await asyncio.gather(*(desk.draft(partner_id) for _ in range(50)))
    sent = await asyncio.gather(*(desk.send(draft) for draft in drafts))
    assert sorted(agreement.ref or "" for agreement in sent) == [
        f"UNH/MOU/2027/{number:04d}" for number in range(1, 51)
    ]


async def test_a_number_that_another_process_took_first_is_not_given_again(desk: Desk) -> None:
    partner_id = await desk.register()
    await desk.sent(partner_id)
    first, second = await desk.draft(partner_id), await desk.draft(partner_id)
    slow = await desk.overtaken(SendForSignature(agreement_id=second.id), OFFICER, lambda: desk.send(first))
    assert slow.ref == "UNH/MOU/2027/0003"
    assert (await desk.read(first.id)).ref == "UNH/MOU/2027/0002"


async def test_numbers_begin_anew_when_the_year_begins_in_nairobi(desk: Desk) -> None:
    partner_id = await desk.register()
    refs = []
    for second in (59, 60):
        desk.clock.at = datetime.fromtimestamp(
            datetime(2027, 12, 31, 20, 59, tzinfo=UTC).timestamp() + second, UTC
        )
        refs.append((await desk.sent(partner_id)).ref)
    assert refs == ["UNH/MOU/2027/0001", "UNH/MOU/2028/0001"]


async def test_a_refused_sending_uses_up_no_number(desk: Desk) -> None:
    partner_id = await desk.register()
    draft = await desk.draft(partner_id)
    await desk.suspend(partner_id)
    with pytest.raises(OnHold):
        await desk.send(draft)
    assert await desk.mongo[counters.name].count_documents({}) == 0


async def test_nothing_is_drafted_with_a_partner_nobody_has_heard_of(desk: Desk) -> None:
    with pytest.raises(Invalid, match="partner_unknown"):
        await desk.draft("ptn_01JD0000000000000000000009", ends_on=date(2028, 1, 1))
