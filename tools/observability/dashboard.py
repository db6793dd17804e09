# SPDX-License-Identifier: GPL-3.0-or-later
"""The Grafana dashboard: from what matters to where it comes from, row by row. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Mapping, Tuple

from wirespeed.counters.table import Counter
from wirespeed.exporter import metrics as m
from wirespeed.exporter.metrics import Metric

UID, TITLE = "wirespeed", "Wirespeed"
WIDTH, HEIGHT = 24, 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_COLORS = {"drop": "red", "aborted": "dark-red", "pass": "green", "tx": "blue", "redirect": "purple"}


@dataclass(frozen=True)
class Query:
    """``legend`` in Grafana's words: ``{{nic}}``."""

    expression: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """``unit`` is Grafana's. ``kind``: ``timeseries``, ``stat`` or ``table``."""

    title: str
    unit: str
    queries: Tuple[Query, ...]
    text: str = ""
    kind: str = "timeseries"
    width: int = 12
    stacked: bool = False


@dataclass(frozen=True)
class Row:
    """``shut``: its panels are there when it is opened, because most exporters are not asked for them."""

    title: str
    panels: Tuple[Panel, ...] = field(default_factory=tuple)
    shut: bool = False


_HOST = 'instance=~"$instance"'
_NIC = f'{_HOST}, nic=~"$nic"'
_PIPE = f'{_HOST}, pipeline=~"$pipeline"'


_DROPPED = 'action="drop"'


def _of(metric: Metric, where: str, more: str = "") -> str:
    return f"{metric.sample}{{{where}{', ' + more if more else ''}}}"


def _rate(metric: Metric, where: str, by: str, more: str = "") -> str:
    return f"sum by ({by}) (rate({_of(metric, where, more)}[$__rate_interval]))"


def _nic(counter: Counter) -> Metric:
    return m.of_counter(counter)[0]


ROWS: Tuple[Row, ...] = (
    Row(
        "What happens to packets",
        (
            Panel(
                "Verdicts", "pps",
                (Query(_rate(m.VERDICT_PACKETS, _PIPE, "action"), "{{action}}"),),
                "What the pipelines decided, by what became of the frame.", width=16, stacked=True,
            ),
            Panel("Lost before the program", "pps",
                  (Query(_rate(m.NIC_DROPS, _NIC, "stage"), "{{stage}}"),),
                  "nic: inside the NIC, before a ring. host: no descriptor or buffer was free. Neither is a verdict.",
                  width=8),
            Panel("Drops by reason", "pps",
                  (Query(f"topk(12, {_rate(m.VERDICT_PACKETS, _PIPE, 'verdict', _DROPPED)})",
                         "{{verdict}}"),),
                  "By verdict, as the pipeline's manifest names them."),
            Panel("Bytes by verdict", "Bps", (Query(_rate(m.VERDICT_BYTES, _PIPE, "action"), "{{action}}"),),
                  stacked=True),
        ),
    ),
    Row(
        "NICs",
        (
            Panel("Frames taken from the rings", "pps",
                  (Query(_rate(_nic(Counter.DRIVER_PACKETS), _NIC, "instance, nic"), "{{instance}} {{nic}}"),)),
            Panel("Lost by stage and NIC", "pps",
                  (Query(_rate(m.NIC_DROPS, _NIC, "instance, nic, stage"), "{{instance}} {{nic}} {{stage}}"),)),
            Panel("What drivers did on the program's word", "pps",
                  (Query(_rate(m.NIC_ACTIONS, _NIC, "nic, action"), "{{nic}} {{action}}"),),
                  "Only of drivers that count it themselves; the verdicts above are the pipeline's own."),
            Panel("Carrier changes", "short",
                  (Query(f"sum by (instance, nic) (increase({_of(m.NIC_CARRIER_CHANGES, _NIC)}[$__rate_interval]))",
                         "{{instance}} {{nic}}"),)),
            Panel("What they are", "short", (Query(_of(m.NIC_INFO, _NIC), ""),), kind="table", width=WIDTH),
        ),
    ),
    Row(
        "Pipelines",
        (
            Panel("Live versions", "short", (Query(_of(m.PIPELINE_INFO, _PIPE), ""),), kind="table", width=16),
            Panel("NICs that carry them", "short",
                  (Query(f"sum by (pipeline) ({_of(m.PIPELINE_NICS, _PIPE)})", "{{pipeline}}"),), kind="stat", width=4),
            Panel("Frames that met no program", "pps",
                  (Query(_rate(m.EMPTY_SLOT, _PIPE, "pipeline"), "{{pipeline}}"),), kind="stat", width=4),
            Panel("Publications since boot", "short",
                  (Query(_of(m.PIPELINE_EPOCH, _PIPE), "{{instance}} {{pipeline}}"),),
                  "Counters go on over each of them."),
            Panel("Age of the configuration", "s",
                  (Query(f"time() - {_of(m.CONFIG_DELIVERED, _PIPE)}", "{{instance}} {{pipeline}}"),)),
        ),
    ),
    Row(
        "Maps",
        (
            Panel("Room taken", "percentunit",
                  (Query(f"{_of(m.MAP_ENTRIES, _PIPE)} / {_of(m.MAP_MAX, _PIPE)}",
                         "{{instance}} {{pipeline}} {{map}}"),)),
            Panel("Full in", "s",
                  (Query(_of(m.MAP_FULL_IN, _PIPE), "{{instance}} {{pipeline}} {{map}}"),),
                  "At the rate at which it grows; nothing while it does not."),
            Panel("Entries put in", "cps",
                  (Query(_rate(m.MAP_INSERTED, _PIPE, "pipeline, map"), "{{pipeline}} {{map}}"),)),
            Panel("Entries that found no room", "cps",
                  (Query(_rate(m.MAP_FAILURES, _PIPE, "pipeline, map"), "{{pipeline}} {{map}}"),)),
        ),
    ),
    Row(
        f"Queues ({m.QUEUES})",
        (
            Panel("By queue: what the driver did", "pps",
                  (Query(_rate(m.QUEUE_ACTIONS, _NIC, "nic, queue"), "{{nic}} {{queue}}"),)),
            Panel("The busiest queue beside the mean", "short",
                  (Query(f"max by (nic) (rate({_of(m.QUEUE_ACTIONS, _NIC)}[$__rate_interval])) / "
                         f"avg by (nic) (rate({_of(m.QUEUE_ACTIONS, _NIC)}[$__rate_interval]))", "{{nic}}"),),
                  "1: all alike. As many as there are queues: one has it all."),
        ),
        shut=True,
    ),
    Row(
        f"Entities ({m.ENTITIES})",
        (
            Panel("Packets by policy", "pps",
                  (Query(f"topk(10, {_rate(m.ENTITY_PACKETS, _PIPE, 'pipeline, customer, policy')})",
                         "{{customer}} {{policy}}"),)),
            Panel("Packets by policy and verdict", "pps",
                  (Query(f"topk(10, {_rate(m.ENTITY_PACKETS, _PIPE, 'policy, verdict')})", "{{policy}} {{verdict}}"),)),
        ),
        shut=True,
    ),
    Row(
        "The exporter itself",
        (
            Panel("How long a reading takes", "s",
                  (Query(f"sum by (instance, part) ({_of(m.SCRAPE_SECONDS, _HOST)})", "{{instance}} {{part}}"),)),
            Panel("CPU", "percentunit",
                  (Query(f"rate({_of(m.SCRAPE_CPU, _HOST)}[$__rate_interval])", "{{instance}}"),)),
        ),
        shut=True,
    ),
)  # fmt: skip

