"""Starts everything, keeps it, ends it in order: what `make run` does once its set-up is done.

In order: be the only launcher; wait for what a launcher that was killed left behind; the servers and the
sign-in side by side; the application, which is told their addresses and says when it is ready; the demo
data; then watch. When one of them ends by itself the rest is ended too, with the reason: half a stack that
looks alive helps nobody.

The order of the end is the start's, reversed, so that nothing loses what it still needs. If the launcher
itself is killed, each child ends by its own watcher (guard.py), in no order: the application is made for
that.

What is not needed for correctness: the ports of last time. They only keep yesterday's bookmarks alive.
"""

import os
import time
from typing import NoReturn

from deploy.local.places import Places
from deploy.local.plan import Plan
from deploy.local.refusals import CannotStart, Status
from deploy.local.signals import Ended
from deploy.local.stack import Stack
from deploy.local.steps import say, step

LEFTOVERS_TIMEOUT_S = 40.0
LEFTOVERS_POLL_S = 0.1
WATCH_EVERY_S = 0.5
# One that ends often takes others with it: the first cause is among those that end within this.
SETTLE_S = 2.0


def run(plan: Plan) -> None:
    """Run the stack until it is asked to end (Ended) or one of its parts ends (CannotStart)."""
    with plan.places.only_launcher() as only:
        if not only:
            tell_of_the_first(plan.places)
            return
        wait_for_leftovers(plan.places)
        keep(Stack(plan))


def keep(stack: Stack) -> NoReturn:
    began = time.monotonic()
    try:
        stack.start()
        say(f"\nConcord is ready after {time.monotonic() - began:.1f} s.\n{stack.what_to_try()}")
        watch(stack)
    except Ended:
        say("\nEnding in order: the application, then Kafka, then MongoDB ...")
        raise
    finally:
        stack.stop()


def watch(stack: Stack) -> NoReturn:
    while all(part.alive for part in stack.parts):
        time.sleep(WATCH_EVERY_S)
    time.sleep(SETTLE_S)
    reasons = [part.why_it_ended() for part in stack.parts if not part.alive]
    reasons.sort(key=lambda reason: reason.status is not Status.DISK_FULL)
    raise reasons[0]


def tell_of_the_first(places: Places) -> None:
    state = places.read_state()
    who = f"process {state.launcher.pid}" if state.launcher else "another process"
    where = f"It answers at {state.url}" if state.url else "It is still starting"
    say(f"Concord is already running here, started by {who}.\n{where}; Ctrl-C in its window ends it.")


def wait_for_leftovers(places: Places) -> None:
    """A launcher that was killed leaves servers that are just ending; till then their folders are in use."""
    left = [each for each in places.read_state().processes if each.alive and each.pid != os.getpid()]
    if not left:
        return
    names = ", ".join(f"{each.name} (process {each.pid})" for each in left)
    with step(f"Waiting for what the last start left behind to end: {names}"):
        end = time.monotonic() + LEFTOVERS_TIMEOUT_S
        while any(each.alive for each in left):
            if time.monotonic() > end:
                numbers = " ".join(str(each.pid) for each in left if each.alive)
                raise CannotStart(
                    Status.TRY_AGAIN,
                    f"These processes of the last start do not end: {names}",
                    what_to_do=f"End them, then start again: kill -9 {numbers}",
                )
            time.sleep(LEFTOVERS_POLL_S)
