"""Language models: the contract, and the values it speaks."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

import attrs

from capabilities.secret import Secret


class Role(StrEnum):
    """Who says something in a conversation."""

    SYSTEM = "system"
    """Whoever made the application: how to answer."""
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@attrs.frozen
class ToolCall:
    """The model wants a tool to be used. It comes whole, also where a vendor sends it in pieces."""

    id: str
    """The result goes back under it."""
    name: str
    arguments: str
    """JSON, as the model wrote it: it may be wrong, or no JSON at all."""


@attrs.frozen
class Message:
    """One contribution to a conversation."""

    role: Role
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    """What an assistant's message wanted."""
    tool_call_id: str | None = None
    """Of a tool's message: the call whose result it is."""


@attrs.frozen
class Tool:
    """Something that the model may ask for."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = attrs.field(factory=dict)
    """A JSON schema of an object; without properties if there are no arguments."""


@attrs.frozen
class ChatRequest:
    """What is to be answered, and how. ``None`` leaves a choice to the provider."""

    messages: tuple[Message, ...]
    model: str | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    """``auto``, ``none``, ``required``, or the name of the tool that must be used."""
    temperature: float | None = None
    max_tokens: int | None = None
    """Of the answer."""
    api_key: Secret | None = None
    """Used instead of the gateway's own key, for this request only."""
    options: Any = None
    """The provider's own options: an instance of the class that its manifest names, or None."""


@attrs.frozen
class Delta:
    """The next piece of the answer's text; never empty."""

    text: str


@attrs.frozen
class Usage:
    """Tokens that a request has cost."""

    input: int = 0
    output: int = 0
    cached: int = 0
    """Those of the input that the vendor knew already."""
    reasoning: int = 0
    """Those of the output that nobody sees."""


class Finish(StrEnum):
    """Why an answer ends."""

    STOP = "stop"
    """All is said."""
    LENGTH = "length"
    """It has reached the most that was wanted, or possible."""
    TOOLS = "tools"
    """Tools are to be used first."""
    FILTERED = "filtered"
    """The vendor does not want the rest to be said."""


@attrs.frozen
class Done:
    """The answer is over: always the last thing that comes."""

    finish: Finish = Finish.STOP
    usage: Usage | None = None
    """None if the vendor does not say."""


ChatEvent: TypeAlias = Delta | ToolCall | Done


class LLM(Protocol):
    """A provider that can answer."""

    def chat(self, request: ChatRequest) -> AbstractAsyncContextManager[AsyncIterator[ChatEvent]]:
        """Ask for one answer. Iterating gives its text as early as it is there, and then ``Done``.

        Leaving the block before the end stops the answer, also on the far side.

        Raises:
            ProviderUnavailable: no connection could be made, or the answer stopped coming.
            ProviderBusy: the limit on requests or tokens is reached.
            ProviderRefused: key, plan, model or option not accepted; a retry will not help.
            ProviderClosed: the far side hung up in the middle (while iterating).
            ProviderProtocolError: it said something unreadable.
        """
        ...
