"""A stream over connections that come and go, under the mock clock, against a vendor that hears."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from math import inf

import attrs
import pytest
import trio
from support.stt_vendor import (
    NAME,
    Line,
    MemorySTT,
    TestWire,
    Vendor,
    converse,
    place,
    spoken,
)

from capabilities import (
    SPEECH,
    AudioFormat,
    AudioFrame,
    Encoding,
    Final,
    Interim,
    ProviderClosed,
    ProviderRefused,
    ProviderUnavailable,
    SpeechBegun,
    SpeechFinal,
    STTStream,
    Word,
)
from providers._common.backoff import Backoff
from providers._common.policy import Policy
from providers._common.stt_link import HURRY, UNREAD, open_stt_link
from providers._common.wire import Done, Message, Signal
from waav.testing import check_stt, silence
from waav.testing.contract import Belongings, cancel_everywhere

POLICY = Policy(says_ready=True, backoff=Backoff(first=0.25, jitter=0))


def open_link(
    vendor: Vendor, policy: Policy = POLICY, audio: AudioFormat = SPEECH
) -> AbstractAsyncContextManager[STTStream]:
    return open_stt_link(TestWire, vendor.connect, provider=NAME, audio=audio, policy=policy)


async def keep_silent(stream: STTStream, seconds: float, frame: float = 1.0) -> None:
    for _ in range(round(seconds / frame)):
        await stream.send(silence(frame))
        await trio.sleep(frame)


async def test_all_is_said_and_all_is_heard(autojump_clock: trio.testing.MockClock) -> None:
    vendor = Vendor()
    heard = await converse(vendor, spoken(5), POLICY)
    assert heard.words == ["0", "1", "2", "3", "4"]
    assert heard.places == [place(n) for n in range(5)]
    assert heard.error is None
    (line,) = vendor.lines
    assert (line.got[0][1], line.got[-1][1]) == ("start", "finish")
    assert line.gone.is_set()


async def test_a_recording_need_not_be_paced(autojump_clock: trio.testing.MockClock) -> None:
    """Three times as much as is kept goes through, as the sender waits for the vendor."""
    heard = await converse(Vendor(), spoken(30), Policy(says_ready=True, keep=4.0), live=False)
    assert heard.places == [place(n) for n in range(30)]


class Greedy(Line):
    """It takes whatever comes, at once."""

    def send_now(self, message: Message) -> bool:
        self.got.append((trio.current_time(), message))
        self.vendor.heard(self, message)
        return True


async def most_between_turns(line: Line, until: int) -> int:
    """Return how many messages a line got at most between two turns of this task."""
    most = seen = len(line.got)
    while seen < until:
        await trio.lowlevel.checkpoint()
        most, seen = max(most, len(line.got) - seen), len(line.got)
    return most


async def test_other_tasks_have_their_turn_while_a_recording_goes_out() -> None:
    vendor = Vendor(line_class=Greedy)
    async with open_link(vendor) as stream, trio.open_nursery() as nursery:

        async def speak() -> None:
            for _ in range(200):
                await stream.send(silence(0.02))

        nursery.start_soon(speak)
        assert await most_between_turns(vendor.lines[0], 200) <= 3 * HURRY


async def test_other_tasks_have_their_turn_while_sound_is_sent_again() -> None:
    """Half a minute of it, which a new connection takes at once."""
    vendor = Vendor(line_class=Greedy)
    async with open_link(vendor) as stream:
        for _ in range(100):
            await stream.send(silence(0.25))
        vendor.lines[0].reset(ProviderClosed(NAME, "reset"))
        while len(vendor.lines) < 2:
            await trio.lowlevel.checkpoint()
        assert await most_between_turns(vendor.lines[1], 100) <= 3 * HURRY


async def test_whoever_sends_a_recording_waits_for_a_vendor_that_takes_it_slowly(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Four times as fast as speech: of 20 s the last 4 may wait here, the others take their time."""
    vendor = Vendor()
    async with open_link(vendor, Policy(says_ready=True, pace=4, keep=2, progress=60)) as stream:
        for _ in range(20):
            await stream.send(AudioFrame(spoken(1) + silence(0.6).data))
        assert trio.current_time() == pytest.approx((20 - 4) / 4, abs=1)
        await stream.finish()
        assert len([each async for each in stream if isinstance(each, Final)]) == 20
        assert trio.current_time() == pytest.approx(20 / 4, abs=1)


