"""What the kit itself may refuse, around whatever endpoint: by what a route says of itself.

Which codes belong to which kind of route is said here; a test holds it against the code, and status and
sentence are read from there.
"""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from shared.http.auth import PUBLIC, READING, Authenticator, let_in
from shared.http.directory_projection import ProjectedDirectory
from shared.http.problems import refusal_of
from shared.http.refusals import Said, refusals_of
from shared.http.route import ConcordRoute, Rule
from shared.http.running import Running
from shared.storage.committer import Committer
from shared.storage.repository import Repository, Unit
from shared.storage.writing import changed_meanwhile

OF_ALL = frozenset(
    {
        "address_malformed",
        "database_away",
        "header_repeated",
        "internal_error",
        "outside_away",
        "request_invalid",
        "took_too_long",
    }
)
OF_THE_NAMED = frozenset({"keys_unavailable", "not_admitted", "not_permitted"})
ONLY_OF_COMMANDS = frozenset(
    {
        "body_not_expected",
        "body_too_large",
        "changed_meanwhile",
        "directory_stale",
        "event_too_large",
        "if_match_malformed",
        "json_duplicate_key",
        "json_lone_surrogate",
        "json_malformed",
        "json_not_finite",
        "json_nul",
        "json_number_too_large",
        "json_too_deep",
        "locked_meanwhile",
        "media_type_unsupported",
        "outcome_unknown",
        "overloaded",
        "request_too_slow",
        "version_passed",
    }
)
OF_IDEMPOTENT = frozenset(
    {
        "idempotency_key_in_flight",
        "idempotency_key_malformed",
        "idempotency_key_missing",
        "idempotency_key_reused",
    }
)
# What the kit answers where no operation was found, or at the end of a try that nobody hears of.
OF_NONE = frozenset({"method_not_allowed", "request_malformed", "route_not_found"})
UNAUTHENTICATED = 401


def of(rule: Rule) -> tuple[Said, ...]:
    wanted = set(OF_ALL)
    if rule.may is not PUBLIC:
        wanted |= OF_THE_NAMED | {said.code for said in read().values() if said.status == UNAUTHENTICATED}
    if rule.method not in READING:
        wanted |= ONLY_OF_COMMANDS
    if rule.idempotency:
        wanted |= OF_IDEMPOTENT
    return tuple(read()[code] for code in sorted(wanted))


@cache
def read() -> dict[str, Said]:
    """All that stands in the code of the kit, by code."""
    roots: list[Callable[..., Any]] = [
        let_in,
        ConcordRoute._in_time,
        Authenticator.caller,
        ProjectedDirectory.by_subject,
        Running.command,
        refusal_of,
        changed_meanwhile,
        Unit.check_if_match,
        Repository.create,
        *(made for made in vars(Committer).values() if inspect.isfunction(made)),
    ]
    return {said.code: said for said in refusals_of(roots, skip=())}
