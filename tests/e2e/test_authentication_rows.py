"""The tables of authentication, row by row: each strategy, whatever it says, at each place for a token.

A whole gateway on a real port; the operator's service and the address of keys are real servers.
"""

import gzip
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import pytest
import trio
from joserfc.jwk import ECKey
from support.clients import Client
from support.houses import House, bearer, open_house, open_rest
from support.servers.http import (
    Answer,
    Cut,
    Dribbled,
    Garbage,
    Reply,
    Stall,
    answer_json,
)
from support.servers.http import open_http_server as open_service
from support.servers.loopback import closed_port
from support.tokens import signed, wall_clock
from websockets.exceptions import ConnectionClosed, InvalidStatus

from capabilities import (
    Ability,
    Capability,
    Denied,
    Manifest,
    Plugin,
    PluginContext,
    Presented,
    Principal,
    ProviderBusy,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
)
from waav.config.auth import ApiSecret, Auth, Jwt
from waav.config.schema import WebSocket

KEY, OTHER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
INTERNAL = "words that nobody outside may read"
YES = answer_json({"id": "acme"})
KEYS = answer_json({"keys": [{**KEY.as_dict(private=False), "kid": "1"}]})


def token(key: ECKey = KEY, **claims: Any) -> str:
    # Signed when the tests are collected, and shown much later.
    return signed(key, {"exp": wall_clock() + 86400, **claims}, "ES256", kid="1")


@attrs.frozen
class Badges:
    """A plugin's own strategy, which does what the token says."""

    async def authenticate(self, presented: Presented) -> Principal | Denied:
        await trio.lowlevel.checkpoint()
        match presented.token.reveal():
            case "badge-of-acme":
                return Principal("acme")
            case "nameless":
                return Principal(None)
            case "lies":
                return True  # type: ignore[return-value]  # what a stranger's code may do
            case "breaks":
                raise TypeError(INTERNAL)
            case "refuses":
                raise ProviderRefused("badges", INTERNAL)
            case "away":
                raise ProviderUnavailable("badges", INTERNAL)
            case "busy":
                raise ProviderBusy("badges", INTERNAL, retry_after=7.0)
        return Denied("No such badge")


@asynccontextmanager
async def open_badges(_: PluginContext) -> AsyncIterator[Plugin]:
    yield Plugin(auth=Badges())


BADGES = Manifest("badges", "Badges", open_badges, {Capability.AUTH: Ability()})

GOOD: Mapping[str, str] = {
    "secrets": "secret-of-acme",
    "jwt": token(sub="acme"),
    "jwks": token(sub="acme"),
    "service": "some-token",
    "plugin": "badge-of-acme",
}
"""By strategy: a token of the tenant acme."""


@asynccontextmanager
async def open_known_by(
    strategy: str, folder: Path, reply: Reply = YES, **sections: Any
) -> AsyncIterator[House]:
    """Run a gateway where one strategy knows tokens; ``reply`` is that of its server, if it has one."""
    path = folder / "key.pem"
    path.write_bytes(KEY.as_pem(private=strategy == "service"))
    fields: dict[str, Any] = {"required": True, "timeout_seconds": 0.3}
    async with AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{closed_port()}"
        if reply is not GONE:
            url = (await stack.enter_async_context(open_service(reply))).url
        fields |= {
            "secrets": {"api_secrets": (ApiSecret("acme", Secret(GOOD["secrets"])),)},
            "jwt": {"jwt": Jwt(key_path=path)},
            "jwks": {"jwt": Jwt(jwks_url=url)},
            "service": {"service_url": url, "signing_key_path": path},
            "plugin": {"strategies": ("badges",)},
        }[strategy]
        house = open_house(Auth(**fields), [BADGES], **sections)
        yield await stack.enter_async_context(house)


GONE: Reply = Stall()
"""Nobody listens at the address at all."""


@pytest.mark.pins("D182")
@pytest.mark.parametrize("strategy", GOOD)
async def test_a_token_that_is_known_is_good_at_every_place(strategy: str, tmp_path: Path) -> None:
    good = GOOD[strategy]
    reply = KEYS if strategy == "jwks" else YES
    async with open_known_by(strategy, tmp_path, reply) as house, open_rest(house) as client:
        assert (await client.get("/voices", headers=bearer(good))).status_code == 200
        assert (await client.get("/voices", params={"token": good})).status_code == 200
        ways: tuple[tuple[str, dict[str, str]], ...] = (
            ("/ws", bearer(good)),
            (f"/api/ws?token={quote(good)}", {}),
            ("/ws", {}),
        )
        for path, headers in ways:
            async with house.call(path, **headers) as caller:
                if not headers and "token" not in path:
                    await caller.expect("auth_required")
                    await caller.send(type="auth", token=good)
                    assert (await caller.expect("authenticated"))["id"] == "acme"
                await caller.configure()
                assert house.used()["tenant"] == 1
                await _shown_again(caller, good)
            await house.nobody_is_left()


