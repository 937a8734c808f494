"""A vendor's SDK as a program: it is no part of what we test, and may use threads and asyncio."""

import json
from pathlib import Path
from typing import Any

import attrs

from oracles.environments import HERE, run

RUN_TIME = 60.0
"""Seconds."""


@attrs.frozen
class Program:
    """``sdk/use_<vendor>.py``, and a Python that has the SDK."""

    python: Path
    vendor: str

    async def __call__(self, *arguments: str, stdin: bytes = b"") -> list[Any]:
        """Run it to its end; return the lines of JSON that it printed.

        Raises:
            subprocess.CalledProcessError: the SDK is not satisfied.
            trio.TooSlowError: it still waits for something.
        """
        command = [self.python, HERE / f"sdk/use_{self.vendor}.py", *arguments]
        printed = await run(command, stdin, RUN_TIME)
        return [json.loads(line) for line in printed.splitlines()]
