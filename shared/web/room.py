"""The kit's own room in every service: the answers that are kept, the forms, and the pages of the API."""

from starlette.responses import Response

from shared.errors import NotFound
from shared.http.auth import SIGNED_IN
from shared.http.idempotency import ANSWERS
from shared.service import Room
from shared.web.api_pages import api_pages
from shared.web.ask import Ask
from shared.web.kept_forms import KEPT_FORMS, kept
from shared.web.pages import Pages


def kit_room(service: str) -> Room:
    pages = Pages("kit")
    pages.get(f"/{service}/kept-forms/{{id}}", may=SIGNED_IN)(kept_form)
    return Room(name="kit", collections=(ANSWERS, KEPT_FORMS), routes=(pages, api_pages(service)))


async def kept_form(ask: Ask) -> Response:
    """The form as it was sent, with one button: to send it now."""
    assert ask.session is not None, "only who is signed in comes here"
    found = await kept(ask.work.mongo, ask.path("id"), whose=ask.session.subject)
    if found is None:
        raise NotFound("kept_form_not_found", "This form is not kept any more, or is somebody else's")
    address, fields = found
    return ask.page("kept_form.html", address=address, fields=fields)
