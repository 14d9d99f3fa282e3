"""Every connection to a receiver is made here, and only to an address that may be called.

    Call        what one request learns on its way: which address it talks to, and whether it had to dial.
    Connector   hands out connections, pooled ones first. It makes every socket itself and checks the concrete
                address at that moment: the one place that no spelling, redirect or rebinding gets around.
    Resolver    asks for a name's addresses on threads of its own (a receiver with a dead name server must not
                hold up the lookups of the rest of the process), and lets an answer pass only when every
                address in it may be called.

A pooled connection is not checked again: it leads where it led when it was.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from services.notifications.webhooks.addresses import Gate, check_addresses, denial
from shared.errors import Invalid

Lookup = Callable[[str, bool], Awaitable[Sequence[str]]]
"""The addresses of a host; the second argument asks for IPv4 only."""

# Ours are the only ceilings: aiohttp would round timeouts above five seconds up to whole seconds.
EXACT_TIMEOUTS_BELOW_S = 3600
_NEXT_ADDRESS_AFTER_S = 0.25


class AddressDenied(OSError):
    """Raised where a connection is made, so no request goes out. As an OSError it comes up whole."""


@dataclass
class Call:
    """`denied` is kept apart from the exception: tried beside others, an address loses its own."""

    address: str | None = None
    dialled: bool = False
    denied: bool = False


current_call: ContextVar[Call] = ContextVar("webhook_call")


class Resolver(AbstractResolver):
    def __init__(self, gate: Gate, lookup: Lookup | None, *, threads_max: int) -> None:
        self._gate = gate
        self._threads = ThreadPoolExecutor(threads_max, thread_name_prefix="webhook-lookup")
        self._lookup = lookup or self._system_lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._lookup(host, host in self._gate.ipv4_only_hosts)
        try:
            addresses = check_addresses(found, self._gate)
        except Invalid as refusal:
            raise AddressDenied(refusal.code) from refusal
        return [_resolved(host, address, port) for address in addresses]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _system_lookup(self, host: str, ipv4_only: bool) -> Sequence[str]:
        family = socket.AF_INET if ipv4_only else socket.AF_UNSPEC
        loop = asyncio.get_running_loop()
        rows = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM)
        )
        return list(dict.fromkeys(str(row[4][0]) for row in rows))


class Connector(aiohttp.TCPConnector):
    def __init__(
        self, gate: Gate, resolver: Resolver, tls: ssl.SSLContext, *, cache_s: int, idle_s: float
    ) -> None:
        super().__init__(
            resolver=resolver,
            socket_factory=self._make_socket,
            ssl=tls,
            limit=0,  # The sender has its own: a wait in this queue would count as the receiver's.
            ttl_dns_cache=cache_s,
            keepalive_timeout=idle_s,
            happy_eyeballs_delay=_NEXT_ADDRESS_AFTER_S,
            timeout_ceil_threshold=EXACT_TIMEOUTS_BELOW_S,
        )
        self._gate = gate

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        if connection.transport is not None:
            current_call.get().address = connection.transport.get_extra_info("peername")[0]
        return connection

    def _make_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        call = current_call.get()
        call.dialled = True
        if denial(str(address[0]), self._gate) is not None:
            call.denied = True
            raise AddressDenied("address denied")
        return socket.socket(family, kind, protocol)


def _resolved(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=flags)
