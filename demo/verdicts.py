# SPDX-License-Identifier: GPL-3.0-or-later
"""What the published pipeline counted, read with bpftool: a witness that is not our own code."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Dict, List

import yaml

from .fleet import Member

PIPELINE = "scrubber"
MANIFEST = Path(__file__).parent.parent / "plugins/module_utils/wirespeed/objects/scrubber.pipeline.yml"
PINS = f"/sys/fs/bpf/wirespeed/{PIPELINE}"
SETTLE_SECONDS = 10.0  # how long frames may be under way in an emulated NIC on a loaded machine
LOOK_AGAIN = 0.1


def names() -> List[str]:
    return [str(verdict["name"]) for verdict in yaml.safe_load(MANIFEST.read_text())["verdicts"]]


def _bpftool(member: Member, words: str) -> Any:
    return json.loads(member.node.out(f"bpftool -j {words}"))


def program(member: Member) -> int:
    """Id of the program in slot 0 of the root: the code that frames meet now."""
    slots = _bpftool(member, f"map dump pinned {PINS}/slots")
    return int.from_bytes(bytes(int(byte, 16) for byte in slots[0]["value"]), "little")


def map_of(member: Member, program_id: int) -> int:
    """Id of the verdict counters that this program writes to."""
    used = set(_bpftool(member, f"prog show id {program_id}")["map_ids"])
    maps = (each for each in _bpftool(member, "map show") if each["id"] in used)
    return next(int(each["id"]) for each in maps if each["name"] == "verdicts")


def read(member: Member, map_id: int) -> Dict[str, int]:
    """Packets per verdict name, summed over the processors."""
    rows = [row.get("formatted", row) for row in _bpftool(member, f"map dump id {map_id}")]
    counts = [sum(cpu["value"]["packets"] for cpu in row["values"]) for row in rows]
    return dict(zip(names(), counts))


class Reading:
    """The growth of one node's verdicts since the reading was begun."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self.program = program(member)
        self._map = map_of(member, self.program)
        self._start = read(member, self._map)

    def growth(self, expected: int) -> Dict[str, int]:
        """As soon as it is ``expected`` frames in all, else what it is when time is up."""
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            now = read(self._member, self._map)
            grown = {name: now[name] - self._start[name] for name in now}
            if sum(grown.values()) >= expected or time.monotonic() > end:
                return grown
            time.sleep(LOOK_AGAIN)
