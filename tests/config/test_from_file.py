"""Files as people write them: typing errors, shorthands, variables, the old format."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from capabilities import Secret
from waav.config import Config, Loaded

Read: TypeAlias = Callable[..., Loaded]
Mistakes: TypeAlias = Callable[..., list[str]]

OLD_SAMPLE = """\
server:
  host: "127.0.0.1"
  port: 3001
  tls:
    enabled: false
    cert_path: ""
    key_path: ""
livekit:
  url: "ws://localhost:7880"
  public_url: "http://localhost:7880"
  api_key: ""
  api_secret: ""
providers:
  deepgram_api_key: "dg"
  elevenlabs_api_key: ""
  google_credentials: ""
  azure_speech_subscription_key: ""
  azure_speech_region: ""
  aws_region: us-west-2
cache:
  path: "/tmp/cache"
  ttl_seconds: 2592000
auth:
  required: false
  service_url: ""
  signing_key_path: ""
  api_secrets: []
  timeout_seconds: 5
recording:
  s3_bucket: ""
  s3_prefix:
sip:
  room_prefix: ""
  allowed_addresses: []
  hooks: []
security:
  cors_allowed_origins: ""
  rate_limit_requests_per_second: 60
  rate_limit_burst_size: 10
  max_connections_per_ip: 100
plugins:
  enabled: true
  plugin_dir: ""
  providers:
    Google:
      base_url: http://localhost
      stt:
        location: us
stt:
  provider: deepgram
  google:
    location: eu
    recognizer_id: _
  assemblyai:
    end_of_turn_confidence: 0.5
tts:
  provider: aws_polly
  aws_polly:
    engine: neural
  lmnt:
    top_p: 0.8
  playht:
    voice_engine: Play3.0-mini
