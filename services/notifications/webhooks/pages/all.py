"""All screens of webhooks, in the order in which addresses are tried: fixed ones before ids."""

from pathlib import Path

from services.notifications.webhooks.demo_receiver import PATH, DemoReceiver
from services.notifications.webhooks.handlers import Premises
from services.notifications.webhooks.pages.deliveries import add_delivery_pages
from services.notifications.webhooks.pages.demo_receiver import add_demo_receiver_pages
from services.notifications.webhooks.pages.endpoints import add_endpoint_pages, add_pages_of_one
from shared.web.pages import Pages


def webhook_pages(premises: Premises, receiver: DemoReceiver | None) -> Pages:
    """`receiver`: the demonstration's, where this is one."""
    pages = Pages("webhooks", templates=Path(__file__).parents[1] / "templates")
    add_delivery_pages(pages)
    if receiver is not None:
        add_demo_receiver_pages(pages, receiver)
    add_endpoint_pages(pages, premises, PATH if receiver is not None else "")
    add_pages_of_one(pages, premises)
    return pages
