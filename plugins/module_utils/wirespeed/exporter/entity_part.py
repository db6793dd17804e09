# SPDX-License-Identifier: GPL-3.0-or-later
"""What pipelines count by entity (customer, policy), where their manifests say in which map. Asked for, and capped."""

from __future__ import annotations

import struct
from array import array
from functools import partial
from operator import add
from typing import Dict, List, Mapping, Set, Tuple

from ..kernel import bpf_batch, libbpf
from ..kernel.bpf_map import BpfMap
from ..pipeline import instance, records
from ..pipeline.entities import Entities, Layout, layout
from ..pipeline.manifest import Manifest
from ..pipeline.pins import Paths
from .continuity import MapTotals
from .live import Live, living, tried
from .samples import Entity, EntityCounts, Labels

Key = Tuple[int, ...]
"""The numbers of the labels, and of the verdict where the map tells it."""

_WORD = 8


class EntityPart:
    """``most`` entities of each pipeline. One that has a place keeps it for as long as it is counted, so that its
    series does not come and go; free places go to those with the most packets."""

    def __init__(self, paths: Paths, most: int) -> None:
        self._paths, self._most = paths, most
        self._packets: Dict[str, MapTotals[Key]] = {}
        self._bytes: Dict[str, MapTotals[Key]] = {}
        self._shown: Dict[str, Set[Key]] = {}
        self._layouts: Dict[Tuple[str, str], Layout] = {}

    def read(self) -> Tuple[List[EntityCounts], List[str]]:
        """And what went wrong, in words."""
        found: List[EntityCounts] = []
        failed: List[str] = []
        for name in self._paths.pipelines():
            failed += tried(name, partial(self._pipeline, found, name))
        return found, failed

    def _pipeline(self, found: List[EntityCounts], name: str) -> None:
        live = living(self._paths, name)
        if live is None or live.manifest is None or live.manifest.entities is None:
            return
        said = live.manifest.entities
        packets, size = self._packets.setdefault(name, MapTotals()), self._bytes.setdefault(name, MapTotals())
        if said.map not in live.pending or not packets.values:
            places = self._layout(live, said)
            with instance.open_map(self._paths, name, live.generation, said.map) as opened:
                map_id = opened.info.id
                counted = read(opened, places)
            packets.told(map_id, counted[0], said.map in live.reset)
            size.told(map_id, counted[1], said.map in live.reset)
        found.append(self._chosen(live.manifest, said, packets.values, size.values))

    def _layout(self, live: Live, said: Entities) -> Layout:
        key = (live.pipeline, live.generation)
        if key not in self._layouts:
            source = records.stored(self._paths, *key)
            self._layouts = {old: each for old, each in self._layouts.items() if old[0] != live.pipeline}
            self._layouts[key] = layout(said, source.maps, source.btf)
        return self._layouts[key]

    def _chosen(
        self, manifest: Manifest, said: Entities, packets: Mapping[Key, int], size: Mapping[Key, int]
    ) -> EntityCounts:
        width = len(said.labels)
        by_entity: Dict[Key, int] = {}
        for key, count in packets.items():
            entity = key[:width]
            by_entity[entity] = by_entity.get(entity, 0) + count
        shown = self._shown.get(manifest.name, set()) & by_entity.keys()
        free = self._most - len(shown)
        if free and len(shown) < len(by_entity):
            others = sorted(by_entity.keys() - shown, key=lambda each: (-by_entity[each], each))
            shown |= set(others[:free])
        self._shown[manifest.name] = shown
        rows = tuple(
            Entity(_texts(key[:width]), _verdict(manifest, key[width:]), count, size.get(key, 0))
            for key, count in packets.items()
            if key[:width] in shown
        )
        return EntityCounts(manifest.name, said.labels, rows, len(by_entity) - len(shown))


def read(found: BpfMap, places: Layout) -> Tuple[Dict[Key, int], Dict[Key, int]]:
    """Packets, and bytes, of all CPUs together, by the numbers of the labels and the verdict."""
    keys, values = bpf_batch.read(found)
    words, cpus = array("Q", values), libbpf.possible_cpus() if found.info.percpu else 1
    row = found.stride // _WORD
    each = row // cpus
    sums = []
    for at in (places.packets, places.bytes):
        total = words[at::row]
        for cpu in range(1, cpus):
            total = array("Q", map(add, total, words[cpu * each + at :: row]))
        sums.append(total)
    packets: Dict[Key, int] = {}
    size: Dict[Key, int] = {}
    order = places.order
    for numbers, some, many in zip(struct.iter_unpack(places.key, keys), *sums):
        key = tuple([numbers[place] for place in order])
        packets[key] = packets.get(key, 0) + some
        size[key] = size.get(key, 0) + many
    return packets, size


def _texts(numbers: Key) -> Labels:
    return tuple(map(str, numbers))


def _verdict(manifest: Manifest, numbers: Key) -> str:
    """Its name; the number where the manifest has none, empty where the map does not tell it."""
    if not numbers:
        return ""
    (number,) = numbers
    return manifest.verdicts[number].name if number < len(manifest.verdicts) else str(number)
