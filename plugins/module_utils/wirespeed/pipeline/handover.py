# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of each map that a running generation has learned or counted in, when the next one takes over. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Dict, Mapping, Optional, Sequence, Tuple

from ..errors import Refused
from ..kernel import bpf_map
from . import layout
from .layout import SECTIONS, Layout
from .manifest import VERDICT_MAP, Manifest
from .map_spec import MapSpec, Merge, OnLayoutChange
from .moves import LARGEST_VALUE, Move, convert, whole
from .source import RODATA, PipelineSource

PREDECESSOR, SCRATCH, MOVES = "__old", "__scratch", "__moves"
"""What WS_STATE declares beside a map (bpf/include/wirespeed_state.h)."""

_HASHES = (bpf_map.HASH, bpf_map.LRU_HASH)
_PERCPU_HASHES = (bpf_map.PERCPU_HASH, bpf_map.LRU_PERCPU_HASH)
_ARRAYS = (bpf_map.ARRAY, bpf_map.PERCPU_ARRAY)
_FAMILIES = {Merge.SUM: (_HASHES + _PERCPU_HASHES, _ARRAYS)}
_COPIED = (_HASHES, (bpf_map.ARRAY,), (bpf_map.LPM_TRIE,))


class Way(Enum):
    """``SHARE``    the same kernel map serves both generations.
    ``PROMOTE``  the new program fetches an entry from the old map when it first looks it up; what is left follows.
    ``SUM``, ``NEWEST``, ``KEEP_NEW``  as the manifest's ``merge`` says.
    ``REFILL``   a larger map of maps, with the same inner maps.
    ``RESET``    begins empty.
    """

    SHARE = "share"
    PROMOTE = "promote"
    SUM = "sum"
    NEWEST = "newest"
    KEEP_NEW = "keep_new"
    REFILL = "refill"
    RESET = "reset"

    @property
    def carried(self) -> bool:
        """Whether entries go from one map into another."""
        return self not in (Way.SHARE, Way.RESET)


@dataclass(frozen=True)
class Hand:
    """How one map is handed over. ``lost`` says in a sentence what can be lost; empty when nothing can.

    ``remap``: for each old index of an array the new index plus one, 0 where it is dropped; None leaves them.
    """

    map: str
    way: Way
    moves: Tuple[Move, ...] = ()
    remap: Optional[Tuple[int, ...]] = None
    lost: str = ""


class _Impossible(Exception):
    """Why a map cannot be handed over: each difference, and what to write in the manifest."""

    def __init__(self, differences: Sequence[str], remedy: str) -> None:
        super().__init__()
        self.differences = tuple(differences)
        self.remedy = remedy


def declared(source: PipelineSource, name: str) -> Layout:
    """The layout that a source gives one of its maps."""
    if name in SECTIONS:
        return layout.section(name, source.elf, source.btf)
    return layout.declared(source.maps[name], source.btf)


def promotable(source: PipelineSource) -> Dict[str, int]:
    """Maps that the object declares with WS_STATE -> where in .rodata their moves lie."""
    found = {}
    for name in source.maps:
        if name + PREDECESSOR in source.maps and name + SCRATCH in source.maps:
            try:
                found[name] = source.elf.variable(RODATA, name + MOVES).offset
            except KeyError:
                continue
    return found


def decide(source: PipelineSource, live: Mapping[str, Layout], before: Optional[Manifest]) -> Tuple[Hand, ...]:
    """``live`` are the maps of the running generation by name, ``before`` its manifest where that is known.

    Raises :class:`Refused` with every difference of every map that cannot be handed over.
    """
    hands, problems, remedies = [], [], []
    for name, spec in source.manifest.maps.items():
        if not spec.role.handed_over or name not in live:
            continue
        try:
            hands.append(_hand(source, name, spec, live[name], before))
        except _Impossible as impossible:
            problems.append(f"Map {name}: {'; '.join(impossible.differences)}.")
            remedies.append(impossible.remedy)
    if problems:
        raise Refused(
            f"The running generation of pipeline {source.manifest.name} holds what the new object cannot take over. "
            + " ".join(problems),
            " ".join(dict.fromkeys(remedies)),
        )
    return tuple(hands)


def _hand(source: PipelineSource, name: str, spec: MapSpec, old: Layout, before: Optional[Manifest]) -> Hand:
    new = declared(source, name)
    changed = layout.differences(old, new)
    remap = None
    if name == VERDICT_MAP and before is not None:
        remap = _places(before, source.manifest)
        changed += [] if remap is None else ["the verdicts have other names or places"]
    if not changed:
        return Hand(name, Way.SHARE)
    reset = f"maps.{name}.on_layout_change: reset"
    if spec.on_layout_change is OnLayoutChange.RESET:
        return Hand(name, Way.RESET, lost=f"Map {name} begins empty: {'; '.join(changed)}.")
    if spec.on_layout_change is OnLayoutChange.REFUSE:
        raise _Impossible(changed, f"Keep its layout, or allow it to be converted or to begin empty ({reset}).")
    if name in SECTIONS:
        raise _Impossible(changed, f"Variables are kept only as they are: keep them, or let them begin anew: {reset}.")
    if name == VERDICT_MAP and source.manifest.verdicts:
        return _verdicts(source.manifest, old, new, remap, before)
    if new.type in bpf_map.MAPS_OF_MAPS:
        return _refilled(name, old, new, changed, reset)
    return _converted(source, name, spec, old, new, changed)


