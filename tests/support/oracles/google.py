"""Google's own packages, as a program: they read and write our messages, and call our server.

``google.py WHAT [PORT]``, with JSON on standard input; answers JSON. google-cloud-speech 2.41.0 and
google-cloud-texttospeech 2.38.0.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud import speech_v2, texttospeech_v1
from google.cloud.speech_v2.services.speech.transports import SpeechGrpcTransport
from google.cloud.texttospeech_v1.services.text_to_speech.transports import (
    TextToSpeechGrpcTransport,
    TextToSpeechRestTransport,
)
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

from providers.google.protobuf import Fields, Names, Scalar
from providers.google.speech_messages import REQUEST, RESPONSE
from providers.google.tts_messages import STREAMING_REQUEST, STREAMING_RESPONSE

KINDS = {
    "StreamingRecognizeRequest": speech_v2.StreamingRecognizeRequest,
    "StreamingSynthesizeRequest": texttospeech_v1.StreamingSynthesizeRequest,
}
TABLES: list[tuple[Fields, Any]] = [
    (REQUEST, speech_v2.StreamingRecognizeRequest),
    (RESPONSE, speech_v2.StreamingRecognizeResponse),
    (STREAMING_REQUEST, texttospeech_v1.StreamingSynthesizeRequest),
    (STREAMING_RESPONSE, texttospeech_v1.StreamingSynthesizeResponse),
]
TYPES = {
    Scalar.STRING: {FieldDescriptor.TYPE_STRING},
    Scalar.BYTES: {FieldDescriptor.TYPE_BYTES},
    Scalar.BOOL: {FieldDescriptor.TYPE_BOOL},
    Scalar.INTEGER: {FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64},
    Scalar.FLOAT: {FieldDescriptor.TYPE_FLOAT},
    Scalar.DOUBLE: {FieldDescriptor.TYPE_DOUBLE},
}
RECOGNIZER = "projects/acme-project/locations/global/recognizers/_"


def rewrite(given: dict[str, list[str]]) -> dict[str, list[str]]:
    """Read messages, and write them again without what is unknown."""
    return {
        kind: [_rewritten(KINDS[kind], bytes.fromhex(each)).hex() for each in messages]
        for kind, messages in given.items()
    }


def _rewritten(kind: Any, data: bytes) -> bytes:
    message = kind.pb().FromString(data)
    message.DiscardUnknownFields()
    written: bytes = message.SerializeToString(deterministic=True)
    return written


def compare() -> list[str]:
    """Name the fields of our tables that are not as in the packages."""
    return [wrong for table, kind in TABLES for wrong in _differences(table, kind.pb().DESCRIPTOR)]


def _differences(table: Fields, descriptor: Any) -> Iterator[str]:
    known = {field.json_name: field for field in descriptor.fields}
    for name, field in table.items():
        where, theirs = f"{descriptor.name}.{name}", known.get(name)
        if theirs is None or theirs.number != field.number:
            yield f"{where}: number"
        elif theirs.is_repeated != field.repeated:
            yield f"{where}: repeated"
        elif isinstance(field.kind, Scalar):
            if theirs.type not in TYPES[field.kind]:
                yield f"{where}: type"
        elif isinstance(field.kind, Names):
            numbers = {value.name: value.number for value in theirs.enum_type.values}
            if field.kind.numbers.items() != {(n, i) for n, i in numbers.items() if i}:
                yield f"{where}: names"
        else:
            yield from _differences(field.kind, theirs.message_type)


def as_json(bodies: list[Any]) -> list[Any]:
    """Read bodies of ``text:synthesize`` strictly, and write them again."""
    kind = texttospeech_v1.SynthesizeSpeechRequest.pb()
    return [json_format.MessageToDict(json_format.ParseDict(each, kind())) for each in bodies]


def recognize(port: str, sound: bytes) -> list[Any]:
    """Recognise as the package does; the text and the end of each final."""
    types = speech_v2
    config = types.StreamingRecognitionConfig(
        config=types.RecognitionConfig(
            explicit_decoding_config=types.ExplicitDecodingConfig(
                encoding="LINEAR16", sample_rate_hertz=16000, audio_channel_count=1
            ),
            model="latest_long",
            language_codes=["en-US"],
            features=types.RecognitionFeatures(
                enable_word_time_offsets=True, enable_automatic_punctuation=True
            ),
        ),
        streaming_features=types.StreamingRecognitionFeatures(interim_results=True),
    )

    def requests() -> Iterator[Any]:
        yield types.StreamingRecognizeRequest(recognizer=RECOGNIZER, streaming_config=config)
        for at in range(0, len(sound), 15360):
            yield types.StreamingRecognizeRequest(audio=sound[at : at + 15360])

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        client = types.SpeechClient(transport=SpeechGrpcTransport(channel=channel))
        return [
            [best.transcript, best.words[0].end_offset.ToNanoseconds() / 1e9]
            for response in client.streaming_recognize(requests=requests())
            for result in response.results
            if result.is_final
            for best in result.alternatives[:1]
        ]


def synthesize(port: str) -> str:
    """Say a text as the package does; its sound."""
    types = texttospeech_v1
    config = types.StreamingSynthesizeConfig(
        voice=types.VoiceSelectionParams(language_code="de-DE", name="de-DE-Chirp3-HD-Kore"),
        streaming_audio_config=types.StreamingAudioConfig(
            audio_encoding="PCM", sample_rate_hertz=24000, speaking_rate=1.25
        ),
    )
    requests = [
        types.StreamingSynthesizeRequest(streaming_config=config),
        types.StreamingSynthesizeRequest(input=types.StreamingSynthesisInput(text="Hello.")),
    ]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        transport = TextToSpeechGrpcTransport(channel=channel)
        client = types.TextToSpeechClient(transport=transport)
        answers = client.streaming_synthesize(requests=iter(requests))
        return b"".join(answer.audio_content for answer in answers).hex()


def rest(port: str) -> list[str]:
    """Say a text and list the voices over REST, as the package does; the voices."""
    types = texttospeech_v1
    transport = TextToSpeechRestTransport(
        host=f"127.0.0.1:{port}", url_scheme="http", credentials=AnonymousCredentials()
    )
    client = types.TextToSpeechClient(transport=transport)
    client.synthesize_speech(
        input=types.SynthesisInput(text="Hello."),
        voice=types.VoiceSelectionParams(language_code="de-DE", name="de-DE-Standard-A"),
        audio_config=types.AudioConfig(
            audio_encoding="LINEAR16", sample_rate_hertz=24000, speaking_rate=1.25
        ),
    )
    return [voice.name for voice in client.list_voices().voices]


def main(what: str, port: str = "") -> Any:
    """Do what is asked."""
    given = json.load(sys.stdin)
    match what:
        case "rewrite":
            return rewrite(given)
        case "compare":
            return compare()
        case "json":
            return as_json(given["bodies"])
        case "recognize":
            return recognize(port, bytes.fromhex(given["sound"]))
        case "synthesize":
            return synthesize(port)
        case "rest":
            return rest(port)
        case _:
            raise SystemExit(f"what is {what}?")


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
