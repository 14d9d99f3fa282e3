"""An agreement's own page, sending it, and signing it on both sides, in a browser without scripts."""

import hashlib
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from services.agreements.instruments.documents import evidence
from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.profiles import PROFILES
from services.agreements.instruments.pages.said import CONSENT
from shared.contracts.agreements.agreement import AgreementSentForSignature, AgreementSignedByParty
from tests.service.agreements.desk import SIGNATORY, TEXT, Desk
from tests.service.agreements.test_http import Cast
from tests.support.browsing import Browser, Page, browser_of

pytestmark = pytest.mark.asyncio

UNKNOWN = "agr_01JD0000000000000000000099"
NAME = {"name": "Amina Otieno"}
SIX_SCRIPTS = ("Жильё العمران 住房合作 आवास שיכון Habitation " * 10)[:200].strip().ljust(200, "ж")
AFTER_THE_ROUND = datetime(2027, 4, 16, 8, 0, tzinfo=UTC)


@pytest_asyncio.fixture
async def cast(desk: Desk) -> Cast:
    return await Cast(desk).assemble()


@pytest_asyncio.fixture
async def sent(desk: Desk, cast: Cast) -> Agreement:
    return await desk.sent(cast.partner_id)


@pytest_asyncio.fixture
async def officer(desk: Desk, cast: Cast) -> Browser:
    return browser_of(desk.app, cast.officer.id)


@pytest_asyncio.fixture
async def signatory(desk: Desk, cast: Cast) -> Browser:
    return browser_of(desk.app, cast.signatory.id)


@pytest_asyncio.fixture
async def partner(desk: Desk, cast: Cast) -> Browser:
    return browser_of(desk.app, cast.partner_user.id)


async def signed(who: Browser, agreement: Agreement, name: str = "Amina Otieno") -> Page:
    path = f"/agreements/{agreement.id}/sign"
    return await who.submit(await who.get(path), {"name": name}, to=path)


async def test_a_draft_is_sent_from_a_page_that_says_what_will_happen(
    desk: Desk, cast: Cast, officer: Browser
) -> None:
    draft = await desk.draft(cast.partner_id)
    page = await officer.get(f"/agreements/{draft.id}")
    assert "No number yet" in page.words
    page = await officer.get(page.links["Send for signature"])
    for said in ("its text is frozen", "are asked to sign", "either order", "15 Apr 2027, 21:00 UTC"):
        assert said in page.words
    page = await officer.submit(page, to=page.path)
    assert "Sent. Both sides are asked to sign." in page.words
    assert "UNH/MOU/2027/0001" in page.words


async def test_sent_twice_is_sent_once(desk: Desk, cast: Cast, officer: Browser) -> None:
    draft = await desk.draft(cast.partner_id)
    page = await officer.get(f"/agreements/{draft.id}/send")
    first = await officer.submit(page, to=page.path)
    again = await officer.submit(page, to=page.path)
    assert first.path == again.path == f"/agreements/{draft.id}"
    assert await desk.count(draft.id, AgreementSentForSignature) == 1
    anew = await officer.post(f"/agreements/{draft.id}/send")
    assert anew.status == 422
    assert "It has been sent already" in anew.words


async def test_what_changed_since_the_page_was_read_is_not_sent_unseen(
    desk: Desk, cast: Cast, officer: Browser
) -> None:
    id = (await cast.drafted())["id"]
    page = await officer.get(f"/agreements/{id}/send")
    text = await officer.get(f"/agreements/{id}/text")
    await officer.submit(text, {"text": "Another text."}, to=text.path)
    refused = await officer.submit(page, to=page.path)
    assert refused.status == 422
    assert "It was changed since you read it" in refused.words
    assert hashlib.sha256(b"Another text.").hexdigest() in refused.words
    assert await desk.count(id, AgreementSentForSignature) == 0


async def test_the_page_shows_where_it_is_and_until_when(sent: Agreement, officer: Browser) -> None:
    page = await officer.get(f"/agreements/{sent.id}")
    assert page.title == "Participatory slum upgrading in Kisumu"
    for said in ("Out for signature", "Silence is never consent", "Nairobi", "New York", "Your time", TEXT):
        assert said in page.words
    assert sent.text_sha256 in page.words
    assert 'class="here" aria-current="step">Sent for signature' in page.text
    assert "Read and sign" not in page.links


async def test_both_sides_sign_and_it_is_in_force(
    desk: Desk, sent: Agreement, partner: Browser, signatory: Browser
) -> None:
    page = await partner.get(f"/agreements/{sent.id}")
    page = await partner.get(page.links["Read and sign"])
    for said in (TEXT, sent.text_sha256, "I am entitled to sign it for my side"):
        assert said in page.words
    page = await partner.submit(page, NAME, to=page.path)
    assert "You have signed. It now waits" in page.words
    assert page.links["Amina Otieno"].startswith(f"/agreements/{sent.id}/evidence#evd_")
    page = await signed(signatory, sent, "Kofi Mensah")
    assert "as the last one: it is in force" in page.words
    assert 'class="here" aria-current="step">In force' in page.text
    assert "Kofi Mensah" not in page.words  # Names are for those who may see evidence.
    assert await desk.count(sent.id, AgreementSignedByParty) == 2


