"""Everything Concord raises on purpose.

    Exception
    ├── Refusal            a rule said no: an answer for the caller, with a stable code      409
    │   ├── Invalid        the shape or a value is wrong                                     422
    │   ├── Malformed      the request cannot be read at all                                 400
    │   ├── Unauthenticated  we do not know who this is                                      401
    │   ├── Forbidden      we know, and they may not                                         403
    │   ├── NotFound       not there, or not theirs to know                                  404
    │   ├── Conflict       somebody else was first: load again and decide anew               409
    │   │   └── Locked     somebody else is writing it at this moment                        409
    │   ├── StaleVersion   the caller's If-Match names a version that has passed             412
    │   ├── TooLarge       over a limit                                                      413
    │   ├── OnHold         a hold blocks the step                                            423
    │   ├── TooMany        slow down                                                         429
    │   └── Unavailable    not now; the same request may succeed later                       503
    ├── Transient          the world outside failed in a way that passes: wait, try again
    └── Permanent          the world outside failed in a way that only a person can mend

A bug raises whatever it is and becomes a 500. Nothing is swallowed.
"""

from typing import Any


class Refusal(Exception):
    """A rule said no. `code` is stable and documented; `details` are safe to show to the caller."""

    status = 409

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details


class Invalid(Refusal):
    status = 422


class Malformed(Refusal):
    status = 400


class Unauthenticated(Refusal):
    status = 401


class Forbidden(Refusal):
    status = 403


class NotFound(Refusal):
    status = 404


class Conflict(Refusal):
    """The stored version moved under us. Whoever holds a unit of work loads again and decides anew."""


class Locked(Conflict):
    """Another transaction holds it, perhaps a dead process's: it passes by itself, within seconds."""


class StaleVersion(Refusal):
    status = 412


class TooLarge(Refusal):
    status = 413


class OnHold(Refusal):
    status = 423


class TooMany(Refusal):
    status = 429


class Unavailable(Refusal):
    status = 503


class Transient(Exception):
    """The world outside failed in a way that passes by itself."""


class Permanent(Exception):
    """The world outside failed in a way that waiting does not mend."""
