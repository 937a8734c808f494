"""Names lead to plugins; what could not work is refused with both names."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from capabilities import Ability, Capability, Manifest
from waav.errors import UnknownProvider
from waav.plugins.registry import RegistrationRefused, Registry, normalise

STT, TTS, VAD = Capability.STT, Capability.TTS, Capability.VAD


@pytest.fixture
def registry(manifest: Callable[..., Manifest]) -> Registry:
    registry = Registry()
    registry.register(manifest("aws-polly", TTS, aliases=("aws_polly", "amazon-polly", "Polly")))
    registry.register(manifest("gnani", STT, TTS, aliases=("gnani.ai", "vachana")))
    registry.register(manifest("pocketsphinx", STT, aliases=("local",)))
    registry.register(manifest("espeak", TTS, aliases=("local",)))
    return registry


@pytest.mark.parametrize(
    ("capability", "name", "id_"),
    [
        (TTS, "aws-polly", "aws-polly"),
        (TTS, "AWS_Polly", "aws-polly"),
        (TTS, "amazon polly", "aws-polly"),
        (TTS, "  polly ", "aws-polly"),
        (STT, "gnani.ai", "gnani"),
        (STT, "GNANI AI", "gnani"),
        (TTS, "Vachana", "gnani"),
        (STT, "local", "pocketsphinx"),
        (TTS, "local", "espeak"),
    ],
)
def test_a_name_is_found_in_any_spelling(
    registry: Registry, capability: Capability, name: str, id_: str
) -> None:
    assert registry.find(capability, name).id == id_


@pytest.mark.pins("D083")
def test_unknown_provider_error_lists_ids(registry: Registry) -> None:
    with pytest.raises(UnknownProvider) as told:
        registry.find(TTS, "kokoro")
    assert str(told.value) == (
        "Unsupported provider: kokoro (known for tts: aws-polly, espeak, gnani)"
    )
    with pytest.raises(UnknownProvider, match=r"\(known for stt: gnani, pocketsphinx\)"):
        registry.find(STT, "polly")  # it speaks and does not listen
    with pytest.raises(UnknownProvider, match=r"\(known for vad: none\)"):
        registry.find(VAD, "gnani")


@pytest.mark.pins("D280")
def test_alias_not_in_listing(registry: Registry) -> None:
    """Each plugin stands in the listing once, under its id, whatever else it is called."""
    assert [each.id for each in registry] == ["aws-polly", "espeak", "gnani", "pocketsphinx"]
    assert registry.ids(TTS) == ["aws-polly", "espeak", "gnani"]
    assert len(registry) == 4


@pytest.mark.pins("D002", "D281")
def test_dispatch_equals_registry(registry: Registry, manifest: Callable[..., Manifest]) -> None:
    """What is listed is what can be looked up, and the other way round, at any time."""
    registry.register(manifest("late", STT, VAD, Capability.LLM))
    registry.unregister("espeak")
    for capability in Capability:
        listed = registry.ids(capability)
        assert [registry.find(capability, id_).id for id_ in listed] == listed
        with pytest.raises(UnknownProvider) as told:
            registry.find(capability, "nobody")
        assert f"(known for {capability}: {', '.join(listed) or 'none'})" in str(told.value)


@pytest.mark.pins("D002", "D281")
def test_supported_stt_list_has_all_registered(manifest: Callable[..., Manifest]) -> None:
    """gnani too."""
    ids = [
        "deepgram", "google", "elevenlabs", "microsoft-azure", "cartesia", "openai",
        "assemblyai", "aws-transcribe", "ibm-watson", "groq", "gnani",
    ]  # fmt: skip
    registry = Registry()
    for id_ in ids:
        registry.register(manifest(id_))
    assert registry.ids(STT) == sorted(ids)


def test_a_taken_id_is_refused_with_both_names(
    registry: Registry, manifest: Callable[..., Manifest]
) -> None:
    with pytest.raises(RegistrationRefused) as told:
        registry.register(manifest("espeak", VAD, name="Another"))
    assert str(told.value) == "espeak (Another): the id espeak belongs to espeak (Espeak)"


@pytest.mark.parametrize("aliases", [("POLLY",), ("fresh", "aws polly")])
def test_a_taken_alias_is_refused_and_nothing_is_kept(
    registry: Registry, manifest: Callable[..., Manifest], aliases: tuple[str, ...]
) -> None:
    with pytest.raises(RegistrationRefused, match=r"^mine \(Mine\): .* aws-polly \(Aws-Polly\)$"):
        registry.register(manifest("mine", VAD, TTS, aliases=aliases))
    assert "mine" not in registry
    with pytest.raises(UnknownProvider):
        registry.find(TTS, "fresh")


def test_an_id_that_is_the_alias_of_another_is_refused(
    registry: Registry, manifest: Callable[..., Manifest]
) -> None:
    with pytest.raises(RegistrationRefused, match="the tts name polly belongs to aws-polly"):
        registry.register(manifest("polly", TTS))


def test_the_same_alias_for_another_capability_is_free(
    registry: Registry, manifest: Callable[..., Manifest]
) -> None:
    registry.register(manifest("silero", VAD, aliases=("local",)))
    assert registry.find(VAD, "local").id == "silero"
    assert registry.find(STT, "local").id == "pocketsphinx"


def test_what_goes_takes_all_its_names_along(
    registry: Registry, manifest: Callable[..., Manifest]
) -> None:
    registry.unregister("aws-polly")
    for name in ("aws-polly", "polly", "amazon-polly"):
        with pytest.raises(UnknownProvider):
            registry.find(TTS, name)
    registry.register(manifest("polly", TTS))
    with pytest.raises(KeyError):
        registry.unregister("aws-polly")


@pytest.mark.pins("D284")
@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"abilities": {"audio_processor": Ability()}}, "a capability is not known"),
        ({"abilities": {}}, "it names no capability"),
        ({"abilities": {STT: None}}, "abilities must lead to an Ability"),
        ({"open": None}, "open is not callable"),
        ({"settings": dict}, "settings must be an attrs class"),
        ({"aliases": "polly"}, "aliases must be a tuple of names"),
        ({"aliases": (" ",)}, "aliases must be a tuple of names"),
        ({"requires": (1,)}, "requires must be a tuple of names"),
        ({"credentials": "key"}, "credentials must be a tuple of names"),
        ({"id": ""}, "an id is at most 64"),
        ({"id": "Deepgram"}, "an id is at most 64"),
        ({"id": "a_b"}, "an id is at most 64"),
        ({"id": "-a"}, "an id is at most 64"),
        ({"id": "a\n"}, "an id is at most 64"),
        ({"id": "a" * 65}, "an id is at most 64"),
        ({"id": None}, "an id is at most 64"),
    ],
)
def test_a_manifest_that_could_not_work_is_refused(
    manifest: Callable[..., Manifest], changes: dict[str, Any], mistake: str
) -> None:
    """Nothing is accepted that would then do nothing."""
    registry = Registry()
    with pytest.raises(RegistrationRefused, match=mistake):
        registry.register(attrs.evolve(manifest("fine"), **changes))
    assert len(registry) == 0


def test_something_else_is_no_manifest() -> None:
    with pytest.raises(RegistrationRefused, match="a dict is not a Manifest"):
        Registry().register({"id": "mine"})  # type: ignore[arg-type]  # strangers do such things


def test_the_owner_of_a_name_is_the_only_one_who_has_it(registry: Registry) -> None:
    assert registry.owner("Gnani.AI") == "gnani"
    assert registry.owner("local") is None
    assert registry.owner("nobody") is None


def test_a_registry_says_what_it_holds(manifest: Callable[..., Manifest]) -> None:
    registry = Registry()
    assert repr(registry) == "<Registry: empty>"
    registry.register(manifest("gnani", STT, TTS))
    registry.register(manifest("espeak", TTS))
    assert repr(registry) == "<Registry: espeak (tts), gnani (stt+tts)>"


@pytest.mark.parametrize(
    ("name", "expected"),
    [(" Play.HT ", "play-ht"), ("a_b c.d-e", "a-b-c-d-e"), ("", "")],
)
def test_normalise(name: str, expected: str) -> None:
    assert normalise(name) == expected
    assert normalise(expected) == expected


def handles(*types: Any) -> Ability:
    return Ability(message_types=types)


def test_who_handles_messages_comes_in_the_order_of_registration(
    manifest: Callable[..., Manifest],
) -> None:
    registry, kind = Registry(), Capability.WS_HANDLER
    for id_ in ("zebra", "ant", "mole"):
        registry.register(manifest(id_, abilities={kind: handles("notes/add"), STT: Ability()}))
    registry.register(manifest("ears", STT))
    assert [each.id for each in registry.in_order(kind)] == ["zebra", "ant", "mole"]
    registry.unregister("zebra")
    assert [each.id for each in registry.in_order(kind)] == ["ant", "mole"]
    assert registry.in_order(Capability.MIDDLEWARE) == []


@pytest.mark.parametrize(
    ("capability", "ability", "mistake"),
    [
        (Capability.WS_HANDLER, Ability(), "message_types"),
        (Capability.WS_HANDLER, Ability(message_types="notes/add"), "message_types"),  # type: ignore[arg-type]  # the comma is forgotten
        (Capability.WS_HANDLER, handles("ok", ""), "message_types"),
        (Capability.WS_HANDLER, handles("ok", 7), "message_types"),
        (Capability.WS_HANDLER, handles("é" * 129), "message_types"),
        (Capability.MIDDLEWARE, Ability(priority="first"), "priority"),  # type: ignore[arg-type]  # what a stranger may write
    ],
)
def test_an_ability_that_nobody_could_use_is_refused(
    manifest: Callable[..., Manifest], capability: Capability, ability: Ability, mistake: str
) -> None:
    with pytest.raises(RegistrationRefused, match=mistake):
        Registry().register(manifest("mine", abilities={capability: ability}))
    Registry().register(manifest("mine", abilities={Capability.WS_HANDLER: handles("é" * 128)}))
