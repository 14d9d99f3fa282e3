"""The register on screens: who is shown what, the list, a partner's page, and the acts on it."""

from typing import Any

import pytest

from services.partners.register.documents import partners
from services.partners.register.domain.partner import Partner
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind
from shared.web.language import COOKIE
from tests.service.partners.desk import Desk
from tests.support.browsing import Browser, browser_of

pytestmark = pytest.mark.asyncio

REASON = "Audited accounts are two years late"


async def signed_in(desk: Desk, *roles: Role, who: str = "", scope: tuple[Scope, ...] = ()) -> Browser:
    subject = who or "-".join(roles)
    await desk.admit(subject, *roles, scope=scope)
    return browser_of(desk.app, subject)


async def officer_of(desk: Desk) -> Browser:
    return await signed_in(desk, Role.PARTNERSHIP_OFFICER)


async def user_of(desk: Desk, partner: Partner) -> Browser:
    scope = (Scope(kind=ScopeKind.PARTNER, value=partner.id),)
    return await signed_in(desk, Role.PARTNER_USER, who=f"user-{partner.id}", scope=scope)


async def test_the_numbers_on_top_add_up_and_lead_to_the_lists_behind_them(desk: Desk) -> None:
    await desk.register("Ministry of Housing", kind="government")
    for name in ("Lakeside Federation", "Shelter Forum"):
        await desk.register(name)
    officer = await officer_of(desk)
    page = await officer.get("/partners")
    assert "3 partners = 1 government + 2 civil-society organisations" in page.words
    assert page.title == "Partners"
    behind = await officer.get(page.links["2 civil-society organisations"])
    assert "Shelter Forum" in behind.links and "Ministry of Housing" not in behind.links


async def test_filters_narrow_the_list_and_the_numbers_alike(desk: Desk) -> None:
    await desk.register("Shelter Forum")
    await desk.register("Shelter Society", country="URY")
    await desk.register("Água Viva", country="BRA")
    officer = await officer_of(desk)
    page = await officer.get("/partners", name="shélter", country="KEN")
    assert "1 partner = 1 civil-society organisation" in page.words
    assert "Shelter Forum" in page.links and "Shelter Society" not in page.links
    nothing = await officer.get("/partners", name="\u202eno such name")
    assert nothing.status == 200 and "No partner that you may see fits this" in nothing.words
    assert (await officer.get("/partners", kind="friend")).status == 422


async def test_the_list_is_read_page_by_page_in_the_order_of_names_or_countries(desk: Desk) -> None:
    for number in range(53):
        await desk.register(f"Partner {number:02}", country="KEN" if number else "ALB")
    officer = await officer_of(desk)
    first = await officer.get("/partners")
    assert "Partner 49" in first.links and "Partner 50" not in first.links
    second = await officer.get(first.links["Next page"])
    assert "Partner 52" in second.links and "Partner 49" not in second.links
    by_country = await officer.get("/partners", sort="country", name="partner")
    names = [name for name in by_country.links if name.startswith("Partner ")]
    assert names[:2] == ["Partner 00", "Partner 01"]
    assert "Partner 52" in (await officer.get(by_country.links["Next page"])).links


async def test_an_empty_register_says_what_would_be_here_and_how_to_make_the_first_one(desk: Desk) -> None:
    officer = await officer_of(desk)
    page = await officer.get("/partners")
    assert page.links["Register the first partner"] == "/partners/register"
    reviewer = await signed_in(desk, Role.ACCREDITATION_REVIEWER)
    assert "/partners/register" not in (await reviewer.get("/partners")).links.values()


async def test_a_partner_is_shown_to_whom_it_concerns(desk: Desk) -> None:
    mine, other = await desk.register("Lakeside Federation"), await desk.register("Shelter Forum")
    user = await user_of(desk, mine)
    assert (await user.get(f"/partners/{mine.id}")).title == "Lakeside Federation"
    assert (await user.get(f"/partners/{other.id}")).status == 404
    assert "Shelter Forum" not in (await user.get("/partners")).links
    assert (await user.get("/partners/ptn_nothing")).status == 404
    delegate = await signed_in(
        desk, Role.MEMBER_STATE_DELEGATE, scope=(Scope(kind=ScopeKind.STATE, value="KEN"),)
    )
    assert (await delegate.get("/partners")).status == 403


