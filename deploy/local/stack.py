"""The parts of a running Concord and how each is started; launcher.py says when."""

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from deploy.local.child import Child, NotReady
from deploy.local.kafka import KafkaServer, start_kafka
from deploy.local.mongodb import MongoServer, start_mongodb
from deploy.local.places import ROOT, Running, State, running
from deploy.local.plan import HTTP_PORT, SIGN_IN_PORT, Plan
from deploy.local.ports import LOOPBACK, free_port, is_free
from deploy.local.refusals import CannotStart, PortTaken, Status
from deploy.local.service import Service
from deploy.local.side_by_side import side_by_side
from deploy.local.steps import say, step
from deploy.local.what_to_try import Addresses, what_to_try

PORT_TRIES_MAX = 5
SEED_TIMEOUT_S = 120.0
# Where the application takes people back who have signed in.
SIGNED_IN_AT = "/partners/sign-in/return"


class Part(Protocol):
    """Something that runs, can end by itself, and then knows why."""

    name: str

    @property
    def alive(self) -> bool: ...
    @property
    def pid(self) -> int: ...
    @property
    def port(self) -> int: ...
    def stop(self) -> None: ...
    def why_it_ended(self) -> CannotStart: ...


class Stack:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._last = plan.places.read_state()
        self.mongo: MongoServer | None = None
        self.kafka: KafkaServer | None = None
        self.sign_in: Service | None = None
        self.application: Service | None = None

    @property
    def parts(self) -> list[Part]:
        """What runs, in the order of the start."""
        every: list[Part | None] = [self.mongo, self.kafka, self.sign_in, self.application]
        return [part for part in every if part is not None]

    def start(self) -> None:
        starts: list[Callable[[threading.Event], None]] = [self._start_sign_in]
        if self._plan.mongo_url is None:
            starts.append(self._start_mongodb)
        if self._plan.kafka_url is None:
            starts.append(self._start_kafka)
        self._remember()
        with step("Starting MongoDB, Kafka and the sign-in of the demo"):
            side_by_side(starts)
        self._remember()
        with step("Starting the application"):
            self._start_application()
        self._remember()
        with step("Seeding the demo data"):
            self._seed()

    def stop(self) -> None:
        """In the reverse order of the start, each whatever became of the others."""
        with ExitStack() as each:
            for part in self.parts:
                each.callback(part.stop)

    def what_to_try(self) -> str:
        assert self.application is not None and self.sign_in is not None
        return what_to_try(
            Addresses(
                application=self.application.url,
                sign_in=self.sign_in.url,
                mongodb=self.mongo.url if self.mongo else "MongoDB of CONCORD_MONGO_URL",
                kafka=self.kafka.bootstrap if self.kafka else "CONCORD_KAFKA_URL",
                logs=os.path.relpath(self._plan.places.log),
            )
        )

    def _start_mongodb(self, give_up: threading.Event) -> None:
        places, port = self._plan.places, self._last.port_of(MongoServer.name)
        self.mongo = start_mongodb(places.data / "mongodb", log_dir=places.log, port=port, give_up=give_up)

    def _start_kafka(self, give_up: threading.Event) -> None:
        places, port = self._plan.places, self._last.port_of(KafkaServer.name)
        self.kafka = start_kafka(
            places.data / "kafka", log_dir=places.log, jars=places.jars, port=port, give_up=give_up
        )

    def _start_sign_in(self, give_up: threading.Event) -> None:
        def start(port: int) -> Service:
            return Service(
                "the sign-in of the demo",
                self._plan.sign_in,
                port=port,
                ready_path="/.well-known/openid-configuration",
                log=self._log("sign-in"),
                cwd=ROOT,
                env={
                    "CONCORD_OIDC_PORT": str(port),
                    "CONCORD_DEMO": "true",
                    "CONCORD_OIDC_REDIRECT_URIS": self._ways_back(),
                },
            )

        self.sign_in = self._serve(start, self._plan.sign_in_port, SIGN_IN_PORT, give_up)

    def _ways_back(self) -> str:
        """Whatever port the application will take; and its public origin, where it has one."""
        origins = (f"http://{LOOPBACK}", os.environ.get("CONCORD_PUBLIC_URL", ""))
        return " ".join(origin + SIGNED_IN_AT for origin in origins if origin)

    def _start_application(self) -> None:
        def start(port: int) -> Service:
            return Service(
                "the application",
                self._plan.application,
                port=port,
                ready_path="/readyz",
                log=self._log("application"),
                cwd=ROOT,
                env=self._environment(port),
            )

        self.application = self._serve(start, self._plan.http_port, HTTP_PORT, threading.Event())

    def _serve(
        self, start: Callable[[int], Service], wished: int | None, usual: int, give_up: threading.Event
    ) -> Service:
        """Start a service on the wished or the usual port, on another where that is taken."""
        port = wished or usual
        for _ in range(PORT_TRIES_MAX):
            if not is_free(port):
                taken, port = port, free_port()
                say(f"  port {taken} is taken by another program; taking {port}")
            service = start(port)
            try:
                service.wait_until_ready(give_up=give_up)
            except PortTaken:
                service.stop()
                continue
            except BaseException:
                service.stop()
                raise
            return service
        raise CannotStart(
            Status.TRY_AGAIN, f"{PORT_TRIES_MAX} free ports were lost to others", what_to_do="Start again."
        )

    def _seed(self) -> None:
        assert self.application is not None
        log = self._log("seed")
        env = self._environment(self.application.port)
        seeding = Child("seeding", self._plan.seed, log=log, env=env, cwd=ROOT)
        try:
            status = seeding.wait_for_end(timeout_s=SEED_TIMEOUT_S)
        except NotReady as slow:
            raise CannotStart(Status.ENDED, str(slow), what_to_do=f"See {log}") from slow
        if status != 0:
            words = seeding.log_of_this_start().strip()[-500:]
            message = f"seeding the demo data ended with status {status}: {words}"
            raise CannotStart(Status.ENDED, message, what_to_do=f"See {log}")

    def _environment(self, port: int) -> dict[str, str]:
        assert self.sign_in is not None
        return {
            "CONCORD_MONGO_URL": self._mongo_url(),
            "CONCORD_KAFKA_URL": self._kafka_url(),
            "CONCORD_DEMO": "true",
            "CONCORD_HTTP_PORT": str(port),
            "CONCORD_OIDC_ISSUER": self.sign_in.url,
        }

    def _mongo_url(self) -> str:
        return self._plan.mongo_url or (self.mongo.url if self.mongo else "")

    def _kafka_url(self) -> str:
        return self._plan.kafka_url or (self.kafka.bootstrap if self.kafka else "")

    def _log(self, name: str) -> Path:
        return self._plan.places.log / f"{name}.log"

    def _remember(self) -> None:
        """For a second start to find this one, and for the next to take the same ports."""
        processes: list[Running] = [running(part.name, part.pid, part.port) for part in self.parts]
        known = {each.name for each in processes}
        earlier = [each for each in self._last.processes if each.name not in known]
        self._plan.places.write_state(
            State(
                launcher=running("launcher", os.getpid()),
                url=self.application.url if self.application else "",
                processes=(*processes, *earlier),
            )
        )
