"""Time in: what a due timer asks for.

A partner's suspension, or its end, is followed in chunks: each timer brings some of the partner's agreements
in line with the standing it was set for, and sets the next one in the same change. What is out of line is
found anew each time, so a chunk that was lost is done again and one that was done finds nothing. Once the
standing has moved on, the timers of the former one have nothing left to do: the later one has its own.
"""

from collections.abc import Mapping

from services.agreements.instruments import handlers
from services.agreements.instruments.domain.states import Move
from services.agreements.standing.domain.standing import FOLLOW_STANDING
from shared.storage.repository import Unit
from shared.storage.timers import OnDue, Timer


def deadlines(*, chunk_agreements: int) -> Mapping[str, OnDue]:
    async def follow_standing(timer: Timer, unit: Unit) -> None:
        done = await handlers.follow_standing(
            timer.data["partner_id"], unit, version=timer.data["version"], agreements_max=chunk_agreements
        )
        if done == chunk_agreements:
            unit.schedule(timer.kind, timer.subject, timer.due_at, timer.data)

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
