"""`make run` once it is set up: one start, one end, and what it says in between."""

import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from deploy.local.mongo_member import Document
from deploy.local.places import Places, Running, State, running
from deploy.local.ports import LOOPBACK, free_ports
from tests.local.launched import Launched, processes_of
from tests.local.waiting import is_running, wait_for_end, wait_until

WARM_START_S = 15.0
WARM_STARTS_MAX = 3
KILLED_END_S = 25.0

Launch = Callable[..., Launched]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    launched: list[Launched] = []

    def start(**settings: str) -> Launched:
        launched.append(Launched(tmp_path / "concord", **settings))
        return launched[-1]

    yield start
    for each in reversed(launched):
        each.end()
    for each in launched[:1]:
        each.wait_until_nothing_is_left()


@pytest.fixture
def given(mongo_url: str, kafka_bootstrap: str) -> dict[str, str]:
    """Settings that name servers which are there already: the start is then a matter of a second."""
    return {"CONCORD_MONGO_URL": mongo_url, "CONCORD_KAFKA_URL": kafka_bootstrap}


def test_ctrl_c_ends_everything_in_order_and_the_next_start_goes_on_quickly(launch: Launch) -> None:
    http_port, sign_in_port = map(str, free_ports(2))
    wished = {"CONCORD_HTTP_PORT": http_port, "CONCORD_OIDC_PORT": sign_in_port}
    first = launch(**wished)
    first.wait_until_ready()
    addresses, pids = ports(first.state), [each.pid for each in first.state.processes]
    assert len(pids) == 4
    write_note(first, "kept")
    end_by_ctrl_c(first, pids)

    starts = [warm_start(launch, wished, addresses)]
    while min(starts) > WARM_START_S and len(starts) < WARM_STARTS_MAX:
        starts.append(warm_start(launch, wished, addresses))
    assert min(starts) <= WARM_START_S, starts


def test_the_application_is_told_every_address(launch: Launch, given: dict[str, str]) -> None:
    launched = launch(**given)
    launched.wait_until_ready()
    told, at = launched.settings_of_the_application(), ports(launched.state)
    assert told == {
        **given,
        "CONCORD_DEMO": "true",
        "CONCORD_HTTP_PORT": str(at["the application"]),
        "CONCORD_OIDC_ISSUER": f"http://{LOOPBACK}:{at['the sign-in of the demo']}",
    }
    assert answers(f"{launched.state.url}/readyz")


def test_servers_that_are_given_are_used_and_none_is_started(launch: Launch, given: dict[str, str]) -> None:
    launched = launch(**given)
    launched.wait_until_ready()
    assert set(ports(launched.state)) == {"the application", "the sign-in of the demo"}
    assert not (launched.places.data / "mongodb").exists()


def test_ctrl_c_during_the_start_leaves_nothing_behind(launch: Launch) -> None:
    launched = launch()
    launched.wait_until_it_says("Starting MongoDB")
    wait_until(lambda: len(processes_of(launched.folder)) > 1, timeout_s=20, what="a server's process")
    launched.send(signal.SIGINT)
    assert launched.status() == 0
    wait_for_end(processes_of(launched.folder), timeout_s=KILLED_END_S)


def test_a_killed_launcher_takes_everything_with_it_and_the_next_start_goes_on(launch: Launch) -> None:
    launched = launch()
    launched.wait_until_ready()
    pids = [each.pid for each in launched.state.processes]
    launched.send(signal.SIGKILL)
    assert launched.status() == -signal.SIGKILL
    again = launch()  # At once: it has to wait for what is still ending.
    wait_for_end(pids, timeout_s=KILLED_END_S)
    again.wait_until_ready()


def test_a_second_start_finds_the_first_and_says_so(launch: Launch, given: dict[str, str]) -> None:
    first = launch(**given)
    first.wait_until_ready()
    second = launch(**given)
    assert second.status() == 0
    assert f"already running here, started by process {first.process.pid}" in second.screen
    assert first.state.url in second.screen
    assert first.process.poll() is None
    assert answers(f"{first.state.url}/readyz")


def test_a_port_that_is_taken_is_replaced_and_the_screen_says_so(
    launch: Launch, given: dict[str, str]
) -> None:
    with socket.create_server((LOOPBACK, 0)) as stranger:
        taken = stranger.getsockname()[1]
        launched = launch(**given, CONCORD_HTTP_PORT=str(taken))
        launched.wait_until_ready()
        at = ports(launched.state)["the application"]
        assert at != taken
        assert f"port {taken} is taken by another program; taking {at}" in launched.screen


def test_a_port_that_is_no_port_is_refused(launch: Launch, given: dict[str, str]) -> None:
    launched = launch(**given, CONCORD_HTTP_PORT="eighty")
    assert launched.status() == 64
    assert "CONCORD_HTTP_PORT is 'eighty', which is no port" in launched.screen


def test_a_part_that_ends_by_itself_ends_the_rest_and_is_named(launch: Launch, given: dict[str, str]) -> None:
    launched = launch(**given)
    launched.wait_until_ready()
    parts = {each.name: each.pid for each in launched.state.processes}
    subprocess.run(["kill", "-9", str(parts["the application"])], check=True)
    assert launched.status() == 70
    assert "the application ended with status -9" in launched.screen
    assert not any(map(is_running, parts.values()))


def test_a_number_that_now_belongs_to_a_stranger_is_not_waited_for(
    launch: Launch, given: dict[str, str], tmp_path: Path
) -> None:
    stranger = running("a stranger", pid=1)
    recycled = Running("MongoDB", pid=1, started_ticks=stranger.started_ticks + 1, port=20_001)
    places = Places(tmp_path / "concord")
    places.folder.mkdir()
    places.write_state(State(processes=(recycled,)))
    launched = launch(**given)
    launched.wait_until_ready()
    assert "Waiting for what the last start left behind" not in launched.screen


def test_a_state_file_cut_in_half_is_no_obstacle(
    launch: Launch, given: dict[str, str], tmp_path: Path
) -> None:
    places = Places(tmp_path / "concord")
    places.folder.mkdir()
    places.state.write_text('{"launcher": {"pid":')
    launched = launch(**given)
    launched.wait_until_ready()


def warm_start(launch: Launch, wished: dict[str, str], addresses: dict[str, int | None]) -> float:
    """How long a start takes that finds everything there; other work on the machine may slow one down."""
    began = time.monotonic()
    launched = launch(**wished)
    launched.wait_until_ready()
    took_s = time.monotonic() - began
    assert ports(launched.state) == addresses
    assert notes(launched) == ["kept"]
    end_by_ctrl_c(launched, [each.pid for each in launched.state.processes])
    return took_s


def end_by_ctrl_c(launched: Launched, pids: list[int]) -> None:
    launched.send(signal.SIGINT)
    assert launched.status() == 0
    assert "Ending in order" in launched.screen
    assert not any(map(is_running, pids))
    assert not (launched.places.data / "mongodb" / "mongod.lock").read_text()  # Left by an orderly end only.


def write_note(launched: Launched, text: str) -> None:
    with MongoClient[Document](launched.settings_of_the_application()["CONCORD_MONGO_URL"]) as client:
        client["stack"]["notes"].insert_one({"text": text})


def notes(launched: Launched) -> list[str]:
    with MongoClient[Document](launched.settings_of_the_application()["CONCORD_MONGO_URL"]) as client:
        return [note["text"] for note in client["stack"]["notes"].find()]


def ports(state: State) -> dict[str, int | None]:
    return {each.name: each.port for each in state.processes}


def answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=5) as answer:
        return bool(answer.status == 200)
