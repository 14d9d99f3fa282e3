"""F2: Kafka is away, at boot too. Commands go on as if nothing were; afterwards everything drains."""

from concurrent.futures import Future

import pytest

from tests.faults.checker import findings
from tests.faults.history import Said
from tests.faults.outage import DRAIN_S, OUTAGE_S, Outage, durations
from tests.faults.scale import scale

WAIT_S = scale(180.0, 600.0)
# Long before the producer gives up a request, and longer than a busy machine makes a commit wait.
PATIENCE_S = 5.0


@pytest.mark.timeout(WAIT_S)
def test_commands_go_on_without_kafka_and_everything_drains_when_it_is_back(
    outage: "Future[Outage]",
) -> None:
    left = outage.result(WAIT_S)
    assert findings(left.evidence) == []
    assert {command.outcome for command in left.during} == {Said.ACCEPTED}
    assert len(left.during) / OUTAGE_S > 0.7 * len(left.before) / (DRAIN_S / 8)
    assert max(durations(left.during)) < PATIENCE_S, "nobody waits for Kafka"


def test_a_process_that_boots_while_kafka_is_away_takes_commands(outage: "Future[Outage]") -> None:
    accepted = durations(outage.result(WAIT_S).of_the_late_one)
    assert len(accepted) > OUTAGE_S / 2
