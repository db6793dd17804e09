# SPDX-License-Identifier: GPL-3.0-or-later
"""A scrubber that no NIC carries: loaded with some constants, filled with a document, run on single frames."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, Tuple

from wirespeed.config import live, sides
from wirespeed.config.outer import Outer
from wirespeed.kernel.bpf_map import HASH_TYPES, BpfMap
from wirespeed.kernel.bpf_object import BpfObject
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.model.row import row_text
from wirespeed.pipeline.source import PipelineSource

ROOM = 16384
"""Entries of hashes: more than any test here puts in."""
EVENTS = (
    *("flow_made", "flow_expired", "flow_no_room", "bucket_made", "bucket_no_room"),
    *("verified_made", "verified_expired", "verified_no_room", "entity_no_room"),
)
FLOW_STATES = ("", "opening", "established", "closing")
_FLOW = struct.Struct("=16s16s2s2sIHH")
_FLOW_SEEN = struct.Struct("=QQ")
_COUNT = struct.Struct("=QQ")
_ENTITY = struct.Struct("=IIHH")


class Loaded:
    def __init__(self, source: PipelineSource, opened: BpfObject) -> None:
        self.source = source
        self.maps: Dict[str, BpfMap] = dict(opened.maps())
        self.program: BpfProgram = dict(opened.programs())[source.manifest.entry]
        self.names = [verdict.name for verdict in source.manifest.verdicts]

    def write(self, document: Mapping[str, List[Any]]) -> None:
        for name, rows in document.items():
            table = self.source.tables[name]
            texts = [row if isinstance(row, str) else row_text(row) for row in rows]
            live.change(self.maps[sides.names(name)[0]], table, list(table.keys(texts, self.source.place)), ())

    def counts(self) -> Dict[str, Tuple[int, int]]:
        """Packets and bytes of each verdict that had any."""
        read = {name: self._sum(self.maps["verdicts"], _index(i)) for i, name in enumerate(self.names)}
        return {name: count for name, count in read.items() if count[0]}

    def entities(self) -> Dict[Tuple[int, int, str, bool], int]:
        """Packets by customer, policy, verdict, and whether it was a dry run's."""
        found = {}
        for key, dummy in self.maps["entities"].items():
            customer, policy, verdict, dry_run = _ENTITY.unpack(key)
            found[customer, policy, self.names[verdict], bool(dry_run)] = self._sum(self.maps["entities"], key)[0]
        return found

    def flows(self) -> Dict[Tuple[int, int, int, bytes, int, bytes, int], str]:
        """State by version, policy, protocol, inside and its port, outside and its port."""
        found = {}
        for key, value in self.maps["flows"].items():
            inside, outside, port, other, policy, version, protocol = _FLOW.unpack(key)
            size = 4 if version == 4 else 16
            ends = (inside[:size], int.from_bytes(port, "big"), outside[:size], int.from_bytes(other, "big"))
            found[version, policy, protocol, *ends] = FLOW_STATES[_FLOW_SEEN.unpack(value)[1]]
        return found

    def events(self) -> Dict[str, int]:
        read = {name: self.maps["state_events"].lookup_percpu(_index(i)) for i, name in enumerate(EVENTS)}
        counts = {name: sum(int.from_bytes(cell[:8], "little") for cell in cells) for name, cells in read.items()}
        return {name: count for name, count in counts.items() if count}

    def close(self) -> None:
        for each in self.maps.values():
            each.close()
        self.program.close()

    @staticmethod
    def _sum(found: BpfMap, key: bytes) -> Tuple[int, int]:
        cells = [_COUNT.unpack_from(cell) for cell in found.lookup_percpu(key)]
        return sum(packets for packets, dummy in cells), sum(size for dummy, size in cells)


def _index(number: int) -> bytes:
    return number.to_bytes(4, "little")


@contextmanager
def loaded(source: PipelineSource, **sizes: int) -> Iterator[Loaded]:
    """``sizes`` of maps, by name, other than :data:`ROOM` or what the object has."""
    hashes = {each.name: ROOM for each in source.maps.values() if each.type in HASH_TYPES and each.max_entries > ROOM}
    with BpfObject(source.object_bytes, "scrubber") as opened:
        opened.only(source.manifest.programs)
        opened.patch_rodata(source.rodata)
        room = {**hashes, **sizes}
        sides.resize(opened, source.maps, room)
        for name, flags in source.flags.items():
            opened.set_flags(name, flags)
        with Outer(opened, sides.sized(source.maps, room), source.btf) as outer:
            opened.load()
            outer.fill(opened)
        found = Loaded(source, opened)
    try:
        yield found
    finally:
        found.close()
