"""The messages of Text-to-Speech v1 that a streamed synthesis uses: field numbers, and nothing else.

Source: google-cloud-texttospeech 2.38.0 (``google.cloud.texttospeech.v1``), read on 2026-11-21; a
test compares both byte for byte.
"""

from providers.google.protobuf import Field, Fields, Names, Scalar, enum

AUDIO_ENCODINGS = Names(
    {"LINEAR16": 1, "MP3": 2, "OGG_OPUS": 3, "MULAW": 5, "ALAW": 6, "PCM": 7, "M4A": 8}
)
GENDERS = enum(("MALE", "FEMALE", "NEUTRAL"))
REPORTED_USAGE = enum(("REALTIME", "OFFLINE"))
PHONETICS = enum(
    (
        "PHONETIC_ENCODING_IPA",
        "PHONETIC_ENCODING_X_SAMPA",
        "PHONETIC_ENCODING_JAPANESE_YOMIGANA",
        "PHONETIC_ENCODING_PINYIN",
    )
)
HARMS = enum(
    (
        "HARM_CATEGORY_HATE_SPEECH",
        "HARM_CATEGORY_DANGEROUS_CONTENT",
        "HARM_CATEGORY_HARASSMENT",
        "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    )
)
THRESHOLDS = enum(
    ("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")
)

_SPEAKER: Fields = {
    "speakerAlias": Field(1, Scalar.STRING),
    "speakerId": Field(2, Scalar.STRING),
}
_VOICE: Fields = {
    "languageCode": Field(1, Scalar.STRING),
    "name": Field(2, Scalar.STRING),
    "ssmlGender": Field(3, GENDERS),
    "customVoice": Field(
        4, {"model": Field(1, Scalar.STRING), "reportedUsage": Field(3, REPORTED_USAGE)}
    ),
    "voiceClone": Field(5, {"voiceCloningKey": Field(1, Scalar.STRING)}),
    "modelName": Field(6, Scalar.STRING),
    "multiSpeakerVoiceConfig": Field(7, {"speakerVoiceConfigs": Field(2, _SPEAKER, repeated=True)}),
}
_PRONUNCIATIONS: Fields = {
    "pronunciations": Field(
        1,
        {
            "phrase": Field(1, Scalar.STRING),
            "phoneticEncoding": Field(2, PHONETICS),
            "pronunciation": Field(3, Scalar.STRING),
        },
        repeated=True,
    )
}
_SAFETY: Fields = {"category": Field(1, HARMS), "threshold": Field(2, THRESHOLDS)}
_ADVANCED: Fields = {
    "lowLatencyJourneySynthesis": Field(1, Scalar.BOOL, explicit=True),
    "enableTextnorm": Field(2, Scalar.BOOL, explicit=True),
    "relaxSafetyFilters": Field(8, Scalar.BOOL),
    "safetySettings": Field(9, {"settings": Field(1, _SAFETY, repeated=True)}),
}
_TURN: Fields = {"speaker": Field(1, Scalar.STRING), "text": Field(2, Scalar.STRING)}

STREAMING_REQUEST: Fields = {
    "streamingConfig": Field(
        1,
        {
            "voice": Field(1, _VOICE),
            "streamingAudioConfig": Field(
                4,
                {
                    "audioEncoding": Field(1, AUDIO_ENCODINGS),
                    "sampleRateHertz": Field(2, Scalar.INTEGER),
                    "speakingRate": Field(3, Scalar.DOUBLE),
                },
            ),
            "customPronunciations": Field(5, _PRONUNCIATIONS),
            "advancedVoiceOptions": Field(7, _ADVANCED),
        },
    ),
    "input": Field(
        2,
        {
            "text": Field(1, Scalar.STRING),
            "markup": Field(5, Scalar.STRING),
            "prompt": Field(6, Scalar.STRING),
            "multiSpeakerMarkup": Field(7, {"turns": Field(1, _TURN, repeated=True)}),
        },
    ),
}
STREAMING_RESPONSE: Fields = {"audioContent": Field(1, Scalar.BYTES)}
