"""Every screen there is. One joins by being listed here, and is then tried in each language, light and dark,
wide and narrow, and without JavaScript: docs/guides/adding.md has the checklist.
"""

from dataclasses import dataclass

from shared.web.site import SIGN_IN


@dataclass(frozen=True, kw_only=True)
class Screen:
    """`path` may hold names of what the furnished house has: `/partners/{partner}`. `ready` is a selector of
    what is there once the screen is whole, where that is not so from the beginning.
    """

    name: str
    path: str
    # One of the demonstration's people by key; None: nobody is signed in.
    persona: str | None
    ready: str = "h1"
    status: int = 200
    # A selector of what others draw into our page, which we cannot mend: axe is not asked about it.
    not_ours: str = ""


KIT = (
    Screen(name="sign-in", path=SIGN_IN, persona=None),
    Screen(name="signed-out", path="/partners/signed-out", persona=None),
    Screen(name="refused", path="/partners/kept-forms/none", persona="officer", status=404),
    Screen(name="help", path="/partners/help", persona="officer"),
    Screen(name="me", path="/partners/me", persona="officer"),
    Screen(name="api", path="/api", persona=None),
    Screen(name="api-partners", path="/partners/v1/docs", persona=None, not_ours=".swagger-ui"),
    Screen(name="api-agreements", path="/agreements/v1/docs", persona=None, not_ours=".swagger-ui"),
    Screen(name="api-notifications", path="/notifications/v1/docs", persona=None, not_ours=".swagger-ui"),
    Screen(name="join", path="/partners/join", persona="officer"),
)
PARTNERS = (
    Screen(name="partners", path="/partners", persona="officer"),
    Screen(name="partner", path="/partners/{partner}", persona="officer"),
    Screen(name="partner-suspended", path="/partners/{suspended}", persona="officer"),
    Screen(name="partner-timeline", path="/partners/{partner}/timeline", persona="officer"),
    Screen(name="partner-notices", path="/partners/{partner}/notices", persona="officer"),
    Screen(name="partner-suspend", path="/partners/{partner}/suspend", persona="officer"),
    Screen(name="partner-reinstate", path="/partners/{suspended}/reinstate", persona="officer"),
    Screen(name="partner-invite", path="/partners/{partner}/invite", persona="officer"),
    Screen(name="partner-to-its-user", path="/partners/{partner}", persona="partner-user"),
    Screen(name="partner-contact-erase", path="/partners/{partner}/contact/erase", persona="officer"),
    Screen(
        name="partner-contact-invite", path="/partners/{partner}/people/{contact}/invite", persona="officer"
    ),
    Screen(name="partners-none-found", path="/partners?name=zzz", persona="officer"),
    Screen(name="registration-begin", path="/partners/register", persona="officer"),
    Screen(name="registration", path="/partners/drafts/{begun}", persona="officer"),
    Screen(name="registration-name", path="/partners/drafts/{answered}/name", persona="officer"),
    Screen(name="registration-country", path="/partners/drafts/{answered}/country", persona="officer"),
    Screen(name="registration-contact", path="/partners/drafts/{answered}/contact", persona="officer"),
    Screen(name="registration-check", path="/partners/drafts/{answered}/check", persona="officer"),
    Screen(name="registration-discard", path="/partners/drafts/{begun}/discard", persona="officer"),
)
DIRECTORY = (
    Screen(name="people", path="/partners/people", persona="administrator"),
    Screen(name="people-admit", path="/partners/people/admit", persona="administrator"),
    Screen(name="person", path="/partners/people/{person}", persona="administrator"),
    Screen(name="person-timeline", path="/partners/people/{person}/timeline", persona="auditor"),
    Screen(name="role-choose", path="/partners/people/{person}/grant", persona="administrator"),
    Screen(name="role-grant", path="/partners/people/{person}/grant?role=auditor", persona="administrator"),
    Screen(
        name="role-withdraw", path="/partners/people/{person}/roles/{held}/withdraw", persona="administrator"
    ),
    Screen(name="role-lend", path="/partners/people/{person}/roles/{held}/lend", persona="administrator"),
    Screen(
        name="loan-end", path="/partners/people/{borrower}/delegations/{loan}/end", persona="administrator"
    ),
    Screen(name="person-erase", path="/partners/people/{person}/erase", persona="administrator"),
    Screen(name="systems", path="/partners/systems", persona="administrator"),
    Screen(name="system-register", path="/partners/systems/register", persona="administrator"),
    Screen(name="system", path="/partners/systems/{system}", persona="administrator"),
    Screen(name="key-issue", path="/partners/systems/{system}/issue", persona="administrator"),
    Screen(name="key-revoke", path="/partners/systems/{system}/keys/{key}/revoke", persona="administrator"),
)
AGREEMENTS = (
    Screen(name="agreements", path="/agreements", persona="officer"),
    Screen(name="agreement-begin", path="/agreements/draft?partner={partner}", persona="officer"),
    Screen(name="agreement-outline", path="/agreements/draft/{outline}", persona="officer"),
    Screen(name="agreement-title", path="/agreements/draft/{outline}/title", persona="officer"),
    Screen(name="agreement-text-first", path="/agreements/draft/{outline}/text", persona="officer"),
    Screen(name="agreement-dates", path="/agreements/draft/{outline}/dates", persona="officer"),
    Screen(name="agreement-check", path="/agreements/draft/{outline_complete}/check", persona="officer"),
    Screen(name="agreement-draft", path="/agreements/{agreement_draft}", persona="officer"),
    Screen(name="agreement-text", path="/agreements/{agreement_draft}/text", persona="officer"),
    Screen(name="agreement-send", path="/agreements/{agreement_draft}/send", persona="officer"),
    Screen(name="agreement-sent", path="/agreements/{agreement_sent}", persona="officer"),
    Screen(name="agreement-sign", path="/agreements/{agreement_sent}/sign", persona="chief"),
    Screen(name="agreement-in-force", path="/agreements/{agreement_in_force}", persona="partner-user"),
    Screen(name="agreement-on-hold", path="/agreements/{agreement_on_hold}", persona="officer"),
    Screen(name="agreement-copy", path="/agreements/{agreement_in_force}/copy", persona="officer"),
    Screen(name="agreement-timeline", path="/agreements/{agreement_on_hold}/timeline", persona="officer"),
    Screen(name="agreement-evidence", path="/agreements/{agreement_in_force}/evidence", persona="auditor"),
)
NOTIFICATIONS = (
    Screen(name="my-work", path="/", persona="officer"),
    Screen(name="my-work-of-a-signatory", path="/", persona="chief"),
    Screen(name="inbox", path="/notifications/inbox", persona="officer"),
    Screen(name="mailbox", path="/notifications/mailbox", persona="operator"),
    Screen(name="webhooks", path="/notifications/webhooks", persona="operator"),
    Screen(name="webhook-new", path="/notifications/webhooks/new", persona="operator"),
    Screen(name="webhook", path="/notifications/webhooks/{endpoint}", persona="operator"),
    Screen(name="webhook-delivery", path="/notifications/webhooks/deliveries/{delivery}", persona="operator"),
    Screen(name="demo-receiver", path="/notifications/webhooks/demo-receiver", persona="operator"),
    Screen(name="feed", path="/notifications/feed", persona="auditor"),
    Screen(name="feed-event", path="/notifications/feed/events/{event}", persona="auditor"),
    Screen(name="clock", path="/notifications/clock", persona="operator"),
)

# Pages that are no screen of their own, each with its reason; every other page must be listed above.
NOT_SCREENS = {
    "/partners/language": "leads back to the page it was asked from",
    "/partners/sign-in/start": "leads to the provider",
    "/partners/sign-in/return": "leads on to the page that was wanted",
    "/agreements/{}/text.txt": "is a file",
    "/notifications/inbox/items": "is a part of the inbox",
    "/notifications/inbox/live": "is a stream",
    "/partners/kept-forms/{}": "is made by a session that ended: a journey",
    "/agreements/kept-forms/{}": "is made by a session that ended: a journey",
    "/notifications/kept-forms/{}": "is made by a session that ended: a journey",
}
# A part of another page is tried within it.
FRAGMENTS = ("/fragments/", "/count")

SCREENS = (*KIT, *PARTNERS, *DIRECTORY, *AGREEMENTS, *NOTIFICATIONS)
