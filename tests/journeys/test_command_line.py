"""The `concord` command as an operator uses it: a process of its own beside a running house."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from shared.contracts.partners.partner import PartnerSuspended
from shared.storage.change import EVENTS
from shared.storage.mongo import Mongo
from tests.journeys import steps
from tests.journeys.steps import OFFICER, OPERATOR
from tests.support.command_line import CommandLine
from tests.support.house import INTERNAL_KEY, House

pytestmark = pytest.mark.asyncio
WITHIN_S = 60
STANDING = "concord.agreements.standing"
USAGE, REFUSED, NOT_WHOLE, WRONG_SETTINGS = 2, 1, 2, 78
NOWHERE = "127.0.0.1:9"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def concord(standing_house: House) -> AsyncIterator[CommandLine]:
    """Started where the house is, unless a test says another place."""
    async with CommandLine(standing_house.environment) as ready:
        yield ready


async def test_the_command_is_a_program_that_works_or_says_what_is_away(house: House) -> None:
    away = {"CONCORD_MONGO_URL": f"mongodb://{NOWHERE}/"}
    works, is_away = await asyncio.gather(
        started(house.environment, "parked", "list", "partners"),
        started({**house.environment, **away}, "verify"),
    )
    assert works == (0, "Nothing is parked.")
    assert is_away[0] == REFUSED
    assert "database_away" in is_away[1]


async def started(environment: Mapping[str, str], *arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", *arguments),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await asyncio.wait_for(process.communicate(), WITHIN_S)
    return process.returncode, out.decode().strip()


async def test_every_setting_is_shown_and_no_secret(house: House, concord: CommandLine) -> None:
    secret = "a-password-nobody-may-see"
    said = await concord("settings", CONCORD_MONGO_URL=f"mongodb://concord:{secret}@{NOWHERE}/")
    assert said.status == 0
    for setting in ("CONCORD_MONGO_URL", "CONCORD_KAFKA_URL", "CONCORD_HTTP_PORT", "CONCORD_MAIL_HOST"):
        assert setting in said.out
    assert house.environment["CONCORD_HTTP_PORT"] in said.out
    assert INTERNAL_KEY not in said.out
    assert secret not in said.out


@pytest.mark.parametrize(
    ("arguments", "environment", "status", "says"),
    [
        (("settings",), {"CONCORD_HTTP_PORT": "eighty"}, WRONG_SETTINGS, "http_port"),
        (("verify",), {"CONCORD_TRACES_SAMPLE": "2"}, WRONG_SETTINGS, "traces_sample"),
        (("verify", "partners"), {}, USAGE, "partners"),
        (("seed", "again"), {}, USAGE, "again"),
        (("seed",), {"CONCORD_DEMO": "false"}, USAGE, "CONCORD_DEMO"),
        (("people", "grant", "somebody", "Some Body", "no-address"), {}, USAGE, "email"),
        (("people", "grant", "somebody"), {}, USAGE, "name"),
        (("clock", "advance", "10x"), {}, USAGE, "10d"),
        (("clock", "advance", "0d"), {}, REFUSED, "too_small"),
        (("clock", "advance", "1d"), {"CONCORD_PARTNERS_URL": f"http://{NOWHERE}"}, REFUSED, "running"),
        (("feed", "tail", "--types", "no such"), {}, REFUSED, "type_glob_malformed"),
        (("parked", "list", "nowhere"), {}, USAGE, "agreements"),
        (("parked", "show", "partners", "nothing"), {}, REFUSED, "parked_message_not_found"),
        (("parked", "replay", "agreements", STANDING, "ptn_1"), {}, USAGE, "why"),
        (("parked", "replay", "agreements", "no.such", "ptn_1", "--why", "w"), {}, USAGE, STANDING),
        (("rebuild", "agreements", "nothing"), {}, USAGE, "agreements has"),
        (("run", "nobody"), {}, 64, "usage"),
    ],
)
async def test_what_cannot_be_done_is_said_in_words_and_by_the_exit_status(
    house: House,
    concord: CommandLine,
    arguments: Sequence[str],
    environment: dict[str, str],
    status: int,
    says: str,
) -> None:
    said = await concord(*arguments, **environment)
    assert said.status == status, said
    assert says in said.out + said.errors
    assert "Traceback" not in said.errors, said.errors


async def test_a_record_that_was_tampered_with_is_not_whole(house: House, concord: CommandLine) -> None:
    partner = await steps.register_partner(house)
    events = house.databases["partners"][EVENTS]
    before = await events.find_one({"stream": partner.id})
    forged = bytes(before["body"]).replace(b"Shelter", b"Helters")
    whole = await concord("verify")
    assert (whole.status, "The record is whole." in whole.out) == (0, True), whole
    await events.update_one({"_id": before["_id"]}, {"$set": {"body": forged}})
    try:
        damaged = await concord("verify")
    finally:
        await events.update_one({"_id": before["_id"]}, {"$set": {"body": before["body"]}})
    assert damaged.status == NOT_WHOLE
    assert f"{partner.id}: the chain breaks at version 1" in damaged.out


async def test_what_was_parked_is_listed_shown_and_replayed_once_its_cause_is_mended(
    house: House, concord: CommandLine, said: list[MutableMapping[str, Any]]
) -> None:
    """The cause is planted: agreements has lost what it knew of a partner."""
    partner = await steps.register_partner(house)
    standings = house.databases["agreements"]["standings"]
    lost = await standings.find_one_and_delete({"_id": partner.id})
    reason = {"reason": "The accounts are two years late"}
    await house.post(OFFICER, f"/partners/v1/partners/{partner.id}/suspensions", reason)
    [waiting] = await parked_of(house, partner.id)
    [told] = [line for line in said if line["event"] == "message_not_handled"]
    said.remove(told)
    listed = await concord("parked", "list", "agreements")
    assert (listed.status, waiting["_id"] in listed.out) == (0, True), listed
    shown = await concord("parked", "show", "agreements", waiting["_id"])
    assert shown.status == 0, shown
    assert PartnerSuspended.type in shown.out
    assert "LookupError" in shown.out
    await standings.insert_one(lost)
    replay = ("parked", "replay", "agreements", STANDING, partner.id, "--why", "Its standing was restored")
    replayed = await concord(*replay)
    assert (replayed.status, "1 replayed" in replayed.out) == (0, True), replayed
    path = f"/agreements/v1/standings/{partner.id}"
    await house.see(OFFICER, path, lambda seen: seen["standing"] == "suspended")
    assert "0 replayed" in (await concord(*replay)).out


async def parked_of(house: House, partner_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    async def is_parked() -> bool:
        query = {"subject": partner_id, "state": "parked"}
        found[:] = await house.databases["agreements"]["parked"].find(query).to_list(length=10)
        return bool(found)

    await house.eventually(is_parked)
    return found


async def test_the_business_moves_on_in_every_service_at_once(house: House, concord: CommandLine) -> None:
    before = [await now_of(house, service) for service in house.served]
    said = await concord("clock", "advance", "3d")
    assert said.status == 0, said
    for service, was in zip(house.served, before, strict=True):
        assert f"{service}: it is " in said.out
        assert await now_of(house, service) - was >= timedelta(days=3)


async def now_of(house: House, service: str) -> datetime:
    return datetime.fromisoformat((await house.get(OPERATOR, f"/{service}/v1/clock"))["now"])


async def test_a_new_house_is_seeded_once_however_often_it_is_asked_for(
    house: House, concord: CommandLine
) -> None:
    """Nothing of it runs: not even the topics are there."""
    name = f"seeded{steps.any_mark()}"
    new = {"CONCORD_MONGO_DATABASE_PREFIX": name, "CONCORD_KAFKA_TOPIC_PREFIX": f"{name}."}
    mongo = Mongo(house.environment["CONCORD_MONGO_URL"], f"{name}_partners")
    try:
        first = await concord("seed", **new)
        assert (first.status, "14 people, 4 partners" in first.out) == (0, True), first
        seeded = await mongo[EVENTS].count_documents({})
        assert (await mongo["relays"].find_one({}))["relayed"] == seeded
        second = await concord("seed", **new)
        assert second.status == 0, second
        assert await mongo[EVENTS].count_documents({}) == seeded
    finally:
        await mongo.client.drop_database(mongo.database.name)
        await mongo.close()


async def test_whoever_was_granted_it_on_the_command_line_administers_over_http(
    house: House, concord: CommandLine
) -> None:
    subject = f"first|{steps.any_mark()}"
    said = await concord("people", "grant", subject, "Kim Haneul", "kim@example.org")
    assert (said.status, "is an administrator" in said.out) == (0, True), said
    people = await house.see(subject, "/partners/v1/people", limit="1")
    assert len(people["items"]) == 1
    again = await concord("people", "grant", subject, "Kim Haneul", "kim@example.org")
    assert again.out == said.out


async def test_the_feed_is_printed_line_by_line(house: House, concord: CommandLine) -> None:
    said = await concord("feed", "tail", "--types", "partner.registered.v1", "--limit", "2")
    assert said.status == 0, said
    assert said.out.count('"partner.registered.v1"') == 2
