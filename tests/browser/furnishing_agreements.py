"""Agreements in every state that has a screen of its own, and drafts that somebody is still writing."""

from tests.journeys import steps
from tests.support.browsing import browser_at
from tests.support.house import House

OUTLINE = {"kind": "mou", "title": "Safer streets around the markets of Kisumu"}
LAST_DAY = {"ends_on.day": "31", "ends_on.month": "12"}


async def furnished_agreements(house: House, partner: steps.Partner) -> dict[str, str]:
    begun, complete = await _begun(house, partner), await _begun(house, partner)
    await _answer(house, complete)
    draft = await steps.draft(house, partner)
    sent = await steps.send(house, await steps.draft(house, partner))
    return {
        "agreement_draft": draft["id"],
        "agreement_sent": sent["id"],
        "agreement_in_force": await _in_force(house, partner),
        "agreement_on_hold": await _on_hold(house),
        "outline": begun,
        "outline_complete": complete,
    }


async def _in_force(house: House, partner: steps.Partner) -> str:
    agreement = await steps.send(house, await steps.draft(house, partner))
    await steps.sign(house, "partner-user", agreement, "partner", "ليلى الخطيب")
    await steps.sign(house, steps.SIGNATORY, agreement, "organisation", "Étienne Lefèvre")
    id: str = agreement["id"]
    return id


async def _on_hold(house: House) -> str:
    partner = await steps.register_partner(house)
    agreement = await steps.send(house, await steps.draft(house, partner))
    path = f"/partners/v1/partners/{partner.id}/suspensions"
    await house.post(steps.OFFICER, path, {"reason": "Its accounts have not come."})
    await house.see(steps.OFFICER, f"/agreements/v1/agreements/{agreement['id']}", lambda seen: seen["holds"])
    id: str = agreement["id"]
    return id


async def _begun(house: House, partner: steps.Partner) -> str:
    officer = browser_at(house, steps.OFFICER)
    page = await officer.get("/agreements/draft", partner=partner.id)
    page = await officer.submit(page, to="/agreements/draft")
    return page.path.rsplit("/")[-1]


async def _answer(house: House, outline: str) -> None:
    officer, year = browser_at(house, steps.OFFICER), (await steps.today(house)).year + 1
    page = await officer.get(f"/agreements/draft/{outline}/title")
    for said in (OUTLINE, {"text": steps.TEXT}, {**LAST_DAY, "ends_on.year": str(year)}):
        page = await officer.submit(page, said, to=page.path)
    assert page.path.endswith("/check")
