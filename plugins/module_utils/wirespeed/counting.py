# SPDX-License-Identifier: GPL-3.0-or-later
"""Count what the NICs of an intent and their pipelines did over one window, and whether it adds up."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, Optional

from .bundle import Bundle
from .counters.report import CounterReport
from .counters.verify import POLL_S, Watch, subject
from .desire import desire
from .errors import Place
from .model.desired import DesiredNic
from .model.intent import Intent
from .observe import observe
from .pipeline.pins import Paths


def count(
    intent: Intent, bundle: Bundle, paths: Paths, place: Place, seconds: float, min_packets: int
) -> Dict[str, Any]:
    """Watch every pipeline of the intent at once, for ``seconds`` or until each saw ``min_packets``.

    Returns ``findings`` (sentences, empty when all adds up), ``nics`` as a list, ``pipelines`` by name
    and ``text`` for a terminal.
    """
    node = observe(paths, intent.names)
    groups: Dict[Optional[str], List[DesiredNic]] = {}
    for wanted in desire(intent, bundle, node, place).nics:
        if wanted.named:
            groups.setdefault(wanted.pipeline, []).append(wanted)
    watches = [
        Watch.begin(
            [subject(node.nics[each.nic], each.profile.counters) for each in group],
            node.kernel.version,
            paths,
            pipeline,
        )
        for pipeline, group in groups.items()
    ]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not (min_packets and all(each.seen() >= min_packets for each in watches)):
        time.sleep(min(POLL_S, max(0.0, deadline - time.monotonic())))
    too_few = [_too_few(watch, min_packets) for watch in watches if min_packets and watch.seen() < min_packets]
    return _result([watch.end() for watch in watches], too_few)


def _too_few(watch: Watch, wanted: int) -> str:
    where = f"pipeline {watch.pipeline}" if watch.pipeline else ", ".join(watch.subjects)
    return f"{where}: {watch.seen()} packets came in the window, fewer than the {wanted} asked for."


def _result(reports: List[CounterReport], too_few: List[str]) -> Dict[str, Any]:
    nics: List[Dict[str, Any]] = []
    pipelines: Dict[str, Mapping[str, Any]] = {}
    for report in reports:
        data = report.to_json()
        nics += data["nics"]
        if data["pipeline"] is not None:
            pipelines[data["pipeline"]["name"]] = data["pipeline"]
    return {
        "nics": nics,
        "pipelines": pipelines,
        "seconds": max((report.seconds for report in reports), default=0.0),
        "findings": [finding for report in reports for finding in report.findings] + too_few,
        "text": [line for report in reports for line in report.lines()] + [f"FINDING: {text}" for text in too_few],
    }
