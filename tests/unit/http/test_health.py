"""How a service says how it is."""

import json
from typing import Any

from starlette.responses import Response

from shared.http.health import Health


def said(response: Response) -> tuple[int, list[Any]]:
    return response.status_code, json.loads(bytes(response.body))


def test_a_service_is_not_ready_before_it_has_started() -> None:
    health = Health()
    starting = (503, [{"part": "start", "ok": False, "detail": "still starting"}])
    assert said(health.startup()) == starting
    assert health.ready().status_code == 503
    health.started()
    assert said(health.startup()) == (200, [{"part": "start", "ok": True, "detail": "ok"}])
    assert health.ready().status_code == 200


def test_what_is_missing_is_said_in_words() -> None:
    health = Health()
    health.started()
    health.register("mongo", lambda: None)
    health.register("kafka", lambda: "not connected yet")
    status, parts = said(health.ready())
    assert status == 503
    assert {"part": "kafka", "ok": False, "detail": "not connected yet"} in parts
    assert {"part": "mongo", "ok": True, "detail": "ok"} in parts


def test_only_what_a_restart_mends_ends_a_process() -> None:
    health = Health()
    health.register("kafka", lambda: "away")
    assert said(health.live()) == (200, [])
    health.register("consumer", lambda: "stuck for 60 s", vital=True)
    assert said(health.live()) == (503, [{"part": "consumer", "ok": False, "detail": "stuck for 60 s"}])


def test_who_is_stopping_is_sent_nothing_more_and_is_still_alive() -> None:
    health = Health()
    health.started()
    health.stopping()
    assert (health.ready().status_code, health.live().status_code, health.startup().status_code) == (
        503,
        200,
        200,
    )
