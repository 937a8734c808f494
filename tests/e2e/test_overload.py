"""A loop that is really held: nobody new is let in, who is there stays, and then it is over."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import trio
from websockets.exceptions import InvalidStatus

from waav.config import Config
from waav.config.overload import Overload
from waav.observe.stages import Stage
from waav.tasks import open_scoped_nursery

HELD = 0.06
"""Seconds for which the loop is held, time and again: three frames."""
SOON = 20.0
"""Seconds; on a busy machine it takes a few times as long as it should, and not so much longer."""


@pytest.fixture
def config() -> Config:
    """Quick to see it, and quick to forget."""
    return Config(
        overload=Overload(
            refuse_lag_ms=30.0, shed_lag_ms=30_000.0, patience_seconds=0.1, calm_seconds=0.2
        )
    )


async def hold_the_loop() -> None:
    """What a plugin does that computes where it should not."""
    while True:
        until = time.perf_counter() + HELD
        while time.perf_counter() < until:
            pass
        await trio.sleep(0.001)


def ask(url: str, data: bytes | None = None) -> tuple[int, Any, str | None]:
    """Status, body, and when to try again; from a thread, as anybody else would ask."""
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SOON) as answer:
            return answer.status, answer.read(), None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read()), error.headers["Retry-After"]


async def until(true: Callable[[], bool]) -> None:
    with trio.fail_after(SOON):
        while not true():  # noqa: ASYNC110 - nobody tells when a stage begins
            await trio.sleep(0.01)


async def comes_in(server: Any) -> None:
    """Try again as one who was refused does: this machine may have another late second."""
    with trio.fail_after(SOON):
        while True:
            with suppress(InvalidStatus):
                async with server.client() as late:
                    await late.configure()
                return
            await trio.sleep(0.1)


async def test_a_held_loop_refuses_new_sessions_and_recovers(server: Any) -> None:
    load = server.gateway.load
    async with server.client() as early:
        await early.configure()
        async with open_scoped_nursery("enough") as nursery:
            nursery.start_soon(hold_the_loop)
            await until(lambda: load.stage is Stage.REFUSE)

            with pytest.raises(InvalidStatus) as refused:
                async with server.client():
                    pass
            answer = refused.value.response
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert json.loads(answer.body)["code"] == "overloaded"

            speak = json.dumps({"text": "hello", "tts_config": {"provider": "mouth"}}).encode()
            status, body, pause = await trio.to_thread.run_sync(ask, server.url + "/speak", speak)
            assert (status, body["code"], pause) == (503, "overloaded", "1")

            status, body, _ = await trio.to_thread.run_sync(ask, server.url + "/health/ready")
            assert (status, body["load"]["stage"]) == (503, "refuse")
            assert body["load"]["loop_lag_seconds"] > 0.03
            status, _, _ = await trio.to_thread.run_sync(ask, server.url + "/health/live")
            assert status == 200, "nobody shall end this process for being busy"

            await early.send(type="ping")
            await early.expect("pong")
        await until(lambda: load.stage is Stage.NORMAL)
        await comes_in(server)
    assert load.entered[Stage.REFUSE] >= 1
    assert load.refused >= 2
