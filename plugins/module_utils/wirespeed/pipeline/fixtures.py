# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a manifest's test packets through its program before that is live.

Each packet meets a program that knows nothing of the others: what one left in the maps is undone before the next,
or, where a map cannot be put back, the program is loaded anew. Nothing is pinned or shared, so what runs is not
touched, and nothing is left when the last descriptor is closed.
"""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Dict, Iterator, List, Optional, Tuple

from ..config import live, sides
from ..config.outer import Outer
from ..errors import BadInput
from ..kernel import bpf_map
from ..kernel.bpf_map import BpfMap
from ..kernel.bpf_object import BpfObject
from ..kernel.bpf_prog import BpfProgram
from . import afresh
from .afresh import Afresh
from .checks import Fixture
from .manifest import VERDICT_MAP
from .outcome import Failure, FixturesFailed, Outcome, action_name, compare
from .packet import ONE_BUFFER, frame
from .packet_fields import MANIFEST
from .sections import takes_fragments
from .source import PipelineSource

__all__ = ["Failure", "FixturesFailed", "check", "check_one", "load_once", "outcome", "require", "run", "run_one"]

_PACKETS = struct.Struct("=Q")  # the front of struct ws_count, bpf/include/wirespeed.h
_AT_ONCE = 4
"""Loading waits for the kernel more than it works: a grace period for maps of maps, another to take a program away."""

_SMALL = 4096
"""Entries that a hash has room for here: memory for millions would be taken and given back for each packet."""


def require(source: PipelineSource) -> None:
    """Raises :class:`FixturesFailed` unless every packet meets its fate, and what :func:`run` raises."""
    failures = run(source)
    if failures:
        raise FixturesFailed(source.manifest, failures)


def run(source: PipelineSource) -> Tuple[Failure, ...]:
    """Those that fail, in the manifest's order, of the packets whose needs the constants meet.

    Sizes and constants must have been worked out (``source.on``).

    Raises :class:`BadInput` for a packet or row that cannot be, before any is run,
    :class:`~wirespeed.kernel.bpf_object.VerifierRejection` and KernelRefusal.
    """
    check(source)
    found = _by_one_load(source) if afresh.possible(source) else _by_a_load_each(source)
    return tuple(failure for failure in found if failure is not None)


def _by_one_load(source: PipelineSource) -> List[Optional[Failure]]:
    tests = {number: source.manifest.tests[number] for number in source.manifest.tried}
    found: List[Optional[Failure]] = []
    with _loaded(source, max(map(_room, tests.values()), default=_SMALL)) as loaded, ExitStack() as stack:
        clean = Afresh([stack.enter_context(each) for dummy, each in loaded.maps()])
        for number, test in tests.items():
            if found:
                clean.begin()
            found.append(compare(number, test, source.manifest, _outcome(source, loaded, number)))
    return found


def _by_a_load_each(source: PipelineSource) -> List[Optional[Failure]]:
    numbers = source.manifest.tried
    found = [run_one(source, number) for number in numbers[:1]]  # says by itself what the verifier thinks of all
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found += pool.map(lambda number: run_one(source, number), numbers[1:])
    return found


def run_one(source: PipelineSource, number: int) -> Optional[Failure]:
    """``tests[number]``; None when all is as it says."""
    return compare(number, source.manifest.tests[number], source.manifest, outcome(source, number))


def load_once(source: PipelineSource) -> None:
    """Only the verifier's word. Raises VerifierRejection and KernelRefusal."""
    with _loaded(source, _SMALL):
        pass


def check(source: PipelineSource) -> None:
    """Without a kernel. Raises :class:`BadInput` for the first packet or row that cannot be."""
    for number in range(len(source.manifest.tests)):
        check_one(source, number)


def check_one(source: PipelineSource, number: int) -> None:
    """Of ``tests[number]``. Raises :class:`BadInput`."""
    packet_of(source, number)
    for name, rows in source.manifest.tests[number].tables.items():
        _keyed(source, number, name, rows)


