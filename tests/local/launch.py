"""The launcher on a folder of its own, with the real application or with stand-ins for what is around it.

Usage: python -m tests.local.launch FOLDER real|stand-in. All else is as `make run` does it, the servers too.
"""

import sys
from dataclasses import replace
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


def plan(places: Places, application: str) -> Plan:
    usual = Plan.of_this_system()
    http_port, sign_in_port = free_ports(2)
    ours = replace(
        usual,
        places=places,
        http_port=usual.http_port or http_port,
        sign_in_port=usual.sign_in_port or sign_in_port,
    )
    if application == "real":
        return ours
    return replace(
        ours,
        application=(*STAND_IN, "CONCORD_HTTP_PORT"),
        sign_in=(*STAND_IN, "CONCORD_OIDC_PORT"),
        seed=(sys.executable, "-c", "print('seeded')"),
    )


def main() -> int:
    places = PlacesWithSharedJars(Path(sys.argv[1]))
    return exit_status_of(lambda: run(plan(places, sys.argv[2])), places)


if __name__ == "__main__":
    sys.exit(main())