async def _shown_again(caller: Client, good: str) -> None:
    """Known already, it may say so again; and what is wrong changes nothing."""
    await caller.send(type="auth", token=good)
    assert (await caller.expect("authenticated"))["id"] == "acme"
    await caller.send(type="auth", token="x" * 4097)
    await caller.expect_error("field_too_large")
    await caller.send(type="ping")
    await caller.expect("pong")


WRONG, NO, DOWN = (401, "unauthorized"), (401, "auth_service_error"), (502, "auth_service_error")
AWAY = (503, "auth_service_unavailable")


@attrs.frozen
class Row:
    """What is shown to whom, and what everybody who shows it hears."""

    strategy: str
    shown: str
    answer: tuple[int, str]
    reply: Reply = YES


def says(reply: Reply, answer: tuple[int, str]) -> Row:
    return Row("service", "some-token", answer, reply)


ROWS = {
    "secrets: another": Row("secrets", "secret-of-nobody", WRONG),
    "secrets: one letter less": Row("secrets", GOOD["secrets"][:-1], WRONG),
    "secrets: another case": Row("secrets", GOOD["secrets"].upper(), WRONG),
    "jwt: no token at all": Row("jwt", "some-token", WRONG),
    "jwt: another key": Row("jwt", token(OTHER, sub="acme"), WRONG),
    "jwt: alg none": Row("jwt", f"eyJhbGciOiJub25lIn0.{GOOD['jwt'].split('.')[1]}.", WRONG),
    "jwt: expired": Row("jwt", token(sub="acme", exp=wall_clock() - 60), WRONG),
    "jwt: not yet": Row("jwt", token(sub="acme", nbf=wall_clock() + 86000), WRONG),
    "jwt: for somebody else": Row("jwt", token(sub="acme", aud="another service"), WRONG),
    "jwt: whose is it": Row("jwt", token(), WRONG),
    "jwks: another key": Row("jwks", token(OTHER, sub="acme"), WRONG, KEYS),
    "jwks: 404": Row("jwks", GOOD["jwks"], AWAY, Answer(404)),
    "jwks: no keys": Row("jwks", GOOD["jwks"], AWAY, answer_json({"keys": []})),
    "jwks: nobody there": Row("jwks", GOOD["jwks"], AWAY, GONE),
    "service: 401": says(Answer(401, INTERNAL.encode()), WRONG),
    "service: 403": says(Answer(403, INTERNAL.encode()), NO),
    "service: 404": says(Answer(404, INTERNAL.encode()), NO),
    "service: 429": says(Answer(429, INTERNAL.encode()), NO),
    "service: 500": says(Answer(500, INTERNAL.encode()), DOWN),
    "service: 503": says(Answer(503, INTERNAL.encode()), DOWN),
    "service: 204": says(Answer(204), DOWN),
    "service: 302 to a yes": says(Answer(302, b"", {"Location": "/yes"}), DOWN),
    "service: yes, but who": says(answer_json({"user": INTERNAL}), WRONG),
    "service: yes, a blank": says(answer_json({"id": " "}), WRONG),
    "service: yes, a number": says(answer_json({"id": 7}), WRONG),
    "service: yes, two lines": says(answer_json({"id": "acme\nroot"}), WRONG),
    "service: yes, nothing": says(Answer(200), WRONG),
    "service: yes, HTML": says(Answer(200, b"<html>" + INTERNAL.encode()), WRONG),
    "service: no HTTP": says(Garbage(INTERNAL.encode() + b"\r\n\r\n"), DOWN),
    "service: hangs up": says(Cut(), DOWN),
    "service: hangs up in a yes": says(Cut(b'{"id": "acme"'), DOWN),
    "service: endless": says(Answer(200, (b" " * 8192,) * 64), DOWN),
    "service: compressed": says(
        Answer(200, gzip.compress(b'{"id": "acme"}'), {"Content-Encoding": "gzip"}), DOWN
    ),
    "service: resets": says(Cut(hard=True), AWAY),
    "service: silent": says(Stall(), AWAY),
    "service: silent in a yes": says(Stall(b'{"id": "acme"'), AWAY),
    "service: a byte at a time": says(Dribbled(Answer(200, (b" ",) * 100_000)), AWAY),
    "service: nobody there": says(GONE, AWAY),
    "plugin: unknown": Row("plugin", "badge-of-nobody", WRONG),
    "plugin: yes, but who": Row("plugin", "nameless", WRONG),
    "plugin: neither yes nor no": Row("plugin", "lies", DOWN),
    "plugin: breaks": Row("plugin", "breaks", DOWN),
    "plugin: refuses": Row("plugin", "refuses", NO),
    "plugin: away": Row("plugin", "away", AWAY),
    "plugin: busy": Row("plugin", "busy", AWAY),
}


