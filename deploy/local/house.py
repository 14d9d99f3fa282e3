"""Where the house of `make run` is, for a command line beside it: the settings that reach it."""

from deploy.local.kafka import KafkaServer
from deploy.local.mongodb import MongoServer
from deploy.local.places import Places
from deploy.local.ports import LOOPBACK

SIGN_IN = "the sign-in of the demo"
APPLICATION = "the application"


def addresses(places: Places | None = None) -> dict[str, str]:
    """The settings of the house that runs here; none where none does."""
    state = (places or Places()).read_state()
    if state.launcher is None or not state.launcher.alive:
        return {}
    ports = {
        "CONCORD_MONGO_URL": (state.port_of(MongoServer.name), f"mongodb://{LOOPBACK}:{{}}/?replicaSet=rs0"),
        "CONCORD_KAFKA_URL": (state.port_of(KafkaServer.name), f"{LOOPBACK}:{{}}"),
        "CONCORD_OIDC_ISSUER": (state.port_of(SIGN_IN), f"http://{LOOPBACK}:{{}}"),
        "CONCORD_HTTP_PORT": (state.port_of(APPLICATION), "{}"),
    }
    found = {name: form.format(port) for name, (port, form) in ports.items() if port is not None}
    return {"CONCORD_DEMO": "true", **found}
