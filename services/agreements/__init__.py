"""Agreements: what the organisation and its partners have put their names to, from draft to last day.

Owns      agreements and their texts, the evidence of every signature, reference numbers; what somebody has
          begun to write and not saved yet.
Knows     of partners what their topic says: name, kind, country, active or suspended (`standing`).
Commands  draft an agreement, change a draft's text, send it for signature, sign it.
Screens   the register, drafting question by question, an agreement with its past, sending, signing, evidence,
          how to check a copy; for a partner's page: what we do together.
Time      a signing round lapses, a signed agreement enters into force on its day, one in force expires.
Events    agreement.drafted, text_changed, sent_for_signature, signed_by_party, fully_signed,
          entered_into_force, expired, lapsed, hold_opened, hold_closed; task.assigned, task.done.
Hears     concord.partners.v1: partner.registered, suspended, reinstated; of people and systems, what they
          may do.
Promises  A signature binds the exact text that was sent. The last signature completes the agreement, once.
          Nothing moves forward while its partner is suspended; nothing is kept alive by a hold.
          Reference numbers have no gap and no twin. A draft is unknown to the partner until it is sent.
"""

# A room may use the domain of those before it.
ROOMS = ("standing", "instruments", "overview")
