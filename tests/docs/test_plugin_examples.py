"""The examples of a handler and of a middleware, notes_plugin.py and plan_gate.py, on a real gateway."""

from types import ModuleType

import httpx
import pytest
from support.clients import STT, Client, open_client
from support.gateways import open_serving
from support.providers import Ears, plugin

from capabilities import Capability, Principal, Request, Secret
from waav.config.auth import ApiSecret, Auth
from waav.testing import check_middleware, check_plugin, check_ws_handler

ANN, BOB = "the-token-of-ann", "the-token-of-bob"


async def test_both_pass_their_suites(notes: ModuleType, gate: ModuleType) -> None:
    await check_plugin(notes.MANIFEST)
    await check_plugin(gate.MANIFEST)
    ability = notes.MANIFEST.abilities[Capability.WS_HANDLER]
    handler = notes.NotesHandler(notes.Notebook(5, 5))
    await check_ws_handler(handler, ability, payloads=[{"text": "buy milk"}])
    clone = Request("POST", "/voices/clone")
    await check_middleware(gate.PlanGate(gate.GateSettings()), requests=[clone])


async def ask(client: Client, kind: str, payload: object = None) -> None:
    await client.send(type="custom", message_type=f"notes/{kind}", payload=payload)


async def noted(client: Client, text: str) -> int:
    await ask(client, "add", {"text": text})
    count: int = (await client.expect("plugin_response"))["payload"]["notes"]
    return count


async def test_notes_are_kept_for_whoever_made_them(notes: ModuleType) -> None:
    secrets = ApiSecret("ann", Secret(ANN)), ApiSecret("bob", Secret(BOB))
    auth = Auth(required=True, api_secrets=secrets)
    async with open_serving(plugin("ears", Ears()), notes.MANIFEST, auth=auth) as serving:
        url = f"ws://{serving.at}/ws?token="
        async with open_client(url + ANN) as ann, open_client(url + BOB) as bob:
            assert await noted(ann, "buy milk") == 1
            assert await noted(ann, "call Eve") == 2
            assert await noted(bob, "nothing") == 1
        async with open_client(url + ANN) as ann:
            await ask(ann, "list")
            said = [(await ann.expect("plugin_response"))["payload"]["text"] for _ in range(2)]
            await ask(ann, "add", {"text": 7})
            error = await ann.expect_error("provider_refused")
    assert said == ["buy milk", "call Eve"]
    assert error["message"] == "Plugin handler error: notes: a note needs a text"


async def test_where_nobody_is_known_notes_belong_to_the_session(notes: ModuleType) -> None:
    async with (
        open_serving(plugin("ears", Ears()), notes.MANIFEST) as serving,
        open_client(f"ws://{serving.at}/ws") as client,
    ):
        await ask(client, "add", {"text": "buy milk"})
        error = await client.expect_error("provider_refused")
        assert error["message"].endswith("say config before notes")
        await client.configure(stt_config=STT)
        assert await noted(client, "buy milk") == 1


def test_the_notebook_forgets_the_oldest(notes: ModuleType) -> None:
    notebook = notes.Notebook(most=2, owners=2)
    assert [notebook.add("ann", text) for text in "abc"] == [1, 2, 2]
    assert notebook.of("ann") == ["b", "c"]
    notebook.add("bob", "x")
    notebook.add("ann", "d")
    notebook.add("eve", "y")
    assert (notebook.of("bob"), notebook.of("ann"), notebook.of("eve")) == ([], ["c", "d"], ["y"])


async def test_the_gate_keeps_a_path_for_those_who_have_the_plan(gate: ModuleType) -> None:
    async with (
        open_serving(gate.MANIFEST) as serving,
        httpx.AsyncClient(base_url=f"http://{serving.at}") as client,
    ):
        for path in ("/voices/clone", "/api/voices/clone"):
            answer = await client.post(path, json={})
            assert answer.status_code == 402
            assert answer.json()["code"] == "plan_needed"
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
        answer = await client.get("/voices")
        assert answer.status_code == 200
        assert answer.headers["server-timing"].startswith("total;dur=")


@pytest.mark.parametrize(
    ("path", "plan", "passes"),
    [
        ("/voices/clone", "paid", True),
        ("/voices/clone", "free", False),
        ("/voices/clone", None, False),
        ("/voices/clone/anything", None, False),
        ("/voices/clones", None, True),
        ("/voices", None, True),
    ],
)
async def test_for_whom_the_gate_is_open(
    gate: ModuleType, path: str, plan: str | None, *, passes: bool
) -> None:
    principal = None if plan is None else Principal("acme", {"plan": plan})
    request = Request("POST", path, principal=principal)
    answer = await gate.PlanGate(gate.GateSettings()).before(request)
    assert (answer is None) == passes
