"""A mail server that fails at a chosen place: what a real one does in a bad hour.

`replies` gives a verb (CONNECT, EHLO, MAIL, RCPT, DATA, MESSAGE, RSET, QUIT) a reply of its own;
DROP closes the connection there, SILENCE says nothing.
"""

import asyncio
from types import TracebackType
from typing import Self

DROP = "drop"
SILENCE = "silence"
USUAL = {
    "CONNECT": "220 ready",
    "EHLO": "250 mail.example.org",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 go on",
    "MESSAGE": "250 OK queued",
    "RSET": "250 OK",
    "QUIT": "221 bye",
}


class SmtpServer:
    host = "127.0.0.1"

    def __init__(self, **replies: str) -> None:
        self.replies = {**USUAL, **replies}
        self.heard: list[str] = []
        self.contents: list[bytes] = []
        self.handed_over = asyncio.Event()
        self.connections_made = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, self.host, 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections_made += 1
        self._writers.add(writer)
        goes_on = self._say(writer, "CONNECT")
        while goes_on and (line := await reader.readline()):
            verb = line.split()[0].decode().upper()
            self.heard.append(line.decode().strip())
            goes_on = self._say(writer, verb)
            if verb == "DATA" and self.replies["DATA"].startswith("354"):
                self.contents.append(await reader.readuntil(b"\r\n.\r\n"))
                self.handed_over.set()
                goes_on = self._say(writer, "MESSAGE")
            goes_on = goes_on and verb != "QUIT"
        if not writer.is_closing() and not goes_on:
            writer.close()

    def _say(self, writer: asyncio.StreamWriter, verb: str) -> bool:
        reply = self.replies.get(verb, "500 what?")
        if reply == DROP:
            writer.close()
            return False
        if reply != SILENCE:
            writer.write(f"{reply}\r\n".encode())
        return True