@pytest.mark.pins("D191", "D251", "D255")
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
async def test_what_is_not_known_is_answered_alike_at_every_place(
    row: Row, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller learns the kind of the refusal and nothing else, and keeps no place."""
    _, code = row.answer
    heard: list[str] = []
    async with (
        open_known_by(row.strategy, tmp_path, row.reply) as house,
        open_rest(house, timeout=20) as client,
    ):
        answer = await client.get("/voices", headers=bearer(row.shown))
        is_refusal(answer.status_code, answer.headers, answer.text, row)
        heard.append(answer.text)
        with pytest.raises(InvalidStatus) as caught:
            async with house.call(f"/ws?token={quote(row.shown)}"):
                pytest.fail("it was let in")
        response = caught.value.response
        is_refusal(response.status_code, response.headers, response.body.decode(), row)
        heard.append(response.body.decode())
        async with house.call() as caller:
            await caller.expect("auth_required")
            await caller.send(type="auth", token=row.shown)
            error = await caller.expect_error(code)
            if code == "unauthorized":
                assert error["message"] == "Invalid authentication token"
            await closed(caller, 4001)
            heard.append(json.dumps(error))
        await house.nobody_is_left()
        assert house.gateway.counters.sessions_started == 0
        assert house.gateway.counters.refused[code] == 2
    assert not [text for text in heard if INTERNAL in text or row.shown in text]
    assert row.shown not in caplog.text


def is_refusal(status: int, headers: Any, text: str, row: Row) -> None:
    expected, code = row.answer
    body = json.loads(text)
    assert (status, body["code"], body["error"]) == (expected, code, code)
    assert body.keys() == {"error", "message", "code", "request_id"}
    assert headers["Content-Type"] == "application/json"
    assert headers.get("WWW-Authenticate") == ("Bearer" if expected == 401 else None)
    wait = {"busy": "7"}.get(row.shown, "5")
    assert headers.get("Retry-After") == (wait if expected == 503 else None)


async def closed(client: Client, code: int) -> None:
    with trio.fail_after(5), pytest.raises(ConnectionClosed) as caught:
        await client.next()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == code


FIRST_WORDS = "Authentication required. Send auth message first."
FIRST: Mapping[str, tuple[str | bytes, str, str | None]] = {
    "config": ('{"type": "config"}', "auth_required", FIRST_WORDS),
    "ping": ('{"type": "ping"}', "auth_required", FIRST_WORDS),
    "no JSON": ("hello", "auth_required", FIRST_WORDS),
    "sound": (bytes(640), "auth_required", FIRST_WORDS),
    "no token": ('{"type": "auth"}', "auth_required", FIRST_WORDS),
    "a blank": ('{"type": "auth", "token": " "}', "unauthorized", "Invalid authentication token"),
    "too long": (json.dumps({"type": "auth", "token": "x" * 4097}), "field_too_large", None),
    "nothing": ("", "auth_required", FIRST_WORDS),
}


@pytest.mark.pins("D190")
@pytest.mark.parametrize(("sent", "code", "text"), FIRST.values(), ids=FIRST)
async def test_what_a_client_may_not_say_first(
    sent: str | bytes, code: str, text: str | None, tmp_path: Path
) -> None:
    async with open_known_by("secrets", tmp_path) as house:
        async with house.call() as caller:
            assert await caller.next() == {"type": "auth_required"}
            await caller.socket.send(sent)
            error = await caller.expect_error(code)
            assert text is None or error["message"] == text
            await closed(caller, 4001)
        await house.nobody_is_left()


@pytest.mark.pins("D190")
async def test_who_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    patience = WebSocket(auth_timeout_seconds=0.2)
    async with (
        open_known_by("secrets", tmp_path, websocket=patience) as house,
        house.call() as caller,
    ):
        await caller.expect("auth_required")
        await caller.expect_error("auth_timeout")
        await closed(caller, 4001)


@pytest.mark.parametrize("shown", ["anything", "", GOOD["secrets"]])
async def test_where_nobody_has_to_say_who_they_are_a_client_may(shown: str) -> None:
    async with open_house(Auth()) as house:
        for path in ("/ws", f"/ws?token={shown}"):
            async with house.call(path) as caller:
                await caller.send(type="auth", token=shown)
                assert await caller.next() == {"type": "authenticated"}
                await caller.configure()
                assert house.used()["tenant"] == 0
