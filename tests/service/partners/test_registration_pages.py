"""Registering a partner on screens: begun, left, returned to, checked and sent; and all that is refused on
that way.
"""

from typing import Any

import pytest

from services.partners.register.documents import DRAFTS, partners
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind
from tests.service.partners.desk import Desk
from tests.support.browsing import Browser, Page, browser_of

pytestmark = pytest.mark.asyncio

NAME = {"legal_name": "Réseau des Femmes du Sahel", "kind": "civil_society"}
COUNTRY = {"country": "NER"}
CONTACT = {"name": "Mariama Issoufou", "email": "mariama@example.org", "language": "fr"}
SIX_SCRIPTS = [
    "Réseau des Femmes ",
    "Союз городов ",
    "اتحاد المدن ",
    "城市联盟",
    "የከተሞች ኅብረት ",
    "शहर संघ ",
]


async def officer_of(desk: Desk, who: str = "officer", scope: tuple[Scope, ...] = ()) -> Browser:
    await desk.admit(who, Role.PARTNERSHIP_OFFICER, scope=scope)
    return browser_of(desk.app, who)


async def begun(officer: Browser) -> str:
    page = await officer.submit(await officer.get("/partners/register"), to="/partners/register")
    assert page.status == 200 and page.path.startswith("/partners/drafts/drf_")
    return page.path


async def answered(officer: Browser, path: str, section: str, answers: dict[str, Any]) -> Page:
    page = await officer.get(f"{path}/{section}")
    return await officer.submit(page, answers, to=f"{path}/{section}")


async def filled(officer: Browser, **changes: str) -> Page:
    """A draft with every answer in it, at the page from which it is sent."""
    path = await begun(officer)
    for section, answers in (("name", NAME), ("country", COUNTRY), ("contact", CONTACT)):
        known = {name: changes.get(name, value) for name, value in answers.items()}
        page = await answered(officer, path, section, known)
        assert page.status == 200, page.words
    assert page.path == f"{path}/check"
    return page


async def test_a_partner_is_registered_in_five_pages(desk: Desk) -> None:
    officer = await officer_of(desk)
    check = await filled(officer)
    assert "Réseau des Femmes du Sahel" in check.words and "Niger" in check.words
    assert "mariama@example.org" in check.words
    done = await officer.submit(check, to=check.path)
    assert done.title == "Réseau des Femmes du Sahel" and "The partner is registered." in done.words
    assert done.path.startswith("/partners/ptn_")
    assert await desk.mongo[DRAFTS.name].count_documents({}) == 0
    gone = await officer.get(check.path)
    assert gone.status == 404 and "There is no such draft: it was sent" in gone.words


async def test_a_draft_is_left_and_returned_to_by_its_owner_alone(desk: Desk) -> None:
    officer = await officer_of(desk)
    path = await begun(officer)
    page = await officer.get(f"{path}/name")
    left = await officer.submit(page, {**NAME, "then": "list"}, to=f"{path}/name")
    assert left.path == path and "What you answered is saved." in left.words
    assert "Check and send" not in left.links and "Country" in left.links
    register = await officer.get("/partners")
    assert register.links["Réseau des Femmes du Sahel"] == path
    assert (await officer.get(f"{path}/name")).form(f"{path}/name").fields["kind"] == "civil_society"
    colleague = await officer_of(desk, "colleague")
    assert (await colleague.get(path)).status == 404
    assert (await colleague.post(f"{path}/name", NAME)).status == 404
    assert "Registrations you have begun" not in (await colleague.get("/partners")).words


async def test_a_draft_that_is_not_complete_is_not_sent(desk: Desk) -> None:
    officer = await officer_of(desk)
    path = await begun(officer)
    assert (await officer.get(f"{path}/check")).path == path
    refused = await officer.post(f"{path}/check")
    assert refused.status == 422 and "Answer every group of questions" in refused.words
    assert await desk.mongo[partners.collection].count_documents({}) == 0


@pytest.mark.parametrize(
    ("section", "answers", "field", "said"),
    [
        ("name", {**NAME, "legal_name": ""}, "legal_name", "This is needed"),
        ("name", {**NAME, "legal_name": "A"}, "legal_name", "A legal name has 2 to 300 characters"),
        ("name", {**NAME, "legal_name": "!!!"}, "legal_name", "A legal name has at least one letter"),
        ("name", {**NAME, "legal_name": "x" * 301}, "legal_name", "At most 300 characters"),
        ("name", {**NAME, "legal_name": "Forum \u202eslatrom"}, "legal_name", "a character that a text"),
        ("name", {**NAME, "kind": "friend"}, "kind", "This must be"),
        ("country", {"country": "QQQ"}, "country", "Choose one of the countries"),
        ("contact", {**CONTACT, "email": "a@b, c@d"}, "email", "Write one address"),
        ("contact", {**CONTACT, "language": "de"}, "language", "This must be"),
        ("contact", {**CONTACT, "name": ""}, "name", "This is needed"),
    ],
)
async def test_a_wrong_answer_is_shown_again_with_what_is_wrong_about_it(
    desk: Desk, section: str, answers: dict[str, str], field: str, said: str
) -> None:
    officer = await officer_of(desk)
    path = await begun(officer)
    refused = await answered(officer, path, section, answers)
    assert refused.status == 422 and said in refused.wrong[field]
    form = refused.form(f"{path}/{section}")
    if answers[field] not in ("friend", "QQQ", "de"):
        assert form.fields[field] == answers[field]
    document: Any = await desk.mongo[DRAFTS.name].find_one({})
    assert document["version"] == 1


