"""One document a task, and one a person who comes to My work. Only open tasks are looked through."""

from datetime import UTC, datetime

from shared.storage.documents import Collection, Index

TASKS = "tasks"
VISITS = "visits"
# A task without a date sorts after every task with one.
NO_DATE = datetime(9999, 12, 31, tzinfo=UTC)

_OPEN = {"open": True}

TASKS_KEPT = Collection(
    name=TASKS,
    indexes=(
        Index(name="open_of_person", keys=(("person_id", 1), ("soonest", 1), ("_id", 1)), only_where=_OPEN),
        Index(name="open_of_role", keys=(("role", 1), ("soonest", 1), ("_id", 1)), only_where=_OPEN),
        # What somebody waits for: given to others by them, or about what they have a part in.
        Index(name="open_caused_by", keys=(("caused_by", 1), ("soonest", 1)), only_where=_OPEN),
        Index(name="open_about", keys=(("about", 1), ("soonest", 1)), only_where=_OPEN),
        Index(name="open_by_date", keys=(("soonest", 1), ("_id", 1)), only_where=_OPEN),
        Index(name="done_by", keys=(("done_by", 1), ("done_at", -1))),
    ),
)
# {_id: person, seen_at, before}: when they were last here, and when the time before this visit.
VISITS_KEPT = Collection(name=VISITS)
COLLECTIONS = (TASKS_KEPT, VISITS_KEPT)
