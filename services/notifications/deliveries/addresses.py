"""Where the page is of what an event, a notice or a task is about."""

from shared.context import Actor

# By the prefix of the id: the page, and who may open it.
_PAGES = {
    "ptn": ("/partners/{id}", "partner:read"),
    "agr": ("/agreements/{id}", "agreement:read"),
    "prs": ("/partners/people/{id}", "person:read"),
    "whe": ("/notifications/webhooks/{id}", "endpoint:manage"),
    "dlv": ("/notifications/webhooks/deliveries/{id}", "endpoint:manage"),
}


def page_about(id: str, reader: Actor) -> str:
    """Empty where there is none, or none that this reader may open."""
    address, permission = _PAGES.get(id.partition("_")[0], ("", ""))
    return address.format(id=id) if address and reader.may(permission) else ""
