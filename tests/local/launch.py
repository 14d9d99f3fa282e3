"""The launcher on a folder of its own, with stand-ins for the application, the sign-in and the seeding.

Usage: python -m tests.local.launch FOLDER. Everything else is as `make run` does it, the servers too.
"""

import sys
from pathlib import Path

from deploy.local.launcher import run
from deploy.local.places import Places
from deploy.local.plan import Plan
from deploy.local.ports import free_ports
from deploy.local.servers import JARS
from deploy.local.signals import exit_status_of

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))


class PlacesWithSharedJars(Places):
    @property
    def jars(self) -> Path:
        return JARS


def plan(places: Places) -> Plan:
    http_port, sign_in_port = free_ports(2)
    usual = Plan.of_this_system()
    return Plan(
        places=places,
        application=(*STAND_IN, "CONCORD_HTTP_PORT"),
        sign_in=(*STAND_IN, "CONCORD_OIDC_PORT"),
        seed=(sys.executable, "-c", "print('seeded')"),
        mongo_url=usual.mongo_url,
        kafka_url=usual.kafka_url,
        http_port=usual.http_port or http_port,
        sign_in_port=usual.sign_in_port or sign_in_port,
    )


def main() -> int:
    places = PlacesWithSharedJars(Path(sys.argv[1]))
    return exit_status_of(lambda: run(plan(places)), places)


if __name__ == "__main__":
    sys.exit(main())