@pytest.mark.parametrize(
    ("role", "acts", "contact"),
    [
        (Role.PARTNERSHIP_OFFICER, {"Suspend", "Erase", "Invite somebody", "Invite them"}, True),
        (Role.ACCREDITATION_CHIEF, {"Suspend"}, False),
        (Role.AUDITOR, set(), True),
        (Role.ADMINISTRATOR, {"Invite somebody"}, False),
        (Role.FINANCE_OFFICER, set(), False),
    ],
)
async def test_a_role_sees_what_it_may_do_and_no_more(
    desk: Desk, role: Role, acts: set[str], contact: bool
) -> None:
    partner = await desk.register("Shelter Forum")
    page = await (await signed_in(desk, role)).get(f"/partners/{partner.id}")
    offered = {"Suspend", "Reinstate", "Erase", "Invite somebody", "Invite them"} & set(page.links)
    assert (page.status, offered) == (200, acts)
    assert ("wangui@example.org" in page.words) is contact


async def test_a_partner_is_suspended_with_a_reason_and_reinstated(desk: Desk) -> None:
    partner, officer = await desk.register("Shelter Forum"), await officer_of(desk)
    path = f"/partners/{partner.id}/suspend"
    asked = await officer.get(path)
    assert "cannot be sent, signed or enter into force" in asked.words
    refused = await officer.submit(asked, {"reason": "short"}, to=path)
    assert (refused.status, refused.wrong) == (
        422,
        {"reason": "The reason: A reason has 10 to 2,000 characters"},
    )
    assert refused.form(path).fields["reason"] == "short"
    done = await officer.submit(refused, {"reason": REASON}, to=path)
    assert (done.status, done.path) == (200, f"/partners/{partner.id}")
    assert "The partner is suspended." in done.words and REASON in done.words
    assert "Reinstate" in done.links and "Suspend" not in done.links
    back = f"/partners/{partner.id}/reinstate"
    again = await officer.submit(await officer.get(back), {"reason": "They were received"}, to=back)
    assert "The partner is reinstated." in again.words
    assert await desk.types(partner.id) == [
        "partner.registered.v1",
        "partner.suspended.v1",
        "partner.reinstated.v1",
    ]


async def test_a_form_sent_twice_has_one_effect_and_one_of_an_old_version_shows_what_is_new(
    desk: Desk,
) -> None:
    partner, officer = await desk.register("Shelter Forum"), await officer_of(desk)
    path = f"/partners/{partner.id}/suspend"
    first, second = await officer.get(path), await officer.get(path)
    for _twice in range(2):
        assert (await officer.submit(first, {"reason": REASON}, to=path)).status == 200
    stale = await officer.submit(second, {"reason": "Another reason altogether"}, to=path)
    assert stale.status == 422 and "Somebody else changed this" in stale.words
    assert stale.form(path).fields["reason"] == "Another reason altogether"
    assert len(await desk.types(partner.id)) == 2


async def test_a_form_of_another_site_does_nothing(desk: Desk) -> None:
    partner, officer = await desk.register("Shelter Forum"), await officer_of(desk)
    path = f"/partners/{partner.id}/suspend"
    refused = await officer.post(path, {"reason": REASON}, Sec_Fetch_Site="cross-site")
    assert refused.status == 403
    assert await desk.types(partner.id) == ["partner.registered.v1"]


