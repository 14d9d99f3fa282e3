"""One trace from the command that made an event to the receiver of its webhook, and to the fact of it."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from shared import telemetry
from shared.contracts.envelope import open_envelope
from shared.contracts.notifications.delivery import Channel
from shared.ids import new_id
from shared.storage.change import EVENTS
from shared.telemetry import parse_traceparent
from tests.service.notifications.desk import Desk, registered
from tests.support.receiver import Receiver

pytestmark = pytest.mark.asyncio

COMMAND = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is recorded while a test runs; the process's own provider stays as it is."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    return exporter


async def test_a_webhook_is_in_the_trace_of_the_command_that_made_its_event(
    desk: Desk, receiver: Receiver, spans: InMemorySpanExporter
) -> None:
    await desk.endpoint(receiver.url("/ok"), "partner.*")
    await desk.start(Channel.WEBHOOK)
    await desk.hear(registered(new_id("ptn")), trace=COMMAND)
    await desk.until_states(channel="webhook", delivered=1)
    (webhook,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.CLIENT]
    sent, command = (
        parse_traceparent(text) for text in (receiver.requests[0].headers["traceparent"], COMMAND)
    )
    assert sent is not None and command is not None and webhook.context is not None
    assert (sent.trace_id, sent.span_id) == (command.trace_id, webhook.context.span_id)
    by_id = {span.context.span_id: span for span in spans.get_finished_spans() if span.context}
    assert webhook.parent is not None
    consumer = by_id[webhook.parent.span_id]
    assert consumer.kind is SpanKind.CONSUMER
    assert consumer.parent is not None and consumer.parent.span_id == command.span_id


async def test_the_fact_of_a_delivery_is_in_that_trace_and_names_its_cause(
    desk: Desk, receiver: Receiver
) -> None:
    await desk.endpoint(receiver.url("/ok"), "partner.*")
    await desk.start(Channel.WEBHOOK)
    (record,) = await desk.hear(registered(new_id("ptn")), trace=UNSAMPLED)
    await desk.until_states(channel="webhook", delivered=1)
    cause = open_envelope(record.value)
    (event,) = [one async for one in desk.mongo[EVENTS].find({"type": "delivery.accepted.v1"})]
    fact = open_envelope(event["body"])
    assert (fact.causationid, fact.correlationid) == (cause.id, cause.correlationid)
    assert fact.traceparent is not None and fact.traceparent[:36] == UNSAMPLED[:36]
