"""The page that says why something was not done: what happened, what was kept, what to do."""

from starlette.responses import Response

from shared.errors import Refusal
from shared.web.ask import Ask
from shared.web.language import N_

_TITLES = {
    400: N_("This cannot be read"),
    401: N_("Sign in first"),
    403: N_("This is not yours to do"),
    404: N_("There is nothing here"),
    405: N_("This page is not for that"),
    408: N_("This took too long"),
    409: N_("This cannot be done now"),
    412: N_("Somebody else changed this"),
    413: N_("This is too large"),
    422: N_("Something is not as it must be"),
    423: N_("This is on hold"),
    429: N_("Too many at once"),
    500: N_("Something went wrong on our side"),
    503: N_("This is not possible for the moment"),
}

_TITLES_OF_CODES = {
    "not_admitted": N_("You are not admitted yet"),
    "no_role": N_("You have no role here"),
}


def refused_page(ask: Ask, refusal: Refusal, correlation_id: str) -> Response:
    usual = _TITLES.get(refusal.status, _TITLES[409])
    title, message = _TITLES_OF_CODES.get(refusal.code, usual), refusal.message
    if ask.is_fragment:
        return ask.fragment("refused_fragment.html", status=refusal.status, message=message)
    values = {"title": title, "message": message, "code": refusal.code, "correlation_id": correlation_id}
    return ask.page("refused.html", status=refusal.status, **values)
