"""Starts the provider on loopback, in this process, and stops it again."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import uvicorn

from deploy.local.oidc.app import make_app
from deploy.local.oidc.clients import Client
from deploy.local.oidc.keys import KeyChain, KeysFileDamaged
from deploy.local.oidc.provider import Provider
from deploy.local.oidc.settings import OidcSettings
from deploy.local.ports import free_port
from deploy.local.refusals import CannotStart, Status

STOP_S_MAX = 2
PORT_TRIES_MAX = 5
LISTEN_BACKLOG = 128


@asynccontextmanager
async def running_provider(
    settings: OidcSettings,
    *,
    clients: tuple[Client, ...] = (),
    clock_real: Callable[[], datetime] | None = None,
) -> AsyncIterator[Provider]:
    """A provider that answers while the block runs. `clients` are registered beside that of the settings."""
    if not settings.demo:
        raise CannotStart(
            Status.NOT_ALLOWED,
            "The demonstration's sign-in lets anybody be anybody, so it starts in demo mode only.",
            what_to_do="Set CONCORD_DEMO=true for a demonstration; in production use your own provider.",
        )
    with closing(_listen(settings.oidc_host, settings.oidc_port)) as listening:
        address = f"http://{settings.oidc_host}:{listening.getsockname()[1]}"
        provider = _provider(settings, address, clients, clock_real or _now)
        async with _serving(_server(settings, provider), listening):
            yield provider


def _server(settings: OidcSettings, provider: Provider) -> "_Server":
    hosts = {settings.oidc_host, "127.0.0.1", "localhost", urlsplit(provider.issuer).hostname or ""}
    return _Server(
        uvicorn.Config(
            make_app(provider, hosts=frozenset(hosts)),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_S_MAX,
        )
    )


@asynccontextmanager
async def _serving(server: "_Server", listening: socket.socket) -> AsyncIterator[None]:
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="demo sign-in")
    answering = asyncio.create_task(server.answering.wait())
    try:
        await asyncio.wait((serving, answering), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            await serving
        yield
    finally:
        answering.cancel()
        server.should_exit = True
        await serving


def _provider(
    settings: OidcSettings, address: str, clients: tuple[Client, ...], clock_real: Callable[[], datetime]
) -> Provider:
    try:
        keys = KeyChain(
            algorithm=settings.oidc_algorithm,
            grace=timedelta(seconds=settings.oidc_key_grace_s),
            clock_real=clock_real,
            file=settings.oidc_keys_file,
        )
    except OSError as refused:
        raise CannotStart(
            Status.NOT_ALLOWED,
            f"The sign-in may not read or write its keys: {refused}",
            what_to_do="Set CONCORD_OIDC_KEYS_FILE to a file of yours, or leave it out.",
        ) from refused
    except KeysFileDamaged as damaged:
        raise CannotStart(
            Status.DATA_DAMAGED,
            f"The sign-in's keys cannot be read: {damaged}",
            what_to_do="Delete that file: new keys are made, and people sign in again.",
        ) from damaged
    return Provider(
        issuer=settings.oidc_issuer or address,
        audience=settings.oidc_audience,
        clients=(settings.client(), *clients),
        keys=keys,
        clock_real=clock_real,
    )


class _Server(uvicorn.Server):
    """Says when it answers, and leaves signals to whoever runs the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.answering.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    for _ in range(PORT_TRIES_MAX):
        # With the protocol said: without it asyncio leaves Nagle's delay on, 40 ms an answer.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port or free_port()))
            listening.listen(LISTEN_BACKLOG)
        except OSError as taken:
            listening.close()
            refusal = taken
        else:
            return listening
        if port:
            break
    raise CannotStart(
        Status.TRY_AGAIN,
        f"The sign-in cannot listen on {host} port {port or 'of its own choice'}: {refusal.strerror}",
        what_to_do="Set CONCORD_OIDC_PORT to another port, or to 0 for a free one.",
    )


def _now() -> datetime:
    return datetime.now(UTC)
