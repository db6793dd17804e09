# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches NICs and their pipeline over one window and judges what the counters say.

::

    watch = Watch.begin([subject(nic, profile.counters)], kernel, paths, "scrubber")
    ...  # traffic
    report = watch.end(sent=1000)

The caller sends the traffic; :func:`verify_window` only waits for it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..errors import KernelRefusal, Place, WirespeedError
from ..kernel import rtnetlink
from ..kernel.bpf_prog import BpfProgram
from ..model.nic import Nic, XdpMode
from ..model.settings import Setting
from ..pipeline.links import pinned_links
from ..pipeline.pins import Paths
from . import raw, rss_check
from .invariants import INVARIANTS, Invariant, Of
from .judge import Facts, judge
from .merge import merged
from .report import CounterReport, NicReport, PipelineReport
from .sandwich import Sandwich, Window, settled, take, window
from .table import Counter, CounterTable, parse
from .unify import UnifiedCounters, unify
from .verdict_map import VerdictMap, root_program

PAUSE_S = 0.02
"""Between two looks at whether anything still moves: longer than an interrupt is held back."""

SETTLE_TRIES = 25
POLL_S = 0.1

_WITH_VERDICTS = tuple(i for i in INVARIANTS if any(t.of is Of.VERDICT for t in (*i.left, *i.right)))
_WITHOUT_VERDICTS = tuple(i for i in INVARIANTS if i not in _WITH_VERDICTS)


@dataclass(frozen=True)
class Subject:
    """A NIC as observed, with the counter table of its profile."""

    nic: Nic
    table: CounterTable


def subject(nic: Nic, counters: Mapping[str, Any]) -> Subject:
    """``counters`` is ``ResolvedProfile.counters``. Raises BadInput."""
    return Subject(nic, parse(counters, Place(f"counters of the profile for {nic.name}")))


def read_now(who: Subject, kernel: Tuple[int, int]) -> UnifiedCounters:
    """One reading, without a window: totals since whenever each counter began."""
    return unify(who.table, raw.read(who.nic.name, who.nic.ifindex), kernel)


class Watch:
    """A window under way."""

    def __init__(
        self, subjects: Sequence[Subject], kernel: Tuple[int, int], paths: Paths, pipeline: Optional[str]
    ) -> None:
        self.subjects = {who.nic.name: who for who in subjects}
        self.kernel = kernel
        self.paths = paths
        self.pipeline = pipeline
        self.problem = ""
        self.start: Dict[str, Sandwich] = settled(self._take, _pause, SETTLE_TRIES)

    @classmethod
    def begin(
        cls, subjects: Sequence[Subject], kernel: Tuple[int, int], paths: Paths, pipeline: Optional[str] = None
    ) -> "Watch":
        """Waits, for at most half a second, until nothing is under way. Raises KernelRefusal (NIC gone)."""
        return cls(subjects, kernel, paths, pipeline)

    def seen(self) -> int:
        """Frames so far: verdicts where a pipeline is read, else what the drivers took from their rings."""
        windows = {name: window(self.start[name], now) for name, now in self._take().items()}
        verdicts = next(iter(windows.values())).verdicts
        if verdicts is not None:
            return verdicts.total
        return sum(each.spans[Counter.DRIVER_PACKETS].low or 0 for each in windows.values())

    def end(self, sent: Optional[int] = None, flows: Optional[int] = None) -> CounterReport:
        """Judges the window. ``sent`` frames in ``flows`` flows came in meanwhile, if the caller knows."""
        finish = settled(self._take, _pause, SETTLE_TRIES)
        windows = {name: window(self.start[name], finish[name]) for name in self.subjects}
        return _report(self, windows, sent, flows)

    def _take(self) -> Dict[str, Sandwich]:
        """The maps are opened anew each time: a reload may have replaced them."""
        readers = {name: partial(read_now, who, self.kernel) for name, who in self.subjects.items()}
        if self.pipeline is not None:
            try:
                with VerdictMap(self.paths, self.pipeline) as maps:
                    return take(readers, maps.read, self._life, time.monotonic_ns)
            except WirespeedError as unreadable:
                self.problem = str(unreadable)
        return take(readers, None, self._life, time.monotonic_ns)

    def _life(self, name: str) -> Mapping[str, str]:
        link = rtnetlink.link(self.subjects[name].nic.ifindex)
        programs = ", ".join(f"{mode} program {number}" for mode, number in link.xdp) or "none"
        return {"the XDP program": programs, "the number of carrier changes": str(link.carrier_changes)}


def verify_window(
    subjects: Sequence[Subject],
    kernel: Tuple[int, int],
    paths: Paths,
    pipeline: Optional[str] = None,
    seconds: float = 10.0,
    packets: Optional[int] = None,
    sent: Optional[int] = None,
    flows: Optional[int] = None,
) -> CounterReport:
    """Watches until ``packets`` frames were seen, at most for ``seconds``; without ``packets`` for ``seconds``."""
    watch = Watch.begin(subjects, kernel, paths, pipeline)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and (packets is None or watch.seen() < packets):
        time.sleep(min(POLL_S, max(0.0, deadline - time.monotonic())))
    return watch.end(sent, flows)


