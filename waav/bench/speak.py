"""``speak``: texts through the gateway to a voice that is there at once, and its sound back."""

import http.client
import json
import time
from collections.abc import Mapping
from typing import Any

import attrs

from waav.bench.caller import Caller
from waav.bench.crowd import Crowd
from waav.bench.far_end import SPOKEN, marked
from waav.bench.framing import TEXT, from_client
from waav.bench.histogram import Histogram
from waav.bench.loop import Beat
from waav.bench.process import BenchFailed
from waav.bench.report import Report, machine, table
from waav.bench.rig import Rig
from waav.bench.stage import Stage, usage
from waav.bench.systems import System

VOICE = {"provider": "deepgram", "sample_rate": 24000}
SPEAKS: Mapping[str, Any] = {"type": "config", "tts_config": VOICE}
EVERY = 2.0
"""Seconds from one text of a session to its next; the sound is a second long."""
_DRAIN = 5.0
_SLACK = 90.0


class _Listener:
    """One session's ear: says a text, and checks that its sound comes whole and in order."""

    def __init__(self, caller: Caller) -> None:
        self.wrong = self.whole = 0
        """Utterances with other bytes than were spoken; and those that were as they should."""
        self.failures = 0
        self._caller = caller
        self._said = 0
        self._heard: int | None = None
        self._right = True
        caller.told, caller.sounded = self._told, self._sounded

    @property
    def waits(self) -> bool:
        """Whether an utterance is on its way."""
        return self._heard is not None

    def ask(self, now: int) -> None:
        """Have something said that nobody has said before."""
        self._said, self._heard, self._right = now, 0, True
        text = f"This is number {marked(now).decode()}"
        order = json.dumps({"type": "speak", "text": text}).encode()
        self._caller.send(from_client(TEXT, order))

    def _sounded(self, data: bytes, now: int) -> None:
        if self._heard is None:
            self.wrong += 1
            return
        if not self._heard:
            self._caller.tally.answer(self._said, now)
        expected = SPOKEN[self._heard : self._heard + len(data)]
        self._right = self._right and data == expected
        self._heard += len(data)

    def _told(self, data: bytes, _now: int) -> None:
        if b'"tts_playback_complete"' in data:
            if self._right and self._heard == len(SPOKEN):
                self.whole += 1
            else:
                self.wrong += 1
            self._heard = None
        elif b'"error"' in data:
            self.failures += 1


def say(
    stage: Stage,
    address: list[Any],
    *,
    config: Mapping[str, Any],
    sessions: int,
    seconds: float,
    pid: int | None,
) -> dict[str, Any]:
    """Let each of so many sessions have something said every two seconds: the load's half."""
    loop, tally = stage.loop, stage.count()
    crowd = Crowd(loop, (address[0], address[1]), config, tally)
    crowd.gather(sessions)
    listeners = [_Listener(caller) for caller in crowd.callers]
    skipped = 0

    def ask(number: int, late: int) -> None:
        nonlocal skipped
        listener, now = listeners[number % sessions], time.monotonic_ns()
        if listener.waits:
            skipped += 1
            return
        tally.sent += 1
        tally.lateness.record(late)
        listener.ask(now)

    before = usage(pid)
    tally.opened = time.monotonic_ns()
    loop.beats.append(Beat(ask, EVERY * 1e9 / sessions, tally.opened))
    loop.run(seconds)
    loop.beats.clear()
    loop.run(_DRAIN, lambda: not any(each.waits for each in listeners))
    after, lost = usage(pid), crowd.lost
    crowd.go()
    return {
        **tally.export(),
        "skipped": skipped,
        "lost": lost,
        "cpu": after.cpu - before.cpu if before and after else None,
        **{
            name: sum(getattr(each, name) for each in listeners)
            for name in ("whole", "wrong", "failures")
        },
    }


def over_websocket(rig: Rig, system: System, sessions: int, seconds: float) -> dict[str, Any]:
    """Measure texts of many sessions at once. Figures have their units in their names.

    Raises:
        BenchFailed: the sessions did not come to be, or a process ended.
    """
    asking = attrs.evolve(system, config=SPEAKS)
    told = rig.order("speak", asking, seconds + _SLACK, sessions=sessions, seconds=seconds)
    times = Histogram(told["forward"]), Histogram(told["around"])
    return {
        "way": "/ws",
        "sessions": sessions,
        "texts": told["sent"],
        "whole": told["whole"],
        "wrong": told["wrong"],
        "failures": told["failures"] + sum(told["lost"].values()),
        "skipped": told["skipped"],
        **_percentiles("to_voice", times[0]),
        **_percentiles("to_sound", times[1]),
        "cpu_per_text_ms": told["cpu"] * 1e3 / told["sent"]
        if told["cpu"] and told["sent"]
        else None,
    }


def over_rest(system: System, texts: int) -> dict[str, Any]:
    """Measure ``POST /speak``, one text after the other on one connection.

    Raises:
        BenchFailed: the gateway does not answer.
    """
    times, whole = Histogram(), 0
    before = usage(system.pid)
    connection = http.client.HTTPConnection(*system.address, timeout=30)
    try:
        for _ in range(texts):
            now = time.monotonic_ns()
            order = {"text": f"This is number {now}", **VOICE, "format": "linear16"}
            connection.request(
                "POST", "/speak", json.dumps(order), {"Content-Type": "application/json"}
            )
            sound = connection.getresponse().read()
            times.record(time.monotonic_ns() - now)
            whole += sound == SPOKEN
    except (OSError, http.client.HTTPException) as exc:
        raise BenchFailed(f"POST /speak: {exc!r}") from None
    finally:
        connection.close()
    after = usage(system.pid)
    return {
        "way": "POST /speak",
        "sessions": 1,
        "texts": texts,
        "whole": whole,
        "wrong": texts - whole,
        "failures": 0,
        "skipped": 0,
        **_percentiles("to_voice", Histogram()),
        **_percentiles("to_sound", times),
        "cpu_per_text_ms": (after.cpu - before.cpu) / texts * 1e3 if before and after else None,
    }


def _percentiles(name: str, times: Histogram) -> dict[str, float | None]:
    there = times.count > 0
    return {f"{name}_p{q}_ms": times.percentile(q) * 1e3 if there else None for q in (50, 99)}


def measure(rig: Rig, system: System, sessions: tuple[int, ...], seconds: float) -> Report:
    """Measure both ways of having something said."""
    runs = [over_rest(system, 50)]
    runs += [over_websocket(rig, system, each, seconds) for each in sessions]
    heads = {
        "": "way",
        "sessions": "sessions",
        "texts": "texts",
        "whole": "whole",
        "wrong": "wrong",
        "failures": "failures",
        "skipped": "skipped",
        "to voice p50 ms": "to_voice_p50_ms",
        "p99": "to_voice_p99_ms",
        "to sound p50 ms": "to_sound_p50_ms",
        "p99 ": "to_sound_p99_ms",
        "CPU ms/text": "cpu_per_text_ms",
    }
    note = """
to voice: from `speak` until the voice has the text, its new connection among it. to sound: until the
client has the first of it; of POST /speak, which answers whole, all of it. whole: every byte in order.
skipped: texts that were not asked for, as the one before was not said yet."""
    rows = [[each[key] for key in heads.values()] for each in runs]
    data = {"benchmark": "speak", "machine": machine(), "runs": runs}
    return Report(table(list(heads), rows) + "\n" + note.strip(), data)
