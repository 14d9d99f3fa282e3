"""The whole of it: the real services on real servers, by the launcher as `make run` has it."""

import json
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.ports import free_ports
from tests.local.launched import Launched
from tests.local.waiting import own_environment


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    http_port, sign_in_port = map(str, free_ports(2))
    folder = tmp_path_factory.mktemp("run") / "concord"
    launched = Launched(
        folder, application="real", CONCORD_HTTP_PORT=http_port, CONCORD_OIDC_PORT=sign_in_port
    )
    launched.wait_until_ready()
    yield launched
    launched.send(signal.SIGINT)
    assert launched.status() == 0
    launched.wait_until_nothing_is_left()


def test_the_commands_on_the_screen_do_what_they_say(running: Launched) -> None:
    running.wait_until_it_says("make clean")
    shown = re.search(r"list the partners:\n(.*?)\n\n", running.screen, re.DOTALL)
    assert shown is not None, running.screen
    asked = subprocess.run(
        ["sh", "-euc", shown.group(1)],
        capture_output=True,
        text=True,
        check=False,
        env=own_environment(NO_PROXY="*", no_proxy="*"),
    )
    assert asked.returncode == 0, asked.stderr
    names = [partner["legal_name"] for partner in json.loads(asked.stdout)["items"]]
    assert "Lakeside Residents' Federation" in names


def test_nothing_is_missing_once_the_screen_says_ready(running: Launched) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{running.state.url}/readyz", timeout=5) as answer:
        parts = {part["part"]: part["ok"] for part in json.load(answer)}
    assert {"partners", "agreements", "notifications"} <= parts.keys()
    assert all(parts.values())


def test_demo_data_is_there_when_the_screen_says_ready(running: Launched) -> None:
    log = Path(running.places.log / "seed.log").read_text()
    assert re.search(r"\d+ people, \d+ partners", log), log
