"""The checker finds what it is there to find: one fault planted at a time in the evidence of a sound run."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from shared.contracts.envelope import open_envelope
from tests.faults.checker import RULES, findings
from tests.faults.evidence import Evidence, consumer_name, gather
from tests.faults.history import Said
from tests.faults.settling import settle
from tests.faults.worker import Ground, Nursery, Process
from tests.support.writing import members

COMMANDS = 150
Plant = Callable[[Evidence], Evidence]


@pytest.fixture(scope="module")
def sound(
    nursery: Nursery, mongo_url: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Evidence:
    """A run in which nothing goes wrong, of two processes."""
    ground = Ground(
        nursery=nursery,
        mongo_url=mongo_url,
        kafka_url=kafka_bootstrap,
        folder=tmp_path_factory.mktemp("sound"),
    )
    processes = [Process(ground, name, rate=60, members=20, commands_max=COMMANDS) for name in ("a", "b")]
    for process in processes:
        process.wait_until_started()
    asyncio.run(settle(ground, commands=2 * COMMANDS))
    for process in processes:
        process.stop()
    return asyncio.run(gather(ground))


def test_a_sound_run_is_found_sound(sound: Evidence) -> None:
    assert findings(sound) == []
    assert len(sound.events) > 2 * COMMANDS and len(sound.effects) > 2 * COMMANDS
    assert {effect["consumer"] for effect in sound.effects} == {"effects", "outcomes"}


def of_a_member(sound: Evidence, version: int) -> dict[str, Any]:
    """An event in the middle of a member's stream."""
    return next(
        event for event in sound.events if event["version"] == version and event["stream"].startswith("ptn_")
    )


def without_a_record(sound: Evidence) -> Evidence:
    body = of_a_member(sound, 3)["body"]
    return replace(sound, sent=[sent for sent in sound.sent if sent.value != body])


def with_a_ghost(sound: Evidence) -> Evidence:
    last = sound.sent[-1]
    ghost = replace(
        last, offset=last.offset + 1, value=last.value.replace(b'"specversion"', b' "specversion"')
    )
    return replace(sound, sent=[*sound.sent, ghost])


def with_a_record_under_anothers_key(sound: Evidence) -> Evidence:
    first, *others = sound.sent
    return replace(sound, sent=[replace(first, key="ptn_another"), *others])


def with_two_records_swapped(sound: Evidence) -> Evidence:
    stream = of_a_member(sound, 3)["stream"]
    one, other = [number for number, sent in enumerate(sound.sent) if sent.key == stream][1:3]
    sent = list(sound.sent)
    sent[one], sent[other] = (
        replace(sent[one], value=sent[other].value),
        replace(sent[other], value=sent[one].value),
    )
    return replace(sound, sent=sent)


def with_an_effect_doubled(sound: Evidence) -> Evidence:
    first, *others = sound.effects
    return replace(sound, effects=[{**first, "times": 2}, *others])


def without_an_effect(sound: Evidence) -> Evidence:
    return replace(sound, effects=sound.effects[1:])


def with_an_effect_of_nothing(sound: Evidence) -> Evidence:
    return replace(sound, effects=[*sound.effects, {**sound.effects[0], "_id": "effects|nothing"}])


def with_effects_in_another_order(sound: Evidence) -> Evidence:
    tallies = deepcopy(sound.tallies)
    next(iter(tallies.values()))["link"] = "0" * 64
    return replace(sound, tallies=tallies)


def with_a_body_changed(sound: Evidence) -> Evidence:
    return _changed(sound, version=2, body=of_a_member(sound, 2)["body"].replace(b" ", b"", 1) + b" ")


def with_a_wrong_predecessor(sound: Evidence) -> Evidence:
    return _changed(sound, version=2, prev={"writer": "wrt_another", "seq": 1})


def without_an_event(sound: Evidence) -> Evidence:
    lost = of_a_member(sound, 3)["_id"]
    return replace(sound, events=[event for event in sound.events if event["_id"] != lost])


def with_a_number_given_twice(sound: Evidence) -> Evidence:
    return _changed(sound, version=2, seq=of_a_member(sound, 2)["seq"] + 1)


def with_a_state_of_its_own(sound: Evidence) -> Evidence:
    states = deepcopy(sound.states)
    states[members.collection][0]["state"]["suspensions"] += 1
    return replace(sound, states=states)


def with_a_state_left_behind(sound: Evidence) -> Evidence:
    states = deepcopy(sound.states)
    states[members.collection][0]["version"] -= 1
    return replace(sound, states=states)


def with_a_state_and_no_events(sound: Evidence) -> Evidence:
    stranger = {**sound.states[members.collection][0], "_id": "ptn_stranger"}
    return replace(sound, states={**sound.states, members.collection: [stranger]})


def with_a_position_beyond_its_log(sound: Evidence) -> Evidence:
    return replace(sound, relays={writer: relayed + 1 for writer, relayed in sound.relays.items()})


def with_a_log_left_standing(sound: Evidence) -> Evidence:
    return replace(sound, writers=[{**writer, "drained": False} for writer in sound.writers])


def with_a_watermark_behind(sound: Evidence) -> Evidence:
    watermarks = deepcopy(sound.watermarks)
    next(iter(watermarks.values()))["version"] -= 1
    return replace(sound, watermarks=watermarks)


