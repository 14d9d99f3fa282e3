"""What people do on the screens, a step each; every step ends with what its person then sees.

A step is given the window of whoever does it and goes through `Way`, so it can be walked in more than one.
"""

import re
from dataclasses import dataclass

from playwright.async_api import expect

from tests.browser.ways import Way, headed, says, until_shown
from tests.journeys.steps import any_mark

REASON = "The audited accounts are two years late."
TEXT = "Both sides keep the streets lit.\n\nThe residents say where."
_ID = re.compile(r"/([a-z]{3}_[0-9A-Z]{26})")


@dataclass(frozen=True, kw_only=True)
class Names:
    """Unlike any other's, so that a journey sees its own things only."""

    partner: str
    contact_email: str
    speaker: str
    speaker_email: str
    title: str


def new_names() -> Names:
    mark = any_mark()
    return Names(
        partner=f"Slum Dwellers Federation of Kisumu {mark}",
        contact_email=f"grace.{mark}@example.org",
        speaker=f"Tendai Moyo {mark}",
        speaker_email=f"tendai.{mark}@example.org",
        title=f"Safer streets along the lake {mark}",
    )


def id_on(way: Way) -> str:
    """Of what the page is about."""
    found = _ID.search(way.page.url)
    assert found is not None, way.page.url
    return found[1]


# The officer, with the partner.


async def register(officer: Way, names: Names) -> str:
    await officer.page.goto("/")
    await officer.press("link", "Partners")
    await officer.press("link", "Register a partner")
    await officer.press("button", "Begin")
    await answer_the_questions(officer, names)
    await officer.press("button", "Register the partner")
    await headed(officer.page, names.partner)
    await says(officer.page, "The partner is registered.")
    return id_on(officer)


async def answer_the_questions(officer: Way, names: Names) -> None:
    """Ends on the page with all answers."""
    await officer.press("link", "Name and kind")
    await officer.write("Legal name", names.partner)
    await officer.choose("Civil society")
    await officer.press("button", "Save and continue")
    await officer.pick("In which country is it registered?", "Kenya")
    await officer.press("button", "Save and continue")
    await officer.write("Name", "Grace Achieng")
    await officer.write("E-mail address", names.contact_email)
    await officer.pick("In which language shall we write to them?", "English")
    await officer.press("button", "Save and continue")
    await headed(officer.page, "Check and send")


async def invite(officer: Way, names: Names, partner_id: str) -> str:
    """Gives the address that holds the code."""
    await officer.page.goto(f"/partners/{partner_id}")
    await officer.press("link", "Invite somebody")
    await officer.write("Name", names.speaker)
    await officer.write("E-mail address", names.speaker_email)
    await officer.pick("In which language shall we write to them?", "English")
    await officer.press("button", "Make the invitation")
    await headed(officer.page, "The invitation is made")
    return await officer.page.get_by_label("The address").inner_text()


async def suspend(officer: Way, names: Names, partner_id: str) -> None:
    await officer.page.goto(f"/partners/{partner_id}")
    await officer.press("link", "Suspend")
    await says(officer.page, "its agreements cannot be sent, signed or enter into force")
    await officer.write("Why is it suspended?", REASON)
    await officer.press("button", "Suspend the partner")
    await headed(officer.page, names.partner)
    await says(officer.page, REASON)
    await says(officer.page, "While it is suspended, its agreements are on hold")


async def reinstate(officer: Way, names: Names, partner_id: str) -> None:
    await officer.page.goto(f"/partners/{partner_id}")
    await officer.press("link", "Reinstate")
    await officer.write("Why is it reinstated?", "The accounts were received and read.")
    await officer.press("button", "Reinstate the partner")
    await headed(officer.page, names.partner)
    await says(officer.page, "The partner is reinstated.")


# The officer, with the agreement.


async def draft(officer: Way, names: Names, partner_id: str) -> str:
    register_of_partner = f"/agreements?partner={partner_id}"
    known = officer.page.get_by_text(f"Agreements with {names.partner}")
    await until_shown(officer.page, register_of_partner, known)
    await officer.page.goto(f"/agreements/draft?partner={partner_id}")
    await officer.press("button", "Begin")
    await officer.press("link", "Go on")
    await officer.choose("Memorandum of understanding")
    await officer.write("Title", names.title)
    await officer.press("button", "Keep and go on")
    await officer.write("The text that both sides will sign", TEXT)
    await officer.press("button", "Keep and go on")
    await officer.write_date("Last day in force", ("31", "12", "2028"))
    await officer.press("button", "Keep and go on")
    await headed(officer.page, "Read once more and save")
    await officer.press("button", "Save the draft")
    await headed(officer.page, names.title)
    await says(officer.page, "Saved as a draft.")
    return id_on(officer)


