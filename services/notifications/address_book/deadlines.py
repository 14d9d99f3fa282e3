"""The job that fetches an address: the question first, then what it brought is staged."""

from services.notifications.address_book.adapters.partners_http import AddressSource
from services.notifications.address_book.documents import ADDRESSES
from services.notifications.address_book.subscribers import FETCH
from shared.storage.repository import Unit
from shared.storage.timers import OnDue, Timer


def deadlines(source: AddressSource) -> dict[str, OnDue]:
    async def fetch_address(timer: Timer, unit: Unit) -> None:
        known = await unit.get(ADDRESSES, timer.subject)
        if known is not None and known["erased"]:
            return
        address = await source.fetch(timer.subject)
        if address is None:  # Erased there before we asked; the fact of it is on its way.
            return
        unit.put(
            ADDRESSES,
            {
                "_id": address.person_id,
                "erased": False,
                "name": address.name,
                "email": address.email,
                "language": address.language,
                "fetched_at": unit.context.recorded_at,
            },
        )

    return {FETCH: fetch_address}
