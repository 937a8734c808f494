"""Names of providers that the shell can complete."""

from functools import cache

import click
from click.shell_completion import CompletionItem

from capabilities import Capability
from waav.plugins import discover


@cache
def known(capability: Capability | None) -> list[str]:
    """Ids and aliases of the installed providers that have a capability, or any, sorted."""
    manifests = [each.manifest for each in discover().found]
    having = [each for each in manifests if capability is None or capability in each.abilities]
    return sorted({name for each in having for name in (each.id, *each.aliases)})


class ProviderName(click.ParamType[str]):
    """Any text: the registry says what is wrong with it, and knows more than what is installed."""

    name = "provider"

    def __init__(self, capability: Capability | None = None) -> None:
        """Complete the names of this capability's providers, or of all."""
        self.capability = capability

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin as typed."""
        return [
            CompletionItem(name) for name in known(self.capability) if name.startswith(incomplete)
        ]


ANY_NAME = ProviderName()
STT_NAME = ProviderName(Capability.STT)
TTS_NAME = ProviderName(Capability.TTS)
