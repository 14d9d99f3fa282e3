"""Runs a server and ends it when the launcher is gone.

Who is who: the *launcher* holds the write end of a pipe, the *lifeline*, and writes nothing to it. This
script is started as the server's process, forks a small *watcher*, and then becomes the server (exec), so
the process id that the launcher knows is the server's own.

In order: the watcher sleeps until the lifeline closes or the server ends. The kernel closes the lifeline
whatever ends the launcher, SIGKILL included; the watcher then asks the server to end, waits, and kills it.

The kernel's own parent-death signal is not used: it follows the thread that forked, and the launcher starts
its servers from threads that end as soon as they are up.

Usage: guard.py LIFELINE_FD GRACE_S PROGRAM [ARGUMENT ...]; standard library only, started without site
packages.
"""

import os
import select
import signal
import sys


def main() -> None:
    lifeline, grace_s, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    # A handle to the process, not its number: a number can be given to a stranger.
    server = os.pidfd_open(os.getpid())
    if os.fork() == 0:
        watch(lifeline, server, grace_s)
        os._exit(0)
    os.close(lifeline)
    # Signals the launcher holds back are its own affair.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execvp(command[0], command)
    except OSError as refused:
        print(f"cannot run {command[0]}: {refused.strerror}", flush=True)
        os._exit(127)


def watch(lifeline: int, server: int, grace_s: float) -> None:
    waiting = select.poll()
    waiting.register(lifeline, select.POLLIN)
    waiting.register(server, select.POLLIN)
    if ended(server, waiting.poll()):
        return
    end(server, signal.SIGTERM)
    waiting.unregister(lifeline)
    if not ended(server, waiting.poll(grace_s * 1000)):
        end(server, signal.SIGKILL)


def ended(server: int, ready: list[tuple[int, int]]) -> bool:
    return any(handle == server for handle, _ in ready)


def end(server: int, how: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(server, how)
    except ProcessLookupError:
        return  # It ended by itself between the two lines.


if __name__ == "__main__":
    main()
