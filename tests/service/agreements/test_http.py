"""Agreements as people meet them over HTTP: from draft to force, who sees what, and what is refused."""

import hashlib
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from services.agreements.instruments.domain.evidence import GENESIS, link
from shared.contracts.agreements.agreement import AgreementSignedByParty
from shared.contracts.vocabulary import Role
from shared.storage.change import EVENTS
from tests.service.agreements.desk import TEXT, Desk

pytestmark = pytest.mark.asyncio

AGREEMENTS = "/agreements/v1/agreements"
UNKNOWN = "agr_01JD0000000000000000000099"


class Cast:
    """A partner, and those who have to do with its agreements."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def assemble(self) -> "Cast":
        self.partner_id = await self.desk.register()
        self.officer = await self.desk.admit(Role.PARTNERSHIP_OFFICER)
        self.signatory = await self.desk.admit(Role.SIGNATORY)
        self.partner_user = await self.desk.admit(Role.PARTNER_USER, partner=self.partner_id)
        self.stranger = await self.desk.admit(Role.PARTNER_USER, partner=await self.desk.register("BRA"))
        self.auditor = await self.desk.admit(Role.AUDITOR)
        return self

    def draft_body(self, **changes: Any) -> dict[str, Any]:
        return {
            "partner_id": self.partner_id,
            "kind": "mou",
            "title": "Participatory slum upgrading in Kisumu",
            "text": TEXT,
            "ends_on": "2030-12-31",
            **changes,
        }

    async def drafted(self, **changes: Any) -> dict[str, Any]:
        return _made(await self.desk.post(self.officer, AGREEMENTS, self.draft_body(**changes)))

    async def sent(self, **changes: Any) -> dict[str, Any]:
        id = (await self.drafted(**changes))["id"]
        return _made(await self.desk.post(self.officer, f"{AGREEMENTS}/{id}/signing-rounds"))

    def signature(self, agreement: dict[str, Any], party: str, **changes: Any) -> dict[str, Any]:
        return {"party": party, "text_sha256": agreement["text_sha256"], "name": "Amina Otieno", **changes}

    async def sign_for_partner(self, agreement: dict[str, Any]) -> httpx2.Response:
        path = f"{AGREEMENTS}/{agreement['id']}/signatures"
        return await self.desk.post(self.partner_user, path, self.signature(agreement, "partner"))

    async def sign_for_us(self, agreement: dict[str, Any]) -> httpx2.Response:
        path = f"{AGREEMENTS}/{agreement['id']}/signatures"
        return await self.desk.post(self.signatory, path, self.signature(agreement, "organisation"))


def _made(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _refusal(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest_asyncio.fixture
async def cast(desk: Desk) -> Cast:
    return await Cast(desk).assemble()


async def test_an_agreement_goes_from_draft_to_force(desk: Desk, cast: Cast) -> None:
    agreement = await cast.sent()
    assert (agreement["ref"], agreement["status"]) == ("UNH/MOU/2027/0001", "in_signature")
    assert (await cast.sign_for_partner(agreement)).status_code == 201
    assert (await cast.sign_for_us(agreement)).status_code == 201
    read = await desk.get(cast.partner_user, f"{AGREEMENTS}/{agreement['id']}")
    assert (read.json()["status"], read.json()["effective_on"]) == ("in_force", "2027-01-15")
    assert read.headers["etag"] == f'"{read.json()["version"]}"'


async def test_who_signs_again_gets_the_same_evidence_and_nothing_new_happens(desk: Desk, cast: Cast) -> None:
    agreement = await cast.sent()
    first, again = await cast.sign_for_partner(agreement), await cast.sign_for_partner(agreement)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert await desk.count(agreement["id"], AgreementSignedByParty) == 1


async def test_a_request_sent_twice_makes_one_draft(desk: Desk, cast: Cast) -> None:
    key, body = {"Idempotency-Key": "draft-once-please"}, cast.draft_body()
    first = await desk.post(cast.officer, AGREEMENTS, body, **key)
    again = await desk.post(cast.officer, AGREEMENTS, body, **key)
    assert first.content == again.content
    assert len((await desk.get(cast.officer, AGREEMENTS)).json()["items"]) == 1


async def test_a_partner_sees_what_it_was_sent_and_neither_drafts_nor_what_is_others(
    desk: Desk, cast: Cast
) -> None:
    draft, sent = await cast.drafted(), await cast.sent()
    for path in ("", "/text", "/manifest", "/evidence"):
        assert (await desk.get(cast.partner_user, f"{AGREEMENTS}/{sent['id']}{path}")).status_code == 200
        for who, agreement in ((cast.partner_user, draft), (cast.stranger, sent)):
            answer = await desk.get(who, f"{AGREEMENTS}/{agreement['id']}{path}")
            assert _refusal(answer) == (404, "agreement_not_found")
    own = (await desk.get(cast.partner_user, AGREEMENTS)).json()["items"]
    assert [agreement["id"] for agreement in own] == [sent["id"]]
    assert (await desk.get(cast.stranger, AGREEMENTS)).json()["items"] == []


async def test_lists_are_read_page_by_page_the_latest_first(desk: Desk, cast: Cast) -> None:
    made = [(await cast.drafted())["id"] for _ in range(3)]
    first = (await desk.get(cast.officer, AGREEMENTS, limit="2")).json()
    rest = (await desk.get(cast.officer, AGREEMENTS, limit="2", cursor=first["next"])).json()
    assert [one["id"] for one in (*first["items"], *rest["items"])] == made[::-1]
    assert rest["next"] is None
    none = await desk.get(cast.officer, AGREEMENTS, status="in_force", partner_id=cast.partner_id)
    assert none.json()["items"] == []


async def test_the_text_read_is_the_text_whose_hash_is_signed(desk: Desk, cast: Cast) -> None:
    agreement = await cast.drafted(text="First line.\nSecond line.\n")
    changed = _made(
        await desk.post(cast.officer, f"{AGREEMENTS}/{agreement['id']}/texts", {"text": "Third\nline."})
    )
    text = (await desk.get(cast.officer, f"{AGREEMENTS}/{agreement['id']}/text")).json()
    assert text["content"] == "Third\nline."
    assert text["sha256"] == changed["text_sha256"] == hashlib.sha256(b"Third\nline.").hexdigest()


async def test_an_outsider_can_check_the_manifest_and_learns_no_name(desk: Desk, cast: Cast) -> None:
    agreement = await cast.sent()
    await cast.sign_for_partner(agreement)
    await cast.sign_for_us(agreement)
    manifest = await desk.get(cast.officer, f"{AGREEMENTS}/{agreement['id']}/manifest")
    previous = GENESIS
    for record in manifest.json()["evidence"]:
        claimed = record.pop("sha256")
        assert record["previous_sha256"] == previous
        assert link(record) == claimed
        previous = claimed
    stored = await desk.mongo["agreements"].find_one({"_id": agreement["id"]})
    assert manifest.json()["record_sha256"] == stored["hash"].hex()
    assert "Amina" not in manifest.text
    assert len(manifest.json()["evidence"]) == 2


async def test_names_in_the_evidence_are_for_those_who_need_them(desk: Desk, cast: Cast) -> None:
    agreement = await cast.sent()
    await cast.sign_for_partner(agreement)
    path = f"{AGREEMENTS}/{agreement['id']}/evidence"
    (record,) = (await desk.get(cast.auditor, path)).json()["evidence"]
    assert record["name"] == "Amina Otieno"
    salted = hashlib.sha256(f"{record['name_salt']}{record['name']}".encode()).hexdigest()
    assert record["name_sha256"] == salted
    assert _refusal(await desk.get(cast.officer, path)) == (403, "not_permitted")


async def test_a_signature_is_refused_with_the_reason(desk: Desk, cast: Cast) -> None:
    agreement = await cast.sent()
    path = f"{AGREEMENTS}/{agreement['id']}/signatures"
    other_text = cast.signature(agreement, "partner", text_sha256="0" * 64)
    assert _refusal(await desk.post(cast.partner_user, path, other_text)) == (409, "text_changed")
    for_us = cast.signature(agreement, "organisation")
    assert _refusal(await desk.post(cast.partner_user, path, for_us)) == (403, "not_a_signatory")
    for_them = cast.signature(agreement, "partner")
    assert _refusal(await desk.post(cast.stranger, path, for_them)) == (404, "agreement_not_found")
    assert _refusal(await desk.post(cast.auditor, path, for_us)) == (403, "not_permitted")
    await desk.suspend(cast.partner_id)
    assert _refusal(await cast.sign_for_us(agreement)) == (423, "on_hold")


async def test_a_change_to_what_has_changed_since_it_was_read_is_refused(desk: Desk, cast: Cast) -> None:
    path = f"{AGREEMENTS}/{(await cast.drafted())['id']}/texts"
    read = {"If-Match": '"1"'}
    assert (await desk.post(cast.officer, path, {"text": "Second."}, **read)).status_code == 201
    stale = await desk.post(cast.officer, path, {"text": "Third."}, **read)
    assert _refusal(stale) == (412, "version_passed")


async def test_a_sent_text_is_frozen(desk: Desk, cast: Cast) -> None:
    path = f"{AGREEMENTS}/{(await cast.sent())['id']}"
    changed = await desk.post(cast.officer, f"{path}/texts", {"text": "Another."})
    assert _refusal(changed) == (409, "transition_not_allowed")
    assert _refusal(await desk.post(cast.officer, f"{path}/signing-rounds")) == (
        409,
        "transition_not_allowed",
    )


DOES_NOT_FIT: list[tuple[dict[str, Any], tuple[int, str]]] = [
    ({"title": "Too short"}, (422, "request_invalid")),
    ({"title": "A title that holds a \u0000 character"}, (400, "json_nul")),
    ({"title": "A title over\ntwo lines"}, (422, "request_invalid")),
    ({"text": "A text with \u0007 a bell"}, (422, "request_invalid")),
    ({"text": ""}, (422, "text_empty")),
    ({"text": "é" * (150 * 1024)}, (422, "text_too_large")),
    ({"text": "x" * (200 * 1024 + 1)}, (422, "request_invalid")),
    ({"kind": "treaty"}, (422, "request_invalid")),
    ({"ends_on": None}, (422, "request_invalid")),
    ({"ends_on": "soon"}, (422, "request_invalid")),
    ({"ends_on": "9999-12-31"}, (422, "term_too_long")),
    ({"starts_on": "9999-12-31", "ends_on": "9999-12-31"}, (422, "starts_too_late")),
    ({"starts_on": "2027-01-14"}, (422, "starts_in_the_past")),
    ({"officer_id": "prs_01JD0000000000000000000001"}, (422, "request_invalid")),
    ({"partner_id": "ptn_01JD0000000000000000000099"}, (422, "partner_unknown")),
    ({"partner_id": {"$ne": ""}}, (422, "request_invalid")),
]


async def test_a_draft_that_does_not_fit_is_refused_and_leaves_nothing(desk: Desk, cast: Cast) -> None:
    for changes, refusal in DOES_NOT_FIT:
        answer = await desk.post(cast.officer, AGREEMENTS, cast.draft_body(**changes))
        assert (list(changes), _refusal(answer)) == (list(changes), refusal)
    assert await desk.mongo[EVENTS].count_documents({}) == 0


async def test_what_is_not_there_is_not_found(desk: Desk, cast: Cast) -> None:
    for id in (UNKNOWN, "nonsense", "ptn_01JD0000000000000000000099"):
        assert _refusal(await desk.get(cast.officer, f"{AGREEMENTS}/{id}")) == (404, "agreement_not_found")


async def test_partners_draft_nothing_and_delegates_see_nothing(desk: Desk, cast: Cast) -> None:
    drafted = await desk.post(cast.partner_user, AGREEMENTS, cast.draft_body())
    assert _refusal(drafted) == (403, "not_permitted")
    delegate = await desk.admit(Role.MEMBER_STATE_DELEGATE, state="KEN")
    assert _refusal(await desk.get(delegate, AGREEMENTS)) == (403, "not_permitted")


async def test_an_officer_for_one_country_works_with_its_partners_only(desk: Desk, cast: Cast) -> None:
    officer = await desk.admit(Role.PARTNERSHIP_OFFICER, country="BRA")
    drafted = await desk.post(officer, AGREEMENTS, cast.draft_body())
    assert _refusal(drafted) == (403, "outside_your_scope")
    agreement = await cast.drafted()
    assert _refusal(await desk.get(officer, f"{AGREEMENTS}/{agreement['id']}")) == (
        404,
        "agreement_not_found",
    )
    assert (await desk.get(officer, AGREEMENTS)).json()["items"] == []


async def test_the_standing_of_partners_says_as_of_when(desk: Desk, cast: Cast) -> None:
    path = "/agreements/v1/standings"
    await desk.suspend(cast.partner_id)
    standing = (await desk.get(cast.officer, f"{path}/{cast.partner_id}")).json()
    assert (standing["standing"], standing["as_of"]) == ("suspended", "2027-01-15T08:00:00Z")
    assert len((await desk.get(cast.officer, path)).json()["items"]) == 2
    own = (await desk.get(cast.partner_user, path)).json()["items"]
    assert [one["partner_id"] for one in own] == [cast.partner_id]
    assert _refusal(await desk.get(cast.stranger, f"{path}/{cast.partner_id}")) == (404, "standing_not_found")
