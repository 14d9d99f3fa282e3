"""Time in: what a due timer asks for.

A partner's suspension, or its end, is followed in chunks: each timer brings some of the partner's agreements
in line with the standing as it is then, and sets the next one in the same change. What is out of line is
found anew each time, so a chunk that was lost is done again and one that was done twice finds nothing; two
runs that overlap pull in the same direction, because both look at the standing and not at what started them.
"""

from collections.abc import Mapping

from services.agreements.instruments import handlers
from services.agreements.instruments.domain.states import Move
from services.agreements.standing.domain import FOLLOW_STANDING
from shared.storage.repository import Unit
from shared.storage.timers import OnDue, Timer


def deadlines(*, chunk_agreements: int) -> Mapping[str, OnDue]:
    async def follow_standing(timer: Timer, unit: Unit) -> None:
        partner_id = timer.data["partner_id"]
        done = await handlers.follow_standing(partner_id, unit, agreements_max=chunk_agreements)
        if done == chunk_agreements:
            _set_next_chunk(timer, unit, partner_id)

    return {
        FOLLOW_STANDING: follow_standing,
        handlers.TIMERS_BY_MOVE[Move.LAPSE]: lapse_agreement,
        handlers.TIMERS_BY_MOVE[Move.ENTER_INTO_FORCE]: put_agreement_into_force,
        handlers.TIMERS_BY_MOVE[Move.EXPIRE]: expire_agreement,
    }


async def lapse_agreement(timer: Timer, unit: Unit) -> None:
    await handlers.lapse_agreement(timer.subject, unit)


async def put_agreement_into_force(timer: Timer, unit: Unit) -> None:
    await handlers.put_into_force(timer.subject, unit)


async def expire_agreement(timer: Timer, unit: Unit) -> None:
    await handlers.expire_agreement(timer.subject, unit)


def _set_next_chunk(timer: Timer, unit: Unit, partner_id: str) -> None:
    """Under a subject of its own: the timer that is firing is removed in this very change."""
    chunk = timer.data.get("chunk", 1) + 1
    data = {"partner_id": partner_id, "chunk": chunk}
    unit.schedule(FOLLOW_STANDING, f"{partner_id}/{chunk}", timer.due_at, data)
