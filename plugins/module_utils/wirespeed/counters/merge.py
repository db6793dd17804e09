# SPDX-License-Identifier: GPL-3.0-or-later
"""Several NICs of one pipeline as one. Pure.

Verdicts are counted per pipeline, not per NIC: only the sum over all its NICs can be compared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Mapping, Optional

from .sandwich import Span, Window
from .table import Alternative, Counter


def merged(windows: Mapping[str, Window]) -> Window:
    """The sum of the windows, by NIC name. A counter that one NIC does not tell is absent in the sum."""
    if len(windows) == 1:
        return next(iter(windows.values()))
    invalid = [f"{name}: {problem}" for name, window in windows.items() for problem in window.invalid]
    first = next(iter(windows.values()))
    spans: Dict[Counter, Span] = {
        counter: _sum(counter, {name: window.spans[counter] for name, window in windows.items()})
        for counter in first.spans
    }
    quiet = all(window.quiet for window in windows.values())
    return Window(spans, first.verdicts, first.seconds, quiet, tuple(dict.fromkeys(invalid)))


def _sum(counter: Counter, spans: Mapping[str, Span]) -> Span:
    low = high = 0
    for name, span in spans.items():
        if span.low is None or span.high is None:
            return Span(counter, None, None, f"{name}: {span.why}")
        low, high = low + span.low, high + span.high
    why = "; ".join(f"{name}: {span.why}" for name, span in spans.items() if span.why)
    return Span(counter, low, high, why, _common([span.way for span in spans.values() if span.way]))


def _common(ways: List[Alternative]) -> Optional[Alternative]:
    """One description for the sum: what all say, or unknown."""
    if not ways:
        return None
    return replace(
        ways[0],
        includes_xdp_drop=_same([way.includes_xdp_drop for way in ways]),
        within_driver=_same([way.within_driver for way in ways]),
        folds=frozenset().union(*(way.folds for way in ways)),
        cadence_ms=max(way.cadence_ms for way in ways),
    )


def _same(flags: List[Optional[bool]]) -> Optional[bool]:
    return flags[0] if all(flag is flags[0] for flag in flags) else None
