# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges invariants over one window: they hold, are broken, or cannot be told, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import List, Mapping, Optional, Sequence, Tuple

from ..model.nic import XdpMode
from .invariants import INVARIANTS, Invariant, Of, Relation, Slack, Term, When
from .sandwich import Span, Window
from .table import Counter, Scope

NAPI_BUDGET = 64
"""Frames that a driver may have judged but not yet added to its counters, per queue (NAPI_POLL_WEIGHT)."""


class Status(str, Enum):
    HOLDS = "holds"
    BROKEN = "broken"
    NOT_APPLICABLE = "not applicable"
    TOO_LITTLE = "not enough traffic to tell"


@dataclass(frozen=True)
class Facts:
    """What the judge must know beside the window.

    ``mode`` is None without a program; ``rx_queues`` and ``ring`` size the frames under way;
    ``sent`` is what the caller put on the wire, when it knows. ``functions`` is how many virtual
    functions share the port: its own counters then count their frames too.
    """

    mode: Optional[XdpMode]
    rx_queues: int
    ring: int
    sent: Optional[int] = None
    functions: int = 0


@dataclass(frozen=True)
class Check:
    """``left`` and ``right`` are (at least, at most). ``tolerance`` is what may be under way or stale."""

    invariant: Invariant
    status: Status
    left: Tuple[int, int] = (0, 0)
    right: Tuple[int, int] = (0, 0)
    tolerance: int = 0
    why: str = ""

    @property
    def gap(self) -> int:
        """How far the sides are apart beyond their bounds; positive: left is larger."""
        if self.left[0] > self.right[1]:
            return self.left[0] - self.right[1]
        return min(0, self.left[1] - self.right[0])


def judge(window: Window, facts: Facts, invariants: Sequence[Invariant] = INVARIANTS) -> List[Check]:
    """Every invariant with its status. An invalid window judges none."""
    return [_judge(invariant, window, facts) for invariant in invariants]


def _judge(invariant: Invariant, window: Window, facts: Facts) -> Check:
    reason = "; ".join(window.invalid) or _untold(invariant, window, facts) or _unmet(invariant, window, facts)
    if reason:
        return Check(invariant, Status.NOT_APPLICABLE, why=reason)
    left, right = (_sum(side, window, facts) for side in (invariant.left, invariant.right))
    tolerance = _tolerance(invariant, window, facts)
    check = Check(invariant, Status.HOLDS, left, right, tolerance, _caveat(invariant, window))
    too_high = check.gap > tolerance and invariant.relation is not Relation.AT_LEAST
    too_low = -check.gap > tolerance and invariant.relation is not Relation.AT_MOST
    if too_high or too_low:
        return replace(check, status=Status.BROKEN)
    if max(left[1], right[1]) <= tolerance:
        return replace(check, status=Status.TOO_LITTLE)
    return check


def _unmet(invariant: Invariant, window: Window, facts: Facts) -> str:
    for condition in invariant.when:
        reason = _condition(condition, invariant.left[0], window, facts)
        if reason:
            return reason
    return ""


def _condition(condition: When, left: Term, window: Window, facts: Facts) -> str:
    """Empty when it is met, else why not. ``left`` is the term that the condition is about."""
    if condition is When.ATTACHED:
        return "" if facts.mode else "no XDP program is attached"
    if condition is When.NATIVE:
        return "" if facts.mode is XdpMode.NATIVE else f"the program runs in mode {facts.mode or 'none'}, not native"
    if condition is When.DRIVER_COUNTS_XDP:
        return _driver_counts(window.spans[Counter.DRIVER_PACKETS], facts)
    way = window.spans[Counter(left.name)].way
    folds = way.folds if way else frozenset()
    exact = not _forwarded(window) or not folds & {"tx_failed", "redirect_failed"}
    return {
        When.DROP_FOLDS_ABORTED: "" if "aborted" in folds else "the driver counts aborted frames apart from drops",
        When.DROP_APART: "the driver counts aborted frames as drops" if "aborted" in folds else "",
        When.EXACT: "" if exact else "failed TX and redirects cannot be told apart in this counter",
        When.INEXACT: "no failed TX or redirect is mixed into this counter" if exact else "",
    }[condition]