async def test_signing_twice_is_one_signature(
    desk: Desk, sent: Agreement, partner: Browser, cast: Cast
) -> None:
    path = f"/agreements/{sent.id}/sign"
    page = await partner.get(path)
    first = await partner.submit(page, NAME, to=path)
    again = await partner.submit(page, NAME, to=path)
    assert first.path == again.path == f"/agreements/{sent.id}"
    other_tab = await partner.post(path, {**page.form(path).fields, **NAME, "_key": "another-tab-0001"})
    assert other_tab.path == f"/agreements/{sent.id}"
    assert await desk.count(sent.id, AgreementSignedByParty) == 1
    assert "One signature is enough" in (await partner.get(path)).words
    colleague = browser_of(desk.app, (await desk.admit("partner_user", partner=cast.partner_id)).id)  # type: ignore[arg-type]
    assert "Somebody else signed it for your side" in (await colleague.get(path)).words


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "This is needed"),
        ("A", "At least 2 characters"),
        ("x" * 201, "At most 200 characters"),
        ("Amina \u202eoneitO", "a character that a text cannot have"),
    ],
)
async def test_a_name_that_cannot_stand_is_refused_at_its_field(
    desk: Desk, sent: Agreement, partner: Browser, name: str, said: str
) -> None:
    again = await signed(partner, sent, name)
    assert again.status == 422
    assert said in again.wrong["name"]
    assert again.form(f"/agreements/{sent.id}/sign").fields["name"] == name
    assert await desk.count(sent.id, AgreementSignedByParty) == 0


async def test_a_name_in_six_scripts_is_evidence_as_it_was_written(
    sent: Agreement, partner: Browser, desk: Desk
) -> None:
    await signed(partner, sent, SIX_SCRIPTS)
    page = await partner.get(f"/agreements/{sent.id}/evidence")
    assert f"<bdi>{SIX_SCRIPTS}</bdi>" in page.text
    assert page.words.count("The chain holds") == 1


async def test_a_hold_is_explained_and_nobody_can_sign(
    desk: Desk, cast: Cast, sent: Agreement, partner: Browser, officer: Browser
) -> None:
    path = f"/agreements/{sent.id}/sign"
    page = await partner.get(path)
    await desk.suspend(cast.partner_id)
    refused = await partner.submit(page, NAME, to=path)
    assert refused.status == 422
    for said in ("is suspended since 15 Jan 2027, 08:00", "does not enter into force", "reinstated"):
        assert said in refused.words
    await desk.let_timers_fire()
    explained = await officer.get(f"/agreements/{sent.id}")
    assert "On hold" in explained.words
    assert "Put on hold, because the partner was suspended" in explained.words
    assert explained.links["Why, on the partner’s page"] == f"/partners/{cast.partner_id}"
    assert "Why, on the partner’s page" not in (await partner.get(f"/agreements/{sent.id}")).links
    await desk.reinstate(cast.partner_id)
    await desk.let_timers_fire()
    assert (await partner.submit(page, NAME, to=path)).path == f"/agreements/{sent.id}"


async def test_another_text_than_the_one_that_was_sent_is_not_signed(
    desk: Desk, sent: Agreement, partner: Browser
) -> None:
    path = f"/agreements/{sent.id}/sign"
    page = await partner.get(path)
    refused = await partner.submit(page, {**NAME, "text_sha256": "0" * 64}, to=path)
    assert refused.status == 422
    assert "not the text that was sent" in refused.words
    kept = refused.form(path).fields
    assert (kept["name"], kept["text_sha256"]) == ("Amina Otieno", sent.text_sha256)


async def test_a_round_that_is_closed_is_signed_by_nobody_and_shown_as_lapsed(
    desk: Desk, sent: Agreement, partner: Browser
) -> None:
    path = f"/agreements/{sent.id}/sign"
    page = await partner.get(path)
    await signed(partner, await desk.sent(sent.partner_id))
    await desk.move_to(AFTER_THE_ROUND)
    assert (await partner.submit(page, NAME, to=path)).status == 422
    lapsed = await partner.get(f"/agreements/{sent.id}")
    assert "Lapsed, because the time to sign passed" in lapsed.words
    assert "It is not out for signature" in (await partner.get(path)).words


async def test_only_those_who_sign_get_to_the_page_and_each_for_their_side(
    desk: Desk, cast: Cast, sent: Agreement, officer: Browser, partner: Browser, signatory: Browser
) -> None:
    path = f"/agreements/{sent.id}/sign"
    assert (await officer.get(path)).status == 403
    assert (await browser_of(desk.app, cast.stranger.id).get(path)).status == 404
    assert (await partner.get(path)).form(path).fields["party"] == "partner"
    assert (await signatory.get(path)).form(path).fields["party"] == "organisation"
    forged = await partner.submit(await partner.get(path), {**NAME, "party": "organisation"}, to=path)
    assert forged.status == 403


