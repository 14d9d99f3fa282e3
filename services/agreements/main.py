"""The composition root of agreements: the only place that puts its parts together."""

from services.agreements.instruments import documents as instruments
from services.agreements.instruments.deadlines import deadlines
from services.agreements.instruments.outlines import OUTLINES
from services.agreements.instruments.pages import PAGES
from services.agreements.instruments.routes import routes as instrument_routes
from services.agreements.overview.routes import routes as overview_routes
from services.agreements.overview.views import PARTNER_AGREEMENTS
from services.agreements.settings import AgreementsSettings
from services.agreements.standing.documents import standings
from services.agreements.standing.routes import routes as standing_routes
from services.agreements.standing.subscribers import SUBSCRIPTIONS
from shared.http.directory_projection import directory_room
from shared.service import Room, Runtime


def build(runtime: Runtime, settings: AgreementsSettings) -> tuple[Room, ...]:
    return (
        directory_room(),
        Room(
            name="standing",
            collections=(standings,),
            subscriptions=SUBSCRIPTIONS,
            routes=(standing_routes,),
        ),
        Room(
            name="instruments",
            repositories=(instruments.agreements,),
            collections=(instruments.texts, instruments.evidence, instruments.counters, OUTLINES),
            deadlines=deadlines(chunk_agreements=settings.agreements_chunk),
            routes=(instrument_routes, *PAGES),
        ),
        Room(name="overview", views=(PARTNER_AGREEMENTS,), routes=(overview_routes,)),
    )
