# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scrubber costs a packet by BPF_PROG_TEST_RUN, beside an empty program and xdp-filter's deny list.

Deny lists of the same addresses are compared, on a source that is in them and on one that is not: xdp-filter's object
looks for both addresses of a frame in a hash, the scrubber for the source in a hash or a trie. Then what is switched on
piece by piece for a customer's packet, all of which lets it through.
"""

from __future__ import annotations

import glob
import ipaddress
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence

from tests.kernel.frames import frame_v4
from tests.kernel.scrubber_here import loaded
from tests.pipelines import scrubber, small
from wirespeed.kernel.bpf_object import BpfObject
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.pipeline.source import PipelineSource

from .packet import EMPTY, once
from .series import Series, in_turn, times

ROUNDS, RUNS, REPEAT = 7, 3, 300_000
SIZES = (10, 1_000, 100_000)
FIRST = ipaddress.ip_address("10.0.0.0")
LET_IN = frame_v4("203.0.113.5")  # UDP to 198.51.100.1
DENIED = frame_v4(str(FIRST))
BY_SOURCE = (1).to_bytes(8, "little")  # MAP_FLAG_SRC of xdp-tools 1.3, xdp-filter/common_kern_user.h
POLICY: Dict[str, Any] = {"policy": 1, "rate": 4_000_000_000, "burst": 1_000_000, "other_ports": "allow"}
CUSTOMER = {"prefix": "198.51.100.0/24", "customer": 7, "policy": 1}
CUSTOMERS = ("with_policies", "with_entity_counters")
PIECES = ("fragments", "amplification", "ports", "patterns", "connections", "rate_limit")
COUNTED = "hash, verdicts counted by customer and policy"
JOBS = {"denied": ("hash", "trie", COUNTED), "let in": ("hash", "trie", COUNTED)}
OBJECTS = "/usr/lib/*/bpf/xdpfilt_alw_ip.o"
Way = Callable[[], float]


def report() -> Iterator[str]:
    with ExitStack() as stack:
        ways: Dict[str, Way] = {"empty": _least(stack.enter_context(_empty()), LET_IN)}
        for size in SIZES:
            addresses = [str(FIRST + 7 * number) for number in range(size)]
            ways.update(_deny_lists(stack, addresses))
        ways.update(_pieces(stack))
        costs = in_turn(ways, ROUNDS)
    yield f"packet through an empty program: {costs['empty'].median:.1f} ns"
    for size in SIZES:
        yield from _of_size(costs, size)
    yield from _step_by_step(costs)


def _of_size(costs: Mapping[str, Series], size: int) -> Iterator[str]:
    for what, names in JOBS.items():
        theirs = costs.get(f"xdp-filter, {what} {size}")
        said = f"deny list of {size:,} addresses, a frame {what}: "
        said += "xdp-filter is not here" if theirs is None else f"xdp-filter {theirs.median:.1f} ns"
        for name in names:
            ours = costs[f"{name}, {what} {size}"]
            said += f", scrubber by {name} {ours.median:.1f} ns"
            if theirs is not None:
                said += f" ({times(ours.ratio(theirs), 2)})"
        yield said


def _step_by_step(costs: Mapping[str, Series]) -> Iterator[str]:
    bare, owned = costs["nothing"], costs["customers"]
    yield f"scrubber with nothing switched on: {bare.median:.1f} ns"
    yield f"  customers, policies and their counters: {owned.median - bare.median:+.1f} ns"
    for piece in PIECES:
        yield f"  and {piece}: {costs[piece].median - owned.median:+.1f} ns"
    yield f"  and all of these: {costs['all'].median - owned.median:+.1f} ns"


def _deny_lists(stack: ExitStack, addresses: Sequence[str]) -> Dict[str, Way]:
    rows: List[Any] = list(addresses)
    owned = {"policies": [POLICY], "customers_v4": [CUSTOMER]}
    programs = {
        "hash": _scrubber(stack, ("with_deny_addresses",), {"deny_address_v4": rows}),
        "trie": _scrubber(stack, ("with_deny_prefixes",), {"deny_v4": [f"{each}/32" for each in addresses]}),
        COUNTED: _scrubber(stack, ("with_deny_addresses", *CUSTOMERS), {"deny_address_v4": rows, **owned}),
    }
    for path in glob.glob(OBJECTS):
        programs["xdp-filter"] = _xdp_filter(stack, Path(path), addresses)
    return {
        f"{name}, {what} {len(addresses)}": _least(program, frame)
        for name, program in programs.items()
        for what, frame in (("denied", DENIED), ("let in", LET_IN))
    }


def _pieces(stack: ExitStack) -> Dict[str, Way]:
    ways = {"nothing": _least(_scrubber(stack, (), {}), LET_IN), "customers": _customer(stack, ())}
    for piece in PIECES:
        ways[piece] = _customer(stack, (piece,))
    return {**ways, "all": _customer(stack, PIECES)}


def _customer(stack: ExitStack, pieces: Sequence[str]) -> Way:
    """A policy with these countermeasures, in a program that has no others."""
    words = ["udp_pairs" if piece == "connections" else piece for piece in pieces]
    document: Dict[str, List[Any]] = {
        "policies": [{**POLICY, "countermeasures": words}],
        "customers_v4": [CUSTOMER],
        "patterns": [{"policy": 1, "index": 0, "length": 4, "bytes": "deadbeef".ljust(32, "0")}],
        "amplifiers": ["389"],
    }
    features = (*CUSTOMERS, *[f"with_{piece}" for piece in pieces])
    return _least(_scrubber(stack, features, document), LET_IN)


def _scrubber(stack: ExitStack, features: Sequence[str], document: Mapping[str, List[Any]]) -> BpfProgram:
    whole = scrubber()
    switches = {name: name in features for name in whole.manifest.constants if name.startswith("with_")}
    room = {name: max(len(rows), 1024) for name, rows in document.items()}
    sides = {f"{name}{side}": entries for name, entries in room.items() for side in ("_a", "_b")}
    made = stack.enter_context(loaded(_with_room(whole.with_constants(switches), room), **room, **sides))
    made.write(document)
    return made.program


def _with_room(source: PipelineSource, room: Mapping[str, int]) -> PipelineSource:
    maps = dict(source.manifest.maps)
    for name, entries in room.items():
        maps[name] = replace(maps[name], max_entries=entries)
    return replace(source, manifest=replace(source.manifest, maps=maps))


def _xdp_filter(stack: ExitStack, path: Path, addresses: Sequence[str]) -> BpfProgram:
    opened = stack.enter_context(BpfObject(path.read_bytes(), "xdpfilt"))
    opened.only([path.stem])
    opened.resize("filter_ipv4", max(len(addresses), 1024))
    opened.load()
    for name, found in opened.maps():
        with found:
            if name == "filter_ipv4":
                value = found.spread(BY_SOURCE)
                found.update_many([(ipaddress.ip_address(each).packed, value) for each in addresses])
    (program,) = [stack.enter_context(each) for dummy, each in opened.programs()]
    return program


def _empty() -> BpfProgram:
    with BpfObject(small(EMPTY).object_bytes, "empty") as opened:
        opened.load()
        (program,) = [each for dummy, each in opened.programs()]
    return program


def _least(program: BpfProgram, frame: bytes) -> Way:
    return lambda: min(once(program, frame, REPEAT) for dummy in range(RUNS))
