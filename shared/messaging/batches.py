"""Events as record batches: encoded once, a batch a partition, handed to the producer whole.

The producer's own way takes records one by one and makes a future for each, which costs more than the
sending. Batches of one partition are handed over in order, and the next only after the one before has left
the buffer, so order within a partition holds as it does for single records. The partition is the one any
other Kafka client gives the same key.
"""

import asyncio
from functools import lru_cache
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from aiokafka.partitioner import murmur2

from shared.contracts.envelope import CONTENT_TYPE
from shared.storage.change import SealedEvent

KEYS_REMEMBERED = 65_536

log = structlog.get_logger()

_Place = tuple[str, int]
_CONTENT_TYPE_HEADER = ("content-type", CONTENT_TYPE.encode())


class Batches:
    """What is being put together for one producer. `answers` gets a future for every batch handed over."""

    def __init__(self, producer: AIOKafkaProducer, topic_prefix: str) -> None:
        self.answers: list[asyncio.Future[Any]] = []
        self._producer = producer
        self._prefix = topic_prefix
        self._open: dict[_Place, Any] = {}
        self._partitions: dict[str, int] = {}

    async def add(self, event: SealedEvent) -> None:
        topic, key = self._prefix + event.topic, event.stream.encode()
        if topic not in self._partitions:
            self._partitions[topic] = len(await self._producer.partitions_for(topic))
        place = topic, partition_of(key, self._partitions[topic])
        headers = _headers(event)
        batch = self._open.get(place)
        if batch is not None and batch.append(timestamp=None, key=key, value=event.body, headers=headers):
            return
        if batch is not None:
            await self._hand_over(place)
        self._open[place] = batch = self._producer.create_batch()
        batch.append(timestamp=None, key=key, value=event.body, headers=headers)

    async def hand_over(self) -> None:
        """Give the producer everything that was added."""
        for place in list(self._open):
            await self._hand_over(place)

    async def _hand_over(self, place: _Place) -> None:
        batch, (topic, partition) = self._open.pop(place), place
        batch.close()
        while True:
            try:
                self.answers.append(await self._producer.send_batch(batch, topic, partition=partition))
                return
            except KafkaTimeoutError:
                # The brokers are away and the batch before is still in the buffer: this one was not taken.
                log.warning("relay_waits_for_kafka", topic=topic, partition=partition)


@lru_cache(KEYS_REMEMBERED)
def partition_of(key: bytes, partitions: int) -> int:
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def _headers(event: SealedEvent) -> list[tuple[str, bytes]]:
    headers = [("ce_id", event.id.encode()), ("ce_type", event.type.encode()), _CONTENT_TYPE_HEADER]
    if event.trace:
        headers.append(("traceparent", event.trace.encode()))
    return headers
