"""The miniature service inside the test's own process: where a test must reach into it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr

from shared.application import Application
from shared.messaging.broker import Listening
from shared.messaging.consumer import Consumer
from shared.messaging.subscription import Subscription
from shared.service import Room, Runtime
from shared.settings import Settings
from shared.telemetry import Metrics
from tests.faults import trial
from tests.faults.commands import Callers, Load
from tests.faults.evidence import consumer_name
from tests.faults.history import History
from tests.faults.worker import Ground


class House:
    """One running application, callers that ask it, and as many groups of listeners as a test wants."""

    def __init__(self, ground: Ground, application: Application, stack: AsyncExitStack) -> None:
        self.ground = ground
        self.application = application
        self._stack = stack
        self._history = History(ground.history)
        stack.callback(self._history.close)

    @property
    def runtime(self) -> Runtime:
        return self.application.runtime

    def callers(self, name: str = "callers", **load: float) -> Callers:
        return Callers(self.runtime, self._history, Load(name=name, **load))  # type: ignore[arg-type]

    def consumer(self, purpose: str) -> Consumer:
        return self.application.consumers[consumer_name(purpose)]

    async def listen(self, subscription: Subscription, batch_records: int = 500) -> Listening:
        """Another member of the subscription's group. Whoever asked for it stops it."""
        listening = Listening(
            [Consumer(self.runtime, subscription, Metrics())],
            bootstrap=self.ground.kafka_url,
            client_id="test",
            metrics=Metrics(),
            topic_prefix=self.ground.topic_prefix,
            batch_records=batch_records,
        )
        await listening.start()
        return listening


def settings_of(ground: Ground) -> Settings:
    return Settings(
        mongo_url=ground.mongo_url,
        mongo_database_prefix=ground.name,
        kafka_url=ground.kafka_url,
        kafka_topic_prefix=ground.topic_prefix,
        writer_lease_s=ground.lease_s,
        internal_key=SecretStr("k" * 32),
    )


@asynccontextmanager
async def open_house(
    ground: Ground, subscriptions: Sequence[Subscription] = (), *, with_timers: bool = False
) -> AsyncIterator[House]:
    def build(runtime: Runtime, settings: object) -> tuple[Room, ...]:
        room = Room(
            name="trial",
            repositories=trial.REPOSITORIES,
            subscriptions=tuple(subscriptions),
            deadlines={trial.END_ERRAND: trial.end_errand} if with_timers else {},
        )
        return (room,)

    async with AsyncExitStack() as stack:
        application = Application(trial.SERVICE, settings_of(ground), build)
        await application.start()
        stack.push_async_callback(application.stop)
        yield House(ground, application, stack)
