"""What the directory does when time comes."""

from services.partners.people.documents import persons
from services.partners.people.handlers import EXPIRE_INVITATION, GIVE_BACK, give_back_what_was_lent
from shared.storage.repository import Unit
from shared.storage.timers import OnDue, Timer


async def expire_invitation(timer: Timer, unit: Unit) -> None:
    person = await persons.load(unit, timer.subject)
    persons.save(unit, person, person.lapse(unit.context.now))


async def give_back_lent_roles(timer: Timer, unit: Unit) -> None:
    await give_back_what_was_lent(timer.subject, unit)


DEADLINES: dict[str, OnDue] = {EXPIRE_INVITATION: expire_invitation, GIVE_BACK: give_back_lent_roles}
