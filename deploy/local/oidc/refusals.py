"""How the provider says no: on a page, by sending the browser back, or to the client that asked.

Exception
├── PageRefused      nothing about the request can be trusted, so nobody is sent anywhere
├── BrowserSentBack  the request is the client's own but wrong: it hears so at its redirect URI
└── GrantRefused     an answer of /token, /userinfo or of the demo's own addresses, as JSON
"""


class PageRefused(Exception):
    """Shown to a person. The browser stays here: the address to send it to is what we do not trust."""


class BrowserSentBack(Exception):
    def __init__(self, error: str, description: str, *, redirect_uri: str, state: str | None) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description = error, description
        self.redirect_uri, self.state = redirect_uri, state


class GrantRefused(Exception):
    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.status = error, description, status
