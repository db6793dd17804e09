# SPDX-License-Identifier: GPL-3.0-or-later
"""What an author should think about in a manifest that is right, each with the field that it is about. Pure."""

from __future__ import annotations

from typing import Iterator, Tuple

from ..config import sides
from ..kernel.bpf_map import NO_COMMON_LRU
from . import constants
from .guess import guess
from .handover import PREDECESSOR, SCRATCH, promotable
from .manifest import VERDICT_MAP
from .map_spec import Role
from .map_words import type_name
from .sections import is_xdp, takes_fragments
from .skeleton import counts_verdicts
from .source import PipelineSource

Advice = Tuple[str, str]
"""The field, and a sentence."""

_TAKEN_AT_ONCE = 128  # LOCAL_FREE_TARGET, kernel/bpf/bpf_lru_list.c; newer kernels take fewer of a small map
_PLAIN_VALUES = ("HASH", "ARRAY", "PERCPU_HASH", "PERCPU_ARRAY", "LRU_HASH", "LRU_PERCPU_HASH", "LPM_TRIE")
_LRU = ("LRU_HASH", "LRU_PERCPU_HASH")


def advice(source: PipelineSource, cpus: int) -> Iterator[Advice]:
    """``cpus`` are the possible ones of the node that the sizes were worked out for."""
    yield from _programs(source)
    yield from _maps(source)
    for name, found in source.maps.items():
        if type_name(found.type) in _LRU and name not in _inside(source):
            yield from _lru(name, found.max_entries, found.flags, cpus)
    yield from _verdicts(source)
    yield from _constants(source)


def _inside(source: PipelineSource) -> Tuple[str, ...]:
    """Maps that the SDK declares beside those that an author names."""
    helpers = (name + part for name in promotable(source) for part in (PREDECESSOR, SCRATCH))
    return (*sides.internal(source.maps), *helpers)


def _programs(source: PipelineSource) -> Iterator[Advice]:
    programs = source.elf.programs()
    others = [name for name in programs if name not in source.manifest.programs]
    if others:
        listed = ", ".join(f"{name} ({programs[name]})" for name in others)
        yield "stages", f"the object has more programs, which are not loaded: {listed}."
    kinds = {takes_fragments(section) for section in programs.values() if is_xdp(section)}
    if len(kinds) > 1:
        text = "the object has programs in xdp and in xdp.frags; one program array cannot hold both."
        yield "entry", text
    if not source.elf.section("license").strip(b"\0"):
        text = "the object names no license, so the kernel refuses it every helper that is for GPL programs."
        yield "object", f'{text} Say it: char _license[] SEC("license") = "GPL";'


def _maps(source: PipelineSource) -> Iterator[Advice]:
    inside = _inside(source)
    for name, found in source.maps.items():
        spec = source.manifest.maps.get(name)
        if name in inside:
            continue
        if spec is None:
            guessed = guess(found, source.btf)
            said = f"{{role: {guessed.role.value}{f', table: {guessed.table}' if guessed.table else ''}}}"
            text = (
                f"the manifest does not name map {name} ({type_name(found.type)}), so each reload begins with it empty."
            )
            yield "maps", f"{text} Perhaps {name}: {said}: {guessed.why}."
        elif spec.role.handed_over and not found.value_type and type_name(found.type) in _PLAIN_VALUES:
            text = "the object does not tell the type of its value, so what it holds cannot be converted, nor a swapped"
            yield (
                f"maps.{name}",
                f"{text} member be noticed, when the layout changes. Declare it with __type(value, ...).",
            )
        elif spec.role is Role.CONFIG and spec.table is None:
            text = "is of role config without a table: nothing fills it, and each generation begins with it empty."
            yield f"maps.{name}", f"{text} Give a table, or role state where another tool writes it."


def _lru(name: str, entries: int, flags: int, cpus: int) -> Iterator[Advice]:
    if flags & NO_COMMON_LRU:
        text = "has one LRU list per CPU (BPF_F_NO_COMMON_LRU): inserts never wait for each other, but each of "
        share = f"{cpus} CPUs has {max(1, entries // cpus)} of the {entries} entries"
        yield f"maps.{name}", f"{text}{share}, and evicts its own while others have room. Without the flag they share."
    elif entries < 4 * _TAKEN_AT_ONCE * cpus:
        text = (
            f"holds {entries} entries, and each of {cpus} CPUs takes up to {_TAKEN_AT_ONCE} free ones at once: those "
        )
        idle = "in use may be evicted while others lie idle (kernel/bpf/bpf_lru_list.c)"
        yield f"maps.{name}", f"{text}{idle}. Make it larger: {4 * _TAKEN_AT_ONCE} for each CPU or more."


def _verdicts(source: PipelineSource) -> Iterator[Advice]:
    manifest = source.manifest
    if not manifest.verdicts and counts_verdicts(source.maps.get(VERDICT_MAP)):
        text = f"the object counts {source.maps[VERDICT_MAP].max_entries} verdicts that the manifest does not name"
        yield "verdicts", f"{text}, so no counters of them are shown."
    if not manifest.tests:
        yield "tests", "there are no test packets: nothing is tried before the program is live."
        return
    tried = {fixture.expect for fixture in manifest.tests}
    missing = [verdict.name for verdict in manifest.verdicts if verdict.name not in tried]
    if missing:
        yield "tests", f"no test packet expects these verdicts: {', '.join(missing)}."


def _constants(source: PipelineSource) -> Iterator[Advice]:
    values = constants.initial(source.elf, source.btf)
    left = [f"{name} ({value!r})" for name, value in values.items() if name not in source.manifest.constants]
    if left:
        yield "constants", f"these keep the object's own values: {', '.join(left)}."
