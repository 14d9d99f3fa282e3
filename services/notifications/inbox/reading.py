"""What a reader of a stream says they have already."""

from shared.errors import Malformed

SEQ_DIGITS_MAX = 15


def seq_of(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= SEQ_DIGITS_MAX):
        raise Malformed("last_event_id_malformed", "Last-Event-ID is the number of the last item you have")
    return int(text)
