"""External systems on screens: registered, given keys that are shown once, and keys taken from them."""

from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from services.partners.people import handlers
from services.partners.people.commands import IssueKey, Label, RegisterSystem, RevokeKey
from services.partners.people.documents import systems
from services.partners.people.domain.system import System
from services.partners.people.pages import new_pages, telling
from services.partners.people.pages.choosing import (
    VALUE_LENGTH_MAX,
    WhereForm,
    people_to_choose,
    places_for,
    scope_of,
)
from services.partners.people.pages.me import PartnerNames
from services.partners.people.pages.roles import ReasonForm
from services.partners.people.queries import names_of
from shared.errors import NotFound
from shared.http.api_keys import new_api_key
from shared.http.paging import Cursor, PageAsked, page_of
from shared.web.act import Act, act_page
from shared.web.ask import Ask
from shared.web.countries import country_options
from shared.web.forms import FormModel
from shared.web.language import _


class Wanted(FormModel):
    cursor: str | None = None


class SystemForm(WhereForm):
    label: Label
    owner: Annotated[str, Field(max_length=VALUE_LENGTH_MAX)]


class SystemPages:
    """`partner_names`: the register knows what partners are called; this room comes before it."""

    def __init__(self, partner_names: PartnerNames) -> None:
        self.pages = pages = new_pages()
        self._partner_names = partner_names
        one = "/partners/systems/{id}"
        revoke = f"{one}/keys/{{key}}/revoke"
        pages.get("/partners/systems", may="system:read")(self.all)
        pages.get("/partners/systems/register", may="system:register")(self.register_page)
        pages.post("/partners/systems/register", may="system:register", again=self.register_page)(
            self.register
        )
        pages.get(one, may="system:read")(self.system)
        pages.get(f"{one}/issue", may="key:issue")(self.issue_page)
        pages.post(f"{one}/issue", may="key:issue", again=self.issue_page)(self.issue)
        pages.get(revoke, may="key:revoke")(self.revoke_page)
        pages.post(revoke, may="key:revoke", again=self.revoke_page)(self.revoke)

    async def all(self, ask: Ask) -> Response:
        cursor, mongo = ask.query(Wanted).cursor, ask.work.mongo
        paging = PageAsked(cursor=Cursor.read(cursor) if cursor else None)
        found = await page_of(mongo[systems.collection], {}, paging=paging, make=systems.restore)
        names = await names_of(mongo, [system.owner_id for system in found.items])
        listed = [(system, await self._where(ask, system)) for system in found.items]
        return ask.page("people/systems.html", listed=listed, next=found.next, names=names)

    async def register_page(self, ask: Ask) -> Response:
        return ask.page(
            "people/system_register.html",
            people=await people_to_choose(ask.work.mongo),
            places=places_for(None),
            countries=country_options(ask.formats),
        )

    async def register(self, ask: Ask) -> Response:
        form = ask.form(SystemForm)
        scope = await scope_of(form, ask.work.mongo, self._partner_names)
        command = RegisterSystem(label=form.label, owner_id=form.owner, scope=scope)
        system = await handlers.register_system(command, ask.work)
        return ask.see_other(f"/partners/systems/{system.id}", done="registered")

    async def system(self, ask: Ask) -> Response:
        system = await systems.load(ask.work, ask.path("id"))
        names = await names_of(ask.work.mongo, [system.owner_id])
        where = await self._where(ask, system)
        return ask.page("people/system.html", system=system, where=where, names=names)

    async def issue_page(self, ask: Ask) -> Response:
        system = await systems.load(ask.work, ask.path("id"))
        act = Act(
            title=_("Issue a key to %(name)s") % {"name": system.label},
            points=(
                _("The key is shown once, on the next page. We cannot show it again."),
                _("A system can have two keys at a time, so that one replaces the other without a pause."),
                _("Whoever has the key acts as this system until you revoke it."),
            ),
            button=_("Issue a key"),
            back=f"/partners/systems/{system.id}",
            back_name=system.label,
            version=ask.work.version_of(system.id),
        )
        return act_page(ask, act)

    async def issue(self, ask: Ask) -> Response:
        """The answer that shows the key is kept sealed under the form's own key, as every answer is."""
        key = new_api_key()
        command = IssueKey(system_id=ask.path("id"), key_id=key.key_id, sha256=key.sha256)
        system = await handlers.issue_key(command, ask.work)
        return ask.page("people/key.html", system=system, key=key)

    async def revoke_page(self, ask: Ask) -> Response:
        system = await systems.load(ask.work, ask.path("id"))
        key = next((one for one in system.keys if one.id == ask.path("key")), None)
        if key is None:
            raise NotFound("key_not_found", "This system has no such key")
        act = Act(
            title=_("Revoke a key of %(name)s") % {"name": system.label},
            lead=key.id,
            points=(
                _("Requests with this key are refused from then on, within a second."),
                _("Its webhooks and its place in the feed stay, for its other key."),
                _("A revoked key never comes back; issue another."),
            ),
            reason=_("Why is it revoked?"),
            reason_hint=_("1 to 500 characters. It is kept for good, so name no person."),
            button=_("Revoke the key"),
            back=f"/partners/systems/{system.id}",
            back_name=system.label,
            version=ask.work.version_of(system.id),
            is_grave=True,
        )
        return act_page(ask, act)

    async def revoke(self, ask: Ask) -> Response:
        command = RevokeKey(
            system_id=ask.path("id"), key_id=ask.path("key"), reason=ask.form(ReasonForm).reason
        )
        system = await handlers.revoke_key(command, ask.work)
        return ask.see_other(f"/partners/systems/{system.id}", done="revoked")

    async def _where(self, ask: Ask, system: System) -> str:
        names: Any = await self._partner_names(ask.work.mongo, [part.value for part in system.scope])
        return telling.where(system.scope, ask.formats, names)
