"""``/metrics``: what was counted, for Prometheus."""

from quart import request

from waav.gateway import Gateway
from waav.observe.metrics import render, together
from waav.server.rest.operation import Answer, Operation, Reply
from waav.server.samples import samples_of


async def show_metrics(gateway: Gateway) -> Reply[bytes]:
    """Show the metrics.

    Those of all workers together, in the text format of Prometheus, or in that of OpenMetrics for who
    asks for it. Names and labels are in docs/topics/observability.md.
    """
    news = await gateway.fleet.others()
    others = (sample for report in news.reports for sample in report.samples)
    samples = together([*samples_of(gateway), *others, *news.past])
    body, content_type = render(samples, request.headers.get("Accept", ""))
    return Reply(body, content_type=content_type)


OPERATION = Operation(
    "GET",
    "/metrics",
    show_metrics,
    "health",
    {200: Answer(str, "The metrics.", ("text/plain", "application/openmetrics-text"))},
    public=True,
)
"""At the path that it has where the operator does not say."""
