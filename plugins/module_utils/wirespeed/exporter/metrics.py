# SPDX-License-Identifier: GPL-3.0-or-later
"""Every metric there is: name, kind, labels, meaning. Page, dashboard and alert rules are made from it. Pure.

Names follow Prometheus' own rules: base units, ``_total`` for what only grows, and one quantity in each metric, so that
a sum over its labels means something. What a device counts for itself and what is counted for each queue are therefore
two metrics.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Dict, List, Mapping, Tuple

from ..counters.table import MEANING, Counter

NAMESPACE = "wirespeed"


class Kind(str, Enum):
    COUNTER = "counter"
    GAUGE = "gauge"
    INFO = "info"


class Part(str, Enum):
    """What is read together, and reported by this name when it cannot be."""

    NICS = "nics"
    PIPELINES = "pipelines"
    MAPS = "maps"
    ENTITIES = "entities"


@dataclass(frozen=True)
class Metric:
    """``name`` without the suffix of its kind, which :attr:`sample` has. ``option`` is what asks for it, empty where
    nothing need. ``more``: labels besides these are named by the pipeline's manifest."""

    name: str
    kind: Kind
    help: str
    labels: Tuple[str, ...] = ()
    unit: str = ""
    option: str = ""
    more: bool = False

    @property
    def sample(self) -> str:
        return self.name + {Kind.COUNTER: "_total", Kind.GAUGE: "", Kind.INFO: "_info"}[self.kind]


def _metric(
    name: str, kind: Kind, text: str, labels: str = "", unit: str = "", option: str = "", **more: bool
) -> Metric:
    return Metric(f"{NAMESPACE}_{name}", kind, text, tuple(labels.split()), unit, option, **more)


QUEUES, ENTITIES, WALK = "--queues", "--entities", "--walk"
_C, _G, _I = Kind.COUNTER, Kind.GAUGE, Kind.INFO

NIC_INFO = _metric("nic", _I, "What a NIC is and what it carries.", "nic driver profile mode pipeline")
NIC_UP = _metric("nic_up", _G, "1 when the NIC has its carrier.", "nic")
NIC_CARRIER_CHANGES = _metric(
    "nic_carrier_changes", _C, "How often the carrier came or went: counters of rings may have begun anew.", "nic"
)
NIC_COUNTER_INFO = _metric(
    "nic_counter",
    _I,
    "Where a unified counter of a NIC comes from. Of a word without this series the driver tells nothing.",
    "nic counter raw scope includes_xdp_drop confidence",
)
NIC_DROPS = _metric(
    "nic_drop_packets",
    _C,
    "Good frames lost before the program, by stage: inside the NIC, or the host late.",
    "nic stage",
)
NIC_ACTIONS = _metric(
    "nic_xdp_action_packets", _C, "What the driver did on the program's word, where it counts that.", "nic action"
)
QUEUE_PACKETS = _metric(
    "nic_queue_packets", _C, "Frames that the driver took from one of its rings.", "nic queue", option=QUEUES
)
QUEUE_DROPS = _metric(
    "nic_queue_drop_packets", _C, "Good frames lost at one queue, by stage.", "nic queue stage", option=QUEUES
)
QUEUE_ACTIONS = _metric(
    "nic_queue_xdp_action_packets", _C, "What the driver did on the program's word, by queue.", "nic queue action",
    option=QUEUES,
)  # fmt: skip

PIPELINE_INFO = _metric(
    "pipeline", _I, "What is live of a pipeline.", "pipeline version generation digest config_digest"
)
PIPELINE_EPOCH = _metric(
    "pipeline_reload_epoch", _G, "How often it was published since the boot; changes with each reload.", "pipeline"
)
PIPELINE_LOADED = _metric(
    "pipeline_loaded_timestamp_seconds", _G, "When the live generation was loaded.", "pipeline", unit="seconds"
)
PIPELINE_NICS = _metric("pipeline_nics", _G, "NICs that carry it.", "pipeline")
PIPELINE_PENDING = _metric("pipeline_pending_maps", _G, "Maps whose entries are still on their way.", "pipeline")
CONFIG_VERSION = _metric("config_version", _G, "The version of the configuration that was delivered last.", "pipeline")
CONFIG_DELIVERED = _metric(
    "config_delivered_timestamp_seconds", _G, "When it was delivered.", "pipeline", unit="seconds"
)
VERDICT_PACKETS = _metric("verdict_packets", _C, "Frames by what the pipeline decided.", "pipeline verdict action")
VERDICT_BYTES = _metric(
    "verdict_bytes", _C, "Bytes by what the pipeline decided.", "pipeline verdict action", unit="bytes"
)
EMPTY_SLOT = _metric("empty_slot_packets", _C, "Frames that met no program in the root's slot.", "pipeline")

ENTITY_PACKETS = _metric(
    "entity_packets", _C, "Frames by entity and verdict.", "pipeline verdict", option=ENTITIES, more=True
)
ENTITY_BYTES = _metric(
    "entity_bytes", _C, "Bytes by entity and verdict.", "pipeline verdict", unit="bytes", option=ENTITIES, more=True
)

