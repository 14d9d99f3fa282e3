"""Who may see an agreement, and who may put whose name to it."""

from collections.abc import Iterable

from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.states import Status
from services.agreements.standing.domain.reach import Reach
from shared.contracts.agreements.agreement import Party
from shared.contracts.vocabulary import Grant, Role, ScopeKind
from shared.errors import Forbidden


def is_within(reach: Reach, agreement: Agreement) -> bool:
    """A partner's people see what the partner was sent; a draft is the organisation's own."""
    if reach.covers(agreement.partner_id, agreement.country):
        return True
    return reach.is_own(agreement.partner_id) and agreement.status is not Status.DRAFT


def signing_grant(grants: Iterable[Grant], party: Party, partner_id: str) -> Grant:
    """The role under which somebody signs for a party: their own before a borrowed one.

    The organisation signs by its signatories, a partner by a user of that very partner: a grant without a
    scope does not make anybody the partner's.
    """
    scope = (ScopeKind.PARTNER, partner_id)
    if party is Party.ORGANISATION:
        entitling = (grant for grant in grants if grant.role == Role.SIGNATORY)
    else:
        entitling = (grant for grant in grants if grant.role == Role.PARTNER_USER and scope in grant.scope)
    grant = next(entitling, None)
    if grant is None:
        raise Forbidden("not_a_signatory", "You may not sign for this party", party=party)
    return grant


def lender(grant: Grant) -> str | None:
    """Who has lent it; a grant of one's own names nobody."""
    return getattr(grant, "on_behalf_of", None)
