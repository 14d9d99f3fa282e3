"""People, roles, systems and keys on screens."""

import pytest

from services.partners.people.documents import persons, systems
from services.partners.people.domain.person import Person
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind
from tests.service.partners.desk import Desk
from tests.support.browsing import Browser, Page, browser_of

pytestmark = pytest.mark.asyncio

OMAR = {"name": "عمر", "email": "omar@example.org", "subject": "omar", "language": "ar", "zone": "Asia/Amman"}


async def administrator_of(desk: Desk) -> Browser:
    await desk.admit("admin", Role.ADMINISTRATOR)
    return browser_of(desk.app, "admin")


async def filled(browser: Browser, path: str, answers: dict[str, str], role: str = "") -> Page:
    return await browser.submit(await browser.get(path, role=role), answers, to=path)


async def person_of(desk: Desk, id: str) -> Person:
    document = await desk.mongo[persons.collection].find_one({"_id": id})
    return persons.restore(document)


async def test_somebody_is_admitted_and_can_do_nothing_until_a_role_is_granted(desk: Desk) -> None:
    admin = await administrator_of(desk)
    page = await filled(admin, "/partners/people/admit", OMAR)
    assert page.title == "عمر" and "They may do nothing yet" in page.words
    assert (await browser_of(desk.app, "omar").get("/partners")).status == 403
    chosen = await admin.get(f"{page.path}/grant")
    assert "Signs agreements for the organisation" in chosen.words
    granted = await filled(admin, f"{page.path}/grant", {"where": "everywhere"}, role="signatory")
    assert "The role is granted." in granted.words and "Signatory" in granted.words
    assert (await browser_of(desk.app, "omar").get("/partners")).status == 200


async def test_a_wrong_admission_is_shown_again_and_a_subject_is_taken_once(desk: Desk) -> None:
    admin = await administrator_of(desk)
    path = "/partners/people/admit"
    refused = await filled(admin, path, {**OMAR, "email": "omar", "name": "a\u2067b"})
    assert refused.status == 422 and set(refused.wrong) == {"email", "name"}
    assert refused.form(path).fields["subject"] == "omar"
    taken = await filled(admin, path, {**OMAR, "subject": "admin"})
    assert taken.status == 422 and "signs in as this subject already" in taken.words


@pytest.mark.parametrize(
    ("role", "sent", "field"),
    [
        ("partner_user", {"where": "partner", "partner": "ptn_nobody"}, "partner"),
        ("partner_user", {"where": "partner", "partner": ""}, "partner"),
        ("member_state_delegate", {"where": "state", "state": ""}, "state"),
        ("auditor", {"where": "country", "country": "QQQ"}, "country"),
        ("auditor", {"where": "nowhere"}, "where"),
        ("auditor", {"where": "unit", "unit": "!"}, "unit"),
    ],
)
async def test_a_role_is_granted_where_it_can_hold_or_not_at_all(
    desk: Desk, role: str, sent: dict[str, str], field: str
) -> None:
    admin, somebody = await administrator_of(desk), await desk.admit("somebody")
    path = f"/partners/people/{somebody.id}/grant"
    refused = await filled(admin, path, sent, role=role)
    assert refused.status == 422 and field in refused.wrong
    assert (await person_of(desk, somebody.id)).roles == ()


async def test_a_scope_is_said_in_words_and_withdrawn_after_a_question(desk: Desk) -> None:
    partner, admin = await desk.register("Lakeside Federation"), await administrator_of(desk)
    somebody = await desk.admit("somebody")
    path = f"/partners/people/{somebody.id}"
    sent = {"where": "partner", "partner": partner.id}
    page = await filled(admin, f"{path}/grant", sent, role="partner_user")
    assert "Partner’s user" in page.words and "Lakeside Federation" in page.words
    listed = await admin.get("/partners/people", role="partner_user")
    assert "Lakeside Federation" in listed.words and listed.words.count("Nia Adéọlá") == 1
    withdraw = next(to for said, to in page.links.items() if said.startswith("Withdraw"))
    asked = await admin.get(withdraw)
    assert "Partner’s user, Lakeside Federation" in asked.words
    done = await admin.submit(asked, to=withdraw)
    assert "The role is withdrawn." in done.words
    assert (await person_of(desk, somebody.id)).roles == ()
    assert (await admin.get(withdraw)).status == 404


async def test_nobody_is_offered_a_role_for_themselves_and_the_last_administrator_stays(desk: Desk) -> None:
    admin = await administrator_of(desk)
    myself = await desk.mongo[persons.collection].find_one({"subject": "admin"})
    path = f"/partners/people/{myself['_id']}"
    page = await admin.get(path)
    assert "Grant a role" not in page.links and "Nobody gives a role to themselves" in page.words
    withdraw = next(to for said, to in page.links.items() if said.startswith("Withdraw"))
    refused = await admin.submit(await admin.get(withdraw), to=withdraw)
    assert refused.status == 422 and "Make somebody else an administrator first" in refused.words


