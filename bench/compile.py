# SPDX-License-Identifier: GPL-3.0-or-later
"""A document of a million rows compiled from text, beside Python's csv reading the same file for nothing."""

from __future__ import annotations

import csv
import ipaddress
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from tests.pipelines import REPOSITORY, small
from wirespeed.config import document
from wirespeed.pipeline.source import PipelineSource

from .paired import measure, row

ROWS = 1_000_000
ROUNDS = 5
CODE = """
enum action { ACTION_PASS, ACTION_DROP, ACTION_LIMIT };
struct by_v4 { __u32 prefixlen; __be32 address; };
struct customer { __u32 id; __u32 policy; enum action action; __u64 limit; };
#define MAP(name, value_type) \\
	struct { \\
		__uint(type, BPF_MAP_TYPE_LPM_TRIE); \\
		__uint(max_entries, 2000000); \\
		__uint(map_flags, BPF_F_NO_PREALLOC); \\
		__type(key, struct by_v4); \\
		__type(value, value_type); \\
	} name SEC(".maps")
MAP(deny, __u8);
MAP(customers, struct customer);
SEC("xdp") int small(struct xdp_md *ctx) { return XDP_PASS; }
char _license[] SEC("license") = "GPL";
"""
MAPS = {
    "deny": {"role": "config", "table": "prefix_set"},
    "customers": {"role": "config", "table": "records", "fields": {"limit": {"type": "rate"}}},
}
ALONE = """
import re, sys
from pathlib import Path
from bench import compile
peak = lambda: int(re.search("VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10
source = compile.pipeline()
before = peak()
compile.ours(source, Path(sys.argv[1]))
print(before, peak())
"""


def report() -> Iterator[str]:
    source = pipeline()
    with tempfile.TemporaryDirectory() as folder:
        for what, path in _written(Path(folder)).items():
            pair = measure(lambda path=path: ours(source, path), lambda path=path: theirs(path), ROUNDS)
            yield row(f"{ROWS:,} rows, {what}", pair, "compiled", "read with csv")
            before, peak = _peak(path)
            size = path.stat().st_size >> 20
            yield f"{ROWS:,} rows, {what}: memory {peak} MiB at most, {before} MiB before; the file has {size} MiB"


def pipeline() -> PipelineSource:
    return small(CODE, maps=MAPS)


def ours(source: PipelineSource, path: Path) -> None:
    """The whole of it: read, checked, packed, in order, with its digest."""
    found = document.read(path.with_suffix(".yml"))
    compiled = document.compile_document(found, "small", source.manifest.config, source.tables)
    assert compiled.rows == ROWS and compiled.digest


def theirs(path: Path) -> None:
    with path.open(newline="") as file:
        assert sum(1 for dummy in csv.reader(file)) >= ROWS


def _peak(path: Path) -> Tuple[int, int]:
    """MiB of a process that compiles once: before it, and the most.

    Not ru_maxrss, which a process has from the one that it was forked from.
    """
    command = [sys.executable, "-c", ALONE, str(path)]
    paths = f"{REPOSITORY}:{REPOSITORY}/plugins/module_utils"
    done = subprocess.run(command, env={"PYTHONPATH": paths, "PATH": "/usr/bin:/bin"}, stdout=-1, text=True, check=True)
    before, peak = done.stdout.split()
    return int(before), int(peak)


def _written(folder: Path) -> Dict[str, Path]:
    """By what is in it: a file with its rows, and beside it the document that names it."""
    chance = random.Random(1)
    addresses = sorted(chance.sample(range(1 << 24), ROWS))
    prefixes = [f"{ipaddress.IPv4Address(address << 8)}/24" for address in addresses]
    actions = ("pass", "drop", "limit")
    lines = [
        f"{prefix},{number},{number % 5000},{actions[number % 3]},{number % 90 + 10}kpps"
        for number, prefix in enumerate(prefixes)
    ]
    found = {
        "a plain list by address": _file(folder, "deny", "sorted.txt", prefixes),
        "CSV of 5 columns by address": _file(folder, "customers", "sorted.csv", _headed(lines)),
    }
    chance.shuffle(prefixes)
    chance.shuffle(lines)
    return {
        **found,
        "a plain list in no order": _file(folder, "deny", "shuffled.txt", prefixes),
        "CSV of 5 columns in no order": _file(folder, "customers", "mixed.csv", _headed(lines)),
    }


def _headed(lines: List[str]) -> List[str]:
    return ["prefix,id,policy,action,limit", *lines]


def _file(folder: Path, table: str, name: str, lines: List[str]) -> Path:
    path = folder / f"{table}-{name}"
    path.write_text("\n".join(lines) + "\n")
    path.with_suffix(".yml").write_text(f"pipeline: small\ntables: {{{table}: {{file: {path.name}}}}}\n")
    return path
