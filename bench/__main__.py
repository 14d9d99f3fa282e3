"""`make bench`: every promise of speed, each beside the raw driver or client in the same run.

Each part runs in a process of its own, so that the memory beside a figure is its own. The table is printed,
and written to docs/reference/speed.md.
"""

import asyncio
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import structlog
import uvloop

from bench.measuring import Row
from deploy.local.servers import start_servers

PARTS = ("committing", "relaying", "consuming", "serving")
PART_S_MAX = 600
PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "speed.md"
HEADS = ("what", "ours", "raw, same run", "ratio", "reach", "met", "memory")


def main() -> int:
    if len(sys.argv) == 3 and sys.argv[1] == "part":
        return run_part(sys.argv[2])
    chosen = sys.argv[1:] or list(PARTS)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="concord-bench-") as folder:
        servers = start_servers(Path(folder) / "data", log_dir=Path(folder) / "log")
        try:
            rows = [row for part in chosen for row in measure(part, servers.environment())]
        finally:
            servers.stop()
    page = "\n".join(told(rows, load)) + "\n"
    sys.stdout.write(page)
    if chosen == list(PARTS):
        PAGE.write_text(page)
    return 0 if all(row.met for row in rows) else 1


def measure(part: str, environment: dict[str, str]) -> list[Row]:
    began = time.monotonic()
    sys.stderr.write(f"measuring: {part} ...\n")
    done = subprocess.run(
        [sys.executable, "-m", "bench", "part", part],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        timeout=PART_S_MAX,
        check=True,
    )
    sys.stderr.write(f"measuring: {part} took {time.monotonic() - began:.0f} s\n")
    return [Row(**row) for row in json.loads(done.stdout)]


def run_part(part: str) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.disable(logging.ERROR)
    measuring = import_module(f"bench.{part}").rows(
        os.environ["CONCORD_MONGO_URL"], os.environ["CONCORD_KAFKA_URL"]
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rows = runner.run(measuring)
    sys.stdout.write(json.dumps([row.told() for row in rows]))
    return 0


def told(rows: list[Row], load: float) -> list[str]:
    lines = [
        "# Speed",
        "",
        "Written by `make bench`. Servers, client and services share one machine: ratios say more than",
        "the rates: each is to the raw driver or client in the same run.",
        "",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}.",
        f"Load of the machine before the run: {load:.1f}.",
        "",
        f"| {' | '.join(HEADS)} |",
        f"|{'---|' * len(HEADS)}",
    ]
    for row in rows:
        met = "yes" if row.met else "**no**"
        cells = (row.what, row.ours, row.raw, row.ratio, row.reach, met, row.memory)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
