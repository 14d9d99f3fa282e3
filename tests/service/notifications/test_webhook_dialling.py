"""Whom the sender calls and whom it does not: names, addresses, certificates. Real sockets on loopback."""

import asyncio
import errno
import resource
import socket
import ssl
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from services.notifications.webhooks.adapters.dialling import (
    AddressDenied,
    Call,
    Connector,
    Resolver,
    current_call,
)
from services.notifications.webhooks.adapters.http_sender import HttpSender, SenderLimits
from services.notifications.webhooks.addresses import Gate, networks
from services.notifications.webhooks.domain import ErrorClass
from tests.service.notifications.sending import GATE, HOST, Names, attempt, named_gate
from tests.support.certificates import server_and_client
from tests.support.receiver import Receiver

pytestmark = pytest.mark.asyncio

LIMITS = SenderLimits()


async def test_a_port_nobody_listens_on_is_a_failure_to_connect(sender: HttpSender) -> None:
    async with Receiver() as receiver:
        url = receiver.url("/ok")
    outcome = await sender.send(attempt(url))
    assert (outcome.status, outcome.error_class, outcome.address) == (None, ErrorClass.CONNECT, None)


async def test_a_host_that_swallows_the_call_is_a_failure_to_connect(sender: HttpSender) -> None:
    # A full backlog: the kernel answers no more calls, as a firewall that drops them would not.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        port = deaf.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            assert filler.connect_ex(("127.0.0.1", port)) in (0, errno.EINPROGRESS)
        async with HttpSender(GATE, limits=replace(LIMITS, connect_timeout_s=0.3)) as quick:
            outcome = await quick.send(attempt(f"http://127.0.0.1:{port}/"))
        for filler in fillers:
            filler.close()
    assert outcome.error_class is ErrorClass.CONNECT
    assert 250 < outcome.duration_ms < 1_500


async def test_a_host_with_one_dead_address_is_reached_by_its_other(receiver: Receiver) -> None:
    names = Names(["127.0.0.2", "127.0.0.1"])
    async with HttpSender(named_gate(receiver), lookup=names) as sender:
        outcome = await sender.send(attempt(receiver.url("/ok", HOST)))
    assert (outcome.error_class, outcome.address) == (None, "127.0.0.1")