async def test_a_vendor_that_greets_nobody_gets_sound_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    vendor = Vendor(lambda _line, message: message == "start")
    heard = await converse(vendor, spoken(2), Policy())
    assert heard.words == ["0", "1"]


@pytest.mark.pins("D006")
async def test_stt_survives_120s_silence(autojump_clock: trio.testing.MockClock) -> None:
    """Frames of silence, to which the vendor has nothing to say; then somebody speaks."""
    vendor = Vendor()
    async with open_link(vendor) as stream:
        await keep_silent(stream, 120)
        await stream.send(AudioFrame(spoken(1)))
        with trio.fail_after(1):
            said = await anext(aiter(stream))
        assert said == Final("0", words=(Word("0", 120.0, 120.2),))
    assert len(vendor.lines) == 1


@pytest.mark.pins("D006", "D048")
async def test_a_caller_who_sends_nothing_is_kept_by_keepalives(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """The vendor hangs up after 10 s with neither sound nor keepalive."""
    vendor = Vendor()
    async with open_link(vendor, Policy(says_ready=True, keepalive=5)) as stream:
        await keep_silent(stream, 10, 0.5)
        begin = trio.current_time()
        await trio.sleep(120)
        kept = [at for at, message in vendor.lines[0].got if message == "keepalive"]
        assert len(kept) == 24
        assert kept[0] - begin == pytest.approx(4.5)
        assert {round(b - a, 6) for a, b in pairwise(kept)} == {5.0}
        await stream.send(silence(0.1))
        await stream.finish()
        assert [each async for each in stream] == []


async def test_a_day_of_silence(autojump_clock: trio.testing.MockClock) -> None:
    """A vendor whose sessions last an hour and that drops each at a whim: nobody notices."""
    vendor = Vendor()
    policy = Policy(says_ready=True, keepalive=60, silence=0.1, longest_session=3600)
    async with open_link(vendor, policy) as stream:
        for hour in range(24):
            await trio.sleep(3600)
            if hour % 5 == 4:
                vendor.lines[-1].reset(ProviderClosed(NAME, "a whim"))
        await stream.send(AudioFrame(spoken(1)))
        await stream.finish()
        assert [
            each.words[0].start
            for each in [each async for each in stream]
            if isinstance(each, Final)
        ] == [0.0]
    assert 24 <= len(vendor.lines) <= 32
    assert vendor.open_lines == 0


async def test_each_connection_begins_with_the_start_messages(
    autojump_clock: trio.testing.MockClock,
) -> None:
    def drop(line: Line, _message: Message) -> bool:
        if line.number < 3 and line.sound > SPEECH.size(1.1):
            line.reset(ProviderClosed(NAME, "reset"))
        return line.broken is not None

    vendor = Vendor(drop)
    heard = await converse(vendor, spoken(12), POLICY)
    assert heard.words == [str(n) for n in range(12)]
    assert heard.places == [place(n) for n in range(12)]
    assert [line.got[0][1] for line in vendor.lines] == ["start"] * 4
    assert heard.error is None


async def test_a_sender_hardly_notices_that_the_line_is_down(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Who waits has late sound, and whoever is before them drops it."""
    down = [False]
    vendor = Vendor(on_open=lambda _line: ProviderUnavailable(NAME, "503") if down[0] else None)
    async with open_link(vendor, Policy(says_ready=True, losses=50)) as stream:
        down[0] = True
        vendor.lines[0].reset(ProviderClosed(NAME, "reset"))
        with trio.fail_after(0.001):
            for _ in range(10):
                await stream.send(silence(1.0))
        await trio.sleep(20)
        down[0] = False
        await stream.finish()
        assert [each async for each in stream] == []
    assert vendor.lines[-1].sound == SPEECH.size(10)


async def test_a_silent_vendor_is_left_for_another_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Half-open: everything can be sent, nothing comes back."""
    vendor = Vendor(lambda line, message: line.number == 0 and message != "start")
    heard = await converse(vendor, spoken(20), Policy(says_ready=True, progress=3))
    assert heard.places == [place(n) for n in range(20)]
    assert len(vendor.lines) == 2


@pytest.mark.parametrize("pace", [inf, 4.0], ids=["the-speaker-sends", "the-link-sends"])
async def test_a_vendor_that_takes_nothing_is_left_for_another_connection(
    autojump_clock: trio.testing.MockClock, pace: float
) -> None:
    """Whoever sends. Sound that has to wait for its time goes out in the link's own task."""

    class Stuck(Line):
        async def send(self, message: Message) -> None:
            if self.number == 0 and len(self.got) > 5:
                await self.gone.wait()
                raise ProviderClosed(NAME, "this side has closed")
            await super().send(message)

    vendor = Vendor(line_class=Stuck)
    policy = Policy(says_ready=True, send_timeout=2, pace=pace)
    heard = await converse(vendor, spoken(8), policy, live=pace == inf)
    assert heard.places == [place(n) for n in range(8)]
    assert len(vendor.lines) == 2


async def test_a_session_longer_than_the_vendor_s_longest_loses_no_word(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """The vendor cuts each connection after 5 s without a warning; it never comes to that."""
    cut = []

    def limit(line: Line, _message: Message) -> bool:
        if trio.current_time() - line.got[0][0] > 5:
            cut.append(line)
        return False

    vendor = Vendor(limit)
    policy = Policy(says_ready=True, longest_session=5, margin=2)
    heard = await converse(vendor, spoken(50), policy)
    assert heard.places == [place(n) for n in range(50)]
    assert cut == []
    assert len(vendor.lines) == 7
    assert heard.error is None


async def test_the_old_connection_is_left_only_when_the_new_one_is_ready(
    autojump_clock: trio.testing.MockClock,
) -> None:
    most = []

    def watch(line: Line, _message: Message) -> bool:
        most.append(line.vendor.open_lines)
        return False

    vendor = Vendor(watch)
    await converse(vendor, spoken(20), Policy(says_ready=True, longest_session=5, margin=2))
    assert max(most) == 2
    assert vendor.open_lines == 0


async def test_what_comes_late_from_a_connection_that_was_left_is_not_heard(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """It was under way when the other connection took over, which hears the same sound again."""

    class Late(Line):
        async def __anext__(self) -> str:
            with trio.CancelScope(shield=self.number == 0):
                return await super().__anext__()

    vendor = Vendor(line_class=Late)
    async with open_link(vendor, Policy(says_ready=True, longest_session=4, margin=2)) as stream:
        await trio.sleep(3)
        assert len(vendor.lines) == 2
        vendor.lines[0].say("final late 0.0 0.1 0.1")
        vendor.lines[1].say("ended")
        assert await anext(aiter(stream)) == SpeechFinal()
        await trio.sleep(0.5)
        with trio.move_on_after(0.1):
            raise AssertionError(await anext(aiter(stream)))


async def test_a_second_connection_that_cannot_be_made_does_no_harm(
    autojump_clock: trio.testing.MockClock,
) -> None:
    vendor = Vendor(on_open=lambda line: ProviderRefused(NAME, "401") if line.number else None)
    policy = Policy(says_ready=True, longest_session=6, margin=3)
    heard = await converse(vendor, spoken(14), policy)
    assert heard.places == [place(n) for n in range(14)]
    assert heard.error is None
    assert len(vendor.lines) == 2


@pytest.mark.pins("D060")
async def test_an_error_of_the_first_connection_reaches_whoever_opens(
    autojump_clock: trio.testing.MockClock,
) -> None:
    vendor = Vendor(on_open=lambda _line: ProviderRefused(NAME, "the key is not accepted"))
    with pytest.raises(ProviderRefused, match="the key is not accepted"):
        async with open_link(vendor):
            pass
    assert len(vendor.lines) == 1


async def test_a_vendor_that_never_gets_ready(autojump_clock: trio.testing.MockClock) -> None:
    vendor = Vendor(lambda _line, message: message == "start")
    with pytest.raises(ProviderUnavailable, match="was not ready in 10 s"):
        async with open_link(vendor):
            pass
    assert trio.current_time() == pytest.approx(10)
    assert vendor.open_lines == 0


@pytest.mark.pins("D011")
async def test_transcripts_come_in_the_order_of_the_vendor_under_load(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """More than may wait, faster than they are read: the vendor waits, and none is lost."""
    most = 10 * UNREAD
    vendor = Vendor()
    async with open_link(vendor) as stream:
        for number in range(most):
            vendor.lines[0].say(f"interim {number}")
        vendor.lines[0].say("ended")
        await trio.sleep(1)
        assert vendor.lines[0].unread == most + 1 - UNREAD
        heard = []
        async for each in stream:
            if isinstance(each, SpeechFinal):
                break
            heard.append(int(each.text))
            await trio.sleep(0.1)
        assert heard == list(range(most))


async def test_a_vendor_that_waits_for_the_reader_is_not_called_silent(
    autojump_clock: trio.testing.MockClock,
) -> None:
    vendor = Vendor()
    async with open_link(vendor, Policy(says_ready=True, progress=3)) as stream:
        for number in range(UNREAD + 1):
            vendor.lines[0].say(f"interim {number}")
        for _ in range(20):
            await stream.send(AudioFrame(spoken(2)))
            await trio.sleep(1)
    assert len(vendor.lines) == 1


async def test_one_failure_is_told_once(autojump_clock: trio.testing.MockClock) -> None:
    """The reader hears why; until then a sender is not told, and afterwards that it is over."""
    vendor = Vendor()
    async with open_link(vendor) as stream:
        vendor.lines[0].reset(ProviderRefused(NAME, "the plan is used up"))
        await trio.sleep(1)
        await stream.send(silence(0.1))
        with pytest.raises(ProviderRefused, match="used up"):
            await anext(aiter(stream))
        with pytest.raises(ProviderClosed):
            await stream.send(silence(0.1))


async def test_what_was_said_before_a_failure_is_heard_before_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    vendor = Vendor()
    async with open_link(vendor) as stream:
        vendor.lines[0].say("interim a", "ended")
        await trio.sleep(1)
        vendor.lines[0].reset(ProviderRefused(NAME, "1008"))
        reader = aiter(stream)
        assert [await anext(reader), await anext(reader)] == [Interim("a"), SpeechFinal()]
        with pytest.raises(ProviderRefused):
            await anext(reader)


async def test_the_reason_is_the_one_that_the_vendor_gives(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A sender meets the broken connection first; the close code comes a moment later."""

    class Slow(Line):
        async def send(self, message: Message) -> None:
            if self.got:
                raise ProviderClosed(NAME, "broken pipe")
            await super().send(message)

    vendor = Vendor(line_class=Slow)
    async with open_link(vendor) as stream:
        await stream.send(silence(0.1))
        await trio.sleep(0.5)
        vendor.lines[0].reset(ProviderRefused(NAME, "the key was withdrawn"))
        with pytest.raises(ProviderRefused, match="withdrawn"):
            await anext(aiter(stream))
    assert len(vendor.lines) == 1


@attrs.frozen
class PartingWire(TestWire):
    """The vendor's last words are in its goodbye."""

    def ended(self) -> Sequence[Signal]:
        return [Final("bye"), Done()]


async def test_a_goodbye_may_hold_the_last_words(autojump_clock: trio.testing.MockClock) -> None:
    def hang_up(line: Line, message: Message) -> bool:
        if message == "finish":
            line.end()
        return message == "finish"

    vendor = Vendor(hang_up)
    async with open_stt_link(
        PartingWire, vendor.connect, provider=NAME, audio=SPEECH, policy=POLICY
    ) as stream:
        await stream.send(silence(0.1))
        await stream.finish()
        assert [each async for each in stream] == [Final("bye")]
    assert len(vendor.lines) == 1


async def test_a_goodbye_in_place_of_the_last_words_is_a_break_like_any_other(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """However politely: the next connection is asked for them."""

    def hang_up(line: Line, message: Message) -> bool:
        if line.number == 0 and message == "finish":
            line.end()
        return line.ended

    vendor = Vendor(hang_up)
    heard = await converse(vendor, spoken(2)[: SPEECH.size(0.6)], POLICY)
    assert heard.words == ["0", "1"]
    assert heard.error is None
    assert len(vendor.lines) == 2


async def test_a_goodbye_is_not_the_last_word_of_a_vendor_that_did_not_take_all(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """It hung up in the very moment in which it was asked for the rest."""

    class Hasty(Line):
        async def send(self, message: Message) -> None:
            if self.number == 0 and message == "finish":
                self.end()
                await trio.sleep(1)
            await super().send(message)

    vendor = Vendor(line_class=Hasty)
    async with open_stt_link(
        PartingWire, vendor.connect, provider=NAME, audio=SPEECH, policy=POLICY
    ) as stream:
        await stream.send(AudioFrame(spoken(1)[: SPEECH.size(0.2)]))
        await stream.finish()
        assert [each.text async for each in stream if isinstance(each, Final)] == ["0"]
    assert len(vendor.lines) == 2


@pytest.mark.pins("D047")
async def test_who_begins_to_speak_is_told_once_though_the_line_breaks(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """The next connection hears the beginning again, with a clock of its own."""
    vendor = Vendor(lambda _line, message: isinstance(message, bytes))
    async with open_link(vendor) as stream:
        reader = aiter(stream)
        await stream.send(silence(5.0))
        vendor.lines[0].say("final a 0.0 1.0 1.0", "begun 3.0")
        assert isinstance(await anext(reader), Final)
        assert await anext(reader) == SpeechBegun(3.0)
        vendor.lines[0].reset(ProviderClosed(NAME, "reset"))
        await trio.sleep(1)
        vendor.lines[1].say("begun 2.1", "ended")
        assert await anext(reader) == SpeechFinal()
        await stream.send(silence(5.0))
        vendor.lines[1].say("begun 8.0")
        assert await anext(reader) == SpeechBegun(9.0)


async def test_a_polite_goodbye_has_a_deadline(autojump_clock: trio.testing.MockClock) -> None:
    vendor = Vendor(on_close=lambda _line: 3600.0)
    async with open_link(vendor):
        pass
    assert trio.current_time() == pytest.approx(1.0)
    assert vendor.open_lines == 0


async def test_a_goodbye_is_polite_also_when_the_session_is_cancelled(
    autojump_clock: trio.testing.MockClock,
) -> None:
    vendor = Vendor(on_close=lambda _line: 0.5)
    with trio.move_on_after(5):
        async with open_link(vendor) as stream:
            await anext(aiter(stream))
    assert trio.current_time() == pytest.approx(5.5)
    assert vendor.open_lines == 0


async def test_errors_of_the_block_come_out_as_they_are(
    autojump_clock: trio.testing.MockClock,
) -> None:
    with pytest.raises(KeyError):
        async with open_link(Vendor()):
            raise KeyError


async def test_compressed_sound_goes_out_as_it_comes(
    autojump_clock: trio.testing.MockClock,
) -> None:
    vendor = Vendor(lambda _line, message: isinstance(message, bytes))
    audio = AudioFormat(Encoding.OGG)
    async with open_link(vendor, audio=audio) as stream:
        for data in (b"OggS", b"page"):
            await stream.send(AudioFrame(data, audio))
        assert [message for _, message in vendor.lines[0].got[1:]] == [b"OggS", b"page"]
        vendor.lines[0].reset(ProviderClosed(NAME, "reset"))
        with pytest.raises(ProviderClosed):
            await anext(aiter(stream))


async def test_cancelled_anywhere_it_leaves_nothing_behind() -> None:
    vendor = Vendor()

    def drop(line: Line, message: Message) -> bool:
        if line.number % 2 == 0 and isinstance(message, bytes) and line.sound:
            line.reset(ProviderClosed(NAME, "reset"))
        return line.broken is not None

    vendor.misheard = drop
    before = Belongings.now()

    async def scenario() -> None:
        await converse(vendor, spoken(1), POLICY, frame=0.1, live=False)

    await cancel_everywhere(scenario, "a stream that loses its connection", most=150)
    assert vendor.open_lines == 0
    await before.check_no_more("all of it")


async def test_what_a_link_makes_keeps_the_contract_of_a_stream() -> None:
    """With a vendor that hangs up and is gone; the one that comes back is in the tests above."""
    vendor = Vendor()

    def hang_up(_stream: STTStream) -> None:
        vendor.lines[-1].reset(ProviderClosed(NAME, "hung up"))

    await check_stt(
        MemorySTT(vendor, attrs.evolve(POLICY, losses=0)),
        sound=AudioFrame(spoken(5)),
        text="0 1 2 3 4",
        hang_up=hang_up,
    )
    assert vendor.open_lines == 0
