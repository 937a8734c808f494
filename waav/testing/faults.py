"""The fault matrix: what a client does when its vendor fails, for each fault in each state of a conversation.

The client talks through a :mod:`relay <waav.testing.relay>`. In each cell the conversation goes on to
its end with every word once, or it ends with one error that says what to do; soon, and with nothing
left behind. Some cells cannot be: :func:`~waav.testing.fault_reasons.why_not` says why.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Any, TypeAlias

import attrs
import trio

from capabilities import STT, TTS, AudioFrame, ProviderError, SpeechRequest, STTOptions
from capabilities.llm import LLM, ChatRequest
from waav.testing.audio import question
from waav.testing.contract import Belongings, promise
from waav.testing.fault_answers import Answering, Synthesis
from waav.testing.fault_reasons import why_not
from waav.testing.fault_talks import Recognition, State, Talk, Told
from waav.testing.llm import QUESTION
from waav.testing.relay import Relay, open_relay
from waav.testing.relay_wire import Fault, Transport

LIMIT = 10.0
"""Seconds that a cell may take, unless more are given."""
LONGEST_MESSAGE = 300
"""Characters of an error's message."""

_TEXT = "Hello world. How are you today?"

OpenSTT: TypeAlias = Callable[[str], AbstractAsyncContextManager[STT]]
"""Opens the recogniser at a base address, ``http://127.0.0.1:port`` or ``https://...``."""
OpenTTS: TypeAlias = Callable[[str], AbstractAsyncContextManager[TTS]]
OpenLLM: TypeAlias = Callable[[str], AbstractAsyncContextManager[LLM]]


class Outcome(StrEnum):
    """How a cell went."""

    WELL = "well"
    """All was said, once."""
    REPORTED = "reported"
    """One error says what happened."""
    BROKEN = "broken"
    """A promise was: the cell's detail says which."""
    NOT_APPLICABLE = "not applicable"


@attrs.frozen
class Cell:
    """One fault in one state."""

    fault: Fault
    state: State
    outcome: Outcome
    detail: str = ""
    """Which promise was broken, or why the cell cannot be."""
    error: ProviderError | None = None
    """What was reported."""
    took: float = 0.0
    """Seconds."""

    @property
    def name(self) -> str:
        """What it goes by."""
        return f"{self.fault}/{self.state}"


@attrs.frozen
class Matrix:
    """All cells of one capability of one client."""

    cells: tuple[Cell, ...]

    def of(self, outcome: Outcome) -> list[Cell]:
        """Return the cells that went so."""
        return [cell for cell in self.cells if cell.outcome is outcome]

    def cell(self, fault: Fault, state: State) -> Cell:
        """Return the one cell."""
        (found,) = [each for each in self.cells if (each.fault, each.state) == (fault, state)]
        return found

    def check(self) -> None:
        """Raise AssertionError if a promise was broken."""
        broken = "; ".join(f"{cell.name}: {cell.detail}" for cell in self.of(Outcome.BROKEN))
        promise(not broken, broken)


async def check_stt_faults(
    open_stt: OpenSTT,
    upstream: str,
    transport: Transport = Transport.WEBSOCKET,
    *,
    options: STTOptions = STTOptions(),  # noqa: B008 - frozen
    sound: AudioFrame | None = None,
    text: str | None = None,
    secrets: Iterable[str] = (),
    faults: Iterable[Fault] = tuple(Fault),
    states: Iterable[State] = tuple(State),
    limit: float = LIMIT,
    abreast: bool = False,
) -> Matrix:
    """Try a recogniser with each fault in each state.

    Args:
        open_stt: makes the client, at the address of the relay.
        upstream: where the vendor is: ``http://`` or ``https://``, without a path.
        transport: what is spoken there.
        options: how to listen; ``format`` must be that of ``sound``.
        sound: what is sent; :func:`~waav.testing.audio.question` if None.
        text: the words in it; whatever is heard when all is well if None.
        secrets: what no error may give away, such as the key.
        faults: those to try.
        states: those to try them in.
        limit: seconds that a cell may take.
        abreast: run the states of a fault at the same time, if the vendor takes so many at once.

    Raises:
        AssertionError: not even without a fault all is well.
    """
    talk = Recognition(options, sound or question())
    bench = _Bench(open_stt, upstream, transport, tuple(secrets), limit, abreast)
    told, _ = await bench.calm(talk)
    talk = attrs.evolve(talk, words=told.words if text is None else text.split())
    promise(talk.words == told.words, f"heard {told.words}, not {text!r}, when all is well")
    return await bench.matrix(talk, faults, tuple(states))


