# SPDX-License-Identifier: GPL-3.0-or-later
"""The alerts: what is asked, for how long it has to hold, and what a person does about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Tuple

from wirespeed.exporter import metrics as m
from wirespeed.exporter.metrics import Metric

WARNING, CRITICAL, INFO = "warning", "critical", "info"


@dataclass(frozen=True)
class Alert:
    """``fires`` are series, with one value a minute, that make it fire: its own test. ``held`` as Prometheus writes it;
    empty: at once."""

    name: str
    expression: str
    severity: str
    summary: str
    description: str
    fires: Tuple[Tuple[str, str], ...]
    held: str = ""

    def rule(self) -> Dict[str, Any]:
        said: Dict[str, Any] = {"alert": self.name, "expr": self.expression}
        if self.held:
            said["for"] = self.held
        said["labels"] = {"severity": self.severity}
        said["annotations"] = {"summary": self.summary, "description": self.description}
        return said


def _rate(metric: Metric, matching: str = "", over: str = "5m") -> str:
    return f"rate({metric.sample}{matching}[{over}])"


def _grown(metric: Metric, over: str = "5m") -> str:
    return f"increase({metric.sample}[{over}])"


_NIC, _PIPELINE = '{instance="a", nic="eth1"}', '{instance="a", pipeline="edge"}'
_MAP = '{instance="a", pipeline="edge", map="flows"}'
_WHERE, _MAP_WHERE = "{{ $labels.nic }} of {{ $labels.instance }}", "{{ $labels.map }} of {{ $labels.pipeline }}"
_DRIVER = m.of_counter(m.Counter.DRIVER_PACKETS)[0]
_ERRORS = m.of_counter(m.Counter.ERROR)[0]


def _lost(stage: str) -> str:
    """More than one frame of a thousand."""
    lost = f"sum by (instance, nic) ({_rate(m.NIC_DROPS, '{stage=' + chr(34) + stage + chr(34) + '}')})"
    taken = f"sum by (instance, nic) ({_rate(_DRIVER)})"
    return f"{lost} > 0.001 * {taken} and {lost} > 1"


ALERTS: Tuple[Alert, ...] = (
    Alert(
        "WirespeedEmptySlot",
        f"{_grown(m.EMPTY_SLOT)} > 0",
        CRITICAL,
        "Frames pass {{ $labels.pipeline }} of {{ $labels.instance }} unjudged",
        "The root's slot was empty: no program of the pipeline ran. Run the playbook; it publishes one.",
        ((m.EMPTY_SLOT.sample + _PIPELINE, "0+10x10"),),
    ),
    Alert(
        "WirespeedNotAttached",
        f"{m.PIPELINE_NICS.sample} == 0",
        CRITICAL,
        "No NIC carries {{ $labels.pipeline }} of {{ $labels.instance }}",
        "The pipeline is loaded, and filters nothing. 'wirespeed pipeline list' says who holds the hook.",
        ((m.PIPELINE_NICS.sample + _PIPELINE, "0x10"),),
        "2m",
    ),
    Alert(
        "WirespeedHostDrop",
        _lost("host"),
        WARNING,
        f"The host is late: frames are lost on {_WHERE}",
        "No descriptor or buffer was free when they came. 'wirespeed diagnose {{ $labels.nic }} --for 10s' tells why.",
        (
            (m.NIC_DROPS.sample + '{instance="a", nic="eth1", stage="host"}', "0+6000x20"),
            (_DRIVER.sample + _NIC, "0+60000x20"),
        ),
        "5m",
    ),
    Alert(
        "WirespeedNicDrop",
        _lost("nic"),
        WARNING,
        f"The NIC loses frames before a ring: {_WHERE}",
        "Port buffer or FIFO: the bus, or full rings. 'wirespeed diagnose {{ $labels.nic }} --for 10s' tells why.",
        (
            (m.NIC_DROPS.sample + '{instance="a", nic="eth1", stage="nic"}', "0+6000x20"),
            (_DRIVER.sample + _NIC, "0+60000x20"),
        ),
        "5m",
    ),
    Alert(
        "WirespeedBadFrames",
        f"{_rate(_ERRORS)} > 1",
        WARNING,
        f"Bad frames come in on {_WHERE}",
        "Checksum or length: cable, optics, or the peer's MTU.",
        ((_ERRORS.sample + _NIC, "0+600x20"),),
        "10m",
    ),
    Alert(
        "WirespeedCarrierFlaps",
        f"{_grown(m.NIC_CARRIER_CHANGES, '10m')} > 4",
        WARNING,
        f"The link comes and goes: {_WHERE}",
        "More than two losses of the carrier in ten minutes: cable, optics, peer, or a run that bounces it each time.",
        ((m.NIC_CARRIER_CHANGES.sample + _NIC, "0+2x20"),),
    ),
    Alert(
        "WirespeedMapFilling",
        f"{m.MAP_LEVEL.sample} == 1",
        WARNING,
        f"Map {_MAP_WHERE} on {{{{ $labels.instance }}}} is filling",
        "Beyond its warning limit, or full soon. 'wirespeed maps {{ $labels.pipeline }}' says whose entries.",
        ((m.MAP_LEVEL.sample + _MAP, "1x10"),),
    ),
    Alert(
        "WirespeedMapFull",
        f"{m.MAP_LEVEL.sample} == 2",
        CRITICAL,
        f"Map {_MAP_WHERE} on {{{{ $labels.instance }}}} is full or nearly so",
        "New entries find no room, or take it from others that are in force. Give it more entries, or sweep it.",
        ((m.MAP_LEVEL.sample + _MAP, "2x10"),),
    ),
    Alert(
        "WirespeedMapFullSoon",
        f"{m.MAP_FULL_IN.sample} < 900",
        WARNING,
        f"Map {_MAP_WHERE} on {{{{ $labels.instance }}}} will be full within 15 minutes",
        "At the rate at which it grows now.",
        ((m.MAP_FULL_IN.sample + _MAP, "600x10"),),
        "2m",
    ),
    Alert(
        "WirespeedMapNoRoom",
        f"{_grown(m.MAP_FAILURES)} > 0",
        CRITICAL,
        f"Entries find no room in map {_MAP_WHERE} on {{{{ $labels.instance }}}}",
        "What the program wanted to remember it could not. Give the map more entries, or sweep it.",
        ((m.MAP_FAILURES.sample + _MAP, "0+5x10"),),
    ),
    Alert(
        "WirespeedHandOverStuck",
        f"{m.PIPELINE_PENDING.sample} > 0",
        WARNING,
        "State of {{ $labels.pipeline }} on {{ $labels.instance }} is not handed over",
        "Entries of the generation before are still on their way. Any run, or 'wirespeed pipeline gc', finishes it.",
        ((m.PIPELINE_PENDING.sample + _PIPELINE, "1x30"),),
        "15m",
    ),
    Alert(
        "WirespeedReloadsOften",
        f"changes({m.PIPELINE_EPOCH.sample}[15m]) > 5",
        WARNING,
        "{{ $labels.pipeline }} on {{ $labels.instance }} is published again and again",
        "Two controllers may disagree, or a health gate takes each back: 'wirespeed pipeline list'.",
        ((m.PIPELINE_EPOCH.sample + _PIPELINE, "1+1x20"),),
    ),
    Alert(
        "WirespeedVersionsDiffer",
        f"count by (pipeline) (count by (pipeline, version) ({m.PIPELINE_INFO.sample})) > 1",
        INFO,
        "{{ $labels.pipeline }} runs in {{ $value }} versions",
        "A rollout stopped half-way, or a node was not reached.",
        (
            (m.PIPELINE_INFO.sample + '{instance="a", pipeline="edge", version="1"}', "1x80"),
            (m.PIPELINE_INFO.sample + '{instance="b", pipeline="edge", version="2"}', "1x80"),
        ),
        "1h",
    ),
    Alert(
        "WirespeedConfigurationsDiffer",
        f"count by (pipeline) (count by (pipeline, config_digest) ({m.PIPELINE_INFO.sample})) > 1",
        INFO,
        "{{ $labels.pipeline }} has {{ $value }} configurations in force",
        "Nodes hold documents that are not the same: 'wirespeed config history' on each.",
        (
            (m.PIPELINE_INFO.sample + '{instance="a", pipeline="edge", config_digest="1"}', "1x80"),
            (m.PIPELINE_INFO.sample + '{instance="b", pipeline="edge", config_digest="2"}', "1x80"),
        ),
        "1h",
    ),
    Alert(
        "WirespeedUnreadable",
        f"{m.SCRAPE_SUCCESS.sample} == 0",
        WARNING,
        "{{ $labels.part }} of {{ $labels.instance }} cannot be read",
        "What is missing is not zero. The exporter's journal says why.",
        ((m.SCRAPE_SUCCESS.sample + '{instance="a", part="maps"}', "0x20"),),
        "5m",
    ),
    Alert(
        "WirespeedExporterDown",
        'up{job="wirespeed"} == 0',
        WARNING,
        "The exporter of {{ $labels.instance }} does not answer",
        "Packets are filtered all the same. 'systemctl status wirespeed-exporter' on the node.",
        (('up{instance="a", job="wirespeed"}', "0x20"),),
        "5m",
    ),
)


def rules() -> Dict[str, Any]:
    """The rule file of Prometheus."""
    return {"groups": [{"name": "wirespeed", "rules": [alert.rule() for alert in ALERTS]}]}


def tests(rule_file: str) -> Dict[str, Any]:
    """The file of ``promtool test rules``: each alert fires by its own series, and not before its time."""
    return {"rule_files": [rule_file], "evaluation_interval": "1m", "tests": [_test(alert) for alert in ALERTS]}


def _test(alert: Alert) -> Dict[str, Any]:
    series = [{"series": name, "values": values} for name, values in alert.fires]
    minutes = min(int(values.rpartition("x")[2]) for dummy, values in alert.fires)
    fired = f'count(ALERTS{{alertname="{alert.name}", alertstate="firing"}}) > 0'
    asked = {"expr": f"({fired}) * 0 + 1", "eval_time": f"{minutes}m", "exp_samples": [{"value": 1, "labels": "{}"}]}
    early = {"expr": fired, "eval_time": "0m", "exp_samples": []}
    return {"interval": "1m", "input_series": series, "promql_expr_test": [asked, *([early] if alert.held else [])]}
