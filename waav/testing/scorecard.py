"""A score card: every check of the test kit that fits a plugin, one by one, with its verdict."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from enum import StrEnum
from functools import partial

import attrs
import trio

from capabilities import Ability, Capability, Manifest
from waav.plugins.reasons import leaves, reason_of
from waav.testing.bench import SUITES, Bench, Subject, Trial, check_opening, check_words
from waav.testing.fault_suites import NotApplicable, fault_checks
from waav.testing.plugin import check_manifest

_MANIFEST = "manifest"
_OPENING = "opening"
_NO_WORDS = "no words are known that are said in the sound: give them with --text, and --sound"
_HEARING = {Capability.STT, Capability.VAD}
"""Tried with the sound of the trial; the others bring or make their own."""


class Verdict(StrEnum):
    """How a check went."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@attrs.frozen
class Check:
    """One line of a card to be: a name, and what is done, or why nothing is."""

    name: str
    does: Callable[[], Awaitable[None]] | str
    """Raises if a promise is broken. A text is the reason why it does not apply."""


@attrs.frozen
class Row:
    """One line of a card."""

    check: str
    verdict: Verdict
    detail: str = ""
    """The promise that was broken, or the reason why the check does not apply."""
    took: float = 0.0
    """Seconds."""


@attrs.frozen
class Card:
    """What was found out about a plugin."""

    plugin: str
    rows: tuple[Row, ...]

    def count(self, verdict: Verdict) -> int:
        """Return how many checks went so."""
        return sum(row.verdict is verdict for row in self.rows)

    @property
    def good(self) -> bool:
        """Nothing has failed, and something was tried: besides the manifest, where there is more."""
        verdicts = {
            row.verdict for row in self.rows if row.check != _MANIFEST or len(self.rows) == 1
        }
        return Verdict.PASSED in verdicts and not self.count(Verdict.FAILED)


def checks_of(subject: Subject, trial: Trial) -> list[Check]:
    """Return all checks for a plugin; of a malformed manifest nothing else can be checked."""
    manifest = Check(_MANIFEST, partial(_manifest, subject.manifest))
    try:
        check_manifest(subject.manifest)
    except Exception:  # noqa: BLE001 - the check itself will tell
        return [manifest]
    return [
        manifest,
        Check(_OPENING, subject.lacks or partial(check_opening, subject)),
        *(
            check
            for capability, ability in sorted(subject.manifest.abilities.items())
            for check in _checks_of_one(subject, trial, capability, ability)
        ),
    ]


def select(checks: Sequence[Check], only: Sequence[str]) -> list[Check]:
    """Return the checks of these names, or whose names begin so: ``stt``, ``tts/faults``.

    Raises:
        ValueError: nothing goes by one of the names; the message lists those there are.
    """
    for name in only:
        if not any(_is_of(check, name) for check in checks):
            known = ", ".join(check.name for check in checks)
            raise ValueError(f"there is no check {name!r} for it; there are {known}")
    return [check for check in checks if not only or any(_is_of(check, name) for name in only)]


def _is_of(check: Check, name: str) -> bool:
    return f"{check.name}/".startswith(f"{name}/")


async def judge(check: Check, before: Sequence[Row] = ()) -> Row:
    """Do one check. Whatever the plugin raises is its verdict; a cancellation passes through.

    Args:
        check: what to do.
        before: the rows so far: nothing is tried of a plugin that could not be opened.
    """
    does = check.does
    if any(row.check == _OPENING and row.verdict is Verdict.FAILED for row in before):
        does = "it could not be opened"
    if isinstance(does, str):
        return Row(check.name, Verdict.NOT_APPLICABLE, does)
    start = trio.current_time()
    try:
        await does()
        verdict, detail = Verdict.PASSED, ""
    except NotApplicable as reason:
        verdict, detail = Verdict.NOT_APPLICABLE, str(reason)
    except Exception as error:  # noqa: BLE001 - it is a stranger's code
        verdict, detail = Verdict.FAILED, _told(error)
    return Row(check.name, verdict, detail, trio.current_time() - start)


def _told(error: Exception) -> str:
    broken = [str(leaf) for leaf in leaves(error) if isinstance(leaf, AssertionError)]
    return "; ".join(broken) or reason_of(error)


def _checks_of_one(
    subject: Subject, trial: Trial, capability: Capability, ability: Ability
) -> Iterator[Check]:
    suite = SUITES.get(capability)
    if suite is None:
        yield Check(f"{capability}/contract", f"there is no suite for {capability}")
        return
    wrong = subject.lacks or _misfit(capability, ability, trial)
    bench = Bench(subject, trial, ability)
    yield Check(f"{capability}/contract", wrong or partial(bench.run, suite))
    if capability is Capability.STT:
        wordless = "" if bench.text else _NO_WORDS
        yield Check("stt/words", wrong or wordless or partial(bench.run, check_words))
    for name, does in fault_checks(bench, capability):
        yield Check(name, wrong or does)


def _misfit(capability: Capability, ability: Ability, trial: Trial) -> str:
    """Say why this one cannot be tried with the sound of the trial."""
    audio = trial.heard.format
    if capability not in _HEARING:
        return ""
    if audio.encoding not in ability.encodings:
        return f"it takes {', '.join(ability.encodings)}, and recordings here are {audio.encoding}"
    if ability.sample_rates and audio.sample_rate not in ability.sample_rates:
        rates = ", ".join(map(str, ability.sample_rates))
        return (
            f"it takes {rates} Hz: give a recording of that with --sound, not {audio.sample_rate}"
        )
    if audio.channels > ability.channels:
        return f"it takes {ability.channels} channels: give such a recording with --sound"
    return ""


async def _manifest(manifest: Manifest) -> None:
    await trio.lowlevel.checkpoint()
    check_manifest(manifest)
