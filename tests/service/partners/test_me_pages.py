"""Who I am here, joining by an invitation, help, and the language."""

from datetime import timedelta

import pytest

from services.partners.people.commands import Details, GiveDelegation, InvitePartnerUser
from services.partners.people.handlers import give_delegation, invite_partner_user
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind
from shared.web.language import COOKIE
from shared.web.site import SIGN_IN
from tests.service.partners.desk import Desk
from tests.support.browsing import Browser, Page, browser_of

pytestmark = pytest.mark.asyncio

ME, JOIN, LANGUAGE, HELP = "/partners/me", "/partners/join", "/partners/language", "/partners/help"
INVITED = Details(name="ليلى الخطيب", email="layla@example.org", language="ar")
# Whoever is admitted here reads Arabic by themselves; these tests read English.
ENGLISH = {"Accept-Language": "en"}


def browser(desk: Desk, subject: str | None) -> Browser:
    opened = browser_of(desk.app, subject)
    opened.cookies[COOKIE] = "en"
    return opened


async def invitation(desk: Desk) -> tuple[str, str]:
    """The partner and the code."""
    partner = await desk.register("Shelter Forum")
    command = InvitePartnerUser(
        partner_id=partner.id, partner_name=partner.legal_name, details=INVITED, zone="UTC"
    )
    invited = await desk.do(invite_partner_user, command)
    return partner.id, invited.code.get_secret_value()


async def test_my_page_says_what_i_may_do_and_where(desk: Desk) -> None:
    partner = await desk.register("Shelter Forum")
    scope = (Scope(kind=ScopeKind.COUNTRY, value="KEN"), Scope(kind=ScopeKind.PARTNER, value=partner.id))
    await desk.admit("officer", Role.PARTNERSHIP_OFFICER, scope=scope)
    page = await browser(desk, "officer").get(ME)
    assert (page.status, page.title) == (200, "Nia Adéọlá")
    assert "nia@example.org" in page.words
    assert "Partnership officer" in page.words
    assert "Kenya" in page.words
    assert page.links["Shelter Forum"] == f"/partners/{partner.id}"
    assert "Nobody has lent you a role." in page.words


async def test_my_page_says_what_was_lent_to_me_by_whom_and_until_when(desk: Desk) -> None:
    owner = await desk.admit("signatory", Role.SIGNATORY)
    borrower = await desk.admit("deputy")
    now = desk.clock.now()
    command = GiveDelegation(
        person_id=borrower.id,
        on_behalf_of=owner.id,
        role=Role.SIGNATORY,
        scope=(),
        starts_at=now,
        ends_at=now + timedelta(days=7),
    )
    await desk.do(give_delegation, command)
    page = await browser(desk, "deputy").get(ME)
    assert "Signatory everywhere Nia Adéọlá" in page.words
    assert "You hold no role of your own." in page.words
    assert "UTC" in page.words


async def test_who_is_invited_joins_with_the_code_and_sees_what_they_may_do(desk: Desk) -> None:
    partner_id, code = await invitation(desk)
    newcomer = browser(desk, "layla")
    page = await newcomer.get(ME)
    assert page.title == "You are not admitted yet"
    page = await newcomer.get(page.links["Enter a code"], code=code)
    assert page.form(JOIN).fields["code"] == code
    page = await newcomer.submit(page, to=JOIN)
    assert (page.path, page.title) == (ME, "ليلى الخطيب")
    assert "You have joined." in page.words
    assert page.links["Shelter Forum"] == f"/partners/{partner_id}"


async def test_joining_twice_with_one_form_is_joining_once(desk: Desk) -> None:
    _, code = await invitation(desk)
    newcomer = browser(desk, "layla")
    form = await newcomer.get(JOIN, code=code)
    assert (await newcomer.submit(form, to=JOIN)).path == ME
    assert (await newcomer.submit(form, to=JOIN)).path == ME
    assert await desk.mongo["persons"].count_documents({"subject": "layla"}) == 1


