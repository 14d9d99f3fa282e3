"""The offline checker's rules on the record: logs, streams, states, topics, and what callers were told."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from shared.contracts import catalogue
from shared.contracts.envelope import GENESIS, Unreadable, chain, open_envelope
from shared.storage.repository import Repository
from tests.faults import trial
from tests.faults.evidence import Document, Evidence, Sent
from tests.faults.history import Said
from tests.support.writing import members


def logs_are_gapless(evidence: Evidence) -> Iterator[str]:
    """Every log has each number up to `committed`, once, and none beyond."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for event in evidence.events:
        numbers[event["writer"]].append(event["seq"])
    committed = {writer["_id"]: writer["committed"] for writer in evidence.writers}
    for writer in numbers.keys() | committed.keys():
        length = committed.get(writer, 0)
        if sorted(numbers[writer]) != list(range(1, length + 1)):
            yield f"{writer} has committed {length} and holds {_spans(numbers[writer])}"


def logs_are_drained(evidence: Evidence) -> Iterator[str]:
    """Every writer has ended and its log was sent to the end; a position is never beyond its log."""
    for writer in evidence.writers:
        relayed = evidence.relays.get(writer["_id"])
        if relayed is None:
            yield f"{writer['_id']} has no position"
        elif relayed > writer["committed"]:
            yield f"{writer['_id']} was sent to {relayed} and has committed {writer['committed']}"
        elif relayed < writer["committed"] or not writer["drained"]:
            yield f"{writer['_id']} of {writer['owner']} stands at {relayed} of {writer['committed']}"


def streams_are_chained(evidence: Evidence) -> Iterator[str]:
    """Versions 1, 2, 3 …; each hash follows from the one before; each event names its predecessor's place."""
    for stream, events in _streams(evidence).items():
        before, place = GENESIS, None
        for version, event in enumerate(events, 1):
            if event["version"] != version:
                yield f"{stream} has version {event['version']} where {version} should be"
                break
            before = chain(before, event["body"])
            if event["hash"] != before:
                yield f"the chain of {stream} breaks at version {version}"
                break
            if event["prev"] != place:
                yield f"version {version} of {stream} names {event['prev']} as its predecessor, not {place}"
            place = {"writer": event["writer"], "seq": event["seq"]}


def states_are_replayed(evidence: Evidence) -> Iterator[str]:
    """What is stored is what the stream gives."""
    streams = _streams(evidence)
    for repository in trial.REPOSITORIES:
        stored = {document["_id"]: document for document in evidence.states[repository.collection]}
        for stream in stored.keys() | {s for s in streams if s.startswith(repository.prefix)}:
            if (wrong := _differs(repository, stored.get(stream), streams.get(stream, []))) is not None:
                yield f"{stream}: {wrong}"


def _differs(repository: Repository[Any], stored: Document | None, events: list[Document]) -> str | None:
    if stored is None or not events:
        return "there are events without a state" if events else "there is a state without events"
    aggregate: Any = None
    for event in events:
        try:
            aggregate = repository.fold(aggregate, catalogue.event_of(open_envelope(event["body"])))
        except (Unreadable, AssertionError) as error:
            return f"version {event['version']} cannot be replayed: {error}"
    last = events[-1]
    if (stored["version"], stored["hash"]) != (last["version"], last["hash"]):
        return f"the state is of version {stored['version']}, the last event of {last['version']}"
    if stored["state"] != repository.dump(aggregate):
        return "the state is not what the events give"
    return None


def nothing_is_lost(evidence: Evidence) -> Iterator[str]:
    """I1: every committed event is in its topic, byte for byte."""
    there = {(sent.topic, sent.value) for sent in evidence.sent}
    for event in evidence.events:
        if (event["topic"], bytes(event["body"])) not in there:
            yield f"version {event['version']} of {event['stream']} is not in {event['topic']}"


def nothing_is_extra(evidence: Evidence) -> Iterator[str]:
    """I2: what is in a topic was committed, under its own key."""
    committed = {(event["topic"], bytes(event["body"])): event["stream"] for event in evidence.events}
    strangers = {(message["topic"], message["partition"], message["offset"]) for message in evidence.parked}
    for sent in evidence.sent:
        stream = committed.get((sent.topic, sent.value))
        if stream is None and (sent.topic, sent.partition, sent.offset) not in strangers:
            yield f"{_place(sent)} was never committed"
        elif stream is not None and stream != sent.key:
            yield f"{_place(sent)} is of {stream} and has the key {sent.key}"


def first_occurrences_are_in_order(evidence: Evidence) -> Iterator[str]:
    """I3: per aggregate the versions first appear as 1, 2, 3 …, in one partition."""
    version_of = {bytes(event["body"]): event["version"] for event in evidence.events}
    seen: dict[str, list[int]] = defaultdict(list)
    partitions: dict[str, set[int]] = defaultdict(set)
    for sent in evidence.sent:
        if sent.value not in version_of:
            continue
        partitions[sent.key].add(sent.partition)
        version = version_of[sent.value]
        if version not in seen[sent.key]:
            seen[sent.key].append(version)
    for key, versions in seen.items():
        if versions != list(range(1, len(versions) + 1)):
            yield f"{key} first appears as {versions}"
        if len(partitions[key]) > 1:
            yield f"{key} is in the partitions {sorted(partitions[key])}"


def answers_are_kept(evidence: Evidence) -> Iterator[str]:
    """What was accepted is there as the caller was told; what was refused has left nothing; nothing else is
    there; nothing happened twice.
    """
    made: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for event in evidence.events:
        if event["stream"].startswith(members.prefix):
            made[open_envelope(event["body"]).correlationid].append((event["stream"], event["version"]))
    for op, command in evidence.commands.items():
        told, left = sorted(command.events), sorted(made.get(op, []))
        if command.outcome is Said.ACCEPTED and told != left:
            yield f"{op} was accepted with {told} and left {left}"
        elif command.outcome is Said.REFUSED and left:
            yield f"{op} was refused ({command.code}) and left {left}"
        elif len({stream for stream, _ in left}) != len(left):
            yield f"{op} happened twice: {left}"
    for op in made.keys() - evidence.commands.keys():
        yield f"nobody asked for {op}, which left {made[op]}"


def _streams(evidence: Evidence) -> dict[str, list[Document]]:
    streams: dict[str, list[Document]] = defaultdict(list)
    for event in evidence.events:
        streams[event["stream"]].append(event)
    return {stream: sorted(events, key=lambda event: event["version"]) for stream, events in streams.items()}


def _place(sent: Sent) -> str:
    return f"{sent.topic}/{sent.partition}/{sent.offset} ({sent.key})"


def _spans(numbers: list[int]) -> str:
    twice = sorted(number for number, count in Counter(numbers).items() if count > 1)
    missing = sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
    return (
        f"{len(numbers)} events, missing {missing[:10]}, twice {twice[:10]}, last {max(numbers, default=0)}"
    )


RULES_OF_RECORD = (
    logs_are_gapless,
    logs_are_drained,
    streams_are_chained,
    states_are_replayed,
    nothing_is_lost,
    nothing_is_extra,
    first_occurrences_are_in_order,
    answers_are_kept,
)