ANNOTATION = f"changes({_of(m.PIPELINE_EPOCH, _PIPE)}[$__interval]) > 0"
"""Marks reloads in each panel."""

_VARIABLES: Mapping[str, str] = {
    "instance": f"label_values({m.BUILD.sample}, instance)",
    "nic": f"label_values({m.NIC_UP.sample}{{{_HOST}}}, nic)",
    "pipeline": f"label_values({m.PIPELINE_EPOCH.sample}{{{_HOST}}}, pipeline)",
}


def queries() -> Iterator[str]:
    """All of them, with Grafana's variables."""
    for row in ROWS:
        for panel in row.panels:
            for query in panel.queries:
                yield query.expression
    yield ANNOTATION


def dashboard() -> Dict[str, Any]:
    """As Grafana imports and provisions it."""
    return {
        "uid": UID,
        "title": TITLE,
        "description": "NICs, XDP verdicts, pipelines and their maps. Made from the exporter's table of metrics.",
        "tags": ["xdp", "network"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_data_source(), *(_variable(name, query) for name, query in _VARIABLES.items())]},
        "annotations": {"list": [_reloads()]},
        "panels": list(_placed()),
    }


def _data_source() -> Dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(name: str, query: str) -> Dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def _reloads() -> Dict[str, Any]:
    return {
        "name": "Reloads",
        "enable": True,
        "iconColor": "yellow",
        "datasource": _SOURCE,
        "expr": ANNOTATION,
        "titleFormat": "{{pipeline}} on {{instance}}",
    }


def _placed() -> Iterator[Dict[str, Any]]:
    """Panels from left to right, rows from top to bottom; those of a shut row are inside it."""
    top, number = 0, 0
    for row in ROWS:
        number += 1
        head = {"id": number, "type": "row", "title": row.title, "collapsed": row.shut}
        head["gridPos"] = {"x": 0, "y": top, "w": WIDTH, "h": 1}
        top, left, inside = top + 1, 0, []
        for panel in row.panels:
            number += 1
            if left + panel.width > WIDTH:
                top, left = top + HEIGHT, 0
            inside.append(_panel(panel, number, left, top))
            left += panel.width
        top += HEIGHT
        yield {**head, "panels": inside if row.shut else []}
        if not row.shut:
            yield from inside


def _panel(panel: Panel, number: int, left: int, top: int) -> Dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": _SOURCE,
        "gridPos": {"x": left, "y": top, "w": panel.width, "h": HEIGHT},
        "targets": [_target(panel, place, query) for place, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides()},
        "options": {} if panel.kind != "timeseries" else {"legend": {"displayMode": "list", "placement": "bottom"}},
    }


def _target(panel: Panel, place: int, query: Query) -> Dict[str, Any]:
    table = panel.kind == "table"
    said: Dict[str, Any] = {"refId": chr(ord("A") + place), "datasource": _SOURCE, "expr": query.expression}
    said.update(legendFormat=query.legend, instant=table, format="table" if table else "time_series")
    return said


def _defaults(panel: Panel) -> Dict[str, Any]:
    drawn = {"lineWidth": 1, "fillOpacity": 20 if panel.stacked else 5, "showPoints": "never"}
    drawn["stacking"] = {"mode": "normal" if panel.stacked else "none"}
    return {"unit": panel.unit, "min": 0, **({"custom": drawn} if panel.kind == "timeseries" else {})}


def _overrides() -> List[Dict[str, Any]]:
    """The same color for the same fate, everywhere."""
    return [
        {
            "matcher": {"id": "byName", "options": action},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}],
        }
        for action, color in _COLORS.items()
    ]
