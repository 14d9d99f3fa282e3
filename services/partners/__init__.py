"""Partners: who our partners are, and who may do what.

Owns
    The directory of people and systems with their roles, and the register of partners. Names and addresses of
    people are kept here, in `people`, outside the streams.
Commands in
    people      admit a person, invite a partner's user, join, sign out everywhere, grant and withdraw a role,
                give and end a delegation, erase a person, register a system, issue and revoke its keys
    register    begin, fill in, send and discard a draft of a registration; register a partner, suspend it,
                reinstate it, erase its contact person
Events out (topic concord.partners.v1)
    person.*, invitation.*, role.*, delegation.*, system.*, key.*, partner.*, and task.* for who is invited
Events heard (topic concord.notifications.v1)
    delivery.accepted, delivery.exhausted: what became of the notices about a partner
Promises
    One partner of a name and country, whoever registers it at the same moment.
    One person a subject. A withdrawn role counts for no request that comes after the answer.
    There is always an administrator, and nobody gives a role to themselves.
    What is erased is gone from here at once, and every stream stays whole.
"""

# The order of the rooms: a room may use those before it, never those after it.
ROOMS = ("people", "register")