def _driver_counts(packets: Span, facts: Facts) -> str:
    """Under generic XDP the program runs after the driver counted: every driver includes it."""
    if facts.mode is not XdpMode.NATIVE or packets.way is None or packets.way.includes_xdp_drop:
        return ""
    known = packets.way.includes_xdp_drop is not None
    return f"driver_packets {'leaves out' if known else 'may leave out'} frames that XDP consumed"


def _forwarded(window: Window) -> bool:
    actions: Mapping[str, int] = window.verdicts.actions if window.verdicts else {}
    return bool(actions.get("tx", 0) or actions.get("redirect", 0))


def _untold(invariant: Invariant, window: Window, facts: Facts) -> str:
    for term in (*invariant.left, *invariant.right):
        if term.of is Of.VERDICT and window.verdicts is None:
            return "no pipeline was read"
        if term.of is Of.CALLER and facts.sent is None:
            return "the caller did not say how many frames it sent"
        if term.of is Of.NIC:
            reason = _unusable(term, window.spans[Counter(term.name)], facts)
            if reason:
                return reason
    return ""


def _unusable(term: Term, span: Span, facts: Facts) -> str:
    if not span.known:
        return "" if term.optional else f"{term.name} is absent: {span.why}"
    if facts.functions and span.way is not None and span.way.scope is Scope.PORT:
        return f"{term.name} counts the whole port, which {facts.functions} virtual functions share"
    return ""


def _sum(side: Tuple[Term, ...], window: Window, facts: Facts) -> Tuple[int, int]:
    low = high = 0
    for term in side:
        term_low, term_high = _bounds(term, window, facts)
        low, high = low + term_low, high + term_high
    return low, high


def _bounds(term: Term, window: Window, facts: Facts) -> Tuple[int, int]:
    if term.of is Of.CALLER:
        return facts.sent or 0, facts.sent or 0
    if term.of is Of.VERDICT:
        count = window.verdicts.actions[term.name] if window.verdicts else 0
        return count, count
    span = window.spans[Counter(term.name)]
    if span.low is None or span.high is None:
        return 0, 0
    if term.inside is None or span.way is None:
        return span.low, span.high
    if span.way.within_driver is None:
        return min(0, span.low), span.high
    return (span.low, span.high) if span.way.within_driver is term.inside else (0, 0)


def _tolerance(invariant: Invariant, window: Window, facts: Facts) -> int:
    frames = 0
    if not window.quiet:
        per_queue = {Slack.NONE: 0, Slack.POLL: NAPI_BUDGET, Slack.RING: NAPI_BUDGET + facts.ring}[invariant.slack]
        frames = per_queue * max(1, facts.rx_queues)
    return frames + sum(_stale(term, window) for term in (*invariant.left, *invariant.right))


def _stale(term: Term, window: Window) -> int:
    """What a counter may lag behind, at the window's mean rate, when it is refreshed only now and then."""
    if term.of is not Of.NIC:
        return 0
    span = window.spans[Counter(term.name)]
    if span.way is None or not span.way.cadence_ms or not span.high or window.seconds <= 0:
        return 0
    return int(span.high / window.seconds * span.way.cadence_ms / 1000) + 1


def _caveat(invariant: Invariant, window: Window) -> str:
    """Names what might explain a gap but is not told; the reasons stand at the counters themselves."""
    missing = [
        f"{term.name} is not told"
        for term in (*invariant.left, *invariant.right)
        if term.of is Of.NIC and term.optional and not window.spans[Counter(term.name)].known
    ]
    return "; ".join(dict.fromkeys(missing))
