# SPDX-License-Identifier: GPL-3.0-or-later
"""A drift report as lines for a terminal."""

from __future__ import annotations

import json
from typing import Any, Iterator, List, Mapping

from .document import State
from .fleet import Report

SHOWN_ITEMS = 8


def value(plain: Any) -> str:
    """One value, short: RSS tables and rows have hundreds of items."""
    if plain is None or plain == {}:
        return "nothing"
    if isinstance(plain, bool):
        return "on" if plain else "off"
    if isinstance(plain, str):
        return plain
    if isinstance(plain, Mapping):
        return ", ".join(f"{key} {value(item)}" for key, item in plain.items())
    if isinstance(plain, (list, tuple)):
        shown = " ".join(value(item) for item in plain[:SHOWN_ITEMS])
        return f"{shown} ... ({len(plain)} in all)" if len(plain) > SHOWN_ITEMS else shown or "nothing"
    return json.dumps(plain)


def line(deviation: Mapping[str, Any]) -> str:
    """``enp1s0.rings.rx: want 4096, have 256: REASON (igb.yml:31); repair: reset``"""
    if deviation["disruption"] is None:
        return f"{deviation['path']}: {deviation['reason']} {deviation['remedy']} (no step repairs this)"
    also = "".join(f"; {other}" for other in deviation["also"])
    return (
        f"{deviation['path']}: want {value(deviation['want'])}, have {value(deviation['have'])}: "
        f"{deviation['reason']} ({deviation['origin']}); repair: {deviation['disruption']}{also}"
    )


def host_lines(host: Mapping[str, Any]) -> List[str]:
    """A line for each deviation, then for each thing that cannot be had; one that says so where there is neither."""
    if host["reason"]:
        return [f"{host['state']}: {host['reason']}"]
    lacks = [f"unsupported: {each['path']}: {each['reason']} {each['remedy']}" for each in host["unsupported"]]
    return [line(each) for each in host["deviations"]] + lacks or ["no drift"]


def lines(report: Report) -> Iterator[str]:
    """Hosts with drift first, worst first; then those that could not be looked at; the clean ones on one line."""
    for entry in report.entries:
        if entry.state in (State.DRIFT, State.UNSUPPORTED):
            yield entry.host
            yield from (f"    {text}" for text in host_lines(report.read(entry.host)))
    for entry in report.entries:
        if entry.state in (State.FAILED, State.UNREACHABLE):
            yield f"{entry.host}: {entry.state}: {entry.reason}"
    clean = [entry.host for entry in report.entries if entry.state is State.CLEAN]
    if clean:
        yield f"no drift: {', '.join(clean)}"
