"""What is in the house before its screens are tried: enough of everything for each to show something."""

from deploy.local.personas import DEMO_PARTNER_ID
from tests.browser.furnishing_agreements import furnished_agreements
from tests.browser.furnishing_notifications import delivered, furnished_notifications
from tests.browser.furnishing_partners import furnished_partners
from tests.journeys import steps
from tests.support.house import House

LONG_NAME = "Association pour l’amélioration des quartiers précaires et la participation des habitantes " * 3


async def furnished(house: House) -> dict[str, str]:
    """Names for the paths of screens, each with the id it stands for."""
    partner = await _the_demos_partner(house)
    webhook = await furnished_notifications(house)
    agreements = await furnished_agreements(house, partner)
    partners = await furnished_partners(house, partner.id)
    suspended = await _suspended(house)
    notified = {**webhook, **await delivered(house, webhook["endpoint"])}
    return {"partner": partner.id, "suspended": suspended, **agreements, **partners, **notified}


async def _the_demos_partner(house: House) -> steps.Partner:
    await house.see("officer", f"/agreements/v1/standings/{DEMO_PARTNER_ID}")
    return steps.Partner(id=DEMO_PARTNER_ID, legal_name="", contact_id="", contact_name="", contact_email="")


async def _suspended(house: House) -> str:
    """With a name as long as one may be."""
    contact = {"name": "Awa", "email": "awa@example.org", "language": "fr"}
    body = {"legal_name": LONG_NAME.strip(), "kind": "civil_society", "country": "SEN", "contact": contact}
    made = await house.post("officer", "/partners/v1/partners", body)
    path = f"/partners/v1/partners/{made['id']}/suspensions"
    await house.post("officer", path, {"reason": "Its accounts have not come for two years."})
    id: str = made["id"]
    return id
