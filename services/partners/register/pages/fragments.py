"""Parts of pages, for ours and for those of other services."""

from starlette.responses import Response

from services.partners.register.documents import partners
from services.partners.register.pages.telling import TEMPLATES
from services.partners.register.queries import Reach, partners_of_name
from shared.web.ask import Ask
from shared.web.pages import Pages

pages = Pages("register", templates=TEMPLATES)


@pages.get("/partners/fragments/partner/{id}", may="partner:read")
async def name_of_partner(ask: Ask) -> Response:
    """Its name with a link to it; its id where it is not the reader's to know."""
    partner = await partners.find(ask.work, ask.path("id"))
    known = partner is not None and Reach.of(ask.actor, "partner:read").includes(partner)
    return ask.fragment("register/fragment_partner.html", partner=partner if known else None)


@pages.get("/partners/fragments/same-name", may="partner:register")
async def same_name(ask: Ask) -> Response:
    """While a name is typed: who is called the same already."""
    asked = ask.request.query_params
    country = asked.get("country") or None
    same = await partners_of_name(ask.work, asked.get("legal_name", ""), country)
    return ask.fragment("register/fragment_same_name.html", same=same)
