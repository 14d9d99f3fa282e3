"""Who is let in: by token, by key, as one of the house; and who is not."""

from datetime import timedelta

import pytest
from joserfc.jwk import ECKey

from shared.context import Actor
from shared.contracts.partners.person import (
    DelegationEnded,
    PersonErased,
    PersonInvited,
    PersonJoined,
    RoleGranted,
    RoleWithdrawn,
    Scope,
)
from shared.contracts.partners.system import KeyRevoked
from shared.contracts.vocabulary import Grant, Role, ScopeKind
from shared.http.api_keys import new_api_key
from shared.http.directory_projection import FRESH_S
from shared.ids import new_id
from tests.service.http.small_service import INTERNAL_KEY, SmallService, problem

pytestmark = pytest.mark.asyncio
OFFICER = "officer"


def person_named(subject: str) -> str:
    return f"{subject}-{new_id('t')}"


async def test_nobody_is_let_in_without_saying_who_they_are(service: SmallService) -> None:
    answer = await service.client.get("/self")
    problem(answer, 401, "credentials_missing")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Basic b2ZmaWNlcjp4", "Bearer", "Token x", "", "ApiKey", "Internal"])
async def test_what_says_nothing_we_understand_lets_nobody_in(service: SmallService, header: str) -> None:
    answer = await service.client.get("/self", headers={"Authorization": header})
    assert answer.status_code == 401
    problem(answer, 401, answer.json()["code"])


async def test_an_expired_or_foreign_token_lets_nobody_in(service: SmallService) -> None:
    issuer = service.issuer
    now_s = int(issuer.clock.now.timestamp())
    refused = {
        issuer.token(sub=OFFICER, exp=now_s - 31): "token_expired",
        issuer.token(sub=OFFICER, iss="https://elsewhere.example.org"): "token_issuer",
        issuer.token(sub=OFFICER, aud="another"): "token_audience",
    }
    own, issuer.keys["k1"] = issuer.keys["k1"], ECKey.generate_key("P-256")
    refused[issuer.token(sub=OFFICER)] = "token_signature"
    issuer.keys["k1"] = own
    before = await service.stored()
    for token, code in refused.items():
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
        problem(await service.client.get("/self", headers=headers), 401, code)
        answer = await service.client.post("/members", json={"name": "x"}, headers=headers)
        problem(answer, 401, code)
    assert await service.stored() == before


async def test_who_is_signed_in_and_not_admitted_may_nothing(service: SmallService) -> None:
    problem(await service.get("passer-by", "/self"), 403, "not_admitted")


async def test_a_role_lets_in_where_it_reaches_and_nowhere_else(service: SmallService) -> None:
    subject = person_named("auditor")
    person = await service.admit(subject, Role.AUDITOR)
    assert (await service.get(subject, "/self")).json() == {"id": person, "on_behalf_of": None}
    before = await service.stored()
    said = problem(await service.post(subject, "/members", {"name": new_id("m")}), 403, "not_permitted")
    assert said["permission"] == "partner:register"
    assert await service.stored() == before


async def test_who_may_not_is_refused_before_what_they_sent_is_looked_at(service: SmallService) -> None:
    subject = person_named("auditor")
    await service.admit(subject, Role.AUDITOR)
    problem(await service.post(subject, "/members", b"{"), 403, "not_permitted")


async def test_a_withdrawn_role_ends_with_the_next_request(service: SmallService) -> None:
    subject, state = person_named("reader"), (Scope(kind=ScopeKind.STATE, value="KEN"),)
    person = await service.admit(subject, Role.MEMBER_STATE_DELEGATE, scope=state)
    assert (await service.get(subject, "/self")).status_code == 200
    await service.hear(person, RoleWithdrawn(person_id=person, role=Role.MEMBER_STATE_DELEGATE, scope=state))
    problem(await service.get(subject, "/self"), 403, "not_permitted")


async def test_who_was_invited_is_known_when_they_have_joined(service: SmallService) -> None:
    subject, person = person_named("guest"), new_id("prs")
    invited = PersonInvited.model_validate({**PersonInvited.example, "person_id": person})
    await service.hear(person, invited)
    problem(await service.get(subject, "/self"), 403, "not_admitted")
    await service.hear(person, PersonJoined(person_id=person, subject=subject))
    await service.hear(person, RoleGranted(person_id=person, role=Role.PARTNER_USER))
    assert (await service.get(subject, "/self")).json()["id"] == person


async def test_who_was_erased_is_nobody(service: SmallService) -> None:
    subject = person_named("gone")
    person = await service.admit(subject, Role.AUDITOR)
    await service.hear(person, PersonErased(person_id=person, reason="At the person's request"))
    problem(await service.get(subject, "/self"), 403, "not_admitted")
    left = await service.writing.mongo["directory"].find_one({"_id": person})
    assert subject not in str(left)


