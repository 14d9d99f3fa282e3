"""What an operator sees: one canonical line a request, message and timer; one trace from a command to its
last effect; metrics.

An event carries the trace in which it was decided. The relay's send span links to it and leaves it untouched;
a consumer's span is its child, so a command, its consumers and the webhook that follows are one trace.
"""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.settings import Settings
from shared.storage.change import SealedEvent

LINKS_MAX = 100
TRACEPARENT_LENGTH = 55

_tracer = trace.get_tracer("concord")


def configure_logging(settings: Settings, level: int = logging.INFO) -> None:
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


def configure_traces(
    service: str, settings: Settings, exporter: SpanExporter | None = None
) -> TracerProvider:
    """One provider a process. Without an exporter spans are made, so that contexts flow, and kept nowhere."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": service}),
        sampler=ParentBased(TraceIdRatioBased(settings.traces_sample)),
    )
    chosen = exporter or (OTLPSpanExporter(endpoint=settings.traces_url) if settings.traces_url else None)
    if chosen is not None:
        provider.add_span_processor(BatchSpanProcessor(chosen))
    trace.set_tracer_provider(provider)
    return provider


def parse_traceparent(text: str | None) -> SpanContext | None:
    """The span a W3C traceparent names, or None where it is absent or malformed."""
    if text is None or len(text) != TRACEPARENT_LENGTH:
        return None
    version, trace_id, span_id, flags = text.split("-") if text.count("-") == 3 else ("", "", "", "")
    try:
        context = SpanContext(
            trace_id=int(trace_id, 16),
            span_id=int(span_id, 16),
            is_remote=True,
            trace_flags=TraceFlags(int(flags, 16)),
        )
    except ValueError:
        return None
    return context if version == "00" and context.is_valid else None


def current_traceparent() -> str | None:
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


@contextmanager
def span_under(
    parent: str | None, name: str, kind: SpanKind, **attributes: str | int
) -> Iterator[trace.Span]:
    """A span that is a child of the one the traceparent names, or a root of its own."""
    context = parse_traceparent(parent)
    remote = trace.set_span_in_context(trace.NonRecordingSpan(context)) if context else None
    with _tracer.start_as_current_span(name, context=remote, kind=kind, attributes=attributes) as span:
        yield span


@contextmanager
def send_span(events: Sequence[SealedEvent]) -> Iterator[None]:
    """One span a window, linked to where its events were decided."""
    contexts = (parse_traceparent(event.trace) for event in events[:LINKS_MAX] if event.trace)
    links = [Link(context) for context in contexts if context and context.trace_flags.sampled]
    if not links:
        yield
        return
    attributes: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.destination.name": events[0].topic,
        "messaging.batch.message_count": len(events),
    }
    with _tracer.start_as_current_span(
        f"send {events[0].topic}", kind=SpanKind.CLIENT, links=links, attributes=attributes
    ):
        yield


class Metrics:
    """One registry a service, so that several services of one process keep their figures apart."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.commit_group_size = Histogram(
            "commit_group_size",
            "Changes written in one transaction",
            buckets=(1, 2, 5, 10, 20, 50, 100),
            registry=self.registry,
        )
        self.relay_behind_events = self._gauge(
            "relay_behind_events", "Committed events not yet acknowledged by Kafka"
        )
        self.relay_behind_s = self._gauge(
            "relay_behind_s", "Age of the oldest committed event not yet acknowledged by Kafka"
        )
        self.writers_adopted_total = self._gauge(
            "writers_adopted_total", "Logs taken over from dead processes"
        )
        self.parked_total = self._counter("parked_total", "Messages parked", "consumer", "reason")
        self.duplicates_dropped_total = self._counter(
            "duplicates_dropped_total", "Records seen before", "consumer"
        )
        self.events_consumed_total = self._counter("events_consumed_total", "Records handled", "consumer")
        self.consumer_lag = self._gauge(
            "consumer_lag", "Records not yet handled", "consumer", "topic", "partition"
        )
        self.ack_failures_total = self._counter(
            "ack_failures_total", "Offsets that could not be committed; their records come again"
        )
        self.projection_as_of_age_s = self._gauge(
            "projection_as_of_age_s", "How long ago a view was last level with its topics", "view"
        )
        self.timers_overdue_s = self._gauge("timers_overdue_s", "How late the oldest due timer is")
        self.requests_total = self._counter("requests_total", "HTTP requests", "method", "route", "status")
        self.request_s = Histogram(
            "request_s", "How long a request took", ["method", "route"], registry=self.registry
        )

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(name, what, labels, registry=self.registry)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(name, what, labels, registry=self.registry)
