"""Giving way: what follows commands lets them go first, and is never kept from its share."""

import asyncio
from contextlib import ExitStack

import pytest

from shared.pace import Pace, PaceLimits

pytestmark = pytest.mark.asyncio

SOON_S = 5.0
# With these only what a test does itself lets a turn begin.
NEVER = 3_600.0
PATIENT = PaceLimits(expected_s=0.0, pause_times=NEVER, pause_s_max=NEVER, turn_s_max=NEVER)


class Work:
    """A turn that lasts until it is let go."""

    def __init__(self, pace: Pace, line: str, begun: list[str], name: str = "") -> None:
        self.is_done = asyncio.Event()
        self.has_begun = asyncio.Event()
        self._pace, self._line, self._begun, self._name = pace, line, begun, name or line
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with self._pace.turn(self._line):
            self._begun.append(self._name)
            self.has_begun.set()
            await self.is_done.wait()

    async def end(self) -> None:
        await soon(self.has_begun)
        self.is_done.set()
        await self.task


async def soon(event: asyncio.Event) -> None:
    await asyncio.wait_for(event.wait(), SOON_S)


async def until_all_stand_still() -> None:
    """Whoever can go on without time passing has done so."""
    for _ in range(20):
        await asyncio.sleep(0)


def many_commands(pace: Pace) -> ExitStack:
    stack = ExitStack()
    for _ in range(10):
        stack.enter_context(pace.command())
    return stack


async def test_without_commands_turns_are_taken_at_once_and_side_by_side() -> None:
    pace, begun = Pace(PATIENT), list[str]()
    both = [Work(pace, "mail", begun), Work(pace, "mail", begun)]
    await asyncio.gather(*(soon(work.has_begun) for work in both))
    for work in both:
        await work.end()


async def test_while_a_command_is_here_turns_are_taken_one_at_a_time() -> None:
    pace, begun = Pace(PATIENT), list[str]()
    with pace.command():
        first, second = Work(pace, "mail", begun), Work(pace, "inbox", begun)
        await soon(first.has_begun)
        await until_all_stand_still()
        assert begun == ["mail"]
        await first.end()
        await second.end()


async def test_after_a_turn_the_next_waits_until_hardly_a_command_is_here() -> None:
    pace, begun = Pace(PATIENT), list[str]()
    with many_commands(pace):
        await Work(pace, "mail", begun).end()
        second = Work(pace, "inbox", begun)
        await until_all_stand_still()
        assert begun == ["mail"]
    await second.end()


async def test_commands_that_never_cease_do_not_stop_what_follows() -> None:
    pace, begun = Pace(PaceLimits(pause_s_max=0.001)), list[str]()
    with many_commands(pace):
        for line in ("mail", "inbox", "feed") * 5:
            await Work(pace, line, begun).end()
    assert len(begun) == 15


async def test_a_turn_that_hangs_keeps_nobody_from_theirs() -> None:
    pace, begun = Pace(PaceLimits(turn_s_max=0.01, pause_s_max=0.001)), list[str]()
    with many_commands(pace):
        hanging = Work(pace, "mail", begun)
        await soon(hanging.has_begun)
        await Work(pace, "inbox", begun).end()
        assert not hanging.task.done()
    await hanging.end()


async def test_lines_take_turns_however_long_one_of_them_is() -> None:
    pace, begun = Pace(PATIENT), list[str]()
    with pace.command():
        works = [Work(pace, "mail", begun, f"mail {number}") for number in range(4)]
        await soon(works[0].has_begun)
        works.insert(2, Work(pace, "inbox", begun))
        await until_all_stand_still()
        for work in works:
            await work.end()
    assert begun.index("inbox") == 2


async def test_who_no_longer_waits_leaves_the_turn_to_the_next() -> None:
    pace, begun = Pace(PATIENT), list[str]()
    with pace.command():
        first, gone, last = (Work(pace, line, begun) for line in ("mail", "inbox", "feed"))
        await soon(first.has_begun)
        gone.task.cancel()
        await asyncio.wait([gone.task])
        await first.end()
        await last.end()
    assert begun == ["mail", "feed"]


async def test_once_commands_are_gone_those_in_line_go_side_by_side() -> None:
    pace, begun = Pace(PATIENT), list[str]()
    with pace.command():
        works = [Work(pace, line, begun) for line in ("mail", "inbox", "feed")]
        await soon(works[0].has_begun)
    works[0].is_done.set()
    await asyncio.gather(*(soon(work.has_begun) for work in works))
    for work in works:
        await work.end()
