"""Stories of a client that has shown no token, where one is wanted: what it may do, and how it ends."""

from collections.abc import Mapping
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from capabilities import Denied, Presented, Principal, ProviderUnavailable, Way
from waav.security.authenticate import Authenticator
from waav.server.doorkeeper import Visitor
from waav.server.head import RequestHead
from waav.session.events import Ready

HEAD = RequestHead(
    method="GET",
    path="/ws",
    query="",
    headers={"user-agent": "a test", "cookie": "c"},
    peer=("192.0.2.1", 1234),
    scheme="http",
    http_version="1.1",
    size=0,
)
STRANGER = Visitor(HEAD, pending=True)
FIRST_WORDS = "Authentication required. Send auth message first."
AUTH = {"type": "auth", "token": "acme-s-token"}


@attrs.define
class Strategy:
    """Knows two tokens, and one that nobody can be asked about."""

    seen: list[Presented] = attrs.Factory(list)
    slow: bool = False
    asked: trio.Event = attrs.Factory(trio.Event)

    async def authenticate(self, presented: Presented) -> Principal | Denied:
        self.seen.append(presented)
        self.asked.set()
        if self.slow:
            await trio.sleep_forever()
        match presented.token.reveal():
            case "acme-s-token" | "acme-s-other-token":
                return Principal("acme")
            case "umbrella-s-token":
                return Principal("umbrella")
            case "not-now":
                raise ProviderUnavailable("who knows", "is away")
        return Denied("No such token")


def knowing(strategy: Strategy, *, required: bool = True) -> Authenticator:
    strategies: Mapping[str, Any] = {"one": strategy}
    return Authenticator(required=required, body_limit=0, strategies=strategies)


@attrs.frozen
class Pending:
    """Opens calls of somebody who is not known."""

    open_call: Any
    strategy: Strategy = attrs.Factory(Strategy)

    def call(self) -> Any:
        return self.open_call(visitor=STRANGER, authenticator=knowing(self.strategy))


@pytest.fixture
def pending(open_call: Any) -> Pending:
    return Pending(open_call)


async def ended(call: Any, code: str, message: str | None = None) -> None:
    """Expect one error, the close, and that there never was a session."""
    (error,) = await call.client.everything()
    assert (error["type"], error["code"], error["recoverable"]) == ("error", code, False)
    assert message is None or error["message"] == message
    assert call.client.close_code == 4001
    assert call.gateway.tenants == []


async def test_who_says_the_right_word_is_let_in(
    pending: Pending, autojump_clock: MockClock
) -> None:
    async with pending.call() as call:
        assert await call.client.receive() == {"type": "auth_required"}
        await wait_all_tasks_blocked()
        assert call.gateway.tenants == []
        await call.client.send(AUTH)
        assert await call.client.receive() == {"type": "authenticated", "id": "acme"}
        await call.session.to_events.send(Ready("s", stt=True, tts=True))
        assert (await call.client.receive())["type"] == "ready"
        assert call.gateway.tenants == ["acme"]


@pytest.mark.pins("D182")
async def test_whoever_knows_tokens_is_told_of_the_upgrade(
    pending: Pending, autojump_clock: MockClock
) -> None:
    async with pending.call() as call:
        await call.client.receive()
        await call.client.send(AUTH)
        await call.client.receive()
        (seen,) = pending.strategy.seen
        assert (seen.way, seen.method, seen.path, seen.body) == (Way.MESSAGE, "GET", "/ws", b"")
        assert seen.headers == {"user-agent": "a test"}


async def test_what_follows_the_token_at_once_is_not_lost(
    pending: Pending, autojump_clock: MockClock
) -> None:
    async with pending.call() as call:
        await call.client.send(AUTH)
        await call.client.send({"type": "audio", "audio": "YWJj"})
        await call.client.send(b"def")
        await wait_all_tasks_blocked()
        assert call.session.audio == [b"abc", b"def"]


@pytest.mark.pins("D190")
@pytest.mark.parametrize(
    "first",
    [
        pytest.param(b"\0\0", id="sound"),
        pytest.param({"type": "config", "tts_config": {"provider": "espeak"}}, id="config"),
        pytest.param({"type": "ping"}, id="ping"),
        pytest.param({"type": "sing"}, id="unknown"),
        pytest.param({"type": "auth"}, id="no-token"),
        pytest.param({"type": "auth", "token": 7}, id="no-text"),
        pytest.param("{", id="no-json"),
        pytest.param("", id="empty"),
    ],
)
async def test_anything_else_ends_it(
    pending: Pending, autojump_clock: MockClock, first: Any
) -> None:
    async with pending.call() as call:
        await call.client.receive()
        await call.client.send(first)
        await ended(call, "auth_required", FIRST_WORDS)
        assert pending.strategy.seen == []


