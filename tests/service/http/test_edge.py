"""What holds for every request: one kind of problem, one line in the log, one span, a count, and probes."""

import asyncio
import json
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from structlog.testing import capture_logs

from shared.contracts.vocabulary import Role
from shared.ids import new_id
from shared.storage.event_log import read_stream
from tests.service.http.small_service import Gate, SmallService, gates, open_small_service, problem

pytestmark = pytest.mark.asyncio
OFFICER = "officer"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


async def test_a_bug_is_a_problem_that_tells_nothing_and_a_line_that_tells_all(service: SmallService) -> None:
    before = await service.stored()
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        answer = await service.post(OFFICER, "/breakdowns")
    said = problem(answer, 500, "internal_error")
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    (line,) = [line for line in lines if line["event"] == "request_failed"]
    assert str(line["exc_info"]) == "the password of the database is hunter2"
    assert line["correlation_id"] == said["instance"]
    assert await service.stored() == before


async def test_a_route_that_reads_and_changes_is_a_bug(service: SmallService) -> None:
    problem(await service.get(OFFICER, "/mistakes"), 500, "internal_error")
    assert await service.writing.mongo["remarks"].count_documents({}) == 0


async def test_what_passes_by_itself_says_so_and_does_not_say_what_it_was(service: SmallService) -> None:
    answer = await service.get(OFFICER, "/storms")
    problem(answer, 503, "outside_away")
    assert "postmaster" not in answer.text
    assert answer.headers["retry-after"]


async def test_a_request_that_takes_too_long_is_answered_and_its_key_finds_out(mongo_url: str) -> None:
    async with open_small_service(mongo_url, http_request_s_max=0.3) as service:
        person = await service.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
        gate = gates[name := new_id("g")] = Gate()
        answer = await service.post(OFFICER, f"/waits/{name}", key="k")
        problem(answer, 503, "took_too_long")
        gate.open.set()
        assert (await service.post(OFFICER, f"/waits/{name}", key="k")).json()["id"] == person


async def test_a_request_is_one_line_in_the_log_without_anything_of_its_content(
    service: SmallService,
) -> None:
    subject = "a.person@example.org"
    person = await service.admit(subject, Role.PARTNERSHIP_OFFICER)
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        made = await service.post(subject, "/members?phone=254700000000", {"name": "Wangari Maathai"})
        missing = await service.get(subject, f"/members/{new_id('ptn')}")
    done, refused = [line for line in lines if line["event"] == "request"]
    assert done == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "route": "/partners/v1/members",
        "status": 201,
        "duration_ms": done["duration_ms"],
        "code": None,
        "actor": person,
        "correlation_id": made.headers["correlation-id"],
    }
    assert (refused["route"], refused["status"]) == ("/partners/v1/members/{id}", 404)
    assert refused["code"] == "member_not_found"
    assert refused["correlation_id"] == missing.headers["correlation-id"]
    for secret in (subject, "254700000000", "Wangari", "Bearer"):
        assert secret not in str(lines)


async def test_what_nobody_routes_is_counted_under_one_name(service: SmallService) -> None:
    before = _count(await _figures(service), "unmatched")
    for path in ("/nothing", "/else"):
        await service.get(None, path)
    await service.client.request("BREW", "/members")
    figures = await _figures(service)
    assert _count(figures, "unmatched") == before + 3
    assert "BREW" not in figures
    assert "/nothing" not in figures


async def _figures(service: SmallService) -> str:
    return (await service.client.get("http://concord/partners/metrics")).text


def _count(figures: str, route: str) -> float:
    lines = [line for line in figures.splitlines() if f'route="{route}"' in line and "requests_total" in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


async def test_the_command_is_part_of_the_callers_trace(
    service: SmallService, spans: InMemorySpanExporter
) -> None:
    made = await service.post(OFFICER, "/members", {"name": new_id("m")}, traceparent=f"00-{TRACE}-{SPAN}-01")
    (span,) = _spans(spans, "POST /partners/v1/members")
    assert span.kind is SpanKind.SERVER
    context, parent = span.get_span_context(), span.parent
    assert context is not None
    assert parent is not None
    assert (f"{context.trace_id:032x}", f"{parent.span_id:016x}") == (TRACE, SPAN)
    (event,) = await read_stream(service.writing.mongo, made.json()["id"])
    assert event.trace == f"00-{TRACE}-{context.span_id:016x}-01"


@pytest.mark.parametrize("parent", ["", "x", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{SPAN}-zz", "00-1-2-3"])
async def test_a_trace_that_is_none_is_begun_anew(
    service: SmallService, spans: InMemorySpanExporter, parent: str
) -> None:
    answer = await service.get(OFFICER, "/self", traceparent=parent)
    assert answer.status_code == 200
    (span,) = _spans(spans, "GET /partners/v1/self")
    assert span.parent is None


@pytest.fixture
def spans(service: SmallService, monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is traced while the test runs. A process gets its tracing only once, so it is lent."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("shared.telemetry._tracer", provider.get_tracer("concord"))
    return exporter


def _spans(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


async def test_a_probe_says_what_is_missing_and_leaves_no_trace(mongo_url: str) -> None:
    async with open_small_service(mongo_url) as service:
        service.health.register("kafka", lambda: "not connected yet")
        with capture_logs() as lines:
            assert await _probe(service, "startupz") == (503, ["start"])
            service.health.started()
            assert await _probe(service, "startupz") == (200, [])
            assert await _probe(service, "readyz") == (503, ["kafka"])
            assert await _probe(service, "livez") == (200, [])
        assert lines == []


async def _probe(service: SmallService, name: str) -> tuple[int, list[str]]:
    answer = await service.client.get(f"http://concord/partners/{name}")
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, [part["part"] for part in answer.json() if not part["ok"]]


async def test_the_api_describes_itself(service: SmallService) -> None:
    described: Any = json.loads((await service.client.get("/openapi.json")).content)
    operation = described["paths"]["/partners/v1/members"]["post"]
    assert operation["x-permission"] == "partner:register"
    assert operation["security"] == [{"token": []}, {"key": []}]
    named = {header["name"]: header["required"] for header in operation["parameters"]}
    assert named == {"Idempotency-Key": True, "If-Match": False}
    assert {"201", "401", "422", "default"} <= set(operation["responses"])
    assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}
    assert described["components"]["schemas"]["Problem"]["required"]
    assert described["paths"]["/partners/v1/pings"]["post"]["security"] == []
    for path in ("/docs", "/redoc", "/partners/v1/docs"):
        assert (await service.client.get(f"http://concord{path}")).status_code == 404


async def test_requests_at_once_do_not_mix(service: SmallService) -> None:
    people = {f"person-{number}-{new_id('t')}": "" for number in range(10)}
    for subject in people:
        people[subject] = await service.admit(subject, Role.AUDITOR)
    subjects = list(people) * 5
    answers = await asyncio.gather(*(service.get(subject, "/self") for subject in subjects))
    assert [answer.json()["id"] for answer in answers] == [people[subject] for subject in subjects]
