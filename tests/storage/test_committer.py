"""The committer: many callers to a transaction, each with an answer of their own."""

import asyncio
from typing import Any

import pytest
from pymongo.errors import PyMongoError

from shared.errors import Conflict, Refusal, StaleVersion, Unavailable
from shared.ids import new_id
from shared.storage import event_log
from shared.storage.change import Change
from shared.storage.committer import write_alone
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit
from tests.support.writing import Writing, members, registered

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def gapless(mongo: Mongo, writer: str) -> int:
    """The length of a log that has no gap."""
    document = await mongo["writers"].find_one({"_id": writer})
    found = await mongo["events"].find({"writer": writer}).sort("seq", 1).to_list(length=100_000)
    assert [event["seq"] for event in found] == list(range(1, document["committed"] + 1))
    return int(document["committed"])


async def test_a_command_writes_state_event_and_log_together(writing: Writing) -> None:
    member = await writing.register("Kisumu Federation")
    await writing.toggle(member.id)
    stored = await writing.stored(member.id)
    assert (stored["version"], stored["state"]["suspended"]) == (2, True)
    assert writing.committer.writer is not None
    assert await gapless(writing.mongo, writing.committer.writer.id) == 2
    assert [event.version for event in writing.committed] == [1, 2]
    assert writing.committed[1].prev == writing.committed[0].place


async def test_callers_at_once_share_transactions_and_lose_nothing(writing: Writing) -> None:
    sizes: list[int] = []
    writing.committer.group_sizes = sizes.append
    done = await asyncio.gather(*(writing.register(f"member {number}") for number in range(300)))
    assert len(sizes) < 100, "callers that wait together are written together"
    assert await writing.mongo["members"].count_documents({}) == len(done) == 300
    assert writing.committer.writer is not None
    assert await gapless(writing.mongo, writing.committer.writer.id) == 300
    assert [event.place.seq for event in writing.committed if event.place] == list(range(1, 301))


