"""Screens of the register. Addresses that are fixed come before those that name a partner."""

from services.partners.register.pages import (
    contact,
    evidence,
    fragments,
    listing,
    partner,
    registration,
    standing,
    users,
)

PAGES = (
    listing.pages,
    registration.pages,
    fragments.pages,
    partner.pages,
    evidence.pages,
    standing.pages,
    contact.pages,
    users.pages,
)
