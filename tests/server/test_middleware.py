"""Middlewares of plugins at both doors: whole gateways on real sockets."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import pytest
import trio
from support.clients import open_client
from support.gateways import Serving, open_serving
from support.rest import Reader, voice_plugin
from trio.testing import wait_all_tasks_blocked
from websockets.exceptions import InvalidStatus

from capabilities import Ability, Answer, Capability, Manifest, Principal, Request, Secret
from waav.config.auth import ApiSecret, Auth
from waav.config.middleware import Middleware as Settings
from waav.errors import ConfigError
from waav.testing import FakeMiddleware, manifest_of

TOKEN = "the-token-of-acme"
SECRETS = Auth(required=True, api_secrets=(ApiSecret("acme", Secret(TOKEN)),))
HEALTH = ("/", "/health", "/health/live", "/health/ready", "/api/health/live", "/metrics")


@attrs.define(eq=False)
class Named(FakeMiddleware):
    """Writes into a header, and into a list, that it was asked; broken if there is an error."""

    name: str = ""
    asked: list[str] = attrs.Factory(list)

    async def before(self, request: Request) -> Answer | None:
        self.asked.append(self.name)
        return await super().before(request)

    async def after(self, request: Request, outcome: Any) -> Mapping[str, str]:
        await super().after(request, outcome)
        self.asked.append(f"{self.name} {outcome.status}")
        return {f"x-{self.name}": str(outcome.status), "x-last": self.name}


def first_of(serving: Serving, id_: str) -> Any:
    return next(each for each in serving.gateway.plugins.statuses() if each.id == id_)


def at(middleware: Any, id_: str = "gate", priority: int = 0) -> Manifest:
    ability = {Capability.MIDDLEWARE: Ability(priority=priority)}
    return manifest_of(id_, middleware=middleware, abilities=ability)


@asynccontextmanager
async def rest(
    *manifests: Manifest, **sections: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, Serving]]:
    voice = voice_plugin("espeak", Reader())
    async with (
        open_serving(voice, *manifests, **sections) as serving,
        httpx.AsyncClient(base_url=f"http://{serving.at}", timeout=20) as client,
    ):
        yield client, serving


async def test_it_sees_requests_and_adds_headers_to_their_answers() -> None:
    fake = FakeMiddleware(adds={"X-Region": " north\t", "content-type": "application/x-changed"})
    async with rest(at(fake)) as (client, _):
        answer = await client.get(
            "/voices?token=hidden",
            headers={
                "X-Request-ID": "mine",
                "X-Provider-Api-Key": "sk-1",
                "Cookie": "a",
                "Proxy-Authorization": "Basic a",
                "Forwarded": "for=192.0.2.1",
            },
        )
        assert answer.status_code == 200
        assert answer.headers["x-region"] == "north"
        assert answer.headers.get_list("content-type") == ["application/x-changed"]
        assert answer.headers.get_list("x-request-id") == ["mine"]
    [request], [(after, outcome)] = fake.requests, fake.outcomes
    assert after is request
    assert outcome.status == 200
    assert 0 <= outcome.seconds < 10
    assert (request.method, request.path, request.id) == ("GET", "/voices", "mine")
    assert (request.client, request.principal, request.websocket) == ("127.0.0.1", None, False)
    assert request.headers["accept"] == "*/*"
    hidden = {"cookie", "x-provider-api-key", "host", "proxy-authorization", "forwarded"}
    assert not hidden & request.headers.keys()
    assert "hidden" not in f"{request} {request.headers}"


@pytest.mark.parametrize(
    "way",
    [
        "/%76oices",
        "/voices/",
        "//voices",
        "/%2fvoices",
        "voices",
        "http://a//voices",
        "HTTP://a/voices",
    ],
)
async def test_no_spelling_of_a_path_leads_around_it(way: str) -> None:
    """It closes `/voices`, and compares."""

    class Wall(FakeMiddleware):
        async def before(self, request: Request) -> Answer | None:
            return Answer(403) if request.path == "/voices" else None

    async with rest(at(Wall())) as (client, _):
        answer = await client.get("/", extensions={"target": way.encode()})
        assert answer.status_code == 403


async def test_it_knows_who_has_been_let_in_and_hears_of_nobody_else() -> None:
    fake = FakeMiddleware()
    async with rest(at(fake), auth=SECRETS) as (client, serving):
        assert (await client.get("/voices")).status_code == 401
        with pytest.raises(InvalidStatus):
            async with open_client(f"ws://{serving.at}/ws?token=wrong"):
                pass
        assert fake.requests == []
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert (await client.get("/voices", headers=bearer)).status_code == 200
        async with open_client(f"ws://{serving.at}/ws", **bearer):
            pass
        async with open_client(f"ws://{serving.at}/ws") as pending:
            await pending.expect("auth_required")
    assert [each.principal for each in fake.requests] == [
        Principal("acme"),
        Principal("acme"),
        None,
    ]
    assert [each.websocket for each in fake.requests] == [False, True, True]


async def test_what_one_does_to_a_request_the_next_one_does_not_see() -> None:
    class Meddler(FakeMiddleware):
        async def before(self, request: Request) -> Answer | None:
            request.headers.clear()  # type: ignore[attr-defined]  # what a stranger may try
            return None

    after = FakeMiddleware()
    settings = Settings(optional=("meddler",))
    manifests = at(Meddler(), "meddler", 1), at(after, "after", 2)
    async with rest(*manifests, middleware=settings) as (client, _):
        assert (await client.get("/voices")).status_code == 200
    assert after.requests[0].headers["accept"] == "*/*"


async def test_a_body_of_any_size_goes_by() -> None:
    """Nothing of it is read for a middleware, and nothing is kept."""
    async with rest(at(FakeMiddleware())) as (client, _):
        answer = await client.post("/speak", json={"text": "hello " * 1000, "provider": "espeak"})
        assert answer.status_code == 200
        assert answer.content


@pytest.mark.parametrize(
    ("answer", "kind", "body"),
    [
        (Answer(403, "Not today"), "text/plain; charset=utf-8", b"Not today"),
        (Answer(429, {"wait": 5}, {"Retry-After": "5"}), "application/json", b'{"wait":5}'),
        (Answer(418, None), "application/json", b"null"),
        (Answer(200, "a,b", {"Content-Type": "text/csv"}), "text/csv", b"a,b"),
    ],
    ids=["text", "json", "null", "its own type"],
)
async def test_it_may_answer_instead(answer: Answer, kind: str, body: bytes) -> None:
    async with rest(at(FakeMiddleware(answer=answer))) as (client, serving):
        got = await client.get("/voices")
        assert (got.status_code, got.content) == (answer.status, body)
        assert got.headers["content-type"] == kind
        assert got.headers["x-content-type-options"] == "nosniff"
        assert answer.headers.items() <= dict(got.headers).items()
        with pytest.raises(InvalidStatus) as refused:
            async with open_client(f"ws://{serving.at}/ws"):
                pass
        response = refused.value.response
        assert (response.status_code, response.body) == (answer.status, body)
        assert serving.gateway.limiter.counts.snapshot()["global"].held == 0  # type: ignore[attr-defined]  # it is the local one


async def test_a_head_request_gets_the_head_of_the_answer() -> None:
    async with rest(at(FakeMiddleware(answer=Answer(403, "Not today")))) as (client, _):
        for _ in range(2):
            answer = await client.head("/voices")
            assert (answer.status_code, answer.content) == (403, b"")


async def test_order_is_that_of_priorities_and_answers_come_back_in_reverse() -> None:
    asked: list[str] = []
    manifests = [
        at(Named(name="late", asked=asked), "a-late", 10),
        at(Named(name="early", asked=asked), "z-early", -10),
        at(Named(name="usual", asked=asked), "m-usual"),
        at(Named(name="next", asked=asked), "b-next"),
    ]
    async with rest(*manifests) as (client, _):
        answer = await client.get("/nothing/here")
    assert answer.status_code == 404
    back = ["late 404", "next 404", "usual 404", "early 404"]
    assert asked == ["early", "usual", "next", "late", *back]
    assert answer.headers["x-late"] == "404"
    assert answer.headers.get_list("x-last") == ["early"]


async def test_the_operator_s_order_comes_before_priorities() -> None:
    asked: list[str] = []
    manifests = [
        at(Named(name=name, asked=asked), name, priority)
        for name, priority in (("one", 1), ("two", 2), ("three", 3), ("four", 4))
    ]
    settings = Settings(order=("four", "Three"))
    async with rest(*manifests, middleware=settings) as (client, _):
        await client.get("/voices")
    assert asked[:4] == ["four", "three", "one", "two"]


async def test_behind_one_that_answers_nobody_is_asked_but_those_before_hear_of_it() -> None:
    asked: list[str] = []
    manifests = [
        at(Named(name="outer", asked=asked), "outer", 1),
        at(Named(name="wall", asked=asked, answer=Answer(403)), "wall", 2),
        at(Named(name="inner", asked=asked), "inner", 3),
    ]
    async with rest(*manifests) as (client, serving):
        answer = await client.get("/voices")
        assert answer.headers["x-outer"] == "403"
        assert "x-wall" not in answer.headers
        assert asked == ["outer", "wall", "outer 403"]
        with pytest.raises(InvalidStatus) as refused:
            async with open_client(f"ws://{serving.at}/ws"):
                pass
        assert refused.value.response.headers["x-outer"] == "403"


async def test_a_websocket_passes_with_their_headers_on_its_upgrade() -> None:
    fake = FakeMiddleware(adds={"x-region": "north"})
    async with rest(at(fake)) as (_, serving), open_client(f"ws://{serving.at}/ws") as client:
        assert client.socket.response.headers["x-region"] == "north"  # type: ignore[union-attr]  # there is one
        await client.send(type="ping")
        await client.expect("pong")
    [(request, outcome)] = fake.outcomes
    assert (request.path, request.websocket, outcome.status) == ("/ws", True, 101)


async def test_a_handshake_that_is_none_reaches_no_middleware() -> None:
    fake = FakeMiddleware()
    async with rest(at(fake)) as (client, _):
        answer = await client.get("/ws")
        assert answer.status_code == 426
        assert (await client.get("/other", headers={"Upgrade": "websocket"})).status_code == 404
    assert fake.requests == []


CRASH = KeyError("a detail of the plugin")


async def test_while_one_is_broken_nobody_passes_and_nobody_learns_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with rest(at(FakeMiddleware(error=CRASH))) as (client, serving):
        for _ in range(6):  # five of them take it out of service
            answer = await client.get("/voices")
            assert answer.status_code == 503
            assert answer.json()["code"] == "middleware_failed"
            assert answer.headers["retry-after"] == "5"
            assert "gate" not in answer.text
            assert "detail" not in answer.text
        assert str(first_of(serving, "gate").state) != "running"
        with pytest.raises(InvalidStatus) as refused:
            async with open_client(f"ws://{serving.at}/ws"):
                pass
        assert refused.value.response.status_code == 503
        assert serving.gateway.counters.refused["middleware_failed"] == 7
    assert "middleware gate cannot say: gate: unexpected KeyError" in caplog.text


async def test_one_that_is_optional_is_left_out_while_it_is_broken() -> None:
    broken, fine = FakeMiddleware(error=CRASH), FakeMiddleware(adds={"x-fine": "yes"})
    settings = Settings(optional=("gate",))
    async with rest(at(broken), at(fine, "fine"), middleware=settings) as (client, serving):
        for _ in range(7):
            answer = await client.get("/voices")
            assert (answer.status_code, answer.headers["x-fine"]) == (200, "yes")
        async with open_client(f"ws://{serving.at}/ws"):
            pass
    assert broken.outcomes == []


@pytest.mark.parametrize("optional", [False, True])
async def test_one_that_takes_too_long_counts_as_broken(*, optional: bool) -> None:
    settings = Settings(optional=("gate",) if optional else (), patience_seconds=0.05)
    async with rest(at(FakeMiddleware(delay=3600)), middleware=settings) as (client, _):
        answer = await client.get("/voices")
        assert answer.status_code == (200 if optional else 503)


@pytest.mark.parametrize("said", [True, "no", Answer, Answer(403, "x" * (1 << 20) + "x")], ids=repr)
async def test_one_that_says_anything_else_has_let_nobody_pass(said: Any) -> None:
    async with rest(at(FakeMiddleware(answer=said))) as (client, _):
        assert (await client.get("/voices")).status_code == 503


@pytest.mark.parametrize(
    "headers",
    [
        {"x-a": "b\r\nSet-Cookie: c"},
        {"x a": "b"},
        {"content-length": "7"},
        {"x-request-id": "forged"},
        {"access-control-allow-origin": "*"},
        {f"x-{number}": "" for number in range(33)},
        {"x-a": "b" * 9000},
        ["x-a"],
    ],
    ids=["forged line", "name", "framing", "id", "cors", "many", "long", "list"],
)
async def test_headers_that_an_answer_cannot_have_are_left_out(
    headers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with rest(at(FakeMiddleware(adds=headers))) as (client, serving):
        answer = await client.get("/voices")
        assert answer.status_code == 200
        assert not {"x-a", "set-cookie", "x-1"} & answer.headers.keys()
        assert answer.headers["x-request-id"] != "forged"
        async with open_client(f"ws://{serving.at}/ws"):
            pass
    assert "middleware gate says nothing of an answer" in caplog.text


async def test_who_watches_over_the_gateway_meets_no_middleware() -> None:
    fake = FakeMiddleware(error=CRASH)
    async with rest(at(fake)) as (client, _):
        for path in HEALTH:
            assert (await client.get(path)).status_code == 200, path
        assert fake.requests == []
        assert (await client.get("/voices")).status_code == 503


async def test_a_middleware_that_is_named_must_be_there() -> None:
    for settings in (Settings(order=("gaet",)), Settings(optional=("espeak",))):
        with pytest.raises(ConfigError, match="known for middleware: gate"):
            async with rest(at(FakeMiddleware()), middleware=settings):
                pass


async def test_one_that_goes_away_is_asked_no_more_and_one_that_comes_is() -> None:
    fake = FakeMiddleware(answer=Answer(403))
    async with rest() as (client, serving):
        assert (await client.get("/voices")).status_code == 200
        await serving.gateway.plugins.register(at(fake))
        assert (await client.get("/voices")).status_code == 403
        await serving.gateway.plugins.unregister("gate")
        assert (await client.get("/voices")).status_code == 200


@attrs.define(eq=False)
class Slow(FakeMiddleware):
    """Takes an hour, and says when it is asked and when nobody wants to know any more."""

    asked: trio.Event = attrs.Factory(trio.Event)
    left: trio.Event = attrs.Factory(trio.Event)

    async def before(self, request: Request) -> Answer | None:
        self.asked.set()
        try:
            await trio.sleep(3600)
        finally:
            self.left.set()
        return await super().before(request)


async def test_a_client_that_leaves_is_waited_for_by_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow = Slow()
    caplog.set_level(logging.ERROR)
    async with rest(at(slow)) as (_, serving):
        async with await trio.open_tcp_stream("127.0.0.1", serving.port) as stream:
            await stream.send_all(b"GET /voices HTTP/1.1\r\nHost: a\r\n\r\n")
            with trio.fail_after(10):
                await slow.asked.wait()
        with trio.fail_after(10):
            await slow.left.wait()
        await wait_all_tasks_blocked()
        status = first_of(serving, "gate")
        assert (str(status.state), status.uses[Capability.MIDDLEWARE].open) == ("running", 0)
    assert caplog.text == ""


async def test_it_is_listed_like_any_plugin() -> None:
    async with rest(at(FakeMiddleware())) as (client, _):
        entry = (await client.get("/plugins/gate")).json()
    assert (entry["capabilities"], entry["state"]) == (["middleware"], "running")
