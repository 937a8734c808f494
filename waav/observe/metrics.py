"""Samples of metrics: added up over processes, and written as Prometheus reads them.

What they are read from is elsewhere. A sample is a plain value, so that it can travel.
"""

from collections.abc import Iterable, Mapping

import attrs
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from waav.observe.families import FAMILIES, Family


@attrs.frozen
class Sample:
    """One number of a family."""

    name: str
    value: float
    """Of a summary, the sum."""
    labels: Mapping[str, str] = attrs.field(factory=dict)
    count: int = 0
    """Of a summary."""


_FAMILIES = {family.name: family for family in FAMILIES}

_PROCESS = CollectorRegistry()
for collector in (ProcessCollector, GCCollector, PlatformCollector):
    collector(registry=_PROCESS)


def process_samples() -> list[Sample]:
    """Read what the system and Python know of this process; nothing where they do not tell."""
    return [
        Sample(sample.name, sample.value, sample.labels)
        for metric in _PROCESS.collect()
        for sample in metric.samples
    ]


def together(samples: Iterable[Sample]) -> list[Sample]:
    """Return one sample for each name and labels, of those of several processes."""
    known: dict[tuple[str, tuple[tuple[str, str], ...]], Sample] = {}
    for sample in samples:
        key = sample.name, tuple(sorted(sample.labels.items()))
        other = known.get(key)
        known[key] = sample if other is None else _together(sample, other)
    return list(known.values())


def _together(one: Sample, other: Sample) -> Sample:
    if _FAMILIES[one.name].together == "most":
        return max(one, other, key=lambda sample: sample.value)
    return attrs.evolve(one, value=one.value + other.value, count=one.count + other.count)


def totals(samples: Iterable[Sample]) -> list[Sample]:
    """Return those that only grow, and so stay true when their process is gone."""
    return [sample for sample in samples if _FAMILIES[sample.name].kind != "gauge"]


def render(samples: Iterable[Sample], accept: str = "") -> tuple[bytes, str]:
    """Write samples as text; return it with its content type, which the ``Accept`` header chooses."""
    encode, content_type = choose_encoder(accept)
    return encode(_Families(samples)), content_type


class _Families(Collector):
    """Samples as the library wants them."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples: dict[str, list[Sample]] = {}
        for sample in samples:
            self._samples.setdefault(sample.name, []).append(sample)

    def collect(self) -> Iterable[Metric]:
        """Give a metric for each family that has samples, in the order of the table."""
        return [
            _metric(each, self._samples[each.name])
            for each in FAMILIES
            if each.name in self._samples
        ]


def _metric(family: Family, samples: Iterable[Sample]) -> Metric:
    about = family.name, family.help
    metric: CounterMetricFamily | GaugeMetricFamily | SummaryMetricFamily
    match family.kind:
        case "counter":
            metric = CounterMetricFamily(*about, labels=family.labels)
        case "gauge":
            metric = GaugeMetricFamily(*about, labels=family.labels)
        case "summary":
            metric = SummaryMetricFamily(*about, labels=family.labels)
    for sample in samples:
        labels = [sample.labels[name] for name in family.labels]
        if isinstance(metric, SummaryMetricFamily):
            metric.add_metric(labels, sample.count, sample.value)
        else:
            metric.add_metric(labels, sample.value)
    return metric
