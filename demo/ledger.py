# SPDX-License-Identifier: GPL-3.0-or-later
"""Sent against counted, frame by frame."""

from __future__ import annotations

from typing import Dict, List

from .say import check
from .table import columns
from .traffic import Sent

EXPECTED = {"pass": "allowed", "deny_prefix_v4": "denied"}


def lines(sent: Dict[str, Sent], counted: Dict[str, Dict[str, int]]) -> List[str]:
    """The arithmetic of every node in one table."""
    rows = [["node", "sent", "= denied", "+ allowed", "dropped", "passed", "other", "unaccounted"]]
    for name, frames in sent.items():
        found = counted[name]
        passed, dropped = found["pass"], found["deny_prefix_v4"]
        other = sum(found.values()) - passed - dropped
        left = frames.all - passed - dropped - other
        rows.append([name, *map(str, (frames.all, frames.denied, frames.allowed, dropped, passed, other, left))])
    return columns(rows)


def hold(sent: Dict[str, Sent], counted: Dict[str, Dict[str, int]]) -> None:
    """Every frame has the verdict that its source asks for, and there is no frame nobody sent."""
    for name, frames in sent.items():
        found = counted[name]
        wanted = {verdict: getattr(frames, sort) for verdict, sort in EXPECTED.items()}
        for verdict in found:
            want, have = wanted.get(verdict, 0), found[verdict]
            check(have == want, f"{name}: {want} frames for the verdict {verdict} were sent, {have} were counted.")