async def test_having_no_file_descriptor_left_is_our_own_fault(
    receiver: Receiver, sender: HttpSender
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        outcome = await sender.send(attempt(receiver.url("/ok")))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert outcome.error_class is ErrorClass.INTERNAL


async def test_a_name_without_an_address_is_a_failure_of_dns(receiver: Receiver) -> None:
    async with HttpSender(named_gate(receiver), lookup=Names([])) as sender:
        outcome = await sender.send(attempt(receiver.url("/ok", HOST)))
    assert (outcome.status, outcome.error_class) == (None, ErrorClass.DNS)


async def test_a_name_server_that_never_answers_is_a_failure_of_dns(receiver: Receiver) -> None:
    async def silent(host: str, ipv4_only: bool) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    limits = replace(LIMITS, connect_timeout_s=0.2)
    async with HttpSender(named_gate(receiver), lookup=silent, limits=limits) as sender:
        outcome = await sender.send(attempt(receiver.url("/ok", HOST)))
    assert outcome.error_class is ErrorClass.DNS


async def test_a_real_lookup_is_judged_like_any_other() -> None:
    refuses, allows = (
        Resolver(gate, None, threads_max=1)
        for gate in (Gate(), Gate(open_networks=networks(["127.0.0.0/8", "::1/128"])))
    )
    assert {row["host"] for row in await allows.resolve("localhost", 80)} <= {"127.0.0.1", "::1"}
    with pytest.raises(AddressDenied):
        await refuses.resolve("localhost", 80)
    await refuses.close()
    await allows.close()


@pytest.mark.parametrize(
    "answers",
    [["10.0.0.1"], ["169.254.169.254"], ["8.8.8.8", "10.0.0.1"], ["::1"], ["::ffff:10.0.0.1"], ["nonsense"]],
)
async def test_a_name_that_points_inside_is_never_dialled(receiver: Receiver, answers: list[str]) -> None:
    async with HttpSender(named_gate(receiver), lookup=Names(answers)) as sender:
        outcome = await sender.send(attempt(receiver.url("/ok", HOST)))
    assert (outcome.status, outcome.error_class, outcome.address) == (None, ErrorClass.SSRF, None)
    assert receiver.connections_made == 0


async def test_a_name_that_changes_its_mind_is_judged_at_every_new_connection(receiver: Receiver) -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    async with HttpSender(
        named_gate(receiver), lookup=names, limits=replace(LIMITS, address_cache_s=0)
    ) as sender:
        first = await sender.send(attempt(receiver.url("/close", HOST)))
        second = await sender.send(attempt(receiver.url("/close", HOST)))
    assert first.delivered
    assert second.error_class is ErrorClass.SSRF
    assert receiver.connections_made == 1


async def test_the_socket_itself_refuses_an_address_that_slipped_past_the_lookup(receiver: Receiver) -> None:
    lenient = Resolver(GATE, Names(["127.0.0.1"]), threads_max=1)
    connector = Connector(Gate(), lenient, ssl.create_default_context(), cache_s=0, idle_s=1)
    current_call.set(call := Call())
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.post(receiver.url("/ok", HOST))
    await lenient.close()
    assert (call.denied, call.address, receiver.connections_made) == (True, None, 0)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "https://2130706433/",
        "https://localhost/",
        "http://user@127.0.0.1/",
        "ftp://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "not a url",
    ],
)
async def test_a_url_the_gate_refuses_is_refused_at_sending_too(sender: HttpSender, url: str) -> None:
    outcome = await sender.send(attempt(url))
    assert (outcome.status, outcome.error_class) == (None, ErrorClass.SSRF)


async def test_loopback_is_refused_where_it_is_not_listed(receiver: Receiver) -> None:
    async with HttpSender(Gate()) as sender:
        outcome = await sender.send(attempt(receiver.url("/ok")))
    assert outcome.error_class is ErrorClass.SSRF
    assert receiver.connections_made == 0


async def test_a_host_marked_so_is_looked_up_by_ipv4_alone(receiver: Receiver) -> None:
    names = Names(["127.0.0.1"])
    gate = replace(named_gate(receiver), ipv4_only_hosts=frozenset({HOST}))
    async with HttpSender(gate, lookup=names) as sender:
        assert (await sender.send(attempt(receiver.url("/ok", HOST)))).delivered
    assert names.asked == [(HOST, True)]


async def test_a_receiver_whose_certificate_is_trusted_is_called_over_tls(tmp_path: Path) -> None:
    server, client = server_and_client(tmp_path, HOST)
    async with Receiver(tls=server) as receiver:
        async with HttpSender(named_gate(receiver), lookup=Names(["127.0.0.1"]), tls=client) as sender:
            outcome = await sender.send(attempt(receiver.url("/ok", HOST)))
    assert (outcome.status, outcome.error_class, outcome.address) == (200, None, "127.0.0.1")


@pytest.mark.parametrize(("certified", "trusted"), [(HOST, False), ("other.example.org", True)])
async def test_a_certificate_of_another_name_or_an_unknown_issuer_is_a_failure_of_tls(
    tmp_path: Path, certified: str, trusted: bool
) -> None:
    server, client = server_and_client(tmp_path, certified)
    async with Receiver(tls=server) as receiver:
        tls = client if trusted else None
        async with HttpSender(named_gate(receiver), lookup=Names(["127.0.0.1"]), tls=tls) as sender:
            outcome = await sender.send(attempt(receiver.url("/ok", HOST)))
    assert (outcome.status, outcome.error_class) == (None, ErrorClass.TLS)
    assert receiver.requests == []
