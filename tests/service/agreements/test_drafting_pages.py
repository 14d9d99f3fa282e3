"""Drafting an agreement question by question, in a browser without scripts."""

import pytest
import pytest_asyncio

from services.agreements.instruments.outlines import OUTLINES
from shared.contracts.agreements.agreement import AgreementDrafted, AgreementTextChanged
from tests.service.agreements.desk import TEXT, Desk
from tests.service.agreements.test_http import Cast
from tests.support.browsing import Browser, Page, browser_of

pytestmark = pytest.mark.asyncio

SIX_SCRIPTS = "Жильё العمران 住房合作 आवास שיכון Habitation "
LONG = (SIX_SCRIPTS * 10)[:300].strip().ljust(300, "ж")
OVERRIDE = "Upgrading \u202egnidargpu in Kisumu"


@pytest_asyncio.fixture
async def cast(desk: Desk) -> Cast:
    return await Cast(desk).assemble()


@pytest_asyncio.fixture
async def officer(desk: Desk, cast: Cast) -> Browser:
    return browser_of(desk.app, cast.officer.id)


async def begun(officer: Browser, cast: Cast) -> Page:
    """The list of questions of a new outline."""
    page = await officer.get("/agreements/draft", partner=cast.partner_id)
    return await officer.submit(page, to="/agreements/draft")


async def answered(officer: Browser, cast: Cast, **changes: str) -> Page:
    """The last page, where all is read once more."""
    said = {"title": "Participatory slum upgrading in Kisumu", "text": TEXT, "year": "2030", **changes}
    base = (await begun(officer, cast)).path
    page = await officer.get(f"{base}/title")
    page = await officer.submit(page, {"kind": "mou", "title": said["title"]}, to=page.path)
    page = await officer.submit(page, {"text": said["text"]}, to=page.path)
    dates = {"ends_on.day": "31", "ends_on.month": "12", "ends_on.year": said["year"]}
    return await officer.submit(page, dates, to=page.path)


async def test_an_officer_finds_the_partner_answers_and_saves_a_draft(desk: Desk, cast: Cast) -> None:
    officer = browser_of(desk.app, cast.officer.id)
    page = await officer.get("/agreements/draft", find="federation")
    chosen = next(form for form in page.forms if form.action == "/agreements/draft?find=federation")
    page = await officer.post(chosen.action, {**chosen.fields, "partner_id": cast.partner_id})
    assert page.title == "Draft an agreement"
    page = await officer.get(page.links["Go on"])
    assert page.path.endswith("/title")
    title = {"kind": "mou", "title": "Participatory slum upgrading in Kisumu"}
    page = await officer.submit(page, title, to=page.path)
    assert page.path.endswith("/text")
    page = await officer.submit(page, {"text": "First line.\r\n\r\nSecond."}, to=page.path)
    assert page.path.endswith("/dates")
    days = {"ends_on.day": "31", "ends_on.month": "12", "ends_on.year": "2030"}
    page = await officer.submit(page, days, to=page.path)
    assert page.path.endswith("/check")
    assert "That of the last signature" in page.words and "31 Dec 2030" in page.words
    page = await officer.submit(page, to=page.path)
    assert page.title == "Participatory slum upgrading in Kisumu"
    assert "Saved as a draft" in page.words
    assert await desk.mongo[OUTLINES.name].count_documents({}) == 0
    drafted = await desk.events(page.path.rsplit("/")[-1])
    assert [type(event) for event in drafted] == [AgreementDrafted]
    assert drafted[0].model_dump()["officer_id"] == cast.officer.id


async def test_what_was_begun_waits_for_its_author_and_is_nobody_elses(
    desk: Desk, cast: Cast, officer: Browser
) -> None:
    base = (await begun(officer, cast)).path
    again = await officer.get("/agreements")
    assert again.links["An agreement without a title yet"] == base
    colleague = await desk.admit(cast.officer.grants[0].role)  # type: ignore[arg-type]
    assert (await browser_of(desk.app, colleague.id).get(base)).status == 404
    assert (await browser_of(desk.app, cast.signatory.id).get(base)).status == 403
    assert (await browser_of(desk.app, cast.partner_user.id).get(base)).status == 403


