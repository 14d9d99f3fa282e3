"""How standings are kept: one plain document a partner, written by the subscriber alone."""

from services.agreements.standing.domain.standing import STANDINGS
from shared.storage.documents import Collection, Index

standings = Collection(
    name=STANDINGS,
    indexes=(Index(name="by_name", keys=(("legal_name", 1), ("_id", 1))),),
)
