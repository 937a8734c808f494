"""Tokens are made once, renewed early by one task, and kept as long as they are good."""

import json
from typing import Any

import attrs
import pytest
import trio
from support.servers.http import Answer, answer_json, open_http_server
from support.servers.reach import reach
from trio.testing import MockClock

from capabilities import (
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
)
from providers._common.http import open_http
from providers.google.accounts import Account, AuthorizedUser, Metadata, read_account
from providers.google.tokens import MOST_ACCOUNTS, Exchange, Grant, Tokens

ME = Metadata("metadata.test")


@attrs.define
class Issuer:
    """Makes tokens with numbers, slowly."""

    takes: float = 1.0
    made: int = 0
    at_work: int = 0
    error: Exception | None = None

    async def __call__(self, _account: Account) -> Grant:
        self.at_work += 1
        assert self.at_work == 1
        try:
            await trio.sleep(self.takes)
            if self.error:
                raise self.error
            self.made += 1
            return Grant(Secret(f"token-{self.made}"), 3600)
        finally:
            self.at_work -= 1


@pytest.mark.pins("D053")
async def test_a_hundred_sessions_cause_one_request(autojump_clock: MockClock) -> None:
    issuer = Issuer()
    tokens = Tokens(issuer)
    got: list[Secret] = []

    async def ask() -> None:
        got.append(await tokens.get(ME))

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(ask)
    assert got == [Secret("token-1")] * 100
    assert issuer.made == 1


@pytest.mark.pins("D053")
async def test_it_is_renewed_five_minutes_early_and_nobody_waits(
    autojump_clock: MockClock,
) -> None:
    """While one task renews it, the others go on with the old one."""
    tokens = Tokens(Issuer())
    assert await tokens.get(ME) == Secret("token-1")
    await trio.sleep(3299)
    assert await tokens.get(ME) == Secret("token-1")
    await trio.sleep(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tokens.get, ME)
        await trio.testing.wait_all_tasks_blocked()
        before = trio.current_time()
        assert await tokens.get(ME) == Secret("token-1")
        assert trio.current_time() == before
    assert await tokens.get(ME) == Secret("token-2")


async def test_the_old_one_serves_while_google_is_away(autojump_clock: MockClock) -> None:
    issuer = Issuer()
    tokens = Tokens(issuer)
    await tokens.get(ME)
    await trio.sleep(3400)
    issuer.error = ProviderUnavailable("google", "away")
    assert await tokens.get(ME) == Secret("token-1")
    await trio.sleep(300)
    with pytest.raises(ProviderUnavailable):
        await tokens.get(ME)


async def test_whoever_is_cancelled_leaves_the_work_to_the_next(
    autojump_clock: MockClock,
) -> None:
    tokens = Tokens(Issuer())
    with trio.move_on_after(0.5):
        await tokens.get(ME)
    assert await tokens.get(ME) == Secret("token-1")


async def test_the_number_of_accounts_is_bounded(autojump_clock: MockClock) -> None:
    issuer = Issuer(takes=0.0)
    tokens = Tokens(issuer)
    for number in range(MOST_ACCOUNTS + 1):
        await tokens.get(Metadata(f"host-{number}"))
    assert len(tokens._kept) == MOST_ACCOUNTS
    await tokens.get(Metadata("host-1"))
    assert issuer.made == MOST_ACCOUNTS + 1


# Where they come from.

TOKEN = answer_json({"access_token": "made-up", "expires_in": 3599, "token_type": "Bearer"})


async def fetch(account: Account, *replies: Any) -> tuple[Grant, Any]:
    async with open_http_server(*replies) as server, open_http(await reach()) as http:
        if isinstance(account, Metadata):
            account = Metadata(server.url.removeprefix("http://"))
        return await Exchange(http, http, f"{server.url}/token")(account), server


async def test_of_a_service_account(account: dict[str, str]) -> None:
    """Not where its JSON says: whoever brings that would choose whom we call."""
    grant, server = await fetch(read_account(json.dumps(account)), TOKEN)
    assert grant == Grant(Secret("made-up"), 3599)
    request = server.requests[0]
    assert (request.method, request.target) == ("POST", "/token")
    form = dict(part.split("=") for part in request.body.decode().split("&"))
    assert form["grant_type"] == "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
    assert form["assertion"].count(".") == 2


async def test_of_a_user() -> None:
    user = AuthorizedUser("id", Secret("made-up"), Secret("made-up-too"))
    grant, server = await fetch(user, TOKEN)
    assert grant.token == Secret("made-up")
    assert server.requests[0].body == (
        b"grant_type=refresh_token&client_id=id&client_secret=made-up&refresh_token=made-up-too"
    )


async def test_of_the_machine() -> None:
    grant, server = await fetch(ME, TOKEN)
    assert grant.token == Secret("made-up")
    request = server.requests[0]
    assert request.target.startswith(
        "/computeMetadata/v1/instance/service-accounts/default/token?scopes=https"
    )
    assert request.headers["metadata-flavor"] == "Google"


async def test_what_passes_is_tried_again(account: dict[str, str]) -> None:
    grant, _ = await fetch(read_account(json.dumps(account)), Answer(503), TOKEN)
    assert grant.token == Secret("made-up")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param(
            answer_json({"error": "invalid_grant"}, 400), ProviderRefused, id="invalid-grant"
        ),
        pytest.param(answer_json({"access_token": ""}), ProviderProtocolError, id="no-token"),
        pytest.param(
            answer_json({"access_token": "x", "expires_in": -1}), ProviderProtocolError, id="old"
        ),
        pytest.param(answer_json([]), ProviderProtocolError, id="list"),
    ],
)
async def test_no_token(account: dict[str, str], reply: Answer, error: type[Exception]) -> None:
    with pytest.raises(error) as told:
        await fetch(read_account(json.dumps(account)), reply)
    assert "PRIVATE" not in str(told.value)
