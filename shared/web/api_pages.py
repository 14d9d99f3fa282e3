"""The pages for whoever writes against the API: what each service offers, and each operation to be tried out.

Swagger UI comes from the installed package and is started by a file of our own, so it works without any other
host and under the same policy as every page.
"""

from dataclasses import dataclass

from starlette.responses import Response

from shared.http.auth import PUBLIC
from shared.http.openapi import EXAMPLE_KEY, address_of
from shared.web.ask import Ask
from shared.web.language import N_
from shared.web.pages import Endpoint, Pages

API = "/api"
# What the sign-in of the demonstration gives a token for.
DEMO_GRANT = "urn:concord:demo-persona"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One service, for the page that lists them."""

    service: str
    name: str
    says: str

    @property
    def docs(self) -> str:
        return docs_of(self.service)

    @property
    def description(self) -> str:
        return address_of(self.service)


OFFERS = (
    Offer(
        service="partners",
        name=N_("Partners"),
        says=N_("The register of partners, people with their roles, systems with their keys."),
    ),
    Offer(
        service="agreements",
        name=N_("Agreements"),
        says=N_("Agreements with their texts, signatures and evidence; where each partner stands."),
    ),
    Offer(
        service="notifications",
        name=N_("Notifications"),
        says=N_("Tasks, inbox and deliveries; webhooks and the feed of events."),
    ),
)


def docs_of(service: str) -> str:
    return f"/{service}/v1/docs"


def api_pages(service: str) -> Pages:
    """`/api` is every service's, and answered by the one that keeps the front page."""
    pages = Pages("kit")
    pages.get(API, may=PUBLIC)(api)
    offer = next((one for one in OFFERS if one.service == service), None)
    if offer is not None:
        pages.get(offer.docs, may=PUBLIC)(_docs(offer))
    return pages


async def api(ask: Ask) -> Response:
    return ask.page("api.html", offers=OFFERS, issuer=ask.request.app.state.issuer, grant=DEMO_GRANT)


def _docs(offer: Offer) -> Endpoint:
    async def docs(ask: Ask) -> Response:
        return ask.page("api_docs.html", offer=offer, api=API, example_key=EXAMPLE_KEY)

    return docs
