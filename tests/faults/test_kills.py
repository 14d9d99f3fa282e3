"""Processes killed at random named points, again and again, while they take commands.

F1: whatever dies, and wherever in the road it stands, no event is lost and none is published that was not
committed. F6: a consumer killed between its transaction and its offset has every effect once.
"""

import asyncio
import random
from collections import Counter
from dataclasses import replace

import pytest

from shared import fault
from tests.faults.checker import findings
from tests.faults.evidence import gather
from tests.faults.history import Said
from tests.faults.scale import scale
from tests.faults.settling import settle
from tests.faults.worker import Ground, Process, commands_of
from tests.local.waiting import wait_until

KILLS = scale(24, 200)
KILL_EVERY_S_MAX = 5.0
LOCKED_S_MAX = 10.0
# So that a process lives for a second or two. Of the points behind the commit fewer are passed: what follows
# a dead process's events waits until its log is taken over.
CHANCES = {
    "committer.after_first_write": 0.1,
    "committer.before_commit": 0.1,
    "committer.after_commit": 0.1,
    "relay.after_send": 0.5,
    "relay.after_ack": 0.5,
    "consumer.after_commit": 0.3,
    "timer.before_commit": 0.3,
}
BY_SIGNAL = "a signal"


def faults_of(point: str) -> str:
    return "" if point == BY_SIGNAL else f"{point}:{CHANCES[point]}"


@pytest.mark.timeout(scale(200, 1_800))
def test_nothing_is_lost_or_doubled_by_killing_processes_wherever_they_stand(
    ground: Ground,
) -> None:
    points: list[str] = []
    names = ("a", "b", "c")
    deaths: Counter[str] = Counter()
    running: dict[str, tuple[str, Process]] = {}

    def missing() -> set[str]:
        return {*fault.POINTS, BY_SIGNAL} - deaths.keys()

    def put_to_death() -> bool:
        """Count the dead, kill who has lived too long, and put others in their places."""
        for name in names:
            point, process = running.get(name, ("", None))
            if process is not None and process.alive and not process.has_lived(KILL_EVERY_S_MAX):
                continue
            if process is not None:
                assert process.alive or process.died_at_a_point, process.end_of_log()
                deaths[BY_SIGNAL if process.alive else point] += 1
                process.kill()
            if not points:
                points.extend(random.sample((*fault.POINTS, BY_SIGNAL), len(fault.POINTS) + 1))
            point = points.pop() if deaths.total() < KILLS else next(iter(missing()), BY_SIGNAL)
            running[name] = point, Process(ground, name, faults=faults_of(point))
        return deaths.total() >= KILLS and not missing()

    wait_until(put_to_death, timeout_s=KILLS * 10, what=f"{KILLS} deaths")
    for _, process in running.values():
        process.kill()
    last = [Process(ground, name, rate=0) for name in names]
    asyncio.run(settle(ground))
    for process in last:
        process.stop()
    evidence = asyncio.run(gather(ground))
    assert findings(evidence) == []


def test_after_a_kill_with_a_transaction_open_its_aggregate_is_free_within_seconds(
    ground: Ground,
) -> None:
    """The lease is the one of a real deployment: what frees the aggregate is not the adoption of the log."""
    ground = replace(ground, lease_s=30)
    other = Process(ground, "b", members=1, rate=20).wait_until_started()
    dying = Process(ground, "a", members=1, rate=20, faults="committer.before_commit:0.3")
    dying.wait_for_death(40)
    asked = set(commands_of(ground))
    wait_until(
        lambda: any(
            command.outcome is Said.ACCEPTED for op, command in commands_of(ground).items() if op not in asked
        ),
        timeout_s=LOCKED_S_MAX,
        what="a command on the aggregate that the dead process held",
    )
    other.stop()
