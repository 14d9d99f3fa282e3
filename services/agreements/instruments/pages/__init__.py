"""Screens of agreements: the register, drafting, an agreement with its text and signatures, signing it.

Whoever looks is one of the organisation's people or one of the partner's; what they may know is decided by
the same queries as for the API, and what they may do by the same handlers.
"""

from services.agreements.instruments.pages import (
    agreement,
    changing,
    drafting,
    past,
    proof,
    register,
    signing,
)

# In the order in which addresses are tried: fixed words before ids.
PAGES = (
    register.pages,
    drafting.pages,
    proof.pages,
    past.pages,
    changing.pages,
    signing.pages,
    agreement.pages,
)