async def test_a_signature_from_another_site_is_refused(
    desk: Desk, sent: Agreement, partner: Browser
) -> None:
    path = f"/agreements/{sent.id}/sign"
    fields = {**(await partner.get(path)).form(path).fields, **NAME}
    refused = await partner.post(path, fields, Sec_Fetch_Site="cross-site")
    assert refused.status == 403
    assert await desk.mongo[evidence.name].count_documents({}) == 0


async def test_ids_of_others_and_of_nothing_are_not_there(desk: Desk, cast: Cast, sent: Agreement) -> None:
    stranger = browser_of(desk.app, cast.stranger.id)
    for path in ("", "/copy", "/evidence", "/text.txt", "/sign"):
        assert (await stranger.get(f"/agreements/{sent.id}{path}")).status == 404
        assert (await stranger.get(f"/agreements/{UNKNOWN}{path}")).status == 404
    assert (await stranger.get("/agreements/nonsense")).status == 404


async def test_evidence_is_for_those_who_need_it(
    desk: Desk, cast: Cast, sent: Agreement, officer: Browser, partner: Browser
) -> None:
    await signed(partner, sent)
    path = f"/agreements/{sent.id}/evidence"
    assert (await officer.get(path)).status == 403
    auditor = browser_of(desk.app, cast.auditor.id)
    for who in (partner, auditor):
        page = await who.get(path)
        assert "Amina Otieno" in page.words and "The chain holds" in page.words
    assert "Amina Otieno" not in (await officer.get(f"/agreements/{sent.id}")).words
    assert "Amina Otieno" in (await auditor.get(f"/agreements/{sent.id}")).words


async def test_evidence_that_was_changed_is_seen_as_broken(
    desk: Desk, sent: Agreement, partner: Browser
) -> None:
    await signed(partner, sent)
    await desk.mongo[evidence.name].update_one({}, {"$set": {"signed_on": "2027-01-14"}})
    assert "The chain is broken here" in (await partner.get(f"/agreements/{sent.id}/evidence")).words
    assert "Broken" in (await partner.get(f"/agreements/{sent.id}/copy")).words


async def test_a_copy_is_checked_by_the_hash_of_what_can_be_downloaded(
    desk: Desk, sent: Agreement, officer: Browser
) -> None:
    page = await officer.get(f"/agreements/{sent.id}/copy")
    text = await officer.get(page.links["Download the text"])
    assert text.answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "UNH-MOU-2027-0001.txt" in text.answer.headers["content-disposition"]
    assert hashlib.sha256(text.answer.content).hexdigest() == sent.text_sha256
    assert sent.text_sha256 in page.words
    stored = await desk.mongo["agreements"].find_one({"_id": sent.id})
    assert stored["hash"].hex() in page.words


async def test_a_partner_sees_of_the_past_what_was_told_to_it(
    sent: Agreement, partner: Browser, officer: Browser
) -> None:
    ours = (await officer.get(f"/agreements/{sent.id}")).text.split('id="timeline"')[1]
    theirs = (await partner.get(f"/agreements/{sent.id}")).text.split('id="timeline"')[1]
    assert "Drafted" in ours and "Sent for signature" in ours
    assert "Drafted" not in theirs and "Sent for signature" in theirs
    assert sent.officer_id not in theirs


async def test_what_is_signed_but_begins_later_says_when(desk: Desk, cast: Cast, officer: Browser) -> None:
    later = await desk.sent(cast.partner_id, starts_on="2027-06-01")
    await desk.signed(later)
    page = await officer.get(f"/agreements/{later.id}")
    assert "Enters into force: 1 Jun 2027" in page.words
    assert 'class="here" aria-current="step">Signed by the organisation' in page.text
    assert SIGNATORY.id in page.text


async def test_every_sentence_that_can_be_signed_is_there() -> None:
    assert {profile.consent_wording for profile in PROFILES} <= set(CONSENT)


async def test_the_whole_timeline_proves_each_step_and_hides_what_is_ours(
    desk: Desk, cast: Cast, sent: Agreement, officer: Browser, partner: Browser
) -> None:
    path = f"/agreements/{sent.id}/timeline"
    ours, theirs = await officer.get(path), await partner.get(path)
    assert "Drafted" in ours.words and "The hash does not hold" not in ours.words
    assert "Drafted" not in theirs.words and "not yours to see" in theirs.words
    in_kenya = await desk.admit(cast.officer.grants[0].role, country="KEN")  # type: ignore[arg-type]
    assert "Drafted" in (await browser_of(desk.app, in_kenya.id).get(path)).words
    assert (await browser_of(desk.app, cast.stranger.id).get(path)).status == 404