async def test_what_is_discarded_leaves_nothing(desk: Desk, cast: Cast, officer: Browser) -> None:
    page = await begun(officer, cast)
    page = await officer.submit(page, to=f"{page.path}/discard")
    assert "Nothing of it is left" in page.words
    assert await desk.mongo[OUTLINES.name].count_documents({}) == 0


@pytest.mark.parametrize(
    ("question", "sent", "field", "said"),
    [
        ("title", {"kind": "mou", "title": "Short"}, "title", "At least 10 characters"),
        ("title", {"kind": "mou", "title": "x" * 301}, "title", "At most 300 characters"),
        ("title", {"kind": "mou", "title": OVERRIDE}, "title", "a character that a text cannot have"),
        ("title", {"kind": "none", "title": "Slum upgrading in Kisumu"}, "kind", "This must be"),
        ("text", {"text": " \r\n "}, "text", "This is needed"),
        ("text", {"text": OVERRIDE}, "text", "a character that a text cannot have"),
        ("text", {"text": "ж" * 110_000}, "text", "longer than this kind"),
        ("dates", {}, "ends_on", "This is needed"),
        ("dates", {"ends_on.day": "31"}, "ends_on", "a day, a month and a year"),
        (
            "dates",
            {"ends_on.day": "31", "ends_on.month": "2", "ends_on.year": "2030"},
            "ends_on",
            "no such day",
        ),
        (
            "dates",
            {"ends_on.day": "1", "ends_on.month": "2", "ends_on.year": "2040"},
            "ends_on",
            "later than",
        ),
        (
            "dates",
            {"ends_on.day": "1", "ends_on.month": "1", "ends_on.year": "2027"},
            "ends_on",
            "before the",
        ),
    ],
)
async def test_a_wrong_answer_is_shown_again_with_what_was_sent(
    cast: Cast, officer: Browser, question: str, sent: dict[str, str], field: str, said: str
) -> None:
    base = (await begun(officer, cast)).path
    page = await officer.get(f"{base}/{question}")
    again = await officer.submit(page, sent, to=page.path)
    assert again.status == 422
    assert said in again.wrong[field]
    kept = again.form(page.path).fields
    shown = {name: value.replace("\r\n", "\n") for name, value in sent.items() if name != "kind"}
    assert {name: kept[name] for name in shown} == shown


async def test_a_first_day_that_has_passed_is_refused_at_its_field(cast: Cast, officer: Browser) -> None:
    page = await officer.get(f"{(await begun(officer, cast)).path}/dates")
    days = {"starts_on.day": "14", "starts_on.month": "1", "starts_on.year": "2027"}
    days |= {"ends_on.day": "31", "ends_on.month": "12", "ends_on.year": "2030"}
    again = await officer.submit(page, days, to=page.path)
    assert (again.status, list(again.wrong)) == (422, ["starts_on"])


async def test_a_title_of_300_characters_in_six_scripts_is_kept_as_it_is(
    desk: Desk, cast: Cast, officer: Browser
) -> None:
    page = await answered(officer, cast, title=LONG)
    page = await officer.submit(page, to=page.path)
    assert page.status == 200
    assert (await desk.read(page.path.rsplit("/")[-1])).title == LONG
    assert f"<bdi>{LONG}</bdi>" in page.text


async def test_the_last_form_sent_twice_makes_one_draft(desk: Desk, cast: Cast, officer: Browser) -> None:
    page = await answered(officer, cast)
    first = await officer.submit(page, to=page.path)
    again = await officer.submit(page, to=page.path)
    assert first.path == again.path
    assert await desk.mongo["agreements"].count_documents({}) == 1


async def test_two_tabs_on_one_question_lose_nothing(cast: Cast, officer: Browser) -> None:
    base = (await begun(officer, cast)).path
    one, two = await officer.get(f"{base}/title"), await officer.get(f"{base}/title")
    mine, other = "What the second tab says of it", "What the first tab says of it"
    await officer.submit(one, {"kind": "mou", "title": other}, to=one.path)
    stale = await officer.submit(two, {"kind": "mou", "title": mine}, to=two.path)
    assert stale.status == 422
    assert stale.form(two.path).fields["title"] == mine
    assert f"Stored now: {other}" in stale.words
    onwards = await officer.submit(stale, to=two.path)
    assert onwards.path.endswith("/text")
    assert (await officer.get(f"{base}/title")).form(two.path).fields["title"] == mine