"""


@pytest.mark.pins("D274")
def test_sample_config_keys_all_used(read: Read) -> None:
    """A file of the gateway that we replace, its ``stt`` and ``tts`` blocks switched on."""
    loaded = read(OLD_SAMPLE, name="config.yaml", strict=True)
    config = loaded.config
    assert loaded.warnings == ()
    assert (config.stt.provider, config.tts.provider) == ("deepgram", "aws_polly")
    assert config.plugins.providers == {
        # What is said in full wins over the shorthand.
        "google": {"base_url": "http://localhost", "stt": {"location": "us", "recognizer_id": "_"}},
        "assemblyai": {"stt": {"end_of_turn_confidence": 0.5}},
        "aws-polly": {"tts": {"engine": "neural"}},
        "lmnt": {"tts": {"top_p": 0.8}},
        "playht": {"tts": {"voice_engine": "Play3.0-mini"}},
    }
    lines = [line.strip() for line in OLD_SAMPLE.splitlines()]
    for name, text in (("location", "location: us"), ("recognizer_id", "recognizer_id: _")):
        origin = loaded.origins[f"plugins.providers.google.stt.{name}"]
        assert origin == f"config.yaml:{lines.index(text) + 1}"


def test_a_blank_text_is_not_set_but_for_google(read: Read) -> None:
    loaded = read(OLD_SAMPLE, {"AZURE_SPEECH_REGION": "westeurope"}, name="config.yaml")
    providers = loaded.config.providers
    assert providers.elevenlabs_api_key is None
    assert providers.google_credentials == Secret("")
    assert providers.azure_speech_region == "westeurope"
    assert loaded.origins["providers.azure_speech_region"] == "AZURE_SPEECH_REGION (environment)"
    assert loaded.config.server.tls == Config().server.tls


def test_a_blank_switch_is_a_mistake(mistakes: Mistakes) -> None:
    """Unset would mean off, and so let everybody in."""
    assert mistakes('[auth]\nrequired = ""\n') == [
        "waav.toml:2: auth.required: expected true or false"
    ]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("[server]\nhots = 1", "waav.toml:2: server.hots: unknown key; the nearest known one is server.host"),
        ("[sever]\nport = 1", "waav.toml:1: sever: unknown key; the nearest known one is server"),
        ("[server]\nPORT = 1", "waav.toml:2: server.PORT: unknown key; the nearest known one is server.port"),
        ("port = 1", "waav.toml:1: port: unknown key; the nearest known one is server.port"),
        ("[server]\ncert_path = 1", "waav.toml:2: server.cert_path: unknown key; the nearest known one is server.tls.cert_path"),
        ("[server]\nzzzzzzzz = 1", "waav.toml:2: server.zzzzzzzz: unknown key"),
        ("[stt]\nmodel = 'x'", "waav.toml:2: stt.model: unknown key"),
        (
            "[[auth.api_secrets]]\nid = 'a'\nsecret = 'b'\nsercet = 'c'",
            "waav.toml:4: auth.api_secrets[0].sercet: unknown key; the nearest known one is secret",
        ),
        (
            "[speech_final.providers.x]\nwait = 1",
            "waav.toml:2: speech_final.providers.x.wait: unknown key; the nearest known one is wait_ms",
        ),
    ],
)  # fmt: skip
def test_an_unknown_key_is_a_warning_and_when_strict_a_mistake(
    text: str, warning: str, read: Read, mistakes: Mistakes
) -> None:
    assert warning in [str(problem) for problem in read(text).warnings]
    assert mistakes(text, strict=True) == [warning]


def test_a_value_where_a_table_belongs(mistakes: Mistakes) -> None:
    text = "server = 1\nlivekit = []\n[plugins]\nproviders = {a = 1}\n"
    assert mistakes(text) == [
        "waav.toml:1: server: expected a table",
        "waav.toml:2: livekit: expected a table",
        "waav.toml:4: plugins.providers.a: expected a table",
    ]
    assert mistakes("[plugins]\nproviders = 5\n") == [
        "waav.toml:2: plugins.providers: expected a table"
    ]


def test_variables_in_a_file(read: Read) -> None:
    """Whatever type the option has: what a variable holds is read like a variable."""
    loaded = read(
        """\
        [server]
        port = "${THE_PORT}"
        host = "${THE_HOST:-127.0.0.1}"
        tls = { enabled = "${TLS:-off}" }
        [providers]
        openai_api_key = "${KEY}"
        lmnt_api_key = "${NO_KEY:-}"
        [[auth.api_secrets]]
        id = "a"
        secret = "${KEY}"
        [plugins.providers.espeak]
        names = ["${KEY}", "$${KEY}"]
        deep = { er = "${THE_PORT}" }
        """,
        {"THE_PORT": "8080", "KEY": "k"},
    )
    config = loaded.config
    assert (config.server.port, config.server.host) == (8080, "127.0.0.1")
    assert (config.providers.openai_api_key, config.providers.lmnt_api_key) == (Secret("k"), None)
    assert config.auth.api_secrets[0].secret == Secret("k")
    assert config.plugins.providers == {
        "espeak": {"names": ["k", "${KEY}"], "deep": {"er": "8080"}},
    }


def test_variables_that_are_not_set(mistakes: Mistakes) -> None:
    text = """\
        [server.tls]
        enabled = true
        cert_path = "${CERT}"
        key_path = "${KEY:-x"
        [sip]
        allowed_addresses = [
          "10.0.0.0/8",
          "${ADDRESS}",
        ]
        [tts.x]
        y = { z = "${Z}" }
        """
    missing = "expected the variable {0} to be set; ${{{0}:-text}} gives a default"
    assert mistakes(text) == [
        "waav.toml:3: server.tls.cert_path: " + missing.format("CERT"),
        (
            "waav.toml:4: server.tls.key_path: "
            "expected the name of a variable and } after ${; $${ stands for a plain ${"
        ),
        "waav.toml:8: sip.allowed_addresses[1]: " + missing.format("ADDRESS"),
        "waav.toml:11: tts.x.y.z: " + missing.format("Z"),
    ]


def test_a_variable_with_the_wrong_value(mistakes: Mistakes) -> None:
    found = mistakes('[server]\nport = "${THE_PORT}"\n', {"THE_PORT": "sekret"})
    assert found == ["waav.toml:2: server.port: expected a whole number from 0 to 65535"]


def test_two_spellings_of_a_provider(read: Read, mistakes: Mistakes) -> None:
    """They make one table, unless they say the same key."""
    text = "[plugins.providers.play_ht]\na = 1\n[plugins.providers.'Play.HT']\nb = 2\n"
    assert read(text).config.plugins.providers == {"play-ht": {"a": 1, "b": 2}}
    assert mistakes(text + "a = 3\n") == [
        'waav.toml:5: plugins.providers."Play.HT".a: given twice, under two spellings of play-ht'
    ]


def test_a_table_in_full_and_a_shorthand_that_do_not_fit(read: Read) -> None:
    """A value where the shorthand has a table: what is said in full still wins."""
    loaded = read("[plugins.providers.x]\nstt = 5\n[stt.x]\na = 1\n")
    assert loaded.config.plugins.providers == {"x": {"stt": 5}}
