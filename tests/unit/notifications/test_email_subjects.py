"""Subjects in any script: what was written is what is read, however long the line."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.email.domain import POLICY

WORD = st.text(st.characters(categories=("L", "N", "Po"), exclude_characters="=?"), min_size=1, max_size=90)


@given(st.lists(WORD, min_size=1, max_size=30))
def test_a_subject_is_read_as_it_was_written(words: list[str]) -> None:
    subject = " ".join(words)
    message = EmailMessage(policy=POLICY)
    message["Subject"] = subject
    message.set_content("text")
    sent = message.as_bytes()
    assert message_from_bytes(sent, policy=SMTP)["Subject"] == subject
    assert max(len(line) for line in sent.split(b"\r\n")) <= 78


def test_the_words_of_an_arabic_subject_do_not_run_together() -> None:
    message = EmailMessage(policy=POLICY)
    message["Subject"] = "تم تسجيل \u2068بلدية الواحة الجديدة\u2069 شريكًا"
    assert message_from_bytes(message.as_bytes(), policy=SMTP)["Subject"] == message["Subject"]
