"""The `concord` command as a process of its own, without waiting seconds for its imports each time.

Run as a module this is a process that has imported the command and forks for each line it is given: what
runs then is a real process with an environment, an exit status and output of its own. `CommandLine` is the
tests' end of it.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

from services import cli

WITHIN_S = 60.0
LINE_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    errors: str


class CommandLine:
    """`async with CommandLine(environment) as concord: await concord("verify")`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
        self._environment = {**inherited, "COLUMNS": "250", "NO_COLOR": "1", **environment}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", __name__),
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES_MAX,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def __call__(self, *arguments: str, **environment: str) -> Said:
        """One command, with what is to be different in its environment."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"arguments": arguments, "environment": {**self._environment, **environment}}
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        answer = json.loads(await asyncio.wait_for(self._process.stdout.readline(), WITHIN_S))
        return Said(answer["status"], answer["out"], answer["errors"])


def serve() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            pid = os.fork()
            if pid == 0:
                run(asked, out, errors)
            _, status = os.waitpid(pid, 0)
            answer = {"status": os.waitstatus_to_exitcode(status), "out": _all(out), "errors": _all(errors)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def run(asked: dict[str, Any], out: IO[bytes], errors: IO[bytes]) -> None:
    """In the forked process, which ends here."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(errors.fileno(), 2)
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["concord", *asked["arguments"]]
    status = 0
    try:
        cli.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _all(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


if __name__ == "__main__":
    serve()
