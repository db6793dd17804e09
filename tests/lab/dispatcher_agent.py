# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: the ledger of tests/ledger, loaded by xdp-loader behind libxdp's dispatcher, is taken over under
traffic. One JSON answer a line.

tune NIC        -> {}                      the NIC set as a pipeline wants it, and nothing on its hook
begin NIC       -> {}                      the NIC carries the dispatcher; the ledger behind it gets its row
facts           -> the NIC's "xdp", as the engine tells it
refused         -> {"error": TEXT}         of a run that does not say foreign: adopt
adopt TIMES     -> {"actions", "warnings"} once theirs has noted frames; then TIMES reloads of ours
told            -> the last answer of adopt
settle TAKEN    -> {"seen", "escaped"}     when TAKEN frames have arrived, or no more come: what both ledgers have noted
"""

from __future__ import annotations

import base64
import json
import socket
import struct
import sys
import zlib
from pathlib import Path
from typing import Any, Dict, List

from wirespeed import engine
from wirespeed.errors import Refused
from wirespeed.kernel import libbpf
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.pipeline.pins import Paths
from wirespeed.uninstall import uninstall

HOME = Path("/root/ledger")
sys.path.append(str(HOME.parent))

from ledger.reloads import Ledger, wait_until  # noqa: E402
from ledger.stack import Stack  # noqa: E402

PROGRESS = 20
SOURCE, LENGTH = "198.18.0.0", 24
TABLES = {"numbered": [f"{SOURCE}/{LENGTH}"]}


def theirs() -> Dict[str, BpfMap]:
    """The maps of the only program named ``ledger``, by their names."""
    for number in libbpf.ids("bpf_prog_get_next_id"):
        with BpfProgram.by_id(number) as program:
            if program.info.name == "ledger":
                maps = [BpfMap.by_id(each) for each in program.info.map_ids]
                return {each.info.name: each for each in maps}
    raise LookupError("no program is named ledger")


class Agent:
    nic: str
    stack: Stack
    ledger: Ledger
    maps: Dict[str, BpfMap]
    said: Dict[str, Any]

    def tune(self, nic: str) -> Dict[str, Any]:
        """What resets a NIC loses frames, whoever has the hook."""
        Ledger(HOME / "ledger.pipeline.yml", [nic], "root", TABLES).converge()
        uninstall(Paths.from_environment(), keep_state=False)
        return {}

    def begin(self, nic: str) -> Dict[str, Any]:
        self.nic, self.maps = nic, theirs()
        self.maps["numbered"].update(struct.pack("I4s", LENGTH, socket.inet_aton(SOURCE)), b"\1")
        self.stack = Stack(nic)
        self.ledger = Ledger(HOME / "ledger.pipeline.yml", [nic], "root", TABLES, {"foreign": "adopt"})
        self.ledger.edition = 1  # theirs is edition 0
        return {}

    def facts(self) -> Dict[str, Any]:
        return dict(engine.facts([self.nic], None)["nics"][self.nic]["xdp"])

    def refused(self) -> Dict[str, Any]:
        try:
            Ledger(HOME / "ledger.pipeline.yml", [self.nic], "root", TABLES).converge()
        except Refused as error:
            return {"error": str(error)}
        return {"error": ""}

    def adopt(self, times: str) -> Dict[str, Any]:
        wait_until(lambda: self._their_count() >= PROGRESS, "a frame that the program behind the dispatcher notes")
        result = self.ledger.converge()
        for dummy in range(int(times)):
            self.ledger.await_progress(PROGRESS)
            self.ledger.reload()
        self.ledger.await_progress(PROGRESS)
        self.said = {"actions": [step["action"] for step in result["steps"]], "warnings": result["warnings"]}
        return self.said

    def told(self) -> Dict[str, Any]:
        return self.said

    def settle(self, taken: str) -> Dict[str, Any]:
        arrived = lambda: self._their_count() + self.ledger.counted + self.stack.frames  # noqa: E731
        self.ledger.settle(arrived, int(taken))
        before = b"".join(page for dummy, page in self.maps["seen"].items())
        both = bytes(map(sum, zip(before, self.ledger.seen)))
        return {"seen": base64.b64encode(zlib.compress(both, 1)).decode("ascii"), "escaped": self.stack.frames}

    def _their_count(self) -> int:
        values: List[bytes] = self.maps["verdicts"].lookup_percpu(Ledger.COUNTED.to_bytes(4, "little"))
        return sum(int.from_bytes(value[:8], "little") for value in values)


def main() -> None:
    agent = Agent()
    for line in sys.stdin:
        verb, *words = line.split()
        print(json.dumps(getattr(agent, verb)(*words)), flush=True)


if __name__ == "__main__":
    main()
