"""The broker's data folder: its settings, written at each start, and its format, made once.

`cluster-id` beside the broker's own files says that the folder was formatted to the end. A folder without
it holds nothing yet (a first start was interrupted) and is made anew; a folder with it is never formatted
again, whatever it has lost, because that would throw away what is left.
"""

import base64
import re
import shutil
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

from deploy.local.child import NEVER, Child
from deploy.local.refusals import CannotStart, PortTaken, Status, explain, explain_os_error, refuse

FORMAT_TIMEOUT_S = 60.0

_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={controller}
listeners=PLAINTEXT://{broker},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{broker}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.dirs={log_dir}
"""


class KafkaFolder:
    """Where one broker keeps everything it has."""

    def __init__(self, folder: Path, *, log: Path) -> None:
        self.folder, self.log = folder, log
        self.settings = folder / "server.properties"
        self._made = folder / "cluster-id"
        self._data = folder / "log"

    def prepare(
        self, java: Sequence[str], *, broker: str, controller: str, give_up: threading.Event = NEVER
    ) -> str:
        """Write the settings, format a new folder, and return the id of the cluster that lives here."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            settings = _SETTINGS.format(broker=broker, controller=controller, log_dir=self._data)
            self.settings.write_text(settings)
            if not self._made.exists():
                self._format(java, give_up)
            return self._cluster_id()
        except OSError as refused:
            raise explain_os_error("Kafka", refused, log=self.log, data_dir=self.folder) from refused

    def explained(self, log_text: str) -> CannotStart | PortTaken:
        return explain("Kafka", log_text, log=self.log, data_dir=self.folder)

    def _format(self, java: Sequence[str], give_up: threading.Event) -> None:
        if self._data.exists():
            shutil.rmtree(self._data)
        cluster_id = new_cluster_id()
        tool = [*java, "kafka.tools.StorageTool", "format", "--standalone"]
        formatting = Child("Kafka", [*tool, "-t", cluster_id, "-c", str(self.settings)], log=self.log)
        if formatting.wait_for_end(timeout_s=FORMAT_TIMEOUT_S, give_up=give_up) != 0:
            raise self.explained(formatting.log_of_this_start())
        unfinished = self._made.with_suffix(".new")
        unfinished.write_text(cluster_id)
        unfinished.replace(self._made)

    def _cluster_id(self) -> str:
        made, known = self._made.read_text(), self._data / "meta.properties"
        text = known.read_text(errors="replace") if known.exists() else ""
        found = re.search(r"^cluster\.id=(\S+)$", text, re.MULTILINE)
        if found is None or found.group(1) != made:
            words = f"{known} does not name the cluster that was made here"
            raise refuse("Kafka", Status.DATA_DAMAGED, words, log=self.log, place=self.folder)
        return made


def new_cluster_id() -> str:
    """As the broker's own tool makes one: a random UUID in base 64 that no program takes for an option."""
    while True:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not cluster_id.startswith("-"):
            return cluster_id
