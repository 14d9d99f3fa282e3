"""The register of agreements as people see it: what is shown to whom, filters, pages, a partner's part."""

import re

import pytest
import pytest_asyncio

from shared.contracts.vocabulary import Role
from tests.service.agreements.desk import SIGNATORY, Desk, user_of
from tests.service.agreements.test_http import Cast
from tests.support.browsing import Page, browser_of

pytestmark = pytest.mark.asyncio

UNKNOWN = "ptn_01JD0000000000000000000099"


@pytest_asyncio.fixture
async def cast(desk: Desk) -> Cast:
    return await Cast(desk).assemble()


def refs(page: Page) -> list[str]:
    return [said for said in page.links if said.startswith("UNH/")]


async def test_an_empty_register_says_what_will_be_here_and_how_to_begin(desk: Desk, cast: Cast) -> None:
    officer = await browser_of(desk.app, cast.officer.id).get("/agreements")
    assert officer.status == 200
    assert "The first one begins with a draft" in officer.words
    assert officer.links["Draft an agreement"] == "/agreements/draft"
    partner = await browser_of(desk.app, cast.partner_user.id).get("/agreements")
    assert "from the moment it is sent for signature" in partner.words
    assert "Draft an agreement" not in partner.links


async def test_a_row_says_who_what_where_it_is_and_what_is_next_by_when(desk: Desk, cast: Cast) -> None:
    agreement = await cast.sent()
    page = await browser_of(desk.app, cast.officer.id).get("/agreements")
    assert page.links["UNH/MOU/2027/0001"] == f"/agreements/{agreement['id']}"
    for said in (
        "Participatory slum upgrading",
        "Federation",
        "Kenya",
        "Out for signature",
        "Both sides sign",
    ):
        assert said in page.words
    assert "16 Apr 2027, 00:00" not in page.words  # The reader's zone is UTC, not Nairobi.
    assert "15 Apr 2027, 21:00 UTC" in page.words


async def test_each_sees_what_is_theirs_and_a_partner_no_draft(desk: Desk, cast: Cast) -> None:
    await cast.drafted(title="Ours alone until it is sent")
    await cast.sent()
    ours = (cast.officer, cast.signatory, cast.auditor)
    for actor in ours:
        page = await browser_of(desk.app, actor.id).get("/agreements")
        assert "Ours alone until it is sent" in page.words
        assert refs(page) == ["UNH/MOU/2027/0001"]
    theirs = await browser_of(desk.app, cast.partner_user.id).get("/agreements")
    assert "Ours alone until it is sent" not in theirs.words
    assert refs(theirs) == ["UNH/MOU/2027/0001"]
    stranger = await browser_of(desk.app, cast.stranger.id).get("/agreements")
    assert refs(stranger) == []


async def test_who_may_read_no_agreements_is_told_so_by_a_page(desk: Desk, cast: Cast) -> None:
    delegate = await desk.admit(Role.MEMBER_STATE_DELEGATE, state="KEN")
    page = await browser_of(desk.app, delegate.id).get("/agreements")
    assert page.status == 403
    assert "This is not yours to do" in page.title


async def test_nobody_is_sent_to_the_sign_in_and_back(desk: Desk, cast: Cast) -> None:
    page = await browser_of(desk.app).get("/agreements?status=draft", follow=False)
    assert page.status == 303
    assert page.answer.headers["location"].endswith("to=%2Fagreements%3Fstatus%3Ddraft")


async def test_filters_by_state_and_by_the_beginning_of_a_word_of_the_name(desk: Desk, cast: Cast) -> None:
    await cast.drafted()
    await cast.sent()
    officer = browser_of(desk.app, cast.officer.id)
    assert refs(await officer.get("/agreements", status="draft")) == []
    assert refs(await officer.get("/agreements", status="in_signature")) == ["UNH/MOU/2027/0001"]
    assert refs(await officer.get("/agreements", name="federation")) == ["UNH/MOU/2027/0001"]
    none = await officer.get("/agreements", name="eration (.*")
    assert "No agreement fits these filters" in none.words
    of_partner = await officer.get("/agreements", partner=cast.partner_id)
    assert f"Agreements with Federation {cast.partner_id}" in of_partner.words
    assert of_partner.links["Draft an agreement"] == f"/agreements/draft?partner={cast.partner_id}"
    assert (await officer.get("/agreements", partner=UNKNOWN)).status == 200
    assert (await officer.get("/agreements", status="nonsense")).status == 422


async def test_the_register_is_read_page_by_page(desk: Desk, cast: Cast) -> None:
    for number in range(51):
        await desk.draft(cast.partner_id, title=f"Agreement number {number:02d} of many")
    officer = browser_of(desk.app, cast.officer.id)
    first = await officer.get("/agreements")
    assert "number 50" in first.words and "number 00" not in first.words
    second = await officer.get(first.links["Next page"])
    assert "number 00" in second.words and "number 50" not in second.words
    assert second.links["First page"] == "/agreements"
    assert (await officer.get("/agreements", cursor="nonsense")).status == 400


async def test_a_hold_is_seen_in_the_register(desk: Desk, cast: Cast) -> None:
    await cast.sent()
    await desk.suspend(cast.partner_id)
    page = await browser_of(desk.app, cast.officer.id).get("/agreements")
    assert "On hold" in page.words
    assert "Waits until the partner is reinstated" in page.words


async def test_a_partners_page_gets_its_part_of_the_register(desk: Desk, cast: Cast) -> None:
    agreement = await cast.sent()
    path = f"/agreements/fragments/of-partner/{cast.partner_id}"
    for actor in (cast.officer, cast.partner_user, cast.auditor):
        part = await browser_of(desk.app, actor.id).fragment(path)
        assert part.status == 200
        assert part.links["UNH/MOU/2027/0001"] == f"/agreements/{agreement['id']}"
        assert "<html" not in part.text
    assert (await browser_of(desk.app, cast.stranger.id).fragment(path)).status == 404
    officer = browser_of(desk.app, cast.officer.id)
    assert (await officer.fragment(f"/agreements/fragments/of-partner/{UNKNOWN}")).status == 404
    for _ in range(5):
        await cast.drafted()
    assert (await officer.fragment(path)).links["All agreements"] == f"/agreements?partner={cast.partner_id}"


async def test_the_states_are_said_as_they_change(desk: Desk, cast: Cast) -> None:
    agreement = await desk.sent(cast.partner_id)
    officer = browser_of(desk.app, cast.officer.id)
    await desk.sign(agreement, user_of(cast.partner_id))
    assert "The organisation signs" in (await officer.get("/agreements")).words
    await desk.sign(agreement, SIGNATORY)
    page = await officer.get("/agreements")
    assert "In force" in page.words
    assert "Last day in force31 Dec 2030" in page.words


async def test_every_page_is_fenced_in_and_kept_by_nobody(desk: Desk, cast: Cast) -> None:
    id = (await cast.sent())["id"]
    officer = browser_of(desk.app, cast.officer.id)
    for path in ("/agreements", f"/agreements/{id}", f"/agreements/{id}/copy", "/agreements/draft"):
        page = await officer.get(path)
        assert page.status == 200
        assert "script-src 'self'" in page.answer.headers["content-security-policy"]
        assert page.answer.headers["cache-control"] == "no-store"
        assert '<html lang="en" dir="ltr">' in page.text
        assert page.text.count("<h1") == 1
        assert not re.search(r'\sstyle="|<style|<script>|hx-on', page.text)
