"""Callers: they ask for random commands at a rate, and note what they asked and what they were told."""

import asyncio
import random
from dataclasses import dataclass

from pymongo.errors import PyMongoError

from shared.context import system_actor
from shared.errors import Refusal, Unavailable
from shared.service import Runtime, Worker
from shared.storage.repository import Unit
from tests.faults import trial
from tests.faults.history import History, Said

# Of a hundred commands, how many change two members at once.
TWINS_PERCENT = 10
RETRY_S = 0.2
TRIES_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Load:
    """`rate` is all callers' together, per second; 0 asks for nothing."""

    name: str
    seed: int = 0
    members: int = 50
    rate: float = 20.0
    callers: int = 8
    commands_max: int = 1_000_000


class Callers:
    """A retry repeats the same command under the same key, as a client that lost the answer would."""

    def __init__(self, runtime: Runtime, history: History, load: Load) -> None:
        self._runtime = runtime
        self._history = history
        self._load = load
        self._random = random.Random(f"{load.name}{load.seed}")
        self._stopping = asyncio.Event()
        self._asked = 0

    @property
    def worker(self) -> Worker:
        return Worker(name="callers", run=self.run, stop=self._stopping.set)

    async def run(self) -> None:
        if self._load.rate:
            await asyncio.gather(*(self._call() for _ in range(self._load.callers)))

    async def _call(self) -> None:
        pause_s = self._load.callers / self._load.rate
        while not self._stopping.is_set() and self._asked < self._load.commands_max:
            self._asked += 1
            await self.ask(f"{self._load.name}-{self._asked}", self._choose())
            try:
                await asyncio.wait_for(self._stopping.wait(), self._random.uniform(0, 2 * pause_s))
            except TimeoutError:
                continue

    def _choose(self) -> list[str]:
        count = 2 if self._random.randrange(100) < TWINS_PERCENT and self._load.members > 1 else 1
        return [trial.member_id(number) for number in self._random.sample(range(self._load.members), count)]

    async def ask(self, op: str, ids: list[str]) -> Said:
        """One command, asked for again while its outcome is not known or the house is not able to answer."""
        said = Said.UNKNOWN
        for _ in range(TRIES_MAX):
            self._history.note(op, Said.INVOKED)
            said = await self._once(op, ids)
            if said is Said.ACCEPTED or said is Said.REFUSED or self._stopping.is_set():
                break
            await asyncio.sleep(RETRY_S)
        return said

    async def _once(self, op: str, ids: list[str]) -> Said:
        async def work(unit: Unit) -> list[tuple[str, int]]:
            return await trial.toggle(unit, op, ids)

        context = self._runtime.context(system_actor("caller"), correlation_id=op)
        try:
            events = await self._runtime.perform(context, work)
        except Unavailable as away:
            said = Said.UNKNOWN if away.code == "outcome_unknown" else Said.REFUSED
            self._history.note(op, said, code=away.code)
            return Said.UNKNOWN
        except PyMongoError as error:
            self._history.note(op, Said.UNKNOWN, code=type(error).__name__)
            return Said.UNKNOWN
        except Refusal as refusal:
            self._history.note(op, Said.REFUSED, code=refusal.code)
            return Said.REFUSED
        self._history.note(op, Said.ACCEPTED, events=events)
        return Said.ACCEPTED
