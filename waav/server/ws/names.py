"""Other names under which clients send the fields of a message."""

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class Names:
    """The other names of one JSON object's keys, and those of the objects inside it."""

    aliases: Mapping[str, str] = attrs.field(factory=dict)
    """Other name -> key. Of several the first in this order counts, and the key itself before all."""
    inside: Mapping[str, "Names"] = attrs.field(factory=dict)
    """By key; a list there means each of its items."""

    def resolve(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Give every field its one name, and leave out those that are null: they are not set."""
        given = {key: value for key, value in raw.items() if value is not None}
        for alias, key in self.aliases.items():
            if alias in given:
                given.setdefault(key, given.pop(alias))
        for key, names in self.inside.items():
            if key in given:
                given[key] = names.resolve_within(given[key])
        return given

    def resolve_within(self, value: Any) -> Any:
        """Resolve an object or a list of them; leave alone what is neither, for others to refuse."""
        match value:
            case dict():
                return self.resolve(value)
            case list():
                return [self.resolve(item) if isinstance(item, dict) else item for item in value]
            case _:
                return value


PRONUNCIATION = Names({"from": "word", "to": "pronunciation"})

STT = Names({"sampleRate": "sample_rate", "punctuate": "punctuation"})

EMOTION = Names({"emotion": "type", "name": "type", "style": "delivery_style"})
"""Of the form in which a feeling is an object of its own; the other is a plain text."""

TTS = Names(
    {
        "voice": "voice_id",
        "speed": "speaking_rate",
        "rate": "speaking_rate",
        "format": "audio_format",
        "encoding": "audio_format",
        "sampleRate": "sample_rate",
    },
    inside={"pronunciations": PRONUNCIATION, "emotion": EMOTION},
)

CONFIG = Names(
    {
        "streamId": "stream_id",
        "session_id": "stream_id",
        "stt": "stt_config",
        "sttConfig": "stt_config",
        "tts": "tts_config",
        "ttsConfig": "tts_config",
        "livekit_config": "livekit",
        "dag": "dag_config",
    },
    inside={
        "stt_config": STT,
        "tts_config": TTS,
        "features": Names({"speaker_diarization": "diarize"}),
        "audio_features": Names(),
    },
)

SPEAK = Names(
    {"allowInterruption": "allow_interruption", "voice": "voice_id"}, inside={"emotion": EMOTION}
)

SIP_TRANSFER = Names({"transferTo": "transfer_to", "phone_number": "transfer_to"})

AUDIO = Names({"data": "audio"})
