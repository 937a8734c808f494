"""A gateway's limits as its configuration has them, from outside."""

import json
from typing import Any

import httpx
import pytest
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
