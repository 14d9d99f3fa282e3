"""From a service to a socket: each service's application behind one origin, and the order in which all of it
ends.

`Served` is one service with its HTTP application. `serve` runs any number of them in one process: the first
segment of the path says whose a request is; `/readyz` and its kin speak for all. What is mounted under
another application never hears of its start, so every start and stop is called here, by name.
"""

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.application import Application
from shared.errors import NotFound
from shared.http.app import http_app
from shared.http.auth import Authenticator
from shared.http.directory import Directory
from shared.http.directory_projection import SUBSCRIPTION, ProjectedDirectory
from shared.http.health import Health
from shared.http.problems import problem
from shared.http.tokens import TokenVerifier
from shared.messaging import parked
from shared.settings import Settings
from shared.web.static_files import PREFIX as STATIC

STOP_S = 15
# Whose the front page is: / is My work.
FRONT = "notifications"

log = structlog.get_logger()


class Served:
    """A service with its HTTP application. `directory` answers who may do what."""

    def __init__(self, application: Application, directory: Directory, settings: Settings) -> None:
        self.application = application
        self.health = Health()
        self.verifier = TokenVerifier(
            settings.oidc_issuer,
            settings.oidc_audience,
            application.clock.real,
            jwks_url=settings.oidc_jwks_url,
        )
        self._directory = directory
        if isinstance(directory, ProjectedDirectory):
            self._keep_fresh(directory)
        self.health.register("parts", lambda: _in_words(application.missing()))
        self.health.register("running", lambda: _in_words(application.ended()), vital=True)
        self.app: ASGIApp = http_app(
            application.runtime,
            application.rooms,
            settings,
            Authenticator(self.verifier, directory, settings.internal_key.get_secret_value()),
            self.health,
            application.metrics,
        )

    @property
    def name(self) -> str:
        return self.application.name

    def _keep_fresh(self, directory: ProjectedDirectory) -> None:
        projecting = f"concord.{self.name}.{SUBSCRIPTION.purpose}"

        async def level(consumer: str) -> None:
            """Level with the topic is not enough: a withdrawal that was parked has not been taken in."""
            if consumer == projecting and not await parked.waits_for(self.application.mongo, projecting):
                directory.freshness.touch()

        self.application.listening.level = level

    async def start(self) -> None:
        await self.application.start()
        self.health.started()

    async def stop(self) -> None:
        await self.application.stop()
        await self.verifier.close()
        if isinstance(self._directory, ProjectedDirectory):
            await self._directory.close()


def _in_words(parts: Mapping[str, str]) -> str | None:
    return "; ".join(f"{part}: {why}" for part, why in parts.items()) or None


class OneOrigin:
    """`/partners/…` goes to partners, and so on; the files of the pages are the same everywhere; the rest
    belongs to whoever keeps the front page.
    """

    def __init__(self, served: Sequence[Served], front: str) -> None:
        self._apps: Mapping[str, ASGIApp] = {STATIC: served[0].app, **{one.name: one.app for one in served}}
        self._front = self._apps.get(front)
        self._all = Health()
        self._health = [one.health for one in served]
        for one in served:
            self._all.register(one.name, one.health.what_is_missing)
            self._all.register(f"{one.name} running", one.health.what_is_fatal, vital=True)
        self._all.started()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        first = scope["path"].split("/", 2)[1]
        app = self._apps.get(first)
        if app is None:
            app = self._probe(first) or self._front or _nothing_here
        await app(scope, receive, send)

    def _probe(self, name: str) -> ASGIApp | None:
        answers = {"livez": self._all.live, "readyz": self._all.ready, "startupz": self._all.startup}
        answer = answers.get(name)
        return answer() if answer is not None else None


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    refusal = NotFound("nothing_here", "There is nothing at this address")
    await problem(refusal, "none")(scope, receive, send)


class _Server(uvicorn.Server):
    """Signals are ours to hear: the server's own way ends the process before anything else is stopped."""

    def capture_signals(self) -> Any:
        return nullcontext()


async def serve(served: Sequence[Served], settings: Settings) -> None:
    """Until SIGTERM or SIGINT; returns when everything has been stopped."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, ended.set)
    running = asyncio.create_task(_serve_until(ended, served, settings), name="serving")
    told = asyncio.create_task(ended.wait(), name="told-to-end")
    await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not all(one.health.is_started for one in served):  # It may wait for a database that never comes.
        running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def _serve_until(ended: asyncio.Event, served: Sequence[Served], settings: Settings) -> None:
    async with serving(served, settings) as url:
        # What the start made stays: looking through it again for garbage would only make some requests wait.
        gc.collect()
        gc.freeze()
        log.info("ready", url=url, services=[one.name for one in served])
        await ended.wait()


@asynccontextmanager
async def serving(served: Sequence[Served], settings: Settings, front: str = FRONT) -> AsyncIterator[str]:
    """Everything started, in order, and answering at the address given; at the end stopped, in order."""
    listener = _listen(settings)
    server = _Server(_config(served, front))
    try:
        await asyncio.gather(*(one.start() for one in served))
        answering = asyncio.create_task(server.serve(sockets=[listener]), name="http")
        try:
            yield f"http://{settings.http_host}:{listener.getsockname()[1]}"
        finally:
            for one in served:
                one.health.stopping()
            server.should_exit = True
            await answering
    finally:
        await asyncio.gather(*(one.stop() for one in served))
        listener.close()


def _listen(settings: Settings) -> socket.socket:
    """Named as TCP: asyncio leaves Nagle's delay on for a socket that does not say so."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.http_host, settings.http_port))
    return listener


def _config(served: Sequence[Served], front: str) -> uvicorn.Config:
    return uvicorn.Config(
        OneOrigin(served, front),
        lifespan="off",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
    )
