"""A process that cannot start yet can still be ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from deploy.local.ports import free_ports

NO_SERVER = "mongodb://127.0.0.1:{}/?replicaSet=rs0"
STOPS_S = 20
NOT_INSTALLED = 69


def test_a_service_that_waits_for_its_database_ends_when_it_is_told_to() -> None:
    port, http_port = free_ports(2)
    environment = {
        **os.environ,
        "CONCORD_DEMO": "1",
        "CONCORD_MONGO_URL": NO_SERVER.format(port),
        "CONCORD_HTTP_PORT": str(http_port),
    }
    command = [sys.executable, "-m", "services", "partners"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("database_away" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(STOPS_S) == 0
        finally:
            process.kill()


def test_a_service_without_its_front_end_files_says_what_to_run(tmp_path: Path) -> None:
    environment = {**os.environ, "CONCORD_DEMO": "1", "CONCORD_WEB_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "services", "all"]
    tried = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=STOPS_S
    )
    assert tried.returncode == NOT_INSTALLED
    assert "make run" in tried.stderr
    assert "Traceback" not in tried.stderr
