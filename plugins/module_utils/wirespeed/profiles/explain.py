# SPDX-License-Identifier: GPL-3.0-or-later
"""The merged profile of a NIC entry by entry: what is written, where, why, and what it comes to here."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

from .. import expression
from ..errors import BadInput
from ..model.intent import NicIntent
from ..model.nic import Nic
from ..model.node import Node
from ..model.settings import Setting
from ..namespace import KernelVersion, View, namespace
from . import match
from .document import Document, ProfileSet
from .merge import Entry, Merged, merge
from .resolve import planned_values, resolve

Row = Dict[str, Any]


def explain(profiles: ProfileSet, nic: Nic, node: Node, intent: NicIntent) -> Dict[str, Any]:
    """For a NIC that was observed: every value as it would be planned.

    ``rows`` have ``section``, ``key``, ``value``, ``written`` (empty where it is the value itself), ``why``,
    ``source`` and ``origin`` (file and line). Raises what :func:`.resolve.resolve` raises.
    """
    resolved = resolve(profiles, nic, node, intent)
    names = namespace(nic, node, intent.workload.value, planned_values(nic, resolved.tuning))
    values = {
        f"{setting}.{key}": want.value for setting, wants in resolved.tuning.items() for key, want in wants.items()
    }
    return _explained(match.select(profiles, nic, node, intent.profile), intent, names, values)


def explain_unseen(profiles: ProfileSet, nic: Nic, node: Node, intent: NicIntent) -> Dict[str, Any]:
    """For a driver and a kernel without a NIC at hand: what depends on more than these stands as it is written."""
    pci = None if nic.pci is None else vars(nic.pci)
    known = {
        "nic": {"driver": nic.driver, "pci": pci, "xdp": None},
        "node": {"kernel": KernelVersion(node.kernel)},
        "workload": intent.workload.value,
    }
    return _explained(match.select(profiles, nic, node, intent.profile), intent, View("", known), None)


def _explained(
    documents: Sequence[Document], intent: NicIntent, names: Mapping[str, Any], values: Optional[Mapping[str, Any]]
) -> Dict[str, Any]:
    merged = merge(documents, intent.workload.value)
    return {
        "profiles": [{"name": each.name, "source": each.source} for each in documents],
        "digest": merged.digest,
        "workload": intent.workload.value,
        "rows": [*_tuning(merged, names, values), *_rules(merged, names), *_told(merged, names), *_counters(merged)],
    }


def _tuning(merged: Merged, names: Mapping[str, Any], values: Optional[Mapping[str, Any]]) -> List[Row]:
    rows = []
    for setting in Setting:
        for key, entry in merged.section("tuning", setting.value).items():
            name = f"{setting}.{key}"
            value = _worth(entry, "value", names) if values is None else values.get(name, "left as it is")
            rows.append(_row("tuning", name, entry, value, entry.part("value")))
        for key, entry in merged.section("limits", setting.value).items():
            parts = {part: _worth(entry, part, names) for part in entry.value if part not in ("why", "source")}
            text = ", ".join(f"{part} {value}" for part, value in parts.items())
            rows.append(_row("limits", f"{setting}.{key}", entry, text))
    return rows


def _rules(merged: Merged, names: Mapping[str, Any]) -> List[Row]:
    rows = []
    for section in ("native", "redirect_target", "order"):
        found = merged.get(section)
        if found is not None:
            value, note = (_worth(found, part, names) for part in ("value", "note"))
            rows.append(_row(section, "", found, value, found.part("value"), note))
    for name, entry in merged.section("operations").items():
        costs = {part: _worth(entry, part, names) for part in ("bare", "attached")}
        written = "; ".join(f"{part} {entry.part(part)}" for part in costs if costs[part] != entry.part(part))
        value = ", ".join(f"{part} {cost}" for part, cost in costs.items())
        rows.append(_row("operations", name, entry, value, written, _worth(entry, "note", names)))
    for name, entry in merged.section("undone_by").items():
        rows.append(_row("undone_by", name, entry, ", ".join(entry.value)))
    for name, entry in merged.section("reset_by").items():
        rows.append(_row("reset_by", name, entry, ", ".join(entry.part("by")), "", entry.part("note", "")))
    for name, entry in merged.section("lifted_for").items():
        rows.append(_row("lifted_for", name, entry, ", ".join(entry.part("by")), "", entry.part("note", "")))
    for setting in Setting:
        for key, entry in merged.section("reads_attached", setting.value).items():
            worth = _worth(entry, "value", names)
            rows.append(_row("reads_attached", f"{setting}.{key}", entry, worth, entry.part("value")))
    return rows


def _told(merged: Merged, names: Mapping[str, Any]) -> List[Row]:
    """Conditions and findings: whether they hold here, where that can be told."""
    rows = []
    for section, condition, text, words in (
        ("constraints", "holds", "explain", {True: "met", False: "not met"}),
        ("findings", "when", "text", {True: "told", False: "not told here"}),
    ):
        for name, entry in merged.section(section).items():
            worth = _worth(entry, condition, names)
            value = words[worth] if isinstance(worth, bool) else ""
            rows.append(_row(section, name, entry, value, entry.part(condition), _worth(entry, text, names)))
    return rows


def _counters(merged: Merged) -> List[Row]:
    return [
        _row("counters", name, entry, " | ".join(_way(way) for way in entry.value))
        for name, entry in merged.section("counters").items()
    ]


def _way(way: Mapping[str, Any]) -> str:
    if "absent" in way:
        return f"absent: {way['absent']}"
    text = " + ".join(way["raw"]) + "".join(f" - {name}" for name in way.get("minus", ()))
    return f"{text} (kernel {way['kernel']})" if "kernel" in way else text


def _row(section: str, key: str, entry: Entry, value: Any, written: Any = "", why: Any = "") -> Row:
    told = why or (entry.part("why", "") if isinstance(entry.value, Mapping) else "")
    return {
        "section": section,
        "key": key,
        "value": value,
        "written": "" if written == value else written,
        "why": " ".join(str(told).split()),
        "source": entry.part("source", "") if isinstance(entry.value, Mapping) else "",
        "origin": str(entry.place),
    }


def _worth(entry: Entry, part: str, names: Mapping[str, Any]) -> Any:
    """What a part comes to, or as it is written where it depends on what is not known."""
    written = entry.part(part, "")
    try:
        return expression.evaluate(written, names, entry.place, f"{entry.field}.{part}")
    except BadInput:
        return " ".join(str(written).split())
