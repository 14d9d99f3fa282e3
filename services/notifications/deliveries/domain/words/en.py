"""English."""

WORDS = {
    "partner_registered": (
        "{label} is registered as a partner",
        "{label} has been entered in the register of partners.",
    ),
    "partner_suspended": (
        "{label} is suspended as a partner",
        "The partnership with {label} is suspended. Reason: {reason}\n"
        "Until it is reinstated, nothing new can be agreed or signed with this partner.",
    ),
    "partner_reinstated": (
        "{label} is reinstated as a partner",
        "The suspension of {label} has been lifted. Reason: {reason}",
    ),
    "person_invited": (
        "You are invited to speak for {label}",
        "You have been invited to act for {label} in Concord.\n"
        "Whoever invited you gives you the code with which you take it up, until {expires_at}.",
    ),
    "agreement_sent": (
        "{label} is ready to be signed",
        "The text of {label}, “{title}”, is final and has been sent for signature.\n"
        "It can be signed until {closes_at}.",
    ),
    "agreement_signed": (
        "{label} has a new signature",
        "A signature of one of the parties to {label} has been recorded.",
    ),
    "agreement_in_force": (
        "{label} is in force",
        "{label}, “{title}”, is in force from {effective_on} until {ends_on}.",
    ),
    "agreement_expired": (
        "{label} has expired",
        "{ends_on} was the last day on which {label} was in force.",
    ),
    "agreement_lapsed": (
        "{label} was not signed in time",
        "The time for signing {label} ended at {closed_at} before everybody had signed.",
    ),
    "agreement_held": (
        "{label} is on hold",
        "{label} is on hold because the partner is suspended. Nothing can be signed meanwhile.",
    ),
    "agreement_hold_ended": (
        "{label} is no longer on hold",
        "The hold on {label} has ended. Work on it can go on.",
    ),
}
