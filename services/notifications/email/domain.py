"""A notice as an e-mail message, and what a mail server's answer means.

A message is plain text in one language. Whatever was written by people (names, titles) is only ever a
value in it: nothing in a value can start a header, and a name cannot turn the text around it. The
Message-ID comes from the delivery, so sending twice is the same message to every mail program that looks.

An answer is one of four. Only the last is delicate: the message was handed over and no reply came, so
nobody knows. Whether to send again is the caller's rule (a mandatory notice yes, a newsletter no).
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy, Policy

from shared.errors import Invalid

# Room for a title at its longest: a notice is not lost because the thing it tells of has a long name.
SUBJECT_CHARACTERS_MAX = 1_000
BODY_CHARACTERS_MAX = 100_000
ADDRESS_CHARACTERS_MAX = 254
NAME_CHARACTERS_MAX = 200
LINE_CHARACTERS_MAX = 76
WORD_CHARACTERS_MAX = 60

# Quoted-printable triples these scripts and is read by nobody in them.
_BASE64_LANGUAGES = frozenset({"ar", "zh", "ru"})
_DIRECTION_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_IN_BODY = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ADDRESS = re.compile(r'[^\s@<>()\[\]\\,;:"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*')
# Without an angle bracket or a comma, which end it inside the header, and short enough for one line.
_HTTPS = re.compile(r"https://[!-+\--;=?-~]{1,800}", re.ASCII)
_LIST_ID = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)


class _OneLine:
    """A header that is never folded: folding writes a long link as encoded words, which nobody follows."""

    max_count = 1
    parse = staticmethod(UnstructuredHeader.parse)

    def fold(self, *, policy: "Policy[EmailMessage]") -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]


class _Words:
    """A subject in any script. The library's own folding loses the space where it breaks a line between two
    words that must be encoded, so the words of a sentence would run together.
    """

    max_count = 1
    parse = staticmethod(UnstructuredHeader.parse)

    def fold(self, *, policy: "Policy[EmailMessage]") -> str:
        text, name = str(self), self.name  # type: ignore[attr-defined]
        breaks = all(len(word) <= WORD_CHARACTERS_MAX for word in text.split(" "))
        charset = "us-ascii" if text.isascii() and breaks else "utf-8"
        folded = Header(text, charset, maxlinelen=LINE_CHARACTERS_MAX, header_name=name)
        return f"{name}: {folded.encode(linesep=policy.linesep)}{policy.linesep}"


def _policy() -> "EmailPolicy[EmailMessage]":
    headers = HeaderRegistry()
    headers.map_to_type("list-unsubscribe", _OneLine)  # type: ignore[arg-type] # a mixin, as the stdlib's
    headers.map_to_type("subject", _Words)  # type: ignore[arg-type] # likewise
    return SMTP.clone(header_factory=headers)


POLICY = _policy()


@dataclass(frozen=True)
class Mailbox:
    """An address with its domain in ASCII (`xn--` where it must be), and the name shown beside it."""

    address: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class MailingList:
    """What only bulk mail carries: how to get off the list in one click (RFC 8058)."""

    id: str
    unsubscribe_url: str
    unsubscribe_address: str


@dataclass(frozen=True, kw_only=True)
class Letter:
    delivery_id: str
    sender: Mailbox
    to: Mailbox
    subject: str
    body: str
    language: str
    at: datetime
    reply_to: Mailbox | None = None
    mailing_list: MailingList | None = None


@dataclass(frozen=True)
class Accepted:
    """The server has taken responsibility for the message."""

    code: int
    text: str


@dataclass(frozen=True)
class TransientRefusal:
    """Not now: a 4xx, no connection, or a server that wants no mail of ours at all. `code` may be absent."""

    code: int | None
    text: str


@dataclass(frozen=True)
class PermanentRefusal:
    """Never: a 5xx for this recipient or this message."""

    code: int
    text: str


@dataclass(frozen=True)
class Unknown:
    """The message was handed over and no answer came."""

    text: str


Answer = Accepted | TransientRefusal | PermanentRefusal | Unknown


def answer_of(code: int, text: str) -> Answer:
    """What a server's reply to a recipient or to the message itself means."""
    if 200 <= code < 300:
        return Accepted(code, text)
    return PermanentRefusal(code, text) if 500 <= code < 600 else TransientRefusal(code, text)


