"""One command, three services, one trace: from the request to the webhook that comes of it."""

import json
import secrets
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

from shared.settings import Settings
from shared.telemetry import configure_traces, parse_traceparent
from tests.journeys import steps
from tests.journeys.steps import OFFICER
from tests.support.house import House
from tests.support.receiver import Received, Receiver

pytestmark = pytest.mark.asyncio


class Spans(SpanExporter):
    """What was exported while somebody listens."""

    def __init__(self) -> None:
        self.provider: TracerProvider | None = None
        self.kept: list[ReadableSpan] = []
        self.listening = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.listening:
            self.kept.extend(spans)
        return SpanExportResult.SUCCESS

    def of_trace(self, trace_id: int) -> list[ReadableSpan]:
        assert self.provider is not None
        self.provider.force_flush()
        return [span for span in self.kept if span.context and span.context.trace_id == trace_id]


@pytest_asyncio.fixture(loop_scope="session")
async def spans() -> AsyncIterator[Spans]:
    """A process has one provider for its life, so afterwards only the listening ends."""
    exporter = Spans()
    settings = Settings(demo=True, traces_sample=1.0)
    exporter.provider = configure_traces("journeys", settings, exporter)
    yield exporter
    exporter.listening = False


async def test_a_suspension_is_one_trace_through_three_services_to_the_webhook_that_tells_of_its_hold(
    house: House, spans: Spans
) -> None:
    partner = await steps.register_partner(house)
    system = await steps.register_system(house, ("partner", partner.id))
    agreement = await steps.send(house, await steps.draft(house, partner))
    trace_id, asker = secrets.randbits(127) + 1, secrets.randbits(63) + 1
    suspension = f"/partners/v1/partners/{partner.id}/suspensions"
    async with Receiver() as receiver:
        async with steps.subscribed(house, system, receiver.url("/ok"), "agreement.hold_opened.v1"):
            await house.post(
                OFFICER,
                suspension,
                {"reason": "The accounts are late"},
                traceparent=f"00-{trace_id:032x}-{asker:016x}-01",
            )
            await receiver.until(lambda: len(receiver.requests) == 1, timeout_s=30)
    [call] = receiver.requests
    assert json.loads(call.body)["subject"] == agreement["id"]
    await house.eventually(lambda: is_whole(spans, trace_id, asker, call))


async def is_whole(spans: Spans, trace_id: int, asker: int, call: Received) -> bool:
    """Every span hangs on another one of the trace, and the request on whoever asked."""
    found = {span.context.span_id: span for span in spans.of_trace(trace_id) if span.context}
    told = parse_traceparent(call.headers["traceparent"])
    assert told is not None
    assert told.trace_id == trace_id
    groups = {
        (span.attributes or {}).get("messaging.consumer.group.name")
        for span in found.values()
        if span.kind is SpanKind.CONSUMER
    }
    wanted = {
        "concord.agreements.standing",
        "concord.notifications.deliveries_of_partners",
        "concord.notifications.deliveries_of_agreements",
        "concord.notifications.webhooks_of_agreements",
        "concord.notifications.feed_of_agreements",
        "concord.partners.notices",
    }
    if not wanted <= groups or told.span_id not in found:
        return False
    [server] = [span for span in found.values() if span.kind is SpanKind.SERVER]
    assert server.name == "POST /partners/v1/partners/{id}/suspensions"
    assert server.parent is not None
    assert server.parent.span_id == asker
    assert found[told.span_id].name == "webhook"
    assert "timer follow_standing" in {span.name for span in found.values()}
    assert any(link.context.trace_id == trace_id for span in spans.kept for link in span.links)
    others = [span for span in found.values() if span is not server]
    assert all(span.parent is not None and span.parent.span_id in found for span in others)
    return True
