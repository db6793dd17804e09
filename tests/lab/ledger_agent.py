# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: the ledger of tests/ledger on one NIC, reloaded under traffic. One JSON answer a line.

begin NIC METHOD  -> {}                      the pipeline on NIC alone; METHOD as in tests/ledger/reloads.py
reload TIMES      -> {"seconds": [...]}      reloads, each after frames have been noted since the one before
gap TIMES         -> {}                      the same, with the program off the NIC until a frame has come past it
settle TAKEN      -> {"seen", "escaped"}     when TAKEN frames have arrived, or no more come: the ledger (zlib, base64)
"""

from __future__ import annotations

import base64
import json
import sys
import time
import zlib
from pathlib import Path
from typing import Any, Dict

from wirespeed import pipeline_engine

HOME = Path("/root/ledger")
sys.path.append(str(HOME.parent))

from ledger.reloads import Ledger, wait_until  # noqa: E402
from ledger.stack import Stack  # noqa: E402

PROGRESS = 20
"""Frames that must be noted between two reloads: 10 ms of the traffic that every emulated NIC takes."""
SOURCES = ["198.18.0.0/24"]


class Agent:
    ledger: Ledger
    stack: Stack

    def begin(self, nic: str, method: str) -> Dict[str, Any]:
        pipeline_engine.detached("ledger", [], False)
        self.ledger = Ledger(HOME / "ledger.pipeline.yml", [nic], method, {"numbered": SOURCES})
        self.ledger.converge()
        self.stack = Stack(nic)
        return {}

    def reload(self, times: str) -> Dict[str, Any]:
        """The first by a whole converge, the others by its steps: looking at a node of four NICs takes seconds here."""
        seconds = []
        for number in range(int(times)):
            self.ledger.await_progress(PROGRESS)
            start = time.monotonic()
            self.ledger.repeat() if number else self.ledger.reload()
            seconds.append(time.monotonic() - start)
        self.ledger.await_progress(PROGRESS)
        return {"seconds": seconds}

    def gap(self, times: str) -> Dict[str, Any]:
        for dummy in range(int(times)):
            self.ledger.await_progress(PROGRESS)
            before = self.stack.frames
            self.ledger.detach()
            wait_until(lambda before=before: self.stack.frames > before, "a frame that nothing filters")
            self.ledger.reload()
        self.ledger.await_progress(PROGRESS)
        return {}

    def settle(self, taken: str) -> Dict[str, Any]:
        self.ledger.settle(lambda: self.ledger.counted + self.stack.frames, int(taken))
        seen = base64.b64encode(zlib.compress(self.ledger.seen, 1)).decode("ascii")
        return {"seen": seen, "escaped": self.stack.frames}


def main() -> None:
    agent = Agent()
    for line in sys.stdin:
        verb, *words = line.split()
        print(json.dumps(getattr(agent, verb)(*words)), flush=True)


if __name__ == "__main__":
    main()
