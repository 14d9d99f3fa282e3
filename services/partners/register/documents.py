"""How the register is kept."""

from typing import Any

from services.partners.register.domain.draft import DRAFT_KEPT
from services.partners.register.domain.partner import Partner
from shared.errors import Refusal
from shared.storage.documents import Collection, Index
from shared.storage.repository import Repository

# A page's cursor holds the sort key of its last item, so names sort by as much as a cursor has room for.
NAME_SORT_LENGTH = 80


def _fields(partner: Partner) -> dict[str, Any]:
    return {
        "name_key": partner.name_key,
        "name_sort": partner.name_key[:NAME_SORT_LENGTH],
        "country": partner.country,
        "kind": partner.kind,
        "status": partner.status,
    }


partners = Repository(
    Partner,
    collection="partners",
    noun="partner",
    prefix="ptn",
    service="partners",
    indexed=_fields,
    indexes=(
        Index(
            name="one_partner_a_name_and_country",
            keys=(("name_key", 1), ("country", 1)),
            unique=True,
            refusal=Refusal("partner_exists", "A partner of this name is registered in this country already"),
        ),
        # Lists are in the order of names, whichever filter comes first.
        Index(name="by_name", keys=(("name_sort", 1), ("_id", 1))),
        Index(name="by_kind", keys=(("kind", 1), ("name_sort", 1), ("_id", 1))),
        Index(name="by_country", keys=(("country", 1), ("name_sort", 1), ("_id", 1))),
        Index(name="by_status", keys=(("status", 1), ("name_sort", 1), ("_id", 1))),
    ),
)

# What became of the notices about a partner: {_id: dlv_…, partner_id, at, outcome, …}.
NOTICES = Collection(
    name="notices",
    indexes=(Index(name="of_partner", keys=(("partner_id", 1), ("at", -1), ("_id", -1))),),
)

# Registrations that were begun: {_id: drf_…, owner_id, version, touched_at, …}. By the machine's clock:
# a demo's clock that is moved forward does not take away what somebody is writing.
DRAFTS = Collection(
    name="drafts",
    indexes=(
        Index(name="of_owner", keys=(("owner_id", 1), ("touched_at", -1))),
        Index(
            name="purged_when_idle",
            keys=(("touched_at", 1),),
            expire_after_s=int(DRAFT_KEPT.total_seconds()),
        ),
    ),
)

COLLECTIONS = (NOTICES, DRAFTS)
