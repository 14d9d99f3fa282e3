"""The register command over HTTP with all services in one process, and what each service holds at rest.

The load is open: requests leave at an even rate whether or not answers have come, so a stall is not hidden.
The services run in a process of their own, as they would; the client's own cost is not in the figures.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bench.measuring import Row, percentile, resident_mb
from deploy.local import demo_data
from deploy.local.oidc.server import running_provider
from deploy.local.oidc.settings import OidcSettings
from deploy.local.ports import free_port
from services.__main__ import application, settings_of
from services.partners import seed
from shared.ids import new_id, uuid7

PER_S = 200
WARM_S = 3
MEASURED_S = 20
READY_S_MAX = 60.0
P99_MS_MAX = 60.0
REST_MB_MAX = 200.0
ALONE = ("partners", "agreements", "notifications")


async def rows(mongo_url: str, bootstrap: str) -> list[Row]:
    async with running_provider(OidcSettings(demo=True)) as provider:
        environment = _environment(mongo_url, bootstrap, provider.issuer)
        async with _running("all", environment) as (url, pid):
            await _seed(environment)
            rest = resident_mb(pid)
            took_ms = await _load(url, provider.access_token("officer"))
            busy = resident_mb(pid)
        alone = {name: await _at_rest(name, environment) for name in ALONE}
    p50, p99 = percentile(took_ms, 0.5), percentile(took_ms, 0.99)
    held = ", ".join(f"{name} {size:.0f} MB" for name, size in alone.items())
    return [
        Row(
            what=f"register a partner over HTTP, open loop at {PER_S}/s, p99",
            ours=f"{p99:.1f} ms (p50 {p50:.1f} ms)",
            raw="",
            ratio="",
            reach=f"under {P99_MS_MAX:.0f} ms",
            met=p99 < P99_MS_MAX,
            memory=f"{rest:.0f} MB at rest, {busy:.0f} MB after (all three)",
        ),
        Row(
            what="a service at rest",
            ours=held,
            raw="",
            ratio="",
            reach=f"under {REST_MB_MAX:.0f} MB each",
            met=max(alone.values()) < REST_MB_MAX,
            memory="",
        ),
    ]


def _environment(mongo_url: str, bootstrap: str, issuer: str) -> dict[str, str]:
    name, port = f"bench{new_id('h')[-8:].lower()}", free_port()
    return {
        **os.environ,
        "CONCORD_DEMO": "true",
        "CONCORD_MONGO_URL": mongo_url,
        "CONCORD_KAFKA_URL": bootstrap,
        "CONCORD_MONGO_DATABASE_PREFIX": name,
        "CONCORD_KAFKA_TOPIC_PREFIX": f"{name}.",
        "CONCORD_OIDC_ISSUER": issuer,
        "CONCORD_HTTP_PORT": str(port),
        "CONCORD_PARTNERS_URL": f"http://127.0.0.1:{port}",
        "CONCORD_INTERNAL_KEY": "a key for benches, which is long enough",
    }


@asynccontextmanager
async def _running(service: str, environment: dict[str, str]) -> AsyncIterator[tuple[str, int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services", service, env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{environment['CONCORD_HTTP_PORT']}"
    try:
        await asyncio.wait_for(_ready(url), READY_S_MAX)
        yield url, process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession() as client:
        while True:
            try:
                async with client.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)


async def _seed(environment: dict[str, str]) -> None:
    changes: dict[str, Any] = {
        "demo": True,
        "mongo_url": environment["CONCORD_MONGO_URL"],
        "kafka_url": environment["CONCORD_KAFKA_URL"],
        "mongo_database_prefix": environment["CONCORD_MONGO_DATABASE_PREFIX"],
        "kafka_topic_prefix": environment["CONCORD_KAFKA_TOPIC_PREFIX"],
        "internal_key": environment["CONCORD_INTERNAL_KEY"],
    }
    made = application("partners", settings_of("partners", **changes))
    await made.start_for_one_command()
    await seed.seed(made.runtime, demo_data.PEOPLE, demo_data.PARTNERS)
    await made.stop()


async def _at_rest(service: str, environment: dict[str, str]) -> float:
    async with _running(service, environment) as (_, pid):
        await asyncio.sleep(5)
        return resident_mb(pid)


async def _load(url: str, token: str) -> Sequence[float]:
    loop = asyncio.get_running_loop()
    took_ms: list[float] = []
    connector = aiohttp.TCPConnector(limit=0)
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as client:

        async def one(at: float, number: int, measured: bool) -> None:
            await asyncio.sleep(max(0.0, at - loop.time()))
            body = {
                "legal_name": f"Residents' Federation {new_id('n')}",
                "kind": "civil_society",
                "country": "KEN",
                "contact": {"name": "Achieng' Otieno", "email": f"c{number}@example.org", "language": "en"},
            }
            key = {"Idempotency-Key": str(uuid7())}
            async with client.post(f"{url}/partners/v1/partners", json=body, headers=key) as answer:
                text = await answer.text()
                assert answer.status == 201, text
            if measured:
                took_ms.append((loop.time() - at) * 1000)

        begin = loop.time() + 0.5
        numbers = range(PER_S * (WARM_S + MEASURED_S))
        await asyncio.gather(*(one(begin + n / PER_S, n, n >= PER_S * WARM_S) for n in numbers))
    return took_ms
