"""Endpoints, deliveries and tasks over HTTP: what their owners see and do, and what others do not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.notifications.address_book.documents import ADDRESSES
from shared.contracts.notifications.task import TaskAssigned, TaskDone
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind
from shared.ids import new_id
from tests.service.notifications.desk import an, registered, suspended
from tests.service.notifications.front import Front
from tests.support.receiver import Receiver
from tests.support.road import until

pytestmark = pytest.mark.asyncio


async def endpoint_of(front: Front, key: str, url: str, *types: str) -> dict[str, Any]:
    made = await front.post(key, "/endpoints", {"url": url, "types": list(types) or ["partner.*"]})
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer


async def until_settled(front: Front, key: str, count: int, state: str = "delivered") -> list[dict[str, Any]]:
    async def settled() -> bool:
        return len((await front.read(key, "/deliveries", state=state))["items"]) == count

    await until(settled)
    page = await front.read(key, "/deliveries", state=state)
    items: list[dict[str, Any]] = page["items"]
    return items


async def test_a_system_registers_an_endpoint_and_is_sent_what_it_may_know(
    front: Front, receiver: Receiver
) -> None:
    own, other = new_id("ptn"), new_id("ptn")
    _, key = await front.register_system(partner=own)
    made = await endpoint_of(front, key, receiver.url("/ok"))
    await front.hear(registered(own), registered(other), suspended(other), suspended(own))
    items = await until_settled(front, key, 2)
    assert [item["about"] for item in items] == [own, own]
    assert len(receiver.requests) == 2
    assert all(request.is_signed_by(made["secret"]) for request in receiver.requests)
    assert {request.headers["content-type"] for request in receiver.requests} == {
        "application/cloudevents+json"
    }


async def test_the_secret_is_shown_once(front: Front, receiver: Receiver) -> None:
    _, key = await front.register_system()
    made = await endpoint_of(front, key, receiver.url("/ok"))
    listed = await front.get(key, "/endpoints")
    assert made["secret"].startswith("whsec_") and made["secret"] not in listed.text
    kept = await front.mongo["endpoint_addresses"].find_one({"_id": made["endpoint_id"]})
    assert made["secret"] not in str(kept)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://10.0.0.1/hook", "webhook_url_ip_literal"),
        ("https://169.254.169.254/", "webhook_url_ip_literal"),
        ("http://hooks.example.org/", "webhook_url_scheme"),
        ("https://user:secret@hooks.example.org/", "webhook_url_credentials"),
        ("gopher://hooks.example.org/", "webhook_url_scheme"),
    ],
)
async def test_an_address_that_may_not_be_called_is_refused_when_it_is_given(
    front: Front, url: str, code: str
) -> None:
    _, key = await front.register_system()
    refused = await front.post(key, "/endpoints", {"url": url, "types": ["*"]})
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert await front.mongo["endpoint_addresses"].count_documents({}) == 0


async def test_an_endpoint_is_switched_off_and_on_and_its_secret_changed(
    front: Front, receiver: Receiver
) -> None:
    _, key = await front.register_system()
    made = await endpoint_of(front, key, receiver.url("/ok"))
    path = f"/endpoints/{made['endpoint_id']}"
    off = await front.post(key, f"{path}/disablings", {"reason": "Being moved"})
    assert (off.status_code, off.json()["disabled_because"]) == (201, "Being moved")
    await front.hear(registered(new_id("ptn")))
    changed = await front.post(key, f"{path}/rotations", {"grace_s": 0})
    assert changed.status_code == 201 and changed.json()["old_until"] is None
    on = await front.post(key, f"{path}/enablings", {"reason": "Moved"})
    assert on.json()["disabled_because"] is None
    await until_settled(front, key, 1)
    (request,) = receiver.requests
    assert request.is_signed_by(changed.json()["secret"]) and not request.is_signed_by(made["secret"])


async def test_other_peoples_endpoints_and_deliveries_are_not_there(front: Front, receiver: Receiver) -> None:
    _, owner = await front.register_system()
    _, stranger = await front.register_system()
    made = await endpoint_of(front, owner, receiver.url("/ok"))
    await front.hear(registered(new_id("ptn")))
    (delivery,) = await until_settled(front, owner, 1)
    assert (await front.read(stranger, "/deliveries"))["items"] == []
    assert (await front.read(stranger, "/endpoints"))["items"] == []
    for path in (f"/deliveries/{delivery['id']}", f"/deliveries/{delivery['id']}/attempts"):
        assert (await front.get(stranger, path)).status_code == 404
    for path in (
        f"/deliveries/{delivery['id']}/replays",
        f"/endpoints/{made['endpoint_id']}/disablings",
        f"/endpoints/{new_id('whe')}/disablings",
    ):
        body = {"reason": "x"} if path.endswith("disablings") else {}
        assert (await front.post(stranger, path, body)).status_code == 404, path


async def test_a_delivery_is_replayed_under_the_same_id_and_leaves_its_attempts(
    front: Front, receiver: Receiver
) -> None:
    receiver.answers("/hook", 200)
    _, key = await front.register_system()
    await endpoint_of(front, key, receiver.url("/hook"))
    await front.hear(registered(new_id("ptn")))
    (delivery,) = await until_settled(front, key, 1)
    replayed = await front.post(key, f"/deliveries/{delivery['id']}/replays")
    assert replayed.status_code == 202, replayed.text
    await receiver.until(lambda: len(receiver.requests) == 2)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery["event_id"]
    assert second.headers["webhook-replay"] == replayed.json()["replay_id"]
    assert "webhook-replay" not in first.headers
    await until_settled(front, key, 1)
    attempts = await front.read(key, f"/deliveries/{delivery['id']}/attempts")
    assert [(one["status"], one["outcome"]) for one in attempts["items"]] == [(200, "taken"), (200, "taken")]
    assert [one["address"] for one in attempts["items"]] == [None, None], "addresses are for operators"


async def test_a_delivery_that_is_still_open_is_not_replayed(front: Front, receiver: Receiver) -> None:
    receiver.answers("/sick", 500)
    _, key = await front.register_system()
    await endpoint_of(front, key, receiver.url("/sick"))
    await front.hear(registered(new_id("ptn")))
    (delivery,) = await until_settled(front, key, 1, state="pending")
    refused = await front.post(key, f"/deliveries/{delivery['id']}/replays")
    assert (refused.status_code, refused.json()["code"]) == (409, "delivery_still_open")


async def test_a_notice_to_a_person_is_not_replayed(front: Front) -> None:
    await front.admit(Role.PARTNERSHIP_OFFICER)
    operator = await front.admit(Role.OPERATOR)
    await front.hear(registered(new_id("ptn")))
    (notice,) = await until_settled(front, operator, 1)
    refused = await front.post(operator, f"/deliveries/{notice['id']}/replays")
    assert (refused.status_code, refused.json()["code"]) == (409, "only_webhooks_replayed")


async def test_staff_see_what_was_sent_about_a_partner_and_an_operator_where_to(
    front: Front, receiver: Receiver
) -> None:
    officer, operator = await front.admit(Role.PARTNERSHIP_OFFICER), await front.admit(Role.OPERATOR)
    _, key = await front.register_system()
    await endpoint_of(front, key, receiver.url("/ok"))
    partner = new_id("ptn")
    await front.hear(registered(partner), registered(new_id("ptn")))
    await until_settled(front, operator, 4)
    about = await front.read(officer, "/deliveries", about=partner, state="delivered")
    assert {item["channel"] for item in about["items"]} == {"inbox", "webhook"}
    webhook = next(item for item in about["items"] if item["channel"] == "webhook")
    attempts = await front.read(operator, f"/deliveries/{webhook['id']}/attempts")
    assert [one["address"] for one in attempts["items"]] == ["127.0.0.1"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "https://hooks.example.org/", "types": []},
        {"url": "https://hooks.example.org/", "types": ["*"] * 51},
        {"url": "https://hooks.example.org/", "types": "partner.*"},
        {"url": "https://hooks.example.org/", "types": ["*"], "owner_id": "sys_1"},
        {"url": "https://hooks.example.org/" + "x" * 3_000, "types": ["*"]},
        {"url": "https://hooks.example.org/\u202e", "types": ["*"]},
        {"url": 7, "types": [7]},
    ],
)
async def test_what_is_no_endpoint_is_refused_and_nothing_is_stored(
    front: Front, body: dict[str, Any]
) -> None:
    _, key = await front.register_system()
    refused = await front.post(key, "/endpoints", body)
    assert refused.status_code == 422, refused.text
    assert await front.mongo["endpoints"].count_documents({}) == 0


async def test_an_operator_of_the_demo_reads_what_would_have_gone_out(front: Front) -> None:
    operator, officer = await front.admit(Role.OPERATOR), await front.admit(Role.PARTNERSHIP_OFFICER)
    contact = new_id("prs")
    address = {"erased": False, "name": "Amina", "email": "amina@example.org", "language": "fr"}
    await front.mongo[ADDRESSES].insert_one({"_id": contact, **address})
    await front.hear(registered(new_id("ptn"), contact))

    async def caught() -> bool:
        return bool((await front.read(operator, "/mailbox", to="amina@example.org"))["items"])

    await until(caught)
    (message,) = (await front.read(operator, "/mailbox"))["items"]
    assert message["recipients"] == ["amina@example.org"] and message["language"] == "fr"
    refused = await front.get(officer, "/mailbox")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")


async def test_my_work_is_what_is_given_to_me_or_to_my_role_soonest_first(front: Front) -> None:
    partner = new_id("ptn")
    user = await front.admit(Role.PARTNER_USER, partner=partner)
    scoped = (Scope(kind=ScopeKind.PARTNER, value=partner),)
    elsewhere = (Scope(kind=ScopeKind.PARTNER, value=new_id("ptn")),)
    await front.hear(
        task("tsk_later", role=Role.PARTNER_USER, scope=scoped, due_at=datetime(2027, 3, 1, tzinfo=UTC)),
        task("tsk_never", person_id=user, due_at=None),
        task("tsk_soon", person_id=user, due_at=datetime(2027, 2, 1, tzinfo=UTC)),
        task("tsk_other_role", role=Role.SIGNATORY),
        task("tsk_other_partner", role=Role.PARTNER_USER, scope=elsewhere),
        task("tsk_other_person", person_id=new_id("prs")),
    )
    first = await front.read(user, "/tasks", limit=2)
    rest = await front.read(user, "/tasks", limit=2, cursor=first["next"])
    assert [item["id"] for item in first["items"] + rest["items"]] == ["tsk_soon", "tsk_later", "tsk_never"]
    assert rest["next"] is None


async def test_a_task_that_is_done_is_gone_and_does_not_come_back(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    await front.hear(task("tsk_1", person_id=officer))
    assert len((await front.read(officer, "/tasks"))["items"]) == 1
    await front.hear(
        an(TaskDone, task_id="tsk_1", about="agr_1"), an(TaskDone, task_id="tsk_2", about="agr_2")
    )
    await front.hear(task("tsk_2", person_id=officer))
    assert (await front.read(officer, "/tasks"))["items"] == []


def task(id: str, **given: Any) -> TaskAssigned:
    nobody = {"person_id": None, "role": None, "scope": ()}
    return TaskAssigned.model_validate(
        {**TaskAssigned.example, **nobody, "task_id": id, "about": f"agr_{id[4:]}", **given}
    )
