"""Progress for a person who waits: a line when a step begins, one now and then, one when a long one ends."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

STILL_EVERY_S = 10.0
WORTH_A_LINE_S = 1.0


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    say(f"{text} ...")
    began, over = time.monotonic(), threading.Event()
    telling = threading.Thread(target=_tell, args=(began, over), daemon=True)
    telling.start()
    try:
        yield
        if time.monotonic() - began > WORTH_A_LINE_S:
            say(f"  done in {time.monotonic() - began:.1f} s")
    finally:
        over.set()
        telling.join()


def _tell(began: float, over: threading.Event) -> None:
    while not over.wait(STILL_EVERY_S):
        say(f"  still at it after {time.monotonic() - began:.0f} s")
