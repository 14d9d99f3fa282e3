"""What a launcher is to start, and where: what `make run` does unless the environment says otherwise."""

import os
import sys
from dataclasses import dataclass, field

from deploy.local.places import Places
from deploy.local.refusals import CannotStart, Status

HTTP_PORT = 8080
SIGN_IN_PORT = 8090
PORT_MAX = 65_535


@dataclass(frozen=True)
class Plan:
    places: Places = field(default_factory=Places)
    application: tuple[str, ...] = (sys.executable, "-m", "services", "all")
    sign_in: tuple[str, ...] = (sys.executable, "-m", "deploy.local.oidc")
    seed: tuple[str, ...] = (sys.executable, "-m", "services.cli", "seed")
    # Servers that are there already; none are started beside them.
    mongo_url: str | None = None
    kafka_url: str | None = None
    # Wishes: a port that is taken is replaced, and the launcher says so.
    http_port: int | None = None
    sign_in_port: int | None = None

    @classmethod
    def of_this_system(cls) -> "Plan":
        return cls(
            mongo_url=os.environ.get("CONCORD_MONGO_URL"),
            kafka_url=os.environ.get("CONCORD_KAFKA_URL"),
            http_port=_port("CONCORD_HTTP_PORT"),
            sign_in_port=_port("CONCORD_OIDC_PORT"),
        )


def _port(name: str) -> int | None:
    text = os.environ.get(name)
    if text is None:
        return None
    if not text.isdecimal() or not 0 < int(text) <= PORT_MAX:
        raise CannotStart(
            Status.USAGE,
            f"{name} is {text!r}, which is no port.",
            what_to_do=f"Give a number up to {PORT_MAX}.",
        )
    return int(text)
