# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test left behind: namespaces, mounts, BPF objects, files in the default places, processes."""

from __future__ import annotations

import os
import select
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import FrozenSet, Iterable, List, Set

from . import bpf_objects, netns
from .bpf_objects import BpfObject

MARK = "WIRESPEED_TEST"  # environment variable that every process started by a test inherits
DEFAULT_PLACES = tuple(map(Path, ("/sys/fs/bpf/wirespeed", "/run/wirespeed", "/var/lib/wirespeed", "/etc/wirespeed")))
LOOKS, LOOK_SECONDS = 1000, 0.02
"""The kernel frees a program after a grace period from a work queue, then its maps in the same way. Looks are
counted, not the clock: a machine that stands still for a while has not looked."""


@dataclass(frozen=True)
class Before:
    """The state that a test has to restore; ``mark`` is the value of MARK while it runs."""

    mark: str
    prefix: str
    folder: Path
    places: FrozenSet[Path]
    children: FrozenSet[int]


def before(mark: str, prefix: str, folder: Path) -> Before:
    return Before(mark, prefix, folder, _listing(DEFAULT_PLACES), frozenset(_children()))


def after(state: Before, objects: Set[BpfObject]) -> List[str]:
    """A sentence for each thing left; ``objects`` are the BPF objects the test was seen to own."""
    left = [f"network namespace {name}" for name in netns.existing(state.prefix)]
    left += [f"mount {path}" for path in _mounts(state.folder)]
    left += [f"file {path}" for path in sorted(_listing(DEFAULT_PLACES) - state.places)]
    left += [f"missing file {path}" for path in sorted(state.places - _listing(DEFAULT_PLACES))]
    left += [f"process {_describe(pid)}" for pid in sorted(_processes(state))]
    left += [_held(kind, number) for kind, number in sorted(still_alive(objects))]
    return left


def _held(kind: str, number: int) -> str:
    """The object, what the kernel tells of it, and who has it open: enough to find out why it is still there."""
    shown = subprocess.run(
        ["bpftool", "--json", kind, "show", "id", str(number)], capture_output=True, text=True, check=False
    )
    opened = ", ".join(bpf_objects.holders(kind, number)) or "no process"
    return f"BPF {kind} {number} ({shown.stdout.strip()}), open in {opened}"


def _listing(places: Iterable[Path]) -> FrozenSet[Path]:
    return frozenset(Path(folder, name) for place in places for folder, _, names in os.walk(place) for name in names)


def _mounts(folder: Path) -> List[str]:
    points = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return [point for point in points if point == str(folder) or point.startswith(f"{folder}/")]


def _children() -> Set[int]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return {int(pid) for pid in listed.split()}


def _processes(state: Before) -> Set[int]:
    """Children that are new, and anything that carries the test's mark, however often it forked."""
    marked = f"{MARK}={state.mark}".encode()
    found = _children() - state.children
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and marked in _environment(entry):
            found.add(int(entry.name))
    return found


def _environment(entry: Path) -> List[bytes]:
    try:
        return (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _describe(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        words = "(gone meanwhile)"
    return f"{pid}: {words.strip()}"


def still_alive(objects: Set[BpfObject]) -> Set[BpfObject]:
    """Those that stay, after the kernel has had the time to free them."""
    left = bpf_objects.alive(objects)
    for dummy in range(LOOKS):
        if not left:
            break
        select.select([], [], [], LOOK_SECONDS)  # between two looks; the condition ends the wait
        left = bpf_objects.alive(left)
    return left
