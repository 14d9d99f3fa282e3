"""One document a task. Only open ones are looked through."""

from datetime import UTC, datetime

from shared.storage.documents import Collection, Index

TASKS = "tasks"
# A task without a date sorts after every task with one.
NO_DATE = datetime(9999, 12, 31, tzinfo=UTC)

TASKS_KEPT = Collection(
    name=TASKS,
    indexes=(
        Index(
            name="open_of_person",
            keys=(("person_id", 1), ("soonest", 1), ("_id", 1)),
            only_where={"open": True},
        ),
        Index(name="open_of_role", keys=(("role", 1), ("soonest", 1), ("_id", 1)), only_where={"open": True}),
    ),
)