async def test_nothing_can_be_drafted_with_a_suspended_partner(
    desk: Desk, cast: Cast, officer: Browser
) -> None:
    page = await answered(officer, cast)
    choosing = await officer.get("/agreements/draft", partner=cast.partner_id)
    await desk.suspend(cast.partner_id)
    refused = await officer.submit(page, to=page.path)
    assert refused.status == 422
    assert "The partner is suspended" in refused.words
    assert TEXT in refused.words
    again = await officer.submit(choosing, to="/agreements/draft")
    assert again.status == 422
    assert "nothing can be drafted with it" in again.words


async def test_a_form_of_another_site_does_nothing(desk: Desk, cast: Cast, officer: Browser) -> None:
    path, sent = "/agreements/draft", {"partner_id": cast.partner_id}
    assert (await officer.post(path, sent, Sec_Fetch_Site="cross-site")).status == 403
    elsewhere = {"Sec-Fetch-Site": "", "Origin": "https://elsewhere.example"}
    assert (await officer.post(path, sent, headers=elsewhere)).status == 403
    assert await desk.mongo[OUTLINES.name].count_documents({}) == 0


async def test_a_partner_that_is_not_theirs_cannot_be_drafted_with(desk: Desk, cast: Cast) -> None:
    elsewhere = await desk.admit(cast.officer.grants[0].role, country="BRA")  # type: ignore[arg-type]
    officer = browser_of(desk.app, elsewhere.id)
    assert (await officer.get("/agreements/draft", partner=cast.partner_id)).status == 404
    refused = await officer.post("/agreements/draft", {"partner_id": cast.partner_id})
    assert refused.status == 404
    found = await officer.get("/agreements/draft", find="federation")
    assert cast.partner_id not in found.text


async def test_the_text_of_a_draft_is_changed_and_two_tabs_see_each_other(
    desk: Desk, cast: Cast, officer: Browser
) -> None:
    path = f"/agreements/{(await cast.drafted())['id']}/text"
    one, two = await officer.get(path), await officer.get(path)
    changed = await officer.submit(one, {"text": "Theirs.\n\nIn two paragraphs."}, to=path)
    assert "The text is saved" in changed.words
    stale = await officer.submit(two, {"text": "Mine."}, to=path)
    assert stale.status == 422
    assert stale.form(path).fields["text"] == "Mine."
    assert "Theirs. In two paragraphs." in stale.words
    await officer.submit(stale, to=path)
    assert await desk.count(path.split("/")[2], AgreementTextChanged) == 2
    assert (await officer.get(path)).form(path).fields["text"] == "Mine."


async def test_the_text_of_what_was_sent_is_frozen_and_what_was_written_is_not_lost(
    cast: Cast, officer: Browser, desk: Desk
) -> None:
    agreement = await desk.draft(cast.partner_id)
    path = f"/agreements/{agreement.id}/text"
    page = await officer.get(path)
    await desk.send(agreement)
    refused = await officer.submit(page, {"text": "Too late."}, to=path)
    assert refused.status == 422
    assert "its text is frozen" in refused.words
    assert "Too late." in refused.words


async def test_a_draft_that_was_saved_is_no_partners_to_read_or_to_change(desk: Desk, cast: Cast) -> None:
    id = (await cast.drafted())["id"]
    partner, signatory = browser_of(desk.app, cast.partner_user.id), browser_of(desk.app, cast.signatory.id)
    for path in (f"/agreements/{id}", f"/agreements/{id}/copy", f"/agreements/{id}/text.txt"):
        assert (await partner.get(path)).status == 404
        assert (await signatory.get(path)).status == 200
    for path in (f"/agreements/{id}/text", f"/agreements/{id}/send"):
        assert (await partner.get(path)).status == 403
        assert (await signatory.get(path)).status == 403
