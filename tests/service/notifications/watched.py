"""A way out under observation: who carries what at the same time, and how slowly."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from services.notifications.deliveries.carrier import Carrier
from services.notifications.deliveries.domain.delivery import GivenUp, Item, Result, Taken
from shared.contracts.notifications.delivery import Channel
from shared.storage.repository import Unit


@dataclass
class Watch:
    """What several processes do; `slowness_s` is what each carrying takes, `gate` may hold them all."""

    slowness_s: float = 0.0
    carry_s_max: float = 0.2
    under_way: Counter[str] = field(default_factory=Counter)
    carried: list[str] = field(default_factory=list)
    twice_at_once: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self, carrier: Carrier) -> Carrier:
        return Watched(carrier, self)


@dataclass
class Watched:
    inner: Carrier
    watch: Watch

    @property
    def channel(self) -> Channel:
        return self.inner.channel

    @channel.setter
    def channel(self, value: Channel) -> None:
        raise AttributeError("a way keeps its channel")

    @property
    def carry_s_max(self) -> float:
        return self.watch.carry_s_max

    @carry_s_max.setter
    def carry_s_max(self, value: float) -> None:
        self.watch.carry_s_max = value

    def width(self, target: str) -> int:
        return self.inner.width(target)

    def room(self, target: str, *, plenty: bool) -> int:
        return self.inner.room(target, plenty=plenty)

    def closed_because(self, target: str) -> str:
        return self.inner.closed_because(target)

    async def carry(self, item: Item) -> Result:
        self.watch.under_way[item.key] += 1
        if self.watch.under_way[item.key] > 1:
            self.watch.twice_at_once.append(item.key)
        try:
            await self.watch.gate.wait()
            result = await self.inner.carry(item)
            await asyncio.sleep(self.watch.slowness_s)
            self.watch.carried.append(item.key)
            return result
        finally:
            self.watch.under_way[item.key] -= 1

    async def stage(self, item: Item, result: Taken | GivenUp, unit: Unit) -> None:
        await self.inner.stage(item, result, unit)
