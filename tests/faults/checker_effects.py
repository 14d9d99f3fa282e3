"""The offline checker's rules on what consumers and timers made of the events."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from shared.contracts.envelope import Unreadable, open_envelope
from shared.contracts.notifications.task import TaskAssigned, TaskDone
from shared.contracts.partners.partner import PartnerSuspended
from tests.faults import trial
from tests.faults.evidence import Document, Evidence, Sent, consumer_name

COUNTING = ("effects", "outcomes")


def effects_happen_once(evidence: Evidence) -> Iterator[str]:
    """I4: each event has its effect at each consumer that counts, once."""
    times = {effect["_id"]: effect["times"] for effect in evidence.effects}
    expected: set[str] = set()
    for purpose, event in _counted(evidence):
        expected.add(f"{purpose}|{event['_id']}")
    for id in expected | times.keys():
        if id not in expected:
            yield f"{id} has an effect and was never committed"
        elif times.get(id, 0) != 1:
            yield f"{id} has {times.get(id, 0)} effects"


def effects_happen_in_order(evidence: Evidence) -> Iterator[str]:
    """I3 as the consumer saw it: the chain of an aggregate's effects is the one its order gives."""
    streams: dict[str, list[Document]] = defaultdict(list)
    for purpose, event in _counted(evidence):
        streams[f"{purpose}|{event['stream']}"].append(event)
    for id, events in streams.items():
        expected = ""
        for event in sorted(events, key=lambda event: event["version"]):
            expected = trial.link(expected, event["_id"])
        if evidence.tallies.get(id, {}).get("link") != expected:
            yield f"{id} did not see versions 1 to {len(events)} in their order"


def _counted(evidence: Evidence) -> Iterator[tuple[str, Document]]:
    for consumer, (topic, types) in evidence.heard.items():
        purpose = consumer.rpartition(".")[2]
        if purpose == "errands":
            continue
        for event in evidence.events:
            if event["topic"] == topic and event["type"] in types:
                yield purpose, event


def errands_are_run_once(evidence: Evidence) -> Iterator[str]:
    """I4 for a consumer that writes events, and I7: one errand a suspension, ended once, by a timer not
    before it was due.
    """
    if consumer_name("errands") not in evidence.heard:
        return
    suspensions = {event["_id"] for event in evidence.events if event["type"] == PartnerSuspended.type}
    begun: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for event in evidence.events:
        if event["type"] not in (TaskAssigned.type, TaskDone.type):
            continue
        data = open_envelope(event["body"]).data
        (begun if event["type"] == TaskAssigned.type else ended)[data["about"]] += 1
    for cause in suspensions | begun.keys() | ended.keys():
        if cause not in suspensions:
            yield f"an errand for {cause}, which is no suspension"
        elif (begun[cause], ended[cause]) != (1, 1):
            yield f"for {cause} {begun[cause]} errands were begun and {ended[cause]} ended"


def watermarks_are_level(evidence: Evidence) -> Iterator[str]:
    """Each consumer has seen the last version of each aggregate in its topic."""
    last: dict[tuple[str, str], int] = {}
    for event in evidence.events:
        key = event["topic"], event["stream"]
        last[key] = max(last.get(key, 0), event["version"])
    for consumer, (topic, _) in evidence.heard.items():
        for (of, stream), version in last.items():
            seen = evidence.watermarks.get(f"{consumer}|{stream}", {}).get("version", 0)
            if of == topic and seen != version:
                yield f"{consumer} has seen version {seen} of {stream}, which is at {version}"


def offsets_pass_nothing(evidence: Evidence) -> Iterator[str]:
    """I5: below a committed offset every record was handled or is parked."""
    parked = {message["_id"] for message in evidence.parked}
    for consumer, (topic, _) in evidence.heard.items():
        offsets = evidence.offsets.get(consumer, {})
        for sent in evidence.sent:
            if sent.topic != topic or sent.offset >= offsets.get((sent.topic, sent.partition), 0):
                continue
            place = f"{sent.topic}|{sent.partition}|{sent.offset}"
            if f"{consumer}|{place}" not in parked and not _is_seen(evidence, consumer, sent):
                yield f"{consumer} went past {place}, which is neither handled nor parked"


def _is_seen(evidence: Evidence, consumer: str, sent: Sent) -> bool:
    try:
        envelope = open_envelope(sent.value)
    except Unreadable:
        return False
    seen = evidence.watermarks.get(f"{consumer}|{envelope.subject}", {}).get("version", 0)
    return bool(envelope.version <= seen)


def parked_messages_go_in_order(evidence: Evidence) -> Iterator[str]:
    """I6: what waited of one aggregate was taken out in the order of its versions."""
    sequences: dict[tuple[str, str], list[tuple[object, int]]] = defaultdict(list)
    for message in evidence.parked:
        taken = [entry for entry in message["history"] if entry["what"] == "replayed"]
        if taken:
            key = message["consumer"], message["subject"]
            sequences[key].append((taken[-1]["at"], message["version"]))
    for (consumer, subject), taken_out in sequences.items():
        # Of the same millisecond nothing can be said.
        for (at, version), (later, next_version) in zip(
            sorted(taken_out), sorted(taken_out)[1:], strict=False
        ):
            if at != later and version > next_version:
                yield f"{consumer} took out version {next_version} of {subject} after {version}"


def nothing_is_left_standing(evidence: Evidence) -> Iterator[str]:
    for message in evidence.parked:
        if message["state"] == "parked":
            yield f"{message['_id']} is parked: {message['reason']} {message['error'][:200]}"
    for timer in evidence.timers:
        yield f"the timer {timer['_id']} has not fired"


RULES_OF_EFFECTS = (
    effects_happen_once,
    effects_happen_in_order,
    errands_are_run_once,
    watermarks_are_level,
    offsets_pass_nothing,
    parked_messages_go_in_order,
    nothing_is_left_standing,
)