async def send(officer: Way, agreement_id: str) -> str:
    """Gives its number."""
    await officer.page.goto(f"/agreements/{agreement_id}")
    await officer.press("link", "Send for signature")
    await says(officer.page, "its text is frozen")
    await officer.press("button", "Send for signature")
    await says(officer.page, "Both sides are asked to sign.")
    number = officer.page.get_by_text(re.compile(r"^UNH/MOU/\d{4}/\d{4}$")).first
    return await number.inner_text()


# Those who sign.


async def join(invited: Way, names: Names, address: str) -> None:
    await invited.page.goto(address)
    await headed(invited.page, "Join for a partner")
    await invited.press("button", "Join")
    await says(invited.page, "You have joined.")
    await expect(invited.page.get_by_role("link", name=names.partner)).to_be_visible()


async def sign_from_my_work(signatory: Way, ref: str, name: str) -> None:
    task = signatory.page.get_by_role("link", name=f"Sign {ref}", exact=True)
    await until_shown(signatory.page, "/", task)
    await signatory.press("link", f"Sign {ref}")
    await headed(signatory.page, "Read and sign")
    await says(signatory.page, TEXT.splitlines()[0])
    await signatory.write("Your name", name)
    await signatory.press("button", "Sign")
    await says(signatory.page, "You have signed")


async def nothing_left_to_sign(signatory: Way, ref: str) -> None:
    gone = signatory.page.locator("main", has_not=signatory.page.get_by_role("link", name=f"Sign {ref}"))
    await until_shown(signatory.page, "/", gone)


# Where one sees what came of it.


def news(of: str, said: str) -> str:
    """A notice's subject; what it is of stands between marks that keep its own direction of writing."""
    return f"\u2068{of}\u2069 {said}"


async def told_in_inbox(reader: Way, subject: str) -> None:
    notice = reader.page.get_by_role("link").filter(has_text=subject)
    await until_shown(reader.page, "/notifications/inbox", notice)
    await expect(notice.first).to_be_visible()


async def told_by_mail(operator: Way, receiver: str, subject: str) -> None:
    heading = operator.page.get_by_role("heading").filter(has_text=subject)
    await until_shown(operator.page, f"/notifications/mailbox?to={receiver}", heading)
    await says(operator.page, receiver)


async def register_endpoint(operator: Way) -> None:
    await operator.page.goto("/notifications/webhooks")
    await operator.press("link", "The demo’s receiver")
    await headed(operator.page, "The demo’s receiver")
    await operator.page.goto("/notifications/webhooks/new?to=demo-receiver")
    address = operator.page.get_by_label("Address", exact=True)
    await operator.write("Address", f"{await address.input_value()}?for={any_mark()}")
    await operator.write("Types of events", "agreement.*")
    await operator.press("button", "Register the endpoint")
    await says(operator.page, "The secret is shown here and never again.")
    await operator.press("link", "I have it: go on to the endpoint")
    await says(operator.page, "Nothing was sent yet.")


async def told_by_webhook(operator: Way, event: str, about: str) -> None:
    """The receiver has it, and its signature holds."""
    receipt = operator.page.get_by_role("article").filter(has_text=about).filter(has_text=event)
    good = receipt.get_by_text("The signature holds")
    await until_shown(operator.page, "/notifications/webhooks/demo-receiver", good)
    await expect(receipt.first).to_contain_text("204")


async def told_in_feed(auditor: Way, event: str, about: str) -> None:
    await auditor.page.goto("/")
    await auditor.press("link", "Feed")
    row = auditor.page.get_by_role("row").filter(has_text=about).filter(has_text=event)
    await until_shown(auditor.page, "/notifications/feed", row)
    await expect(row.first).to_be_visible()


async def hold_explained(reader: Way, agreement_id: str) -> None:
    """In plain words: what is held, why, what goes on, and what ends it."""
    hold = reader.page.get_by_role("region", name="On hold")
    await until_shown(reader.page, f"/agreements/{agreement_id}", hold)
    await expect(hold).to_contain_text("is suspended since")
    await expect(hold).to_contain_text("nobody can sign it")
    await expect(hold).to_contain_text("The hold ends by itself when the partner is reinstated")


async def hold_lifted(reader: Way, agreement_id: str) -> None:
    free = reader.page.locator("main", has_not=reader.page.get_by_role("region", name="On hold"))
    await until_shown(reader.page, f"/agreements/{agreement_id}", free)
    await says(reader.page, "In force")