async def test_a_name_of_300_characters_in_six_scripts_is_a_name(desk: Desk) -> None:
    officer = await officer_of(desk)
    name = ("".join(SIX_SCRIPTS) * 10)[:300].strip()
    name += "市" * (300 - len(name))
    check = await filled(officer, legal_name=name)
    done = await officer.submit(check, to=check.path)
    assert done.status == 200 and len(done.title) == 300
    assert done.title == name


async def test_a_name_that_is_taken_is_said_while_it_is_typed_and_before_it_is_sent(desk: Desk) -> None:
    officer = await officer_of(desk)
    known = await desk.register("RÉSEAU des femmes du Sahel", country="NER")
    await desk.register("Reseau des Femmes du Sahel", country="MLI")
    typed = await officer.fragment("/partners/fragments/same-name", legal_name="reseau des  femmes du sahel")
    assert list(typed.links.values())[1] == f"/partners/{known.id}"
    assert (await officer.fragment("/partners/fragments/same-name", legal_name="…")).words == ""
    check = await filled(officer)
    assert "A partner of this name is registered in this country already" in check.words
    assert "The same name is registered in another country" in check.words
    refused = await officer.submit(check, to=check.path)
    assert refused.status == 422 and "registered in this country already" in refused.words
    assert await desk.mongo[DRAFTS.name].count_documents({}) == 1


async def test_of_two_tabs_the_second_is_shown_what_the_first_has_saved(desk: Desk) -> None:
    officer = await officer_of(desk)
    path = await begun(officer)
    first, second = await officer.get(f"{path}/name"), await officer.get(f"{path}/name")
    await officer.submit(first, NAME, to=f"{path}/name")
    theirs = {**NAME, "legal_name": "Réseau des Femmes"}
    stale = await officer.submit(second, theirs, to=f"{path}/name")
    assert stale.status == 422 and "Stored now: Réseau des Femmes du Sahel" in stale.words
    assert stale.form(f"{path}/name").fields["legal_name"] == "Réseau des Femmes"
    kept = await officer.submit(stale, to=f"{path}/name")
    assert kept.path == f"{path}/country"
    assert (await officer.get(path)).title == "Réseau des Femmes"


async def test_sending_twice_registers_once(desk: Desk) -> None:
    officer = await officer_of(desk)
    check = await filled(officer)
    first = await officer.submit(check, to=check.path)
    second = await officer.submit(check, to=check.path)
    assert (second.status, second.path) == (200, first.path)
    assert await desk.mongo[partners.collection].count_documents({}) == 1


async def test_a_draft_is_discarded_and_nothing_of_it_stays(desk: Desk) -> None:
    officer = await officer_of(desk)
    path = (await filled(officer)).path.removesuffix("/check")
    page = await officer.get(f"{path}/discard")
    done = await officer.submit(page, to=f"{path}/discard")
    assert done.path == "/partners" and "The draft was discarded" in done.words
    assert await desk.mongo[DRAFTS.name].count_documents({}) == 0
    assert await desk.mongo[partners.collection].count_documents({}) == 0


async def test_who_registers_in_one_country_is_offered_that_country(desk: Desk) -> None:
    officer = await officer_of(desk, scope=(Scope(kind=ScopeKind.COUNTRY, value="KEN"),))
    path = await begun(officer)
    page = await officer.get(f"{path}/country")
    assert "Kenya" in page.words and "Niger" not in page.words
    assert (await officer.submit(page, COUNTRY, to=f"{path}/country")).wrong["country"]


async def test_who_may_not_register_is_shown_no_way_to_it(desk: Desk) -> None:
    await desk.admit("reviewer", Role.ACCREDITATION_REVIEWER)
    reviewer = browser_of(desk.app, "reviewer")
    assert (await reviewer.get("/partners/register")).status == 403
    assert (await reviewer.post("/partners/register")).status == 403
    officer = await officer_of(desk)
    assert (await officer.post("/partners/register", Sec_Fetch_Site="cross-site")).status == 403
    assert await desk.mongo[DRAFTS.name].count_documents({}) == 0
