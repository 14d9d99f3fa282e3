"""The directory over HTTP: admitted, invited, joined, given roles; and what the other services ask."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from services.partners.people.documents import PEOPLE
from shared.clock import Clock
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind
from shared.http.api_keys import parse_api_key
from shared.http.directory_remote import DirectoryOut
from tests.service.partners.desk import DETAILS, REASON, Desk

pytestmark = pytest.mark.asyncio

PEOPLE_PATH, SYSTEMS, DIRECTORY = "/partners/v1/people", "/partners/v1/systems", "/partners/v1/directory"
ADMIN, OFFICER, USER = "admin", "officer", "user"
SOMEBODY = {**DETAILS.model_dump(), "zone": "Africa/Nairobi"}


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def role(name: str, **scope: str) -> dict[str, Any]:
    return {"role": name, "scope": [{"kind": kind, "value": value} for kind, value in scope.items()]}


async def administrator(desk: Desk) -> str:
    return (await desk.admit(ADMIN, Role.ADMINISTRATOR)).id


async def admitted(desk: Desk, subject: str = USER) -> str:
    answer = await desk.post(ADMIN, PEOPLE_PATH, {"subject": subject, **SOMEBODY})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def invitation(desk: Desk) -> dict[str, Any]:
    partner = await desk.register("Shelter Forum")
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    answer = await desk.post(OFFICER, f"/partners/v1/partners/{partner.id}/invitations", SOMEBODY)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_an_administrator_admits_somebody_and_gives_them_a_role_they_then_have(desk: Desk) -> None:
    await administrator(desk)
    id = await admitted(desk)
    assert code_of(await desk.get(USER, PEOPLE_PATH)) == (403, "not_permitted")
    granted = await desk.post(ADMIN, f"{PEOPLE_PATH}/{id}/roles", role("auditor"))
    assert (granted.status_code, granted.json()["roles"]) == (201, [{"role": "auditor", "scope": []}])
    listed = (await desk.get(USER, PEOPLE_PATH)).json()["items"]
    assert {person["name"] for person in listed} == {DETAILS.name}
    withdrawn = await desk.post(ADMIN, f"{PEOPLE_PATH}/{id}/role-withdrawals", role("auditor"))
    assert withdrawn.json()["roles"] == []
    assert code_of(await desk.get(USER, PEOPLE_PATH)) == (403, "not_permitted")


async def test_a_subject_is_one_person(desk: Desk) -> None:
    await administrator(desk)
    await admitted(desk)
    answer = await desk.post(ADMIN, PEOPLE_PATH, {"subject": USER, **SOMEBODY})
    assert code_of(answer) == (409, "subject_taken")


async def test_only_administrators_give_roles_and_not_to_themselves(desk: Desk) -> None:
    own = await administrator(desk)
    officer = await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    answer = await desk.post(OFFICER, f"{PEOPLE_PATH}/{own}/roles", role("auditor"))
    assert code_of(answer) == (403, "not_permitted")
    answer = await desk.post(ADMIN, f"{PEOPLE_PATH}/{own}/roles", role("auditor"))
    assert code_of(answer) == (403, "own_role")
    answer = await desk.post(ADMIN, f"{PEOPLE_PATH}/{own}/role-withdrawals", role("administrator"))
    assert code_of(answer) == (409, "last_administrator")
    answer = await desk.post(ADMIN, f"{PEOPLE_PATH}/{officer.id}/roles", role("partner_user"))
    assert code_of(answer) == (422, "scope_does_not_fit")
    answer = await desk.post(ADMIN, f"{PEOPLE_PATH}/{officer.id}/roles", role("auditor", country="QQQ"))
    assert code_of(answer) == (422, "scope_unknown")


@pytest.mark.parametrize(
    "changes", [{"zone": "Mars/Base"}, {"language": "sw"}, {"email": "x"}, {"subject": ""}, {"admin": True}]
)
async def test_what_is_wrong_with_a_person_is_said_and_nobody_is_admitted(
    desk: Desk, changes: dict[str, Any]
) -> None:
    await administrator(desk)
    answer = await desk.post(ADMIN, PEOPLE_PATH, {"subject": USER, **SOMEBODY, **changes})
    assert code_of(answer) == (422, "request_invalid")
    assert await desk.mongo[PEOPLE.name].count_documents({}) == 1


async def test_who_is_invited_joins_by_the_code_and_speaks_for_the_partner(desk: Desk) -> None:
    made = await invitation(desk)
    path = f"/partners/v1/invitations/{made['code']}/acceptances"
    joined = await desk.post(USER, path)
    assert joined.status_code == 201
    assert joined.json() == {"id": made["person_id"], "partner_ids": [made["partner_id"]]}
    assert (await desk.post(USER, path)).json() == joined.json()
    assert code_of(await desk.post("other", path)) == (409, "invitation_used")
    read = await desk.get(USER, f"/partners/v1/partners/{made['partner_id']}")
    assert read.status_code == 200


async def test_a_code_that_is_none_or_late_opens_nothing(desk: Desk) -> None:
    made = await invitation(desk)
    answer = await desk.post(USER, "/partners/v1/invitations/guess/acceptances")
    assert code_of(answer) == (404, "invitation_not_found")
    answer = await desk.post(USER, f"/partners/v1/invitations/{'x' * 101}/acceptances")
    assert code_of(answer) == (422, "request_invalid")
    desk.pass_time(timedelta(days=30))
    answer = await desk.post(USER, f"/partners/v1/invitations/{made['code']}/acceptances")
    assert code_of(answer) == (409, "invitation_expired")


async def test_the_contact_person_is_invited_as_who_they_are_and_a_stranger_is_not_known(desk: Desk) -> None:
    partner, other = await desk.register("Shelter Forum"), await desk.register("Shelter Union")
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    base = f"/partners/v1/partners/{partner.id}/people"
    made = await desk.post(OFFICER, f"{base}/{partner.contact_id}/invitations", {"zone": "UTC"})
    assert (made.status_code, made.json()["person_id"]) == (201, partner.contact_id)
    answer = await desk.post(OFFICER, f"{base}/{other.contact_id}/invitations", {"zone": "UTC"})
    assert code_of(answer) == (404, "person_not_found")
    elsewhere = f"/partners/v1/partners/{other.id}/people/{partner.contact_id}/invitations"
    assert code_of(await desk.post(OFFICER, elsewhere, {"zone": "UTC"})) == (404, "person_not_found")
    accepted = await desk.post(USER, f"/partners/v1/invitations/{made.json()['code']}/acceptances")
    assert accepted.status_code == 201
    again = await desk.post(OFFICER, f"{base}/{partner.contact_id}/invitations", {"zone": "UTC"})
    assert code_of(again) == (409, "already_joined")


async def test_a_delegation_is_given_counts_and_is_ended(desk: Desk) -> None:
    await administrator(desk)
    owner = await desk.admit("owner", Role.AUDITOR)
    id = await admitted(desk)
    path = f"{PEOPLE_PATH}/{id}/delegations"
    given = await desk.post(ADMIN, path, {**role("auditor"), **dates(desk.clock), "on_behalf_of": owner.id})
    assert given.status_code == 201, given.text
    assert (await desk.get(USER, PEOPLE_PATH)).status_code == 200
    directory = await desk.get(None, DIRECTORY, subject=USER)
    assert [grant["on_behalf_of"] for grant in directory.json()["grants"]] == [owner.id]
    end = f"{path}/{given.json()['delegations'][0]['id']}/ends"
    assert (await desk.post(ADMIN, end, {"reason": "Back"})).json()["delegations"] == []
    assert code_of(await desk.post(ADMIN, end, {"reason": "Back"})) == (404, "delegation_not_found")
    assert code_of(await desk.get(USER, PEOPLE_PATH)) == (403, "not_permitted")


def dates(clock: Clock) -> dict[str, str]:
    now = clock.now()
    return {"starts_at": now.isoformat(), "ends_at": (now + timedelta(days=1)).isoformat()}


async def test_a_delegation_without_a_zone_in_its_times_is_refused(desk: Desk) -> None:
    await administrator(desk)
    id = await admitted(desk)
    body = {**role("auditor"), **dates(desk.clock), "on_behalf_of": id, "starts_at": "2027-01-01T00:00:00"}
    answer = await desk.post(ADMIN, f"{PEOPLE_PATH}/{id}/delegations", body)
    assert code_of(answer) == (422, "request_invalid")


async def test_somebody_erased_is_answered_for_without_a_name(desk: Desk) -> None:
    await administrator(desk)
    id = await admitted(desk)
    assert (await desk.get(None, f"{PEOPLE_PATH}/{id}/contact")).json() == {"id": id, **DETAILS.model_dump()}
    read = (await desk.get(ADMIN, f"{PEOPLE_PATH}/{id}")).json()
    assert (read["name"], read["email"], read["status"]) == (DETAILS.name, DETAILS.email, "joined")
    erased = await desk.post(ADMIN, f"{PEOPLE_PATH}/{id}/erasures", {"reason": REASON})
    assert (erased.status_code, erased.json()["status"]) == (201, "erased")
    read = (await desk.get(ADMIN, f"{PEOPLE_PATH}/{id}")).json()
    assert (read["name"], read["email"], read["subject"]) == (None, None, None)
    assert code_of(await desk.get(None, f"{PEOPLE_PATH}/{id}/contact")) == (404, "contact_not_found")
    assert code_of(await desk.get(USER, PEOPLE_PATH)) == (403, "not_admitted")
    assert [one["id"] for one in (await desk.get(ADMIN, PEOPLE_PATH, status="erased")).json()["items"]] == [
        id
    ]


async def test_no_answer_that_is_kept_holds_a_name_or_an_address(desk: Desk) -> None:
    await administrator(desk)
    await admitted(desk)
    await invitation(desk)
    kept = await desk.mongo["answers"].find({}).to_list(length=10)
    assert len(kept) == 2
    for answer in kept:
        assert answer.keys() == {"_id", "sealed", "at"}
        assert DETAILS.email.encode() not in answer["sealed"]
        assert DETAILS.name.encode() not in answer["sealed"]


async def test_the_other_services_ask_who_may_do_what_and_nobody_else_can(desk: Desk) -> None:
    scope = (Scope(kind=ScopeKind.COUNTRY, value="KEN"),)
    officer = await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER, scope=scope)
    answer = await desk.get(None, DIRECTORY, subject=OFFICER)
    actor = DirectoryOut.model_validate_json(answer.content).actor()
    assert (actor.id, actor.scopes("partner:read", "country")) == (officer.id, frozenset({"KEN"}))
    assert code_of(await desk.get(None, DIRECTORY, subject="nobody")) == (404, "not_in_directory")
    assert code_of(await desk.get(None, DIRECTORY)) == (422, "directory_asked_for_nobody")
    assert code_of(await desk.get(OFFICER, DIRECTORY, subject=OFFICER)) == (403, "not_permitted")
    answer = await desk.get(OFFICER, f"{PEOPLE_PATH}/{officer.id}/contact")
    assert code_of(answer) == (403, "not_permitted")


async def test_a_key_is_shown_once_works_until_it_is_revoked_and_is_known_to_the_others(desk: Desk) -> None:
    owner = await administrator(desk)
    made = await desk.post(ADMIN, SYSTEMS, {"label": "Donor portal", "owner_id": owner, "scope": []})
    assert made.status_code == 201, made.text
    path = f"{SYSTEMS}/{made.json()['id']}"
    new = (await desk.post(ADMIN, f"{path}/keys")).json()
    presented = parse_api_key(new["key"])
    query = {"key_id": presented.key_id, "key_sha256": presented.sha256}
    assert (await desk.get(None, DIRECTORY, **query)).json()["id"] == made.json()["id"]
    headers = {"Authorization": f"ApiKey {new['key']}"}
    assert code_of(await desk.browser.get(SYSTEMS, headers=headers)) == (403, "not_permitted")
    assert (await desk.get(ADMIN, path)).json()["keys"] == [{"id": new["key_id"], "live": True}]
    revoked = await desk.post(ADMIN, f"{path}/keys/{new['key_id']}/revocations", {"reason": "Rotated"})
    assert (revoked.status_code, revoked.json()["keys"][0]["live"]) == (201, False)
    assert code_of(await desk.browser.get(SYSTEMS, headers=headers)) == (401, "api_key_refused")
    assert code_of(await desk.get(None, DIRECTORY, **query)) == (404, "not_in_directory")
    assert [one["label"] for one in (await desk.get(ADMIN, SYSTEMS)).json()["items"]] == ["Donor portal"]


async def test_who_may_not_is_refused_before_anything_is_looked_at(desk: Desk) -> None:
    await desk.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
    for path in (SYSTEMS, f"{SYSTEMS}/sys_x/keys", f"{PEOPLE_PATH}/prs_x/erasures", PEOPLE_PATH):
        assert code_of(await desk.post(OFFICER, path, {})) == (403, "not_permitted")
    assert code_of(await desk.get(OFFICER, SYSTEMS)) == (403, "not_permitted")
