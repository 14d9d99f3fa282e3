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

_chances = {
    name: float(chance)
    for name, _, chance in (
        item.partition(":") for item in os.environ.get("CONCORD_FAULTS", "").split(",") if item
    )
}


def point(name: str) -> None:
    if _chances and random.random() < _chances.get(name, 0.0):  # noqa: S311
        os._exit(137)