async def check_tts_faults(
    open_tts: OpenTTS,
    upstream: str,
    transport: Transport = Transport.WEBSOCKET,
    *,
    request: SpeechRequest = SpeechRequest(_TEXT),  # noqa: B008 - frozen
    secrets: Iterable[str] = (),
    faults: Iterable[Fault] = tuple(Fault),
    states: Iterable[State] = tuple(State),
    limit: float = LIMIT,
    abreast: bool = False,
) -> Matrix:
    """Try a voice with each fault in each state.

    Args:
        request: what is said.
        open_tts, upstream, transport, secrets, faults, states, limit, abreast: as for
            :func:`check_stt_faults`.

    Raises:
        AssertionError: not even without a fault all is well.
    """
    bench = _Bench(open_tts, upstream, transport, tuple(secrets), limit, abreast)
    told, relay = await bench.calm(Synthesis(request))
    line = max(relay.lines, key=lambda each: each.passed)
    talk = Synthesis(request, line.passed // 2, line.last, told.sound)
    return await bench.matrix(talk, faults, tuple(states))


async def check_llm_faults(
    open_llm: OpenLLM,
    upstream: str,
    transport: Transport = Transport.HTTP,
    *,
    request: ChatRequest = QUESTION,
    secrets: Iterable[str] = (),
    faults: Iterable[Fault] = tuple(Fault),
    states: Iterable[State] = tuple(State),
    limit: float = LIMIT,
    abreast: bool = False,
) -> Matrix:
    """Try a language model with each fault in each state.

    Args:
        request: what is asked.
        open_llm, upstream, transport, secrets, faults, states, limit, abreast: as for
            :func:`check_stt_faults`.

    Raises:
        AssertionError: not even without a fault all is well.
    """
    bench = _Bench(open_llm, upstream, transport, tuple(secrets), limit, abreast)
    _, relay = await bench.calm(Answering(request))
    line = max(relay.lines, key=lambda each: each.passed)
    talk = Answering(request, line.passed // 2, line.last)
    return await bench.matrix(talk, faults, tuple(states))


@attrs.frozen
class _Bench:
    open_client: Callable[[str], AbstractAsyncContextManager[Any]]
    upstream: str
    transport: Transport
    secrets: tuple[str, ...]
    limit: float
    abreast: bool

    async def calm(self, talk: Talk) -> tuple[Told, Relay]:
        """Converse without a fault."""
        told = Told()
        async with (
            open_relay(self.upstream, self.transport) as relay,
            self.open_client(relay.url) as client,
        ):
            await talk.hold(client, relay, None, None, told)
        promise(not told.errors, f"not even without a fault all is well: {told.errors}")
        promise(told.words or told.sound, "nothing comes, even when all is well")
        return told, relay

    async def matrix(self, talk: Talk, faults: Iterable[Fault], states: Sequence[State]) -> Matrix:
        """Run all cells; those of one fault at the same time, if that is wanted."""
        cells: list[Cell] = []
        for fault in faults:
            if self.abreast and (row := await self._abreast(talk, fault, states)):
                cells += row
            else:
                cells += [await self.cell(talk, fault, state) for state in states]
        return Matrix(tuple(cells))

    async def _abreast(self, talk: Talk, fault: Fault, states: Sequence[State]) -> Sequence[Cell]:
        """Run a row at once; return nothing if something is left behind, as nobody can tell by which."""
        found: dict[State, Cell] = {}

        async def run(state: State) -> None:
            found[state] = await self.cell(talk, fault, state, alone=False)

        before = Belongings.now()
        async with trio.open_nursery() as nursery:
            for state in states:
                nursery.start_soon(run, state, name=f"testing/faults/{state}")
        try:
            await before.check_no_more("it")
        except AssertionError:
            return ()
        return [found[state] for state in states]

    async def cell(self, talk: Talk, fault: Fault, state: State, *, alone: bool = True) -> Cell:
        """Run one cell. What the client does wrong is in the cell, and not raised."""
        reason = why_not(self.transport, fault, state, once=talk.once)
        if reason:
            return Cell(fault, state, Outcome.NOT_APPLICABLE, reason)
        start, told = trio.current_time(), Told()
        try:
            before = Belongings.now()
            hit = await self._converse(talk, fault, state, told)
            if alone:
                await before.check_no_more("it")
            wrong = self._wrong(talk, told, fault, state)
        except Exception as error:  # noqa: BLE001 - it is a stranger's code
            hit, wrong = True, (isinstance(error, AssertionError) and str(error)) or repr(error)
        outcome = Outcome.REPORTED if told.errors else Outcome.WELL
        if wrong:
            outcome = Outcome.BROKEN
        elif not hit:
            outcome, wrong = Outcome.NOT_APPLICABLE, "there was no connection that it could strike"
        took = trio.current_time() - start
        return Cell(fault, state, outcome, wrong, next(iter(told.errors), None), took)

    async def _converse(self, talk: Talk, fault: Fault, state: State, told: Told) -> bool:
        """Return whether the fault struck."""
        with trio.move_on_after(self.limit) as scope:
            async with open_relay(self.upstream, self.transport) as relay:
                address = relay.secure_url if fault is Fault.TLS else relay.url
                async with self.open_client(address) as client:
                    await talk.hold(client, relay, fault, state, told)
        promise(not scope.cancelled_caught, f"takes more than {self.limit:g} s")
        return relay.has_struck

    def _wrong(self, talk: Talk, told: Told, fault: Fault, state: State) -> str:
        if len(told.errors) > 1:
            return f"one failure is told {len(told.errors)} times: {told.errors}"
        if told.errors:
            return _malformed(told.errors[0], self.secrets) or talk.twice(told)
        return talk.twice(told) if state is State.CLOSING else talk.wrong(told, fault)


def _malformed(error: ProviderError, secrets: Iterable[str]) -> str:
    if not error.message or len(error.message) > LONGEST_MESSAGE or "\n" in error.message:
        return f"a message is a short sentence: {error.message[:LONGEST_MESSAGE]!r}"
    if any(secret in f"{error!r}{error.args}" for secret in secrets):
        return f"a {type(error).__name__} gives a secret away"
    return ""
