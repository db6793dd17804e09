# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways in which a tracer meets packets: at the exit of what the NIC carries, or called by the pipeline."""

from __future__ import annotations

from typing import List, Optional

from ..kernel.bpf_prog import BpfProgram
from ..kernel.grace import wait_for_programs
from ..kernel.libbpf import Handle
from ..pipeline import traced
from .subject import Subject, carried, function_of
from .swap import Swap
from .tracer import Tracer

_FIRST = b"\0\0\0\0"


class Way:
    """``suffix`` ends the name of the interface in the file. ``told``: what happened meanwhile, in sentences."""

    suffix = ""
    told: List[str]

    def begin(self) -> None:
        """Raises the errors of loading, and then has changed nothing."""
        raise NotImplementedError

    def follow(self) -> bool:
        """Goes on with what the NIC carries now; False when there is nothing to trace any more."""
        raise NotImplementedError

    def end(self) -> None:
        """Leaves everything as it was; when it returns, no packet is with the tracer any more."""
        raise NotImplementedError


class TraceBuild(Way):
    """The pipeline's generation with its notes on jumps to the tracer once it has judged a packet."""

    suffix = "trace"

    def __init__(self, tracer: Tracer, swap: Swap) -> None:
        self._tracer, self._swap = tracer, swap
        self.told = swap.told

    def begin(self) -> None:
        with self._tracer.load() as program:
            self._slot = self._tracer.slot()
            self._slot.update(_FIRST, program.fd.to_bytes(4, "little"))
        self._swap.begin(traced.lend(self._tracer.notes, self._slot))

    def follow(self) -> bool:
        return self._swap.follow()

    def end(self) -> None:
        self._slot.delete(_FIRST)
        wait_for_programs()
        self._swap.end()


class AtExit(Way):
    """Of a pipeline behind a root this is the root's exit, which stays the same over reloads; ``swap`` has its notes
    on meanwhile, without it the action alone is known."""

    suffix = "fexit"

    def __init__(self, tracer: Tracer, subject: Subject, swap: Optional[Swap]) -> None:
        """Raises the errors of loading: where the kernel has no trampolines, KernelRefusal."""
        self._tracer, self._subject, self._swap = tracer, subject, swap
        self._link: Optional[Handle] = None
        self._followed = subject.program
        self._program = self._load(subject.program)
        self.told = swap.told if swap else []

    def begin(self) -> None:
        self._attach()
        if self._swap is None:
            return
        try:
            self._swap.begin(traced.lend(self._tracer.notes, self._tracer.slot()))
        except BaseException:
            self._leave()
            raise

    def follow(self) -> bool:
        now = carried(self._subject)
        if now is None:
            return False
        if now != self._followed:
            self._program, before, self._followed = self._load(now), self._followed, now
            self._leave()
            self._attach()
            self.told.append(f"Program {now} followed {before} on {self._subject.nic}; the trace went on with it.")
        return self._swap is None or self._swap.follow()

    def end(self) -> None:
        self._leave()
        wait_for_programs()
        if self._swap is not None:
            self._swap.end()

    def _load(self, number: int) -> BpfProgram:
        with BpfProgram.by_id(number) as target:
            return self._tracer.load((target, function_of(target)), with_notes=int(self._swap is not None))

    def _attach(self) -> None:
        with self._program as program:
            self._link = program.attach_to_exit()

    def _leave(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
