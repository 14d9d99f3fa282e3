"""Named points at which a test may end the process, as a power cut would. Without CONCORD_FAULTS they do
nothing.

`CONCORD_FAULTS="relay.after_send:0.01,committer.before_commit:1"` gives each point the chance of being fatal
when it is passed.
"""

import os
import random

POINTS = (
    "committer.after_first_write",
    "committer.before_commit",
    "committer.after_commit",
    "relay.after_send",
    "relay.after_ack",
    "consumer.after_commit",
    "timer.before_commit",
)

_chances: dict[str, float] = {}


def arm(faults: str) -> None:
    """Say which points may be fatal, in the words of CONCORD_FAULTS. Replaces what was said before."""
    _chances.clear()
    for item in filter(None, faults.split(",")):
        name, _, chance = item.partition(":")
        if name not in POINTS:
            raise ValueError(f"{name} is no point at which a process may be ended: {', '.join(POINTS)}")
        _chances[name] = float(chance)


def point(name: str) -> None:
    if _chances and random.random() < _chances.get(name, 0.0):  # noqa: S311
        os._exit(137)


arm(os.environ.get("CONCORD_FAULTS", ""))
