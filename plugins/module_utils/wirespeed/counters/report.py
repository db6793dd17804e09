# SPDX-License-Identifier: GPL-3.0-or-later
"""What a window showed: plain data for machines, aligned lines for people. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .judge import Check, Status
from .rss_check import SpreadCheck
from .sandwich import Span, Window
from .table import Counter
from .verdicts import VerdictDelta


@dataclass(frozen=True)
class NicReport:
    """One NIC. ``holder`` says what is on its XDP hook, in words; ``problem`` when it is not what it should be."""

    name: str
    driver: str
    mode: str
    holder: str
    window: Window
    checks: Tuple[Check, ...]
    spread: SpreadCheck
    problem: str = ""

    def lines(self) -> List[str]:
        text = [f"{self.name}  {self.driver}  {self.holder}"]
        text.extend(aligned(_counter_rows(self.window.spans)))
        silent = {counter.value: span.why for counter, span in self.window.spans.items() if not span.known}
        text.extend(by_reason("not told", silent))
        text.extend(_check_lines(self.checks))
        return [*text, f"  spread over queues: {self.spread.status.value}: {self.spread.why}"]


@dataclass(frozen=True)
class PipelineReport:
    """One pipeline over all NICs that carry it. ``problem`` says why its verdicts could not be read or compared."""

    name: str
    nics: Tuple[str, ...]
    verdicts: Optional[VerdictDelta]
    checks: Tuple[Check, ...]
    problem: str = ""

    def lines(self) -> List[str]:
        text = [f"pipeline {self.name} on {', '.join(self.nics) or 'no NIC'}"]
        text.extend(aligned(_verdict_rows(self.verdicts)))
        return [*text, *_check_lines(self.checks)]


@dataclass(frozen=True)
class CounterReport:
    """``findings`` are sentences, empty when nothing is wrong."""

    nics: Tuple[NicReport, ...]
    pipeline: Optional[PipelineReport]
    seconds: float

    @property
    def checks(self) -> Tuple[Check, ...]:
        found = [check for nic in self.nics for check in nic.checks]
        return tuple(found) + (self.pipeline.checks if self.pipeline else ())

    @property
    def findings(self) -> Tuple[str, ...]:
        found: List[str] = []
        for nic in self.nics:
            if nic.problem:
                found.append(f"{nic.name}: {nic.problem}")
            found.extend(f"{nic.name}: the window is invalid: {reason}." for reason in nic.window.invalid)
            found.extend(f"{nic.name}: {sentence(check)}" for check in nic.checks if check.status is Status.BROKEN)
            if nic.spread.status is Status.BROKEN:
                found.append(f"{nic.name}: {nic.spread.why}.")
        return tuple(found) + (pipeline_findings(self.pipeline) if self.pipeline else ())

    def to_json(self) -> Dict[str, Any]:
        pipeline = self.pipeline
        return {
            "seconds": round(self.seconds, 6),
            "findings": list(self.findings),
            "nics": [_nic_json(nic) for nic in self.nics],
            "pipeline": None
            if pipeline is None
            else {
                "name": pipeline.name,
                "nics": list(pipeline.nics),
                "problem": pipeline.problem,
                "verdicts": _verdicts_json(pipeline.verdicts),
                "checks": [_check_json(check) for check in pipeline.checks],
                "text": pipeline.lines(),
            },
        }

    def lines(self) -> List[str]:
        """A table for a terminal, then the findings."""
        text = [line for nic in self.nics for line in nic.lines()]
        text.extend(self.pipeline.lines() if self.pipeline else ())
        text.extend(f"FINDING: {finding}" for finding in self.findings)
        return text


def pipeline_findings(pipeline: PipelineReport) -> Tuple[str, ...]:
    name = f"pipeline {pipeline.name}"
    found = [f"{name}: {pipeline.problem}"] if pipeline.problem else []
    found.extend(f"{name}: {sentence(check)}" for check in pipeline.checks if check.status is Status.BROKEN)
    if pipeline.verdicts and pipeline.verdicts.unseen:
        found.append(
            f"{name}: {pipeline.verdicts.unseen} frames met an empty slot of the root: no instance judged them."
        )
    return tuple(found)


def sentence(check: Check) -> str:
    """A broken invariant with its pair of numbers."""
    left, right = _range(check.left), _range(check.right)
    allowed = f" ({check.tolerance} may be under way)" if check.tolerance else ""
    also = f" Note: {check.why}." if check.why else ""
    return (
        f"{check.invariant.name}: {check.invariant} does not hold: {left} against {right}, "
        f"{abs(check.gap)} frames apart{allowed}. It says: {check.invariant.meaning}.{also}"
    )


def aligned(rows: Sequence[Sequence[str]]) -> List[str]:
    """Columns padded to their widest cell, two blanks apart, two in front."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _range(bounds: Tuple[Optional[int], Optional[int]]) -> str:
    low, high = bounds
    if low is None:
        return "-"
    return str(low) if low == high else f"{low}..{high}"


