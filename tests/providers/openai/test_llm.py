"""Chat completions, against a server that answers."""

import attrs
import pytest
import trio
from support.servers.http import Cut, Dribbled, Exchange, Garbage, Reply, Stall, open_http_server
from support.servers.openai import CHAT, OpenAPI, choice, chunk, refuse, sse

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
)
from capabilities.llm import (
    ChatEvent,
    ChatRequest,
    Delta,
    Done,
    Finish,
    Message,
    Role,
    Tool,
    ToolCall,
    Usage,
)
from providers.openai.llm import OpenAILLM
from providers.openai.options import OpenAILLMOptions

HELLO = ChatRequest((Message(Role.USER, "Hello?"),))


async def ask(llm: OpenAILLM, request: ChatRequest = HELLO) -> list[ChatEvent]:
    async with llm.chat(request) as events:
        return [event async for event in events]


async def test_an_answer_comes_in_pieces_and_ends_with_what_it_cost(open_api: OpenAPI) -> None:
    async with open_http_server(sse(*CHAT, done=True)) as server, open_api(server.url) as api:
        assert await ask(OpenAILLM(api)) == [
            Delta("Hello"),
            Delta(", world."),
            Done(Finish.STOP, Usage(input=9, output=4, cached=3, reasoning=1)),
        ]
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer made-up-key"
    assert request.json == {
        "model": "gpt-6-luna",
        "messages": [{"role": "user", "content": "Hello?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_tools_are_offered_called_and_answered(open_api: OpenAPI) -> None:
    weather = Tool("weather", "Tells the weather.", {"type": "object", "properties": {"in": {}}})
    call = ToolCall("call_1", "weather", '{"in": "Rome"}')
    request = ChatRequest(
        (
            Message(Role.SYSTEM, "Be short."),
            Message(Role.USER, "And in Rome?"),
            Message(Role.ASSISTANT, tool_calls=(call,)),
            Message(Role.TOOL, "sunny", tool_call_id="call_1"),
        ),
        model="gpt-x",
        tools=(weather, Tool("time")),
        tool_choice="weather",
        temperature=0.5,
        max_tokens=100,
        options=OpenAILLMOptions(reasoning_effort="low", stop=["END"], store=False),
    )
    pieces = [
        _calling(0, id="call_1", function={"name": "weather", "arguments": ""}),
        _calling(1, id="call_2", function={"name": "time", "arguments": "{}"}),
        _calling(0, function={"arguments": '{"in": '}),
        _calling(0, function={"arguments": '"Rome"}'}),
        chunk(choice("tool_calls")),
    ]
    async with open_http_server(sse(*pieces, done=True)) as server, open_api(server.url) as api:
        assert await ask(OpenAILLM(api), request) == [
            call,
            ToolCall("call_2", "time", "{}"),
            Done(Finish.TOOLS),
        ]
    asked = server.requests[0].json
    assert asked["messages"][2:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"in": "Rome"}'},
                }
            ],
        },
        {"role": "tool", "content": "sunny", "tool_call_id": "call_1"},
    ]
    assert asked["tools"][1]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    told = {key: asked[key] for key in ("model", "max_completion_tokens", "temperature")}
    assert told == {"model": "gpt-x", "max_completion_tokens": 100, "temperature": 0.5}
    assert (asked["reasoning_effort"], asked["stop"], asked["store"]) == ("low", ["END"], False)


def _calling(index: int, **fields: object) -> dict[str, object]:
    return chunk(choice(tool_calls=[{"index": index, **fields}]))


@pytest.mark.parametrize(
    ("told", "finish"),
    [
        ("length", Finish.LENGTH),
        ("content_filter", Finish.FILTERED),
        ("new-in-2027", Finish.STOP),
    ],
)
async def test_why_an_answer_ends(open_api: OpenAPI, told: str, finish: Finish) -> None:
    async with open_http_server(sse(chunk(choice(told)))) as server, open_api(server.url) as api:
        assert await ask(OpenAILLM(api)) == [Done(finish)]


async def test_one_byte_at_a_time(open_api: OpenAPI) -> None:
    reply = Dribbled(sse(chunk(choice(content="Grüße")), chunk(choice("stop")), done=True))
    async with open_http_server(reply) as server, open_api(server.url) as api:
        assert await ask(OpenAILLM(api)) == [Delta("Grüße"), Done()]


async def test_leaving_stops_the_far_side(open_api: OpenAPI) -> None:
    stopped = trio.Event()

    async def talk_for_ever(exchange: Exchange) -> None:
        await exchange.head(200, [("Transfer-Encoding", "chunked")])
        await exchange.body(b'data: {"choices":[{"delta":{"content":"well"}}]}\n\n')
        await exchange.until_gone()
        stopped.set()

    async with open_http_server(talk_for_ever) as server, open_api(server.url) as api:
        async with OpenAILLM(api).chat(HELLO) as events:
            assert await anext(events) == Delta("well")
        with trio.fail_after(2):
            await stopped.wait()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refuse(401, "no"), ProviderRefused),
        (refuse(429, "later", retry_after="3"), ProviderBusy),
        (refuse(500, "oh"), ProviderUnavailable),
        (Garbage(), ProviderProtocolError),
        (Stall(), ProviderUnavailable),
        (Cut(), ProviderUnavailable),
        (Cut(b"data: {}"), ProviderClosed),
        (sse(*CHAT[:2]), ProviderClosed),
        (sse({"error": {"type": "server_error", "message": "oh"}}), ProviderClosed),
        (sse({"error": {"code": "rate_limit_exceeded", "message": "oh"}}), ProviderBusy),
        (sse({"x": "y" * (2 << 20)}), ProviderProtocolError),
        (sse(chunk(choice(tool_calls=[{"index": -1}]))), ProviderProtocolError),
    ],
)
async def test_what_goes_wrong_is_one_error(
    open_api: OpenAPI, reply: Reply, kind: type[ProviderError]
) -> None:
    async with open_http_server(reply) as server, open_api(server.url, read_timeout=0.1) as api:
        with pytest.raises(kind) as caught:
            await ask(OpenAILLM(api))
    assert type(caught.value) is kind
    assert len(server.requests) == 1


async def test_a_key_of_the_request_is_used(open_api: OpenAPI) -> None:
    async with open_http_server(sse(*CHAT)) as server, open_api(server.url, key=None) as api:
        with pytest.raises(ProviderRefused, match="not configured"):
            await ask(OpenAILLM(api))
        await ask(OpenAILLM(api), attrs.evolve(HELLO, api_key=Secret("own")))
    assert [each.headers["authorization"] for each in server.requests] == ["Bearer own"]
