"""Keys at an address: when they are fetched, and what is known meanwhile."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from joserfc.jwk import ECKey
from support.servers.http import Answer, answer_json, open_http_server
from trio.testing import MockClock

from capabilities import ProviderUnavailable
from waav.security import http
from waav.security.http import open_peer
from waav.security.key_source import LEAST_PAUSE, MOST_BYTES, REFRESH, RETRY, STALE, RemoteKeys
from waav.tasks import open_scoped_nursery

KEY = ECKey.generate_key("P-256").as_dict(private=False)


def body(*names: str) -> bytes:
    return json.dumps({"keys": [{**KEY, "kid": name} for name in names]}).encode()


@attrs.define
class FakePeer:
    """Answers in a second, as it is told at that time."""

    answer: bytes | None
    name: str = "keys"
    asked: list[float] = attrs.field(factory=list)

    async def ask(self, method: str, *, most: int) -> http.Answer:
        assert (method, most) == ("GET", MOST_BYTES)
        self.asked.append(trio.current_time())
        await trio.sleep(1)
        if self.answer is None:
            raise ProviderUnavailable(self.name, "gone")
        return http.Answer(200, self.answer)


@asynccontextmanager
async def running(peer: Any) -> AsyncIterator[RemoteKeys]:
    keys = RemoteKeys(peer)
    async with open_scoped_nursery("the test is over") as nursery:
        nursery.start_soon(keys.keep, name="auth/keys")
        await keys.first()
        yield keys


async def known(keys: RemoteKeys, name: str | None) -> bool:
    return bool(await keys.find("ES256", name))


async def test_keys_are_there_from_the_start(autojump_clock: MockClock) -> None:
    peer = FakePeer(body("a"))
    async with running(peer) as keys:
        assert await known(keys, "a")
        assert await known(keys, None)
        assert len(peer.asked) == 1


async def test_a_new_key_is_fetched_when_the_first_token_names_it(
    autojump_clock: MockClock,
) -> None:
    peer = FakePeer(body("a"))
    async with running(peer) as keys:
        await trio.sleep(LEAST_PAUSE)
        peer.answer = body("a", "b")
        assert await known(keys, "b")
        assert len(peer.asked) == 2


async def test_a_storm_of_unknown_keys_is_one_request_a_minute(autojump_clock: MockClock) -> None:
    peer = FakePeer(body("a"))
    async with running(peer) as keys:
        until = trio.current_time() + 10 * LEAST_PAUSE
        while trio.current_time() < until:
            async with trio.open_nursery() as nursery:
                for number in range(50):
                    nursery.start_soon(known, keys, f"made-up-{number}", name="test")
            await trio.sleep(0.5)
        pauses = [after - before for before, after in zip(peer.asked, peer.asked[1:], strict=False)]
        assert min(pauses) >= LEAST_PAUSE
        assert len(pauses) >= 8
        assert await known(keys, "a")


async def test_who_asks_and_leaves_does_not_end_the_fetch_for_the_others(
    autojump_clock: MockClock,
) -> None:
    peer = FakePeer(body("a"))
    async with running(peer) as keys:
        await trio.sleep(LEAST_PAUSE)
        peer.answer = body("b")
        with trio.move_on_after(0.5) as patience:
            await known(keys, "b")
        assert patience.cancelled_caught
        assert await known(keys, "b")
        assert len(peer.asked) == 2


async def test_a_key_that_is_withdrawn_is_forgotten(autojump_clock: MockClock) -> None:
    peer = FakePeer(body("a", "b"))
    async with running(peer) as keys:
        peer.answer = body("b")
        await trio.sleep(REFRESH + 2)
        assert not await known(keys, "a")
        assert await known(keys, "b")


async def test_known_keys_outlive_the_server_for_a_day(autojump_clock: MockClock) -> None:
    """And an unknown one is not called wrong as long as nobody can say so."""
    peer = FakePeer(body("a"))
    async with running(peer) as keys:
        peer.answer = None
        await trio.sleep(STALE - 2 * REFRESH)
        assert await known(keys, "a")
        with pytest.raises(ProviderUnavailable):
            await known(keys, "b")
        await trio.sleep(3 * REFRESH)
        with pytest.raises(ProviderUnavailable):
            await known(keys, "a")


@pytest.mark.parametrize("wrong", [None, b"", b"{}", b'{"keys": []}', b"<html>"])
async def test_without_any_keys_it_is_tried_again_soon(
    wrong: bytes | None, autojump_clock: MockClock
) -> None:
    peer = FakePeer(wrong)
    async with running(peer) as keys:
        with pytest.raises(ProviderUnavailable):
            await known(keys, "a")
        peer.answer = body("a")
        await trio.sleep(RETRY + 2)
        assert await known(keys, "a")


async def test_keys_come_over_http() -> None:
    async with (
        open_http_server(answer_json({"keys": [{**KEY, "kid": "a"}]})) as server,
        open_peer("keys", server.url, 5.0) as peer,
        running(peer) as keys,
    ):
        assert await known(keys, "a")
        assert [request.method for request in server.requests] == ["GET"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, body("a")),
        Answer(302, body("a"), {"Location": "/other"}),
        Answer(200, b" " * 300_000 + body("a")),
    ],
    ids=["error", "redirect", "huge"],
)
async def test_what_is_no_plain_answer_brings_no_keys(answer: Answer) -> None:
    async with (
        open_http_server(answer) as server,
        open_peer("keys", server.url, 5.0) as peer,
        running(peer) as keys,
    ):
        with pytest.raises(ProviderUnavailable):
            await known(keys, "a")
        assert len(server.requests) == 1