def by_reason(what: str, reasons: Mapping[str, str]) -> List[str]:
    """One line for each reason, with all names that it stands for."""
    names: Dict[str, List[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    return [f"  {what}: {', '.join(those)}: {why}" for why, those in names.items()]


def _counter_rows(spans: Mapping[Counter, Span]) -> List[List[str]]:
    return [
        [counter.value, _range((span.low, span.high)), f"{span.way.scope.value}, {span.way.confidence.value}", span.why]
        for counter, span in spans.items()
        if span.known and span.way is not None
    ]


def _check_lines(checks: Sequence[Check]) -> List[str]:
    judged = [check for check in checks if check.status is not Status.NOT_APPLICABLE]
    silent = {check.invariant.name: check.why for check in checks if check.status is Status.NOT_APPLICABLE}
    return [*aligned([_check_row(check) for check in judged]), *by_reason("not judged", silent)]


def _check_row(check: Check) -> List[str]:
    numbers = f"{_range(check.left)} {check.invariant.relation.value} {_range(check.right)}"
    return [check.invariant.name, check.status.value, numbers, check.why]


def _verdict_rows(verdicts: Optional[VerdictDelta]) -> List[List[str]]:
    if verdicts is None:
        return []
    return [[name, f"{count.packets} packets", f"{count.bytes} bytes"] for name, count in verdicts.counts.items()]


def _nic_json(nic: NicReport) -> Dict[str, Any]:
    return {
        "name": nic.name,
        "driver": nic.driver,
        "mode": nic.mode,
        "holder": nic.holder,
        "problem": nic.problem,
        "quiet": nic.window.quiet,
        "invalid": list(nic.window.invalid),
        "counters": {counter.value: _span_json(span) for counter, span in nic.window.spans.items()},
        "checks": [_check_json(check) for check in nic.checks],
        "spread": {
            "status": nic.spread.status.value,
            "why": nic.spread.why,
            "queues": {str(queue): count for queue, count in nic.spread.packets.items()},
        },
        "text": nic.lines(),
    }


def _span_json(span: Span) -> Dict[str, Any]:
    """``value`` is null when absent (never 0); ``low`` and ``high`` differ when traffic ran at an edge."""
    way = span.way
    said: Dict[str, Any] = {"value": span.high, "low": span.low, "high": span.high, "why": span.why}
    if way is not None:
        said.update(
            raw=[str(name) for name in way.plus] + [f"-{name}" for name in way.minus],
            scope=way.scope.value,
            includes_xdp_drop=way.includes_xdp_drop,
            confidence=way.confidence.value,
            meaning=way.meaning,
            ref=way.ref,
        )
    if span.queues:
        said["queues"] = {str(queue): high for queue, (_low, high) in span.queues.items()}
    return said


def _check_json(check: Check) -> Dict[str, Any]:
    return {
        "name": check.invariant.name,
        "says": str(check.invariant),
        "meaning": check.invariant.meaning,
        "status": check.status.value,
        "left": list(check.left),
        "right": list(check.right),
        "tolerance": check.tolerance,
        "why": check.why,
    }


def _verdicts_json(verdicts: Optional[VerdictDelta]) -> Optional[Dict[str, Any]]:
    if verdicts is None:
        return None
    counts = {name: {"packets": c.packets, "bytes": c.bytes} for name, c in verdicts.counts.items()}
    return {"by_name": counts, "by_action": dict(verdicts.actions), "empty_slot": verdicts.unseen}
