"""docker-compose.yml and the image. No engine runs where this is tested: what can be known without one is."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from deploy.local.mongodb import TRANSACTION_LIFETIME_S
from deploy.local.oidc.settings import OidcSettings
from deploy.local.places import ROOT
from deploy.local.stack import SIGNED_IN_AT
from services.__main__ import SERVICES
from services.partners.people.pages.sign_in import RETURN
from shared.settings import Settings
from shared.web.static_files import OF_OTHERS
from tests.browser.look import AXE
from tests.local.waiting import own_environment

KEY = "CONCORD_INTERNAL_KEY"
PROFILES = ("--profile", "demo", "--profile", "telemetry")
OURS = {*SERVICES, "sign-in", "seed"}
ONCE = {"seed"}
# Its image has no shell and no client that could ask it.
UNASKED = {"collector"}

Compose = dict[str, Any]


@pytest.fixture(scope="module")
def demo() -> dict[str, str]:
    lines = (ROOT / "deploy" / "docker" / "demo.env").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {**{name: value for name, _, value in pairs}, KEY: "k" * 32}


@pytest.fixture(scope="module")
def compose(demo: dict[str, str]) -> Compose:
    """The file as docker-compose understands it, all profiles on."""
    done = config(demo, *PROFILES)
    assert done.returncode == 0, done.stderr
    return dict(yaml.safe_load(done.stdout))


def test_docker_compose_accepts_the_file(compose: Compose) -> None:
    assert {*SERVICES, "mongodb", "kafka", "edge"} <= set(compose["services"])


def test_the_demonstration_is_one_profile(compose: Compose, demo: dict[str, str]) -> None:
    profiles = {name: service.get("profiles", []) for name, service in compose["services"].items()}
    assert {name for name, among in profiles.items() if "demo" in among} == {"sign-in", "seed"}
    assert profiles["collector"] == ["telemetry"]
    assert demo["COMPOSE_PROFILES"] == "demo"


@pytest.mark.parametrize("needed", [KEY, "CONCORD_OIDC_ISSUER"])
def test_without_a_setting_it_needs_it_says_which(demo: dict[str, str], needed: str) -> None:
    done = config({name: value for name, value in demo.items() if name != needed})
    assert done.returncode != 0
    assert ".env" in done.stderr


def test_each_waits_until_what_it_needs_is_healthy(compose: Compose) -> None:
    services = compose["services"]
    for name in OURS - {"sign-in"}:
        needs = services[name]["depends_on"]
        assert {"mongodb", "kafka"} <= set(needs), name
        assert {need["condition"] for need in needs.values()} == {"service_healthy"}, name
    assert set(services["edge"]["depends_on"]) == set(SERVICES)


def test_each_says_when_it_is_healthy(compose: Compose) -> None:
    image_asks = "/readyz" in dockerfile()
    for name, service in compose["services"].items():
        asked = "test" in service.get("healthcheck", {}) or (name in SERVICES and image_asks)
        assert asked or name in ONCE | UNASKED, f"{name} has no health check"


def test_ours_may_do_nothing_they_do_not_need(compose: Compose) -> None:
    for name in OURS | {"edge"}:
        service = compose["services"][name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
    assert re.search(r"^USER 10001:10001$", dockerfile(), re.MULTILINE)


def test_only_the_edge_and_the_demos_sign_in_are_reached_from_outside_and_only_from_this_machine(
    compose: Compose,
) -> None:
    published = {
        name: service["ports"] for name, service in compose["services"].items() if "ports" in service
    }
    assert set(published) == {"edge", "sign-in"}
    assert compose["networks"]["inner"]["internal"] is True
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r'ports: \["([0-9.]+):', text)) == {"127.0.0.1"}


def test_every_setting_is_one_the_services_know(compose: Compose) -> None:
    kinds: list[type[BaseSettings]] = [Settings, OidcSettings, *(kind.settings for kind in SERVICES.values())]
    known = {f"CONCORD_{name.upper()}" for kind in kinds for name in kind.model_fields}
    for name in OURS:
        given = {each for each in compose["services"][name]["environment"] if each.startswith("CONCORD_")}
        assert given <= known, f"{name}: {given - known}"


def test_the_demos_sign_in_knows_where_browsers_come_back_to(compose: Compose) -> None:
    services = compose["services"]
    origin = services["partners"]["environment"]["CONCORD_PUBLIC_URL"]
    assert services["sign-in"]["environment"]["CONCORD_OIDC_REDIRECT_URIS"] == origin + SIGNED_IN_AT
    assert RETURN == SIGNED_IN_AT


def test_the_versions_are_those_of_the_local_stack(compose: Compose) -> None:
    pom = (ROOT / "deploy" / "local" / "kafka" / "pom.xml").read_text()
    kafka = re.search(r"<artifactId>kafka_2\.13</artifactId>\s*<version>([^<]+)</version>", pom)
    assert kafka is not None
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{kafka.group(1)}"
    lifetime = f"--setParameter=transactionLifetimeLimitSeconds={TRANSACTION_LIFETIME_S}"
    assert lifetime in compose["services"]["mongodb"]["command"]


def test_no_secret_is_written_down() -> None:
    for path in (ROOT / "docker-compose.yml", *(ROOT / "deploy" / "docker").iterdir()):
        for name, value in re.findall(
            r"^\s*(\w*(?:KEY|KEYS|PASSWORD|SECRET))[:=] *(.*)$", path.read_text(), re.M
        ):
            assert value == "" or value.startswith("${"), f"{path.name} gives {name} a value"


def test_every_service_has_its_way_through_the_edge() -> None:
    text = (ROOT / "deploy" / "docker" / "Caddyfile").read_text()
    for name in SERVICES:
        assert f"reverse_proxy {name}:8080" in text
    assert text.index("respond @machine 404") < text.index("reverse_proxy")


def test_what_the_image_copies_is_enough_for_all_it_runs(tmp_path: Path) -> None:
    """Lay out the image's files, and import what the containers start, with nothing else on the path."""
    prefix = "/opt/concord/house/"
    for sources, target in copied():
        for source in sources if target.startswith(prefix) else []:
            put(ROOT / source, tmp_path / target.removeprefix(prefix), into=target.endswith("/"))
    starts = "services.__main__, services.cli, deploy.local.demo_data, deploy.local.oidc.__main__"
    tried = subprocess.run(
        [sys.executable, "-c", f"import {starts}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=own_environment(),
    )
    assert tried.returncode == 0, tried.stderr


def test_what_the_image_installs_is_pinned_with_hashes() -> None:
    installs = re.findall(r"(?:uv )?pip install .*", dockerfile())
    assert installs
    for install in installs:
        assert "--require-hashes" in install or re.search(r" uv==[\d.]+", install), install


def test_the_image_has_the_files_that_pages_bring_along_and_not_those_of_the_tests() -> None:
    removed = re.search(r"rm -r ([^\n]+)", dockerfile())
    assert removed is not None
    patterns = removed.group(1).split()
    assert any(fnmatch(AXE, f"{pattern}/*") for pattern in patterns)
    assert not any(fnmatch(path, f"{pattern}*") for path in OF_OTHERS.values() for pattern in patterns)


def copied() -> list[tuple[list[str], str]]:
    joined = re.sub(r"\\\n\s*", "", dockerfile())
    copies = [line.split()[1:] for line in joined.splitlines() if line.startswith("COPY ")]
    return [(words[:-1], words[-1]) for words in copies if not words[0].startswith("--from")]


def put(source: Path, target: Path, *, into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        return
    place = target / source.name if into else target
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)


def dockerfile() -> str:
    return (ROOT / "deploy" / "docker" / "Dockerfile").read_text()


def config(settings: Mapping[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    command = [*program(), *options, "config"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env(settings), cwd=ROOT)


def program() -> list[str]:
    return ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]


def env(settings: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in own_environment().items() if not name.startswith("COMPOSE_")}
    return {**kept, **settings}
