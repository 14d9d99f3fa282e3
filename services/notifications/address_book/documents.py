"""One document a person: their address, or the mark that it was erased."""

from shared.storage.documents import Collection

ADDRESSES = "addresses"

ADDRESSES_KEPT = Collection(name=ADDRESSES)
