"""Every screen there is. One joins by being listed here, and is then tried in each language, light and dark,
wide and narrow, and without JavaScript: docs/guides/adding.md has the checklist.
"""

from dataclasses import dataclass

from shared.web.site import SIGN_IN


@dataclass(frozen=True, kw_only=True)
class Screen:
    """`path` may hold names of what the furnished house has: `/partners/{partner}`. `ready` is a selector of
    what is there once the screen is whole, where that is not so from the beginning.
    """

    name: str
    path: str
    # One of the demonstration's people by key; None: nobody is signed in.
    persona: str | None
    ready: str = "h1"
    status: int = 200
    # A selector of what others draw into our page, which we cannot mend: axe is not asked about it.
    not_ours: str = ""


KIT = (
    Screen(name="sign-in", path=SIGN_IN, persona=None),
    Screen(name="refused", path="/partners/kept-forms/none", persona="officer", status=404),
)
PARTNERS: tuple[Screen, ...] = ()
AGREEMENTS: tuple[Screen, ...] = ()
NOTIFICATIONS = (Screen(name="my-work", path="/", persona="officer"),)

# Pages that are no screen of their own, each with its reason; every other page must be listed above.
NOT_SCREENS = {
    "/partners/language": "leads back to the page it was asked from",
    "/partners/sign-in/start": "leads to the provider",
    "/partners/sign-in/return": "leads on to the page that was wanted",
    "/partners/kept-forms/{}": "is made by a session that ended: a journey",
    "/agreements/kept-forms/{}": "is made by a session that ended: a journey",
    "/notifications/kept-forms/{}": "is made by a session that ended: a journey",
}
# A part of another page is tried within it.
FRAGMENTS = ("/fragments/", "/count")

SCREENS = (*KIT, *PARTNERS, *AGREEMENTS, *NOTIFICATIONS)
