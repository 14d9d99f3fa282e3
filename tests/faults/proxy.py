"""Stands between the service and MongoDB and loses what it is told to lose: replies to commits, as a rule.

The driver must speak with it directly (`directConnection=true`), or it would find the server's own address.
A request is recognised by its command's name, which is the first one in its document. What the server was
asked to do it does; only nobody learns of it.
"""

import asyncio
import random
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

HEADER = struct.Struct("<iiii")
COMMIT = b"commitTransaction"
START_S = 10.0


class Loss(Enum):
    """How a reply is lost: with its connection, or the connection stays and nothing ever comes."""

    CONNECTION = 1
    SILENCE = 2


@dataclass
class LossyProxy:
    """`chance`: of each reply to `command` to be lost."""

    host: str
    port: int
    command: bytes = COMMIT
    chance: float = 0.0
    how: Loss = Loss.CONNECTION
    lost: int = 0
    at: int = 0
    loop: asyncio.AbstractEventLoop | None = None
    serving: "set[asyncio.Task[None]]" = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.at}/?directConnection=true"

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(self.host, self.port)
        try:
            await self._pass_on(reader, writer, server_reader, server_writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            for each in (writer, server_writer):
                each.close()
                with suppress(ConnectionError):
                    await each.wait_closed()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
    ) -> None:
        """Answers are passed on as they come: for some questions the server has many."""
        answers = asyncio.create_task(self._answers(server_reader, writer))
        try:
            while True:
                question = await message(reader)
                if self.command + b"\0" in question[:64] and random.random() < self.chance:
                    answers.cancel()
                    await asyncio.wait({answers})
                    server_writer.write(question)
                    await message(server_reader)
                    self.lost += 1
                    if self.how is Loss.SILENCE:
                        await message(reader)
                    return
                server_writer.write(question)
        finally:
            answers.cancel()
            await asyncio.wait({answers})

    async def _answers(self, server_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                writer.write(await message(server_reader))
                await writer.drain()
        writer.close()


async def message(reader: asyncio.StreamReader) -> bytes:
    header = await reader.readexactly(HEADER.size)
    length = HEADER.unpack(header)[0]
    return header + await reader.readexactly(length - HEADER.size)


@contextmanager
def lossy_proxy(host: str, port: int) -> Iterator[LossyProxy]:
    """In a thread of its own: a driver stands still while it waits for the answer to its last question."""
    proxy, ready, ended = LossyProxy(host, port), threading.Event(), asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
        proxy.at = server.sockets[0].getsockname()[1]
        proxy.loop = asyncio.get_running_loop()
        ready.set()
        await ended.wait()
        server.close()
        for task in proxy.serving:
            task.cancel()
        await asyncio.gather(*proxy.serving, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="lossy-proxy")
    thread.start()
    try:
        assert ready.wait(START_S)
        yield proxy
    finally:
        assert proxy.loop is not None
        proxy.loop.call_soon_threadsafe(ended.set)
        thread.join(START_S)
