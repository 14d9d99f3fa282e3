"""Is the record whole? Chains, logs and states, checked against each other from the first event on.

Three promises, each checked without trusting the others: every stream is an unbroken chain from its first
version and gives exactly the state that is stored; every log has each of its numbers up to `committed` and
none beyond; nothing has been sent that was not committed.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from shared.contracts import catalogue
from shared.contracts.envelope import GENESIS, Unreadable, chain, open_envelope
from shared.storage.change import EVENTS, SealedEvent, event_of
from shared.storage.event_log import RELAYS, WRITERS
from shared.storage.mongo import Mongo
from shared.storage.repository import Repository

BATCH = 500
FINDINGS_MAX = 1_000


@dataclass
class Report:
    streams: int = 0
    events: int = 0
    logs: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.findings

    def found(self, finding: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)


@dataclass
class _Stream:
    id: str
    state: Any = None
    version: int = 0
    link: bytes = GENESIS
    broken: bool = False


async def verify(mongo: Mongo, repositories: Sequence[Repository[Any]]) -> Report:
    report = Report()
    by_prefix = {repository.prefix: repository for repository in repositories}
    finished: list[_Stream] = []
    async for stream in _streams(mongo, by_prefix, report):
        finished.append(stream)
        if len(finished) == BATCH:
            await _compare(mongo, by_prefix, finished, report)
            finished.clear()
    await _compare(mongo, by_prefix, finished, report)
    await _find_states_without_events(mongo, repositories, report)
    await _check_logs(mongo, report)
    return report


async def _streams(
    mongo: Mongo, by_prefix: dict[str, Repository[Any]], report: Report
) -> AsyncIterator[_Stream]:
    """Each stream folded from its first event; reading in index order, so one is held at a time."""
    current: _Stream | None = None
    async for document in mongo[EVENTS].find().sort([("stream", 1), ("version", 1)]):
        event = event_of(document)
        report.events += 1
        if current is None or current.id != event.stream:
            if current is not None:
                yield current
            current = _Stream(event.stream)
            report.streams += 1
        _link(current, event, by_prefix.get(event.stream.split("_", 1)[0]), report)
    if current is not None:
        yield current


def _link(stream: _Stream, event: SealedEvent, repository: Repository[Any] | None, report: Report) -> None:
    stream.version += 1
    stream.link = chain(stream.link, event.body)
    if stream.broken:
        return
    finding = _what_is_wrong(stream, event, repository)
    if finding is not None:
        stream.broken = True
        report.found(finding)


def _what_is_wrong(stream: _Stream, event: SealedEvent, repository: Repository[Any] | None) -> str | None:
    if repository is None:
        return f"{stream.id}: no aggregate of this service has such an id"
    if event.version != stream.version:
        return f"{stream.id}: version {stream.version} is missing"
    if event.hash != stream.link:
        return f"{stream.id}: the chain breaks at version {event.version}"
    try:
        envelope = open_envelope(event.body)
        stream.state = repository.fold(stream.state, catalogue.event_of(envelope))
    except Unreadable as unreadable:
        return f"{stream.id}: version {event.version} cannot be read ({unreadable})"
    if (envelope.subject, envelope.version, envelope.id) != (stream.id, event.version, event.id):
        return f"{stream.id}: version {event.version} says it is another event"
    return None


async def _compare(
    mongo: Mongo, by_prefix: dict[str, Repository[Any]], streams: Sequence[_Stream], report: Report
) -> None:
    """What the streams gave beside what is stored."""
    stored: dict[str, dict[str, Any]] = {}
    for prefix, repository in by_prefix.items():
        ids = [stream.id for stream in streams if stream.id.startswith(f"{prefix}_")]
        if ids:
            async for document in mongo[repository.collection].find({"_id": {"$in": ids}}):
                stored[document["_id"]] = document
    for stream in streams:
        if stream.broken:
            continue
        document = stored.get(stream.id, {})
        state = by_prefix[stream.id.split("_", 1)[0]].dump(stream.state)
        if not document:
            report.found(f"{stream.id}: has events and no state")
        elif document["version"] > stream.version and await _has_gone_on(mongo, stream, document["version"]):
            continue
        elif [document[part] for part in ("version", "hash", "state")] != [
            stream.version,
            stream.link,
            state,
        ]:
            report.found(f"{stream.id}: what is stored is not what its events give")


async def _has_gone_on(mongo: Mongo, stream: _Stream, version: int) -> bool:
    """The state is newer than the events read here: then its event came meanwhile, or it was lost."""
    return await mongo[EVENTS].find_one({"stream": stream.id, "version": version}, {"_id": 1}) is not None


_FIRST_EVENT = {"from": EVENTS, "localField": "_id", "foreignField": "stream", "pipeline": [{"$limit": 1}]}


async def _find_states_without_events(
    mongo: Mongo, repositories: Sequence[Repository[Any]], report: Report
) -> None:
    for repository in repositories:
        pipeline: list[dict[str, Any]] = [
            {"$lookup": {**_FIRST_EVENT, "as": "first"}},
            {"$match": {"first": []}},
            {"$project": {"_id": 1}},
        ]
        for document in await mongo.aggregate(repository.collection, pipeline):
            report.found(f"{document['_id']}: has a state and no events")


async def _check_logs(mongo: Mongo, report: Report) -> None:
    positions = {d["_id"]: d["relayed"] async for d in mongo[RELAYS].find()}
    async for writer in mongo[WRITERS].find():
        report.logs += 1
        expected = count(1)
        own = {"writer": writer["_id"], "seq": {"$lte": writer["committed"]}}
        places, last = mongo[EVENTS].find(own, {"seq": 1}), 0
        async for place in places.sort("seq", 1):
            last = place["seq"]
            if last != next(expected):
                report.found(f"{writer['_id']}: has a gap before place {last}")
                break
        else:
            if last != writer["committed"]:
                report.found(f"{writer['_id']}: ends at place {last} and says {writer['committed']}")
        if positions.get(writer["_id"], 0) > writer["committed"]:
            report.found(f"{writer['_id']}: more was sent than was committed")
