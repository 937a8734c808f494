"""Run ``grpc_server.py``, and talk to the program."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

PROGRAM = Path(__file__).with_name("grpc_server.py")


@attrs.frozen
class Server:
    """A server that runs."""

    process: trio.Process
    port: int

    async def stop(self, grace: float) -> None:
        """Take no new calls; give the others so many seconds."""
        assert self.process.stdin
        await self.process.stdin.send_all(f"stop {grace}\n".encode())


@asynccontextmanager
async def run_server(**options: Any) -> AsyncIterator[Server]:
    process = await trio.lowlevel.open_process(
        [sys.executable, str(PROGRAM), json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdin
    try:
        line = b""
        with trio.fail_after(30):
            while not line.endswith(b"\n"):
                more = await process.stdout.receive_some()
                assert more, "the server did not start"
                line += more
        yield Server(process, int(line))
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
        await process.stdin.aclose()
        await process.stdout.aclose()
