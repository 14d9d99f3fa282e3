"""Who I am here and what I may do; joining by an invitation; and leaving everywhere at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Annotated

from pydantic import Field, SecretStr
from starlette.responses import Response

from services.partners.people import handlers, queries
from services.partners.people.commands import CODE_LENGTH_MAX, JoinByInvitation, SignOutEverywhere
from services.partners.people.documents import persons
from services.partners.people.domain.person import Person
from services.partners.people.pages import new_pages
from services.partners.people.pages.sign_in import SIGNED_OUT
from shared.contracts.vocabulary import ScopeKind
from shared.errors import Invalid, NotFound
from shared.http.auth import SIGNED_IN
from shared.storage.mongo import Mongo
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.pages import Pages

ME, JOIN = "/partners/me", "/partners/join"

# The register knows what partners are called; this room comes before it.
PartnerNames = Callable[[Mongo, Iterable[str]], Awaitable[Mapping[str, str]]]


class Invited(FormModel):
    """What the address brings along, from the invitation's message."""

    code: str = ""


class JoinForm(FormModel):
    code: Annotated[SecretStr, Field(max_length=CODE_LENGTH_MAX)]


def me_pages(partner_names: PartnerNames) -> Pages:
    pages = new_pages()

    @pages.get(ME, may=SIGNED_IN)
    async def me(ask: Ask) -> Response:
        person = await persons.find(ask.work, ask.actor.id)
        if person is None:
            return ask.page("people/stranger.html")
        lenders = [lent.on_behalf_of for lent in person.delegations]
        return ask.page(
            "people/me.html",
            person=person,
            details=await queries.details_of(ask.work.mongo, person.id),
            lenders=await queries.names_of(ask.work.mongo, lenders),
            partners=await partner_names(ask.work.mongo, _partners_of(person)),
        )

    @pages.post(f"{ME}/sign-outs", may=SIGNED_IN)
    async def sign_out_everywhere(ask: Ask) -> Response:
        await handlers.sign_out_everywhere(SignOutEverywhere(person_id=ask.actor.id), ask.work)
        response = ask.see_other(f"{SIGNED_OUT}?everywhere=yes")
        ask.site.sessions.end(response, ask.session)
        return response

    async def join(ask: Ask) -> Response:
        return ask.page("people/join.html", code=ask.query(Invited).code, address=JOIN)

    pages.get(JOIN, may=SIGNED_IN)(join)

    @pages.post(JOIN, may=SIGNED_IN, again=join)
    async def take_up(ask: Ask) -> Response:
        assert ask.session is not None, "only who is signed in comes here"
        command = JoinByInvitation(code=ask.form(JoinForm).code, subject=ask.session.subject)
        try:
            await handlers.join_by_invitation(command, ask.work)
        except NotFound:
            raise Invalid(
                "invitation_unknown",
                "There is no invitation with this code; copy it whole from the message you were sent",
                field="code",
            ) from None
        return ask.see_other(ME, done="joined")

    return pages


def _partners_of(person: Person) -> list[str]:
    scopes = [held.scope for held in person.roles] + [lent.scope for lent in person.delegations]
    return [part.value for scope in scopes for part in scope if part.kind is ScopeKind.PARTNER]