def _places(before: Manifest, after: Manifest) -> Optional[Tuple[int, ...]]:
    """Where each verdict's counter goes; None when they are the same in the same order."""
    old, new = ([verdict.name for verdict in manifest.verdicts] for manifest in (before, after))
    if old == new or not old or not new:
        return None
    return tuple(new.index(name) + 1 if name in new else 0 for name in old)


def _verdicts(
    manifest: Manifest, old: Layout, new: Layout, remap: Optional[Tuple[int, ...]], before: Optional[Manifest]
) -> Hand:
    conversion = convert(old.value, new.value, (), all_sums=True)
    if conversion.problems or {old.type, new.type} - set(_ARRAYS):
        found = layout.differences(old, new)
        raise _Impossible(found, f"Declare it with WS_VERDICTS(count), or maps.{VERDICT_MAP}.on_layout_change: reset.")
    if remap is None:
        places = range(1, min(old.max_entries, new.max_entries) + 1)
        remap = (*places, *[0] * (old.max_entries - len(places)))
    gone = [verdict.name for verdict, place in zip(before.verdicts, remap) if not place] if before else []
    lost = f"The counts of verdicts that are gone are dropped: {', '.join(gone)}." if gone else ""
    if before is None:
        lost = "The names of the verdicts before are not known: each count is added to the one of the same number."
    return Hand(VERDICT_MAP, Way.SUM, conversion.moves, remap, lost)


def _refilled(name: str, old: Layout, new: Layout, changed: Sequence[str], reset: str) -> Hand:
    same = old.type == new.type and old.flags == new.flags and old.key_size == new.key_size
    inner = old.inner is None or new.inner is None or not layout.differences(old.inner, new.inner)
    if same and inner and old.max_entries <= new.max_entries:
        return Hand(name, Way.REFILL)
    remedy = f"A map of maps may only grow, with inner maps as they are. Keep it so, or let it begin empty: {reset}."
    raise _Impossible(changed, remedy)


def _converted(
    source: PipelineSource, name: str, spec: MapSpec, old: Layout, new: Layout, changed: Sequence[str]
) -> Hand:
    merge, sums = spec.merge, spec.sums
    reset = f"maps.{name}.on_layout_change: reset"
    problems = layout.key_differences(old, new)
    if new.max_entries < old.max_entries:
        problems.append(f"max_entries {new.max_entries} was {old.max_entries}: smaller")
    if max(old.value_size, new.value_size) > LARGEST_VALUE:
        problems.append(f"values of more than {LARGEST_VALUE} bytes cannot be converted")
    promoted = name in promotable(source) and old.type in _HASHES
    dropped: Tuple[str, ...] = ()
    if not (old.value and new.value):
        if old.value_size != new.value_size or merge is Merge.SUM or sums:
            problems.append("without type information (BTF) its members are not known")
        moves = whole(min(old.value_size, new.value_size))
    else:
        counts = merge is Merge.SUM and not promoted
        conversion = convert(old.value, new.value, () if merge is Merge.NEWEST and not promoted else sums, counts)
        problems += conversion.problems
        moves, dropped = conversion.moves, conversion.dropped
    if problems:
        raise _Impossible(problems, f"Keep that as it was, or let the map begin empty: {reset}.")
    gone = f"Dropped in {name}: {', '.join(path or 'value' for path in dropped)}." if dropped else ""
    if promoted:
        return Hand(name, Way.PROMOTE, moves, lost=_sentences(gone, _lost_promoting(name, spec, new)))
    if merge is None:
        raise _Impossible(
            changed,
            f"Declare the map with WS_STATE, or say how its entries come over (maps.{name}.merge: sum, newest or "
            f"keep_new), or let it begin empty ({reset}).",
        )
    _possible(name, merge, old, new, changed)
    return Hand(name, Way(merge.value), moves, lost=_sentences(gone, _lost_merging(name, merge, new)))


def _possible(name: str, merge: Merge, old: Layout, new: Layout, changed: Sequence[str]) -> None:
    """Raises :class:`_Impossible` where the kernel has no way to merge these types of maps so."""
    families = _FAMILIES.get(merge, _COPIED)
    if not any(old.type in family and new.type in family for family in families):
        problem = f"merge: {merge.value} is not possible from a map of type {old.type} to one of type {new.type}"
        remedy = "Only sum is possible between per-CPU maps, and only newest or keep_new between LPM tries."
        raise _Impossible([*changed, problem], remedy)
    if merge is Merge.KEEP_NEW and new.type == bpf_map.ARRAY:
        problem = "an array has all its entries from the beginning, so keep_new would carry none"
        raise _Impossible([*changed, problem], f"Say maps.{name}.merge: sum or newest.")


def _lost_promoting(name: str, spec: MapSpec, new: Layout) -> str:
    if all(_sums(leaf.path, spec) for leaf in new.value):
        return ""
    rest = "that maps." + name + ".sums does not name" if spec.sums else f"(name counters in maps.{name}.sums)"
    return f"In {name}, what other CPUs still write in the instant of the publish to members {rest} can be lost."


def _sums(path: str, spec: MapSpec) -> bool:
    return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in spec.sums)


def _lost_merging(name: str, merge: Merge, new: Layout) -> str:
    if merge is Merge.SUM:
        if new.type in (*_PERCPU_HASHES, bpf_map.PERCPU_ARRAY):
            return ""
        return f"The sums of {name} are exact as far as the program adds atomically."
    if merge is Merge.NEWEST:
        return f"In {name}, what is written to existing entries within milliseconds before the publish can be lost."
    return f"In {name}, what the old map had for entries that the new program makes by itself is lost."


def _sentences(*said: str) -> str:
    return " ".join(sentence for sentence in said if sentence)
