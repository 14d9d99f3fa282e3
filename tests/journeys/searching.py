"""Looking for a word in everything the house keeps, and in everything it answers.

Texts are looked at in lower case, bytes too, so a word of letters and digits is found in whatever spelling or
encoding of JSON it stands.
"""

import re
from collections.abc import AsyncIterator, Container, Iterator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from shared.contracts.vocabulary import TOPICS
from shared.messaging import kafka
from tests.support.house import House

_PLACEHOLDER = re.compile(r"\{[a-z_]+\}")


def holds(value: Any, word: str) -> bool:
    return any(word in text for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, bytes):
        yield value.decode("latin-1").lower()
    else:
        yield str(value).lower()


async def places_stored(house: House, word: str) -> set[str]:
    """`service.collection` wherever a document holds it."""
    found = set()
    for service, mongo in house.databases.items():
        for collection in await mongo.database.list_collection_names():
            async for document in mongo[collection].find():
                if holds(document, word):
                    found.add(f"{service}.{collection}")
    return found


async def places_sent(house: House, word: str) -> set[str]:
    """`topic` wherever a record holds it."""
    prefix = house.environment["CONCORD_KAFKA_TOPIC_PREFIX"]
    found = set()
    for topic in TOPICS:
        async for record in records_of(house.environment["CONCORD_KAFKA_URL"], prefix + topic):
            if holds([record.key, record.value, list(record.headers)], word):
                found.add(topic)
    return found


async def records_of(bootstrap: str, topic: str) -> AsyncIterator[ConsumerRecord]:
    """Everything in a topic at this moment, partition by partition."""
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await reader.start()
    try:
        partitions = await kafka.partitions_of(bootstrap, topic)
        reader.assign(partitions)
        ends = await reader.end_offsets(partitions)
        for partition in partitions:
            reader.seek(partition, 0)
        while any([await reader.position(partition) < ends[partition] for partition in partitions]):
            for records in (await reader.getmany(timeout_ms=200)).values():
                for record in records:
                    yield record
    finally:
        await reader.stop()


async def places_answered(
    house: House, word: str, *, ids: Sequence[str], asking: Sequence[str], apart: Container[str]
) -> set[str]:
    """`path` of each GET that answers with it, whoever of these asks; an id in a path is each of `ids`."""
    found = set()
    for path in await _reading_paths(house):
        for asked in {_PLACEHOLDER.sub(id, path) for id in ids}:
            for who in asking if path not in apart else ():
                if holds(await _everything_at(house, who, asked), word):
                    found.add(path)
    return found


async def _reading_paths(house: House) -> list[str]:
    """Of all services, as they describe themselves; a stream has no end to be read to."""
    found = []
    for service in house.served:
        document = await house.get("operator", f"/{service}/v1/openapi.json")
        found += [path for path, operations in document["paths"].items() if "get" in operations]
    return [path for path in found if not path.endswith("/stream")]


async def _everything_at(house: House, who: str, path: str) -> list[bytes]:
    """All pages of it."""
    pages, query = [], {"limit": "200"}
    while True:
        answer = await house.as_(who).get(path, params=query)
        pages.append(answer.content)
        following = answer.json().get("next") if answer.status_code == 200 else None
        if following is None or answer.json().get("has_more") is False:
            return pages
        query = {"limit": "200", "cursor": following}
