# SPDX-License-Identifier: GPL-3.0-or-later
"""A pipeline before it is loaded: its manifest and its object, checked against each other.

Pure: reads the object's ELF and BTF, never the kernel, so a control node can refuse a bad pipeline.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Dict, Mapping

from ..config import sides
from ..config.record_table import record_table
from ..config.references import check_declared
from ..config.tables import RECORDS, Table, table
from ..errors import BadInput, Place
from ..expression import is_expression
from ..kernel import btf as btfs
from ..kernel import elf as elfs
from ..kernel.bpf_map import LRU_HASH, LRU_PERCPU_HASH, NO_COMMON_LRU, PERCPU_ARRAY
from ..kernel.btf import Btf, MapDefinition
from ..kernel.elf import Elf
from ..model.intent import unknown_word
from . import constants, entities, map_limits, sizes
from .expires import offset
from .layout import SECTIONS
from .manifest import VERDICT_MAP, Constant, Manifest
from .map_spec import REFUSE, Lru, MapSpec
from .sections import is_xdp, takes_fragments
from .support import Support

GENERATION_DIGITS = 12
RODATA = ".rodata"
_NOT_LOADED = ("description", "object", "tests", "health", "config", "trace")
_FRAGS = "xdp.frags"
_COUNT_BYTES = 16  # struct ws_count, bpf/include/wirespeed.h
GENERATION_VARIABLE = "bpf_metadata_wirespeed_generation"
TRACE_VARIABLE = "ws_trace"


def digest_of(manifest: Mapping[str, Any], object_bytes: bytes, configured: str = "") -> str:
    """SHA-256 of the manifest, as it was written down, the object, and the configuration where it is made for one."""
    said = {key: value for key, value in manifest.items() if key not in _NOT_LOADED}
    text = json.dumps(said, sort_keys=True, separators=(",", ":")).encode() + b"\0" + object_bytes
    return hashlib.sha256(text + configured.encode()).hexdigest()


@dataclass(frozen=True)
class PipelineSource:
    """``support`` holds our own programs, which every pipeline shares.

    Construction raises :class:`BadInput` when the object is damaged or lacks what the manifest
    names. ``place`` is what those errors call the object. ``loaded_as`` is the digest that it was loaded under by a
    version of ours that wrote the same manifest in other words. ``configured`` is the configuration that the
    generation is made for, so that the same code with other rows is another one; empty where it is for any.
    ``traced`` is the same generation that notes what becomes of each packet (bpf/include/wirespeed_trace.h).
    """

    manifest: Manifest
    object_bytes: bytes
    support: Support = Support()
    place: Place = Place("object")
    loaded_as: str = ""
    configured: str = ""
    traced: bool = False

    def __post_init__(self) -> None:
        try:
            self._check_programs()
            self._check_maps()
            constants.encode(self._constants, self.elf, self.btf, self.place)
        except (LookupError, ValueError, struct.error, RecursionError) as error:
            problem = f"the type information of this object contradicts itself ({error!r})."
            raise BadInput(self.place, ".BTF", problem, "Build it again.") from error

    @cached_property
    def elf(self) -> Elf:
        return elfs.parse(self.object_bytes, self.place)

    @cached_property
    def takes_fragments(self) -> bool:
        """Whether the programs, and so the root before them, take frames of several buffers (BPF_F_XDP_HAS_FRAGS)."""
        return takes_fragments(self.elf.programs()[self.manifest.entry])

    @cached_property
    def btf(self) -> Btf:
        return btfs.of_object(self.elf.section(".BTF"), self.place)

    @cached_property
    def maps(self) -> Mapping[str, MapDefinition]:
        """Every map that the object declares, at the size that it will be loaded with.

        A size that waits for the node's facts (:meth:`on`) is the object's own until then.
        """
        found = sides.sized(btfs.map_definitions(self.btf), self.sizes)
        return {name: replace(each, flags=self.flags.get(name, each.flags)) for name, each in found.items()}

    @property
    def sizes(self) -> Dict[str, int]:
        """By map, what is to be set in place of the object's own ``max_entries``."""
        specs = self.manifest.maps.items()
        return {name: spec.max_entries for name, spec in specs if isinstance(spec.max_entries, int)}

    @cached_property
    def flags(self) -> Dict[str, int]:
        """By map, what is to be set in place of the object's own ``map_flags``: those whose LRU lists are chosen."""
        found, specs = btfs.map_definitions(self.btf), self.manifest.maps.items()
        kinds = {name: spec.lru for name, spec in specs if spec.lru is not None and name in found}
        own = {Lru.PER_CPU: NO_COMMON_LRU, Lru.COMMON: 0}
        return {name: found[name].flags & ~NO_COMMON_LRU | own[kind] for name, kind in kinds.items()}

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The config maps that rows can be written to, by name."""
        return {name: self._table(name, spec) for name, spec in self.manifest.maps.items() if spec.table}

    def _table(self, name: str, spec: MapSpec) -> Table:
        """A size that waits for the node's facts bounds nothing before they are known."""
        side = sides.side_of(self.maps[name])
        refused = spec.overlap == REFUSE
        if spec.table == RECORDS:
            made: Table = record_table(side, self.btf, spec.fields, refused)
        else:
            made = replace(table(side, spec.table, self.btf, spec.value, spec.order), overlap_refused=refused)
        return replace(made, max_entries=sizes.LARGEST) if is_expression(spec.max_entries) else made

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that decides what is loaded: equal digests are the same code and sizes."""
        return self.loaded_as or digest_of(self.manifest.to_json(), self.object_bytes, self.configured)

    @property
    def generation(self) -> str:
        """The short digest that names this code's directory of pins."""
        return self.digest[:GENERATION_DIGITS]

    @property
    def rodata(self) -> Dict[int, bytes]:
        """Offset in .rodata -> bytes: the constants, and the generation where the SDK has room for it."""
        patches = constants.encode(self._constants, self.elf, self.btf, self.place)
        if self.traced:
            patches[self.elf.variable(RODATA, TRACE_VARIABLE).offset] = (1).to_bytes(4, sys.byteorder)
        try:
            room = self.elf.variable(RODATA, GENERATION_VARIABLE)
        except KeyError:
            return patches
        patches[room.offset] = self.generation.encode()[: room.size - 1].ljust(room.size, b"\0")
        return patches

    def with_constants(self, values: Mapping[str, Constant]) -> "PipelineSource":
        """The same pipeline with the intent's constants over the manifest's: another generation."""
        if not values:
            return self
        return replace(
            self, manifest=replace(self.manifest, constants={**self.manifest.constants, **values}), loaded_as=""
        )

    def made_for(self, configured: str) -> "PipelineSource":
        """The same pipeline for this configuration: another generation. One that was loaded is as it was."""
        return self if self.loaded_as or not configured else replace(self, configured=configured)

    def on(self, known: Mapping[str, Any]) -> "PipelineSource":
        """The same pipeline with its sizes and constants worked out for a node; ``known`` is of :mod:`.sizes`."""
        manifest = sizes.evaluated(self.manifest, known, self.place)
        return self if manifest is self.manifest else replace(self, manifest=manifest, loaded_as="")

    @cached_property
    def traceable(self) -> bool:
        """Whether the object was built with ``wirespeed_trace.h``."""
        return TRACE_VARIABLE in self.btf.variables(RODATA)

    def tracing(self) -> "PipelineSource":
        """The same generation with its notes on. Raises KeyError where it is not :attr:`traceable`."""
        return replace(self, traced=True, loaded_as=self.digest)

    @property
    def _constants(self) -> Dict[str, Constant]:
        """Without those that wait for the node's facts."""
        return {name: value for name, value in self.manifest.constants.items() if not is_expression(value)}

    def _check_programs(self) -> None:
        programs = self.elf.programs()
        for name in self.manifest.programs:
            field = "entry" if name == self.manifest.entry else "stages"
            if name not in programs:
                raise unknown_word(self.place, f"{field}: no such program in the object", name, list(programs))
            if not is_xdp(programs[name]):
                raise BadInput(
                    self.place,
                    field,
                    f"program '{name}' is in section '{programs[name]}'.",
                    'Put it in SEC("xdp"), or SEC("xdp.frags") for frames of several buffers.',
                )
            entry = self.manifest.entry
            if takes_fragments(programs[name]) != takes_fragments(programs[entry]):
                raise BadInput(
                    self.place,
                    field,
                    f"program '{name}' is in section '{programs[name]}', but the entry '{entry}' in "
                    f"'{programs[entry]}', and a program array takes only programs like its first (kernel/bpf/core.c, "
                    "bpf_prog_map_compatible).",
                    f'Put both in SEC("{_FRAGS}"), or neither.',
                )

    def _check_maps(self) -> None:
        for name in self.manifest.maps:
            if name not in self.maps and not (name in SECTIONS and self.btf.variables(name)):
                raise unknown_word(self.place, "maps: no such map in the object", name, list(self.maps))
        for name in self.flags:
            if self.maps[name].type not in (LRU_HASH, LRU_PERCPU_HASH):
                raise BadInput(
                    self.place,
                    f"maps.{name}.lru",
                    f"stands on a map of type {self.maps[name].type}, which has no LRU lists.",
                    "Only LRU_HASH and LRU_PERCPU_HASH have them.",
                )
        named, counters = len(self.manifest.verdicts), self.maps.get(VERDICT_MAP)
        if named and (counters is None or counters.max_entries != named):
            has = "no map 'verdicts'" if counters is None else f"{counters.max_entries} verdict counters"
            raise BadInput(
                self.place,
                "verdicts",
                f"the manifest names {named} verdicts, but the object has {has}.",
                "Declare them with WS_VERDICTS(count), and name each in the manifest.",
            )
        if named and counters is not None and (counters.type != PERCPU_ARRAY or counters.value_size != _COUNT_BYTES):
            raise BadInput(
                self.place,
                "verdicts",
                f"the object's map 'verdicts' (type {counters.type}, values of {counters.value_size} bytes) is no "
                "array of packets and bytes per CPU.",
                "Declare it with WS_VERDICTS(count), or name no verdicts in the manifest.",
            )
        for name, spec in self.manifest.maps.items():
            if spec.expires is not None:
                offset(self.maps[name], self.btf, spec.expires)
            map_limits.check(name, spec.health, self.maps, self.btf)
        entities.check(self.manifest.entities, self.maps, self.btf)
        check_declared(self.tables)  # building them refuses keys that no row can be written to
