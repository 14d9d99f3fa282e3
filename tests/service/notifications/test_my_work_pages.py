"""My work on a screen: what I must do, what waits on others, and what is new since I was here."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.notifications.tasks.documents import VISITS
from shared.contracts.notifications.task import TaskAssigned, TaskDone
from shared.contracts.partners.person import PersonAdmitted, RoleGranted, Scope
from shared.contracts.vocabulary import Role, ScopeKind
from shared.ids import new_id
from tests.service.notifications.desk import an, registered, suspended
from tests.service.notifications.front import Front
from tests.support.browsing import browser_of
from tests.support.road import until

pytestmark = pytest.mark.asyncio

SIX_SCRIPTS = ("Shelter Forum Привет مرحبا 你好世界 नमस्ते שלום " * 8)[:300]


def task(id: str, **given: Any) -> TaskAssigned:
    nobody = {"person_id": None, "role": None, "scope": ()}
    return TaskAssigned.model_validate(
        {**TaskAssigned.example, **nobody, "task_id": id, "about": f"agr_{id[4:]}", **given}
    )


def of_partner(partner: str) -> tuple[Scope, ...]:
    return (Scope(kind=ScopeKind.PARTNER, value=partner),)


async def test_what_i_must_do_stands_there_soonest_first_with_its_reason_and_one_way_to_it(
    front: Front,
) -> None:
    signatory, now = await front.admit(Role.SIGNATORY), datetime.now(UTC)
    await front.hear(
        task("tsk_later", role=Role.SIGNATORY, label="UNH/MOU/2027/2", due_at=now + timedelta(days=20)),
        task(
            "tsk_soon",
            role=Role.SIGNATORY,
            label="UNH/MOU/2027/1",
            due_at=now + timedelta(hours=5, minutes=1),
        ),
        task("tsk_never", person_id=signatory, label="UNH/MOU/2027/3", due_at=None),
        task("tsk_other", role=Role.PARTNER_USER, scope=of_partner("ptn_1"), label="not mine"),
    )
    page = await front.browser(signatory).get("/")
    assert page.status == 200 and page.title == "My work"
    assert "3 things wait for you. The first is due on" in page.words
    places = [page.words.index(f"Sign UNH/MOU/2027/{number}") for number in (1, 2, 3)]
    assert places == sorted(places) and "5 hours left" in page.words and "No date" in page.words
    assert "Unsigned in time, it lapses." in page.words and "not mine" not in page.words
    assert page.links["Sign UNH/MOU/2027/1"] == "/agreements/agr_soon/sign"


async def test_where_nothing_waits_the_page_says_what_would_stand_there_and_how_to_begin(
    front: Front,
) -> None:
    officer, reviewer = (
        await front.admit(Role.PARTNERSHIP_OFFICER),
        await front.admit(Role.ACCREDITATION_REVIEWER),
    )
    page = await front.browser(officer).get("/")
    assert "Nothing waits for you." in page.words and "Draft an agreement" in page.links
    assert "Draft an agreement" not in (await front.browser(reviewer).get("/")).links


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.EXTERNAL_SYSTEM])
async def test_everybody_with_a_role_has_a_front_page(front: Front, role: Role) -> None:
    assert (await front.browser(await front.admit(role)).get("/")).status == 200


async def test_nobody_and_a_stranger_are_sent_on_their_ways(front: Front) -> None:
    nobody = await front.browser().get("/", follow=False)
    assert nobody.status == 303 and nobody.answer.headers["location"] == "/partners/sign-in?to=%2F"
    stranger = await front.browser("somebody").get("/")
    assert stranger.status == 403 and "nobody has admitted you" in stranger.words


async def test_i_see_whom_i_wait_for_as_far_as_i_may_know(front: Front) -> None:
    partner = new_id("ptn")
    signatory, user = await front.admit(Role.SIGNATORY), await front.admit(Role.PARTNER_USER, partner=partner)
    await front.hear(
        task("tsk_ours", about="agr_1", role=Role.SIGNATORY, label="UNH/MOU/1"),
        task(
            "tsk_theirs", about="agr_1", role=Role.PARTNER_USER, scope=of_partner(partner), label="UNH/MOU/1"
        ),
        task(
            "tsk_elsewhere",
            about="agr_2",
            role=Role.PARTNER_USER,
            scope=of_partner("ptn_2"),
            label="UNH/MOU/2",
        ),
    )
    seen = await front.browser(signatory).get("/")
    assert "Waits on others" in seen.words and "Signature of UNH/MOU/1" in seen.words
    assert "UNH/MOU/2" not in seen.words, "it is no concern of theirs"
    assert "Waits on others" not in (await front.browser(user).get("/")).words, "tasks are the secretariat's"


async def test_what_i_asked_of_others_and_what_i_did_my_part_in_waits_on_them(front: Front) -> None:
    # Whoever says something in these tests is prs_1.
    await front.hear(
        PersonAdmitted(person_id="prs_1", subject="prs_1", language="en", zone="UTC"),
        RoleGranted(person_id="prs_1", role=Role.PARTNERSHIP_OFFICER, scope=()),
        task("tsk_asked", about="agr_1", role=Role.SIGNATORY, label="UNH/MOU/1"),
    )
    page = await front.browser("prs_1").get("/")
    assert "Signature of UNH/MOU/1" in page.words and "Signatory" in page.words
    assert page.links["Signature of UNH/MOU/1"] == "/agreements/agr_1"
    await front.hear(an(TaskDone, task_id="tsk_asked", about="agr_1"))
    assert "UNH/MOU/1" not in (await front.browser("prs_1").get("/")).words


async def test_what_is_new_stays_new_for_a_visit_and_is_old_at_the_next(front: Front) -> None:
    officer, partner = await front.admit(Role.PARTNERSHIP_OFFICER), new_id("ptn")
    browser = front.browser(officer)
    await front.hear(registered(partner))

    async def is_told() -> bool:
        return "is registered as a partner" in (await browser.get("/")).words

    await until(is_told)
    assert "What you were told last" in (await browser.get("/")).words
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    await front.mongo[VISITS].update_one({"_id": officer}, {"$set": {"seen_at": long_ago}})
    for _ in range(2):
        page = await browser.get("/")
        assert "Since you were last here" in page.words and "is registered as a partner" in page.words
    await front.mongo[VISITS].update_one(
        {"_id": officer}, {"$set": {"seen_at": long_ago, "before": long_ago}}
    )
    await front.mongo["inbox"].update_many({}, {"$set": {"at": long_ago - timedelta(hours=1)}})
    assert "Nothing that concerns you happened since" in (await browser.get("/")).words


async def test_a_long_name_in_six_scripts_is_shown_whole_and_set_apart(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    await front.hear(task("tsk_long", person_id=officer, label=SIX_SCRIPTS))
    assert f"<bdi>{SIX_SCRIPTS}</bdi>" in (await front.browser(officer).get("/")).text


async def test_the_count_beside_my_work_is_a_part_of_the_page(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    browser = front.browser(officer)
    assert (await browser.fragment("/notifications/tasks/count")).text.strip() == ""
    await front.hear(task("tsk_1", person_id=officer), task("tsk_2", person_id=officer))
    assert (await browser.fragment("/notifications/tasks/count")).words == "(2)"


async def test_more_than_a_page_of_work_goes_on_at_the_next_and_a_bad_cursor_is_refused(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    await front.hear(*(task(f"tsk_{n:03d}", person_id=officer, label=f"UNH/{n:03d}") for n in range(55)))
    browser = front.browser(officer)
    first = await browser.get("/")
    assert (
        "55 things wait for you" in first.words and "UNH/049" in first.words and "UNH/050" not in first.words
    )
    assert "UNH/054" in (await browser.get(first.links["Next page"])).words
    assert (await browser.get("/", cursor="no cursor")).status == 400


async def test_the_page_is_read_in_arabic_from_the_right(front: Front) -> None:
    reader = await front.admit(Role.PARTNERSHIP_OFFICER, language="ar")
    await front.hear(suspended(new_id("ptn")))
    page = await browser_of(front.app, reader).get("/")
    assert page.status == 200 and '<html lang="ar" dir="rtl">' in page.text
