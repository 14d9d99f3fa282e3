"""Free ports on loopback, outside the range that outgoing connections take theirs from.

A server of ours may be away for minutes and come back on its port. Were that port in the kernel's own
range, any outgoing connection could take it meanwhile; a client that keeps dialling the closed port can
even be given the very number it dials and connect to itself.
"""

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
PORT_MIN = 20_000
TRIES_MAX = 200
_KERNEL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


class NoFreePort(Exception):
    """Nothing free was found in the range."""


def free_ports(count: int) -> list[int]:
    """Take different ports nobody listens on now. Another process may be faster: the caller tries again."""
    found: list[int] = []
    for _ in range(TRIES_MAX):
        port = random.randrange(PORT_MIN, _port_end())
        if port not in found and is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise NoFreePort(f"found {len(found)} of {count} free ports from {PORT_MIN} to {_port_end() - 1}")


def free_port() -> int:
    return free_ports(1)[0]


def is_free(port: int) -> bool:
    """Whether a server could listen here. As servers do, it overlooks connections that are still dying."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    """Whether somebody takes connections here now."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def _port_end() -> int:
    try:
        first_of_kernel = int(_KERNEL_RANGE.read_text().split()[0])
    except OSError:
        return 32_768
    return first_of_kernel if first_of_kernel > PORT_MIN + TRIES_MAX else 65_536
