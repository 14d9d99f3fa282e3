"""Reference numbers: one counter document a series, moved in the change that uses the number.

That the counter still stands where it was read is a condition of the change. So a number is given exactly
once, and a change that is not committed gives none: no gap, no twin, whoever else is sending.

Those who send at the same moment in one process take turns, or all but one would have decided in vain. The
turn is passed on once its holder has committed or its task has ended, and nobody waits for it for long:
it only saves work, correctness is in the condition.
"""

import asyncio
from contextlib import suppress
from weakref import WeakValueDictionary

from services.agreements.instruments.documents import counters
from shared.storage.repository import Unit

TURN_WAIT_S_MAX = 1.0


async def take_number(unit: Unit, series: str) -> int:
    await _take_turn(unit, series)
    counter = await unit.get(counters.name, series)
    if counter is None:
        unit.change.insert(counters.name, {"_id": series, "last": 1})
        return 1
    last = int(counter["last"])
    unit.change.edit(counters.name, {"_id": series, "last": last}, {"$inc": {"last": 1}})
    return last + 1


class _Line:
    """Who waits for the next number of one series."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.holder: asyncio.Task[object] | None = None


# Lines are forgotten when nobody stands in them.
_lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()


async def _take_turn(unit: Unit, series: str) -> None:
    line = _lines.setdefault(series, _Line())
    task = asyncio.current_task()
    assert task is not None
    if line.holder is not task:
        with suppress(TimeoutError):
            await asyncio.wait_for(line.lock.acquire(), TURN_WAIT_S_MAX)
            line.holder = task
    if line.holder is task:
        unit.after_commit.append(lambda: _pass_on(line, task))
        task.add_done_callback(lambda ended: _pass_on(line, ended))


def _pass_on(line: _Line, holder: asyncio.Task[object]) -> None:
    if line.holder is holder:
        line.holder = None
        line.lock.release()
