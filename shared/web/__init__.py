"""Screens: what the pages of all services have in common. Each service renders its own pages; here are the
layout, the components, the words and the way of a request that comes from a browser.

    pages = Pages("partners", room="register", templates=Path(__file__).with_name("templates"))

    @pages.get("/partners", may="partner:read")
    async def register(ask: Ask) -> Response:
        return ask.page("register/list.html", partners=await ...)

    @pages.post("/partners/{id}/suspensions", may="partner:suspend", again=partner_page)
    async def suspend(ask: Ask) -> Response:
        await handlers.suspend_partner(SuspendPartner(..., **ask.form(ReasonForm)), ask.work)
        return ask.see_other(f"/partners/{id}", done="suspended")

A page works without JavaScript: a form is a POST that answers 303, or shows itself again with what was sent
and what was wrong about it.
"""