async def test_a_role_is_lent_for_some_days_and_ended_with_a_reason(desk: Desk) -> None:
    admin = await administrator_of(desk)
    owner, borrower = await desk.admit("owner", Role.SIGNATORY), await desk.admit("borrower")
    page = await admin.get(f"/partners/people/{owner.id}")
    lend = next(to for said, to in page.links.items() if said.startswith("Lend"))
    year = str(desk.clock.now().year + 1)
    days = {"starts_on.day": "1", "starts_on.month": "2", "starts_on.year": year, "ends_on.year": year}
    wrong = await filled(admin, lend, {**days, "ends_on.day": "31", "ends_on.month": "2"})
    assert wrong.wrong["ends_on"] == "Last day: There is no such day" and "person" in wrong.wrong
    right = {"person": borrower.id, "ends_on.day": "28", "ends_on.month": "2"}
    lent = await admin.submit(wrong, right, to=lend)
    assert "The role is lent." in lent.words and "To come" in lent.words
    end = next(to for said, to in lent.links.items() if said.startswith("End it"))
    done = await filled(admin, end, {"reason": "Back\nfrom leave"})
    assert "The delegation is ended." in done.words
    assert (await person_of(desk, borrower.id)).delegations == ()


async def test_a_person_is_erased_and_the_page_goes_on_without_a_name(desk: Desk) -> None:
    admin, somebody = await administrator_of(desk), await desk.admit("somebody", Role.AUDITOR)
    path = f"/partners/people/{somebody.id}"
    done = await filled(admin, f"{path}/erase", {"reason": "At their own request"})
    assert done.title == "Somebody who was erased" and "Erased" in done.words
    assert "nia@example.org" not in done.words
    assert "At their own request" in (await admin.get(f"{path}/timeline")).words


async def test_the_directory_is_read_by_those_who_may_and_changed_by_administrators(desk: Desk) -> None:
    somebody = await desk.admit("somebody", Role.AUDITOR)
    path = f"/partners/people/{somebody.id}"
    auditor = browser_of(desk.app, "somebody")
    page = await auditor.get(path)
    assert page.status == 200
    assert not [said for said in page.links if said.startswith(("Withdraw", "Lend", "Grant", "Erase"))]
    assert (await auditor.get(f"{path}/grant")).status == 403
    assert (await auditor.get("/partners/systems")).status == 200
    assert (await auditor.get("/partners/systems/register")).status == 403
    await desk.admit("reviewer", Role.ACCREDITATION_REVIEWER)
    assert (await browser_of(desk.app, "reviewer").get("/partners/people")).status == 403
    assert (await auditor.get("/partners/people/prs_nobody")).status == 404


async def test_people_are_found_by_a_part_of_their_name(desk: Desk) -> None:
    admin = await administrator_of(desk)
    await filled(admin, "/partners/people/admit", {**OMAR, "name": "Ọmọlará (Lagos)"})
    assert "Ọmọlará (Lagos)" in (await admin.get("/partners/people", name="lará (l")).links
    nobody = await admin.get("/partners/people", name="no such name")
    assert "Nobody fits this." in nobody.words


async def test_a_name_is_told_to_who_may_know_it(desk: Desk) -> None:
    partner = await desk.register("Lakeside Federation")
    scope = (Scope(kind=ScopeKind.PARTNER, value=partner.id),)
    one = await desk.admit("one", Role.PARTNER_USER, scope=scope)
    two = await desk.admit("two", Role.PARTNER_USER, scope=scope)
    stranger = await desk.admit("stranger", Role.AUDITOR)
    browser = browser_of(desk.app, "one")
    for person, said in ((one, "Nia Adéọlá"), (two, "Nia Adéọlá"), (stranger, stranger.id)):
        assert (await browser.fragment(f"/partners/fragments/name/{person.id}")).words == said
    assert (await browser.fragment("/partners/fragments/name/<b>")).words == "<b>"


async def test_a_system_is_registered_given_a_key_once_and_its_key_revoked(desk: Desk) -> None:
    admin = await administrator_of(desk)
    owner = await desk.admit("owner")
    empty = await admin.get("/partners/systems")
    assert empty.links["Register the first system"] == "/partners/systems/register"
    said = {"label": "Donor portal", "owner": owner.id, "where": "country", "country": "KEN"}
    wrong = await filled(admin, "/partners/systems/register", {**said, "label": "", "country": ""})
    assert set(wrong.wrong) == {"label"}
    page = await admin.submit(wrong, said, to="/partners/systems/register")
    assert page.title == "Donor portal" and "Kenya" in page.words
    asked = await admin.get(f"{page.path}/issue")
    issued = await admin.submit(asked, to=f"{page.path}/issue")
    assert issued.status == 200 and "ck_key_" in issued.words
    assert (await admin.submit(asked, to=f"{page.path}/issue")).text == issued.text
    shown = await admin.get(page.path)
    assert "ck_key_" not in shown.words and "In use" in shown.words
    revoke = next(to for said, to in shown.links.items() if said.startswith("Revoke"))
    done = await filled(admin, revoke, {"reason": "Rotated"})
    assert "The key is revoked." in done.words
    document = await desk.mongo[systems.collection].find_one({})
    assert document is not None and document["live_keys"] == []
