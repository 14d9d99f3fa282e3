"""The one door to MongoDB, and the only importer of Motor.

Motor is the default; `CONCORD_MONGO_DRIVER=pymongo` opens PyMongo's own asynchronous client instead. The two
differ in what has to be awaited (starting a session and a transaction, aggregating); those differences end
here. Collections are handed out as the drivers have them: find, find_one, insert_one, update_one, bulk_write
and their kin are the same on both.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from typing import Any, Literal

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, ReadPreference
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError, WriteConcernError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.errors import Unavailable

Driver = Literal["motor", "pymongo"]
Document = dict[str, Any]

SERVER_SELECTION_MS = 5_000
SOCKET_MS = 20_000
COMMIT_GIVE_UP_S = 60.0
COMMIT_RETRY_S = 0.05
INTERRUPTED = 11601

_CODEC: CodecOptions[Any] = CodecOptions(tz_aware=True, tzinfo=UTC)
_MAJORITY = WriteConcern("majority", j=True)


class CommitUnknown(Exception):
    """Whether a transaction was committed was not learned in time. Only its writer id may be given up."""


class Mongo:
    """A client and one service's database on it."""

    def __init__(self, url: str, database: str, *, driver: Driver = "motor") -> None:
        options: dict[str, Any] = {
            "serverSelectionTimeoutMS": SERVER_SELECTION_MS,
            "socketTimeoutMS": SOCKET_MS,
            "retryWrites": True,
            "tz_aware": True,
            "appname": f"concord-{database}",
        }
        self.driver = driver
        self.client: Any = (
            AsyncIOMotorClient(url, **options) if driver == "motor" else AsyncMongoClient(url, **options)
        )
        self.database: Any = self.client.get_database(
            database,
            codec_options=_CODEC,
            write_concern=_MAJORITY,
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )
        # Making one anew for each use costs as much as a small query.
        self._collections: dict[str, Any] = {}

    def __getitem__(self, collection: str) -> Any:
        made = self._collections.get(collection)
        if made is None:
            made = self._collections[collection] = self.database[collection]
        return made

    def newest(self, collection: str) -> Any:
        """What is there at this moment, even if a failover may take it back: to find out with, not to decide
        by.
        """
        return self.database[collection].with_options(read_concern=ReadConcern("local"))

    async def start_session(self) -> Any:
        """A session that its owner ends: the committer keeps one for its life, so that its lsid can be
        recorded.
        """
        session = self.client.start_session(causal_consistency=False)
        return await session if self.driver == "motor" else session

    async def begin(self, session: Any) -> None:
        """Start a transaction whose guarantees are said here, not inherited: Jepsen found inherited ones
        ignored.
        """
        started = session.start_transaction(
            read_concern=ReadConcern("snapshot"), write_concern=_MAJORITY, max_commit_time_ms=SOCKET_MS
        )
        if self.driver == "pymongo":
            await started

    async def abort(self, session: Any) -> None:
        """End what was begun. A server that cannot be reached ends it by itself."""
        if session.in_transaction:
            with suppress(PyMongoError):
                await session.abort_transaction()

    async def commit(self, session: Any) -> None:
        """Commit, repeating until the outcome is definite: a read cannot settle it, for it may still land."""
        give_up_at = asyncio.get_running_loop().time() + COMMIT_GIVE_UP_S
        while True:
            try:
                await session.commit_transaction()
                return
            except PyMongoError as error:
                if error.has_error_label("TransientTransactionError"):
                    raise
                if not is_unknown_commit(error):
                    raise
                if asyncio.get_running_loop().time() > give_up_at:
                    raise CommitUnknown(str(error)) from error
                await asyncio.sleep(COMMIT_RETRY_S)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """A transaction of one's own, for writes that make no events."""
        session = await self.start_session()
        try:
            await self.begin(session)
            yield session
            await self.commit(session)
        except BaseException:
            await self.abort(session)
            raise
        finally:
            await session.end_session()

    async def aggregate(self, collection: str, pipeline: Sequence[Mapping[str, Any]], **options: Any) -> Any:
        cursor = self.database[collection].aggregate(pipeline, **options)
        if self.driver == "pymongo":
            cursor = await cursor
        return [document async for document in cursor]

    async def kill_session(self, lsid: Mapping[str, Any]) -> None:
        """End a dead process's session, so that what its open transaction holds is free at once."""
        with suppress(OperationFailure):
            await self.client.admin.command("killSessions", [dict(lsid)])

    async def close(self) -> None:
        closing = self.client.close()
        if closing is not None:
            await closing


def is_unknown_commit(error: PyMongoError) -> bool:
    """Also where the commit was carried out and only waiting for the majority broke off: the drivers label
    some of these and raise the others as if the commit had failed.
    """
    if isinstance(error, ConnectionFailure | WriteConcernError):
        return True
    if isinstance(error, OperationFailure) and error.code == INTERRUPTED:
        return True
    return error.has_error_label("UnknownTransactionCommitResult")


def is_passing(error: Exception) -> bool:
    """True where the same transaction may succeed when it is tried again."""
    if isinstance(error, ConnectionFailure):
        return True
    return isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError")


def database_away(error: Exception) -> Unavailable:
    return Unavailable(
        "database_away",
        "The database cannot be reached; nothing was changed; try again",
        cause=type(error).__name__,
    )
