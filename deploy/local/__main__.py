"""The local stack.

python -m deploy.local run        everything, with the application (what `make run` does after its set-up)
python -m deploy.local servers    a MongoDB and a Kafka alone, until Ctrl-C
"""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from deploy.local.launcher import run
from deploy.local.places import Places
from deploy.local.plan import Plan
from deploy.local.servers import start_servers
from deploy.local.signals import exit_status_of


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="start everything, seed the demo data, keep it until Ctrl-C")
    servers = commands.add_parser("servers", help="start MongoDB and Kafka, print their addresses, keep them")
    servers.add_argument("--data", type=Path, help="keep the data here; a temporary folder otherwise")
    chosen = parser.parse_args()
    if chosen.command == "run":
        return exit_status_of(lambda: run(Plan.of_this_system()), Places())
    return exit_status_of(lambda: keep_servers(chosen.data), Places())


def keep_servers(data: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix="concord-servers-") as temporary:
        folder = data or Path(temporary)
        servers = start_servers(folder / "data", log_dir=folder / "log")
        try:
            print(" ".join(f"{name}={value}" for name, value in servers.environment().items()), flush=True)
            while True:
                signal.pause()
        finally:
            servers.stop()


if __name__ == "__main__":
    sys.exit(main())