@pytest.mark.parametrize(
    ("token", "code", "message"),
    [
        ("wrong", "unauthorized", "Invalid authentication token"),
        (" ", "unauthorized", "Invalid authentication token"),
        ("a\nb", "unauthorized", "Invalid authentication token"),
        ("x" * 4097, "field_too_large", "Auth token too large: 4097 bytes (max: 4096 bytes)"),
        ("not-now", "auth_service_unavailable", None),
    ],
    ids=["wrong", "blank", "two-lines", "large", "unavailable"],
)
async def test_a_wrong_token_ends_it(
    pending: Pending, autojump_clock: MockClock, token: str, code: str, message: str | None
) -> None:
    async with pending.call() as call:
        await call.client.receive()
        await call.client.send({"type": "auth", "token": token})
        await ended(call, code, message)


@pytest.mark.pins("D190")
async def test_who_says_nothing_is_sent_away_after_ten_seconds(
    pending: Pending, autojump_clock: MockClock
) -> None:
    began = trio.current_time()
    async with pending.call() as call:
        await call.client.receive()
        await ended(call, "auth_timeout")
        assert trio.current_time() - began == pytest.approx(10)


async def test_who_leaves_instead_is_no_failure(
    pending: Pending, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with pending.call() as call:
        await call.client.receive()
        await call.client.leave()
        assert await call.client.everything() == []
        assert call.gateway.counters.connections_ended == {"1000": 1}
        assert call.gateway.tenants == []
    assert caplog.records == []


@pytest.mark.parametrize("slow", [False, True], ids=["before-the-token", "while-it-is-looked-at"])
async def test_a_server_that_stops_does_not_wait_for_the_token(
    pending: Pending, autojump_clock: MockClock, *, slow: bool
) -> None:
    pending.strategy.slow = slow
    began = trio.current_time()
    async with pending.call() as call:
        await call.client.receive()
        if slow:
            await call.client.send(AUTH)
            await pending.strategy.asked.wait()
        call.stopping.set()
        assert await call.client.everything() == []
        assert call.client.close_code == 1001
        assert call.gateway.tenants == []
        assert trio.current_time() - began < 1


async def test_a_cancelled_server_leaves_nothing(
    pending: Pending, autojump_clock: MockClock
) -> None:
    async with pending.call() as call:
        await call.client.receive()
        call.scope.cancel()
        with trio.CancelScope(shield=True):
            await call.client.everything()
        assert call.client.close_code == 1001


async def test_known_from_the_upgrade_it_is_asked_nothing(
    open_call: Any, autojump_clock: MockClock
) -> None:
    strategy = Strategy()
    known = Visitor(HEAD, Principal("acme"))
    async with open_call(visitor=known, authenticator=knowing(strategy)) as call:
        await call.client.send({"type": "ping"})
        assert (await call.client.receive())["type"] == "pong"
        assert call.gateway.tenants == ["acme"]
        assert strategy.seen == []


@pytest.mark.parametrize(
    ("token", "answer"),
    [
        ("acme-s-other-token", ("authenticated", "acme", None)),
        ("wrong", ("error", None, "unauthorized")),
        ("umbrella-s-token", ("error", None, "unauthorized")),
        ("not-now", ("error", None, "auth_service_unavailable")),
    ],
)
async def test_a_later_token_is_looked_at_and_changes_nothing(
    open_call: Any,
    autojump_clock: MockClock,
    token: str,
    answer: tuple[str, str | None, str | None],
) -> None:
    known = Visitor(HEAD, Principal("acme"))
    async with open_call(visitor=known, authenticator=knowing(Strategy())) as call:
        await call.client.send({"type": "auth", "token": token})
        told = await call.client.receive()
        assert (told["type"], told.get("id"), told.get("code")) == answer
        await call.client.send({"type": "auth", "token": "acme-s-token"})
        assert await call.client.receive() == {"type": "authenticated", "id": "acme"}


async def test_where_no_token_is_wanted_nobody_looks_at_one(
    open_call: Any, autojump_clock: MockClock
) -> None:
    strategy = Strategy()
    async with open_call(authenticator=knowing(strategy, required=False)) as call:
        await call.client.send({"type": "auth", "token": "wrong"})
        assert await call.client.receive() == {"type": "authenticated"}
        assert strategy.seen == []
