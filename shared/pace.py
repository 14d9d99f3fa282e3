"""Giving way: what follows a command lets commands go first.

Who is who. A *command* is a request that changes something and whose sender waits. A *turn* is one piece of
what commands cause and nobody waits for: a consumer's batch, an e-mail, a timer. They share one event loop,
one interpreter and one database with the commands.

What happens in order. While no command is here, and none was a moment ago, a turn is taken at once and costs
nothing. Otherwise turns are taken one at a time, line by line in rotation (a line is one loop's work), and
after each the next waits until hardly a command is here, or for several times as long as the last one took.
So what follows has a share of the process that no number of commands takes away, and nothing waits for ever.
What waits is stored, and grows into larger batches, which are cheaper than small ones.

Not for the relay nor for leases: what was committed is on its way at once, and nobody loses a log because of
a busy hour. Not needed for correctness: without all this the same happens, only commands answer later.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

# With no more commands than this under way, a turn does not make anybody wait for long.
FEW_COMMANDS = 1
# Commands come in bursts: this long after the last one the next is expected.
EXPECTED_S = 0.1
# After a turn the next may wait this many times as long as that one took: its share is one in four.
PAUSE_TIMES = 3.0
PAUSE_S_MAX = 0.25
# A turn that takes longer (it waits for somebody outside) no longer keeps others from theirs.
TURN_S_MAX = 0.25


@dataclass(frozen=True, kw_only=True)
class PaceLimits:
    few_commands: int = FEW_COMMANDS
    expected_s: float = EXPECTED_S
    pause_times: float = PAUSE_TIMES
    pause_s_max: float = PAUSE_S_MAX
    turn_s_max: float = TURN_S_MAX


class Pace:
    """One a process: its services share what commands wait for."""

    def __init__(self, limits: PaceLimits | None = None) -> None:
        self._limits = limits or PaceLimits()
        self._commands = 0
        self._command_ended_at = float("-inf")
        self._turn_at = float("-inf")
        self._few = asyncio.Event()
        self._few.set()
        self._turns = asyncio.Lock()
        self._lines: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @contextmanager
    def command(self) -> Iterator[None]:
        """Around a command, from its arrival to its answer."""
        self._commands += 1
        if self._commands > self._limits.few_commands:
            self._few.clear()
        try:
            yield
        finally:
            self._commands -= 1
            self._command_ended_at = _now()
            if self._commands <= self._limits.few_commands:
                self._few.set()

    @property
    def gives_way(self) -> bool:
        """Commands are here, or were a moment ago."""
        return self._commands > 0 or _now() - self._command_ended_at < self._limits.expected_s

    @asynccontextmanager
    async def turn(self, line: str) -> AsyncIterator[None]:
        """Around one piece of work that can wait. A turn must not need another one to end."""
        if not self.gives_way and not self._turns.locked():
            yield
            return
        async with self._lines[line]:
            await self._turns.acquire()
        holding = _Holding(self._turns)
        try:
            await self._pause()
            holding.at_most(self._limits.turn_s_max if self.gives_way else 0.0)
            yield
        finally:
            took_s = holding.end()
            pause_s = min(took_s * self._limits.pause_times, self._limits.pause_s_max)
            self._turn_at = _now() + pause_s

    async def _pause(self) -> None:
        left_s = self._turn_at - _now()
        if left_s > 0 and self.gives_way:
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._few.wait()


class _Holding:
    """The turn of somebody who may take too long over it."""

    def __init__(self, turns: asyncio.Lock) -> None:
        self._turns = turns
        self._held = True
        self._began_at = _now()
        self._too_long: asyncio.TimerHandle | None = None

    def at_most(self, seconds: float) -> None:
        self._began_at = _now()
        self._too_long = asyncio.get_running_loop().call_later(seconds, self._let_go)

    def end(self) -> float:
        """How long it took."""
        if self._too_long is not None:
            self._too_long.cancel()
        self._let_go()
        return _now() - self._began_at

    def _let_go(self) -> None:
        if self._held:
            self._held = False
            self._turns.release()


def _now() -> float:
    return asyncio.get_running_loop().time()
