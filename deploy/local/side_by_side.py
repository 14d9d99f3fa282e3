"""Several starts at once: all succeed, or the rest is called off and the first reason is raised."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from deploy.local.child import GivenUp


def side_by_side(starts: Sequence[Callable[[threading.Event], None]]) -> None:
    """Run each in a thread with an event that says when to give up. What did start is the caller's to end."""
    give_up = threading.Event()
    with ThreadPoolExecutor(max_workers=len(starts)) as threads:
        going = [threads.submit(start, give_up) for start in starts]
        try:
            for done in as_completed(going):
                if done.exception() is not None:
                    give_up.set()
        except BaseException:
            give_up.set()
            raise
    errors = [error for done in going if (error := done.exception()) is not None]
    errors.sort(key=lambda error: isinstance(error, GivenUp))  # Who gave up did so because of another.
    if errors:
        raise errors[0]
