# SPDX-License-Identifier: GPL-3.0-or-later
"""A reading in Prometheus' formats, by its own library: the text format, and OpenMetrics where the scraper takes it."""

from __future__ import annotations

from typing import Any, Iterator

from ..errors import MissingPrerequisite
from . import metrics
from .metrics import Kind, Metric
from .reader import Reader
from .samples import EntityCounts, Scrape


def library() -> Any:
    """prometheus_client. Raises :class:`MissingPrerequisite`."""
    try:
        import prometheus_client
        import prometheus_client.core
    except ImportError as error:
        raise MissingPrerequisite(
            "The exporter speaks to Prometheus by its own Python library, which is not installed.",
            "Install it: package python3-prometheus-client (prometheus-client on PyPI).",
        ) from error
    return prometheus_client


class Collecting:
    """What a registry of the library takes for a collector. A reading is made when the registry is asked."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def collect(self) -> Iterator[Any]:
        yield from families(self._reader.read())

    def describe(self) -> Iterator[Any]:
        """Empty: the registry would else make a reading to learn the names."""
        return iter(())


def registry(reader: Reader) -> Any:
    """With the process' own metrics beside ours. Raises :class:`MissingPrerequisite`."""
    client = library()
    made = client.CollectorRegistry(auto_describe=False)
    client.ProcessCollector(registry=made)
    made.register(Collecting(reader))
    return made


def text(reader: Reader) -> bytes:
    """In the text format, as node_exporter's textfile collector takes it. Raises :class:`MissingPrerequisite`."""
    client = library()
    made = client.CollectorRegistry(auto_describe=False)
    made.register(Collecting(reader))
    return bytes(client.generate_latest(made))


def families(scrape: Scrape) -> Iterator[Any]:
    """A metric without a sample is left out: absent is not zero."""
    core = library().core
    for metric in metrics.every():
        family = _family(core, metric)
        if metric.more:
            for counted in scrape.entities:
                _add_entities(family, metric, counted)
        for labels, value in scrape.samples.of(metric).items():
            family.add_sample(metric.sample, dict(zip(metric.labels, labels)), value)
        if family.samples:
            yield family


def _family(core: Any, metric: Metric) -> Any:
    kind = {Kind.COUNTER: "counter", Kind.GAUGE: "gauge", Kind.INFO: "info"}[metric.kind]
    return core.Metric(metric.name, metric.help, kind, metric.unit)


def _add_entities(family: Any, metric: Metric, counted: EntityCounts) -> None:
    sample, packets = metric.sample, metric is metrics.ENTITY_PACKETS
    for row in counted.rows:
        labels = {"pipeline": counted.pipeline, "verdict": row.verdict, **dict(zip(counted.names, row.labels))}
        family.add_sample(sample, labels, row.packets if packets else row.bytes)
