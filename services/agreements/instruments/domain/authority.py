"""Who may put whose name to an agreement, and whose eyes it is for."""

from collections.abc import Iterable

from shared.contracts.agreements.agreement import Party
from shared.contracts.vocabulary import Grant, Role, ScopeKind
from shared.errors import Forbidden


def require_signatory(grants: Iterable[Grant], party: Party, partner_id: str) -> None:
    """The organisation signs by its signatories, a partner by a user of that very partner: a grant without
    a scope does not make anybody the partner's.
    """
    if party is Party.ORGANISATION:
        entitled = any(grant.role == Role.SIGNATORY for grant in grants)
    else:
        scope = (ScopeKind.PARTNER, partner_id)
        entitled = any(grant.role == Role.PARTNER_USER and scope in grant.scope for grant in grants)
    if not entitled:
        raise Forbidden("not_a_signatory", "You may not sign for this party", party=party)
