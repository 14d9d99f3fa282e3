"""What the screens of partners show: registrations that were begun, a role that is lent, a system."""

from typing import Any

from deploy.local.demo_data import PARTNERS
from tests.support.browsing import Browser, browser_at
from tests.support.house import House

NAME = {"legal_name": PARTNERS[0].legal_name, "kind": "civil_society"}
CONTACT = {"name": "ليلى حسن", "email": "layla@example.org", "language": "ar"}


async def furnished_partners(house: House, partner_id: str) -> dict[str, str]:
    officer, administrator = browser_at(house, "officer"), browser_at(house, "administrator")
    return {
        "begun": await _begun(officer),
        "answered": await _answered(officer),
        "contact": await _contact_of(house, partner_id),
        **await _people(house, administrator),
        **await _system(administrator),
    }


async def _begun(officer: Browser) -> str:
    page = await officer.submit(await officer.get("/partners/register"), to="/partners/register")
    return page.path.rsplit("/", 1)[1]


async def _answered(officer: Browser) -> str:
    """With every answer given, and a name that is taken in that country."""
    id = await _begun(officer)
    for section, answers in (("name", NAME), ("country", {"country": "KEN"}), ("contact", CONTACT)):
        path = f"/partners/drafts/{id}/{section}"
        await officer.submit(await officer.get(path), answers, to=path)
    return id


async def _contact_of(house: House, partner_id: str) -> str:
    kept: dict[str, Any] = await house.see("officer", f"/partners/v1/partners/{partner_id}")
    return str(kept["contact_id"])


async def _people(house: House, administrator: Browser) -> dict[str, str]:
    """Somebody with a role that is lent to somebody else."""
    chief = await _found(administrator, "Étienne")
    reviewer = await _found(administrator, "Amina")
    page = await administrator.get(f"/partners/people/{chief}")
    lend = next(to for said, to in page.links.items() if said.startswith("Lend"))
    days = {"starts_on.day": "1", "starts_on.month": "2", "starts_on.year": "2100"}
    until = {"ends_on.day": "28", "ends_on.month": "2", "ends_on.year": "2100"}
    lent = await administrator.submit(
        await administrator.get(lend), {"person": reviewer, **days, **until}, to=lend
    )
    end = next(to for said, to in lent.links.items() if said.startswith("End it"))
    return {
        "person": chief,
        "borrower": reviewer,
        "held": lend.split("/")[-2],
        "loan": end.split("/")[-2],
    }


async def _found(administrator: Browser, name: str) -> str:
    listed = await administrator.get("/partners/people", name=name)
    address = next(to for to in listed.links.values() if to.startswith("/partners/people/prs_"))
    return address.rsplit("/", 1)[1]


async def _system(administrator: Browser) -> dict[str, str]:
    register = "/partners/systems/register"
    said = {"label": "Donor portal", "where": "everywhere"}
    form = await administrator.get(register)
    owner = await _found(administrator, "Jürgen")
    page = await administrator.submit(form, {**said, "owner": owner}, to=register)
    await administrator.submit(await administrator.get(f"{page.path}/issue"), to=f"{page.path}/issue")
    shown = await administrator.get(page.path)
    revoke = next(to for said, to in shown.links.items() if said.startswith("Revoke"))
    return {"system": page.path.rsplit("/", 1)[1], "key": revoke.split("/")[-2]}
