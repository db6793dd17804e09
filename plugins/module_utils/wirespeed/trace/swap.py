# SPDX-License-Identifier: GPL-3.0-or-later
"""The notes of a pipeline on for the time of a trace, also when it is reloaded meanwhile."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import List, Mapping

from ..apply.lock import node_lock
from ..errors import Busy, WirespeedError
from ..kernel.bpf_map import BpfMap
from ..pipeline import traced
from ..pipeline.pins import Paths
from ..pipeline.running import published

PATIENCE_S = 30.0
"""How long a trace that ends waits for another run to let go of the node."""
_LOOK_S = 0.1


class Swap:
    """Between :meth:`begin` and :meth:`end` the published generation runs with its notes on; ``told`` says what else
    happened, a sentence each."""

    def __init__(self, paths: Paths, pipeline: str) -> None:
        self._paths, self._pipeline = paths, pipeline
        self._lent: Mapping[str, BpfMap] = {}
        self._claim = ExitStack()
        self._generation = self._refused = ""
        self.told: List[str] = []

    def begin(self, lent: Mapping[str, BpfMap]) -> None:
        """``lent`` are the tracer's maps (:func:`~..pipeline.traced.lend`). Raises :class:`Busy`, :class:`Refused`, or
        the errors of loading, and then has changed nothing."""
        self._lent = lent
        self._claim.enter_context(traced.claimed(self._paths, self._pipeline))
        try:
            with node_lock(self._paths.run / "lock"):
                self._generation = traced.put(self._paths, self._pipeline, lent)
        except BaseException:
            self._claim.close()
            raise

    def follow(self) -> bool:
        """Puts the notes of what was published meanwhile on. False when nothing is published any more."""
        if traced.in_slot(self._paths, self._pipeline):
            return True
        running = published(self._paths, self._pipeline)
        if running is None:
            return False
        if running == self._refused:
            return True
        try:
            with node_lock(self._paths.run / "lock"):
                self._go_on()
        except Busy:
            pass  # a run is at work: once it has ended
        return True

    def _go_on(self) -> None:
        before = self._generation
        try:
            self._generation = traced.put(self._paths, self._pipeline, self._lent)
            self.told.append(f"Generation {self._generation} followed {before}; the trace went on with it.")
        except WirespeedError as error:
            self._refused = published(self._paths, self._pipeline) or ""
            self.told.append(f"Generation {self._refused} followed {before} and leaves no notes: {error}")

    def end(self) -> None:
        """Takes the notes off; where another run is at work all the time, leaves that to the run after it."""
        deadline = time.monotonic() + PATIENCE_S
        try:
            while True:
                try:
                    with node_lock(self._paths.run / "lock"):
                        traced.take_back(self._paths, self._pipeline)
                    return
                except Busy as busy:
                    if time.monotonic() >= deadline:
                        self.told.append(f"The notes are still on: {busy.problem} The next run takes them off.")
                        return
                time.sleep(_LOOK_S)
        finally:
            self._claim.close()