def _pause() -> None:
    time.sleep(PAUSE_S)


def _report(watch: Watch, windows: Mapping[str, Window], sent: Optional[int], flows: Optional[int]) -> CounterReport:
    expected = _expected(watch)
    alone = len(windows) == 1 and not _others(watch)
    nics = []
    for name, one in windows.items():
        checks = INVARIANTS if alone else _WITHOUT_VERDICTS
        nics.append(_nic_report(watch.subjects[name], one, expected, checks, sent if alone else None, flows))
    seconds = max(one.seconds for one in windows.values())
    pipeline = _pipeline_report(watch, windows, sent) if watch.pipeline else None
    return CounterReport(tuple(nics), pipeline, seconds)


def _nic_report(
    who: Subject,
    one: Window,
    expected: Optional[int],
    checks: Sequence[Invariant],
    sent: Optional[int],
    flows: Optional[int],
) -> NicReport:
    mode, number = _hook(who)
    holder, problem = _holder(mode, number, expected)
    counted = one.spans[Counter.DRIVER_PACKETS]
    packets = {queue: high for queue, (_low, high) in counted.queues.items()}
    table: Any = who.nic.settings[Setting.RSS].values.get("indirection") if Setting.RSS in who.nic.settings else None
    spread = rss_check.check(packets, table, flows, counted.why or "the driver counts no queue apart")
    judged = tuple(judge(one, _facts([who], mode, sent), checks))
    return NicReport(who.nic.name, who.nic.driver, str(mode or "none"), holder, one, judged, spread, problem)


def _hook(who: Subject) -> Tuple[Optional[XdpMode], int]:
    attached = rtnetlink.link(who.nic.ifindex).xdp
    return attached[0] if attached else (None, 0)


def _holder(mode: Optional[XdpMode], number: int, expected: Optional[int]) -> Tuple[str, str]:
    if mode is None:
        return "no XDP program", "" if expected is None else "no XDP program is attached, so nothing is judged."
    words = f"XDP {mode}, program {number} ({_program_name(number)})"
    if expected is None or number == expected:
        return words, ""
    return words, f"the XDP hook is held by program {number} ({_program_name(number)}), not by the pipeline's root."


def _program_name(number: int) -> str:
    try:
        with BpfProgram.by_id(number) as program:
            return program.info.name
    except KernelRefusal:
        return "gone"


def _facts(subjects: Sequence[Subject], mode: Optional[XdpMode], sent: Optional[int]) -> Facts:
    queues = ring = functions = 0
    for who in subjects:
        channels = who.nic.settings[Setting.CHANNELS].values if Setting.CHANNELS in who.nic.settings else {}
        rings = who.nic.settings[Setting.RINGS].values if Setting.RINGS in who.nic.settings else {}
        queues += max(1, _number(channels.get("combined")) + _number(channels.get("rx")))
        ring = max(ring, _number(rings.get("rx")))
        functions += raw.virtual_functions(who.nic.name)
    return Facts(mode, queues, ring, sent, functions)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _expected(watch: Watch) -> Optional[int]:
    if watch.pipeline is None or not watch.paths.root(watch.pipeline).exists():
        return None
    return root_program(watch.paths, watch.pipeline)


def _carrying(watch: Watch) -> Tuple[str, ...]:
    """The NICs that carry the watched pipeline's root."""
    links = pinned_links(watch.paths) if watch.pipeline else ()
    return tuple(link.ifname for link in links if link.pipeline == watch.pipeline and link.ifindex)


def _others(watch: Watch) -> List[str]:
    """Those of them that are not watched: their frames have verdicts in the same maps."""
    return sorted(set(_carrying(watch)) - set(watch.subjects))


def _pipeline_report(watch: Watch, windows: Mapping[str, Window], sent: Optional[int]) -> PipelineReport:
    """With one NIC its checks stand at the NIC; with several the sums are judged here."""
    name = str(watch.pipeline)
    carrying, others = _carrying(watch), _others(watch)
    total = merged(windows)
    if watch.problem:
        return PipelineReport(name, carrying, None, (), watch.problem)
    if others:
        why = f"it also runs on {', '.join(others)}, which are not watched: verdicts cannot be compared."
        return PipelineReport(name, carrying, total.verdicts, (), why)
    checks: List[Any] = []
    if len(windows) > 1:
        modes = {_hook(who)[0] for who in watch.subjects.values()}
        if len(modes) > 1:
            return PipelineReport(name, carrying, total.verdicts, (), "its NICs run it in different modes.")
        checks = judge(total, _facts(list(watch.subjects.values()), modes.pop(), sent), _WITH_VERDICTS)
    return PipelineReport(name, carrying, total.verdicts, tuple(checks))
