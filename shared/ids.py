"""Ids: `<prefix>_<UUIDv7 in Crockford base 32>`, sortable by the moment they were made."""

import os
import threading
import time
import uuid
from datetime import UTC, datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: index for index, character in enumerate(_ALPHABET)}
_LENGTH = 26

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def uuid7() -> uuid.UUID:
    """A version 7 UUID; within one process each is greater than the one before."""
    global _last_ms, _counter
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > _last_ms:
            _last_ms, _counter = now_ms, int.from_bytes(os.urandom(2), "big") & 0x7FF
        else:
            _counter += 1
            if _counter > 0xFFF:
                _last_ms, _counter = _last_ms + 1, 0
        milliseconds, counter = _last_ms, _counter
    random_bits = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | random_bits)


def made_at(id: str) -> datetime:
    """When a version 7 UUID was made, to the millisecond."""
    return datetime.fromtimestamp((uuid.UUID(id).int >> 80) / 1_000, UTC)


def new_id(prefix: str) -> str:
    number = uuid7().int
    digits = [_ALPHABET[number >> shift & 31] for shift in range((_LENGTH - 1) * 5, -1, -5)]
    return f"{prefix}_{''.join(digits)}"


def is_id(text: str, prefix: str) -> bool:
    """True for a well-formed id of that prefix, in the one spelling that is ours (capital letters)."""
    head, _, tail = text.partition("_")
    return head == prefix and len(tail) == _LENGTH and tail[0] <= "7" and all(c in _VALUES for c in tail)
