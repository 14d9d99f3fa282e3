"""A process that cannot start yet can still be ended."""

import os
import signal
import subprocess
import sys

from deploy.local.ports import free_ports

NO_SERVER = "mongodb://127.0.0.1:{}/?replicaSet=rs0"
STOPS_S = 20


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
