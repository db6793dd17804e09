# SPDX-License-Identifier: GPL-3.0-or-later
"""A test pipeline on NICs, reloaded by the engine as a run of the site's playbook would.

A reload is a whole converge: look, load a generation that was never there, hand the state over, run the packets of
its manifest, fill its tables, publish, look again, collect what is left of older ones. Where a look at the node takes
seconds, because its processor is emulated, :meth:`Reloaded.repeat` has the same steps without the looks.
"""

from __future__ import annotations

import select
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from wirespeed import bundle, engine
from wirespeed.gather import gather
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.pipeline import instance
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

from .repeat import Pattern, carry_out

PATIENCE = 60.0
METHODS: Mapping[str, Mapping[str, Any]] = {"root": {}, "direct": {"attach": "direct"}}
"""What the intent says of a pipeline for each way of publishing: one write of the root's slot, or bpf_link_update."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """AssertionError that says ``what`` did not happen within PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE:.0f} s"
        select.select([], [], [], 0.0005)


class Reloaded:
    """A pipeline whose manifest is ``manifest``, on ``nics``; ``edition`` numbers the generations.

    ``asked``: what else the intent says of each NIC.
    """

    def __init__(
        self,
        manifest: Path,
        nics: Sequence[str],
        method: str,
        tables: Mapping[str, Sequence[str]] = {},
        asked: Mapping[str, Any] = {},
    ) -> None:
        self.name = manifest.name.partition(".")[0]
        self.edition = 0
        self._nics = nics
        self._asked = asked
        self._entry = {"name": self.name, "manifest": str(manifest), "tables": tables, **METHODS[method]}
        self._bundle = gather([self._entry], [], manifest.parent)
        self._pipeline = bundle.parse(self._bundle).pipelines[self.name]
        self._pattern: Optional[Pattern] = None
        self._paths = Paths.from_environment()
        self._maps: Dict[str, BpfMap] = {}

    def converge(self, check: bool = False) -> Dict[str, Any]:
        """The engine's result."""
        intent = {
            "nics": [{"name": nic, "pipeline": self.name, **self._asked} for nic in self._nics],
            "pipelines": [{**self._entry, "constants": {"edition": self.edition}}],
        }
        return dict(engine.converge(intent, self._bundle, check))

    def reload(self) -> List[str]:
        """To the next edition; the actions that it took."""
        self.edition += 1
        steps = self.converge()["steps"]
        self._pattern = Pattern(steps, self._source(self.edition - 1), self._source(self.edition))
        return [step["action"] for step in steps]

    def repeat(self) -> None:
        """To the next edition by the steps of the :meth:`reload` before."""
        assert self._pattern is not None, "nothing was reloaded yet"
        old, new = self._source(self.edition), self._source(self.edition + 1)
        carry_out(self._paths, new, self._pattern.steps(old, new))
        self.edition += 1

    def _source(self, edition: int) -> PipelineSource:
        return self._pipeline.with_constants({"edition": edition})

    def detach(self) -> None:
        """Take the program off the NICs, as somebody else might; the next converge attaches it again."""
        for nic in self._nics:
            subprocess.run(["bpftool", "link", "detach", "pinned", str(self._paths.link(nic))], check=True)

    @property
    def generations(self) -> List[str]:
        """Those that are loaded, live or not."""
        return list(self._paths.generations(self.name))

    def map(self, name: str) -> BpfMap:
        """A map that all generations share, opened once."""
        if name not in self._maps:
            self._maps[name] = instance.open_map(self._paths, self.name, self.generations[0], name)
        return self._maps[name]

    def verdict(self, number: int) -> int:
        """Packets of a verdict, all CPUs together."""
        values = self.map("verdicts").lookup_percpu(number.to_bytes(4, "little"))
        return sum(int.from_bytes(value[:8], "little") for value in values)


class Ledger(Reloaded):
    """The pipeline of ledger.bpf.c."""

    COUNTED = 1

    @property
    def counted(self) -> int:
        """Frames that are in the ledger, without reading all of it."""
        return self.verdict(self.COUNTED)

    @property
    def latest(self) -> int:
        """The edition that noted the last frame."""
        return int.from_bytes(self.map("latest").lookup(bytes(4)) or b"", "little")

    @property
    def seen(self) -> bytes:
        """A byte for each number that there is room for: how often it was noted."""
        return b"".join(page for dummy, page in self.map("seen").items())

    def await_progress(self, frames: int) -> None:
        """Until the edition that was published last has noted a frame, and ``frames`` more than now are noted."""
        before, edition = self.counted, self.edition
        wait_until(lambda: self.latest == edition and self.counted >= before + frames, f"{frames} frames in a ledger")

    def settle(self, arrived: Callable[[], int], taken: int) -> None:
        """Until all frames that were sent have arrived somewhere, or no more have come for many looks."""
        looks: List[int] = []
        wait_until(lambda: looks.append(arrived()) or looks[-1] >= taken or looks[-400:] == [looks[-1]] * 400, "calm")