MAP_ENTRIES = _metric("map_entries", _G, "Entries in a map.", "pipeline map type")
MAP_MAX = _metric("map_max_entries", _G, "Entries that it has room for.", "pipeline map type")
MAP_LEVEL = _metric(
    "map_level", _G, "How full it is by its manifest's limits: 0 ok, 1 warning, 2 critical.", "pipeline map"
)
MAP_FULL_IN = _metric(
    "map_full_in_seconds", _G, "When it is full at the rate since the scrape before; absent while it does not grow.",
    "pipeline map", unit="seconds",
)  # fmt: skip
MAP_INSERTED = _metric(
    "map_inserted_entries", _C, "Entries that the pipeline put in, where its manifest says what counts them.",
    "pipeline map",
)  # fmt: skip
MAP_FAILURES = _metric(
    "map_update_failures", _C, "Entries that found no room, where the manifest says what counts them.", "pipeline map"
)
MAP_EXPIRED = _metric("map_expired_entries", _G, "Entries that are over and still there.", "pipeline map", option=WALK)
MAP_SHARE = _metric(
    "map_share_entries", _G, "Entries of a shared map by entity: the biggest ones.", "pipeline map entity", option=WALK
)

BUILD = _metric("build", _I, "The exporter, and the node that it runs on.", "version kernel hostname")
SCRAPE_SUCCESS = _metric("scrape_success", _G, "1 when all of a part could be read.", "part")
SCRAPE_SECONDS = _metric("scrape_duration_seconds", _G, "How long reading a part took.", "part", unit="seconds")
SCRAPE_CPU = _metric("scrape_cpu_seconds", _C, "CPU time spent on reading since the start.", unit="seconds")
SCRAPES = _metric("scrapes", _C, "Readings since the start; several scrapes at once share one.")
SCRAPE_CAPPED = _metric("scrape_capped_series", _G, "Entities that were left out of a part, for its cap.", "part")

ACTIONS: Mapping[Counter, str] = {
    Counter.XDP_DROP: "drop",
    Counter.XDP_PASS: "pass",
    Counter.XDP_TX: "tx",
    Counter.XDP_REDIRECT: "redirect",
    Counter.XDP_ABORTED: "aborted",
}
STAGES: Mapping[Counter, str] = {Counter.NIC_DROP: "nic", Counter.HOST_DROP: "host"}
_OF_ITS_OWN = {
    Counter.WIRE_PACKETS: "nic_wire_packets",
    Counter.WIRE_BYTES: "nic_wire_bytes",
    Counter.ERROR: "nic_error_packets",
    Counter.ERROR_CRC: "nic_error_crc_packets",
    Counter.ERROR_LENGTH: "nic_error_length_packets",
    Counter.DRIVER_PACKETS: "nic_driver_packets",
    Counter.DELIVERED: "nic_delivered_packets",
    Counter.XDP_PACKETS: "nic_xdp_packets",
}


def _sentence(counter: Counter) -> str:
    text = MEANING[counter]
    return f"{text[0].upper()}{text[1:]}."


PLAIN: Mapping[Counter, Metric] = {
    counter: _metric(name, _C, _sentence(counter), "nic", unit="bytes" if name.endswith("bytes") else "")
    for counter, name in _OF_ITS_OWN.items()
}
"""Words of the vocabulary that are a metric each: none of them is a part of another's sum."""


def of_counter(counter: Counter) -> Tuple[Metric, Tuple[str, ...]]:
    """The metric of a NIC's counter, and what its labels after ``nic`` are."""
    if counter in STAGES:
        return NIC_DROPS, (STAGES[counter],)
    if counter in ACTIONS:
        return NIC_ACTIONS, (ACTIONS[counter],)
    return PLAIN[counter], ()


def of_queue(counter: Counter) -> Tuple[Metric, Tuple[str, ...]]:
    """The same of one queue, for those counters that are told by queue; raises KeyError for others."""
    if counter in STAGES:
        return QUEUE_DROPS, (STAGES[counter],)
    if counter in ACTIONS:
        return QUEUE_ACTIONS, (ACTIONS[counter],)
    return {Counter.DRIVER_PACKETS: QUEUE_PACKETS}[counter], ()


BY_PART: Mapping[Part, Tuple[Metric, ...]] = {
    Part.NICS: (
        NIC_INFO, NIC_UP, NIC_CARRIER_CHANGES, NIC_COUNTER_INFO, *PLAIN.values(), NIC_DROPS, NIC_ACTIONS,
        QUEUE_PACKETS, QUEUE_DROPS, QUEUE_ACTIONS,
    ),
    Part.PIPELINES: (
        PIPELINE_INFO, PIPELINE_EPOCH, PIPELINE_LOADED, PIPELINE_NICS, PIPELINE_PENDING, CONFIG_VERSION,
        CONFIG_DELIVERED, VERDICT_PACKETS, VERDICT_BYTES, EMPTY_SLOT,
    ),
    Part.MAPS: (
        MAP_ENTRIES, MAP_MAX, MAP_LEVEL, MAP_FULL_IN, MAP_INSERTED, MAP_FAILURES, MAP_EXPIRED, MAP_SHARE,
    ),
    Part.ENTITIES: (ENTITY_PACKETS, ENTITY_BYTES),
}  # fmt: skip
SELF = (BUILD, SCRAPE_SUCCESS, SCRAPE_SECONDS, SCRAPE_CPU, SCRAPES, SCRAPE_CAPPED)


def every() -> List[Metric]:
    """In the order in which a scrape has them."""
    return [metric for metrics in BY_PART.values() for metric in metrics] + list(SELF)


def by_name() -> Dict[str, Metric]:
    """By the name of the sample, as a query has it."""
    return {metric.sample: metric for metric in every()}