def with_a_record_passed_over(sound: Evidence) -> Evidence:
    """Bytes nobody could read, and nobody has parked."""
    last = sound.sent[-1]
    unreadable = replace(last, offset=last.offset + 1, value=b"{", key="")
    offsets = deepcopy(sound.offsets)
    for of_one in offsets.values():
        of_one[last.topic, last.partition] = last.offset + 2
    return replace(sound, sent=[*sound.sent, unreadable], offsets=offsets)


def with_a_message_still_parked(sound: Evidence) -> Evidence:
    return replace(sound, parked=[_parked(1, "parked", [])])


def with_parked_messages_out_of_order(sound: Evidence) -> Evidence:
    taken_out = [_parked(2, "replayed", [1]), _parked(1, "replayed", [2])]
    return replace(sound, parked=taken_out)


def with_a_timer_left(sound: Evidence) -> Evidence:
    return replace(sound, timers=[{"_id": "end_errand|tsk_1"}])


def with_an_accepted_command_undone(sound: Evidence) -> Evidence:
    op, command = next(iter(sound.commands.items()))
    told = replace(command, events=(*command.events, ("ptn_another", 1)))
    return replace(sound, commands={**sound.commands, op: told})


def with_a_refused_command_done(sound: Evidence) -> Evidence:
    op, command = next(iter(sound.commands.items()))
    return replace(sound, commands={**sound.commands, op: replace(command, outcome=Said.REFUSED)})


def with_a_command_nobody_gave(sound: Evidence) -> Evidence:
    [_, *others] = sound.commands
    return replace(sound, commands={other: sound.commands[other] for other in others})


def with_a_command_done_twice(sound: Evidence) -> Evidence:
    """Twice on one member, and its caller never learned what became of it."""
    two = [event for event in sound.events if event["stream"] == of_a_member(sound, 3)["stream"]][:2]
    first, second = (open_envelope(event["body"]).correlationid for event in two)
    body = two[1]["body"].replace(second.encode(), first.encode())
    commands = {**sound.commands, first: replace(sound.commands[first], outcome=Said.UNKNOWN)}
    changed = {**two[1], "body": body}
    events = [changed if event["_id"] == changed["_id"] else event for event in sound.events]
    return replace(sound, events=events, commands=commands)


def with_an_errand_begun_twice(sound: Evidence) -> Evidence:
    begun = next(event for event in sound.events if event["type"] == "task.assigned.v1")
    return replace(sound, events=[*sound.events, {**begun, "_id": "again"}])


def without_an_errand(sound: Evidence) -> Evidence:
    ended = next(event for event in sound.events if event["type"] == "task.done.v1")
    return replace(sound, events=[event for event in sound.events if event is not ended])


PLANTED: tuple[tuple[Plant, str], ...] = (
    (without_a_record, "nothing_is_lost"),
    (with_a_ghost, "nothing_is_extra"),
    (with_a_record_under_anothers_key, "nothing_is_extra"),
    (with_two_records_swapped, "first_occurrences_are_in_order"),
    (with_an_effect_doubled, "effects_happen_once"),
    (without_an_effect, "effects_happen_once"),
    (with_an_effect_of_nothing, "effects_happen_once"),
    (with_effects_in_another_order, "effects_happen_in_order"),
    (with_a_body_changed, "streams_are_chained"),
    (with_a_wrong_predecessor, "streams_are_chained"),
    (without_an_event, "logs_are_gapless"),
    (with_a_number_given_twice, "logs_are_gapless"),
    (with_a_state_of_its_own, "states_are_replayed"),
    (with_a_state_left_behind, "states_are_replayed"),
    (with_a_state_and_no_events, "states_are_replayed"),
    (with_a_position_beyond_its_log, "logs_are_drained"),
    (with_a_log_left_standing, "logs_are_drained"),
    (with_a_watermark_behind, "watermarks_are_level"),
    (with_a_record_passed_over, "offsets_pass_nothing"),
    (with_a_message_still_parked, "nothing_is_left_standing"),
    (with_parked_messages_out_of_order, "parked_messages_go_in_order"),
    (with_a_timer_left, "nothing_is_left_standing"),
    (with_an_accepted_command_undone, "answers_are_kept"),
    (with_a_refused_command_done, "answers_are_kept"),
    (with_a_command_nobody_gave, "answers_are_kept"),
    (with_a_command_done_twice, "answers_are_kept"),
    (with_an_errand_begun_twice, "errands_are_run_once"),
    (without_an_errand, "errands_are_run_once"),
)


@pytest.mark.parametrize(("plant", "rule"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_fault_is_found(sound: Evidence, plant: Plant, rule: str) -> None:
    found = findings(plant(sound))
    assert any(finding.startswith(rule) for finding in found), found


def test_each_rule_has_a_fault_that_it_finds() -> None:
    assert {rule.__name__ for rule in RULES} == {rule for _, rule in PLANTED}


def _changed(sound: Evidence, version: int, **changes: Any) -> Evidence:
    event = of_a_member(sound, version)
    return replace(sound, events=[{**each, **changes} if each is event else each for each in sound.events])


def _parked(version: int, state: str, replayed_at: list[int]) -> dict[str, Any]:
    return {
        "_id": f"{consumer_name('effects')}|concord.partners.v1|0|{version}",
        "consumer": consumer_name("effects"),
        "subject": "ptn_1",
        "version": version,
        "topic": "concord.partners.v1",
        "partition": 0,
        "offset": 1_000_000 + version,
        "state": state,
        "reason": "handler_failed",
        "error": "",
        "history": [{"what": "replayed", "at": at} for at in replayed_at],
    }
