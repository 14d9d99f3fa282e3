"""Evidence of a signature: who, as named, for whom, on which text, when, and linked to the one before.

A link is `sha256` of the record in canonical JSON, and the record names the link before it, so the evidence
of an agreement is a chain that anybody can check. The name a person signed with is personal data under legal
hold: it is kept with the evidence and is exempt from erasure. The record holds only its salted hash, so the
chain can be shown, and checked, without a name.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from shared.contracts.agreements.agreement import Party
from shared.contracts.envelope import wire_time

GENESIS = "0" * 64
IN_APP = "in_app"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """`number` is the signature's place in the chain of its agreement, from 1."""

    id: str
    agreement_id: str
    number: int
    party: Party
    signatory_id: str
    on_behalf_of: str | None
    name: str
    name_salt: str
    text_sha256: str
    wording: str
    signed_at: datetime
    signed_on: date
    zone: str
    previous_sha256: str

    @property
    def people(self) -> frozenset[str]:
        return frozenset({self.signatory_id} | ({self.on_behalf_of} if self.on_behalf_of else set()))

    @property
    def record(self) -> dict[str, Any]:
        """What the link is made of, as anybody may see it."""
        fields = asdict(self)
        evidence_id, name, salt = fields.pop("id"), fields.pop("name"), fields.pop("name_salt")
        return {
            **fields,
            "evidence_id": evidence_id,
            "party": str(self.party),
            "method": IN_APP,
            "name_sha256": hashlib.sha256(f"{salt}{name}".encode()).hexdigest(),
            "signed_at": wire_time(self.signed_at),
            "signed_on": self.signed_on.isoformat(),
        }

    @property
    def sha256(self) -> str:
        return link(self.record)

    def document(self) -> dict[str, Any]:
        record = {**self.record, "sha256": self.sha256}
        return {"_id": record.pop("evidence_id"), **record, "name": self.name, "name_salt": self.name_salt}


def link(record: dict[str, Any]) -> str:
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