async def test_of_many_registrations_of_one_name_one_is_accepted(writing: Writing) -> None:
    answers = await asyncio.gather(*(writing.register("one name") for _ in range(50)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert len(refused) == 49
    assert {refusal.code for refusal in refused} == {"member_exists"}


async def test_a_failing_change_does_not_fail_those_written_with_it(writing: Writing) -> None:
    await writing.register("taken")
    names = ["taken" if number % 20 == 0 else f"free {number}" for number in range(200)]
    answers = await asyncio.gather(*(writing.register(name) for name in names), return_exceptions=True)
    assert sum(isinstance(answer, Refusal) for answer in answers) == 10
    assert await writing.mongo["members"].count_documents({}) == 191
    assert writing.committer.writer is not None
    assert await gapless(writing.mongo, writing.committer.writer.id) == 191


async def test_changes_of_one_aggregate_follow_one_another(writing: Writing) -> None:
    member = await writing.register()
    await asyncio.gather(*(writing.toggle(member.id) for _ in range(7)))
    stored = await writing.stored(member.id)
    assert stored["version"] == 8
    assert stored["state"]["suspensions"] == 4


async def test_many_who_decide_on_one_aggregate_do_not_queue_to_be_told_that_they_are_late(
    writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of how often they are written in vain; how long each has patience is another question."""
    monkeypatch.setattr("shared.service.CONFLICT_S_MAX", 60.0)
    sizes: list[int] = []
    writing.committer.group_sizes = sizes.append
    member = await writing.register()
    await asyncio.gather(*(writing.toggle(member.id) for _ in range(60)))
    assert (await writing.stored(member.id))["version"] == 61
    assert len(sizes) < 4 * 60


async def test_a_decision_on_a_passed_version_is_a_conflict(writing: Writing) -> None:
    member = await writing.register()
    late = Unit(writing.mongo, writing.context())
    loaded = await members.load(late, member.id)
    members.save(late, loaded, loaded.toggle())
    await writing.toggle(member.id)
    with pytest.raises(Conflict) as refused:
        await writing.committer.commit(late.change)
    assert refused.value.code == "changed_meanwhile"


async def test_a_version_number_that_came_back_with_other_content_is_a_conflict(writing: Writing) -> None:
    """As after a failover that took a version back, when another one then got its number."""
    member = await writing.register()
    unit = Unit(writing.mongo, writing.context())
    loaded = await members.load(unit, member.id)
    members.save(unit, loaded, loaded.toggle())
    await writing.mongo["members"].update_one({"_id": member.id}, {"$set": {"hash": bytes(32)}})
    with pytest.raises(Conflict):
        await writing.committer.commit(unit.change)


async def test_if_match_speaks_of_the_version_the_caller_read(writing: Writing) -> None:
    member = await writing.register()

    async def suspend(unit: Unit) -> None:
        loaded = await members.load(unit, member.id)
        members.save(unit, loaded, loaded.toggle())

    await writing.runtime.perform(writing.context(if_match=1), suspend)
    with pytest.raises(StaleVersion) as refused:
        await writing.runtime.perform(writing.context(if_match=1), suspend)
    assert refused.value.details == {"expected": 1, "current": 2}


async def test_relying_on_another_aggregate_fails_when_it_moves(writing: Writing) -> None:
    relied_on, changed = await writing.register(), await writing.register()
    unit = Unit(writing.mongo, writing.context())
    loaded = await members.load(unit, changed.id)
    members.save(unit, loaded, loaded.toggle())
    unit.change.require_version("members", relied_on.id, 1)
    await writing.toggle(relied_on.id)
    with pytest.raises(Conflict):
        await writing.committer.commit(unit.change)
    assert (await writing.stored(changed.id))["version"] == 1


async def test_several_aggregates_are_saved_whole_or_not_at_all(writing: Writing) -> None:
    one, other = await writing.register(), await writing.register()
    unit = Unit(writing.mongo, writing.context())
    for id in (one.id, other.id):
        loaded = await members.load(unit, id)
        members.save(unit, loaded, loaded.toggle())
    await writing.toggle(other.id)
    with pytest.raises(Conflict):
        await writing.committer.commit(unit.change)
    assert (await writing.stored(one.id))["state"]["suspended"] is False


async def test_a_fenced_writer_goes_on_under_a_new_log(writing: Writing) -> None:
    former = writing.committer.writer
    assert former is not None
    await writing.register("before")
    await writing.mongo["writers"].update_one({"_id": former.id}, {"$inc": {"epoch": 1}})
    await writing.register("after")
    current = writing.committer.writer
    assert current is not None and current.id != former.id
    assert await gapless(writing.mongo, former.id) == 1
    assert await gapless(writing.mongo, current.id) == 1


async def test_an_adopter_fences_the_former_holder_and_learns_how_long_the_log_is(writing: Writing) -> None:
    former = writing.committer.writer
    assert former is not None
    await writing.register()
    assert await event_log.adopt_next(writing.mongo, "somebody") is None, "its lease has not run out"
    over = {"$subtract": ["$$NOW", 1_000]}
    await writing.mongo["writers"].update_one({"_id": former.id}, [{"$set": {"until": over}}])
    adopted = await event_log.adopt_next(writing.mongo, "somebody")
    assert adopted is not None
    assert (adopted.writer.id, adopted.writer.epoch, adopted.committed) == (former.id, former.epoch + 1, 1)
    with pytest.raises(event_log.Fenced):
        await event_log.renew(writing.mongo, former)


async def test_a_position_only_grows_and_is_never_made_anew(writing: Writing) -> None:
    writer = writing.committer.writer
    assert writer is not None
    await event_log.move_position(writing.mongo, writer.id, 5)
    await event_log.move_position(writing.mongo, writer.id, 3)
    assert await event_log.position(writing.mongo, writer.id) == 5
    await event_log.move_position(writing.mongo, "wrt_gone", 3)
    assert await event_log.position(writing.mongo, "wrt_gone") is None


async def test_a_document_the_database_cannot_hold_fails_alone(writing: Writing) -> None:
    bad = Change()
    bad.insert("notes", {"_id": new_id("doc"), "text": object()})
    good = [writing.register(f"good {number}") for number in range(10)]
    answers = await asyncio.gather(writing.committer.commit(bad), *good, return_exceptions=True)
    assert isinstance(answers[0], Exception) and not isinstance(answers[0], Refusal)
    assert not any(isinstance(answer, Exception) for answer in answers[1:])


async def test_a_caller_who_goes_away_does_not_disturb_the_others(writing: Writing) -> None:
    async def leave() -> None:
        task = asyncio.create_task(writing.register("leaving"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await asyncio.gather(leave(), *(writing.register(f"staying {number}") for number in range(20)))
    assert await writing.mongo["members"].count_documents({"name": {"$regex": "^staying"}}) == 20


async def test_one_who_is_in_his_own_way_is_in_nobody_elses(writing: Writing) -> None:
    """A change whose own writes contradict each other: a look at what is stored finds nothing wrong."""
    await writing.mongo["notes"].insert_one({"_id": "a", "n": 1})
    contradictory = Change()
    for _ in range(2):
        contradictory.edit("notes", {"_id": "a", "n": 1}, {"$set": {"n": 2}})
    good = [Change() for _ in range(20)]
    for number, change in enumerate(good):
        change.insert("notes", {"_id": f"good {number}"})
    changes = [*good[:10], contradictory, *good[10:]]
    commits = (writing.committer.commit(change) for change in changes)
    answers = await asyncio.gather(*commits, return_exceptions=True)
    assert isinstance(answers.pop(10), Conflict)
    assert answers == [None] * 20


async def test_what_is_committed_stays_so_when_telling_of_it_fails(writing: Writing) -> None:
    def fail(events: object) -> None:
        raise RuntimeError("whoever is told has a bug")

    member = await writing.register()
    writing.committer._on_committed = fail
    await asyncio.gather(writing.toggle(member.id), writing.register(), writing.register())
    assert (await writing.stored(member.id))["state"]["suspensions"] == 1
    assert await writing.mongo["members"].count_documents({}) == 3


async def test_a_bug_of_whoever_follows_the_log_does_not_end_the_writing(writing: Writing) -> None:
    former, told = writing.committer.writer, writing.committer._on_new_log
    assert former is not None

    async def fail(writer: event_log.Writer) -> None:
        writing.committer._on_new_log = told
        raise RuntimeError("whoever follows the log has a bug")

    writing.committer._on_new_log = fail
    await writing.mongo["writers"].update_one({"_id": former.id}, {"$inc": {"epoch": 1}})
    writing.committer._alive_at = 0.0
    await asyncio.gather(writing.register("lost perhaps"), return_exceptions=True)
    await writing.register("after")
    assert writing.committer.has_ended is False


async def test_after_stopping_nothing_is_taken_on(writing: Writing) -> None:
    await writing.committer.stop()
    with pytest.raises(Unavailable):
        await writing.register()
    await writing.committer.start()


async def test_a_change_without_events_may_be_written_alone(writing: Writing) -> None:
    change = Change()
    change.put("notes", {"_id": "a", "text": "one"})
    change.edit("notes", {"_id": "b"}, {"$set": {"text": "two"}}, upsert=True)
    await write_alone(writing.mongo, change)
    found = await writing.mongo["notes"].find().sort("_id", 1).to_list(length=10)
    assert [note["text"] for note in found] == ["one", "two"]


@pytest.mark.parametrize("what", ["edit", "remove"])
async def test_a_document_that_is_not_as_expected_is_a_conflict(writing: Writing, what: str) -> None:
    change = Change()
    if what == "edit":
        change.edit("notes", {"_id": "absent"}, {"$set": {"text": "x"}})
    else:
        change.remove("notes", {"_id": "absent"})
    with pytest.raises(Conflict):
        await write_alone(writing.mongo, change)
    with pytest.raises(Conflict):
        await writing.committer.commit(change)


async def test_an_event_that_is_not_in_the_catalogue_cannot_be_saved(writing: Writing) -> None:
    class PartnerInvented(registered("x", "x").__class__):  # type: ignore[misc]
        type = "partner.invented.v1"

    unit = Unit(writing.mongo, writing.context())
    event = PartnerInvented(**registered("x", "x").model_dump())
    with pytest.raises(LookupError):
        members.create(unit, new_id("ptn"), [event])


async def test_the_chain_shows_a_changed_event(writing: Writing) -> None:
    member = await writing.register()
    await writing.toggle(member.id)
    state, version, link = await members.replay(writing.mongo, member.id)
    stored: Any = await writing.stored(member.id)
    assert (state, version, link) == (stored["state"], 2, stored["hash"])
    await writing.mongo["events"].update_one({"stream": member.id, "version": 1}, {"$set": {"body": b"{}"}})
    with pytest.raises(AssertionError):
        await members.replay(writing.mongo, member.id)


async def test_transactions_are_rolled_back_by_an_error(mongo: Mongo) -> None:
    with pytest.raises(PyMongoError):
        async with mongo.transaction() as session:
            await mongo["notes"].insert_one({"_id": 1}, session=session)
            await mongo["notes"].insert_one({"_id": 1}, session=session)
    assert await mongo["notes"].count_documents({}) == 0


async def test_aggregating_answers_alike_on_both_drivers(mongo: Mongo) -> None:
    await mongo["notes"].insert_many([{"_id": number, "half": number // 2} for number in range(4)])
    grouped = await mongo.aggregate(
        "notes", [{"$group": {"_id": "$half", "n": {"$sum": 1}}}, {"$sort": {"_id": 1}}]
    )
    assert grouped == [{"_id": 0, "n": 2}, {"_id": 1, "n": 2}]
