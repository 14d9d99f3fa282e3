"""Waiting for what another process does: on the condition, with a limit, never for a time."""

import os
import time
from collections.abc import Callable
from pathlib import Path

POLL_S = 0.05


def wait_until(condition: Callable[[], bool], *, timeout_s: float, what: str) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"not within {timeout_s} s: {what}"
        time.sleep(POLL_S)


def is_running(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be buried."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_for_end(pids: list[int], *, timeout_s: float) -> None:
    wait_until(lambda: not any(map(is_running, pids)), timeout_s=timeout_s, what=f"the end of {pids}")


def own_environment(**changes: str) -> dict[str, str]:
    """This process's environment without addresses of servers, with the changes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    return {**kept, **changes}
