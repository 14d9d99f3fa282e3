"""What everybody may open: help, and the choice of a language."""

from starlette.responses import Response

from services.partners.people.pages import new_pages, own_path
from shared.errors import NotFound
from shared.http.auth import PUBLIC
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.language import COOKIE, LANGUAGES, N_
from shared.web.navigation import NAVIGATION
from shared.web.pages import Pages

LANGUAGE_KEPT_S = 365 * 86_400
SHORTCUTS = (
    (("/",), N_("To the search field")),
    *((("g", place.key), place.name) for group in NAVIGATION for place in group.places if place.key),
    (("j",), N_("To the next row of a list")),
    (("k",), N_("To the row before")),
    (("Enter",), N_("Open the row")),
    (("?",), N_("This page")),
)


class Chosen(FormModel):
    to: str = ""
    back: str = "/"


def help_pages(contact: str) -> Pages:
    """`contact`: whom to ask, as an address; empty: the organisation has not said."""
    pages = new_pages()

    @pages.get("/partners/help", may=PUBLIC)
    async def help(ask: Ask) -> Response:
        return ask.page("people/help.html", shortcuts=SHORTCUTS, contact=contact)

    @pages.get("/partners/language", may=PUBLIC)
    async def language(ask: Ask) -> Response:
        chosen = ask.query(Chosen)
        if chosen.to not in LANGUAGES:
            raise NotFound("language_not_there", "There is no such language here yet")
        response = ask.see_other(own_path(chosen.back))
        # No secret, so under its plain name: each service reads it.
        response.set_cookie(
            COOKIE,
            chosen.to,
            max_age=LANGUAGE_KEPT_S,
            path="/",
            secure=ask.site.sessions.secure,
            httponly=True,
            samesite="lax",
        )
        return response

    return pages
