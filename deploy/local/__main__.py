"""`python -m deploy.local servers`: a MongoDB and a Kafka for a developer, until Ctrl-C."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from deploy.local.refusals import CannotStart
from deploy.local.servers import start_servers

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """The person at the keyboard, or the system, asked the launcher to end."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    servers = commands.add_parser("servers", help="start MongoDB and Kafka, print their addresses, keep them")
    servers.add_argument("--data", type=Path, help="keep the data here; a temporary folder otherwise")
    chosen = parser.parse_args()
    for each in ENDING_SIGNALS:
        signal.signal(each, end)
    try:
        with tempfile.TemporaryDirectory(prefix="concord-servers-") as temporary:
            keep_servers(chosen.data or Path(temporary))
    except CannotStart as refused:
        print(refused, file=sys.stderr)
        return refused.status
    except Ended:
        return 0
    return 0


def end(_number: int, _frame: FrameType | None) -> None:
    for each in ENDING_SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # Once is enough: the second must not disturb the order.
    raise Ended


def keep_servers(folder: Path) -> None:
    servers = start_servers(folder / "data", log_dir=folder / "log")
    try:
        print(" ".join(f"{name}={value}" for name, value in servers.environment().items()), flush=True)
        while True:
            signal.pause()
    finally:
        servers.stop()


if __name__ == "__main__":
    sys.exit(main())
