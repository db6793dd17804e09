# SPDX-License-Identifier: GPL-3.0-or-later
"""Coalescing of single queues beside that of all: where both are asked for, the single queues' counts.

Drivers read one queue, or a copy of their own, for ``coalesce``: asked for both, a run would never end.
"""

from __future__ import annotations

from typing import Dict, List

from ..model.desired import Want
from ..model.settings import Setting


def queue_first(wants: Dict[Setting, Dict[str, Want]]) -> List[str]:
    """Takes from ``wants`` what ``coalesce`` asks of a direction that ``queue_coalesce`` sets; findings."""
    queues, everywhere = wants.get(Setting.QUEUE_COALESCE, {}), wants.get(Setting.COALESCE, {})
    findings = []
    for direction in ("rx", "tx"):
        if not any(direction in key for key in queues):
            continue
        dropped = [key for key in everywhere if direction in key]
        findings += [
            f"coalesce.{key} ({everywhere.pop(key).origin}) left out: queue_coalesce sets {direction} queue by queue."
            for key in dropped
        ]
    if not everywhere:
        wants.pop(Setting.COALESCE, None)
    return findings
