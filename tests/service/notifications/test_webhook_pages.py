"""Webhooks on a screen: endpoints and their secrets, what was sent, sending again, the demo's receiver."""

import pytest

from shared.contracts.vocabulary import Role
from shared.ids import new_id
from tests.service.notifications.desk import registered
from tests.service.notifications.front import Front
from tests.support.browsing import Browser, Page
from tests.support.receiver import Receiver
from tests.support.road import until

pytestmark = pytest.mark.asyncio

PATH = "/notifications/webhooks"
RECEIVER = f"{PATH}/demo-receiver"
TURNED = "because \u202eecived"


async def operator(front: Front) -> Browser:
    return front.browser(await front.admit(Role.OPERATOR))


async def register(browser: Browser, url: str, types: str = "*") -> str:
    """Its address on our pages."""
    page = await browser.submit(await browser.get(f"{PATH}/new"), {"url": url, "types": types}, to=PATH)
    assert page.status == 201, page.words
    return page.links["I have it: go on to the endpoint"]


async def first_delivery(browser: Browser, endpoint: str) -> Page:
    async def is_there() -> bool:
        return any("/deliveries/" in link for link in (await browser.get(endpoint)).links.values())

    await until(is_there)
    links = (await browser.get(endpoint)).links.values()
    return await browser.get(next(link for link in links if "/deliveries/" in link))


async def test_webhooks_are_for_those_who_manage_endpoints(front: Front) -> None:
    for role in (Role.PARTNERSHIP_OFFICER, Role.AUDITOR, Role.PARTNER_USER):
        page = await front.browser(await front.admit(role)).get(PATH)
        assert page.status == 403 and page.title == "This is not yours to do"
    page = await (await operator(front)).get(PATH)
    assert "No endpoint is registered." in page.words


async def test_a_secret_is_shown_once_and_the_same_form_makes_one_endpoint(front: Front) -> None:
    browser = await operator(front)
    form = await browser.get(f"{PATH}/new")
    sent = {"url": "https://systems.example.org/hook", "types": "agreement.*\npartner.registered.v1"}
    first = await browser.submit(form, sent, to=PATH)
    second = await browser.submit(form, sent, to=PATH)
    assert "whsec_" in first.text and first.text == second.text
    listed = await browser.get(PATH)
    assert "One endpoint" in listed.words and "agreement.*, partner.registered.v1" in listed.words
    endpoint = await browser.get(first.links["I have it: go on to the endpoint"])
    assert "whsec_" not in endpoint.text and endpoint.title == "https://systems.example.org/hook"


@pytest.mark.parametrize(
    ("field", "sent", "said"),
    [
        ("url", {"url": "http://systems.example.org/hook"}, "Only https addresses can be called"),
        ("url", {"url": "https://me:secret@systems.example.org/"}, "Leave user name and password out"),
        ("url", {"url": "https://systems.example.org/\u202ekooh"}, "a character that a text cannot have"),
        ("url", {"url": ""}, "This is needed"),
        ("types", {"url": "https://systems.example.org/", "types": "Agreement*"}, "Write types as"),
    ],
)
async def test_what_cannot_be_an_endpoint_is_said_at_its_field_and_what_was_written_stays(
    front: Front, field: str, sent: dict[str, str], said: str
) -> None:
    browser = await operator(front)
    page = await browser.submit(await browser.get(f"{PATH}/new"), sent, to=PATH)
    assert page.status == 422 and said in page.wrong[field]
    assert page.form(PATH).fields["url"] == sent["url"]
    assert "No endpoint is registered." in (await browser.get(PATH)).words


async def test_a_rotated_secret_signs_beside_the_old_one_for_the_grace(front: Front) -> None:
    browser = await operator(front)
    path = await register(browser, "https://systems.example.org/hook")
    page = await browser.submit(await browser.get(path), {"grace_s": "3600"}, to=f"{path}/rotations")
    assert page.status == 201 and "goes on signing beside this one until" in page.words
    page = await browser.submit(await browser.get(path), {"grace_s": "99999999"}, to=f"{path}/rotations")
    assert page.status == 422 and "grace_s" in page.wrong


async def test_an_endpoint_is_switched_off_and_on_with_a_reason(front: Front) -> None:
    browser = await operator(front)
    path = await register(browser, "https://systems.example.org/hook")
    page = await browser.submit(await browser.get(path), {"reason": ""}, to=f"{path}/disablings")
    assert page.status == 422 and "reason" in page.wrong
    page = await browser.submit(page, {"reason": TURNED}, to=f"{path}/disablings")
    assert page.status == 422 and "character" in page.wrong["reason"]
    page = await browser.submit(page, {"reason": "The receiver moves"}, to=f"{path}/disablings")
    assert "Nothing is sent to it any more." in page.words and "The receiver moves" in page.words
    page = await browser.submit(page, {"reason": "It has moved"}, to=f"{path}/enablings")
    assert "It is sent events again" in page.words


