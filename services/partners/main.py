"""The composition root of partners: the only place that constructs what its rooms are made of."""

from services.partners.people import deadlines
from services.partners.people import documents as people_documents
from services.partners.people.documents import persons, systems
from services.partners.people.queries import OwnDirectory
from services.partners.people.routes import ROUTES as PEOPLE_ROUTES
from services.partners.register import documents as register_documents
from services.partners.register import subscribers
from services.partners.register.documents import partners
from services.partners.register.routes import routes as register_routes
from services.partners.settings import PartnersSettings
from shared.service import Room, Runtime


def build(runtime: Runtime, settings: PartnersSettings) -> tuple[Room, ...]:
    people = Room(
        name="people",
        repositories=(persons, systems),
        collections=people_documents.COLLECTIONS,
        deadlines=deadlines.DEADLINES,
        routes=PEOPLE_ROUTES,
    )
    register = Room(
        name="register",
        repositories=(partners,),
        collections=register_documents.COLLECTIONS,
        subscriptions=subscribers.SUBSCRIPTIONS,
        routes=(register_routes,),
    )
    return people, register


def directory(runtime: Runtime) -> OwnDirectory:
    """Who may do what: here it is the directory itself, elsewhere a projection of it."""
    return OwnDirectory(runtime.mongo, runtime.clock.now)
