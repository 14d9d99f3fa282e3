"""Webhooks as a channel: one signed request a delivery, and what its outcome means for delivery and endpoint.

Which of an endpoint's deliveries go out now is a question of its breaker and of what it asked for itself
(Retry-After): both are in memory, one set a process, since losing them costs a few requests and no delivery.
Whether it is switched off stands in its document.

The request carries the trace of the command that made the event, so one trace spans from there to the
receiver.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from opentelemetry.trace import SpanKind

from services.notifications.deliveries.domain.delivery import (
    Again,
    Evidence,
    GivenUp,
    Item,
    Result,
    SetAside,
    State,
    Taken,
)
from services.notifications.deliveries.ledger import DISABLED
from services.notifications.deliveries.readers import Readers
from services.notifications.webhooks import breaker as breakers
from services.notifications.webhooks.adapters import Sender
from services.notifications.webhooks.bodies import Bodies
from services.notifications.webhooks.book import Book
from services.notifications.webhooks.breaker import Breaker
from services.notifications.webhooks.documents import Address
from services.notifications.webhooks.domain import (
    ATTEMPT_TIMEOUT_S,
    Attempt,
    Dead,
    Delivered,
    DisableEndpoint,
    Outcome,
    RetryAt,
    next_step,
    pause_until,
)
from services.notifications.webhooks.handlers import disable_gone_endpoint
from services.notifications.webhooks.signing import SealingKeys, signed_headers, unseal
from shared.contracts.envelope import CONTENT_TYPE
from shared.contracts.notifications.delivery import Channel
from shared.service import Runtime
from shared.storage.repository import Unit
from shared.telemetry import current_traceparent, span_under

UNDER_WAY_MAX = 10
# Held in memory for each request that may be under way.
HELD_A_PLACE = 10
HELD_A_PLACE_MAX = 100
# Beside the request itself: reading the endpoint, its owner and the body.
AROUND_S = 5.0


class WebhookCarrier:
    channel = Channel.WEBHOOK

    def __init__(
        self,
        runtime: Runtime,
        *,
        book: Book,
        bodies: Bodies,
        readers: Readers,
        keys: SealingKeys,
        open_sender: Callable[[], Sender],
        timeout_s: float = ATTEMPT_TIMEOUT_S,
    ) -> None:
        self._runtime, self._book, self._bodies, self._readers = runtime, book, bodies, readers
        self._keys, self._open_sender, self._timeout_s = keys, open_sender, timeout_s
        self.carry_s_max = timeout_s + AROUND_S
        self._sender: Sender | None = None
        self._breakers: dict[str, Breaker] = {}
        self._paused: dict[str, datetime] = {}
        self._secrets: dict[str, str] = {}

    def width(self, target: str) -> int:
        address = self._book.find(target)
        if address is None or address.disabled_because is not None or self._is_paused(target):
            return 0
        return breakers.width(self._breaker(target), self._runtime.clock.real(), UNDER_WAY_MAX)

    def room(self, target: str, *, plenty: bool) -> int:
        if self._breaker(target).is_open:
            return 1
        return self.width(target) * (HELD_A_PLACE_MAX if plenty else HELD_A_PLACE)

    def closed_because(self, target: str) -> str:
        address = self._book.find(target)
        if address is None or address.disabled_because is not None:
            return DISABLED
        return "paused" if self._is_paused(target) else "breaker"

    def _is_paused(self, target: str) -> bool:
        until = self._paused.get(target)
        if until is not None and until <= self._runtime.clock.real():
            del self._paused[target]
            return False
        return until is not None

    def _breaker(self, target: str) -> Breaker:
        return self._breakers.get(target) or Breaker(endpoint_id=target)

    async def carry(self, item: Item) -> Result:
        address = self._book.find(item.target)
        if address is None or address.disabled_because is not None:
            return SetAside(reason=DISABLED)
        if not await self._readers.may_be_told(item):
            return GivenUp(reason="not_disclosed", state=State.SUPPRESSED)
        body = await self._bodies.find(item.about.event_id)
        if body is None:
            return GivenUp(reason="body_no_longer_kept")
        started_at = self._runtime.clock.real()
        outcome = await self._send(item, address, body, started_at)
        return await self._result(item, outcome, started_at)

    async def _send(self, item: Item, address: Address, body: bytes, now: datetime) -> Outcome:
        before = self._breaker(item.target)
        if before.is_open:
            self._breakers[item.target] = breakers.begin_probe(before, now)
        attributes = {"messaging.message.id": item.about.event_id, "concord.endpoint": item.target}
        with span_under(item.trace, "webhook", SpanKind.CLIENT, **attributes) as span:
            outcome = await self._open().send(self._attempt(item, address, body, now))
            span.set_attribute("http.response.status_code", outcome.status or 0)
        if outcome.blames_endpoint:
            self._record(item.target, outcome, probe=before.is_open)
        return outcome

    def _open(self) -> Sender:
        """Made at the first request: it belongs to the loop that sends."""
        if self._sender is None:
            self._sender = self._open_sender()
        return self._sender

    def _attempt(self, item: Item, address: Address, body: bytes, now: datetime) -> Attempt:
        secrets = [
            self._unsealed(one.sealed, address.id)
            for one in address.secrets
            if one.until is None or now < one.until
        ]
        signed = signed_headers(secrets, item.about.event_id, int(now.timestamp()), body)
        headers = [*signed, ("content-type", CONTENT_TYPE)]
        if traceparent := current_traceparent():
            headers.append(("traceparent", traceparent))
        if item.replay_id is not None:
            headers.append(("webhook-replay", item.replay_id))
        return Attempt(
            endpoint_id=address.id,
            url=address.url,
            headers=tuple(headers),
            body=body,
            timeout_s=self._timeout_s,
        )

    def _unsealed(self, sealed: str, endpoint_id: str) -> str:
        if sealed not in self._secrets:
            self._secrets[sealed] = unseal(sealed, self._keys, owner=endpoint_id)
        return self._secrets[sealed]

    def _record(self, target: str, outcome: Outcome, *, probe: bool) -> None:
        now = self._runtime.clock.real()
        good = outcome.delivered
        self._breakers[target] = breakers.record(self._breaker(target), good=good, now=now, probe=probe)
        until = pause_until(outcome, now)
        if until is not None:
            self._paused[target] = until

    async def _result(self, item: Item, outcome: Outcome, started_at: datetime) -> Result:
        now, evidence = self._runtime.clock.real(), _evidence(outcome, started_at)
        step = next_step(
            outcome, delivery_id=item.id, attempt=item.attempts + 1, created_at=item.since, now=now
        )
        match step:
            case Delivered():
                return Taken(state=State.DELIVERED, evidence=evidence)
            case RetryAt():
                after_s = max((step.at - now) / timedelta(seconds=1), 0.0)
                return Again(after_s=after_s, reason=step.reason, evidence=evidence, counts=step.counted)
            case Dead():
                return GivenUp(reason=step.reason, evidence=evidence)
            case DisableEndpoint():
                await self._disable(item.target, step.reason)
                return SetAside(reason=DISABLED, evidence=evidence)

    async def _disable(self, endpoint_id: str, reason: str) -> None:
        """The receiver says that it is gone. What is meant for it is kept until somebody enables it again."""

        async def work(unit: Unit) -> None:
            await disable_gone_endpoint(endpoint_id, reason, unit)

        await self._runtime.perform(self._runtime.system_context("webhooks"), work)
        await self._book.look()

    async def stage(self, item: Item, result: Taken | GivenUp, unit: Unit) -> None:
        """Nothing beside the outcome."""

    async def close(self) -> None:
        if self._sender is not None:
            await self._sender.close()


def _evidence(outcome: Outcome, started_at: datetime) -> Evidence:
    return Evidence(
        started_at=started_at,
        took_ms=round(outcome.duration_ms),
        error=None if outcome.error_class is None else outcome.error_class.value,
        status=outcome.status,
        address=outcome.address,
        answer=outcome.response_head,
    )