async def test_of_two_who_change_an_endpoint_the_second_is_told(front: Front) -> None:
    browser = await operator(front)
    path = await register(browser, "https://systems.example.org/hook")
    seen = await browser.get(path)
    await browser.submit(await browser.get(path), {"grace_s": "0"}, to=f"{path}/rotations")
    late = await browser.submit(seen, {"reason": "The receiver moves"}, to=f"{path}/disablings")
    assert late.status == 422 and "Somebody else changed this" in late.words
    assert late.form(f"{path}/disablings").fields["reason"] == "The receiver moves"
    again = await browser.submit(late, to=f"{path}/disablings")
    assert "Switched off" in again.words


async def test_others_find_no_endpoint_and_no_delivery_that_is_not_theirs(
    front: Front, receiver: Receiver
) -> None:
    browser = await operator(front)
    path = await register(browser, receiver.url("/ok"))
    await front.hear(registered(new_id("ptn")))
    delivery = await first_delivery(browser, path)
    other = front.browser(await front.admit(Role.EXTERNAL_SYSTEM, partner=new_id("ptn")))
    for address in (path, delivery.path, f"{PATH}/whe_none", f"{PATH}/deliveries/dlv_none"):
        assert (await other.get(address)).status == 404
    assert (await other.post(f"{path}/disablings", {"reason": "I want to"})).status == 404
    assert (await other.post(f"{delivery.path}/replays")).status == 404


async def test_a_form_of_another_site_changes_no_endpoint(front: Front) -> None:
    browser = await operator(front)
    sent = {"url": "https://systems.example.org/", "types": "*"}
    refused = await browser.post(PATH, sent, Sec_Fetch_Site="cross-site", Origin="http://evil.example")
    assert refused.status == 403 and "No endpoint is registered." in (await browser.get(PATH)).words


async def test_a_delivery_shows_request_and_answer_and_is_sent_again(
    front: Front, receiver: Receiver
) -> None:
    browser = await operator(front)
    path = await register(browser, receiver.url("/ok"), "partner.*")
    (record,) = await front.hear(registered(new_id("ptn")))

    async def is_delivered() -> bool:
        return "Delivered" in (await first_delivery(browser, path)).words

    await until(is_delivered)
    page = await first_delivery(browser, path)
    assert '{"taken": true}' in page.words and "Attempt 1" in page.words and "200" in page.words
    assert record.value is not None and record.value.decode() in page.words
    again = await browser.submit(page, to=f"{page.path}/replays")
    assert "It is sent once more" in again.words
    await receiver.until(lambda: len(receiver.requests) == 2)
    assert receiver.requests[1].headers["webhook-id"] == receiver.requests[0].headers["webhook-id"]


async def test_the_demos_receiver_shows_what_came_and_that_its_signature_holds(front: Front) -> None:
    browser = await operator(front)
    form = await browser.get(f"{PATH}/new", to="demo-receiver")
    page = await browser.submit(form, {"types": "partner.*"}, to=PATH)
    path = page.links["I have it: go on to the endpoint"]
    await front.hear(registered(new_id("ptn")))

    async def has_come() -> bool:
        return "partner.registered.v1" in (await browser.get(RECEIVER)).words

    await until(has_come)
    shown = await browser.get(RECEIVER)
    assert "The signature holds" in shown.words and shown.links[path.rpartition("/")[2]] == path
    forged = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,no"}
    assert (await front.http.post(RECEIVER, content=b"{}", headers=forged)).status_code == 204
    shown = await browser.get(RECEIVER)
    assert "The signature does not hold" in shown.words and "not of these minutes" in shown.words
    assert (await front.browser(await front.admit(Role.AUDITOR)).get(RECEIVER)).status == 403


async def test_a_receiver_that_says_it_is_gone_is_switched_off_and_says_why(front: Front) -> None:
    browser = await operator(front)
    form = await browser.get(f"{PATH}/new", to="demo-receiver")
    path = (await browser.submit(form, to=PATH)).links["I have it: go on to the endpoint"]
    said = await browser.submit(await browser.get(RECEIVER), {"answer": "410"}, to=f"{RECEIVER}/answers")
    assert "From now on it answers so." in said.words
    assert (await browser.post(f"{RECEIVER}/answers", {"answer": "200"})).status == 422
    await front.hear(registered(new_id("ptn")))

    async def is_off() -> bool:
        return "It was switched off by itself" in (await browser.get(path)).words

    await until(is_off)