async def test_the_timeline_shows_who_did_what_and_its_evidence(desk: Desk) -> None:
    partner, officer = await desk.register("Shelter Forum"), await officer_of(desk)
    path = f"/partners/{partner.id}/suspend"
    await officer.submit(await officer.get(path), {"reason": REASON}, to=path)
    page = await officer.get(f"/partners/{partner.id}/timeline")
    log: Any = await desk.mongo["events"].find_one({"stream": partner.id, "version": 2})
    assert log["hash"].hex() in page.words and page.words.count("The hash holds") == 2
    assert "Nia Adéọlá" in page.words
    user = await user_of(desk, partner)
    seen = await user.get(f"/partners/{partner.id}/timeline")
    assert REASON in seen.words and "Nia Adéọlá" not in seen.words
    await desk.mongo["events"].update_one({"_id": log["_id"]}, {"$set": {"hash": b"0" * 32}})
    assert "The hash does not hold" in (await officer.get(f"/partners/{partner.id}/timeline")).words


async def test_the_contact_person_is_erased_and_the_page_says_so(desk: Desk) -> None:
    partner, officer = await desk.register("Shelter Forum"), await officer_of(desk)
    path = f"/partners/{partner.id}/contact/erase"
    done = await officer.submit(await officer.get(path), {"reason": "At their own request"}, to=path)
    assert "The contact person was erased" in done.words and "wangui@example.org" not in done.words
    assert "Erased: their name and address are kept nowhere any more." in done.words


async def test_an_invitation_is_shown_once_with_what_to_do_with_it(desk: Desk) -> None:
    partner, officer = await desk.register("Shelter Forum"), await officer_of(desk)
    path = f"/partners/{partner.id}/invite"
    asked = await officer.get(path)
    assert asked.form(path).fields["zone"] == "Africa/Nairobi"
    wrong = await officer.submit(asked, {"name": "Layla", "email": "nobody"}, to=path)
    assert wrong.wrong == {
        "email": "E-mail address: Write one address, such as name@example.org",
        "language": "Language: This is needed",
    }
    said = {"name": "ليلى الخطيب", "email": "layla@example.org", "language": "ar"}
    made = await officer.submit(wrong, said, to=path)
    assert made.status == 200 and "shown this once" in made.words
    again = await officer.submit(wrong, said, to=path)
    assert again.text == made.text
    page = await officer.get(f"/partners/{partner.id}")
    assert "ليلى الخطيب" in page.links and "Invited" in page.words


async def test_only_who_has_to_do_with_a_partner_is_invited_again(desk: Desk) -> None:
    partner, officer = await desk.register("Shelter Forum"), await officer_of(desk)
    stranger = await desk.admit("somebody")
    assert (await officer.get(f"/partners/{partner.id}/people/{stranger.id}/invite")).status == 404
    path = f"/partners/{partner.id}/people/{partner.contact_id}/invite"
    made = await officer.submit(await officer.get(path), to=path)
    assert "The invitation is made" in made.words
    page = await officer.get(f"/partners/{partner.id}")
    assert "Invite them" not in page.links and page.links["Invite again Wangũi Kamau"] == path


async def test_other_pages_are_told_a_name_or_nothing(desk: Desk) -> None:
    mine, other = await desk.register("Lakeside Federation"), await desk.register("Shelter Forum")
    user = await user_of(desk, mine)
    told = await user.fragment(f"/partners/fragments/partner/{mine.id}")
    assert told.links == {"Lakeside Federation": f"/partners/{mine.id}"}
    untold = await user.fragment(f"/partners/fragments/partner/{other.id}")
    assert (untold.status, untold.words) == (200, other.id)


async def test_nothing_of_the_list_is_read_without_an_index(desk: Desk) -> None:
    collection = desk.mongo[partners.collection]
    wanted = {"$and": [{"country": "KEN"}, {"kind": "government"}]}
    plan = await collection.find(wanted).sort([("country", 1), ("name_sort", 1), ("_id", 1)]).explain()
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])


async def test_what_code_says_is_said_in_the_readers_language_like_what_templates_say(desk: Desk) -> None:
    partner, officer = await desk.register("Lakeside Federation"), await officer_of(desk)
    officer.cookies[COOKIE] = "ar"
    page = await officer.get(f"/partners/{partner.id}")
    assert "المجتمع المدني" in page.words and "Civil society" not in page.words
