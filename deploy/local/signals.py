"""Ctrl-C, a request to end, and a closed terminal are one thing to the launcher: an orderly end."""

import signal
import sys
from collections.abc import Callable
from types import FrameType

from deploy.local.places import Places
from deploy.local.refusals import CannotStart, explain_os_error

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """The person at the keyboard, or the system, asked the launcher to end."""


def exit_status_of(work: Callable[[], None], places: Places) -> int:
    """Do the work until it ends or is asked to end, and say why it could not go on."""
    for each in ENDING:
        signal.signal(each, _end)
    try:
        work()
    except Ended:
        return 0
    except CannotStart as refused:
        return _told(refused)
    except OSError as refused:
        return _told(explain_os_error("The launcher", refused, log=places.log, data_dir=places.folder))
    return 0


def _told(refused: CannotStart) -> int:
    print(refused, file=sys.stderr, flush=True)
    return refused.status


def _end(_number: int, _frame: FrameType | None) -> None:
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)  # A second Ctrl-C must not cut the orderly end short.
    raise Ended
