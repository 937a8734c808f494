"""A score card tells which promises a plugin keeps, which it breaks, and what could not be tried."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from urllib.parse import urlsplit

import attrs
import pytest
import trio
from support.servers import deepgram, openai
from support.servers.http import open_http_server
from support.servers.websocket import open_websocket_server
from support.stt_vendor import spoken
from trio.testing import MockClock

from capabilities import (
    Ability,
    AudioFormat,
    AudioFrame,
    Capability,
    CloneLimits,
    Encoding,
    Final,
    Limits,
    Manifest,
    Plugin,
    PluginContext,
    ProviderRefused,
    Secret,
)
from providers._common.settings import VendorSettings
from providers.deepgram import MANIFEST as DEEPGRAM
from providers.openai import MANIFEST as OPENAI
from providers.openai.options import OpenAISettings
from waav.testing import FakeCloning, FakeLLM, FakeSTT, FakeTTS, FakeVAD, manifest_of
from waav.testing.bench import Subject, Trial
from waav.testing.fault_suites import NotApplicable, transport_of
from waav.testing.relay_wire import Transport
from waav.testing.scorecard import Card, Check, Row, Verdict, checks_of, judge, select

PASSED, FAILED, NOT = Verdict
ENGLISH = Ability(languages=("en-US",), sample_rates=(16000,))


async def card_of(subject: Subject | Manifest, trial: Trial = Trial()) -> dict[str, Row]:  # noqa: B008 - frozen
    subject = subject if isinstance(subject, Subject) else Subject(subject)
    rows: list[Row] = []
    for check in checks_of(subject, trial):
        rows.append(await judge(check, rows))
    return {row.check: row for row in rows}


def listening(said: str, **fields: Any) -> Manifest:
    plain = manifest_of(stt=FakeSTT([Final(said)]))
    return attrs.evolve(plain, abilities={Capability.STT: attrs.evolve(ENGLISH, **fields)})


async def test_a_good_plugin_passes_each_suite_of_what_it_brings() -> None:
    brought = {"llm": FakeLLM(), "cloning": FakeCloning(CloneLimits(samples=1))}
    card = await card_of(manifest_of(stt=FakeSTT(), tts=FakeTTS(), vad=FakeVAD(), **brought))
    done = {name: row.verdict for name, row in card.items() if "/faults" not in name}
    assert done == {
        "manifest": PASSED,
        "opening": PASSED,
        "stt/contract": PASSED,
        "stt/words": NOT,  # it says that it knows many languages, not that English is one
        "tts/contract": PASSED,
        "vad/contract": PASSED,
        "llm/contract": PASSED,
        "cloning/contract": PASSED,
    }
    assert card["opening"].detail == ""


async def test_the_broken_promise_is_named_and_the_others_are_judged_all_the_same() -> None:
    limited = {each: Ability(limits=Limits(concurrency=1)) for each in ("stt", "tts")}
    manifest = manifest_of(stt=FakeSTT(limit=1), tts=FakeTTS())
    abilities = {Capability(name): ability for name, ability in limited.items()}
    card = await card_of(attrs.evolve(manifest, abilities=abilities))
    assert card["stt/contract"].verdict is PASSED
    assert card["tts/contract"].verdict is FAILED
    assert card["tts/contract"].detail == (
        "request beyond the limit of 1 must raise ProviderBusy, but is let in"
    )


async def test_of_a_malformed_manifest_nothing_else_is_tried() -> None:
    card = await card_of(manifest_of("Fake", tts=FakeTTS()))
    assert list(card) == ["manifest"]
    assert "an id is lower case words" in card["manifest"].detail


async def test_what_does_not_open_is_not_tried_any_further() -> None:
    @asynccontextmanager
    async def without_licence(_context: PluginContext) -> AsyncIterator[Plugin]:
        raise ProviderRefused("fake", "there is no licence")
        yield

    card = await card_of(attrs.evolve(manifest_of(tts=FakeTTS()), open=without_licence))
    assert card["opening"].verdict is FAILED
    assert "there is no licence" in card["opening"].detail
    assert card["tts/contract"].verdict is NOT
    assert card["tts/contract"].detail == "it could not be opened"


async def test_what_is_left_open_shows_at_the_opening(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    del autojump_clock

    @asynccontextmanager
    async def leaves_a_task(_context: PluginContext) -> AsyncIterator[Plugin]:
        nursery.start_soon(trio.sleep_forever)
        yield Plugin(tts=FakeTTS())

    card = await card_of(attrs.evolve(manifest_of(tts=FakeTTS()), open=leaves_a_task))
    assert "left behind after closing the plugin" in card["opening"].detail


async def test_what_is_missing_is_said_and_nothing_is_called() -> None:
    subject = Subject(listening("hello"), lacks="it needs fake_api_key")
    card = await card_of(subject)
    tried = {name: row for name, row in card.items() if row.detail != "it needs fake_api_key"}
    assert set(tried) == {"manifest"}
    assert not Card("fake", tuple(card.values())).good, "nothing was tried"


QUESTION = "What is the weather like today?"
WORDS: dict[str, tuple[str, Trial, Verdict, str]] = {
    "case-and-marks": (QUESTION, Trial(), PASSED, ""),
    "wrong": ("what is the weather", Trial(), FAILED, "not 'what is the weather like today'"),
    "own-words": ("Hello, world!", Trial(text="hello world"), PASSED, ""),
    "own-sound": (QUESTION, Trial(AudioFrame(bytes(32000))), NOT, "no words are known"),
}


@pytest.mark.parametrize(("said", "trial", "verdict", "told"), WORDS.values(), ids=WORDS)
async def test_words(said: str, trial: Trial, verdict: Verdict, told: str) -> None:
    row = (await card_of(listening(said), trial))["stt/words"]
    assert row.verdict is verdict
    assert told in row.detail


MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "rate": ({"sample_rates": (8000,)}, "it takes 8000 Hz"),
    "encoding": ({"encodings": (Encoding.OPUS,)}, "it takes opus"),
}


@pytest.mark.parametrize(("fields", "told"), MISFITS.values(), ids=MISFITS)
async def test_sound_that_it_does_not_take_is_not_sent(fields: dict[str, Any], told: str) -> None:
    card = await card_of(listening("hello", **fields))
    assert card["stt/contract"].verdict is NOT
    assert told in card["stt/contract"].detail


async def test_sound_of_another_rate_is_sent_as_what_it_is() -> None:
    stt = FakeSTT(takes=AudioFormat(sample_rate=8000))
    sound = AudioFrame(bytes(16000), AudioFormat(sample_rate=8000))
    card = await card_of(manifest_of(stt=stt), Trial(sound, language="de"))
    assert card["stt/contract"].verdict is PASSED
    assert {request.language for request in stt.requests} == {"de"}


async def test_a_plugin_gets_what_it_requires_and_its_keys() -> None:
    seen: list[PluginContext] = []

    @asynccontextmanager
    async def upper(context: PluginContext) -> AsyncIterator[Plugin]:
        seen.append(context)
        async with trio.open_nursery():
            yield Plugin(tts=FakeTTS())

    base = manifest_of("base", tts=FakeTTS())
    manifest = manifest_of("upper", tts=FakeTTS(), open=upper, requires=("base",))
    subject = Subject(manifest, "own", {"k": Secret("s3cr3t")}, (Subject(base),))
    assert "s3cr3t" not in repr(subject)
    card = await card_of(subject)
    assert card["tts/contract"].verdict is PASSED
    assert all(context.requires["base"].tts is not None for context in seen)
    assert all(context.settings == "own" for context in seen)
    assert all(context.credentials["k"].reveal() == "s3cr3t" for context in seen)


async def test_an_ability_without_a_suite_is_said_to_have_none() -> None:
    strange = attrs.evolve(manifest_of(tts=FakeTTS()), abilities={Capability.AUTH: Ability()})
    names = {check.name: check.does for check in checks_of(Subject(strange), Trial())}
    assert names["auth/contract"] == "there is no suite for auth"


async def test_being_cancelled_is_no_verdict(autojump_clock: MockClock) -> None:
    del autojump_clock
    slow = checks_of(Subject(manifest_of(tts=FakeTTS(delay=1000))), Trial())[2]
    assert slow.name == "tts/contract"
    with trio.move_on_after(1) as scope:
        await judge(slow)
    assert scope.cancelled_caught


async def test_a_suite_ends_with_its_budget(autojump_clock: MockClock) -> None:
    del autojump_clock
    card = await card_of(manifest_of(tts=FakeTTS(delay=1000)), Trial(budget=5))
    assert card["tts/contract"].detail == "the whole check takes more than 5 s"
    assert card["tts/contract"].took == pytest.approx(5, abs=0.1)


def test_checks_are_chosen_by_the_beginning_of_their_names() -> None:
    checks = checks_of(Subject(manifest_of(stt=FakeSTT(), tts=FakeTTS())), Trial())
    chosen = [check.name for check in select(checks, ["stt/words", "manifest"])]
    assert chosen == ["manifest", "stt/words"]
    assert {check.name.partition("/")[0] for check in select(checks, ["tts"])} == {"tts"}
    assert select(checks, []) == checks
    with pytest.raises(ValueError, match=r"no check 'st' .*stt/contract"):
        select(checks, ["st"])


@pytest.mark.parametrize(
    ("verdicts", "good"),
    [
        ({"manifest": PASSED, "opening": PASSED, "tts/faults": NOT}, True),
        ({"manifest": PASSED, "opening": NOT}, False),
        ({"manifest": PASSED, "opening": PASSED, "tts/contract": FAILED}, False),
        ({"manifest": PASSED}, True),
        ({"tts/faults": NOT}, False),
    ],
    ids=["full", "nothing-tried", "failed", "manifest-only", "nothing-applies"],
)
def test_a_card_is_good_if_something_was_tried_and_nothing_failed(
    verdicts: dict[str, Verdict], *, good: bool
) -> None:
    rows = tuple(Row(check, verdict) for check, verdict in verdicts.items())
    assert Card("fake", rows).good is good


class TestFaults:
    """A vendor on loopback, and a plugin whose ``base_url`` leads there."""

    async def test_also_of_a_language_model(self) -> None:
        async with open_http_server(openai.openai) as server:
            settings = OpenAISettings(base_url=f"{server.url}/v1")
            subject = Subject(OPENAI, settings, {"openai_api_key": Secret("made-up-key")})
            checks = select(checks_of(subject, Trial()), ["llm/faults/end", "llm/contract"])
            rows = [await judge(check) for check in checks]
        assert {row.check: row.detail for row in rows} == {"llm/faults/end": "", "llm/contract": ""}
        assert {row.verdict for row in rows} == {PASSED}

    CHECKS = ("stt/faults/reset", "stt/faults/http-401", "tts/faults/end", "stt/contract")

    async def test_each_fault_is_a_line_of_the_card(self) -> None:
        async with open_websocket_server([deepgram.vendor]) as server:
            address = server.url.replace("ws://", "http://")
            subject = Subject(
                DEEPGRAM,
                VendorSettings(base_url=address),
                {"deepgram_api_key": Secret(deepgram.KEY)},
            )
            checks = checks_of(subject, Trial(AudioFrame(spoken(3))))
            rows = [await judge(check) for check in checks if check.name in self.CHECKS]
        assert {row.check: row.detail for row in rows} == dict.fromkeys(self.CHECKS, "")
        assert {row.verdict for row in rows} == {PASSED}

    def test_without_the_address_of_the_vendor_it_says_so(self) -> None:
        reasons = {check.name: check.does for check in checks_of(Subject(DEEPGRAM), Trial())}
        for name in ("stt/faults", "tts/faults"):
            assert "base_url in [plugins.providers.deepgram]" in str(reasons[name])

    TALKS: ClassVar = {
        "websocket": (b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", Transport.WEBSOCKET),
        "http": (b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", Transport.HTTP),
        "http2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Transport.HTTP2),
    }

    @pytest.mark.parametrize(("asked", "transport"), TALKS.values(), ids=TALKS)
    async def test_what_a_client_speaks_shows_at_once(
        self, asked: bytes, transport: Transport
    ) -> None:
        async def talk(address: str) -> None:
            parts = urlsplit(address)
            async with await trio.open_tcp_stream(str(parts.hostname), int(parts.port or 0)) as end:
                await end.send_all(asked)
                await trio.sleep_forever()

        assert await transport_of(talk) is transport

    async def test_a_client_that_asks_for_nothing_is_found_out(self) -> None:
        async def talk(_address: str) -> None:
            raise ProviderRefused("fake", "no such model")

        with pytest.raises(AssertionError, match=r"asks its vendor for nothing: .*no such model"):
            await transport_of(talk)

    async def test_a_fault_that_cannot_be_is_not_applicable(self) -> None:
        async def cannot() -> None:
            await trio.lowlevel.checkpoint()
            raise NotApplicable("it speaks no TLS")

        row = await judge(Check("stt/faults/tls", cannot))
        assert (row.verdict, row.detail) == (NOT, "it speaks no TLS")
