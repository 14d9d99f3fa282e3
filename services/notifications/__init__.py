"""Notifications: everyone concerned is told, on every channel they have, and can prove or catch up on it.

Owns
    The address book, My work, deliveries on all channels with their attempts, the inbox, webhook endpoints
    with their addresses and secrets, and the feed of all events.
Commands in
    inbox       mark an item, or all that was seen, as read
    webhooks    register an endpoint, rotate its secret, disable it, enable it
    deliveries  replay a delivery
    clock       in a demonstration, move the whole house on
Events out (topic concord.notifications.v1)
    delivery.accepted, delivery.exhausted, endpoint.*
Events heard (topics concord.partners.v1, concord.agreements.v1, concord.notifications.v1)
    person.* and partner.registered, partner.contact_erased for the address book; task.assigned and task.done
    for My work; what the rules of deliveries name; every event for endpoints and the feed.
Promises
    Nobody is told, on any channel, what the event's visibility and audience do not let them know.
    A delivery is made at least once with one id, never by two senders at the same time, and ends in a fact.
    Per endpoint and subject, deliveries go out in the order of the subject's versions.
    An endpoint that hangs or refuses delays nobody but itself; what it missed is kept for it.
    The feed skips no event and repeats none.
    What is erased is not fetched again, however late an answer comes.
"""

# The order of the rooms: a room may use those before it, never those after it.
ROOMS = ("address_book", "deliveries", "inbox", "tasks", "email", "webhooks", "feed", "clock")
