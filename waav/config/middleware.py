"""The section ``[middleware]``: which plugins see requests, in which order, and whether they must."""

import attrs

from waav.config.option import option


@attrs.frozen
class Middleware:
    """Plugins that see requests before they are served; their settings: [plugins.providers.NAME]."""

    order: tuple[str, ...] = option(
        "Those that are asked first, in this order. The others follow, by their own priority; all"
        " that are installed are asked.",
        default=(),
    )
    optional: tuple[str, ...] = option(
        "Those without which requests pass while they fail or are too slow. For all others such"
        " requests are refused.",
        default=(),
    )
    patience_seconds: float = option(
        "How long each may take for a request, and for its answer.", default=5.0, above=0
    )
