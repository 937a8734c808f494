"""Google opened: networks, pools, and whoever the operator is to Google."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import attrs

from capabilities import Health, HealthState, Plugin, PluginContext, Secret
from providers._common.grpc import HTTP2, MOST_MESSAGE, Channel, Keepalive
from providers._common.grpc.channel import reach
from providers._common.http import open_http
from providers._common.network import Network
from providers._common.tasks import open_scoped_nursery
from providers.google.identity import Identities, own_identity
from providers.google.options import GoogleSettings
from providers.google.stt import GoogleSTT
from providers.google.tokens import Exchange, Tokens, check_account
from providers.google.tts import GoogleTTS

TTS = "https://texttospeech.googleapis.com"


@asynccontextmanager
async def open_google(context: PluginContext) -> AsyncIterator[Plugin]:
    """Find the credentials and open the pools; connections are made when they are needed.

    Raises:
        ProviderRefused: credentials that are there cannot be used, or name no project.
        OSError: the CA certificates cannot be read.
    """
    settings: GoogleSettings = context.settings
    rest = await Network.of("google", attrs.evolve(settings, base_url=""), _rest(settings))
    calls = await Network.of("google", attrs.evolve(settings, base_url=""), _tts(settings), HTTP2)
    # The metadata server is on this machine: no proxy leads to it.
    near = attrs.evolve(rest, settings=attrs.evolve(settings, proxy=Secret(""), headers={}))
    async with (
        open_http(rest) as http,
        open_http(near) as metadata,
        open_scoped_nursery("the plugin is closed") as nursery,
    ):
        own = await own_identity(context, metadata)
        tokens = Tokens(Exchange(http, metadata, settings.token_url))
        if own is not None:
            await check_account(own.account)
        identities = Identities(tokens, own, settings.project, settings.credentials_dir)
        channel = Channel(calls, partial(reach, calls), nursery, Keepalive(), MOST_MESSAGE)
        yield Plugin(
            stt=GoogleSTT(attrs.evolve(calls, settings=settings), identities),
            tts=GoogleTTS(channel, http, identities, settings.voice, settings.read_timeout),
            health=partial(_health, identities),
        )


def _tts(settings: GoogleSettings) -> str:
    return settings.tts_base_url or TTS


def _rest(settings: GoogleSettings) -> str:
    return settings.rest_base_url or _tts(settings)


async def _health(identities: Identities) -> Health:
    if identities.own is None:
        return Health(
            HealthState.DEGRADED, "no credentials on this machine: sessions must bring theirs"
        )
    return Health(HealthState.HEALTHY)
