# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration of a million rows, in a hash and in a trie: loaded from its bundle beside a C program that makes the
same batch calls and nothing else, ten of its rows changed, all of it read back.

The peak of memory is of a process that does this alone.
"""

from __future__ import annotations

import resource
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Tuple

from tests.kernel.config_cases import Configured
from tests.kernel.netns import RUN_NETNS
from tests.kernel.worker import run
from tests.pipelines import small
from wirespeed import config_engine
from wirespeed.config import bundle, rows
from wirespeed.config.compiled import Compiled, layout_of
from wirespeed.config.packed import Packed
from wirespeed.config.strategy import Strategy
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

from .cabled import Cabled, cabled
from .paired import seconds
from .series import Series, in_turn

ROWS, ROUNDS, CHANGED = 1_000_000, 5, 10
NIC = "ws0"
HASH, TRIE = "hosts", "denied"
CODE = """
#include <wirespeed_config.h>
WS_CONFIG;
struct prefix { __u32 length; __u8 address[4]; };
struct hosts {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 20);
	__type(key, __u32);
	__type(value, __u64);
};
WS_TABLE(hosts);
struct denied {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1 << 20);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u64);
};
WS_TABLE(denied);
SEC("xdp") int small(struct xdp_md *ctx)
{
	struct prefix key = { 32 };
	__u32 side = ws_side(), host = 0;

	return ws_lookup(denied, side, &key) || ws_lookup(hosts, side, &host) ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""


@dataclass(frozen=True)
class Peak:
    """``mib`` of memory, of which ``idle`` a process has that has done nothing yet."""

    seconds: float
    mib: float
    idle: float
    told: str

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, peak {self.mib:.0f} MiB ({self.idle:.0f} MiB idle){self.told}"


def report() -> Iterator[str]:
    with cabled(NIC) as made:
        subprocess.run(
            ["gcc", "-O2", "-Wall", "-Werror", "-o", str(made.folder / "batch")]
            + [str(Path(__file__).with_name("batch.c")), "-lbpf"],
            check=True,
        )
        found: Dict[str, Dict[str, Series]] = made.node.run(_loads, made, timeout=600.0)
        for name, series in found.items():
            ours, theirs = series["bundle"], series["C"]
            yield (
                f"config: {ROWS:,} rows into a {name}: bundle verified, compared and loaded {ours.median:.2f} s, "
                f"C batch loop {theirs.median:.2f} s: x{ours.ratio(theirs):.2f}"
            )
    for name in (HASH, TRIE):
        with cabled(NIC) as made:
            for what, peak in _delivered(made, name):
                yield f"config: {ROWS:,} rows of {name}: {what} {peak}"


def _source() -> PipelineSource:
    return small(CODE, maps={name: {"role": "config", "table": "records"} for name in (HASH, TRIE)})


def _document(source: PipelineSource, name: str, edition: int = 0) -> Compiled:
    """All rows in one table; ``edition`` gives ten of them other values."""
    tables = {each: Packed(table.key_size, 8) for each, table in source.tables.items()}
    numbers = range(1, ROWS + 1)
    if name == HASH:
        keys = b"".join(struct.pack("=I", number) for number in numbers)
    else:
        keys = b"".join(struct.pack("=I", 32) + struct.pack(">I", number << 10) for number in numbers)
    values = bytearray(b"\1\0\0\0\0\0\0\0" * ROWS)
    for number in range(CHANGED):
        values[number * 8 * 1000] = 1 + edition
    tables[name] = Packed(len(keys) // ROWS, 8, keys, bytes(values))
    return Compiled("small", 1, layout_of(source.tables), tables)


def _loads(made: Cabled) -> Dict[str, Dict[str, Series]]:
    source, found = _source(), {}
    for name, kind in ((HASH, "hash"), (TRIE, "trie")):
        compiled = _document(source, name)
        bundle.write(compiled, made.folder / "rows.bundle")
        for part, data in (("keys", compiled.tables[name].keys), ("values", compiled.tables[name].values)):
            (made.folder / part).write_bytes(data)
        found[kind] = in_turn({"bundle": _ours(source, name, made), "C": _theirs(source, name, made)}, ROUNDS)
    return found


def _fresh(source: PipelineSource, name: str) -> BpfMap:
    like = source.maps[f"{name}_a"]
    sizes = like.key_size, like.value_size
    return BpfMap.create(like.type, name, sizes, like.max_entries, flags=like.flags)


def _ours(source: PipelineSource, name: str, made: Cabled) -> Callable[[], float]:
    table = source.tables[name]

    def load(found: BpfMap) -> None:
        compiled = bundle.read(made.folder / "rows.bundle")
        compiled.check("small", source.tables, config_engine.DOCUMENT)
        change = rows.compared(rows.read(found, table), table, compiled.tables[name])
        rows.write(found, table, change)
        assert change.operations == ROWS and not rows.check(found, table, change)

    def measure() -> float:
        with _fresh(source, name) as found:
            return seconds(lambda: load(found))

    return measure


def _theirs(source: PipelineSource, name: str, made: Cabled) -> Callable[[], float]:
    pin = Paths.from_environment().bpffs / "bench"

    def measure() -> float:
        with _fresh(source, name) as found:
            found.pin(str(pin))
            sizes = [str(found.info.key_size), str(found.info.value_size)]
            command = [str(made.folder / "batch"), str(pin), *sizes, *(str(made.folder / each) for each in _FILES)]
            answer = subprocess.run(command, check=True, capture_output=True, text=True)
            pin.unlink()
            return float(answer.stdout)

    return measure


_FILES = ("keys", "values")


def _delivered(made: Cabled, name: str) -> Iterator[Tuple[str, Peak]]:
    """Each by a process of its own."""
    for edition in (0, 1):
        made.node.run(_write, made, name, edition)
    made.node.run(_begin, timeout=300.0)
    whole, other = str(made.folder / f"{name}0.bundle"), str(made.folder / f"{name}1.bundle")
    yield "delivered by map_swap", _peak(made, _apply, whole, Strategy.MAP_SWAP)
    yield f"{CHANGED} of them changed", _peak(made, _apply, other, Strategy.AUTO)
    made.node.run(_apply, whole, Strategy.MAP_SWAP, timeout=300.0)
    yield f"{CHANGED} of them changed where both sides are full", _peak(made, _apply, other, Strategy.MAP_SWAP)
    yield "all read back", _peak(made, _show, name)


def _write(made: Cabled, name: str, edition: int) -> None:
    bundle.write(_document(_source(), name, edition), made.folder / f"{name}{edition}.bundle")


def _begin() -> None:
    Configured(NIC, _source())


def _apply(path: str, strategy: Strategy) -> str:
    told = config_engine.apply("small", bundle.read(Path(path)), strategy)
    return f", {told.operations:,} map operations by {told.strategy}"


def _show(name: str) -> str:
    return f", {config_engine.show('small', [name]).tables[name].count:,} rows"


def _peak(made: Cabled, action: Callable[..., str], *arguments: Any) -> Peak:
    def measured() -> Peak:
        idle, told = _mib(), []
        taken = seconds(lambda: told.append(action(*arguments)))
        return Peak(taken, _mib(), idle, told[0])

    found: Peak = run(RUN_NETNS / made.node.name, measured, timeout=300.0)
    return found


def _mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
