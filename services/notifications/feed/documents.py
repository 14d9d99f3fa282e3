"""One document an event, where its topic has it, and one mark a partition."""

from shared.storage.documents import Collection

FEED = "feed"
MARKS = "feed_marks"

FEED_KEPT = Collection(name=FEED)
MARKS_KEPT = Collection(name=MARKS)


def place_id(lane: str, offset: int) -> str:
    """Sorts as the offsets of a lane do. A lane is a partition of a topic, or the late lane beside them."""
    return f"{lane}:{offset:016d}"


def lane_of(topic: str, partition: int) -> str:
    return f"{topic}:{partition:03d}"
