"""Does with Google's packages what our client does: ``use_google.py SPEECH TTS REST``, three ports.

It prints, as lines of JSON, what the packages made of the answers, the fields of their messages, and
what a service account signs.
"""

import base64
import json
import sys
from collections.abc import Iterator
from typing import Any

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud import speech_v2 as speech
from google.cloud import texttospeech_v1 as tts
from google.cloud.speech_v2.services.speech.transports import SpeechGrpcTransport
from google.cloud.texttospeech_v1.services.text_to_speech.transports import (
    TextToSpeechGrpcTransport,
    TextToSpeechRestTransport,
)
from google.oauth2.credentials import Credentials
from google.oauth2.service_account import Credentials as ServiceAccount
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration

FRAME = 15360
"""Bytes of sound in one message: the most that Google takes, 0.48 s."""
RECOGNIZER = "projects/acme-project/locations/global/recognizers/_"
MESSAGES = (
    speech.StreamingRecognizeRequest,
    speech.StreamingRecognizeResponse,
    tts.StreamingSynthesizeRequest,
    tts.StreamingSynthesizeResponse,
)
SCALARS = {
    name.removeprefix("TYPE_").lower(): value
    for name, value in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}
CHIRP = tts.VoiceSelectionParams(language_code="de-DE", name="de-DE-Chirp3-HD-Kore")
PRONUNCIATIONS = tts.CustomPronunciations(
    pronunciations=[
        tts.CustomPronunciationParams(
            phrase="WaaV",
            phonetic_encoding="PHONETIC_ENCODING_X_SAMPA",
            pronunciation="wɑːv",
        )
    ]
)
ADVANCED = tts.AdvancedVoiceOptions(
    enable_textnorm=False,
    safety_settings=tts.AdvancedVoiceOptions.SafetySettings(
        settings=[
            tts.AdvancedVoiceOptions.SafetySetting(
                category="HARM_CATEGORY_HARASSMENT", threshold="BLOCK_ONLY_HIGH"
            )
        ]
    ),
)


def main(speech_port: str, tts_port: str, rest_port: str) -> None:
    """Recognise, speak in a stream and over REST, list the voices."""
    sound = sys.stdin.buffer.read()
    with grpc.insecure_channel(f"127.0.0.1:{speech_port}") as channel:
        recogniser = speech.SpeechClient(transport=SpeechGrpcTransport(channel=channel))
        recognize(recogniser, "recognize", plain_recognition(), sound)
        recognize(recogniser, "recognize with all", full_recognition(), b"")
    with grpc.insecure_channel(f"127.0.0.1:{tts_port}") as channel:
        transport = TextToSpeechGrpcTransport(channel=channel)
        stream(tts.TextToSpeechClient(transport=transport))
    rest_transport = TextToSpeechRestTransport(
        host=f"127.0.0.1:{rest_port}",
        url_scheme="http",
        credentials=Credentials(token="made-up-key"),
    )
    rest(tts.TextToSpeechClient(transport=rest_transport))
    known: dict[str, list[str]] = {}
    for kind in MESSAGES:
        learn(kind.pb().DESCRIPTOR, known)
    tell("fields", known)
    tell("assertion", assertion())


def plain_recognition() -> speech.StreamingRecognitionConfig:
    return speech.StreamingRecognitionConfig(
        config=speech.RecognitionConfig(
            explicit_decoding_config=speech.ExplicitDecodingConfig(
                encoding="LINEAR16", sample_rate_hertz=16000, audio_channel_count=1
            ),
            model="latest_long",
            language_codes=["en-US"],
            features=speech.RecognitionFeatures(
                enable_word_time_offsets=True, enable_automatic_punctuation=True
            ),
        ),
        streaming_features=speech.StreamingRecognitionFeatures(interim_results=True),
    )


def full_recognition() -> speech.StreamingRecognitionConfig:
    features = speech.RecognitionFeatures(
        profanity_filter=True,
        enable_word_time_offsets=True,
        enable_word_confidence=True,
        enable_automatic_punctuation=True,
        enable_spoken_punctuation=True,
        enable_spoken_emojis=True,
        diarization_config=speech.SpeakerDiarizationConfig(
            min_speaker_count=2, max_speaker_count=4
        ),
        max_alternatives=3,
        custom_prompt_config=speech.CustomPromptConfig(custom_prompt="about ships"),
    )
    phrases = [{"value": word, "boost": 10.0} for word in ("WaaV", "trio")]
    sets = [{"phrase_set": "a-set"}, {"inline_phrase_set": {"phrases": phrases}}]
    adaptation = speech.SpeechAdaptation(
        phrase_sets=sets,
        custom_classes=[{"name": "ships", "items": [{"value": "Aurora"}]}],
    )
    entry = speech.TranscriptNormalization.Entry(search="one", replace="1", case_sensitive=True)
    return speech.StreamingRecognitionConfig(
        config=speech.RecognitionConfig(
            auto_decoding_config=speech.AutoDetectDecodingConfig(),
            model="chirp_3",
            language_codes=["en-GB", "de-DE", "auto"],
            features=features,
            adaptation=adaptation,
            transcript_normalization=speech.TranscriptNormalization(entries=[entry]),
            translation_config=speech.TranslationConfig(target_language="fr-FR"),
            denoiser_config=speech.DenoiserConfig(denoise_audio=True, snr_threshold=20.5),
        ),
        streaming_features=speech.StreamingRecognitionFeatures(
            enable_voice_activity_events=True,
            interim_results=True,
            voice_activity_timeout={
                "speech_start_timeout": Duration(seconds=5, nanos=250_000_000),
                "speech_end_timeout": Duration(seconds=1),
            },
            endpointing_sensitivity="ENDPOINTING_SENSITIVITY_SHORT",
        ),
    )


