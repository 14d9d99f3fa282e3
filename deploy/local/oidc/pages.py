"""The provider's pages: plain forms, no script. In English only, as the demonstration's tools are."""

from html import escape

from deploy.local.oidc.sign_in import SignIn
from deploy.local.personas import PERSONAS, Persona

_DEMO = "This is a demonstration. Nobody proves who they are here, and nothing real belongs in it."
_CURL = "curl -s {issuer}/token -d grant_type=urn:concord:demo-persona -d persona=officer"


def choose_page(sign_in: SignIn) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in sign_in.fields().items()
    )
    cards = "".join(f"<li>{_card(persona, clickable=True)}</li>" for persona in PERSONAS)
    return _page(
        "Who would you like to be?",
        f'<p class="soft">One click signs you in to {escape(sign_in.client_id)} as that person.</p>'
        f'<form method="post" action="/authorize">{hidden}<ul>{cards}</ul></form>',
    )


def welcome_page(issuer: str) -> str:
    cards = "".join(f"<li>{_card(persona, clickable=False)}</li>" for persona in PERSONAS)
    return _page(
        "The demonstration's sign-in",
        '<p class="soft">To sign in, begin at Concord itself; it sends you here and back again. '
        "To act from a terminal, ask for a persona's access token:</p>"
        f"<pre><code>{escape(_CURL.format(issuer=issuer))}</code></pre><ul>{cards}</ul>",
    )


def signed_out_page() -> str:
    return _page(
        "You are signed out", "<p>Nothing was kept here: each sign-in asks anew who you would like to be.</p>"
    )


def refused_page(reason: str) -> str:
    return _page(
        "This sign-in cannot go on",
        f"<p>{escape(reason)}</p><p>Nobody was signed in and nothing was sent anywhere. Go back to "
        "the application you came from and try again; if it sends you here once more, its settings are "
        "wrong.</p>",
    )


def _card(persona: Persona, *, clickable: bool) -> str:
    own = f'<bdi class="name" lang="{escape(persona.name_language)}">{escape(persona.name)}</bdi>'
    latin = (
        ""
        if persona.name == persona.name_latin
        else f'<bdi class="small soft">{escape(persona.name_latin)}</bdi>'
    )
    words = (
        f'{own}{latin}<span>{escape(persona.title)}</span><span class="small soft">comes to '
        f'{escape(persona.comes_to)}</span><span class="small soft"><code>{escape(persona.key)}</code></span>'
    )
    if not clickable:
        return f'<div class="card">{words}</div>'
    return f'<button class="card" name="persona" value="{escape(persona.key)}">{words}</button>'


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)} – Concord demo</title><link rel="stylesheet" href="/style.css"></head>'
        f'<body><main><p class="demo">{_DEMO}</p><h1>{escape(title)}</h1>{body}</main></body></html>\n'
    )
