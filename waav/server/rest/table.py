"""Every operation of the REST side, but for those that describe it (``waav.server.openapi``).

The routes are made from this table, and so is their description: neither can be forgotten.
"""

from waav.server.rest import clone_order, cloning, health, plugins, speak, voices
from waav.server.rest.clone_errors import as_clone_refusal
from waav.server.rest.operation import FORM, JSON, Answer, Body, Operation, Upload

_STATUS = {200: Answer(health.Status)}
_ALIVE = {200: Answer(health.Alive)}
_READINESS = {
    200: Answer(health.Readiness, "Ready."),
    503: Answer(health.Readiness, "Not ready."),
}
_SOUND = Answer(
    bytes,
    "The sound.",
    (*dict.fromkeys(speak.CONTENT_TYPES.values()), speak.OTHER_CONTENT_TYPE),
    {"x-audio-format": "The encoding of the sound.", "x-sample-rate": "Its rate, in hertz."},
)
_VOICES = Answer(
    voices.Voices, "The voices.", headers={"warnings": "How many providers could not tell theirs."}
)
_CLONED = {200: Answer(cloning.CloneAnswer, "The voice.")}
_OF_CLONING = frozenset({400, 404, 429, 502, 503})
_WANTED = Upload(
    {JSON: clone_order.CloneOrder, FORM: clone_order.CloneForm},
    clone_order.read_wanted,
    limit=clone_order.LIMIT,
    at_once=4,
)

OPERATIONS = (
    Operation("GET", "/", health.show_status, "health", _STATUS, public=True),
    Operation("GET", "/health", health.show_status, "health", _STATUS, public=True),
    Operation("GET", "/health/live", health.show_alive, "health", _ALIVE, public=True),
    Operation("GET", "/health/ready", health.show_readiness, "health", _READINESS, public=True),
    Operation(
        "GET",
        "/voices",
        voices.list_voices,
        "speech",
        {200: _VOICES},
        query=voices.VoiceQuery,
        client_key=True,
        scoped=True,
        refusals=frozenset({400}),
    ),
    Operation(
        "POST",
        "/voices/clone",
        cloning.clone_voice,
        "speech",
        _CLONED,
        body=_WANTED,
        client_key=True,
        scoped=True,
        refuse=as_clone_refusal,
        refusals=_OF_CLONING - {404},
    ),
    Operation(
        "GET",
        "/voices/{voice_id}",
        cloning.show_voice,
        "speech",
        _CLONED,
        query=cloning.CloneQuery,
        client_key=True,
        scoped=True,
        refuse=as_clone_refusal,
        refusals=_OF_CLONING,
    ),
    Operation(
        "DELETE",
        "/voices/{voice_id}",
        cloning.delete_voice,
        "speech",
        {204: Answer(bytes, "It is gone.", ())},
        query=cloning.CloneQuery,
        client_key=True,
        scoped=True,
        refuse=as_clone_refusal,
        refusals=_OF_CLONING,
    ),
    Operation(
        "POST",
        "/speak",
        speak.speak,
        "speech",
        {200: _SOUND},
        body=Body((speak.Speech, speak.FlatSpeech), speak.read_order),
        client_key=True,
        refusals=frozenset({429, 502, 503, 504}),
    ),
    Operation(
        "GET",
        "/providers",
        plugins.list_providers,
        "plugins",
        {200: Answer(plugins.ProviderList)},
        query=plugins.ProviderQuery,
    ),
    Operation(
        "GET", "/plugins", plugins.list_plugins, "plugins", {200: Answer(plugins.PluginList)}
    ),
    Operation(
        "GET",
        "/plugins/{id}",
        plugins.show_plugin,
        "plugins",
        {200: Answer(plugins.PluginEntry)},
        refusals=frozenset({404}),
    ),
)
