"""What only a real connection can do: send slowly, send far too much, go away half-way."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from shared.contracts.partners.person import RoleWithdrawn
from shared.contracts.vocabulary import Role
from shared.http.running import LET_IN_S_MAX
from shared.ids import new_id
from tests.service.http.small_service import SmallService, on_a_socket, open_small_service

pytestmark = pytest.mark.asyncio
OFFICER = "officer"
PATIENCE_S = 0.8
MEGABYTE = 1_048_576


class Wire:
    """The service on a socket, spoken to in bytes."""

    def __init__(self, service: SmallService, host: str, port: int) -> None:
        self.service, self._host, self._port = service, host, port

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._host, self._port)

    def head(
        self, *headers: str, path: str = "/members", method: str = "POST", subject: str = OFFICER
    ) -> bytes:
        own = self.service.headers(subject, Idempotency_Key=new_id("k"), Content_Type="application/json")
        lines = [f"{method} /partners/v1{path} HTTP/1.1", "Host: concord", *headers]
        lines += [f"{name}: {value}" for name, value in own.items()]
        return "\r\n".join([*lines, "", ""]).encode()


class Heard:
    """One answer as it came over the wire."""

    def __init__(self, head: str, body: bytes) -> None:
        first, _, rest = head.partition("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in rest.split("\r\n"))
        }
        self.code = json.loads(body).get("code")


async def heard(reader: asyncio.StreamReader) -> Heard:
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip("\r\n")
        length = next(line for line in head.split("\r\n") if line.lower().startswith("content-length"))
        return Heard(head, await reader.readexactly(int(length.partition(": ")[2])))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wire(mongo_url: str) -> AsyncIterator[Wire]:
    async with open_small_service(mongo_url, http_request_s_max=PATIENCE_S) as service:
        await service.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
        async with on_a_socket(service.app) as (host, port):
            yield Wire(service, host, port)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def nothing_stored(wire: Wire) -> AsyncIterator[None]:
    before = await wire.service.stored()
    yield
    assert await wire.service.stored() == before


async def test_a_body_that_comes_too_slowly_is_not_waited_for(wire: Wire) -> None:
    reader, writer = await wire.connect()
    writer.write(wire.head("Content-Length: 100") + b'{"name":')
    answer = await heard(reader)
    assert (answer.status, answer.code) == (408, "request_too_slow")
    assert answer.headers["connection"] == "close"
    assert await asyncio.wait_for(reader.read(), 5) == b"", "the connection is still open"
    writer.close()


async def test_a_body_that_trickles_is_not_waited_for_either(wire: Wire) -> None:
    reader, writer = await wire.connect()
    writer.write(wire.head("Content-Length: 10000"))

    async def trickle() -> None:
        while True:
            writer.write(b" ")
            await asyncio.sleep(PATIENCE_S / 20)

    trickling = asyncio.create_task(trickle())
    answer = await heard(reader)
    trickling.cancel()
    assert (answer.status, answer.code) == (408, "request_too_slow")
    writer.close()


async def test_fifty_megabytes_are_refused_and_the_refusal_is_heard(wire: Wire) -> None:
    reader, writer = await wire.connect()
    writer.write(wire.head(f"Content-Length: {50 * MEGABYTE}"))
    for _ in range(50):
        writer.write(b" " * MEGABYTE)
        await writer.drain()
    answer = await heard(reader)
    assert (answer.status, answer.code) == (413, "body_too_large")
    writer.write(wire.head(path="/self", method="GET"))  # The connection is whole: it serves on.
    assert (await heard(reader)).status == 200
    writer.close()


async def test_fifty_megabytes_of_unknown_length_are_refused_too(wire: Wire) -> None:
    reader, writer = await wire.connect()
    writer.write(wire.head("Transfer-Encoding: chunked"))
    for _ in range(50):
        writer.write(b"%x\r\n" % MEGABYTE + b" " * MEGABYTE + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    answer = await heard(reader)
    assert (answer.status, answer.code) == (413, "body_too_large")
    writer.close()


async def test_who_may_not_is_told_so_without_their_body_being_kept(wire: Wire) -> None:
    reader, writer = await wire.connect()
    head = b"POST /partners/v1/members HTTP/1.1\r\nHost: concord\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % (5 * MEGABYTE) + b" " * 5 * MEGABYTE)
    answer = await heard(reader)
    assert (answer.status, answer.code) == (401, "credentials_missing")
    writer.close()


async def test_who_loses_their_role_while_they_are_sending_is_refused(wire: Wire) -> None:
    subject = f"leaving-{new_id('t')}"
    person = await wire.service.admit(subject, Role.PARTNERSHIP_OFFICER)
    body = b'{"name": "Amani"}'
    reader, writer = await wire.connect()
    writer.write(wire.head(f"Content-Length: {len(body)}", subject=subject) + body[:-1])
    sent_at = asyncio.get_running_loop().time()
    await wire.service.hear(person, RoleWithdrawn(person_id=person, role=Role.PARTNERSHIP_OFFICER))
    while asyncio.get_running_loop().time() <= sent_at + LET_IN_S_MAX + 0.05:
        await asyncio.sleep(0.01)
    writer.write(body[-1:])
    answer = await heard(reader)
    assert (answer.status, answer.code) == (403, "not_permitted")
    writer.close()


async def test_who_asks_before_sending_too_much_is_told_not_to(wire: Wire) -> None:
    reader, writer = await wire.connect()
    writer.write(wire.head(f"Content-Length: {50 * MEGABYTE}", "Expect: 100-continue"))
    answer = await heard(reader)
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert answer.headers["connection"] == "close"
    writer.close()


async def test_who_goes_away_half_way_leaves_nothing_behind(wire: Wire) -> None:
    with capture_logs() as lines:
        _, writer = await wire.connect()
        writer.write(wire.head("Content-Length: 100") + b'{"name":')
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        async with asyncio.timeout(5):
            while not any(line["event"] == "request" for line in lines):
                await asyncio.sleep(0.01)
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["status"], line["code"]) == (499, None)


@pytest.mark.parametrize(
    "body", [b"\x00\x01\x02\xff", b"{" * 10_000, b'{"name": "\xed\xa0\x80"}', b"\xfe\xff"]
)
async def test_bytes_that_mean_nothing_are_refused(wire: Wire, body: bytes) -> None:
    reader, writer = await wire.connect()
    writer.write(wire.head(f"Content-Length: {len(body)}") + body)
    answer = await heard(reader)
    assert (answer.status, answer.code) == (400, "json_malformed")
    writer.close()
