# SPDX-License-Identifier: GPL-3.0-or-later
"""Causes and what they rest on: plain data for machines, lines for people. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from .cause import Cause, Stage
from .evidence import Deep, Evidence


def to_json(seen: Evidence, found: Sequence[Cause]) -> Dict[str, Any]:
    """``causes`` the likeliest first. In ``evidence`` what was not seen is null, or is not there."""
    return {
        "nic": seen.nic,
        "driver": seen.driver,
        "seconds": round(seen.seconds, 3),
        "lost": seen.lost,
        "causes": [
            {
                "stage": cause.stage.value,
                "says": cause.says,
                "confidence": cause.confidence.value,
                "frames": cause.frames,
                "evidence": list(cause.evidence),
                "advice": list(cause.advice),
            }
            for cause in found
        ],
        "evidence": {
            "counters": {counter.value: count for counter, count in seen.grown.items()},
            "queues": {str(queue): count for queue, count in seen.queues.items()},
            "imbalance": round(seen.imbalance, 2) if seen.queues else None,
            "queue_cpus": {str(queue): sorted(cpus) for queue, cpus in seen.queue_cpus.items()},
            "cpus": {str(cpu): vars(use).copy() for cpu, use in seen.cpus.items()},
            "ring": seen.ring,
            "ring_most": seen.ring_most,
            "carrier_changes": seen.carrier_changes,
            "pcie": vars(seen.pcie).copy() if seen.pcie else None,
            "program": vars(seen.program).copy() if seen.program else None,
            "pause": vars(seen.pause).copy() if seen.pause else None,
            "stalls": None
            if seen.stalls is None
            else {
                str(cpu): {"longest": stall.longest, "late": round(stall.late, 6)} for cpu, stall in seen.stalls.items()
            },
            "stood_still": seen.stood_still,
            "deep": _deep(seen.deep),
            "verdicts": dict(seen.verdicts),
            "actions": dict(seen.actions),
            "exceptions": seen.exceptions,
            "redirect_errors": None
            if seen.redirect_errors is None
            else {str(k): v for k, v in seen.redirect_errors.items()},
        },
        "unseen": list(seen.unseen),
    }


def _deep(deep: Optional[Deep]) -> Optional[Dict[str, Any]]:
    if deep is None:
        return None
    waits = {
        str(cpu): {"times": each.times, "half_below": each.below(0.5), "all_below": each.below(1.0)}
        for cpu, each in deep.waits.items()
    }
    return {"reasons": dict(deep.reasons), "waits": waits, "polls": deep.polls, "full": deep.full}


def lines(seen: Evidence, found: Sequence[Cause]) -> List[str]:
    text = [f"{seen.nic}  {seen.driver}  {seen.seconds:.1f} s: {seen.lost} frames lost"]
    for number, cause in enumerate(found, start=1):
        where = "" if cause.stage is Stage.NOTHING else f"{cause.stage}: "
        text.append(f"{number}. {where}{cause.says} ({cause.confidence})")
        text += [f"     {evidence}" for evidence in cause.evidence]
        text += [f"   > {advice}" for advice in cause.advice]
    return text + [f"not seen: {each}" for each in seen.unseen]
