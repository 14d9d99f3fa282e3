"""How outcomes become facts: many deliveries settle in one change.

The first try trusts the leases: nothing is read, and the edits themselves check that each delivery is still
held. Where one is not (its lease ran out and somebody has it anew, perhaps this process itself), the change
conflicts and is made again of those that still are. So a settled delivery has exactly one fact, written with
it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from services.notifications.deliveries.documents import (
    ATTEMPTS,
    DELIVERIES,
    attempt_row,
    delivery_facts,
    settled_edit,
)
from services.notifications.deliveries.domain.delivery import (
    GivenUp,
    Item,
    State,
    Taken,
    attempts_after,
    settle,
)
from services.notifications.deliveries.ledger import Ledger
from shared.service import Runtime
from shared.storage.repository import Unit

Ended = tuple[Item, Taken | GivenUp]
# What a channel writes together with the outcome.
Stage = Callable[[Item, Taken | GivenUp, Unit], Awaitable[None]]


async def settle_all(runtime: Runtime, ledger: Ledger, ended: Sequence[Ended], stage: Stage) -> None:
    keys = [item.key for item, _ in ended]
    trusting = len(set(keys)) == len(keys)

    async def work(unit: Unit) -> None:
        nonlocal trusting
        own, context = list(ended), unit.context
        if not trusting:
            held = await ledger.held_leases(keys)
            own = [one for one in own if (one[0].key, one[0].lease) in held]
        for item, result in own:
            unit.context = replace(
                context,
                correlation_id=item.correlation_id,
                causation_id=item.about.event_id,
                traceparent=item.trace,
            )
            await _settle_one(unit, item, result, seen_before=item.replays > 0 or not trusting)
            await stage(item, result, unit)
        trusting = False

    await runtime.perform(runtime.system_context("deliveries"), work)


async def _settle_one(unit: Unit, item: Item, result: Taken | GivenUp, *, seen_before: bool) -> None:
    events = settle(item, result, unit.context.now)
    known = await delivery_facts.find(unit, item.id) if seen_before else None
    if known is None:
        delivery_facts.create(unit, item.id, events)
    else:
        delivery_facts.save(unit, known, events)
    reason = result.reason if isinstance(result, GivenUp) else None
    edit = settled_edit(result.state, reason, attempts_after(item, result), unit.context.recorded_at)
    held = {"_id": item.key, "lease": item.lease, "state": State.PENDING.value}
    unit.change.edit(DELIVERIES, held, edit)
    if result.evidence is not None:
        outcome = "taken" if isinstance(result, Taken) else "given_up"
        unit.change.insert(ATTEMPTS, attempt_row(item, result.evidence, outcome))
