"""The composition root of partners: the only place that constructs what its rooms are made of."""

from services.partners.people import deadlines
from services.partners.people import documents as people_documents
from services.partners.people.adapters.sign_in_provider import Client, SignInProvider
from services.partners.people.documents import persons, systems
from services.partners.people.pages.directory import DirectoryPages
from services.partners.people.pages.help import help_pages
from services.partners.people.pages.me import me_pages
from services.partners.people.pages.roles import RolePages
from services.partners.people.pages.sign_in import RETURN, sign_in_pages
from services.partners.people.pages.systems import SystemPages
from services.partners.people.queries import OwnDirectory
from services.partners.people.routes import ROUTES as PEOPLE_ROUTES
from services.partners.register import documents as register_documents
from services.partners.register import subscribers
from services.partners.register.documents import partners
from services.partners.register.names import names_of_partners
from services.partners.register.pages import PAGES as REGISTER_PAGES
from services.partners.register.routes import routes as register_routes
from services.partners.settings import PartnersSettings
from shared.service import Room, Runtime
from shared.web.site import origin_of


def build(runtime: Runtime, settings: PartnersSettings) -> tuple[Room, ...]:
    people = Room(
        name="people",
        repositories=(persons, systems),
        collections=people_documents.COLLECTIONS,
        deadlines=deadlines.DEADLINES,
        routes=(
            *PEOPLE_ROUTES,
            sign_in_pages(sign_in_provider(runtime, settings)),
            me_pages(names_of_partners),
            help_pages(settings.help_contact),
            DirectoryPages(names_of_partners).pages,
            RolePages(names_of_partners).pages,
            SystemPages(names_of_partners).pages,
        ),
    )
    register = Room(
        name="register",
        repositories=(partners,),
        collections=register_documents.COLLECTIONS,
        subscriptions=subscribers.SUBSCRIPTIONS,
        routes=(register_routes, *REGISTER_PAGES),
    )
    return people, register


def sign_in_provider(runtime: Runtime, settings: PartnersSettings) -> SignInProvider:
    secret = settings.oidc_client_secret
    client = Client(
        id=settings.oidc_client_id,
        secret=secret.get_secret_value() if secret else None,
        redirect_uri=origin_of(settings) + RETURN,
    )
    return SignInProvider(settings.oidc_issuer, client, runtime.clock.real, jwks_url=settings.oidc_jwks_url)


def directory(runtime: Runtime) -> OwnDirectory:
    """Who may do what: here it is the directory itself, elsewhere a projection of it."""
    return OwnDirectory(runtime.mongo, runtime.clock.now)
