"""Two hundred sessions, each cut at a moment of its own, leave nothing behind."""

import random
import socket as sockets
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from support.clients import Client
from support.providers import Ears, Mouth
from websockets.exceptions import ConnectionClosed

from capabilities import Final, Interim, ProviderClosed

SESSIONS = 200
AT_ONCE = 25


def tasks() -> Counter[str]:
    """All tasks there are, by name."""

    def walk(task: trio.lowlevel.Task) -> Iterator[str]:
        yield task.name
        for nursery in task.child_nurseries:
            for child in nursery.child_tasks:
                yield from walk(child)

    root = trio.lowlevel.current_root_task()
    assert root is not None
    return Counter(walk(root))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def misbehave(server: Any, ears: Ears, dice: random.Random) -> None:
    """Be a client for a moment, then vanish in one of the ways in which clients vanish."""
    how = dice.choice(["close", "reset", "cancel", "provider", "silence"])
    moment = dice.randrange(8)
    with trio.CancelScope() as scope:
        try:
            async with server.client() as client:
                for step in range(moment):
                    await act(client, ears, step, provider_fails=how == "provider")
                if how == "reset":
                    await reset(client)
                elif how == "cancel":
                    scope.cancel()
                    await trio.lowlevel.checkpoint()
                elif how == "silence":
                    await client.socket.close_stream()
        except ConnectionClosed:
            assert how != "close"


async def act(client: Client, ears: Ears, step: int, *, provider_fails: bool) -> None:
    match step:
        case 0:
            await client.configure()
        case 1 | 3:
            await client.socket.send(bytes(6400))
        case 2:
            ears.say(Interim("he"), Final("hello"))
        case 4:
            await client.send(type="speak", text="x" * 50)
        case 5:
            await client.send(type="clear")
        case _ if provider_fails:
            ears.say(ProviderClosed("ears", "gone"))
        case _:
            await client.send(type="speak", text="y")


async def reset(client: Client) -> None:
    linger = struct.pack("ii", 1, 0)
    client.socket.stream.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, linger)  # type: ignore[attr-defined]
    await trio.aclose_forcefully(client.socket.stream)


async def quiet(server: Any) -> None:
    """Wait until the last session has gone, and its socket too."""
    with trio.fail_after(20):
        while server.gateway.sessions:
            await trio.lowlevel.checkpoint()
    # Less than the 20 ms after which the gateway looks at itself each time.
    await trio.testing.wait_all_tasks_blocked(0.01)


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_left(server: Any, ears: Ears, mouth: Mouth, seed: int) -> None:
    dice = random.Random(seed)
    mouth.pace = 0.001
    async with server.client() as client:
        await client.configure()
    await quiet(server)
    before = tasks(), descriptors(), threading.active_count()

    limit = trio.CapacityLimiter(AT_ONCE)

    async def one() -> None:
        async with limit:
            await misbehave(server, ears, dice)

    async with trio.open_nursery() as nursery:
        for _ in range(SESSIONS):
            nursery.start_soon(one)
    await quiet(server)
    after = tasks(), descriptors(), threading.active_count()
    assert after[:2] == before[:2]
    # A pool may have let an idle thread go meanwhile.
    assert after[2] <= before[2]
    assert (ears.open_streams, mouth.open_requests) == (0, 0)
    assert server.gateway.plugins.stt("ears")
