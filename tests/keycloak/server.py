"""A Keycloak of our own: fetched once by Maven, checked by its hash, started on loopback with one realm."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from deploy.local.child import Child
from deploy.local.places import Places
from deploy.local.ports import LOOPBACK, free_port

VERSION = "26.7.3"
SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
NAME = f"keycloak-quarkus-dist-{VERSION}"
FETCH_TIMEOUT_S = 900.0
START_TIMEOUT_S = 240.0
ASK_TIMEOUT_S = 2.0
REALM = "concord"
HEAP = "-Xms64m -Xmx384m"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"


def keycloak_folder() -> Path:
    """Where it lies unpacked. The archive is fetched where it is missing, and refused where it is another."""
    folder = Places().folder / "keycloak"
    home = folder / f"keycloak-{VERSION}"
    if (home / "complete").exists():
        return home
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{NAME}.zip"
    if not archive.exists():
        _fetch(folder)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert found == SHA256, f"{archive.name} is not the one that is wanted: {found}"
    shutil.rmtree(home, ignore_errors=True)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    (home / "bin" / "kc.sh").chmod(0o755)
    (home / "complete").touch()
    archive.unlink()
    return home


@contextmanager
def running_keycloak(realm: dict[str, object], folder: Path) -> Iterator[str]:
    """Its issuer, while the block runs; its log is in `folder`. It runs where it lies, since what it builds
    at its first start is good for the next; its data of last time is removed.
    """
    home, port = keycloak_folder(), free_port()
    shutil.rmtree(home / "data", ignore_errors=True)
    (home / "data" / "import").mkdir(parents=True)
    (home / "data" / "import" / f"{REALM}.json").write_text(json.dumps(realm))
    address = f"http://{LOOPBACK}:{port}"
    options = [f"--http-port={port}", f"--http-host={LOOPBACK}", f"--hostname={address}", "--import-realm"]
    command = [str(home / "bin" / "kc.sh"), "start-dev", *options, "--cache=local"]
    log, env = folder / "keycloak.log", {"JAVA_OPTS_KC_HEAP": HEAP, "KC_LOG_LEVEL": "warn"}
    server = Child("Keycloak", command, log=log, env=env)
    try:
        issuer = f"{address}/realms/{REALM}"
        server.wait_until(lambda: _answers(issuer), timeout_s=START_TIMEOUT_S)
        yield issuer
    finally:
        server.stop()


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    assert maven is not None, "Maven (mvn) fetches Keycloak; install it"
    artifact = f"-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
    command = [
        maven,
        "-q",
        "-B",
        "--strict-checksums",
        _COPY,
        artifact,
        f"-DoutputDirectory={folder.resolve()}",
    ]
    fetching = Child("Maven", command, log=folder / "maven.log")
    status = fetching.wait_for_end(timeout_s=FETCH_TIMEOUT_S)
    assert status == 0, f"Maven could not fetch Keycloak:\n{fetching.log_of_this_start()[-2_000:]}"


def _answers(issuer: str) -> bool | None:
    try:
        with _without_proxy.open(f"{issuer}/.well-known/openid-configuration", timeout=ASK_TIMEOUT_S):
            return True
    except (URLError, OSError):
        return None


# The settings of a proxy are for the world outside, and loopback is not in it.
_without_proxy = build_opener(ProxyHandler({}))