def build_message(letter: Letter) -> EmailMessage:
    """The message, ready to be sent; a refusal when a part could be read as something else."""
    message = EmailMessage(policy=POLICY)
    message["From"] = _shown(letter.sender)
    message["To"] = _shown(letter.to)
    if letter.reply_to is not None:
        message["Reply-To"] = _shown(letter.reply_to)
    message["Subject"] = _subject(letter.subject)
    message["Date"] = letter.at
    message["Message-ID"] = message_id(letter.delivery_id, letter.sender.address)
    message["Auto-Submitted"] = "auto-generated"
    if letter.mailing_list is not None:
        _add_list_headers(message, letter.mailing_list)
    encoding = "base64" if letter.language in _BASE64_LANGUAGES else "quoted-printable"
    message.set_content(_body(letter.body), charset="utf-8", cte=encoding)
    message["Content-Language"] = letter.language
    return message


def message_id(delivery_id: str, sender_address: str) -> str:
    """The same for every attempt, and telling nothing of the delivery to whoever reads it."""
    digest = hashlib.sha256(delivery_id.encode()).hexdigest()[:40]
    return f"<{digest}@{check_address(sender_address).rpartition('@')[2]}>"


def check_address(address: str) -> str:
    """An address that can stand in a header and in an SMTP command as it is."""
    if len(address) > ADDRESS_CHARACTERS_MAX or _CONTROL.search(address) or not _ADDRESS.fullmatch(address):
        raise Invalid("email_address_invalid", "Not an e-mail address with its domain in ASCII")
    return address


def plain_value(value: str) -> str:
    """A value written by somebody, as it may stand in a sentence: without lines and turns of its own."""
    if _CONTROL.search(value):
        raise Invalid("email_control_characters", "Line breaks and control characters are not allowed")
    return _DIRECTION_MARKS.sub("", value)


def _shown(mailbox: Mailbox) -> Address:
    name = plain_value(mailbox.name)[:NAME_CHARACTERS_MAX]
    user, _, domain = check_address(mailbox.address).rpartition("@")
    return Address(display_name=name, username=user, domain=domain)


def _subject(subject: str) -> str:
    if _CONTROL.search(subject):
        raise Invalid("email_control_characters", "Line breaks and control characters are not allowed")
    if len(subject) > SUBJECT_CHARACTERS_MAX:
        limit = SUBJECT_CHARACTERS_MAX
        raise Invalid("email_too_long", f"A subject has at most {limit} characters", max=limit)
    return subject


def _body(body: str) -> str:
    if _CONTROL_IN_BODY.search(body):
        raise Invalid("email_control_characters", "Control characters are not allowed")
    if len(body) > BODY_CHARACTERS_MAX:
        limit = BODY_CHARACTERS_MAX
        raise Invalid("email_too_long", f"A body has at most {limit} characters", max=limit)
    return body


def _add_list_headers(message: EmailMessage, mailing_list: MailingList) -> None:
    if not _LIST_ID.fullmatch(mailing_list.id) or not _HTTPS.fullmatch(mailing_list.unsubscribe_url):
        raise Invalid("email_list_invalid", "A list has an id like a domain, and an https page to leave it")
    unsubscribe = (
        f"<{mailing_list.unsubscribe_url}>, <mailto:{check_address(mailing_list.unsubscribe_address)}>"
    )
    message["List-Id"] = f"<{mailing_list.id}>"
    message["List-Unsubscribe"] = unsubscribe
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
