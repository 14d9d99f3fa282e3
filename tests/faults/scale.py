"""How much is enough: a few minutes' worth by default, all night's with CONCORD_FAULTS_LONG=1."""

import os
from typing import TypeVar

LONG = os.environ.get("CONCORD_FAULTS_LONG") == "1"

T = TypeVar("T")


def scale(normal: T, long: T) -> T:
    return long if LONG else normal
