"""How connections of the HTTP side end."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import trio
import trio.testing

Start = Callable[..., Awaitable[Any]]


def connections() -> int:
    """How many the server has."""

    def walk(task: trio.lowlevel.Task) -> Iterator[str]:
        yield task.name
        for nursery in task.child_nurseries:
            for child in nursery.child_tasks:
                yield from walk(child)

    root = trio.lowlevel.current_root_task()
    assert root is not None
    return sum("_run_handler" in name for name in walk(root))


async def nobody_is_there() -> None:
    with trio.fail_after(10):
        while connections():
            await trio.testing.wait_all_tasks_blocked(0.01)


async def test_a_client_that_leaves_after_its_answer_takes_its_connection_along(
    start: Start,
) -> None:
    """Rather than that it stays for as long as a client may be idle."""
    running = await start()
    async with await running.connect() as stream:
        await stream.send_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b" 200 " in await stream.receive_some()
        assert connections() == 1
    await nobody_is_there()


async def test_a_client_that_shows_its_end_before_its_answer_gets_it_and_the_end(
    start: Start,
) -> None:
    """An offer to speak another protocol makes the library read late, also the end."""
    running = await start()
    async with await running.connect() as stream:
        offer = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n"
        await stream.send_all(offer)
        await stream.send_eof()
        with trio.fail_after(10):
            answer = b"".join([data async for data in stream])
    assert b" 200 " in answer
    assert answer.endswith(b"hello over 1.1 from http")
    await nobody_is_there()


@pytest.mark.parametrize("settings", ["AAMAAABkAAQAAP__", "no base64", ""])
async def test_an_upgrade_to_http_2_is_ignored(
    start: Start, caplog: pytest.LogCaptureFixture, settings: str
) -> None:
    running = await start()
    answer = await running.ask(
        b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: %b\r\n\r\n" % settings.encode()
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"hello over 1.1 from http")
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_who_begins_with_http_2_is_answered_in_it(start: Start) -> None:
    running = await start()
    async with await running.connect() as stream:
        await stream.send_all(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
        )
        with trio.fail_after(10):
            frame = await stream.receive_some()
    assert frame[3] == 4, "SETTINGS come first (RFC 9113, 3.4)"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_body_that_breaks_off_is_no_bug_of_ours(
    start: Start, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    running = await start()
    for sent in range(5):
        async with await running.connect() as stream:
            head = f"{method} /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
            await stream.send_all(head.encode() + b"hello"[:sent])
            await stream.send_eof()
            with trio.fail_after(10):
                async for _ in stream:
                    pass
    await nobody_is_there()
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
