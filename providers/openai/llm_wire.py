"""``POST /v1/chat/completions`` without I/O: a request -> its body, events -> the answer.

Source: the package ``openai`` 3.52.0 (its models, and what it sends), 2026-11-20.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from capabilities import ProviderClosed, ProviderProtocolError
from capabilities.llm import (
    ChatEvent,
    ChatRequest,
    Delta,
    Done,
    Finish,
    Message,
    Tool,
    ToolCall,
    Usage,
)
from providers.openai.errors import stream_error
from providers.openai.names import ID, LLM_MODEL
from providers.openai.options import OpenAILLMOptions

MOST_CALLS = 128
"""Tool calls of one answer."""
MOST_ARGUMENTS = 1 << 20
"""Characters of one call's arguments."""

_CHOICES = ("auto", "none", "required")
_FINISHES = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "tool_calls": Finish.TOOLS,
    "function_call": Finish.TOOLS,
    "content_filter": Finish.FILTERED,
}


def chat_body(request: ChatRequest) -> dict[str, Any]:
    """Return the body of a request."""
    own: OpenAILLMOptions = request.options or OpenAILLMOptions()
    body: dict[str, Any] = {
        "model": request.model or LLM_MODEL,
        "messages": [_message(each) for each in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": request.temperature,
        "max_completion_tokens": request.max_tokens,
        "tools": [_tool(each) for each in request.tools] or None,
        "tool_choice": _choice(request.tool_choice),
    }
    body |= attrs.asdict(own, recurse=False)
    body["stop"] = list(own.stop) or None
    return {name: value for name, value in body.items() if value is not None}


def _message(message: Message) -> dict[str, Any]:
    told: dict[str, Any] = {"role": message.role.value, "content": message.text}
    if message.tool_calls:
        told["content"] = message.text or None
        told["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        told["tool_call_id"] = message.tool_call_id
    return told


def _tool(tool: Tool) -> dict[str, Any]:
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


def _choice(name: str | None) -> Any:
    if name is None or name in _CHOICES:
        return name
    return {"type": "function", "function": {"name": name}}


@attrs.define
class _Call:
    """A tool call as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@attrs.define
class ChatReader:
    """Reads one answer."""

    _calls: dict[int, _Call] = attrs.field(factory=dict, init=False)
    _finish: Finish | None = attrs.field(default=None, init=False)
    _usage: Usage | None = attrs.field(default=None, init=False)

    def read(self, event: Mapping[str, Any]) -> list[ChatEvent]:
        """Return the text of one event.

        Raises:
            ProviderError: the event is an error.
            ProviderProtocolError: a tool call in it is none.
        """
        if error := event.get("error"):
            raise stream_error(error)
        if isinstance(usage := event.get("usage"), Mapping):
            self._usage = _usage(usage)
        match event.get("choices"):
            # The event with the usage has none.
            case [{"delta": Mapping() as delta} as choice, *_]:
                finish = choice.get("finish_reason")
                if isinstance(finish, str):
                    self._finish = _FINISHES.get(finish, Finish.STOP)
                return self._delta(delta)
            case _:
                return []

    def end(self) -> list[ChatEvent]:
        """Return what comes last: the tool calls, and the end.

        Raises:
            ProviderClosed: the answer broke off.
        """
        if self._finish is None:
            raise ProviderClosed(ID, "ended its answer before all was said")
        calls = [
            ToolCall(call.id, call.name, call.arguments) for _, call in sorted(self._calls.items())
        ]
        return [*calls, Done(self._finish, self._usage)]

    def _delta(self, delta: Mapping[str, Any]) -> list[ChatEvent]:
        for part in delta.get("tool_calls") or ():
            self._take(part)
        # A refusal is what the model says instead.
        texts = (delta.get("content"), delta.get("refusal"))
        return [Delta(text) for text in texts if isinstance(text, str) and text]

    def _take(self, part: Any) -> None:
        """A piece of a tool call: its id and name come once, its arguments in pieces."""
        match part:
            case {"index": int(index)} if 0 <= index < MOST_CALLS:
                call = self._calls.setdefault(index, _Call())
            case _:
                raise ProviderProtocolError(ID, "sent a tool call that is none")
        call.id = part.get("id") or call.id
        match part.get("function"):
            case Mapping() as function:
                call.name = function.get("name") or call.name
                call.arguments += function.get("arguments") or ""
            case _:
                pass
        if len(call.arguments) > MOST_ARGUMENTS:
            raise ProviderProtocolError(ID, "sent a tool call that is longer than any")


def _usage(told: Mapping[str, Any]) -> Usage:
    return Usage(
        input=_count(told, "prompt_tokens"),
        output=_count(told, "completion_tokens"),
        cached=_count(told.get("prompt_tokens_details"), "cached_tokens"),
        reasoning=_count(told.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _count(told: Any, name: str) -> int:
    value = told.get(name) if isinstance(told, Mapping) else None
    return value if isinstance(value, int) else 0