def recognize(
    client: speech.SpeechClient, what: str, config: speech.StreamingRecognitionConfig, sound: bytes
) -> None:
    """Recognise, and tell the text and the end of each final."""

    def requests() -> Iterator[speech.StreamingRecognizeRequest]:
        yield speech.StreamingRecognizeRequest(recognizer=RECOGNIZER, streaming_config=config)
        for at in range(0, len(sound), FRAME):
            yield speech.StreamingRecognizeRequest(audio=sound[at : at + FRAME])

    for response in client.streaming_recognize(requests=requests(), timeout=20):
        for result in response.results:
            if result.is_final:
                best = result.alternatives[0]
                tell(what, best.transcript, best.words[0].end_offset.total_seconds())


def stream(client: tts.TextToSpeechClient) -> None:
    """Say a text while it is made, plainly and with everything."""
    sound = tts.StreamingAudioConfig(
        audio_encoding="PCM", sample_rate_hertz=24000, speaking_rate=1.25
    )
    plain = tts.StreamingSynthesizeConfig(voice=CHIRP, streaming_audio_config=sound)
    full = tts.StreamingSynthesizeConfig(
        voice=CHIRP,
        streaming_audio_config=sound,
        custom_pronunciations=PRONUNCIATIONS,
        advanced_voice_options=ADVANCED,
    )
    for what, config, prompt in (
        ("stream", plain, None),
        ("stream with all", full, "calmly"),
    ):
        requests = [
            tts.StreamingSynthesizeRequest(streaming_config=config),
            tts.StreamingSynthesizeRequest(
                input=tts.StreamingSynthesisInput(text="Hello.", prompt=prompt)
            ),
        ]
        answers = client.streaming_synthesize(requests=iter(requests), timeout=20)
        tell(what, f"{sum(len(answer.audio_content) for answer in answers)} bytes")


def rest(client: tts.TextToSpeechClient) -> None:
    """Say a text over REST, plainly and with everything, and list the voices."""
    answer = client.synthesize_speech(
        input=tts.SynthesisInput(text="Hello."),
        voice=tts.VoiceSelectionParams(language_code="de-DE", name="de-DE-Standard-A"),
        audio_config=tts.AudioConfig(
            audio_encoding="LINEAR16", sample_rate_hertz=24000, speaking_rate=1.25
        ),
    )
    tell("rest", f"{len(answer.audio_content)} bytes")
    request = tts.SynthesizeSpeechRequest(
        input=tts.SynthesisInput(
            text="Hello.", prompt="calmly", custom_pronunciations=PRONUNCIATIONS
        ),
        voice=tts.VoiceSelectionParams(
            language_code="de-DE", name="de-DE-Standard-A", ssml_gender="FEMALE"
        ),
        audio_config=tts.AudioConfig(
            audio_encoding="MULAW",
            sample_rate_hertz=8000,
            speaking_rate=1.25,
            pitch=2.5,
            volume_gain_db=-3.5,
            effects_profile_id=["telephony-class-application"],
        ),
        advanced_voice_options=ADVANCED,
    )
    answer = client.synthesize_speech(request)
    tell("rest with all", f"{len(answer.audio_content)} bytes")
    for voice in client.list_voices().voices:
        tell("voices", voice.name)


def learn(message: Any, known: dict[str, list[str]]) -> None:
    """Note the fields of a message and of those in it: name, number and kind of each."""
    known[_name(message)] = [f"{field.json_name} = {_kind(field)}" for field in message.fields]
    for field in message.fields:
        if field.message_type is not None and _name(field.message_type) not in known:
            learn(field.message_type, known)
        if field.enum_type is not None:
            values = field.enum_type.values
            known[_name(field.enum_type)] = [f"{value.name} = {value.number}" for value in values]


def _kind(field: FieldDescriptor) -> str:
    repeated = "repeated " if field.is_repeated else ""
    inner = field.message_type or field.enum_type
    if inner is not None:
        return f"{field.number} {repeated}{_name(inner)}"
    (scalar,) = [name for name, value in SCALARS.items() if value == field.type]
    return f"{field.number} {repeated}{scalar}"


def _name(descriptor: Any) -> str:
    return str(descriptor.full_name.removeprefix("google.cloud."))


def assertion() -> dict[str, Any]:
    """Sign as a service account with a key of its own; tell all but the times."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": "acme-project",
        "private_key_id": "key-1",
        "private_key": key.decode(),
        "client_email": "robot@acme-project.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
    credentials = ServiceAccount.from_service_account_info(account, scopes=scopes)
    signed = credentials._make_authorization_grant_assertion().split(b".")
    header, claims = (json.loads(base64.urlsafe_b64decode(part + b"==")) for part in signed[:2])
    return {"header": header, "lifetime": claims.pop("exp") - claims.pop("iat"), "claims": claims}


def tell(*told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")


main(*sys.argv[1:])
