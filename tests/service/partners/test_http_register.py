"""The register over HTTP: the happy way, and everything that is refused on it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from services.partners.register.documents import partners
from services.partners.register.queries import Reach, partners_wanted
from services.partners.register.subscribers import delivery_accepted, delivery_exhausted
from shared.contracts.envelope import Provenance, open_envelope, seal
from shared.contracts.notifications.delivery import Channel, DeliveryAccepted, DeliveryExhausted
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind
from shared.ids import new_id
from shared.messaging.subscription import Received
from shared.storage.repository import Unit
from tests.service.partners.desk import CONTACT, REASON, Desk

pytestmark = pytest.mark.asyncio

PARTNERS = "/partners/v1/partners"
OFFICER, REVIEWER, USER, ADMIN = "officer", "reviewer", "user", "admin"


def application(legal_name: str = "Shelter Forum", **changes: Any) -> dict[str, Any]:
    said = {"legal_name": legal_name, "kind": "civil_society", "country": "KEN", "contact": CONTACT}
    return {**said, **changes}


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def officer_registers(desk: Desk, **changes: Any) -> dict[str, Any]:
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    answer = await desk.post(OFFICER, PARTNERS, application(**changes))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def user_of(desk: Desk, partner_id: str, subject: str = USER) -> None:
    scope = (Scope(kind=ScopeKind.PARTNER, value=partner_id),)
    await desk.admit(subject, Role.PARTNER_USER, scope=scope)


async def test_a_partner_is_registered_read_suspended_and_reinstated(desk: Desk) -> None:
    made = await officer_registers(desk, country="KE")
    assert made == {
        "id": made["id"],
        "version": 1,
        "legal_name": "Shelter Forum",
        "kind": "civil_society",
        "country": "KEN",
        "status": "active",
        "contact_id": made["contact_id"],
    }
    path = f"{PARTNERS}/{made['id']}"
    suspended = await desk.post(OFFICER, f"{path}/suspensions", {"reason": "Accounts are late"})
    assert (suspended.status_code, suspended.headers["etag"]) == (201, '"2"')
    read = await desk.get(OFFICER, path)
    assert (read.json()["status"], read.headers["etag"]) == ("suspended", '"2"')
    again = await desk.post(OFFICER, f"{path}/suspensions", {"reason": "Accounts are late"})
    assert (again.status_code, again.json()["version"]) == (201, 2)
    back = await desk.post(OFFICER, f"{path}/reinstatements", {"reason": "They were received"})
    assert (back.json()["status"], back.json()["version"]) == ("active", 3)


async def test_a_repeated_request_registers_once_and_gets_the_same_answer(desk: Desk) -> None:
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    first = await desk.post(OFFICER, PARTNERS, application(), key="k1")
    second = await desk.post(OFFICER, PARTNERS, application(), key="k1")
    assert (second.status_code, second.content) == (201, first.content)
    assert code_of(await desk.post(OFFICER, PARTNERS, application(), key="k2")) == (409, "partner_exists")
    assert await desk.mongo[partners.collection].count_documents({}) == 1


async def test_of_many_who_register_one_name_at_once_exactly_one_is_answered_201(desk: Desk) -> None:
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    answers = await asyncio.gather(*(desk.post(OFFICER, PARTNERS, application()) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"legal_name": "A"}, "legal_name_length"),
        ({"legal_name": "…"}, "legal_name_length"),
        ({"legal_name": "!!!"}, "legal_name_without_letters"),
        ({"country": "XK"}, "country_unknown"),
        ({"legal_name": "x" * 301}, "request_invalid"),
        ({"kind": "friend"}, "request_invalid"),
        ({"contact": None}, "request_invalid"),
        ({"contact": {**CONTACT, "email": "nobody"}}, "request_invalid"),
        ({"contact": {**CONTACT, "email": "a@b.org, c@d.org"}}, "request_invalid"),
        ({"contact": {**CONTACT, "name": "a\u0007b"}}, "request_invalid"),
        ({"contact": {**CONTACT, "language": "de"}}, "request_invalid"),
        ({"status": "active"}, "request_invalid"),
    ],
)
async def test_what_is_wrong_with_an_application_is_said_and_nothing_is_stored(
    desk: Desk, changes: dict[str, Any], code: str
) -> None:
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    assert code_of(await desk.post(OFFICER, PARTNERS, application(**changes))) == (422, code)
    assert await desk.mongo[partners.collection].count_documents({}) == 0


async def test_a_reason_is_given_or_nothing_happens(desk: Desk) -> None:
    made = await officer_registers(desk)
    path = f"{PARTNERS}/{made['id']}/suspensions"
    assert code_of(await desk.post(OFFICER, path, {"reason": "too short"})) == (422, "reason_length")
    assert code_of(await desk.post(OFFICER, path, {})) == (422, "request_invalid")
    assert await desk.types(made["id"]) == ["partner.registered.v1"]


async def test_a_version_that_has_passed_is_refused(desk: Desk) -> None:
    made = await officer_registers(desk)
    path, body = f"{PARTNERS}/{made['id']}/suspensions", {"reason": "Accounts are late"}
    stale = await desk.post(OFFICER, path, body, **{"If-Match": '"7"'})
    assert code_of(stale) == (412, "version_passed")
    fresh = await desk.post(OFFICER, path, body, **{"If-Match": '"1"'})
    assert fresh.status_code == 201


@pytest.mark.parametrize("id", ["nobody", "ptn_01JD0000000000000000000001", "prs_01JD0000000000000000000001"])
async def test_a_partner_that_is_not_there_is_404(desk: Desk, id: str) -> None:
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    assert code_of(await desk.get(OFFICER, f"{PARTNERS}/{id}")) == (404, "partner_not_found")
    answer = await desk.post(OFFICER, f"{PARTNERS}/{id}/suspensions", {"reason": "Accounts are late"})
    assert code_of(answer) == (404, "partner_not_found")


async def test_who_may_not_is_told_so_and_who_is_not_known_as_well(desk: Desk) -> None:
    made = await officer_registers(desk)
    await desk.admit(REVIEWER, Role.ACCREDITATION_REVIEWER)
    answer = await desk.post(REVIEWER, PARTNERS, application("Another"))
    assert code_of(answer) == (403, "not_permitted")
    assert code_of(await desk.get(REVIEWER, f"{PARTNERS}/{made['id']}/contact")) == (403, "not_permitted")
    assert code_of(await desk.post("stranger", PARTNERS, application("Another"))) == (403, "not_admitted")


async def test_a_partner_s_user_sees_their_own_partner_and_knows_of_no_other(desk: Desk) -> None:
    own, other = await desk.register("Shelter Forum"), await desk.register("Shelter Union")
    await user_of(desk, own.id)
    assert (await desk.get(USER, f"{PARTNERS}/{own.id}")).status_code == 200
    assert code_of(await desk.get(USER, f"{PARTNERS}/{other.id}")) == (404, "partner_not_found")
    assert code_of(await desk.get(USER, f"{PARTNERS}/{other.id}/notices")) == (404, "partner_not_found")
    listed = (await desk.get(USER, PARTNERS)).json()["items"]
    assert [partner["id"] for partner in listed] == [own.id]


async def test_an_officer_of_one_country_registers_suspends_and_sees_in_that_country(desk: Desk) -> None:
    uganda = await desk.register("Shelter Union", "UGA")
    scope = (Scope(kind=ScopeKind.COUNTRY, value="KEN"),)
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER, scope=scope)
    made = await desk.post(OFFICER, PARTNERS, application())
    assert made.status_code == 201
    elsewhere = await desk.post(OFFICER, PARTNERS, application("Elsewhere", country="UGA"))
    assert code_of(elsewhere) == (403, "outside_your_scope")
    assert await desk.mongo[partners.collection].count_documents({}) == 2
    body = {"reason": "Accounts are late"}
    answer = await desk.post(OFFICER, f"{PARTNERS}/{uganda.id}/suspensions", body)
    assert code_of(answer) == (404, "partner_not_found")
    listed = (await desk.get(OFFICER, PARTNERS)).json()["items"]
    assert [partner["id"] for partner in listed] == [made.json()["id"]]


async def names(desk: Desk, **query: Any) -> list[str]:
    answer = await desk.get(OFFICER, PARTNERS, **query)
    assert answer.status_code == 200, answer.text
    return [partner["legal_name"] for partner in answer.json()["items"]]


async def test_the_list_is_in_the_order_of_names_and_is_filtered(desk: Desk) -> None:
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    union = await desk.register("Union of Shelters", "UGA")
    await desk.register("Éclair Shelter")
    await desk.register("Kisumu County", kind="local_government")
    await desk.post(OFFICER, f"{PARTNERS}/{union.id}/suspensions", {"reason": "Accounts are late"})
    assert await names(desk) == ["Éclair Shelter", "Kisumu County", "Union of Shelters"]
    assert await names(desk, kind="local_government") == ["Kisumu County"]
    assert await names(desk, country="UGA") == ["Union of Shelters"]
    assert await names(desk, status="active", country="KEN") == ["Éclair Shelter", "Kisumu County"]
    assert await names(desk, name="eclair-SH") == ["Éclair Shelter"]
    assert await names(desk, name="shelter") == []
    assert code_of(await desk.get(OFFICER, PARTNERS, kind="friend")) == (422, "request_invalid")


async def test_a_long_name_is_found_by_its_whole_beginning_and_pages_go_past_it(desk: Desk) -> None:
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    stem = "都市" * 60
    for ending in ("甲", "乙", "丙"):
        await desk.register(stem + ending)
    assert await names(desk, name=stem + "乙") == [stem + "乙"]
    seen, cursor = [], None
    while True:
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await desk.get(OFFICER, PARTNERS, **query)).json()
        seen += [partner["legal_name"] for partner in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(stem + ending for ending in ("甲", "乙", "丙"))


async def test_lists_are_read_from_an_index(desk: Desk) -> None:
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    for query in ({}, {"kind": "civil_society"}, {"country": "KEN"}, {"status": "active"}, {"name": "a"}):
        plan = await explained(desk, query)
        assert "COLLSCAN" not in plan and "'SORT'" not in plan, query


async def explained(desk: Desk, query: dict[str, str]) -> str:
    everything = Reach(partner_ids=None, countries=None)
    filters: dict[str, Any] = {"kind": None, "country": None, "status": None, "name": None, **query}
    found = desk.mongo[partners.collection].find(partners_wanted(everything, **filters))
    plan = await found.sort([("name_sort", 1), ("_id", 1)]).explain()
    return str(plan["queryPlanner"]["winningPlan"])


async def test_the_contact_person_is_read_by_who_may_and_erased_for_good(desk: Desk) -> None:
    made = await officer_registers(desk)
    path = f"{PARTNERS}/{made['id']}/contact"
    assert (await desk.get(OFFICER, path)).json() == {"id": made["contact_id"], **CONTACT}
    internal = f"/partners/v1/people/{made['contact_id']}/contact"
    assert (await desk.get(None, internal)).json() == {"id": made["contact_id"], **CONTACT}
    erased = await desk.post(OFFICER, f"{path}/erasures", {"reason": REASON})
    assert (erased.status_code, erased.json()["contact_id"]) == (201, None)
    assert code_of(await desk.get(OFFICER, path)) == (404, "contact_not_found")
    assert code_of(await desk.get(None, internal)) == (404, "contact_not_found")
    for collection in await desk.mongo.database.list_collection_names():
        stored = str(await desk.mongo[collection].find({}).to_list(length=100))
        assert CONTACT["email"] not in stored, collection
    again = await desk.post(OFFICER, f"{path}/erasures", {"reason": REASON})
    assert (again.status_code, again.json()["version"]) == (201, erased.json()["version"])


async def test_what_became_of_notices_is_shown_the_latest_first(desk: Desk) -> None:
    made = await officer_registers(desk)
    await user_of(desk, made["id"])
    first = await heard(desk, accepted(made["id"], "partner.suspended.v1"))
    second = await heard(desk, exhausted(made["id"], "task.assigned.v1"))
    await heard(desk, accepted("agr_01JD0000000000000000000010", "partner.suspended.v1"))
    path = f"{PARTNERS}/{made['id']}/notices"
    shown = (await desk.get(OFFICER, path)).json()["items"]
    assert [(notice["id"], notice["outcome"]) for notice in shown] == [
        (second, "exhausted"),
        (first, "accepted"),
    ]
    assert shown[0]["reason"] == "gone" and shown[0]["recipient"] == "prs_x"
    own = (await desk.get(USER, path)).json()["items"]
    assert [(notice["id"], notice["recipient"]) for notice in own] == [(first, None)]


async def test_a_delivery_given_up_and_then_taken_shows_how_it_ended(desk: Desk) -> None:
    made = await officer_registers(desk)
    delivery_id = await heard(desk, exhausted(made["id"], "partner.suspended.v1"))
    await heard(desk, accepted(made["id"], "partner.suspended.v1", delivery_id))
    shown = (await desk.get(OFFICER, f"{PARTNERS}/{made['id']}/notices")).json()["items"]
    assert [notice["outcome"] for notice in shown] == ["accepted"]


def accepted(about: str, event_type: str, delivery_id: str | None = None) -> DeliveryAccepted:
    return DeliveryAccepted(
        delivery_id=delivery_id or new_id("dlv"),
        event_id="e",
        event_type=event_type,
        about=about,
        channel=Channel.EMAIL,
        recipient="prs_x",
        accepted_at=datetime(2027, 1, 15, tzinfo=UTC),
        attempts=1,
    )


def exhausted(about: str, event_type: str) -> DeliveryExhausted:
    return DeliveryExhausted(
        delivery_id=new_id("dlv"),
        event_id="e",
        event_type=event_type,
        about=about,
        channel=Channel.WEBHOOK,
        recipient="prs_x",
        at=datetime(2027, 1, 16, tzinfo=UTC),
        attempts=5,
        reason="gone",
    )


async def heard(desk: Desk, event: DeliveryAccepted | DeliveryExhausted) -> str:
    """As the consumer would have it: a record of the topic, handled in a unit of its own."""
    now = desk.clock.now()
    provenance = Provenance(actor="system:test", time=now, recorded_at=now, correlation_id="c")
    body = seal(
        event,
        id="e",
        source="/concord/notifications",
        subject=event.delivery_id,
        version=1,
        provenance=provenance,
    )
    received = Received(
        envelope=open_envelope(body), body=body, topic="concord.notifications.v1", partition=0, offset=0
    )
    handler = delivery_accepted if isinstance(event, DeliveryAccepted) else delivery_exhausted

    async def hear(event: Any, unit: Unit) -> None:
        await handler(event, received, unit)

    await desk.do(hear, event)
    return event.delivery_id