def packet_of(source: PipelineSource, number: int) -> bytes:
    """The frame of ``tests[number]``. Raises :class:`BadInput`."""
    field = f"tests[{number}].packet"
    built = frame(source.manifest.tests[number].packet, field)
    section = source.elf.programs()[source.manifest.entry]
    if len(built) > ONE_BUFFER and not takes_fragments(section):
        problem = f"is a frame of {len(built)} bytes, which needs several buffers; the entry is in section '{section}'."
        remedy = f'Give at most {ONE_BUFFER} bytes, or build the program with SEC("xdp.frags").'
        raise BadInput(MANIFEST, field, problem, remedy)
    return built


def _keyed(source: PipelineSource, number: int, name: str, rows: Tuple[str, ...]) -> None:
    try:
        source.tables[name].keys(rows, MANIFEST)
    except BadInput as mistake:
        field = f"tests[{number}].tables.{name}"
        raise BadInput(MANIFEST, field, f"{mistake.field}: {mistake.detail}", mistake.remedy) from None


def outcome(source: PipelineSource, number: int) -> Outcome:
    """What becomes of the packet of ``tests[number]``."""
    with _loaded(source, _room(source.manifest.tests[number])) as loaded:
        return _outcome(source, loaded, number)


def _outcome(source: PipelineSource, loaded: BpfObject, number: int) -> Outcome:
    for name, rows in source.manifest.tests[number].tables.items():
        with _map(loaded, _side(source, name)) as found:
            live.change(found, source.tables[name], rows, ())
    with _program(loaded, source.manifest.entry) as entry:
        ran = entry.test_run(packet_of(source, number))
    return Outcome(action_name(ran.action), _verdicts(source, loaded), ran.frame)


@contextmanager
def _loaded(source: PipelineSource, room: int) -> Iterator[BpfObject]:
    with BpfObject(source.object_bytes, source.manifest.name[:15]) as opened:
        opened.only(source.manifest.programs)
        opened.patch_rodata(source.rodata)
        sizes = _sizes(source, room)
        sides.resize(opened, source.maps, sizes)
        for name, flags in source.flags.items():
            opened.set_flags(name, flags)
        with Outer(opened, sides.sized(source.maps, sizes), source.btf) as outer:
            opened.load()
            outer.fill(opened)
        yield opened


def _sizes(source: PipelineSource, room: int) -> Dict[str, int]:
    """Fewer entries mean the same to a program in a hash only. An array's size says which keys it has; a trie takes
    memory only for what is in it."""
    hashes = (found for found in source.maps.values() if found.type in bpf_map.HASH_TYPES)
    return {**source.sizes, **{found.name: room for found in hashes if found.max_entries > room}}


def _side(source: PipelineSource, table: str) -> str:
    """Of a program that was just loaded the first side is the live one."""
    return sides.names(table)[0] if sides.has_sides(source.maps[table]) else table


def _room(fixture: Fixture) -> int:
    return max([_SMALL, *(2 * len(rows) for rows in fixture.tables.values())])


def _verdicts(source: PipelineSource, loaded: BpfObject) -> Dict[str, int]:
    if not source.manifest.verdicts:
        return {}
    with _map(loaded, VERDICT_MAP) as counters:
        counts = {verdict.name: _packets(counters, i) for i, verdict in enumerate(source.manifest.verdicts)}
    return {name: count for name, count in counts.items() if count}


def _packets(counters: BpfMap, index: int) -> int:
    cells = counters.lookup_percpu(index.to_bytes(4, "little"))
    return sum(_PACKETS.unpack_from(cell)[0] for cell in cells)


def _map(loaded: BpfObject, name: str) -> BpfMap:
    wanted: Optional[BpfMap] = None
    for each, found in loaded.maps():
        if each == name:
            wanted = found
        else:
            found.close()
    if wanted is None:  # the source was checked: the object has it
        raise KeyError(name)
    return wanted


def _program(loaded: BpfObject, name: str) -> BpfProgram:
    wanted: Optional[BpfProgram] = None
    for each, found in loaded.programs():
        if each == name:
            wanted = found
        else:
            found.close()
    if wanted is None:
        raise KeyError(name)
    return wanted
