# SPDX-License-Identifier: GPL-3.0-or-later
"""Traces what goes through a veth, and what tshark reads in the file."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

from wirespeed.gather import built_in_tracers
from wirespeed.pipeline import traced as traces
from wirespeed.pipeline.pins import Paths
from wirespeed.trace_engine import trace

from .netns import Veth
from .scrubber_attached import passed_through

_OVER = object()
_STATISTICS = {"seen": 4, "dropped": 5, "matched": 6, "lost": 7, "written": 8}


Script = Callable[[], Iterator[None]]
"""What happens while a trace runs: it goes on with its own work at each ``yield``, and ends with the script."""


def traced(veth: Veth, file: Path, script: Script, **asked: Any) -> Dict[str, Any]:
    """The result of a trace, by the build unless ``asked`` otherwise; within the node's namespace."""
    running = script()

    def stop() -> bool:
        return next(running, _OVER) is _OVER

    return trace({"nic": veth.ifname, "by": "build", **asked}, str(file), built_in_tracers(), stop)


def traced_frames(veth: Veth, file: Path, frames: Sequence[bytes], **asked: Any) -> Dict[str, Any]:
    """Traces while ``frames`` are judged; meanwhile nobody reads the ring."""

    def script() -> Iterator[None]:
        passed_through(veth, frames)
        yield

    return traced(veth, file, script, **asked)


def left(pipeline: str) -> List[str]:
    """What a trace has left of the pipeline: nothing, when it ended as it should."""
    paths = Paths.from_environment()
    pins = [str(each) for each in paths.pipeline(pipeline).glob("*/traced")]
    return [*pins, "the slot"] if traces.in_slot(paths, pipeline) else pins


def shown(file: Path, *fields: str) -> List[List[str]]:
    """These fields of each packet, as tshark tells them."""
    wanted = [word for field in fields for word in ("-e", field)]
    text = subprocess.run(
        ["tshark", "-n", "-r", str(file), "-T", "fields", *wanted], check=True, capture_output=True, text=True
    ).stdout
    return [line.split("\t") for line in text.splitlines()]


def statistics(file: Path) -> Dict[str, int]:
    """The numbers of the interface statistics block."""
    raw, at, found = file.read_bytes(), 0, {}
    while at < len(raw):
        kind, size = (int.from_bytes(raw[at + i : at + i + 4], "little") for i in (0, 4))
        option = at + 20
        while kind == 5 and option < at + size - 4:
            code, length = (int.from_bytes(raw[option + i : option + i + 2], "little") for i in (0, 2))
            found[code] = int.from_bytes(raw[option + 4 : option + 4 + length], "little")
            option += 4 + (length + 3) // 4 * 4
        at += size
    return {name: found[code] for name, code in _STATISTICS.items()}
