"""What is plugged into the gateway: found, registered, kept alive, and called through a boundary.

Read in this order: ``lifecycle``, ``registry``, ``discovery``, ``ward``, ``boundary``, ``opening``,
``keeper``, ``supervisor``.
"""

from waav.plugins.boundary import Guarded
from waav.plugins.breaker import Breaker
from waav.plugins.discovery import Discovery, Failure, Found, Origin, discover
from waav.plugins.lifecycle import IllegalStep, Lifecycle, State, Step
from waav.plugins.policy import Policy
from waav.plugins.registry import RegistrationRefused, Registry, normalise
from waav.plugins.settings import SettingsMistake
from waav.plugins.status import PluginStatus, catalogue
from waav.plugins.supervisor import Plugins, open_plugins

__all__ = [
    "Breaker",
    "Discovery",
    "Failure",
    "Found",
    "Guarded",
    "IllegalStep",
    "Lifecycle",
    "Origin",
    "PluginStatus",
    "Plugins",
    "Policy",
    "RegistrationRefused",
    "Registry",
    "SettingsMistake",
    "State",
    "Step",
    "catalogue",
    "discover",
    "normalise",
    "open_plugins",
]
