"""A gateway's limits as its configuration has them, from outside."""

import json
from typing import Any

import httpx
import pytest
import trio
from support.gateways import open_serving
from websockets.exceptions import InvalidStatus

from waav.config import Config
from waav.config.security import Security

RATE, BURST = 1, 4


@pytest.fixture
def config() -> Config:
    return Config(
        security=Security(
            max_connections_per_ip=1,
            rate_limit_requests_per_second=RATE,
            rate_limit_burst_size=BURST,
        )
    )


async def test_a_second_call_from_one_address_waits_until_the_first_is_over(server: Any) -> None:
    async with server.client() as client:
        await client.configure()
        with pytest.raises(InvalidStatus) as caught:
            async with server.client():
                pytest.fail("it was let in")
        answer = caught.value.response
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert json.loads(answer.body)["code"] == "too_many_connections"
        assert server.gateway.sessions == 1


@pytest.mark.pins("D262")
async def test_who_asks_too_often_waits_and_who_watches_over_us_does_not(server: Any) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        statuses = [(await client.get("/providers")).status_code for _ in range(BURST + 1)]
        assert statuses == [*[200] * BURST, 429]
        watching = {(await client.get("/health/live")).status_code for _ in range(3 * BURST)}
        assert watching == {200}
    with pytest.raises(InvalidStatus) as caught:
        async with server.client():
            pytest.fail("it was let in")
    assert caught.value.response.status_code == 429


async def test_http_connections_of_one_address_have_the_same_number(server: Any) -> None:
    """A health check may come from that address too, and is not taken for one of them."""
    async with (
        httpx.AsyncClient(base_url=server.url) as first,
        httpx.AsyncClient(base_url=server.url) as second,
    ):
        assert (await first.get("/providers")).status_code == 200
        refused = await second.get("/providers")
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_connections")
        assert (await second.get("/health/live")).status_code == 200


async def test_of_too_many_that_say_nothing_the_first_has_to_go() -> None:
    async with (
        open_serving(security=Security(max_waiting_connections=1)) as serving,
        await trio.open_tcp_stream("127.0.0.1", serving.port) as first,
        await trio.open_tcp_stream("127.0.0.1", serving.port),
    ):
        with trio.fail_after(5):
            assert await first.receive_some() == b""
