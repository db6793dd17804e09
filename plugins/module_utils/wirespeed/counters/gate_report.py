# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report on counters says to the health gate. Pure."""

from __future__ import annotations

from typing import Dict, Iterator, Optional, Sequence, Tuple

from .health_window import Growth, NicWindow
from .judge import NAPI_BUDGET, Check, Status
from .report import CounterReport, NicReport, sentence
from .sandwich import Window
from .table import Counter, Scope

ERRORS = (Counter.ERROR, Counter.XDP_ABORTED)
"""``error_crc`` and ``error_length`` are among ``error``."""


def judged(report: CounterReport) -> Iterator[Tuple[str, str]]:
    """What is true in every window of a NIC that carries the pipeline: a key, and a sentence where it is not.

    How frames spread over queues is left out: that tells of the NIC, not of the program.
    """
    for nic in report.nics:
        yield f"{nic.name}: hook", f"{nic.name}: {nic.problem}" if nic.problem else ""
        yield from _checks(nic.name, nic.checks)
    if report.pipeline:
        yield from _checks(f"pipeline {report.pipeline.name}", report.pipeline.checks)


def _checks(who: str, checks: Sequence[Check]) -> Iterator[Tuple[str, str]]:
    for check in checks:
        if check.status in (Status.HOLDS, Status.BROKEN):
            yield f"{who}: {check.invariant.name}", f"{who}: {sentence(check)}" if check.status is Status.BROKEN else ""


def nic_window(report: NicReport, functions: int) -> NicWindow:
    """A NIC that does not carry the pipeline, or whose counters began anew, tells nothing.

    ``functions`` virtual functions share its port, whose counters then count their frames too.
    """
    if report.problem or report.window.invalid:
        return NicWindow(why=report.problem or f"{'; '.join(report.window.invalid)}.")
    return NicWindow(_frames(report.window, functions), _errors(report.window))


def _errors(window: Window) -> Dict[str, Optional[Growth]]:
    spans = {counter.value: window.spans[counter] for counter in ERRORS}
    return {
        name: None if span.low is None or span.high is None else Growth(span.low, span.high)
        for name, span in spans.items()
    }


def _frames(window: Window, functions: int) -> Optional[int]:
    """At the port only where nothing is under way: how many frames a ring holds back is not known here."""
    driver, wire = window.spans[Counter.DRIVER_PACKETS], window.spans[Counter.WIRE_PACKETS]
    if driver.low is not None:
        return max(0, driver.low - (0 if window.quiet else NAPI_BUDGET * max(1, len(driver.queues))))
    alone = wire.way is not None and (wire.way.scope is not Scope.PORT or not functions)
    return wire.low if window.quiet and alone else None