async def test_who_acts_by_a_delegation_acts_on_its_givers_behalf(service: SmallService) -> None:
    subject = person_named("deputy")
    lender = await service.admit(person_named("chief"), Role.SIGNATORY)
    deputy = await service.admit(subject, Role.AUDITOR)
    delegation = await service.lend(deputy, lender, Role.SIGNATORY, starts=-1, ends=1)
    assert (await service.get(subject, "/signatures")).json() == {"id": deputy, "on_behalf_of": lender}
    assert (await service.get(subject, "/self")).json()["on_behalf_of"] is None
    ended = DelegationEnded(person_id=deputy, delegation_id=delegation, reason="Back from leave")
    await service.hear(deputy, ended)
    problem(await service.get(subject, "/signatures"), 403, "not_permitted")


async def test_a_delegation_ends_with_the_role_it_came_from(service: SmallService) -> None:
    subject = person_named("deputy")
    lender = await service.admit(person_named("chief"), Role.SIGNATORY)
    deputy = await service.admit(subject)
    await service.lend(deputy, lender, Role.SIGNATORY, starts=-1, ends=1)
    assert (await service.get(subject, "/signatures")).status_code == 200
    await service.hear(lender, RoleWithdrawn(person_id=lender, role=Role.SIGNATORY))
    problem(await service.get(subject, "/signatures"), 403, "not_permitted")


async def test_a_system_is_let_in_by_its_key_until_it_is_revoked(service: SmallService) -> None:
    system, key = await service.new_key()
    headers = {"Authorization": f"ApiKey {key.text}"}
    assert (await service.client.get("/self", headers=headers)).json()["id"] == system
    await service.hear(system, KeyRevoked(system_id=system, key_id=key.key_id, reason="Rotated"))
    problem(await service.client.get("/self", headers=headers), 401, "api_key_refused")


async def test_a_key_with_another_secret_is_no_key(service: SmallService) -> None:
    _, key = await service.new_key()
    forged = f"ck_{key.key_id}_{'A' * 43}"
    texts = {forged: "api_key_refused", new_api_key().text: "api_key_refused", "ck_x": "api_key_malformed"}
    for text, code in texts.items():
        headers = {"Authorization": f"ApiKey {text}"}
        problem(await service.client.get("/self", headers=headers), 401, code)


async def test_the_house_is_let_in_by_its_key_where_only_the_house_belongs(service: SmallService) -> None:
    house = {"Authorization": f"Internal {INTERNAL_KEY}"}
    assert (await service.client.get("/directory", headers=house)).status_code == 200
    problem(await service.client.get("/self", headers=house), 403, "not_permitted")
    for key in ("x", INTERNAL_KEY[:-1], ""):
        answer = await service.client.get("/directory", headers={"Authorization": f"Internal {key}"})
        problem(answer, 401, "internal_key_refused")
    problem(await service.get(OFFICER, "/directory"), 403, "not_permitted")


async def test_whoever_is_signed_in_may_come_where_that_is_enough(service: SmallService) -> None:
    first, again = [(await service.post("new-comer", "/arrivals")).json()["id"] for _ in range(2)]
    assert first == again
    assert "new-comer" not in first
    known = await service.admit(subject := person_named("known"))
    assert (await service.post(subject, "/arrivals")).json()["id"] == known
    problem(await service.post(None, "/arrivals"), 401, "credentials_missing")


async def test_an_open_route_asks_nobody_who_they_are(service: SmallService) -> None:
    answer = await service.client.post("/pings", headers={"Authorization": "Bearer nonsense"})
    assert (answer.status_code, answer.json()["id"]) == (200, "anybody")


class TestWhenTheProjectionMayBeBehind:
    """Kafka is away for longer than a minute."""

    @pytest.fixture(autouse=True)
    def behind(self, service: SmallService) -> None:
        service.clock.ahead += timedelta(seconds=FRESH_S + 1)
        service.partners.away = True

    async def test_reading_goes_on_and_changing_does_not(self, service: SmallService) -> None:
        before = await service.stored()
        assert (await service.get(OFFICER, "/members")).status_code == 200
        answer = await service.post(OFFICER, "/members", {"name": new_id("m")})
        problem(answer, 503, "directory_stale")
        assert answer.headers["retry-after"]
        assert await service.stored() == before

    async def test_a_key_reads_on_too(self, service: SmallService) -> None:
        system, key = await service.new_key()
        headers = {"Authorization": f"ApiKey {key.text}", "Idempotency-Key": "k"}
        assert (await service.client.get("/self", headers=headers)).json()["id"] == system
        problem(await service.client.post("/breakdowns", headers=headers), 503, "directory_stale")

    async def test_the_partners_service_is_asked_and_what_it_says_counts(self, service: SmallService) -> None:
        service.partners.away = False
        service.partners.instead = Actor(id=new_id("prs"), grants=(Grant(Role.AUDITOR),))
        assert (await service.get(OFFICER, "/self")).json()["id"] == service.partners.instead.id
        refused = await service.post(OFFICER, "/members", {"name": new_id("m")})
        problem(refused, 403, "not_permitted")
        service.partners.instead = None
        problem(await service.get(OFFICER, "/self"), 403, "not_admitted")

    async def test_level_again_the_projection_decides_again(self, service: SmallService) -> None:
        service.freshness.touch()
        answer = await service.post(OFFICER, "/members", {"name": new_id("m")})
        assert answer.status_code == 201
