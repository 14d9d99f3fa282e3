"""The other services' clocks over HTTP, under the key of the house.

What is asked for is a level, how far ahead a clock is to be at least, and not a step: asked twice, or after
an answer that was lost, it is the same.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.ids import uuid7

TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class OtherClock:
    """`ahead_s`: nothing where the service did not answer."""

    service: str
    ahead_s: int | None


class _Clock(BaseModel):
    model_config = ConfigDict(extra="ignore")

    now: datetime
    ahead_s: int


class ClocksHttp:
    """`urls`: where each of the other services answers."""

    def __init__(self, urls: Mapping[str, str], internal_key: str) -> None:
        self._urls = urls
        self._client = httpx2.AsyncClient(
            headers={"Authorization": f"Internal {internal_key}"},
            timeout=TIMEOUT_S,
            trust_env=False,
            follow_redirects=False,
        )

    async def read(self) -> list[OtherClock]:
        return await asyncio.gather(*(self._ask("GET", service) for service in self._urls))

    async def bring_to(self, ahead_s: int) -> list[OtherClock]:
        return await asyncio.gather(*(self._ask("POST", service, ahead_s) for service in self._urls))

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, method: str, service: str, ahead_s: int | None = None) -> OtherClock:
        url = f"{self._urls[service].rstrip('/')}/{service}/v1/clock/levels"
        body = None if ahead_s is None else {"ahead_s": ahead_s}
        headers = {} if ahead_s is None else {"Idempotency-Key": str(uuid7())}
        try:
            answer = await self._client.request(method, url, json=body, headers=headers)
            answer.raise_for_status()
            return OtherClock(service=service, ahead_s=_Clock.model_validate_json(answer.content).ahead_s)
        except (httpx2.HTTPError, ValidationError):
            return OtherClock(service=service, ahead_s=None)
