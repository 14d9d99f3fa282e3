"""F5: two processes that believe they hold the same log, and aggregates that pass from hand to hand.

A process that is stopped in the middle does not know it: when it goes on, it commits and sends as if nothing
had been. Its lease has run out meanwhile and its log is another's.
"""

import asyncio

import pytest

from shared.storage.mongo import Mongo
from tests.faults.checker import findings
from tests.faults.evidence import Document, Evidence, gather
from tests.faults.history import Said
from tests.faults.scale import scale
from tests.faults.settling import settle, wait_for
from tests.faults.worker import Ground, Process, commands_of
from tests.local.waiting import wait_until

PAUSES = scale(2, 40)
HANDED_OVER_MIN = scale(100, 1_000)


def owners_of(evidence: Evidence) -> dict[str, str]:
    return {writer["_id"]: writer["owner"] for writer in evidence.writers}


def accepted_by(ground: Ground, process: Process) -> int:
    return sum(
        command.outcome is Said.ACCEPTED
        for op, command in commands_of(ground).items()
        if op.startswith(f"{process.name}.")
    )


def wait_for_commands(ground: Ground, process: Process, count: int = 10) -> None:
    """So many more are accepted from this process."""
    before = accepted_by(ground, process)
    wait_until(
        lambda: accepted_by(ground, process) >= before + count,
        timeout_s=30,
        what=f"{count} commands of {process.name}",
    )


async def adopted(ground: Ground, count: int) -> None:
    """So many logs have been taken over: each adoption raises an epoch by one."""

    async def left(mongo: Mongo) -> str:
        raised = await mongo.aggregate("writers", [{"$group": {"_id": None, "epochs": {"$sum": "$epoch"}}}])
        writers = await mongo["writers"].count_documents({})
        taken = raised[0]["epochs"] - writers
        return f"{taken} of {count} logs have been taken over" if taken < count else ""

    await wait_for(ground, left, within_s=30)


@pytest.mark.timeout(scale(120, 900))
def test_a_process_that_slept_past_its_lease_is_fenced_and_sends_only_what_was_sent(ground: Ground) -> None:
    pair = [Process(ground, name, rate=30, members=5).wait_until_started() for name in ("a", "b")]
    for number in range(PAUSES):
        sleeper = pair[number % 2]
        wait_for_commands(ground, sleeper)
        sleeper.pause()
        asyncio.run(adopted(ground, number + 1))
        sleeper.go_on()
        wait_for_commands(ground, sleeper)
    evidence = run_to_its_end(ground, pair)
    owners = list(owners_of(evidence).values())
    assert findings(evidence) == []
    assert len(owners) >= PAUSES + 2, "each one that slept went on under a log of its own"


@pytest.mark.timeout(scale(90, 600))
def test_aggregates_that_change_hands_at_every_commit_keep_their_order(ground: Ground) -> None:
    """With one hand dying in between: what it held is passed on by whoever takes its log."""
    hands = [Process(ground, name, rate=60, members=3) for name in ("a", "b", "c")]
    for hand in hands:
        hand.wait_until_started()
    wait_until(lambda: len(commands_of(ground)) > HANDED_OVER_MIN, timeout_s=60, what="commands")
    hands.pop().kill()
    # Not every command finds its aggregate in another's hands: of four about two do.
    wait_until(lambda: len(commands_of(ground)) > 4 * HANDED_OVER_MIN, timeout_s=60, what="commands")
    evidence = run_to_its_end(ground, hands)
    assert findings(evidence) == []
    handed_over = [event for event in evidence.events if changed_hands(event)]
    assert len(handed_over) > HANDED_OVER_MIN


def changed_hands(event: Document) -> bool:
    return event["prev"] is not None and event["prev"]["writer"] != event["writer"]


def run_to_its_end(ground: Ground, processes: list[Process]) -> Evidence:
    """No more commands; whoever is there sends and handles what is left."""
    for process in processes:
        process.stop()
    processes = [Process(ground, process.name, rate=0) for process in processes]
    asyncio.run(settle(ground))
    for process in processes:
        process.stop()
    return asyncio.run(gather(ground))
