"""How agreements are kept, and the plain documents beside them: texts by their hash, evidence of signatures,
and the last number given in each series.
"""

from typing import Any

from services.agreements.instruments.domain.agreement import Agreement
from shared.storage.documents import Collection, Index
from shared.storage.repository import Repository


def _indexed(agreement: Agreement) -> dict[str, Any]:
    """`ref` is absent, not null, while there is none: only what is there must be unique."""
    fields: dict[str, Any] = {
        "partner_id": agreement.partner_id,
        "country": agreement.country,
        "status": str(agreement.status),
        "ended": agreement.has_ended,
        "held_for": agreement.held_for,
    }
    return {**fields, "ref": agreement.ref} if agreement.ref else fields


agreements = Repository(
    Agreement,
    collection="agreements",
    noun="agreement",
    prefix="agr",
    service="agreements",
    indexed=_indexed,
    indexes=(
        Index(name="of_partner", keys=(("partner_id", 1), ("_id", 1))),
        Index(name="of_country", keys=(("country", 1), ("_id", 1))),
        Index(name="by_hold", keys=(("partner_id", 1), ("ended", 1), ("held_for", 1))),
        Index(name="by_status", keys=(("status", 1), ("_id", 1))),
        Index(
            name="one_agreement_a_reference",
            keys=(("ref", 1),),
            unique=True,
            only_where={"ref": {"$exists": True}},
        ),
    ),
)

# {_id: sha256, content}: never changed, never removed; many agreements may have the same text.
texts = Collection(name="texts")

# One a signature, insert-only, under legal hold: it names the person who signed and is exempt from erasure.
evidence = Collection(
    name="evidence",
    indexes=(Index(name="one_evidence_a_place", keys=(("agreement_id", 1), ("number", 1)), unique=True),),
)

# {_id: series, last}
counters = Collection(name="counters")
