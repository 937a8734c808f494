"""A client sends messages to plugins and hears from them: whole gateways, real sockets."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import pytest
import trio
from support.clients import STT, Client, open_client
from support.gateways import Serving, open_serving
from support.providers import Ears, Mouth, plugin
from trio.testing import wait_all_tasks_blocked

from capabilities import (
    CustomMessage,
    Manifest,
    Principal,
    ProviderBusy,
    ProviderRefused,
    Replies,
    Secret,
)
from waav.config.auth import ApiSecret, Auth
from waav.server.ws import custom
from waav.testing import FakeWSHandler, manifest_of

TOKEN = "the-token-of-acme"


@attrs.define
class Scripted:
    """A handler that does what a test says."""

    does: Callable[[CustomMessage], Any]
    types: tuple[str, ...] = ("notes/add",)
    release: trio.Event = attrs.Factory(trio.Event)
    asked: trio.Event = attrs.Factory(trio.Event)
    left: trio.Event = attrs.Factory(trio.Event)
    """Set when a message is done with, in whatever way."""

    def __attrs_post_init__(self) -> None:
        self.release.set()

    async def handle(self, message: CustomMessage) -> Any:
        self.asked.set()
        try:
            await self.release.wait()
            return self.does(message)
        finally:
            self.left.set()


def handler(id: str, does: Callable[[CustomMessage], Any], *types: str) -> Manifest:  # noqa: A002
    return manifest_of(id, ws_handler=Scripted(does, types or ("notes/add",)))


def refuse(_: CustomMessage) -> Any:
    raise ProviderRefused("notes", "a note needs a text")


def stumble(_: CustomMessage) -> Any:
    raise KeyError("a detail of the plugin")


@asynccontextmanager
async def talk(*manifests: Manifest, **sections: Any) -> AsyncIterator[tuple[Client, Serving]]:
    manifests = (plugin("ears", Ears()), plugin("mouth", mouth=Mouth()), *manifests)
    async with (
        open_serving(*manifests, **sections) as serving,
        open_client(f"ws://{serving.at}/ws") as client,
    ):
        yield client, serving


async def say(client: Client, payload: Any = None, message_type: str = "notes/add") -> None:
    await client.send(type="custom", message_type=message_type, payload=payload)


async def answered(client: Client) -> Any:
    message = await client.expect("plugin_response")
    assert message["message_type"] == "notes/add"
    return message["payload"]


async def test_a_client_talks_to_a_plugin_before_it_has_configured_anything() -> None:
    echo = FakeWSHandler(types=("notes/add", "notes/list"))
    async with talk(manifest_of("notes", ws_handler=echo)) as (client, _):
        for payload in ({"text": "buy milk"}, [1.5, None], "word", 0, True):
            await say(client, payload)
            assert await answered(client) == payload
    assert {(each.stream_id, each.principal) for each in echo.messages} == {("", None)}


async def test_the_handler_knows_whose_session_it_is() -> None:
    echo = FakeWSHandler(types=("notes/add",))
    auth = Auth(required=True, api_secrets=(ApiSecret("acme", Secret(TOKEN)),))
    manifests = plugin("ears", Ears()), manifest_of("notes", ws_handler=echo)
    async with (
        open_serving(*manifests, auth=auth) as serving,
        open_client(f"ws://{serving.at}/ws") as client,
    ):
        await client.expect("auth_required")
        await client.send(type="auth", token=TOKEN)
        await client.expect("authenticated")
        await client.configure(stt_config=STT, stream_id="my-stream")
        await say(client, "x")
        assert await answered(client) == "x"
    assert echo.messages == [CustomMessage("notes/add", "x", "my-stream", Principal("acme"))]


async def test_who_must_say_who_it_is_says_nothing_to_plugins_before() -> None:
    echo = FakeWSHandler(types=("notes/add",))
    auth = Auth(required=True, api_secrets=(ApiSecret("acme", Secret(TOKEN)),))
    async with (
        open_serving(manifest_of("notes", ws_handler=echo), auth=auth) as serving,
        open_client(f"ws://{serving.at}/ws") as client,
    ):
        await client.expect("auth_required")
        await say(client)
        await client.expect_error("auth_required")
    assert echo.messages == []


async def test_what_can_be_said_is_in_the_list_of_plugins() -> None:
    manifest = handler("notes", lambda _: None, "notes/add", "notes/list")
    async with open_serving(manifest) as serving, httpx.AsyncClient() as client:
        entry = (await client.get(f"http://{serving.at}/plugins/notes")).json()
    assert entry["capabilities"] == ["ws_handler"]
    assert entry["message_types"] == ["notes/add", "notes/list"]


async def test_a_type_that_nobody_handles_is_told_and_nothing_else_happens() -> None:
    async with talk(handler("notes", lambda _: "here")) as (client, _):
        await say(client, message_type="notes/ADD")
        error = await client.expect_error("unknown_custom_type")
        assert error["message"] == "Unknown custom message type: notes/ADD"
        assert error["recoverable"]
        await say(client)
        assert await answered(client) == "here"


async def test_no_answer_is_an_answer_and_null_and_bytes_and_several_are() -> None:
    answers: dict[str, Any] = {
        "nothing": None,
        "null": Replies([None]),
        "bytes": b"\0\1",
        "several": Replies([{"a": 1}, b"\2", Replies(["dropped"]), "last"]),
        "none of several": Replies([]),
    }
    async with talk(handler("notes", lambda message: answers[message.payload])) as (client, _):
        for name in answers:
            await say(client, name)
        assert [await answered(client) for _ in range(3)] == [None, {"a": 1}, "last"]
        assert client.sound == b"\0\1\2"


async def test_all_handlers_of_a_type_are_asked_in_the_order_of_their_registration() -> None:
    """Registered as given, whatever their names; and one that fails stops nobody behind it."""
    manifests = (
        handler("z-first", lambda _: "first"),
        handler("m-second", refuse),
        handler("k-other", lambda _: "not asked", "another/type"),
        handler("b-third", stumble),
        handler("a-last", lambda _: "last", "another/type", "notes/add"),
    )
    async with talk(*manifests) as (client, serving):
        await say(client)
        assert await answered(client) == "first"
        second, third = await client.expect("error"), await client.expect("error")
        assert await answered(client) == "last"
        errors = serving.gateway.counters.errors
        assert dict(errors) == {"provider_refused": 1, "plugin_failed": 1}
    assert second["code"] == "provider_refused"
    assert second["message"] == "Plugin handler error: notes: a note needs a text"
    assert third["code"] == "plugin_failed"
    assert third["message"] == "Plugin handler error: b-third: unexpected KeyError"


async def test_what_one_handler_does_to_a_payload_the_next_one_does_not_see() -> None:
    def spoil(message: CustomMessage) -> Any:
        message.payload.clear()

    manifests = handler("a", spoil), handler("b", lambda message: message.payload)
    async with talk(*manifests) as (client, _):
        await say(client, {"text": "mine"})
        assert await answered(client) == {"text": "mine"}


async def test_who_nests_without_end_does_no_harm_to_a_plugin() -> None:
    """What goes deep enough breaks whoever recurses through it, the plugin that answers with it too."""
    async with talk(handler("notes", lambda message: message.payload)) as (client, serving):
        for depth in (128, 129, 500, 900):
            payload = f'{{"a":{"[" * (depth - 1)}{"]" * (depth - 1)}}}'
            text = f'{{"type":"custom","message_type":"notes/add","payload":{payload}}}'
            await client.socket.send(text)
            if depth > 128:
                error = await client.expect_error("invalid_message")
                assert error["message"].endswith("nested more than 128 levels deep")
            else:
                assert str(await answered(client)).count("[") == 127
        [status] = [each for each in serving.gateway.plugins.statuses() if each.id == "notes"]
        assert (status.call_count, status.error_count) == (1, 0)


async def test_a_busy_handler_says_when_to_come_again() -> None:
    def busy(_: CustomMessage) -> Any:
        raise ProviderBusy("notes", "too many notes", retry_after=7.0)

    async with talk(handler("notes", busy)) as (client, _):
        await say(client)
        assert (await client.expect_error("provider_busy"))["details"] == {"retry_after": 7.0}


@pytest.mark.parametrize(
    "answer",
    [object(), {"a": print}, "x" * (1 << 20), Replies(["x"] * 65), Replies([b"x" * 600_000] * 2)],
    ids=["no data", "no data in it", "too long", "too many", "too long together"],
)
async def test_an_answer_that_cannot_be_sent_is_the_plugin_s_fault(answer: Any) -> None:
    async with talk(handler("notes", lambda _: answer)) as (client, serving):
        await say(client)
        message = (await client.expect_error("plugin_failed"))["message"]
        assert message.startswith("Plugin handler error: notes: unexpected ")
        [status] = [each for each in serving.gateway.plugins.statuses() if each.id == "notes"]
        assert (status.call_count, status.error_count) == (1, 1)


async def test_a_plugin_that_breaks_again_and_again_goes_out_of_service() -> None:
    async with talk(handler("notes", stumble), handler("other", lambda _: "fine")) as (client, _):
        for _ in range(6):
            await say(client)
            error = await client.expect("error")
            assert await answered(client) == "fine"
    assert error["code"] == "provider_unavailable"
    assert error["message"] == "Plugin handler error: notes: failed"


async def test_a_slow_handler_holds_up_neither_sound_nor_speech() -> None:
    """Its client goes on: pings are answered, and what is too much for the queue is told at once."""
    slow = Scripted(lambda message: message.payload)
    slow.release = trio.Event()
    async with talk(manifest_of("notes", ws_handler=slow)) as (client, _):
        for number in range(custom.WAITING + 3):
            await say(client, number)
        for _ in range(2):
            error = await client.expect_error("custom_queue_full")
            assert error["message"].startswith("Plugin handler error: ")
        await client.send(type="ping", timestamp=1)
        assert (await client.expect("pong"))["timestamp"] == 1
        ready = await client.configure()
        assert ready["stt_ready"]
        slow.release.set()
        answers = [await answered(client) for _ in range(custom.WAITING + 1)]
        assert answers == list(range(custom.WAITING + 1))


async def test_a_client_that_leaves_takes_its_message_with_it() -> None:
    stuck = Scripted(lambda _: None)
    stuck.release = trio.Event()
    async with open_serving(manifest_of("notes", ws_handler=stuck)) as serving:
        async with open_client(f"ws://{serving.at}/ws") as client:
            await say(client)
            with trio.fail_after(10):
                await stuck.asked.wait()
        with trio.fail_after(10):
            await stuck.left.wait()
        await wait_all_tasks_blocked()
        [status] = serving.gateway.plugins.statuses()
        assert str(status.state) == "running"
        assert all(use.open == 0 for use in status.uses.values())