@pytest.mark.parametrize("code", ["", "no such code", "x" * 101, "\u202ecode"])
async def test_a_code_that_is_none_is_asked_for_again(desk: Desk, code: str) -> None:
    stranger = browser(desk, "stranger")
    page = await stranger.submit(await stranger.get(JOIN), {"code": code}, to=JOIN)
    assert page.status == 422
    assert set(page.wrong) == {"code"}
    assert page.form(JOIN).fields["code"] == code


async def test_a_code_counts_once_and_for_thirty_days(desk: Desk) -> None:
    _, code = await invitation(desk)
    first, second = browser(desk, "layla"), browser(desk, "somebody-else")
    await first.submit(await first.get(JOIN, code=code), to=JOIN)
    page = await second.submit(await second.get(JOIN, code=code), to=JOIN)
    assert page.status == 422
    assert "This invitation has been taken up already" in page.words
    _, late = await _late(desk)
    page = await second.submit(await second.get(JOIN, code=late), to=JOIN)
    assert "This invitation has ended" in page.words


async def _late(desk: Desk) -> tuple[str, str]:
    partner = await desk.register("Roof Forum")
    command = InvitePartnerUser(
        partner_id=partner.id, partner_name=partner.legal_name, details=INVITED, zone="UTC"
    )
    invited = await desk.do(invite_partner_user, command)
    desk.pass_time(timedelta(days=30))
    return partner.id, invited.code.get_secret_value()


@pytest.mark.parametrize("path", [ME, JOIN])
async def test_what_is_mine_is_shown_to_nobody_else(desk: Desk, path: str) -> None:
    page = await browser(desk, None).get(path, follow=False)
    assert page.answer.headers["location"].startswith(SIGN_IN)


async def test_signing_out_everywhere_needs_somebody_who_is_here(desk: Desk) -> None:
    page = await browser(desk, "stranger").post(f"{ME}/sign-outs")
    assert page.status == 404


async def test_an_ended_session_is_written_down_without_any_name(desk: Desk) -> None:
    person = await desk.admit("officer", Role.PARTNERSHIP_OFFICER)
    officer = browser(desk, "officer")
    page = await officer.submit(await officer.get(ME), to=f"{ME}/sign-outs")
    assert page.title == "You are signed out"
    assert (await desk.types(person.id))[-1] == "person.signed_out.v1"


# For everybody.


@pytest.mark.parametrize("who", [None, "stranger"])
async def test_help_is_there_for_everybody(desk: Desk, who: str | None) -> None:
    page = await browser(desk, who).get(HELP)
    assert (page.status, page.title) == (200, "Help")
    assert 'id="shortcuts"' in page.text
    assert "g w My work" in page.words


@pytest.mark.parametrize(
    ("back", "led_to"),
    [
        ("/partners?name=a", "/partners?name=a"),
        (f"{SIGN_IN}?to=%2Fpartners", f"{SIGN_IN}?to=%2Fpartners"),
        ("//elsewhere.example.org", "/"),
        ("https://elsewhere.example.org", "/"),
        ("", "/"),
    ],
)
async def test_a_language_is_chosen_where_one_is_and_stays(desk: Desk, back: str, led_to: str) -> None:
    reader = browser_of(desk.app)
    page: Page = await reader.get(LANGUAGE, follow=False, to="ar", back=back)
    assert (page.status, page.answer.headers["location"]) == (303, led_to)
    assert "HttpOnly" in page.answer.headers["set-cookie"]
    assert '<html lang="ar" dir="rtl">' in (await reader.get(HELP, headers=ENGLISH)).text


@pytest.mark.parametrize("wanted", ["", "xx", "../en"])
async def test_a_language_that_is_not_there_changes_nothing(desk: Desk, wanted: str) -> None:
    reader = browser_of(desk.app)
    page = await reader.get(LANGUAGE, follow=False, to=wanted)
    assert page.status == 404
    assert COOKIE not in reader.cookies
