"""The messages of Speech v2 that a recognition uses: field numbers, and nothing else.

Source: google-cloud-speech 2.41.0 (``google.cloud.speech.v2``), read on 2026-11-21; a test compares
both byte for byte.
"""

from providers.google.protobuf import Field, Fields, Names, Scalar, enum

_DURATION: Fields = {"seconds": Field(1, Scalar.INTEGER), "nanos": Field(2, Scalar.INTEGER)}

ENCODINGS = enum(
    (
        "LINEAR16",
        "MULAW",
        "ALAW",
        "AMR",
        "AMR_WB",
        "FLAC",
        "MP3",
        "OGG_OPUS",
        "WEBM_OPUS",
        "MP4_AAC",
        "M4A_AAC",
        "MOV_AAC",
    )
)
ENDPOINTING = Names(
    {
        "ENDPOINTING_SENSITIVITY_STANDARD": 1,
        "ENDPOINTING_SENSITIVITY_SUPERSHORT": 2,
        "ENDPOINTING_SENSITIVITY_SHORT": 3,
    }
)
EVENTS = enum(("END_OF_SINGLE_UTTERANCE", "SPEECH_ACTIVITY_BEGIN", "SPEECH_ACTIVITY_END"))

_DECODING: Fields = {
    "encoding": Field(1, ENCODINGS),
    "sampleRateHertz": Field(2, Scalar.INTEGER),
    "audioChannelCount": Field(3, Scalar.INTEGER),
}
_FEATURES: Fields = {
    "profanityFilter": Field(1, Scalar.BOOL),
    "enableWordTimeOffsets": Field(2, Scalar.BOOL),
    "enableWordConfidence": Field(3, Scalar.BOOL),
    "enableAutomaticPunctuation": Field(4, Scalar.BOOL),
    "diarizationConfig": Field(
        9,
        {
            "minSpeakerCount": Field(2, Scalar.INTEGER),
            "maxSpeakerCount": Field(3, Scalar.INTEGER),
        },
    ),
    "enableSpokenPunctuation": Field(14, Scalar.BOOL),
    "enableSpokenEmojis": Field(15, Scalar.BOOL),
    "maxAlternatives": Field(16, Scalar.INTEGER),
    "customPromptConfig": Field(18, {"customPrompt": Field(1, Scalar.STRING)}),
}
_PHRASE: Fields = {"value": Field(1, Scalar.STRING), "boost": Field(2, Scalar.FLOAT)}
_PHRASE_SET: Fields = {
    "phraseSet": Field(1, Scalar.STRING),
    "inlinePhraseSet": Field(2, {"phrases": Field(3, _PHRASE, repeated=True)}),
}
_CUSTOM_CLASS: Fields = {
    "name": Field(1, Scalar.STRING),
    "items": Field(5, {"value": Field(1, Scalar.STRING)}, repeated=True),
}
_CONFIG: Fields = {
    "features": Field(2, _FEATURES),
    "adaptation": Field(
        6,
        {
            "phraseSets": Field(1, _PHRASE_SET, repeated=True),
            "customClasses": Field(2, _CUSTOM_CLASS, repeated=True),
        },
    ),
    "autoDecodingConfig": Field(7, {}),
    "explicitDecodingConfig": Field(8, _DECODING),
    "model": Field(9, Scalar.STRING),
    "languageCodes": Field(10, Scalar.STRING, repeated=True),
    "transcriptNormalization": Field(
        11,
        {
            "entries": Field(
                1,
                {
                    "search": Field(1, Scalar.STRING),
                    "replace": Field(2, Scalar.STRING),
                    "caseSensitive": Field(3, Scalar.BOOL),
                },
                repeated=True,
            )
        },
    ),
    "translationConfig": Field(15, {"targetLanguage": Field(1, Scalar.STRING)}),
    "denoiserConfig": Field(
        16,
        {"denoiseAudio": Field(1, Scalar.BOOL), "snrThreshold": Field(2, Scalar.FLOAT)},
    ),
}
_STREAMING_FEATURES: Fields = {
    "enableVoiceActivityEvents": Field(1, Scalar.BOOL),
    "interimResults": Field(2, Scalar.BOOL),
    "voiceActivityTimeout": Field(
        3,
        {"speechStartTimeout": Field(1, _DURATION), "speechEndTimeout": Field(2, _DURATION)},
    ),
    "endpointingSensitivity": Field(8, ENDPOINTING),
}

AUDIO = 5
"""The number of a request's audio, which is written by hand: it is all that most of them have."""
REQUEST: Fields = {
    "recognizer": Field(3, Scalar.STRING),
    "audio": Field(AUDIO, Scalar.BYTES),
    "streamingConfig": Field(
        6, {"config": Field(1, _CONFIG), "streamingFeatures": Field(2, _STREAMING_FEATURES)}
    ),
}

_WORD: Fields = {
    "startOffset": Field(1, _DURATION),
    "endOffset": Field(2, _DURATION),
    "word": Field(3, Scalar.STRING),
    "confidence": Field(4, Scalar.FLOAT),
    "speakerLabel": Field(6, Scalar.STRING),
}
_ALTERNATIVE: Fields = {
    "transcript": Field(1, Scalar.STRING),
    "confidence": Field(2, Scalar.FLOAT),
    "words": Field(3, _WORD, repeated=True),
}
_RESULT: Fields = {
    "alternatives": Field(1, _ALTERNATIVE, repeated=True),
    "isFinal": Field(2, Scalar.BOOL),
    "stability": Field(3, Scalar.FLOAT),
    "resultEndOffset": Field(4, _DURATION),
    "languageCode": Field(6, Scalar.STRING),
}
RESPONSE: Fields = {
    "speechEventType": Field(3, EVENTS),
    "results": Field(6, _RESULT, repeated=True),
    "speechEventOffset": Field(7, _DURATION),
}
